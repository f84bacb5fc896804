//! The terminal: taken, and given back on every way out.

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// It is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, as it is drawn on. It is given back when this is dropped, and when a thread panics.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    /// Takes the terminal of standard output.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // The message is to be read.
                give_back();
                before(panic);
            }));
        });
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let entered = execute!(io::stdout(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        entered.map(|terminal| Self { terminal }).inspect_err(|_| give_back())
    }

    /// Somebody has given it back: nothing may be drawn on it any more.
    pub(super) fn is_over() -> bool {
        !TAKEN.load(Ordering::SeqCst)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Makes the terminal what it was, once.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Nobody is left to be told that it failed.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::{OpenptyResult, openpty};
    use nix::sys::termios::tcgetattr;
    use std::fs::File;
    use std::io::Read;
    use std::process::Command;

    const NAME: &str = "tui::terminal::tests::a_panic_gives_the_terminal_back";
    /// Set in the process that panics: it is this test once more, in a terminal of its own.
    const PANICS: &str = "H2LENS_TEST_PANICS";

    #[test]
    fn a_panic_gives_the_terminal_back() {
        if std::env::var_os(PANICS).is_some() {
            let taken = Taken::take().unwrap();
            std::thread::spawn(|| panic!("somewhere else")).join().unwrap_err();
            assert!(Taken::is_over());
            // What is dropped shall not help.
            std::mem::forget(taken);
            std::process::exit(7);
        }
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || slave.try_clone().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(PANICS, "1")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(
            tcgetattr(&slave).unwrap().local_flags,
            before.local_flags,
            "lines and echo are as they were"
        );
        drop(slave);
        let (mut master, mut shown) = (File::from(master), Vec::new());
        // It ends with an error when nobody has the other end.
        let _ = master.read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown);
        let (taken, rest) = shown.split_once("\u{1b}[?1049h").unwrap();
        let (_, after) = rest.split_once("\u{1b}[?1049l").unwrap();
        assert!(!taken.contains("panicked") && after.contains("somewhere else"), "{shown}");
    }
}
