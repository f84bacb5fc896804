//! Records on their way to a reader that may be slow: the capture never waits for it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Records that wait to be written, in chunks of whole records, up to a cap in bytes. Beyond it the oldest chunks
/// are dropped, and their records counted.
pub(super) struct Outbox {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    cap: usize,
    /// Records were put in: from here on chunks may be dropped. What comes before them, and the first of them, may
    /// be needed to read the others (a JSON array's beginning, the header of a table).
    begun: bool,
}

struct Shared {
    state: Mutex<OutboxState>,
    changed: Condvar,
}

#[derive(Default)]
struct OutboxState {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    dropped: u64,
    /// Nothing more will come.
    ended: bool,
    /// The writer has given up, or is through.
    over: bool,
    error: Option<io::Error>,
}

struct Chunk {
    bytes: Vec<u8>,
    records: u64,
    keep: bool,
}

impl Shared {
    /// The state is consistent whenever the lock is free, even if its holder has panicked.
    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, OutboxState>) -> MutexGuard<'a, OutboxState> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// Starts a thread that writes to `out`; holds up to `cap` bytes for it.
    pub(super) fn new(out: impl Write + Send + 'static, cap: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let writer =
            std::thread::Builder::new().name("writer".to_owned()).spawn(move || write_all(&theirs, out))?;
        Ok(Self { shared, writer: Some(writer), cap, begun: false })
    }

    /// Puts in a chunk of so many whole records.
    pub(super) fn push(&mut self, bytes: Vec<u8>, records: u64) {
        let keep = !self.begun;
        self.begun |= records > 0;
        if bytes.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.over {
            return;
        }
        while state.bytes + bytes.len() > self.cap {
            let Some(oldest) = state.chunks.iter().position(|chunk| !chunk.keep) else { break };
            if let Some(chunk) = state.chunks.remove(oldest) {
                state.bytes -= chunk.bytes.len();
                state.dropped += chunk.records;
            }
        }
        state.bytes += bytes.len();
        state.chunks.push_back(Chunk { bytes, records, keep });
        self.shared.changed.notify_all();
    }

    /// Puts in a chunk, but waits for the reader where there is no room: for the end, when nothing is lost by
    /// waiting.
    pub(super) fn push_patiently(&mut self, bytes: Vec<u8>, records: u64) {
        let mut state = self.shared.lock();
        while !state.over && !state.chunks.is_empty() && state.bytes + bytes.len() > self.cap {
            state = self.shared.wait(state);
        }
        drop(state);
        self.push(bytes, records);
    }

    /// Records dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }

    /// Bytes that wait.
    pub(super) fn held(&self) -> usize {
        self.shared.lock().bytes
    }

    /// The reader has gone away, or writing has failed: nothing more can be written.
    pub(super) fn is_over(&self) -> bool {
        self.shared.lock().over
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// What went wrong when writing.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(Err(panic)) = self.writer.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        self.shared.lock().error.take().map_or(Ok(()), Err)
    }
}

/// The writer's thread.
fn write_all(shared: &Shared, mut out: impl Write) {
    let mut state = shared.lock();
    loop {
        if let Some(chunk) = state.chunks.pop_front() {
            drop(state);
            let result = out.write_all(&chunk.bytes).and_then(|()| out.flush());
            state = shared.lock();
            state.bytes -= chunk.bytes.len();
            if let Err(error) = result {
                state.error = Some(error);
                state.chunks.clear();
                state.bytes = 0;
                break;
            }
            shared.changed.notify_all();
        } else if state.ended {
            break;
        } else {
            state = shared.wait(state);
        }
    }
    state.over = true;
    shared.changed.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

    /// A reader that takes a write whenever it is told to.
    struct Slow {
        go: Receiver<()>,
        got: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let _ = self.got.send(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Sender<()>, Receiver<Vec<u8>>, Slow) {
        let ((ready, go), (got, taken)) = (bounded(0), unbounded());
        (ready, taken, Slow { go, got })
    }

    #[test]
    fn cap_live_output() {
        let (ready, taken, slow) = slow();
        let mut outbox = Outbox::new(slow, 10).unwrap();
        outbox.push(b"[".to_vec(), 0);
        outbox.push(b"a".to_vec(), 1);
        for (chunk, records) in [("bbbb", 2), ("cccc", 3), ("dddd", 5)] {
            outbox.push(chunk.as_bytes().to_vec(), records);
        }
        assert_eq!((outbox.dropped(), outbox.held()), (2, 10), "exactly at the cap");
        outbox.push(b"e".to_vec(), 1);
        assert_eq!((outbox.dropped(), outbox.held()), (5, 7));
        for _ in 0..4 {
            ready.send(()).unwrap();
        }
        outbox.finish().unwrap();
        assert_eq!(taken.iter().collect::<Vec<_>>().concat(), b"[adddde", "the beginning is kept");
    }

    #[test]
    fn the_end_waits_for_room() {
        let (ready, taken, slow) = slow();
        let mut outbox = Outbox::new(slow, 4).unwrap();
        outbox.push(b"aaaa".to_vec(), 1);
        let reader = std::thread::spawn(move || while ready.send(()).is_ok() {});
        outbox.push_patiently(b"bbbb".to_vec(), 1);
        outbox.push_patiently(b"cccccc".to_vec(), 1);
        assert_eq!(outbox.dropped(), 0);
        outbox.finish().unwrap();
        assert_eq!(taken.iter().collect::<Vec<_>>().concat(), b"aaaabbbbcccccc");
        reader.join().unwrap();
    }

    #[test]
    fn a_reader_that_leaves_ends_it() {
        let (ready, _taken, slow) = slow();
        drop(ready);
        let mut outbox = Outbox::new(slow, 4).unwrap();
        outbox.push(b"aaaa".to_vec(), 1);
        while !outbox.is_over() {
            std::thread::yield_now();
        }
        outbox.push_patiently(b"bbbbbbbb".to_vec(), 1);
        assert_eq!(outbox.held(), 0);
        assert_eq!(outbox.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
