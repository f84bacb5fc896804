//! What flow, TLS and HTTP/2 hand to one another: bytes in order, gaps, and ends.

use crate::base::direction::Direction;
use crate::base::time::{Moment, Timestamp};

/// How a byte stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// All its bytes were sent: FIN, or `close_notify` inside TLS.
    Fin,
    /// Either side reset the connection.
    Rst,
}

/// Bytes that are missing from a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many; `None` where that cannot be known (TLS records lost).
    pub len: Option<u64>,
    /// Why.
    pub cause: GapCause,
    /// The receiver has acknowledged them: it is the capture alone that misses them.
    pub received: bool,
}

impl Gap {
    /// So many bytes are missing, and what the receiver got of them is not known.
    pub const fn new(len: Option<u64>, cause: GapCause) -> Self {
        Self { len, cause, received: false }
    }
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapCause {
    /// Packets are not in the capture.
    Lost,
    /// The snaplen cut the packet.
    Snaplen,
    /// TLS records that could not be decrypted.
    NotDecrypted,
    /// A cap of h2lens struck.
    Limit,
    /// Their checksum is wrong, and no better copy came.
    Damaged,
}

/// A part of a direction's TCP stream, in bytes from its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last one.
    pub end: u64,
}

/// How bytes came, or how a gap became certain: by which packet, and where in TCP's streams that is.
///
/// The order of what the two sides did is told by this and not by the packets' numbers: a direction may wait for a
/// hole to fill while the other is read on, and packets are captured out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The packet that carried the bytes, or that made the gap certain.
    pub at: Moment,
    /// Where they stand in their direction's stream (above TLS, the last segment of their record).
    pub span: Span,
    /// So much of the other direction's stream the sender had received when it sent that packet (RFC 9293 section
    /// 3.1, Acknowledgment Number); `None` for a gap, and where it is not known.
    pub acknowledged: Option<u64>,
    /// Of a gap: the packet that acknowledged its bytes, by which their receiver had them.
    pub received: Option<Moment>,
    /// When the first byte of their TLS record came, where that was in an earlier packet: a record is sent as one
    /// (RFC 8446 section 5.1), but read when all of it is there.
    pub record_since: Option<Timestamp>,
    /// When all of that record had come, and what stands before it: later than `at` where a segment of it was sent again.
    pub record_until: Option<Timestamp>,
}

impl Arrival {
    /// The packet with the last byte; of bytes that are missing the one by which they had come at the latest, as far as that is
    /// known.
    pub fn came(&self) -> Moment {
        self.received.unwrap_or(self.at)
    }

    /// How much of the other direction's stream the sender had received when it sent what `packet` carried; `None`
    /// where that is another packet.
    pub fn acknowledged_in(&self, packet: Moment) -> Option<u64> {
        self.acknowledged.filter(|_| self.at.packet == packet.packet)
    }
}

/// Takes the ordered byte streams of one connection. A stage pushes into it; nothing is queued.
///
/// For one direction the calls describe its stream from the first byte seen to the last, in order and without
/// overlap. Between the directions the order is that in which the packets allowed them to be known.
pub trait ByteSink {
    /// The next bytes: all from one segment (of one TLS record, above TLS).
    fn data(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]);

    /// Bytes that are not in the capture.
    fn gap(&mut self, from: Direction, arrival: &Arrival, gap: Gap);

    /// Bytes whose checksum is wrong, and of which no better copy came: a gap, to who takes only what was sent.
    fn worse(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        let gap = Gap::new(Some(bytes.len() as u64), GapCause::Damaged);
        self.gap(from, &Arrival { acknowledged: None, ..*arrival }, gap);
    }

    /// No more is wanted for now of what waits: what is left is handed on later, by [`Reassembly::tick`](super::Reassembly::tick)
    /// or with a segment. Bytes that come in order are handed on all the same.
    fn is_sated(&self) -> bool {
        false
    }

    /// No byte of this direction follows. Called once a direction at the most. A FIN takes one number, and so one byte of the
    /// stream (RFC 9293 section 3.4).
    fn end(&mut self, from: Direction, arrival: &Arrival, how: End);
}
