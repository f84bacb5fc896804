//! The pipeline on several threads: connections are divided into [`SHARDS`] parts, whatever the number of
//! threads; each part has a worker, but for one thread alone, where one has all.
//!
//! The caller's thread reads and decodes packets into a [`Job`]; every worker looks at the job's segments of its shards; when all
//! have, the caller gets the job back with what each made of it, in the order of the jobs. At most [`Shards::depth`] jobs are under
//! way. The caller does what the workers have to do rather than wait for it: with one thread it does all.

use super::board::{Board, Next};
use super::job::Job;
use super::product::Product;
use super::select::Selection;
use super::worker::{Sum, Worker};
use crate::base::memory::Memory;
use crate::base::tuning::{SHARDS, WAITING_PRODUCTS, WORTH_WAKING};
use crate::pipeline::PipelineConfig;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The workers, and the jobs they have in hand.
#[derive(Debug)]
pub struct Shards<P: Product> {
    board: Arc<Board<Box<Worker<P>>, P>>,
    /// All but the caller.
    threads: Vec<JoinHandle<()>>,
    under_way: VecDeque<Arc<Job>>,
    /// Of these, such as other threads are woken for.
    heavy: usize,
    spare: Vec<P>,
    /// Contents are looked at.
    content: bool,
    memory: Memory,
}

/// A job that all workers have done.
#[derive(Debug)]
pub struct Done<P> {
    /// The job.
    pub job: Job,
    /// What each worker made of it.
    pub products: Vec<P>,
    /// What the shards add up to, of a job that asked for it.
    pub sum: Option<Sum>,
}

/// The caller, among the threads.
const CALLER: usize = 0;

impl<P: Product> Shards<P> {
    /// Workers on so many threads; `fresh` makes what a worker writes into.
    pub(super) fn new(
        threads: usize,
        settings: &PipelineConfig,
        selection: &Selection,
        fresh: impl Fn() -> P,
    ) -> Self {
        let threads = threads.clamp(1, SHARDS);
        let workers = workers(threads);
        let worker = |index| Box::new(Worker::new(settings, selection, index, workers));
        let board = Board::new((0..workers).map(worker), threads, settings.memory.share(WAITING_PRODUCTS));
        let board = Arc::new(board);
        let helper = |thread| {
            let board = Arc::clone(&board);
            std::thread::spawn(move || help(&board, thread))
        };
        let spare = (0..workers * (depth(threads) + 1)).map(|_| fresh()).collect();
        let threads = (CALLER + 1..threads).map(helper).collect();
        Self {
            board,
            threads,
            under_way: VecDeque::new(),
            heavy: 0,
            spare,
            content: settings.bodies.is_some(),
            memory: settings.memory,
        }
    }

    /// How many jobs may be under way. Where none is worth another thread, the caller does each at once: while its bytes are in the
    /// cache.
    pub fn depth(&self) -> usize {
        if self.heavy == 0 { 1 } else { depth(self.threads.len() + 1) }
    }

    /// How many jobs are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Gives the workers a job; only while fewer than [`Shards::depth`] are under way.
    pub fn push(&mut self, job: Job) {
        let job = Arc::new(job);
        let workers = workers(self.threads.len() + 1);
        let spare = self.spare.split_off(self.spare.len().saturating_sub(workers));
        let weight = job.weight(self.content);
        self.heavy += usize::from(weight >= WORTH_WAKING);
        self.board.push(&job, weight, spare.into_iter());
        self.under_way.push_back(job);
    }

    /// The oldest job under way, done; works on what is to be done, or waits for it. `None` when there is none.
    ///
    /// # Panics
    /// When a thread has panicked.
    pub fn pop(&mut self) -> Option<Done<P>> {
        let job = self.under_way.pop_front()?;
        self.heavy -= usize::from(job.weight(self.content) >= WORTH_WAKING);
        let made = loop {
            match self.board.oldest(CALLER) {
                Next::Done(made) => break made,
                Next::Turn(turn) => turn.take(&self.board, work),
                Next::Broken => self.panicked(),
            }
        };
        let (mut products, mut sum) = (Vec::with_capacity(SHARDS), None::<Sum>);
        for (product, part) in made {
            products.push(product);
            if let Some(part) = part {
                sum.get_or_insert_default().merge(*part);
            }
        }
        // The workers let go of it before they told what they had made.
        let job = Arc::into_inner(job)?;
        Some(Done { job, products, sum })
    }

    /// Takes the products of the oldest job back, to be filled again: they were handed on.
    pub fn recycle(&mut self, products: Vec<P>) {
        self.board.handed_on(products.iter().map(Product::bytes).sum());
        self.spare.extend(products.into_iter().map(|mut product| {
            product.clear(self.memory);
            product
        }));
    }

    /// Passes a thread's panic on.
    fn panicked(&mut self) -> ! {
        self.board.end();
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        panic!("a thread is gone")
    }
}

/// How many jobs are under way with so many threads. More leave the second-level cache before the last thread has looked at
/// them (two take 6 % longer with eight than with four); with fewer, one worker's burst stops the others.
fn depth(threads: usize) -> usize {
    if threads == 1 { 1 } else { (2 * threads).clamp(4, 8) }
}

/// How many workers there are for so many threads: with several, one for each shard, so that whoever has done its own has little
/// to wait for (two threads count a tenth faster than with a worker each); one thread alone makes one product of all shards.
fn workers(threads: usize) -> usize {
    if threads == 1 { 1 } else { SHARDS }
}

/// Does what the workers have to do until it is over.
fn help<P: Product>(board: &Board<Box<Worker<P>>, P>, thread: usize) {
    let end = End(board);
    while let Some(turn) = board.turn(thread) {
        turn.take(board, work);
    }
    drop(end);
}

/// One worker's part of a job: what it adds up to, and how many bytes what was made takes.
fn work<P: Product>(worker: &mut Box<Worker<P>>, job: &Job, product: &mut P) -> (Option<Box<Sum>>, usize) {
    let sum = worker.work(job, product);
    (sum, product.bytes())
}

/// Tells when a thread panics.
struct End<'a, P: Product>(&'a Board<Box<Worker<P>>, P>);

impl<P: Product> Drop for End<'_, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_off();
        }
    }
}

impl<P: Product> Drop for Shards<P> {
    fn drop(&mut self) {
        self.board.end();
    }
}
