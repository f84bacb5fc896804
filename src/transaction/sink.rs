//! Where the records go.

use super::record::{ConnectionMeta, ConnectionRecord, Transaction};
use crate::base::time::Moment;
use crate::http2::frame::FrameView;

/// Which records are wanted. Work is done for these alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Transaction records.
    pub transactions: bool,
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
}

/// Takes finished records. They come in the order of the packets that completed them, for one shard.
pub trait RecordSink {
    /// A transaction has ended; `now` is the packet that ended it.
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction);
    /// A connection has ended.
    fn connection(&mut self, now: Moment, connection: &ConnectionRecord);
    /// A frame was read.
    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>);
    /// A violation or an attack.
    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding);
}

/// A violation of RFC 9113 or 7541, or a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: stable, `snake_case`.
    pub code: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// `RFC#section`, as `9113#6.5`.
    pub rfc: &'static str,
    /// The side at fault is the client.
    pub from_client: bool,
    /// The stream, 0 for the connection.
    pub stream: u32,
    /// Where it was first seen.
    pub first: Moment,
    /// Where it was last seen.
    pub last: Moment,
    /// How often.
    pub count: u64,
}
