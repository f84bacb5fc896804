//! The thread that captures: it does nothing else, so that the kernel's buffer does not fill.

use crate::base::tuning;
use crate::capture::{Batch, LiveCapture, LiveError, Waker};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often drops are read and the interface looked at.
pub(super) const CHECK: Duration = Duration::from_secs(1);

/// How long the end takes at most, when packets do not cease to come.
const DRAIN: Duration = Duration::from_millis(500);

/// How often the kernel is asked for its last packets, and how long between.
const LAST_LOOKS: (u32, Duration) = (3, Duration::from_millis(15));

/// A capture that runs on its own thread.
pub(super) struct Feeder {
    /// Packets, in order; disconnected when the capture has ended.
    pub(super) batches: Receiver<Batch>,
    spare: Sender<Batch>,
    control: Control,
    thread: JoinHandle<Result<(), LiveError>>,
}

/// Ends a capture, from any thread.
#[derive(Clone)]
pub(super) struct Control {
    shared: Arc<Shared>,
    waker: Waker,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    dropped: AtomicU64,
}

impl Control {
    /// Ends the capture; what the kernel has is still delivered. False when that was asked for before.
    pub(super) fn stop(&self) -> bool {
        let first = !self.shared.stop.swap(true, Ordering::AcqRel);
        self.waker.wake();
        first
    }
}

impl Feeder {
    /// Begins to capture.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(capture: LiveCapture) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let waker = capture.waker();
        let (to_analysis, batches) = bounded(tuning::LIVE_BATCHES);
        let (spare, from_analysis) = bounded(tuning::LIVE_BATCHES);
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || feed(capture, &theirs, &to_analysis, &from_analysis))?;
        Ok(Self { batches, spare, control: Control { shared, waker }, thread })
    }

    /// Takes a batch back, to be filled again.
    pub(super) fn recycle(&self, batch: Batch) {
        // When there are enough, it goes.
        let _ = self.spare.try_send(batch);
    }

    /// What ends the capture.
    pub(super) fn control(&self) -> Control {
        self.control.clone()
    }

    /// Makes the thread look at its counters, if it waits for packets.
    pub(super) fn nudge(&self) {
        self.control.waker.wake();
    }

    /// Packets dropped by the kernel and the interface, as of the last second.
    pub(super) fn dropped(&self) -> u64 {
        self.control.shared.dropped.load(Ordering::Relaxed)
    }

    /// Why the capture ended, and how many packets were dropped; waits for the thread.
    pub(super) fn finish(self) -> (Result<(), LiveError>, u64) {
        drop(self.batches);
        let result = match self.thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (result, self.control.shared.dropped.load(Ordering::Relaxed))
    }
}

/// The capture's thread.
fn feed(
    mut capture: LiveCapture,
    shared: &Shared,
    to_analysis: &Sender<Batch>,
    spare: &Receiver<Batch>,
) -> Result<(), LiveError> {
    let mut checked = Instant::now();
    let end = loop {
        match pass_on(&mut capture, to_analysis, spare) {
            Ok(Passed::Nobody) => return Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
        if capture.is_over() || shared.stop.load(Ordering::Acquire) {
            break Ok(());
        }
        if checked.elapsed() >= CHECK {
            checked = Instant::now();
            shared.dropped.store(capture.dropped(), Ordering::Relaxed);
            if let Err(down) = capture.check() {
                break Err(down);
            }
        }
    };
    shared.dropped.store(capture.dropped(), Ordering::Relaxed);
    if !capture.is_over() {
        capture = capture.without_waiting()?;
        let (deadline, mut looks) = (Instant::now() + DRAIN, 0);
        while looks < LAST_LOOKS.0 && Instant::now() < deadline {
            match pass_on(&mut capture, to_analysis, spare) {
                Ok(Passed::Packets) => looks = 0,
                // An interface that is gone is told of before packets that the kernel still has from it.
                Ok(Passed::Nothing) | Err(_) => {
                    looks += 1;
                    std::thread::sleep(LAST_LOOKS.1);
                }
                Ok(Passed::Nobody) => break,
            }
        }
        shared.dropped.store(capture.dropped(), Ordering::Relaxed);
    }
    end
}

/// What became of a batch.
enum Passed {
    Packets,
    Nothing,
    /// Nobody takes batches any more.
    Nobody,
}

/// Captures a batch and passes it on. Before an error, what was captured until then.
fn pass_on(
    capture: &mut LiveCapture,
    to_analysis: &Sender<Batch>,
    spare: &Receiver<Batch>,
) -> Result<Passed, LiveError> {
    let mut batch = spare.try_recv().unwrap_or_default();
    let result = capture.fill(&mut batch);
    if batch.packets.is_empty() {
        return result.map(|()| Passed::Nothing);
    }
    if to_analysis.send(batch).is_err() {
        return Ok(Passed::Nobody);
    }
    result.map(|()| Passed::Packets)
}
