//! The order of the records, whatever made them and on however many threads.

use crate::base::time::Moment;

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

/// Gives the records that one worker makes their places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    at_end: bool,
    given: u64,
}

impl Places {
    /// What comes from here on is completed by the end of the capture.
    pub const fn at_end(&mut self) {
        self.at_end = true;
    }

    /// The place of a record that `now` completes, by a number of its own.
    pub const fn of(&self, now: Moment, connection: u64, kind: Kind, sequence: u64) -> Order {
        Order { packet: if self.at_end { u64::MAX } else { now.packet }, connection, kind, sequence }
    }

    /// The next place, behind those given to records of the same packet, connection and kind.
    pub const fn next(&mut self, now: Moment, connection: u64, kind: Kind) -> Order {
        self.given += 1;
        self.of(now, connection, kind, self.given)
    }
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
