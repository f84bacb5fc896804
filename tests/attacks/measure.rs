//! What an attack costs beside ordinary calls of as many bytes, in two sizes, so that growth is seen to be linear. Each tells its
//! figures (`benches/attacks.py` makes a table of them).

use super::lens::{Run, run};
use super::wire::{REQUEST, RESPONSE, Wire, frame, insert};
use serde_json::Value;
use std::time::Duration;

/// What the processor does whatever it is given.
pub(super) const START: Duration = Duration::from_millis(200);

/// So much longer an attack may take than ordinary calls; one of bytes that are no calls less.
pub(super) const CALLS: u32 = 50;
pub(super) const NO_CALLS: u32 = 20;

/// Ordinary calls are so long at the most: what longer ones take is reckoned from these.
const ORDINARY: usize = 1 << 19;

/// The two sizes of an attack; larger ones for figures, where `H2LENS_ATTACK_SIZE` says how much larger.
pub(super) fn sizes() -> [usize; 2] {
    let times = std::env::var("H2LENS_ATTACK_SIZE").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    [times, 2 * times]
}

/// Calls as clients make them, in about so many bytes of capture.
fn ordinary(bytes: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    let first = [&REQUEST[..2], &insert(4, b"/accounts/v1/list?page=1"), &insert(58, b"curl/8.5.0")].concat();
    wire.send(&mut client, &frame(1, 5, 1, &first));
    for n in 0.. {
        if wire.file.len() >= bytes {
            break;
        }
        let id = 2 * n + 3;
        wire.send(&mut client, &frame(1, 5, id, &[0x82, 0x86, 0xbf, 0xbe]));
        wire.send(&mut server, &frame(1, 4, id, &RESPONSE));
        wire.send(&mut server, &frame(0, 1, id, b"{\"accounts\": []}"));
    }
    wire.file
}

/// Processor time of ordinary calls of so many bytes.
fn clean(bytes: usize, arguments: &[&str]) -> Duration {
    let most = bytes.min(ORDINARY);
    let time = run(&ordinary(most), arguments).within(64).time;
    time.mul_f64(bytes as f64 / most as f64)
}

/// What was printed is whole, as its format has it.
fn assert_whole(run: &Run, arguments: &[&str]) {
    let text = std::str::from_utf8(&run.stdout).unwrap();
    let format = arguments.iter().skip_while(|argument| **argument != "-o").nth(1);
    match format.copied() {
        None | Some("otlp") => assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok())),
        Some("har") => assert!(serde_json::from_str::<Value>(text).is_ok()),
        Some("csv") => assert!(csv::Reader::from_reader(text.as_bytes()).records().all(|row| row.is_ok())),
        Some(_) => assert!(!text.contains('\u{1b}')),
    }
}

/// The caps that struck, where the output tells of them.
fn limits(run: &Run) -> Vec<String> {
    let text = String::from_utf8_lossy(&run.stdout);
    let records = text.lines().filter(|line| line.starts_with('{') && line.contains("\"limits\":{"));
    let values = records.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let names = values.filter_map(|record| record["coverage"]["limits"].as_object().cloned());
    names.flat_map(|limits| limits.into_iter().map(|(name, _)| name)).collect()
}

/// Tells what it cost: input, time in milliseconds, time of ordinary calls, MiB, output, the caps that struck.
pub(super) fn tell(name: &str, input: usize, run: &Run, clean: Duration) {
    let [time, clean] = [run.time, clean].map(|time| time.as_secs_f64() * 1e3);
    let (output, limits) = (run.stdout.len(), limits(run).join(" "));
    println!("figures\t{name}\t{input}\t{time:.1}\t{clean:.1}\t{}\t{output}\t{limits}", run.mib);
}

/// What it costs stays in proportion: output, and time beside that of ordinary calls; and what is printed is whole.
pub(super) fn in_proportion(name: &str, input: usize, run: &Run, arguments: &[&str], times: u32) {
    let clean = clean(input, arguments);
    tell(name, input, run, clean);
    let most = 64 * input + (1 << 20);
    assert!(run.stdout.len() <= most, "{name}: {} bytes of output of {input}", run.stdout.len());
    assert!(run.time <= START + times * clean, "{name}: {:?}; ordinary calls take {clean:?}", run.time);
    assert_whole(run, arguments);
}

/// Twice as long, it takes no more than about twice as much.
pub(super) fn grows_in_proportion(name: &str, [small, large]: [&Run; 2]) {
    assert!(large.time <= START + 3 * small.time, "{name}: {:?} after {:?}", large.time, small.time);
    assert!(large.stdout.len() <= 3 * small.stdout.len() + (1 << 20), "{name}: {}", large.stdout.len());
}

/// Runs an attack in two sizes, within so much memory, and so many times as long as ordinary calls.
pub(super) fn at_two_sizes(
    name: &str,
    attack: impl Fn(usize) -> Vec<u8>,
    arguments: &[&str],
    mib: u64,
    times: u32,
) -> [Run; 2] {
    let runs = sizes().map(|size| {
        let capture = attack(size);
        let run = run(&capture, arguments).within(mib);
        in_proportion(name, capture.len(), &run, arguments, times);
        run
    });
    grows_in_proportion(name, runs.each_ref());
    runs
}

/// Each of these caps must have struck.
pub(super) fn struck(runs: &[Run; 2], limits: &[&str]) {
    for run in runs {
        assert!(!run.records().is_empty());
        let missing: Vec<_> = limits.iter().filter(|limit| run.limit(limit) == 0).collect();
        assert!(missing.is_empty(), "{missing:?}: {}", run.coverage()["limits"]);
    }
}
