//! Packets → records in order: decodes, lets the shards work, merges.

use super::attempts::Hashing;
use super::collect::Collected;
use super::ending::{self, Ends};
use super::job::{Job, Task};
use super::merge::Merge;
use super::report::{InputCounts, assemble, part_report};
use super::select;
use super::select::Selection;
use super::shards::Shards;
use super::summaries::{Due, Summaries};
use crate::agent::{Agent, Mode, Params};
use crate::aggregate::{Aggregate, Templates};
use crate::base::memory::Memory;
use crate::base::origin::InReach;
use crate::base::time::Timestamp;
use crate::body;
use crate::capture::Timeline;
use crate::filter::Filter;
use crate::packet::Decoder;
use crate::pipeline::{Ending, OpenNow, PipelineConfig};
use crate::record::endpoint::Endpoints;
use crate::record::{Consumer, PartOf, Report, Tally, Wanted};
use crate::tls::{KeyLogCounters, KeyStore};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// What an analysis needs to know.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Which records are made.
    pub wanted: Wanted,
    /// Count how exchanges ended, and hand records on as they come: for those who watch.
    pub live: bool,
    /// Threads that do the work, the caller's among them.
    pub threads: usize,
    /// Memory of the process for what grows with its input.
    pub memory: Memory,
    /// The agent's parameters.
    pub agent: Params,
    /// TLS secrets known from the start.
    pub keys: KeyStore,
    /// See [`PipelineConfig::idle_timeout`].
    pub idle_timeout: Option<Duration>,
    /// A telemetry record whenever so much packet time has passed.
    pub summary: Option<Duration>,
    /// See [`PipelineConfig::bodies`].
    pub bodies: Option<Arc<body::Options>>,
    /// See [`PipelineConfig::follow`].
    pub follow: Option<(u64, u32)>,
    /// Which transactions are asked for; without it all are.
    pub filter: Option<Arc<Filter>>,
    /// How paths are grouped, where endpoints are wanted.
    pub templates: Arc<Templates>,
    /// Where the connections are divided among several processes: which are looked at.
    pub part: Option<PartOf>,
    /// Endpoints are compared with another run's: the names of response fields are counted, and [`Outcome::aggregate`] is
    /// handed over.
    pub compared: bool,
}

impl Analysis {
    /// Takes the secrets that the captures hold, as far as they can be read beforehand.
    pub(super) fn take_secrets(&mut self, timeline: &mut Timeline) {
        let keys = &mut self.keys;
        if timeline.take_secrets(&mut |text| keys.add_text(text)) {
            keys.set_complete();
        }
    }
}

/// A running analysis: jobs go in, records come out in order.
pub(crate) struct Engine<C: Consumer> {
    decoder: Decoder,
    shards: Shards<Collected<C::Part>>,
    merge: Merge<C::Part>,
    consumer: C,
    keys: Arc<KeyStore>,
    spare: Vec<Job>,
    origins: Option<InReach>,
    /// When the first packet was captured.
    start: Option<Timestamp>,
    counts: InputCounts,
    now: crate::base::time::Moment,
    report: Option<Report>,
    /// Places that were looked at for it.
    looked_at: u64,
    open: OpenNow,
    tally: Tally,
    show_telemetry: bool,
    /// Where endpoints are wanted.
    templates: Option<Arc<Templates>>,
    /// What they were when that was asked for last.
    endpoints: Option<Endpoints>,
    compared: bool,
    memory: Memory,
    /// What they were made of, where they are compared.
    aggregate: Option<Aggregate>,
    summaries: Summaries,
    part: Option<PartOf>,
    /// What the end of the capture is to end, or new secrets are to go on with.
    endings: Vec<Ending>,
    /// What was to end last has more to tell.
    is_unfinished: bool,
}

/// What is to be done between two packets of a batch.
enum Stop {
    /// Learn secrets.
    Secrets(Vec<u8>),
    /// Tell what an interval added.
    Summary(Due),
}

/// Where a running analysis stands.
#[cfg(feature = "live")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The telemetry so far.
    pub(crate) report: Report,
    /// What is open.
    pub(crate) open: OpenNow,
    /// How the exchanges ended; empty unless [`Analysis::live`].
    pub(crate) tally: Tally,
    /// What the exchanges add up to, where endpoints are wanted.
    pub(crate) endpoints: Option<Endpoints>,
}

impl<C: Consumer> Engine<C> {
    pub(crate) fn new(analysis: Analysis, consumer: C) -> Self {
        let Analysis {
            wanted,
            live,
            threads,
            memory,
            agent,
            keys,
            idle_timeout,
            summary,
            bodies,
            follow,
            filter,
            templates,
            part,
            compared,
        } = analysis;
        let wanted = Wanted { filtered: filter.is_some(), ..wanted };
        let selection = Selection::new(filter, wanted.endpoints.then_some(&templates), compared, memory);
        let settings = PipelineConfig { wanted, idle_timeout, bodies, follow, memory };
        let telemetry = wanted.telemetry;
        let beside = telemetry && wanted.endpoints && agent.statistics;
        let hashing = Hashing::new(part.is_some());
        Self {
            decoder: Decoder::new().of_part(part.as_ref().map(|part| part.partition)),
            shards: Shards::new(threads, &settings, &selection, || {
                Collected::new(consumer.part(), telemetry, beside, live).with_wanted(wanted, &hashing)
            }),
            merge: Merge::new(
                telemetry.then(|| Agent::new(agent)),
                beside.then_some(&templates),
                memory,
                part.is_some(),
                consumer.part(),
            ),
            consumer,
            keys: Arc::new(keys),
            spare: Vec::new(),
            origins: None,
            start: None,
            counts: InputCounts::default(),
            now: crate::base::time::Moment::default(),
            report: None,
            looked_at: 0,
            open: OpenNow::default(),
            tally: Tally::default(),
            show_telemetry: telemetry,
            templates: wanted.endpoints.then_some(templates),
            endpoints: None,
            compared,
            memory,
            aggregate: None,
            summaries: Summaries::new(summary),
            part,
            endings: Vec::new(),
            is_unfinished: false,
        }
    }

    /// An empty job.
    pub(crate) fn job(&mut self) -> Job {
        self.spare.pop().unwrap_or_default()
    }

    /// Analyzes the packets of a job's batch.
    pub(crate) fn push(&mut self, job: Job) -> Result<(), C::Error> {
        // Secrets in the batch divide it: what comes before them is analyzed without. So do ends of intervals that are told.
        let mut job = job;
        self.origins = job.batch.origins.take();
        let secrets = std::mem::take(&mut job.batch.secrets);
        let secrets = secrets.into_iter().map(|(before, text)| (before, Stop::Secrets(text)));
        let due = self.summaries.due(&job.batch.packets);
        let due = due.into_iter().map(|due| (due.packets, Stop::Summary(due)));
        let mut stops: Vec<_> = secrets.chain(due).collect();
        stops.sort_by_key(|&(before, _)| before);
        let (mut from, earlier) = (0, self.counts.packets);
        for (before, stop) in stops {
            if matches!(stop, Stop::Summary(_)) && !self.summaries.affords(earlier + before as u64) {
                continue;
            }
            if before > from {
                let mut part = self.job();
                part.batch.copy_packets(&job.batch, from..before);
                self.submit(part, 0..before - from, Task::Analyze)?;
                from = before;
            }
            match stop {
                Stop::Secrets(text) => self.learn(|keys| keys.add_text(&text))?,
                Stop::Summary(due) => self.tell_interval(due)?,
            }
        }
        let end = job.batch.packets.len();
        self.submit(job, from..end, Task::Analyze)
    }

    /// Adds TLS secrets; where they are new, what waited for them goes on.
    pub(crate) fn learn(&mut self, add: impl FnOnce(&mut KeyStore)) -> Result<(), C::Error> {
        // Nobody else looks at the secrets while none of the jobs is under way.
        while self.collect()? {}
        let Some(keys) = Arc::get_mut(&mut self.keys) else { return Ok(()) };
        let before = keys.counters().secrets;
        add(keys);
        if keys.counters().secrets == before {
            return Ok(());
        }
        // What waits for them may be more than fits into memory as text.
        let job = self.job();
        self.submit(job, 0..0, Task::LineUpWaiting)?;
        while self.collect()? {}
        let ranges = ending::ranges(std::mem::take(&mut self.endings), self.memory);
        let mut from = 0;
        for Ends { before, .. } in ranges {
            let job = self.job();
            self.submit(job, 0..0, Task::Look { from, before })?;
            while self.collect()? {}
            from = before;
        }
        Ok(())
    }

    /// Tells what the interval that ends here added.
    fn tell_interval(&mut self, due: Due) -> Result<(), C::Error> {
        let job = self.job();
        self.submit(job, 0..0, Task::Report)?;
        while self.collect()? {}
        let report = self.summaries.over(self.report.take().unwrap_or_default(), due, self.looked_at);
        if self.show_telemetry { self.consumer.telemetry(&report) } else { Ok(()) }
    }

    /// Tells what was added since this was done last, live.
    #[cfg(feature = "live")]
    pub(crate) fn summarize(&mut self, report: &Report) -> Result<(), C::Error> {
        let report = self.summaries.end(report.clone(), self.now.time);
        if self.show_telemetry { self.consumer.telemetry(&report) } else { Ok(()) }
    }

    /// What the input tells, to be kept up to date.
    #[cfg(feature = "live")]
    pub(crate) fn counts_mut(&mut self) -> &mut InputCounts {
        &mut self.counts
    }

    fn submit(&mut self, job: Job, packets: Range<usize>, task: Task) -> Result<(), C::Error> {
        let mut job = job;
        job.task = task;
        job.keys = Some(Arc::clone(&self.keys));
        job.now = self.now;
        job.origins.clone_from(&self.origins);
        if let Some(first) = job.batch.packets.get(packets.clone()).and_then(<[_]>::first) {
            self.start.get_or_insert(first.time);
        }
        job.start = self.start.unwrap_or_default();
        for head in job.batch.packets.get(packets.clone()).unwrap_or_default() {
            self.counts.bytes += u64::from(head.original_len);
        }
        self.counts.packets += packets.len() as u64;
        job.decode(&mut self.decoder, packets);
        self.now = job.now;
        while self.shards.under_way() >= self.shards.depth() {
            self.collect()?;
        }
        self.shards.push(job);
        Ok(())
    }

    /// Hands on the records of the oldest job under way; false when there is none.
    fn collect(&mut self) -> Result<bool, C::Error> {
        let Some(done) = self.shards.pop() else { return Ok(false) };
        self.merge.job(&done, &mut self.consumer)?;
        if matches!(done.job.task, Task::LineUp | Task::LineUpWaiting) {
            self.endings = done.sum.map(|sum| sum.endings).unwrap_or_default();
        } else if matches!(done.job.task, Task::EndBefore(_)) {
            self.is_unfinished = done.sum.is_some_and(|sum| sum.is_unfinished);
        } else if let Some(sum) = &done.sum {
            let shards = &sum.report;
            if done.job.task == Task::Finish {
                if let Some(agent) = self.merge.agent() {
                    agent.finish();
                }
                self.decoder.finish();
            }
            self.open = shards.open;
            let agent = self.merge.agent().map(|agent| &*agent);
            self.looked_at = sum.looked_at() + agent.map_or(0, |agent| agent.statistics().len() as u64);
            self.counts.key_log = self.keys.counters();
            let mut report =
                assemble(shards, &self.decoder.counters(), self.counts, agent, self.part.as_ref());
            if self.part.as_ref().is_none_or(|part| part.partition.index() == 0) {
                report.coverage.unread_link_types = self.decoder.unread_links().iter().collect();
            }
            let mut part = self.part.as_ref().map(|part| part_report(part, &self.counts, agent, sum));
            report.coverage.limits.merge(&self.merge.limits());
            report.coverage.where_unknown = select::unknown(&sum.selections);
            if let Some(templates) = &self.templates {
                let aggregate = select::aggregate(templates, &sum.selections, self.merge.seen(), self.memory);
                let (mut endpoints, struck) = select::endpoints(&aggregate);
                report.coverage.limits.merge(&struck);
                if self.merge.agent().is_some_and(|agent| agent.mode() == Mode::Discovery) {
                    endpoints.forget_agent_quantiles();
                }
                self.endpoints = Some(endpoints);
                if let Some(part) = &mut part {
                    part.loads.push(aggregate.load());
                    part.paths = aggregate.pieces();
                }
                self.aggregate = self.compared.then_some(aggregate);
            }
            report.part = part.map(Box::new);
            self.report = Some(report);
        }
        for product in &done.products {
            if let Some(tally) = &product.tally {
                self.tally.merge(tally);
            }
        }
        self.shards.recycle(done.products);
        let mut job = done.job;
        job.clear();
        self.spare.push(job);
        Ok(true)
    }

    /// Hands on all that is under way, to the last record that can be.
    pub(crate) fn drain(&mut self) -> Result<(), C::Error> {
        while self.collect()? {}
        self.consumer.flush()
    }

    /// Connections end, those with much to tell by and by. The last ones are left to the end of all.
    fn end(&mut self, ends: Ends) -> Result<(), C::Error> {
        let Ends { before, is_large } = ends;
        self.is_unfinished = is_large || before < u64::MAX;
        while std::mem::take(&mut self.is_unfinished) {
            let job = self.job();
            self.submit(job, 0..0, Task::EndBefore(before))?;
            while is_large && self.collect()? {}
        }
        Ok(())
    }

    /// The capture is over.
    pub(crate) fn finish(&mut self) -> Result<Report, C::Error> {
        let job = self.job();
        self.submit(job, 0..0, Task::LineUp)?;
        while self.collect()? {}
        for ends in ending::ranges(std::mem::take(&mut self.endings), self.memory) {
            self.end(ends)?;
        }
        let job = self.job();
        self.submit(job, 0..0, Task::Finish)?;
        while self.collect()? {}
        let mut report = self.report.take().unwrap_or_default();
        self.summaries.last(&mut report, self.now.time);
        if let Some(endpoints) = self.endpoints.take() {
            self.consumer.endpoints(&endpoints)?;
        }
        if self.show_telemetry {
            self.consumer.telemetry(&report)?;
        }
        self.consumer.finish(&report)?;
        Ok(report)
    }
}

/// What comes without packets, or is asked for in between.
impl<C: Consumer> Engine<C> {
    /// Gives up what has waited for too long: packet time has come to `now` without packets.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Result<(), C::Error> {
        self.now.time = self.now.time.max(now);
        let job = self.job();
        self.submit(job, 0..0, Task::Tick)
    }

    /// Notes what the captures told beside their packets.
    pub(super) fn note_inputs(&mut self, timeline: &Timeline) {
        self.counts.damaged_inputs = timeline.damaged_inputs();
        self.counts.dropped_by_kernel = timeline.dropped();
        self.counts.filter_limited = timeline.filter_limited();
        self.counts.origins_lost = timeline.origins_lost();
    }

    /// Where the analysis stands, once all that is under way is done.
    #[cfg(feature = "live")]
    pub(crate) fn standing(&mut self) -> Result<Standing, C::Error> {
        let job = self.job();
        self.submit(job, 0..0, Task::Report)?;
        while self.collect()? {}
        Ok(Standing {
            report: self.report.clone().unwrap_or_default(),
            open: self.open,
            tally: self.tally,
            endpoints: self.endpoints.take(),
        })
    }

    /// What the lines of the key logs were, and whether any of their secrets opened a record.
    #[cfg(feature = "live")]
    pub(crate) fn key_log(&self) -> (KeyLogCounters, bool) {
        (self.keys.counters(), !self.keys.used_lines().is_empty())
    }

    /// Where the records go.
    pub(crate) fn consumer(&mut self) -> &mut C {
        &mut self.consumer
    }
}

/// What an analysis of captures gives beside the records.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The telemetry record.
    pub report: Report,
    /// Key log lines that decrypted something.
    pub secrets: Zeroizing<Vec<u8>>,
    /// What the lines of the key logs were, with those in the captures.
    pub key_log: KeyLogCounters,
    /// What the exchanges add up to, for [`Analysis::compared`].
    pub aggregate: Option<Aggregate>,
}

/// Analyzes captures to their end, or until so much packet time has passed since their first packet.
///
/// # Errors
/// When the consumer takes no more.
pub fn captures<C: Consumer>(
    timeline: &mut Timeline,
    analysis: Analysis,
    duration: Option<Duration>,
    consumer: C,
) -> Result<Outcome, C::Error> {
    let mut analysis = analysis;
    analysis.take_secrets(timeline);
    // From a pipe packets come when they come: what can be printed does not wait for more.
    let eager = analysis.live || timeline.progress().total().is_none();
    let mut engine = Engine::new(analysis, consumer);
    let mut end = None;
    loop {
        let mut job = engine.job();
        if !timeline.next_batch(&mut job.batch) {
            break;
        }
        let over = duration.is_some_and(|duration| cut_at(&mut job.batch, duration, &mut end));
        engine.push(job)?;
        if eager {
            engine.drain()?;
        }
        if over {
            break;
        }
    }
    engine.note_inputs(timeline);
    let report = engine.finish()?;
    let (secrets, key_log) = (engine.keys.used_lines(), engine.keys.counters());
    Ok(Outcome { report, secrets, key_log, aggregate: engine.aggregate.take() })
}

/// Drops the packets from the first on that is not within `duration` of the capture's first; whether there was one.
pub(crate) fn cut_at(
    batch: &mut crate::capture::Batch,
    duration: Duration,
    end: &mut Option<Timestamp>,
) -> bool {
    let Some(first) = batch.packets.first() else { return false };
    let end = *end.get_or_insert(first.time.after(duration));
    let within = batch.packets.iter().position(|packet| packet.time >= end);
    batch.packets.truncate(within.unwrap_or(batch.packets.len()));
    within.is_some()
}
