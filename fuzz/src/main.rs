//! Runs a target on mutated seeds for a time, with nothing but stable Rust:
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml -- TARGET [SEED-DIR]... [OPTION]...
//!     TARGET             a name, or `all`, one after the other
//!     SEED-DIR           files and directories of further seeds
//!     --seconds N        for so long, in processor time (20)
//!     --runs N           so many runs, and not by time
//!     --seed N           another sequence of mutations (0)
//!     --longest N        inputs of so many bytes at most
//!     --input FILE       run this input, and nothing else
//!     --write-seeds DIR  write the seeds to DIR/TARGET, for libFuzzer
//! ```
//!
//! An input that fails is written to `fuzz/artifacts/TARGET/`, and the driver exits with 1; so does one that takes
//! longer than 10 seconds. The same seed gives the same inputs.

use h2lens_fuzz::cost::{TooSlow, process_time};
use h2lens_fuzz::mutate::mutate;
use h2lens_fuzz::random::Random;
use h2lens_fuzz::targets::{self, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A run that takes more processor time is a hang.
const HANG: Duration = Duration::from_secs(10);
/// So is one that takes longer by the clock: it waits for something.
const STANDSTILL: Duration = Duration::from_secs(120);

#[derive(Clone, Debug)]
struct Options {
    target: String,
    seed_dirs: Vec<PathBuf>,
    seconds: u64,
    runs: Option<u64>,
    seed: u64,
    longest: Option<usize>,
    input: Option<PathBuf>,
    write_seeds: Option<PathBuf>,
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().ok_or("which target?")?;
    let mut options = Options {
        target,
        seed_dirs: Vec::new(),
        seconds: 20,
        runs: None,
        seed: 0,
        longest: None,
        input: None,
        write_seeds: None,
    };
    while let Some(argument) = arguments.next() {
        if !argument.starts_with("--") {
            options.seed_dirs.push(argument.into());
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{argument}: a value is missing"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{argument} {value}: {error}"));
        match argument.as_str() {
            "--seconds" => options.seconds = number()?,
            "--runs" => options.runs = Some(number()?),
            "--seed" => options.seed = number()?,
            "--longest" => options.longest = Some(number()? as usize),
            "--input" => options.input = Some(value.into()),
            "--write-seeds" => options.write_seeds = Some(value.into()),
            _ => return Err(format!("{argument}: no such option")),
        }
    }
    Ok(options)
}

/// What runs now, and since when by the clock and in processor time; for the watchdog.
type Now = Arc<Mutex<Option<(Instant, Duration, Vec<u8>)>>>;

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let chosen: Vec<Target> = match options.target.as_str() {
        "all" => targets::ALL.to_vec(),
        name => targets::find(name).into_iter().collect(),
    };
    if chosen.is_empty() {
        let names: Vec<_> = targets::ALL.iter().map(|target| target.name).collect();
        eprintln!("no target {}; there are {}", options.target, names.join(", "));
        return ExitCode::from(2);
    }
    for target in chosen {
        if let Some(directory) = &options.write_seeds {
            write_seeds(&target, &directory.join(target.name));
        } else if let Some(path) = &options.input {
            (target.run)(&std::fs::read(path).expect("the input"));
        } else if !fuzz(&target, &options) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Whether all runs passed.
fn fuzz(target: &Target, options: &Options) -> bool {
    let longest = options.longest.unwrap_or(target.longest);
    let mut seeds = (target.seeds)();
    for directory in &options.seed_dirs {
        read_seeds(directory, &mut seeds);
    }
    seeds.retain(|seed| seed.len() <= longest);
    seeds.push(Vec::new());
    let now: Now = Arc::default();
    watch(target.name, &now);
    // Failures are shown once, by us.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (start, mut runs, mut slowest) = (process_time(), 0_u64, Duration::ZERO);
    let spent = || process_time().saturating_sub(start);
    let mut minutes = 0;
    let mut random = Random::new(options.seed);
    let failed = loop {
        // The seeds as they are, then mutations.
        let mut input =
            seeds[if runs < seeds.len() as u64 { runs as usize } else { random.below(seeds.len()) }].clone();
        if runs >= seeds.len() as u64 {
            let other = &seeds[random.below(seeds.len())];
            mutate(&mut input, other, longest, &mut random);
        }
        let began = process_time();
        *now.lock().expect("no panic while it is held") = Some((Instant::now(), began, input.clone()));
        if fails(target, &input) {
            break Some(input);
        }
        slowest = slowest.max(process_time().saturating_sub(began));
        runs += 1;
        if spent().as_secs() / 60 > minutes {
            minutes += 1;
            eprintln!("{}: {runs} runs in {minutes} min", target.name);
        }
        let over = options.runs.map_or(spent().as_secs() >= options.seconds, |most| runs >= most);
        if over {
            break None;
        }
    };
    *now.lock().expect("no panic while it is held") = None;
    std::panic::set_hook(hook);
    let seconds = spent().as_secs_f64();
    println!(
        "{}: {runs} runs in {seconds:.1} s of processor time ({:.0} a second), {} seeds, the slowest {slowest:.1?}",
        target.name,
        runs as f64 / seconds,
        seeds.len() - 1
    );
    let Some(input) = failed else { return true };
    let path = write_artifact(target.name, &input);
    eprintln!("{}: failed on run {runs}; the input is in {}", target.name, path.display());
    // Once more, to show how.
    let _ = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
    false
}

/// Whether a run fails; one that was too slow, only when it is so three times.
fn fails(target: &Target, input: &[u8]) -> bool {
    for _ in 0..3 {
        match catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
            Ok(()) => return false,
            Err(cause) if !cause.is::<TooSlow>() => return true,
            Err(_) => {}
        }
    }
    true
}

fn watch(name: &'static str, now: &Now) {
    let now = Arc::clone(now);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let running = now.lock().expect("no panic while it is held");
            if let Some((since, began, input)) = running.as_ref()
                && (since.elapsed() > STANDSTILL || process_time().saturating_sub(*began) > HANG)
            {
                let path = write_artifact(name, input);
                eprintln!("{name}: a run does not end; the input is in {}", path.display());
                std::process::exit(1);
            }
        }
    });
}

fn write_artifact(name: &str, input: &[u8]) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(name);
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let path = directory.join(format!("crash-{hash:016x}"));
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::write(&path, input))
        .expect("the artifact can be written");
    path
}

fn write_seeds(target: &Target, directory: &Path) {
    std::fs::create_dir_all(directory).expect("the directory can be made");
    for (n, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(directory.join(format!("seed-{n:03}")), seed).expect("a seed can be written");
    }
}

fn read_seeds(path: &Path, seeds: &mut Vec<Vec<u8>>) {
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path).expect("a directory of seeds").flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::path);
        for entry in entries {
            read_seeds(&entry.path(), seeds);
        }
    } else if path
        .extension()
        .is_none_or(|kind| kind != "json" && kind != "md" && kind != "py" && kind != "sh")
    {
        seeds.extend(std::fs::read(path));
    }
}
