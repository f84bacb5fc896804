//! The program as a process of its own: its output, the processor time that it took, and the most memory that it had.

use crate::support::json_lines;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What the program said, and what that cost.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) status: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
    /// Resident memory at its highest, in MiB, as wait4(2) tells.
    pub(super) mib: u64,
    /// Processor time, which does not depend on what else the machine does.
    pub(super) time: Duration,
}

/// Processor time that an attack may take: a build with optimizations needs a tenth of it.
const TIME: Duration = Duration::from_secs(40);

/// Time after which it is taken to hang.
const PATIENCE: Duration = Duration::from_secs(180);

/// The program: that of this build, or the one that `H2LENS` names, of which figures are wanted.
fn binary() -> OsString {
    std::env::var_os("H2LENS").unwrap_or_else(|| env!("CARGO_BIN_EXE_h2lens").into())
}

/// Runs it on a capture file with one thread.
pub(super) fn run(capture: &[u8], arguments: &[&str]) -> Run {
    run_on(capture, &[&["--threads", "1"], arguments].concat())
}

/// Runs it on a capture file.
pub(super) fn run_on(capture: &[u8], arguments: &[&str]) -> Run {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(capture).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    run_with(&[&[path.as_str()], arguments].concat(), |_| {})
}

/// Runs it with what `feed` writes to its standard input.
pub(super) fn run_with(arguments: &[&str], feed: impl FnOnce(&mut dyn Write) + Send) -> Run {
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let start = Instant::now();
    let mut child = Command::new(binary())
        .args(arguments)
        .env_remove("SSLKEYLOGFILE")
        .stdin(Stdio::piped())
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let pid = child.id();
    // A child begins with the peak of the process that made it: the kernel's figure is its own where it is above that.
    let own = peak("/proc/self/status", "");
    let (ended, mut polled) = std::thread::scope(|scope| {
        scope.spawn(move || feed(&mut stdin));
        let waiting = scope.spawn(move || child.wait4().unwrap());
        let mut polled = 0;
        while !waiting.is_finished() {
            polled = polled.max(peak(&format!("/proc/{pid}/status"), "h2lens"));
            let time = processor_time(&format!("/proc/{pid}/stat"));
            if time > TIME || start.elapsed() > PATIENCE {
                kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
                panic!("{arguments:?}: still at it after {time:?} of processor time");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        (waiting.join().unwrap(), polled)
    });
    let of_kernel = ended.rusage.maxrss >> 20;
    if of_kernel > own {
        polled = of_kernel;
    }
    let time = ended.rusage.utime + ended.rusage.stime;
    let status = ended.status;
    let mut run = Run { status: status.code(), stdout: Vec::new(), stderr: String::new(), mib: polled, time };
    for file in [&mut out, &mut err] {
        file.rewind().unwrap();
    }
    File::read_to_end(&mut out, &mut run.stdout).unwrap();
    File::read_to_string(&mut err, &mut run.stderr).unwrap();
    run
}

/// Runs it on a capture file, and lets nothing be read of its output for a while; what was read then, and the most memory that
/// it had, in MiB.
pub(super) fn run_unread(capture: &[u8], arguments: &[&str], wait: Duration) -> (Vec<u8>, u64) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(capture).unwrap();
    let mut child = Command::new(binary())
        .arg(file.path())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let path = format!("/proc/{}/status", child.id());
    let mut stdout = child.stdout.take().unwrap();
    std::thread::sleep(wait);
    let mut read = vec![0; 1 << 16];
    let len = stdout.read(&mut read).unwrap();
    read.truncate(len);
    let before = peak(&path, "h2lens");
    stdout.read_to_end(&mut read).unwrap();
    let ended = child.wait4().unwrap();
    assert!(ended.status.success());
    // The kernel's figure may be that of the process that made it.
    let own = peak("/proc/self/status", "");
    let whole = ended.rusage.maxrss >> 20;
    (read, if whole > own { whole } else { before })
}

/// Processor time of a process, user's and system's (proc(5)); its unit, `USER_HZ`, is a hundredth of a second.
fn processor_time(path: &str) -> Duration {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The second field is a name in parentheses.
    let Some((_, fields)) = text.rsplit_once(") ") else { return Duration::ZERO };
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// `VmHWM` of a process in MiB, once it has the name: until then it may still be told with the memory of this one.
fn peak(path: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if !name.is_empty() && !text.starts_with(&format!("Name:\t{name}\n")) {
        return 0;
    }
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) >> 10
}

impl Run {
    /// It has done its work within so much memory.
    pub(super) fn within(self, mib: u64) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        assert!(self.mib <= mib, "{} MiB of memory; {mib} are allowed", self.mib);
        self
    }

    /// NDJSON records.
    pub(super) fn records(&self) -> Vec<Value> {
        json_lines(std::str::from_utf8(&self.stdout).unwrap())
    }

    /// Its transactions.
    pub(super) fn transactions(&self) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["record"] == "transaction").collect()
    }

    /// How many they are.
    pub(super) fn told(&self) -> usize {
        let lines = self.stdout.split(|byte| *byte == b'\n');
        lines.filter(|line| line.starts_with(b"{\"record\":\"transaction\"")).count()
    }

    /// The telemetry record's coverage.
    pub(super) fn coverage(&self) -> Value {
        let records = self.records();
        let telemetry = records.iter().find(|record| record["record"] == "telemetry");
        telemetry.unwrap()["coverage"].clone()
    }

    /// How often a cap struck, as the user sees it.
    pub(super) fn limit(&self, name: &str) -> u64 {
        self.coverage()["limits"][name].as_u64().unwrap_or(0)
    }
}
