//! The workers' half: each record as JSON, and of calls what decides where they stand in the report.

use crate::base::memory::Memory;
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
    /// The frames of the calls, one behind the other.
    steps: Vec<u8>,
}

/// A record that was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made<'m> {
    pub(super) fact: Fact,
    pub(super) json: &'m [u8],
    /// Where in it the annotation belongs.
    pub(super) annotation_at: Option<usize>,
    /// Of a call, its frames as JSON.
    pub(super) steps: &'m [u8],
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
    /// Where its frames are among those of the maker.
    pub(super) steps: (u32, u32),
}

impl Maker {
    pub(in crate::export) fn new(options: &Options) -> Self {
        Self {
            renderer: Renderer::new(Options { format: Format::Ndjson, ..*options }),
            facts: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// A record, by its index.
    pub(super) fn get(&self, index: usize) -> Option<Made<'_>> {
        let (item, text) = self.renderer.rendered().record(index)?;
        let fact = *self.facts.get(index)?;
        let steps = match fact {
            Fact::Call(Call { steps: (from, to), .. }) => self.steps.get(from as usize..to as usize),
            _ => None,
        };
        Some(Made {
            fact,
            json: text.trim_ascii_end(),
            annotation_at: item.annotation_at(),
            steps: steps.unwrap_or_default(),
        })
    }
}

impl RecordSink for Maker {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let view = TransactionView::new(connection, transaction);
        let from = self.steps.len() as u32;
        if let Some(steps) = &transaction.steps {
            super::steps::push(&mut self.steps, steps);
        }
        self.facts.push(Fact::Call(Call {
            start: transaction.first.time.as_nanos(),
            duration: u64::try_from(transaction.duration().as_nanos()).unwrap_or(u64::MAX),
            failure: view.failure(),
            retry: view.retry(),
            complete: transaction.partial.is_empty(),
            steps: (from, self.steps.len() as u32),
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
        self.renderer.bytes() + self.facts.capacity() * size_of::<Fact>() + self.steps.capacity()
    }

    fn clear(&mut self, memory: Memory) {
        self.renderer.clear(memory);
        self.facts.clear();
        self.steps.clear();
    }
}
