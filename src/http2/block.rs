//! Header blocks, and where frames lay: what events tell of them.

use super::side::Side;
use crate::base::time::Moment;
use crate::flow::GapCause;

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
    /// Bytes of it had a wrong checksum, and there is no better copy: no field is exact.
    pub tainted: bool,
    /// A cap kept fields from being given.
    pub limited: bool,
    /// Fields that name an entry of the dynamic table which a cap did not let be kept.
    pub given_up: u32,
}
