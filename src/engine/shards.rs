//! The pipeline on several threads: connections are divided into [`SHARDS`] parts, whatever the number of
//! threads, and the parts among the workers.
//!
//! One thread reads and decodes packets into a [`Job`]; every worker looks at the job's segments of its shards;
//! when all are done the reader's thread gets the job back with what each made of it, in the order of the jobs.
//! At most [`Shards::depth`] jobs are under way. With one thread all happens on the caller's.

use super::backlog::Backlog;
use super::job::Job;
use super::product::Product;
use super::queue::Queue;
use super::select::Selection;
use super::worker::{Sum, Worker};
use crate::base::tuning::{SHARDS, WAITING_PRODUCTS};
use crate::pipeline::PipelineConfig;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The workers, and the jobs they have in hand.
#[derive(Debug)]
pub struct Shards<P: Product> {
    workers: Workers<P>,
    under_way: VecDeque<Arc<Job>>,
    spare: Vec<P>,
    backlog: Arc<Backlog>,
}

#[derive(Debug)]
enum Workers<P: Product> {
    Inline(Box<Worker<P>>),
    Threads(Vec<Thread<P>>),
}

#[derive(Debug)]
struct Thread<P: Product> {
    queues: Arc<Queues<P>>,
    handle: Option<JoinHandle<()>>,
}

/// At most [`Shards::depth`] jobs are in each.
#[derive(Debug)]
struct Queues<P: Product> {
    jobs: Queue<(Arc<Job>, P)>,
    done: Queue<(P, Option<Box<Sum>>)>,
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

impl<P: Product> Shards<P> {
    /// Workers on so many threads; `fresh` makes what a worker writes into.
    pub(super) fn new(
        threads: usize,
        settings: &PipelineConfig,
        selection: &Selection,
        fresh: impl Fn() -> P,
    ) -> Self {
        let threads = threads.clamp(1, SHARDS);
        let backlog = Arc::new(Backlog::new(settings.memory.share(WAITING_PRODUCTS)));
        let workers = if threads == 1 {
            Workers::Inline(Box::new(Worker::new(settings, selection, 0, 1)))
        } else {
            Workers::Threads(
                (0..threads)
                    .map(|index| {
                        let worker = Worker::new(settings, selection, index, threads);
                        Thread::start(worker, Arc::clone(&backlog), depth(threads) / 2)
                    })
                    .collect(),
            )
        };
        let spare = (0..threads * (depth(threads) + 1)).map(|_| fresh()).collect();
        Self { workers, under_way: VecDeque::new(), spare, backlog }
    }

    /// How many jobs may be under way.
    pub fn depth(&self) -> usize {
        match &self.workers {
            Workers::Inline(_) => 1,
            Workers::Threads(threads) => depth(threads.len()),
        }
    }

    /// How many jobs are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Gives the workers a job; only while fewer than [`Shards::depth`] are under way.
    pub fn push(&mut self, job: Job) {
        let job = Arc::new(job);
        if let Workers::Threads(threads) = &mut self.workers {
            for thread in threads {
                let Some(product) = self.spare.pop() else { continue };
                thread.queues.jobs.push((Arc::clone(&job), product));
            }
        }
        self.under_way.push_back(job);
    }

    /// The oldest job under way, done; waits for it. `None` when there is none.
    ///
    /// # Panics
    /// When a worker has panicked.
    pub fn pop(&mut self) -> Option<Done<P>> {
        let job = self.under_way.pop_front()?;
        let mut products = Vec::with_capacity(SHARDS);
        let mut sum: Option<Sum> = None;
        let mut add = |part: Option<Box<Sum>>| {
            if let Some(part) = part {
                sum.get_or_insert_default().merge(*part);
            }
        };
        match &mut self.workers {
            Workers::Inline(worker) => {
                let mut product = self.spare.pop()?;
                add(worker.work(&job, &mut product));
                products.push(product);
            }
            Workers::Threads(threads) => {
                for thread in threads {
                    match thread.queues.done.pop() {
                        Some((product, part)) => {
                            products.push(product);
                            add(part);
                        }
                        None => thread.panicked(),
                    }
                }
            }
        }
        // The workers have let go of it when they sent their product.
        let job = Arc::into_inner(job)?;
        Some(Done { job, products, sum })
    }

    /// Takes the products of the oldest job back, to be filled again: they were handed on.
    pub fn recycle(&mut self, products: Vec<P>) {
        self.backlog.handed_on(products.iter().map(Product::bytes).sum());
        self.spare.extend(products.into_iter().map(|mut product| {
            product.clear();
            product
        }));
    }
}

/// How many jobs are under way with so many workers. More leave the second-level cache before the last thread has looked at
/// them (two workers take 6 % longer with eight than with four); with fewer, one worker's burst stops the others.
fn depth(threads: usize) -> usize {
    (2 * threads).clamp(4, 8)
}

impl<P: Product> Drop for Shards<P> {
    fn drop(&mut self) {
        self.backlog.end();
    }
}

impl<P: Product> Drop for Thread<P> {
    fn drop(&mut self) {
        self.queues.jobs.abandon();
    }
}

/// Tells, when a worker ends or panics, that nothing more comes of it.
struct End<P: Product>(Arc<Queues<P>>);

impl<P: Product> Drop for End<P> {
    fn drop(&mut self) {
        self.0.done.close();
    }
}

impl<P: Product> Thread<P> {
    /// A worker that tells what it has done when that are so many jobs, or when it has no more to do.
    fn start(worker: Worker<P>, backlog: Arc<Backlog>, told_at_once: usize) -> Self {
        let queues = Arc::new(Queues { jobs: Queue::default(), done: Queue::default() });
        let end = End(Arc::clone(&queues));
        let handle = std::thread::spawn(move || {
            let (mut worker, end) = (worker, end);
            let Queues { jobs, done } = &*end.0;
            let next = || {
                jobs.try_pop().or_else(|| {
                    done.tell();
                    jobs.pop()
                })
            };
            for (number, (job, mut product)) in (0..).zip(std::iter::from_fn(next)) {
                backlog.wait_for_room(number, || done.tell());
                let part = worker.work(&job, &mut product);
                backlog.made(product.bytes());
                drop(job);
                if done.push_quietly((product, part)) >= told_at_once {
                    done.tell();
                }
            }
        });
        Self { queues, handle: Some(handle) }
    }

    /// Passes a worker's panic on.
    fn panicked(&mut self) -> ! {
        match self.handle.take().map(JoinHandle::join) {
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            _ => panic!("a worker is gone"),
        }
    }
}
