//! What flow, TLS and HTTP/2 hand to one another: bytes in order, gaps, and ends.

use crate::base::direction::Direction;
use crate::base::time::Moment;

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
}

/// Where in TCP's streams bytes or a gap stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Offset of the first byte in its direction's stream.
    pub start: u64,
    /// Offset behind the last one.
    pub end: u64,
    /// The packet that carried them, 0 for a gap.
    pub packet: u64,
    /// So much of the other direction's stream that packet acknowledged; `None` where that is not known.
    pub acknowledged: Option<u64>,
}

/// Takes the ordered byte streams of one connection. A stage pushes into it; nothing is queued.
///
/// For one direction the calls describe its stream from the first byte seen to the last, in order and without
/// overlap. Between the directions the order is that in which the packets allowed them to be known.
pub trait ByteSink {
    /// Where in its TCP stream that stands which follows. Said before each [`Self::data`] and [`Self::gap`] of TCP; what
    /// has no use for it ignores it.
    fn place(&mut self, from: Direction, place: Place) {
        let _ = (from, place);
    }

    /// The next bytes: all from one segment (of one TLS record, above TLS), with the packet that carried them.
    fn data(&mut self, from: Direction, at: Moment, bytes: &[u8]);

    /// Bytes that are not in the capture, and the packet that made this certain.
    fn gap(&mut self, from: Direction, at: Moment, gap: Gap);

    /// No byte of this direction follows. Called once a direction at the most.
    fn end(&mut self, from: Direction, at: Moment, how: End);
}
