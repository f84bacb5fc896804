//! `--tui` in a real terminal: it is drawn on, and given back on every way out.

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/curl-h2c.pcap");
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, in a terminal of its own.
struct Session {
    child: Child,
    keys: File,
    terminal: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    fn start(arguments: &[&str]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 110, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || slave.try_clone().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_h2lens"))
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("SSLKEYLOGFILE")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut drawn, into) = (File::from(master.try_clone().unwrap()), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = drawn.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Self { child, keys: File::from(master), terminal: slave, before, screen }
    }

    fn has(&self, text: &str) -> bool {
        self.screen.lock().unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Waits for a word that is drawn where nothing was: of what changes only the cells that differ are drawn.
    fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.has(text) {
            let shown = || String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned();
            assert!(start.elapsed() < PATIENCE, "{text} is not shown: {}", shown());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How it ended, with the terminal as it was before.
    fn end(mut self) -> ExitStatus {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it goes on");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.wait_for("\u{1b}[?1049l");
        let after = tcgetattr(&self.terminal).unwrap();
        assert_eq!(after.local_flags, self.before.local_flags, "lines and echo are as they were");
        status
    }
}

#[test]
fn calls_are_opened_and_the_window_is_closed() {
    let mut session = Session::start(&[CAPTURE, "--tui"]);
    session.wait_for("/users.json");
    session.keys.write_all(b"2\r").unwrap();
    session.wait_for("curl/7.88.1");
    session.keys.write_all(b"\x1bq").unwrap();
    assert!(session.end().success());
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let session = Session::start(&[CAPTURE, "--tui"]);
    session.wait_for("Endpoints");
    kill(Pid::from_raw(session.child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(session.end().code(), Some(143));
}

/// It waits for a capture's first bytes: there is no window yet.
#[test]
fn a_signal_ends_it_while_it_waits_for_a_capture() {
    let mut session = Session::start(&["-", "--tui"]);
    std::thread::sleep(Duration::from_millis(300));
    kill(Pid::from_raw(session.child.id() as i32), Signal::SIGTERM).unwrap();
    let start = Instant::now();
    while session.child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            session.child.kill().unwrap();
            panic!("it goes on");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Of many calls the last ones are held: the process stays within `--memory` and 32 MiB, and twice as many take no more.
#[test]
fn many_calls_are_held_within_the_memory() {
    let peaks = [6000, 12_000].map(|count| {
        let mut capture = tempfile::NamedTempFile::new().unwrap();
        capture.write_all(&super::attacks::owners::calls(count)).unwrap();
        let path = capture.path().to_str().unwrap();
        let mut session = Session::start(&[path, "--tui", "--memory", "64M", "--threads", "1"]);
        // It says that it was read to the end.
        session.wait_for("the e");
        session.wait_for("no longer held");
        let status = std::fs::read_to_string(format!("/proc/{}/status", session.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        session.keys.write_all(b"q").unwrap();
        assert!(session.end().success());
        kib >> 10
    });
    assert!(peaks.iter().all(|peak| *peak <= 64 + 32) && peaks[1] <= peaks[0] + 16, "{peaks:?} MiB");
}

#[test]
fn without_a_terminal_it_is_refused() {
    let output = super::cli::h2lens(&[CAPTURE, "--tui"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}
