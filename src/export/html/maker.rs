//! The workers' half: each record as JSON, and of calls what decides where they stand in the report.

use crate::base::origin::InReach;
use crate::base::time::{Moment, Timestamp};
use crate::export::{Format, Options, Renderer};
use crate::http2::frame::FrameView;
use crate::record::{
    ConnectionMeta, ConnectionRecord, Failure, Finding, MessageRecord, Order, Part, RecordSink, Retry,
    Transaction, TransactionView,
};

/// Makes records for the report.
#[derive(Debug)]
pub struct Maker {
    renderer: Renderer,
    /// For each record that was made.
    facts: Vec<Fact>,
}

/// What is known of a record beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Call(Call),
    Connection,
    Finding,
}

/// What decides where a call stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// When it began, in nanoseconds.
    pub(super) start: u64,
    /// How long it took, in nanoseconds.
    pub(super) duration: u64,
    pub(super) failure: Option<Failure>,
    pub(super) retry: Option<Retry>,
    pub(super) complete: bool,
}

impl Maker {
    pub(in crate::export) fn new(options: &Options) -> Self {
        Self { renderer: Renderer::new(Options { format: Format::Ndjson, ..*options }), facts: Vec::new() }
    }

    /// A record, by its index: what it is, and its JSON.
    pub(super) fn get(&self, index: usize) -> Option<(Fact, &[u8])> {
        let rendered = self.renderer.rendered();
        let range = &rendered.items.get(index)?.range;
        let text = rendered.bytes.get(range.start as usize..range.end as usize)?;
        Some((*self.facts.get(index)?, text.trim_ascii_end()))
    }
}

impl RecordSink for Maker {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let view = TransactionView::new(connection, transaction);
        self.facts.push(Fact::Call(Call {
            start: transaction.first.time.as_nanos(),
            duration: u64::try_from(transaction.duration().as_nanos()).unwrap_or(u64::MAX),
            failure: view.failure(),
            retry: view.retry(),
            complete: transaction.partial.is_empty(),
        }));
        self.renderer.transaction(now, connection, transaction);
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        self.facts.push(Fact::Connection);
        self.renderer.connection(now, connection);
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        self.facts.push(Fact::Finding);
        self.renderer.finding(now, connection, finding);
    }

    // Not in the report.
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn message(&mut self, _: Moment, _: &ConnectionMeta, _: &MessageRecord) {}
}

impl Part for Maker {
    fn begin(&mut self, origins: Option<&InReach>, start: Timestamp) {
        self.renderer.begin(origins, start);
    }

    fn at_end(&mut self) {
        self.renderer.at_end();
    }

    fn len(&self) -> usize {
        self.renderer.len()
    }

    fn order(&self, index: usize) -> Order {
        self.renderer.order(index)
    }

    fn bytes(&self) -> usize {
        self.renderer.bytes() + self.facts.capacity() * size_of::<Fact>()
    }

    fn clear(&mut self) {
        self.renderer.clear();
        self.facts.clear();
    }
}
