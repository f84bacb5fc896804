//! What the HTTP/2 stage tells: frames, header blocks field by field, data, ends, losses.

use super::anomaly::Anomaly;
use super::frame::{FrameHeader, FrameView};
use super::hpack;
use crate::base::counters::Counters;
use crate::base::time::Moment;
use crate::flow::GapCause;

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

/// Takes the events of one connection. What a call lends lives until it returns.
pub trait EventSink {
    /// The counters of the exact view, for this connection's kind of transport.
    fn counters(&mut self) -> &mut Counters;

    /// [`EventSink::frame`] is to be called.
    fn wants_frames(&self) -> bool;

    /// A frame header was read.
    fn frame_header(&mut self, from: Side, header: &FrameHeader, at: Moment);

    /// A frame was read whole, or as much of it as there is.
    fn frame(&mut self, frame: &FrameView<'_>);

    /// A header block begins; its fields follow, then [`EventSink::block_end`].
    fn block_start(&mut self, block: &Block);

    /// A field of the block.
    fn field(&mut self, field: &hpack::Field<'_>);

    /// The block is over.
    fn block_end(&mut self, block: &Block, end: &BlockEnd);

    /// DATA payload without padding, in pieces as captured.
    fn data(&mut self, from: Side, stream: u32, at: Moment, bytes: &[u8]);

    /// DATA payload that is not in the capture; its length is known from the frame header.
    fn data_lost(&mut self, from: Side, stream: u32, at: Moment, len: u64, cause: GapCause);

    /// A DATA frame is over.
    fn data_end(&mut self, from: Side, stream: u32, at: Moment, end_stream: bool, spot: FrameSpot);

    /// RST_STREAM; the code is unknown where its bytes are lost.
    fn reset(&mut self, from: Side, stream: u32, code: Option<u32>, at: Moment, spot: FrameSpot);

    /// GOAWAY.
    fn goaway(&mut self, from: Side, last_stream: u32, code: u32, debug: &[u8], at: Moment);

    /// A setting, of a SETTINGS frame without ACK.
    fn setting(&mut self, from: Side, id: u16, value: u32);

    /// The client's preface was read, of which it was not known whether it is in the capture.
    fn begins(&mut self, from: Side);

    /// Frames of this side were lost, one cannot know which: any stream may have lost something.
    fn lost(&mut self, from: Side, cause: GapCause, at: Moment);

    /// So many bytes were skipped until a frame boundary was found, there, or until the end came. May be none.
    fn skipped(&mut self, from: Side, bytes: u64, at: Moment);

    /// The protocol was broken.
    fn anomaly(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment);
}
