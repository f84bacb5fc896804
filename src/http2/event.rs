//! What the HTTP/2 stage tells: frames, header blocks field by field, data, ends, losses.

use super::anomaly::Anomaly;
use super::frame::{FrameHeader, FrameView};
use super::hpack;
use super::ledger::Ledger;
use crate::base::time::Moment;
use crate::flow::{Arrival, GapCause};

/// An end of an HTTP/2 connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that sends the preface.
    Client,
    /// The other one.
    Server,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// This is the client.
    pub const fn is_client(self) -> bool {
        matches!(self, Self::Client)
    }
}

/// A header block (RFC 9113 section 4.3): HEADERS or PUSH_PROMISE with its CONTINUATIONs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The sender.
    pub from: Side,
    /// The stream that the frame is on.
    pub stream: u32,
    /// The stream that is promised, for PUSH_PROMISE.
    pub promised: Option<u32>,
    /// The packet with the block's first byte.
    pub first: Moment,
    /// The packet with its last byte.
    pub last: Moment,
    /// END_STREAM is set.
    pub end_stream: bool,
    /// Where its first frame lay.
    pub spot: FrameSpot,
}

/// Where a frame lay on the wire, for the kernel agent's view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameSpot {
    /// The packet with the first byte of its header.
    pub packet: u64,
    /// Header and payload are not within one segment (of TLS, one record).
    pub split: bool,
}

/// How a header block ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockEnd {
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// Octets of names and values.
    pub decoded_bytes: u64,
    /// Fields given.
    pub fields: u32,
    /// Fields whose name or value is unknown.
    pub unknown: u32,
    /// Why the block is not whole.
    pub cut: Option<GapCause>,
    /// The block broke RFC 7541, and its rest could not be read.
    pub broken: bool,
    /// A cap kept fields from being given.
    pub limited: bool,
    /// Fields that name an entry of the dynamic table which a cap did not let be kept.
    pub given_up: u32,
}

/// A request made with HTTP/1.1 that asked for an upgrade to HTTP/2 (RFC 7540 section 3.2).
#[derive(Clone, Copy, Debug)]
pub struct UpgradeRequest<'a> {
    /// Its fields, names in lower case, with the pseudo-header fields that its request line stands for.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// Octets of its content.
    pub body: u64,
    /// The packet with its first byte.
    pub first: Moment,
    /// The packet with its last byte.
    pub last: Moment,
}

/// What comes with an event: who sent what it tells of, how its last byte arrived, and the connection's state by then.
#[derive(Clone, Copy, Debug)]
pub struct EventContext<'a> {
    /// The sender.
    pub from: Side,
    /// How the last byte came that the event tells of; of a loss, how it became certain.
    pub arrival: &'a Arrival,
    /// What both sides have said so far, before the frame that the event tells of takes effect.
    pub ledger: &'a Ledger,
}

impl EventContext<'_> {
    /// The packet with the last byte.
    pub const fn at(&self) -> Moment {
        self.arrival.at
    }

    /// How the latest bytes of a side came.
    pub fn latest(&self, side: Side) -> &Arrival {
        if side == self.from { self.arrival } else { self.ledger.latest(side) }
    }
}

/// Takes the events of one connection. What a call lends lives until it returns. A sink takes note of what it needs and
/// leaves the rest alone; `(A, B)` is a sink that tells A, then B, and `None` is one that takes no note of anything.
#[expect(unused_variables, reason = "the names say what a sink is told")]
pub trait EventSink {
    /// [`EventSink::frame`] is to be called.
    fn wants_frames(&self) -> bool {
        false
    }

    /// A frame header was read; it began in the packet `first`.
    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: Moment) {}

    /// A frame was read whole, or as much of it as there is.
    fn frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {}

    /// A header block begins; its fields follow, then [`EventSink::block_end`].
    fn block_start(&mut self, cx: &EventContext<'_>, block: &Block) {}

    /// A field of the block.
    fn field(&mut self, field: &hpack::Field<'_>) {}

    /// The block is over.
    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {}

    /// DATA payload without padding, in order, in pieces as captured.
    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {}

    /// DATA payload that is not in the capture; its length is known from the frame header.
    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {}

    /// A DATA frame is over.
    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, spot: FrameSpot) {}

    /// RST_STREAM; the code is unknown where its bytes are lost.
    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, code: Option<u32>, spot: FrameSpot) {}

    /// GOAWAY.
    fn goaway(&mut self, cx: &EventContext<'_>, last_stream: u32, code: u32, debug: &[u8]) {}

    /// The connection was upgraded by this request, which opens stream 1 and is whole.
    fn upgraded(&mut self, cx: &EventContext<'_>, request: &UpgradeRequest<'_>) {}

    /// A setting, of a SETTINGS frame without ACK.
    fn setting(&mut self, from: Side, id: u16, value: u32) {}

    /// The client's preface was read, of which it was not known whether it is in the capture.
    fn begins(&mut self, from: Side) {}

    /// Frames of this side were lost, one cannot know which: any stream may have lost something.
    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {}

    /// So many bytes were skipped until a frame boundary was found, there, or until the end came. May be none.
    fn skipped(&mut self, cx: &EventContext<'_>, bytes: u64) {}

    /// The protocol was broken, in a frame that began at this moment.
    fn anomaly(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment) {}
}
