//! Where the records go.

use super::connection::{ConnectionMeta, ConnectionRecord, ConnectionState};
use super::contents::MessageRecord;
use super::finding::Finding;
use super::segment::SegmentView;
use super::step::Step;
use super::transaction::Transaction;
use crate::base::time::Moment;
use crate::http2::frame::FrameView;

/// Which records are wanted. Work is done for these alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Transaction records.
    pub transactions: bool,
    /// Endpoint records: exchanges are added up.
    pub endpoints: bool,
    /// Connection records.
    pub connections: bool,
    /// Frame records.
    pub frames: bool,
    /// Finding records.
    pub findings: bool,
    /// The telemetry record, with the agent's view.
    pub telemetry: bool,
    /// All header fields in the transactions.
    pub headers: bool,
    /// Message records: each message of a body as it ends.
    pub messages: bool,
    /// What went on meanwhile: the pieces of the exchanges' time, and how connections stood.
    pub timeline: bool,
    /// The frames of each exchange, in brief: [`Transaction::steps`].
    pub steps: bool,
    /// TCP segments, of all connections.
    pub segments: bool,
    /// Requests as they begin: [`RecordSink::opened`].
    pub openings: bool,
    /// A filter looks at each exchange.
    pub filtered: bool,
}

impl Wanted {
    /// Something is shown that says where the time of exchanges went, or who wasted it.
    pub const fn times(self) -> bool {
        self.transactions || self.endpoints || self.connections || self.findings
    }

    /// Exchanges are shown or looked at by themselves, and not only counted.
    pub const fn exchanges(self) -> bool {
        self.endpoints || self.each()
    }

    /// Exchanges are shown or looked at by themselves, and not only added up.
    pub const fn each(self) -> bool {
        self.transactions
            || self.findings
            || self.headers
            || self.timeline
            || self.steps
            || self.openings
            || self.filtered
    }

    /// Something is shown that says which exchanges are attempts at the same.
    pub const fn attempts(self) -> bool {
        self.transactions || self.findings
    }

    /// Something is shown that says whether an error which a side named is true.
    pub const fn evidence(self) -> bool {
        self.transactions || self.connections
    }
}

/// Takes finished records. They come in the order of the packets that completed them, for one shard.
pub trait RecordSink {
    /// A transaction has ended; `now` is the packet that ended it.
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction);
    /// A connection has ended.
    fn connection(&mut self, now: Moment, connection: &ConnectionRecord);
    /// A frame was read.
    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>);
    /// A message of a body has ended.
    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        let _ = (now, connection, message);
    }
    /// Something happened in the course of the exchange that is followed.
    fn step(&mut self, now: Moment, connection: &ConnectionMeta, step: &Step) {
        let _ = (now, connection, step);
    }
    /// The connection stands otherwise than before; with [`Wanted::timeline`] only.
    fn state(&mut self, now: Moment, connection: &ConnectionMeta, state: &ConnectionState) {
        let _ = (now, connection, state);
    }
    /// The header section of a request is there, and the exchange under way; with [`Wanted::openings`] only.
    fn opened(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let _ = (now, connection, transaction);
    }
    /// A segment was accepted.
    fn segment(&mut self, segment: &SegmentView<'_>) {
        let _ = segment;
    }
    /// A violation or an attack.
    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding);
}
