//! What goes to standard error: errors, messages, and the progress bar.

use crate::capture::Progress;
use crate::export::visible;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Which messages are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors alone.
    Quiet,
    /// What one should know.
    #[default]
    Normal,
    /// What one might want to know, too.
    Verbose,
}

/// Prints messages, each on one line. What they quote is made safe for a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messages {
    verbosity: Verbosity,
}

impl Messages {
    /// Messages of that verbosity.
    pub const fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }

    /// The reason why the program ends early.
    pub fn error(self, message: impl Display) {
        print(&message);
    }

    /// What one should know: something is missing, or was done differently.
    pub fn notice(self, message: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            print(&message);
        }
    }

    /// What only one who asked wants to know.
    pub fn detail(self, message: impl Display) {
        if self.verbosity >= Verbosity::Verbose {
            print(&message);
        }
    }
}

fn print(message: &impl Display) {
    // Of several lines, each is made harmless for itself.
    let message = plain(&message.to_string());
    let lines: Vec<_> = message.lines().map(visible).collect();
    // When standard error is closed, there is nobody to tell.
    let _ = writeln!(io::stderr(), "h2lens: {}", lines.join("\n"));
}

/// A message without the numbers that the system's errors bring along: `No such file or directory (os error 2)`.
pub(super) fn plain(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => text.push_str(rest),
            _ => text.extend([" (os error ", part]),
        }
    }
    text
}

/// How long a run takes before it shows a progress bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bar is drawn.
const STEP: Duration = Duration::from_millis(100);

/// A progress bar on standard error, for inputs of known size that take over a second. It vanishes when dropped.
#[derive(Debug)]
pub struct Bar {
    drawn: ProgressBar,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar that follows the reading; one that is never drawn unless `shown`, or when the size is not known.
    pub fn new(progress: Progress, shown: bool) -> Self {
        let hidden = Self { drawn: ProgressBar::hidden(), stop: None, thread: None };
        let Some(total) = progress.total().filter(|_| shown) else { return hidden };
        let bar = ProgressBar::hidden();
        bar.set_length(total);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes}/{total_bytes}  {eta} left")
        {
            bar.set_style(style);
        }
        let (stop, stopped) = channel();
        let drawn = bar.clone();
        let thread = std::thread::spawn(move || {
            // Anything but a timeout says that the bar has been dropped.
            if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            drawn.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            loop {
                drawn.set_position(progress.read().min(total));
                if stopped.recv_timeout(STEP) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Self { drawn: bar, stop: Some(stop), thread: Some(thread) }
    }

    /// A writer to the same terminal, which takes the bar away while it writes.
    pub fn beside<W: Write>(&self, writer: W) -> impl Write + use<W> {
        Beside { writer, bar: self.drawn.clone() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A bar that could not be drawn is no reason to fail.
            let _ = thread.join();
        }
        self.drawn.finish_and_clear();
    }
}

struct Beside<W> {
    writer: W,
    bar: ProgressBar,
}

impl<W: Write> Write for Beside<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| self.writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_systems_errors_are_left_out() {
        for (message, expected) in [
            ("x: No such file or directory (os error 2)", "x: No such file or directory"),
            ("a (os error 13), b (os error 2)", "a, b"),
            ("a (os error x), (os error 2", "a (os error x), (os error 2"),
            ("", ""),
        ] {
            assert_eq!(plain(message), expected);
        }
    }
}
