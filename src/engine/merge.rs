//! The ordered merge: what the workers made of a job, in the order of the packets, with the agent's verdict.
//!
//! The agent's model sees the whole capture in one place, so that its maps fill as the real one's do; it is asked
//! about an exchange once it has had the same packet.

use super::attempts::{Attempts, Pair};
use super::collect::Collected;
use super::runs::Runs;
use super::shards::Done;
use crate::agent::Agent;
use crate::aggregate::{Aggregate, Templates};
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits;
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::base::verdict::Verdict;
use crate::packet::Segment;
use crate::record::{Annotation, Consumer, ExchangeRef, Order, Part};
use std::iter::Peekable;
use std::sync::Arc;

/// Merges jobs as they are done.
#[derive(Debug)]
pub(super) struct Merge<P> {
    agent: Option<Agent>,
    /// What the agent emitted, by endpoint; where endpoints are wanted.
    seen: Option<Aggregate>,
    /// Which exchanges are attempts at the same, whatever their connections.
    attempts: Attempts,
    /// There are other parts of the connections, and so this is known when all of them are merged.
    divided: bool,
    /// What is made of findings on them.
    part: P,
    order: Runs<MergeEntry>,
}

/// A record of a job: whose, and which.
#[derive(Clone, Copy, Debug)]
struct MergeEntry {
    order: Order,
    worker: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A TLS record that the agent's model is to see.
    Tls(usize),
    /// A record, and the exchange that has ended and that it shows.
    Record(usize, Option<usize>),
    /// An exchange that is not shown.
    Exchange(usize),
}

/// The segments of a job that the agent's model has not seen yet: own ones, and when others' came.
struct Coming<'a, I: Iterator<Item = Segment<'a>>> {
    own: Peekable<I>,
    foreign: &'a [Moment],
}

impl<'a, I: Iterator<Item = Segment<'a>>> Coming<'a, I> {
    /// Shows the model those up to a packet.
    fn show(&mut self, agent: &mut Agent, up_to: u64) {
        while let Some(segment) = self.own.next_if(|segment| segment.at.packet <= up_to) {
            self.pass(agent, segment.at.packet);
            agent.segment(&segment);
        }
        self.pass(agent, up_to);
    }

    /// Lets the time of others' segments pass.
    fn pass(&mut self, agent: &mut Agent, up_to: u64) {
        while let Some((at, rest)) = self.foreign.split_first().filter(|(at, _)| at.packet <= up_to) {
            agent.pass(*at);
            self.foreign = rest;
        }
    }
}

impl<P: Part> Merge<P> {
    /// `part` is for the records that the merge itself makes.
    pub(super) fn new(
        agent: Option<Agent>,
        templates: Option<&Arc<Templates>>,
        memory: Memory,
        divided: bool,
        part: P,
    ) -> Self {
        let seen = templates
            .filter(|_| agent.is_some())
            .map(|templates| Aggregate::new(Arc::clone(templates), memory.share(limits::ENDPOINT_MEMORY)));
        Self { agent, seen, attempts: Attempts::default(), divided, part, order: Runs::default() }
    }

    /// Caps that struck.
    pub(super) fn limits(&self) -> Struck {
        Struck::from_iter([(Limit::Retries, self.attempts.forgotten())])
    }

    /// What the agent emitted, by endpoint.
    pub(super) const fn seen(&self) -> Option<&Aggregate> {
        self.seen.as_ref()
    }

    /// The agent's model.
    pub(super) fn agent(&mut self) -> Option<&mut Agent> {
        self.agent.as_mut()
    }

    /// Hands a job's records on.
    pub(super) fn job<C: Consumer<Part = P>>(
        &mut self,
        done: &Done<Collected<P>>,
        consumer: &mut C,
    ) -> Result<(), C::Error> {
        self.order.list.clear();
        for (worker, product) in done.products.iter().enumerate() {
            consumer.part_done(&product.part);
            self.line_up(worker, product);
        }
        // What one shard made is in order already, or nearly.
        self.order.sort_by_key(|entry| entry.order);
        let mut coming = Coming { own: done.job.segments().peekable(), foreign: done.job.foreign() };
        for index in 0..self.order.list.len() {
            let Some(&MergeEntry { order, worker, what }) = self.order.list.get(index) else { break };
            let Some(product) = done.products.get(worker) else { continue };
            if let Some(agent) = &mut self.agent {
                coming.show(agent, order.packet);
            }
            match what {
                What::Tls(at) => {
                    if let (Some(agent), Some(record)) = (&mut self.agent, product.tls.get(at)) {
                        agent.tls_record(record.at, record.src, record.dst, product.plaintext(record));
                    }
                }
                What::Exchange(at) if self.divided => {
                    self.verdict(product, at);
                    self.pass_on(product, at, order, None, consumer)?;
                }
                What::Exchange(at) => {
                    self.verdict(product, at);
                    let pair = self.pair(product, at);
                    self.tell(product, at, pair, consumer)?;
                }
                What::Record(record, None) => {
                    consumer.record(&product.part, record, Annotation::default())?;
                }
                What::Record(record, Some(at)) if self.divided => {
                    let annotation = Annotation { agent: self.verdict(product, at), ..Annotation::default() };
                    self.pass_on(product, at, order, Some((record, annotation)), consumer)?;
                }
                What::Record(record, Some(at)) => {
                    let (agent, pair) = (self.verdict(product, at), self.pair(product, at));
                    consumer.record(&product.part, record, Pair::annotation(pair, agent))?;
                    self.tell(product, at, pair, consumer)?;
                }
            }
        }
        if let Some(agent) = &mut self.agent {
            coming.show(agent, u64::MAX);
        }
        consumer.batch_done()
    }

    /// Puts what a worker left into the order of all.
    fn line_up(&mut self, worker: usize, product: &Collected<P>) {
        // Both in the order in which they were made: each record meets its exchange.
        let mut shown =
            product.ended.iter().enumerate().filter_map(|(at, exchange)| Some((exchange.record?, at)));
        let mut next = shown.next();
        for record in 0..product.part.len() {
            let exchange = next.filter(|&(of, _)| of == record).map(|(_, at)| at);
            if exchange.is_some() {
                next = shown.next();
            }
            let order = product.part.order(record);
            self.order.list.push(MergeEntry { order, worker, what: What::Record(record, exchange) });
        }
        for (at, exchange) in
            product.ended.iter().enumerate().filter(|(_, exchange)| exchange.record.is_none())
        {
            self.order.list.push(MergeEntry { order: exchange.order, worker, what: What::Exchange(at) });
        }
        for (at, record) in product.tls.iter().enumerate() {
            // Before any record of the packet; of those that were decrypted together, in the order of their own.
            let order = Order { packet: record.now, sequence: record.at.packet, ..Order::FIRST };
            self.order.list.push(MergeEntry { order, worker, what: What::Tls(at) });
        }
    }

    /// The other attempt at the same, where there is one that came before.
    fn pair(&mut self, product: &Collected<P>, at: usize) -> Option<Pair> {
        self.attempts.meet(product.attempt_at(at)?)
    }

    /// Tells of an exchange that was executed twice, as one of a pair.
    fn tell<C: Consumer<Part = P>>(
        &mut self,
        product: &Collected<P>,
        at: usize,
        pair: Option<Pair>,
        consumer: &mut C,
    ) -> Result<(), C::Error> {
        let Some(pair) = pair.filter(|pair| pair.executed_twice) else { return Ok(()) };
        let (Some(meta), Some(attempt)) = (product.meta_at(at), product.attempt_at(at)) else {
            return Ok(());
        };
        self.part.clear(Memory::default());
        let finding = attempt.executed_twice(pair.other);
        self.part.finding(finding.last, meta, &finding);
        consumer.part_done(&self.part);
        (0..self.part.len()).try_for_each(|index| consumer.record(&self.part, index, Annotation::default()))
    }

    /// Tells of an exchange what finds the other attempt among all parts' exchanges, then its record, and the finding that it
    /// was executed twice with no exchange named.
    fn pass_on<C: Consumer<Part = P>>(
        &mut self,
        product: &Collected<P>,
        at: usize,
        order: Order,
        record: Option<(usize, Annotation)>,
        consumer: &mut C,
    ) -> Result<(), C::Error> {
        self.part.clear(Memory::default());
        if let Some(attempt) = product.attempt_at(at) {
            if let Some(meta) = product.meta_at(at).filter(|_| attempt.executed()) {
                let finding = attempt.executed_twice(ExchangeRef::default());
                self.part.finding(finding.last, meta, &finding);
                consumer.part_done(&self.part);
            }
            let shown = record.map(|(record, _)| (&product.part, record));
            let finding = (!self.part.is_empty()).then_some((&self.part, 0));
            consumer.attempt(order, attempt.words(), shown, finding)?;
        }
        if let Some((record, annotation)) = record {
            consumer.record(&product.part, record, annotation)?;
        }
        (0..self.part.len()).try_for_each(|index| consumer.record(&self.part, index, Annotation::default()))
    }

    fn verdict(&mut self, product: &Collected<P>, at: usize) -> Option<Verdict> {
        let exchange = product.exchange_at(at)?;
        if exchange.tunnelled {
            let complete = product.wire(exchange).complete;
            return Some(self.agent.as_mut()?.tunnelled(complete));
        }
        let verdict = self.agent.as_mut()?.verdict(&product.wire(exchange));
        if let (Verdict::Seen(latency), Some(seen)) = (verdict, &mut self.seen)
            && let Some(call) = product.call(exchange)
        {
            seen.add_agent(&call, latency.as_nanos() as u64);
        }
        Some(verdict)
    }
}
