//! What a worker does with a job, on one thread or another: its shards' segments, through its shards' pipelines.

use super::job::{Job, Task};
use super::product::Product;
use super::select::{Chosen, Selection};
use crate::base::limit_counters::Limit;
use crate::base::load::Load;
use crate::base::tuning;
use crate::base::tuning::SHARDS;
use crate::pipeline::{Ending, Pipeline, PipelineConfig, ShardReport};
use crate::tls::KeyStore;
use crate::transaction::StreamPool;

/// What the shards of a worker add up to.
#[derive(Debug, Default)]
pub struct Sum {
    /// What they counted.
    pub report: ShardReport,
    /// What was chosen of their records, by shard.
    pub(super) selections: Vec<(usize, Selection)>,
    /// How full came what is bounded for a shard, by shard.
    pub(super) loads: Vec<(usize, Vec<Load>)>,
    /// The connections that the end of the capture is to end, or that wait for secrets.
    pub(super) endings: Vec<Ending>,
    /// Of those that were to end now, some have more to tell.
    pub(super) is_unfinished: bool,
}

impl Sum {
    /// Adds another worker's.
    pub(super) fn merge(&mut self, other: Self) {
        self.report.merge(&other.report);
        self.selections.extend(other.selections);
        self.loads.extend(other.loads);
        self.endings.extend(other.endings);
        self.is_unfinished |= other.is_unfinished;
    }

    /// Places that were looked at to add up, those of endpoints too.
    pub(super) fn looked_at(&self) -> u64 {
        let loads = self.loads.iter().flat_map(|(_, loads)| loads);
        let endpoints = loads.filter(|load| load.limit == Limit::EndpointPaths).map(|load| load.most);
        self.report.looked_at + endpoints.sum::<u64>() / tuning::SUMMARY_PLACE
    }
}

/// Shards that one thread at a time works on.
#[derive(Debug)]
pub struct Worker<P> {
    shards: Vec<(usize, Pipeline, Selection)>,
    /// Of the shard that is worked on next.
    pool: StreamPool,
    no_keys: KeyStore,
    product: std::marker::PhantomData<fn(P)>,
}

impl<P: Product> Worker<P> {
    /// Worker `index` of `of`.
    pub(super) fn new(settings: &PipelineConfig, selection: &Selection, index: usize, of: usize) -> Self {
        let own = (0..SHARDS).filter(|shard| shard % of == index);
        let shards = own.map(|shard| (shard, Pipeline::new(settings.clone()), selection.clone())).collect();
        Self {
            shards,
            pool: StreamPool::default(),
            no_keys: KeyStore::default(),
            product: std::marker::PhantomData,
        }
    }

    /// Does a job; what the shards add up to, where that is asked for.
    pub fn work(&mut self, job: &Job, product: &mut P) -> Option<Box<Sum>> {
        product.begin(job);
        if matches!(job.task, Task::EndBefore(_) | Task::Finish) {
            product.at_end();
        }
        let mut sum = None::<Box<Sum>>;
        let keys = job.keys.as_deref().unwrap_or(&self.no_keys);
        for (shard, pipeline, selection) in &mut self.shards {
            let chosen = &mut Chosen::new(selection, product);
            pipeline.swap_pool(&mut self.pool);
            for (lane, segment) in job.of_shard(*shard) {
                pipeline.segment(lane, &segment, keys, chosen);
            }
            match job.task {
                Task::Analyze | Task::Report => {}
                Task::Tick => pipeline.tick(job.now, keys, chosen),
                Task::LineUpWaiting => {
                    sum.get_or_insert_default().endings.extend(pipeline.line_up_waiting());
                }
                Task::Look { from, before } => pipeline.look(from..before, job.now, keys, chosen),
                Task::LineUp => sum.get_or_insert_default().endings.extend(pipeline.line_up()),
                Task::EndBefore(before) => {
                    if pipeline.end_before(before, job.now, keys, chosen) {
                        sum.get_or_insert_default().is_unfinished = true;
                    }
                }
                Task::Finish => while pipeline.end_before(u64::MAX, job.now, keys, chosen) {},
            }
            pipeline.swap_pool(&mut self.pool);
        }
        if matches!(job.task, Task::Report | Task::Finish) {
            let sum = sum.get_or_insert_default();
            for (shard, pipeline, selection) in &mut self.shards {
                sum.report.merge(&pipeline.report());
                sum.selections.push((*shard, selection.clone()));
                sum.loads.push((*shard, pipeline.loads().into_iter().chain(selection.load()).collect()));
            }
        }
        sum
    }
}
