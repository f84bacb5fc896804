//! What is done with an exchange before it becomes a record: is it asked for, and what do those that are add up to?
//!
//! Each shard has a selection of its own, so that what comes out does not depend on the number of threads.

use super::product::Product;
use crate::aggregate::{Aggregate, Templates};
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits;
use crate::base::load::Load;
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::filter::{Filter, Truth};
use crate::http2::frame::FrameView;
use crate::pipeline::Output;
use crate::record::endpoint::Endpoints;
use crate::record::{
    ConnectionMeta, ConnectionRecord, ConnectionState, Finding, MessageRecord, RecordSink, SegmentView, Step,
    Transaction, TransactionView,
};
use std::net::SocketAddr;
use std::sync::Arc;

/// What is asked for of a shard's exchanges, and what they add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    filter: Option<Arc<Filter>>,
    aggregate: Option<Aggregate>,
    /// The names of the fields in responses are counted, too.
    names: bool,
    /// Exchanges of which it is not known whether they are asked for.
    unknown: u64,
}

impl Selection {
    /// Of a filter, if there is one, and with endpoints where there are templates.
    pub(super) fn new(
        filter: Option<Arc<Filter>>,
        templates: Option<&Arc<Templates>>,
        names: bool,
        memory: Memory,
    ) -> Self {
        let room = memory.share(limits::ENDPOINT_MEMORY_SHARD);
        let aggregate = templates.map(|templates| Aggregate::new(Arc::clone(templates), room));
        Self { filter, aggregate, names, unknown: 0 }
    }

    /// How full its memory came.
    pub(super) fn load(&self) -> Option<Load> {
        self.aggregate.as_ref().map(Aggregate::load)
    }

    /// Whether an exchange is asked for; if so, it is added up.
    #[inline]
    fn takes(&mut self, connection: &ConnectionMeta, exchange: &Transaction) -> bool {
        if self.filter.is_none() && self.aggregate.is_none() {
            return true;
        }
        let view = TransactionView::new(connection, exchange);
        let truth = self.filter.as_ref().map_or(Truth::True, |filter| filter.evaluate(&view));
        self.unknown += u64::from(truth == Truth::Unknown);
        if let Some(aggregate) = &mut self.aggregate
            && truth == Truth::True
        {
            aggregate.observe(&view);
            if self.names {
                aggregate.observe_names(&view);
            }
        }
        truth == Truth::True
    }
}

/// Exchanges of which it is not known whether they are asked for.
pub(super) fn unknown(selections: &[(usize, Selection)]) -> u64 {
    selections.iter().map(|(_, selection)| selection.unknown).sum()
}

/// What all shards add up to, with what the agent emitted of it.
pub(super) fn aggregate(
    templates: &Arc<Templates>,
    selections: &[(usize, Selection)],
    agent: Option<&Aggregate>,
    memory: Memory,
) -> Aggregate {
    let mut sum = Aggregate::new(Arc::clone(templates), memory.share(limits::ENDPOINT_MEMORY));
    // In one order, whoever worked on them.
    let mut order: Vec<_> = selections.iter().collect();
    order.sort_by_key(|(shard, _)| *shard);
    for (_, selection) in order {
        if let Some(aggregate) = &selection.aggregate {
            sum.merge(aggregate);
        }
    }
    if let Some(agent) = agent {
        sum.merge(agent);
    }
    sum
}

/// The endpoints, and which limits struck.
pub(super) fn endpoints(sum: &Aggregate) -> (Endpoints, Struck) {
    let rows = sum.rows();
    let mut struck = Struck::default();
    struck.add(Limit::EndpointPaths, sum.folded_paths());
    struck.add(Limit::EndpointRows, rows.folded);
    (rows.into(), struck)
}

/// A product that is given what a selection takes.
pub(super) struct Chosen<'a, P> {
    selection: &'a mut Selection,
    product: &'a mut P,
    made: usize,
}

/// Bytes of a record beside its text, about.
const RECORD: usize = 1024;
/// The same of a connection, which has many parts.
const CONNECTION: usize = 4096;

impl<'a, P: Product> Chosen<'a, P> {
    pub(super) fn new(selection: &'a mut Selection, product: &'a mut P) -> Self {
        Self { selection, product, made: 0 }
    }
}

impl<P: Product> Output for Chosen<'_, P> {
    fn tls_record(&mut self, now: Moment, at: Moment, src: Endpoint, dst: Endpoint, plaintext: &[u8]) {
        self.made += plaintext.len();
        self.product.tls_record(now, at, src, dst, plaintext);
    }

    fn made(&self) -> usize {
        self.made
    }

    fn calls_missed(&mut self, server: Endpoint, most: u64, shorter: u64) {
        if let Some(aggregate) = &mut self.selection.aggregate {
            aggregate.add_missed(SocketAddr::new(server.ip, server.port), most, shorter);
        }
    }
}

impl<P: Product> RecordSink for Chosen<'_, P> {
    fn segment(&mut self, segment: &SegmentView<'_>) {
        self.made += RECORD;
        self.product.segment(segment);
    }

    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.made += transaction.filled();
        let is_asked_for = self.selection.takes(connection, transaction);
        self.product.exchange(now, connection, transaction, is_asked_for);
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        self.made += CONNECTION;
        self.product.connection(now, connection);
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        self.made += RECORD + frame.payload.len();
        self.product.frame(now, connection, frame);
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        self.made += RECORD;
        self.product.finding(now, connection, finding);
    }

    fn opened(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.made += RECORD + transaction.filled();
        self.product.opened(now, connection, transaction);
    }

    fn state(&mut self, now: Moment, connection: &ConnectionMeta, state: &ConnectionState) {
        self.made += RECORD;
        self.product.state(now, connection, state);
    }

    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        self.made += RECORD + message.message.filled();
        self.product.message(now, connection, message);
    }

    fn step(&mut self, now: Moment, connection: &ConnectionMeta, step: &Step) {
        self.made += RECORD;
        self.product.step(now, connection, step);
    }
}
