//! What one thread does with a job: its shards' segments, through its shards' pipelines.

use super::job::{Job, Task};
use crate::base::tuning::SHARDS;
use crate::pipeline::{Output, Pipeline, Settings, ShardReport};
use crate::tls::KeyStore;
use crate::transaction::StreamPool;

/// What a worker writes into, and what it leaves for the merge.
pub trait Product: Output + Send + 'static {
    /// What follows is of this job.
    fn begin(&mut self, job: &Job);
    /// What follows is completed by the end of the capture.
    fn at_end(&mut self);
    /// Forgets all and keeps the memory.
    fn clear(&mut self);
}

/// The shards of one thread.
#[derive(Debug)]
pub struct Worker<P> {
    shards: Vec<(usize, Pipeline)>,
    /// Of the shard that is worked on next.
    pool: StreamPool,
    no_keys: KeyStore,
    product: std::marker::PhantomData<fn(P)>,
}

impl<P: Product> Worker<P> {
    /// Worker `index` of `of`.
    pub fn new(settings: &Settings, index: usize, of: usize) -> Self {
        let own = (0..SHARDS).filter(|shard| shard % of == index);
        let shards = own.map(|shard| (shard, Pipeline::new(settings.clone()))).collect();
        Self {
            shards,
            pool: StreamPool::default(),
            no_keys: KeyStore::default(),
            product: std::marker::PhantomData,
        }
    }

    /// Does a job; what the shards add up to, where that is asked for.
    pub fn work(&mut self, job: &Job, product: &mut P) -> Option<Box<ShardReport>> {
        product.begin(job);
        if job.task == Task::Finish {
            product.at_end();
        }
        let keys = job.keys.as_deref().unwrap_or(&self.no_keys);
        for (shard, pipeline) in &mut self.shards {
            pipeline.swap_pool(&mut self.pool);
            if job.new_keys {
                pipeline.new_secrets(job.now, keys, product);
            }
            for segment in job.of_shard(*shard) {
                pipeline.segment(&segment, keys, product);
            }
            match job.task {
                Task::Analyze | Task::Report => {}
                Task::Tick => pipeline.tick(job.now, keys, product),
                Task::Finish => pipeline.finish(job.now, keys, product),
            }
            pipeline.swap_pool(&mut self.pool);
        }
        matches!(job.task, Task::Report | Task::Finish).then(|| {
            let mut sum = ShardReport::default();
            for (_, pipeline) in &mut self.shards {
                sum.merge(&pipeline.report());
            }
            Box::new(sum)
        })
    }
}
