//! What is to be done, what is being done, and what was: shared by the threads.
//!
//! Each worker does the jobs in their order, one at a time; on which thread does not matter. So a thread that has nothing else to
//! do takes what is next, the one that hands out the jobs, too: none waits while there is something to do.
//!
//! Where the output is read slowly, what was made waits to be handed on. From so many bytes on, only the oldest job under way is
//! worked on. So there is always progress, as that one does not wait: once it is handed on, the next is the oldest. What is held is
//! no more than the bound, and what each worker makes of one job.
//!
//! Who waits sleeps at once, and is woken only when there is something for it that is worth it: a call of the kernel, and a time
//! slice where other processes want the processor, too. What is not is done by the caller, when it asks for the oldest job.

use super::job::Job;
use super::worker::Sum;
use crate::base::tuning::WORTH_WAKING;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The workers' jobs. `W` is what a worker is, `P` what it writes into.
#[derive(Debug)]
pub(super) struct Board<W, P> {
    state: Mutex<State<W, P>>,
    /// There is something to do, or never will be.
    work: Condvar,
    /// The oldest job is done, or never will be.
    done: Condvar,
    /// See above.
    bound: usize,
}

#[derive(Debug)]
struct State<W, P> {
    workers: Vec<Place<W, P>>,
    /// How many threads there are, the caller among them.
    threads: usize,
    /// The number of the oldest job under way: so many were handed on.
    oldest: u64,
    /// Bytes that were made and not handed on.
    held: usize,
    /// Threads that wait for something to do.
    idle: usize,
    /// What came since they were woken, in the unit of [`WORTH_WAKING`].
    unsaid: usize,
    /// The caller waits for the oldest job.
    is_awaited: bool,
    /// Nothing is to be done any more.
    is_over: bool,
    /// A thread has panicked.
    is_broken: bool,
}

/// A worker, as the threads share it.
#[derive(Debug)]
struct Place<W, P> {
    /// Not here while a thread works on it.
    worker: Option<W>,
    /// To be done.
    jobs: VecDeque<(Arc<Job>, P)>,
    /// The number of the first of them.
    next: u64,
    /// What was made of the jobs from the oldest under way on.
    made: VecDeque<Made<P>>,
}

/// What a worker has made of a job: what it wrote, and what it adds up to, of a job that asks for it.
pub(super) type Made<P> = (P, Option<Box<Sum>>);

/// A job that one worker is to do.
#[derive(Debug)]
pub(super) struct Turn<W, P> {
    index: usize,
    worker: W,
    job: Arc<Job>,
    /// What it writes into.
    product: P,
}

/// What is next for the caller, who asks for the oldest job.
#[derive(Debug)]
pub(super) enum Next<W, P> {
    /// It is done: what each worker has made of it.
    Done(Vec<Made<P>>),
    /// It is not; something to do.
    Turn(Turn<W, P>),
    /// A thread has panicked.
    Broken,
}

impl<W, P> State<W, P> {
    /// Something that can be done now: by one of the workers that are this thread's own, or else by another, and among those by
    /// the one that is furthest behind.
    fn turn(&mut self, thread: usize, bound: usize) -> Option<Turn<W, P>> {
        let (threads, oldest) = (self.threads, (self.held >= bound).then_some(self.oldest));
        let ready = |place: &&mut Place<W, P>| {
            place.worker.is_some()
                && !place.jobs.is_empty()
                && oldest.is_none_or(|oldest| place.next == oldest)
        };
        let places = self.workers.iter_mut().enumerate().filter(|(_, place)| ready(place));
        let (index, place) =
            places.min_by_key(|&(index, ref place)| (index % threads != thread, place.next))?;
        let (worker, (job, product)) = (place.worker.take()?, place.jobs.pop_front()?);
        place.next += 1;
        Some(Turn { index, worker, job, product })
    }

    fn oldest_is_done(&self) -> bool {
        self.workers.iter().all(|place| !place.made.is_empty())
    }
}

impl<W, P> Board<W, P> {
    /// Nothing is to be done yet, by so many threads; see above for the bound.
    pub(super) fn new(workers: impl IntoIterator<Item = W>, threads: usize, bound: usize) -> Self {
        let place =
            |worker| Place { worker: Some(worker), jobs: VecDeque::new(), next: 0, made: VecDeque::new() };
        let state = State {
            workers: workers.into_iter().map(place).collect(),
            threads: threads.max(1),
            oldest: 0,
            held: 0,
            idle: 0,
            unsaid: 0,
            is_awaited: false,
            is_over: false,
            is_broken: false,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new(), bound }
    }

    /// Gives each worker a job of that [weight](Job::weight), and what it writes into.
    pub(super) fn push(&self, job: &Arc<Job>, weight: usize, products: impl Iterator<Item = P>) {
        let mut state = self.state();
        for (place, product) in state.workers.iter_mut().zip(products) {
            place.jobs.push_back((Arc::clone(job), product));
        }
        state.unsaid = state.unsaid.saturating_add(weight);
        if state.unsaid >= WORTH_WAKING {
            self.wake(&mut state);
        }
    }

    /// Something to do for a thread, which is waited for; `None` when there is nothing any more. Some of the workers are its own,
    /// and come first: what they know is likely to be in its processor's cache.
    pub(super) fn turn(&self, thread: usize) -> Option<Turn<W, P>> {
        let mut state = self.state();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(turn) = state.turn(thread, self.bound) {
                return Some(turn);
            }
            state.idle += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// A turn is over: what was made, and how many bytes that are.
    fn made(&self, index: usize, worker: W, made: Made<P>, bytes: usize) {
        let mut state = self.state();
        state.held += bytes;
        if let Some(place) = state.workers.get_mut(index) {
            place.worker = Some(worker);
            place.made.push_back(made);
        }
        let tell = state.is_awaited && state.oldest_is_done();
        state.is_awaited &= !tell;
        drop(state);
        if tell {
            self.done.notify_one();
        }
    }

    /// The oldest job under way, if it is done; otherwise something to do for a thread, which is waited for.
    pub(super) fn oldest(&self, thread: usize) -> Next<W, P> {
        let mut state = self.state();
        loop {
            if state.is_broken {
                return Next::Broken;
            }
            if state.oldest_is_done() {
                return Next::Done(
                    state.workers.iter_mut().filter_map(|place| place.made.pop_front()).collect(),
                );
            }
            if let Some(turn) = state.turn(thread, self.bound) {
                return Next::Turn(turn);
            }
            state.is_awaited = true;
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The oldest job was handed on, with so many bytes.
    pub(super) fn handed_on(&self, bytes: usize) {
        let mut state = self.state();
        let was_full = state.held >= self.bound;
        state.held = state.held.saturating_sub(bytes);
        state.oldest += 1;
        if state.workers.iter().all(|place| place.jobs.is_empty()) {
            state.unsaid = 0;
        }
        if was_full {
            self.wake(&mut state);
        }
    }

    /// Nothing is to be done any more.
    pub(super) fn end(&self) {
        self.state().is_over = true;
        self.work.notify_all();
    }

    /// A thread has panicked: what it was at will never be done.
    pub(super) fn break_off(&self) {
        self.state().is_broken = true;
        self.done.notify_one();
    }

    fn wake(&self, state: &mut State<W, P>) {
        state.unsaid = 0;
        if state.idle > 0 {
            self.work.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W, P>> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W, P> Turn<W, P> {
    /// Has `work` do it, and tells the board.
    pub(super) fn take(
        self,
        board: &Board<W, P>,
        work: impl FnOnce(&mut W, &Job, &mut P) -> (Option<Box<Sum>>, usize),
    ) {
        let Self { index, mut worker, job, mut product } = self;
        let (sum, bytes) = work(&mut worker, &job, &mut product);
        // Who gets all that was made of the job gets the job, too.
        drop(job);
        board.made(index, worker, (product, sum), bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    const WORKERS: usize = 3;

    /// Workers that count what they do, and write down the count.
    fn board(bound: usize) -> Arc<Board<u64, u64>> {
        Arc::new(Board::new([0; WORKERS], WORKERS, bound))
    }

    fn work(turn: Turn<u64, u64>, board: &Board<u64, u64>, bytes: usize) {
        turn.take(board, |count, _, product| {
            *count += 1;
            *product = *count;
            (None, bytes)
        });
    }

    fn push(board: &Board<u64, u64>) {
        board.push(&Arc::default(), WORTH_WAKING, std::iter::repeat(0));
    }

    /// What is made of the oldest job, the caller's work among it.
    fn pop(board: &Board<u64, u64>, bytes: usize) -> Vec<u64> {
        loop {
            match board.oldest(0) {
                Next::Done(made) => return made.into_iter().map(|(product, _)| product).collect(),
                Next::Turn(turn) => work(turn, board, bytes),
                Next::Broken => panic!("a thread is gone"),
            }
        }
    }

    #[test]
    fn every_lane_does_the_jobs_in_their_order() {
        for threads in 0..4 {
            let board = board(usize::MAX);
            let helpers: Vec<_> = (0..threads)
                .map(|thread| {
                    let board = Arc::clone(&board);
                    thread::spawn(move || {
                        while let Some(turn) = board.turn(thread) {
                            work(turn, &board, 1);
                        }
                    })
                })
                .collect();
            let (mut pushed, mut popped) = (0, 0);
            while popped < 1000 {
                while pushed < 1000 && pushed < popped + 1 + popped % 5 {
                    push(&board);
                    pushed += 1;
                }
                popped += 1;
                assert_eq!(pop(&board, 1), [popped; WORKERS]);
                board.handed_on(WORKERS);
            }
            board.end();
            for helper in helpers {
                helper.join().unwrap();
            }
        }
    }

    #[test]
    fn a_thread_stays_with_its_worker_and_else_takes_what_is_furthest_behind() {
        let board = board(usize::MAX);
        push(&board);
        push(&board);
        let first = board.turn(1).unwrap();
        assert_eq!(first.index, 1);
        // Its own is being worked on.
        let second = board.turn(1).unwrap();
        assert_eq!(second.index, 0);
        work(first, &board, 0);
        work(second, &board, 0);
        let third = board.turn(1).unwrap();
        assert_eq!((third.index, third.worker), (1, 1));
        work(third, &board, 0);
        assert_eq!(board.turn(1).unwrap().index, 2);
    }

    /// For little nobody is woken, and the caller does it.
    #[test]
    fn nobody_is_woken_for_little() {
        let board = board(usize::MAX);
        let waits = Arc::clone(&board);
        let waiter = thread::spawn(move || waits.turn(1).map(|turn| turn.index));
        while board.state().idle == 0 {
            thread::yield_now();
        }
        for n in 1..=8 {
            board.push(&Arc::default(), WORTH_WAKING / 4, std::iter::repeat(0));
            assert_eq!(pop(&board, 1), [n; WORKERS]);
            board.handed_on(WORKERS);
        }
        assert!(!waiter.is_finished());
        for _ in 0..4 {
            assert!(!waiter.is_finished());
            board.push(&Arc::default(), WORTH_WAKING / 4, std::iter::repeat(0));
        }
        assert_eq!(waiter.join().unwrap(), Some(1));
    }

    #[test]
    fn a_thread_begins_with_all_that_are_its_own() {
        let board = Board::<u64, u64>::new([0; WORKERS], 2, usize::MAX);
        push(&board);
        let turns: Vec<_> = (0..WORKERS).map(|_| board.turn(0).unwrap()).collect();
        assert_eq!(turns.iter().map(|turn| turn.index).collect::<Vec<_>>(), [0, 2, 1]);
    }

    #[test]
    fn only_the_oldest_job_goes_on_while_much_waits() {
        let board = board(10);
        push(&board);
        push(&board);
        let ahead = board.turn(0).unwrap();
        work(ahead, &board, 10);
        let places: Vec<_> = (0..WORKERS - 1).map(|_| board.turn(0).unwrap()).collect();
        assert_eq!(places.iter().map(|turn| turn.index).collect::<Vec<_>>(), [1, 2]);
        let waits = Arc::clone(&board);
        let waiter = thread::spawn(move || waits.turn(0).map(|turn| turn.index));
        thread::sleep(Duration::from_millis(5));
        assert!(!waiter.is_finished());
        for turn in places {
            work(turn, &board, 1);
        }
        assert_eq!(pop(&board, 0), [1; WORKERS]);
        thread::sleep(Duration::from_millis(5));
        assert!(!waiter.is_finished());
        board.handed_on(12);
        assert_eq!(waiter.join().unwrap(), Some(0));
    }

    #[test]
    fn all_threads_end_when_it_is_over_or_broken() {
        let board = board(usize::MAX);
        let waits = Arc::clone(&board);
        let waiter = thread::spawn(move || waits.turn(0).is_none());
        push(&board);
        let turn = board.turn(0);
        board.end();
        // What the waiter has got, or has not, it ends.
        drop(turn);
        waiter.join().unwrap();
        let breaks = Arc::clone(&board);
        let breaker = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            breaks.break_off();
        });
        while let Next::Turn(turn) = board.oldest(0) {
            drop(turn);
        }
        breaker.join().unwrap();
        assert!(matches!(board.oldest(0), Next::Broken));
    }
}
