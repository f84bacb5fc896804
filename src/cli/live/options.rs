//! What a live capture is to do, with all defaults resolved.

use crate::capture::Rotation;
use crate::cli::privileges::User;
use crate::cli::sandbox::Sandbox;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Time after which an idle connection is given up, unless said otherwise.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Bytes of the kernel's buffer, unless said otherwise.
pub const BUFFER_SIZE: u64 = 32 << 20;

/// The options of a live capture.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// `-i`: the interface, or `any`.
    pub interface: String,
    /// `-f`: a pcap-filter(7) expression.
    pub filter: Option<String>,
    /// `-s`: bytes of a packet that are captured.
    pub snaplen: u32,
    /// `--buffer-size`: bytes of the kernel's buffer.
    pub buffer_size: u64,
    /// Not `--no-promisc`.
    pub promiscuous: bool,
    /// `-c`: packets after which the capture ends.
    pub count: Option<u64>,
    /// `--duration`: time after which it ends.
    pub duration: Option<Duration>,
    /// A directory in which the window may save what it shows, if that can be written to.
    pub saves: Option<PathBuf>,
    /// `--bodies`: the directory that bodies are written to.
    pub bodies: Option<PathBuf>,
    /// `-w`: where the packets are saved too.
    pub save: Option<PathBuf>,
    /// `-w -`: the packets are printed, in place of the records.
    pub print_packets: bool,
    /// `--rotate-*`: when to begin a new file.
    pub rotation: Rotation,
    /// `--idle-timeout`: connections idle for so long are given up; with requests in flight, six times as long.
    pub idle_timeout: Duration,
    /// `--summary`: a telemetry record every so often.
    pub summary: Option<Duration>,
    /// `--metrics`: where Prometheus finds the counters.
    pub metrics: Option<SocketAddr>,
    /// `--sandbox`: what the process gives up once all is open.
    pub sandbox: Sandbox,
    /// `--user`: whom root becomes then.
    pub user: Option<User>,
    /// `--keylog`: TLS secrets, in files that are followed while they grow, and that need not be there yet.
    pub key_logs: Vec<PathBuf>,
    /// The key logs are those of the environment: one that cannot be read is worth no more than a word.
    pub key_logs_optional: bool,
    /// There is a window: what is said meanwhile would be written over it.
    pub drawn: bool,
    /// Standard error is a terminal: summaries show a line there.
    pub status_line: bool,
    /// How much is said on standard error.
    pub messages: Messages,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Messages {
    /// `-q`: errors only.
    Errors,
    /// What the user should know.
    #[default]
    Normal,
    /// `-v`: all.
    Verbose,
}

#[cfg(feature = "live")]
impl Messages {
    /// Says something, where at least `level` is wanted. A standard error that is closed is no reason to stop.
    pub(crate) fn say(self, level: Self, text: impl std::fmt::Display) {
        use crate::cli::messages::plain;
        use std::io::Write;
        if self >= level {
            let _ = writeln!(std::io::stderr(), "h2lens: {}", plain(&text.to_string()));
        }
    }
}

impl LiveOptions {
    /// Captures on this interface, all else as by default.
    pub fn new(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            filter: None,
            snaplen: crate::base::limits::PACKET_BYTES,
            buffer_size: BUFFER_SIZE,
            promiscuous: true,
            count: None,
            duration: None,
            saves: None,
            bodies: None,
            save: None,
            print_packets: false,
            rotation: Rotation::default(),
            idle_timeout: IDLE_TIMEOUT,
            summary: None,
            metrics: None,
            sandbox: Sandbox::default(),
            user: None,
            key_logs: Vec::new(),
            key_logs_optional: false,
            drawn: false,
            status_line: false,
            messages: Messages::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered() {
        assert!(Messages::Errors < Messages::Normal && Messages::Normal < Messages::Verbose);
    }
}
