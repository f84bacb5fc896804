//! Live capture, from opening the interface to the last record.
//!
//! ```text
//! capture thread ──batches──► this thread: analysis ──records──► writer thread ──► output
//!  (feeder)        ◄─spare──   key log, clock, summaries  (outbox)
//!                                   │ snapshots
//!                                   ▼
//!                              metrics thread
//! ```
//!
//! No thread waits for a later one, but for the capture thread when the analysis is far behind; then the kernel's
//! buffer fills, and what it cannot hold is counted.

#[cfg(feature = "live")]
mod feeder;
#[cfg(feature = "live")]
mod interfaces;
#[cfg(feature = "live")]
mod key_log;
mod options;
#[cfg(feature = "live")]
mod outbox;
#[cfg(feature = "live")]
mod rights;
#[cfg(feature = "live")]
mod session;
#[cfg(feature = "live")]
mod status;

#[cfg(feature = "live")]
pub use interfaces::list_interfaces;
pub use options::{BUFFER_SIZE, IDLE_TIMEOUT, LiveOptions, Messages};
#[cfg(feature = "live")]
pub use session::run;

/// Why a live capture did not begin, or ended too early. Each is one line, and exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum LiveFailure {
    /// The interface.
    #[cfg(feature = "live")]
    #[error(transparent)]
    Capture(#[from] crate::capture::LiveError),
    /// The packets cannot be saved.
    #[error(transparent)]
    Save(#[from] crate::capture::WriteError),
    /// The key log cannot be read.
    #[error("{0}: {1}")]
    KeyLog(String, std::io::Error),
    /// The port of the metrics is not to be had.
    #[error("cannot serve metrics at {0}: {1}")]
    Metrics(std::net::SocketAddr, std::io::Error),
    /// `--sandbox strict` cannot be done.
    #[error("--sandbox strict: {0}")]
    Sandbox(String),
    /// A series of files cannot be created with the rights that are left.
    #[error(
        "{0}: not writable for the user that h2lens becomes; name its owner with --user, or keep the \
         rights with --sandbox off"
    )]
    NotWritable(String),
    /// The records cannot be written.
    #[error(transparent)]
    Print(#[from] crate::export::PrintError),
    /// The system refuses a thread or a signal mask.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    /// This build has no libpcap.
    #[cfg(not(feature = "live"))]
    #[error("live capture needs libpcap, and this h2lens was built without it (cargo feature \"live\")")]
    NotBuilt,
}

/// What takes the records of a live capture.
pub trait LiveConsumer: crate::record::Consumer<Error = crate::export::PrintError> {
    /// Records that it has made text of.
    fn written(&self) -> u64 {
        0
    }

    /// The text that is to be written.
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// So many packets were dropped by the kernel and the interface so far.
    fn dropped(&mut self, packets: u64) {
        let _ = packets;
    }
}

impl LiveConsumer for crate::export::Exporter<Vec<u8>> {
    fn written(&self) -> u64 {
        Self::written(self)
    }

    fn take(&mut self) -> Vec<u8> {
        self.writers_mut().next().map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(feature = "tui")]
impl LiveConsumer for crate::tui::Window {
    fn dropped(&mut self, packets: u64) {
        self.set_dropped(packets);
    }
}

/// Captures until it is told to stop.
///
/// # Errors
/// [`LiveFailure::NotBuilt`], always.
#[cfg(not(feature = "live"))]
pub fn run<C: LiveConsumer>(
    _options: &LiveOptions,
    _analysis: crate::engine::Analysis,
    _out: impl std::io::Write + Send + 'static,
    _consumer: impl FnOnce() -> std::io::Result<C>,
    _stopping: impl Fn() + Send + 'static,
) -> Result<crate::record::Report, LiveFailure> {
    Err(LiveFailure::NotBuilt)
}

/// Lists the interfaces one can capture on.
///
/// # Errors
/// [`LiveFailure::NotBuilt`], always.
#[cfg(not(feature = "live"))]
pub fn list_interfaces(_out: &mut impl std::io::Write) -> Result<(), LiveFailure> {
    Err(LiveFailure::NotBuilt)
}
