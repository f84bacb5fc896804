//! How much of what the workers have made waits to be handed on: where the output is read slowly, they wait, too.
//!
//! A worker asks before it begins with a job, and never waits with the oldest job under way. So there is always progress: that
//! job's workers do not wait for one another, and a worker that waits has done all jobs before its own; once the oldest is done
//! by all, it is handed on, and the next one is the oldest. What is held is then no more than the bound, and what each
//! worker makes of one job.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Shared by the workers and the thread that hands on what they have made.
#[derive(Debug)]
pub(super) struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
    /// From so many bytes on, workers wait.
    bound: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that wait.
    held: usize,
    /// Jobs that were handed on: the number of the oldest one under way.
    oldest: u64,
    /// Nothing is handed on any more.
    is_over: bool,
    /// Workers that wait.
    waiting: usize,
}

impl Backlog {
    /// Nothing waits; workers do from so many bytes on.
    pub(super) fn new(bound: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), bound }
    }

    /// Before a worker begins with the job of this number, counted from 0. Before he waits he does `first`.
    pub(super) fn wait_for_room(&self, job: u64, first: impl FnOnce()) {
        let is_full = |state: &mut State| state.held >= self.bound && job > state.oldest && !state.is_over;
        let mut state = self.state();
        if is_full(&mut state) {
            first();
            state.waiting += 1;
            let waited = self.changed.wait_while(state, is_full);
            waited.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
        }
    }

    /// A worker has done a job, and made so many bytes of it.
    pub(super) fn made(&self, bytes: usize) {
        self.state().held += bytes;
    }

    /// The oldest job was handed on, with so many bytes.
    pub(super) fn handed_on(&self, bytes: usize) {
        let mut state = self.state();
        state.held = state.held.saturating_sub(bytes);
        state.oldest += 1;
        let waits = state.waiting > 0;
        drop(state);
        // To notify is a call of the kernel, whoever waits.
        if waits {
            self.changed.notify_all();
        }
    }

    /// Nothing will be handed on any more.
    pub(super) fn end(&self) {
        self.state().is_over = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a thread that panics leaves is consistent; the panic is passed on elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    /// Workers that all make much of each job, and one that hands on slowly: what waits stays within the bound and one job
    /// each, and all is done.
    #[test]
    fn workers_wait_and_none_for_ever() {
        const WORKERS: u64 = 4;
        const JOBS: u64 = 50;
        let backlog = Arc::new(Backlog::new(10));
        let (held, done) =
            (Arc::new(AtomicU64::new(0)), Arc::new([const { AtomicU64::new(0) }; JOBS as usize]));
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (backlog, held, done) = (Arc::clone(&backlog), Arc::clone(&held), Arc::clone(&done));
                thread::spawn(move || {
                    for (number, done) in done.iter().enumerate() {
                        backlog.wait_for_room(number as u64, || ());
                        // All that the others made may belong to later jobs.
                        thread::sleep(Duration::from_micros(100 * worker));
                        assert!(held.fetch_add(4, Ordering::SeqCst) < 10 + 4 * (2 * WORKERS));
                        backlog.made(4);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for done in done.iter() {
            while done.load(Ordering::SeqCst) < WORKERS {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(200));
            held.fetch_sub(4 * WORKERS, Ordering::SeqCst);
            backlog.handed_on(4 * WORKERS as usize);
        }
        for worker in workers {
            worker.join().unwrap();
        }
    }

    #[test]
    fn who_waits_goes_on_when_all_is_over() {
        let backlog = Arc::new(Backlog::new(1));
        backlog.made(1);
        backlog.wait_for_room(0, || ());
        let waits = Arc::clone(&backlog);
        let worker = thread::spawn(move || waits.wait_for_room(1, || ()));
        backlog.end();
        worker.join().unwrap();
    }
}
