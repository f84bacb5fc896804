//! The order of the records, whatever made them and on however many threads.

/// The order of the output: by the packet that completed the record; what the end of the capture completes comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// The packet; `u64::MAX` for the end of the capture.
    pub packet: u64,
    /// The connection.
    pub connection: u64,
    /// The kind of record.
    pub kind: Kind,
    /// Of transactions the stream, else a running number.
    pub sequence: u64,
}

impl Order {
    /// Before all others.
    pub const FIRST: Self = Self { packet: 0, connection: 0, kind: Kind::Frame, sequence: 0 };
}

/// Kinds of records, in the order in which one packet's are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A frame.
    Frame,
    /// A message of a body.
    Message,
    /// A transaction.
    Transaction,
    /// A finding.
    Finding,
    /// A connection.
    Connection,
}
