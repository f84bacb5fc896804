//! PING (RFC 9113 section 6.7):
//!
//! ```text
//! Opaque Data (64)
//! ```

use super::{Flags, FrameHeader};

/// A PING frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// It answers a PING of the other side.
    pub ack: bool,
    /// Eight bytes of the sender's choice.
    pub opaque: [u8; 8],
}

impl Ping {
    /// Reads a payload; `None` when it is cut off, or shorter than eight bytes.
    pub fn parse(header: &FrameHeader, payload: &[u8]) -> Option<Self> {
        payload.first_chunk().map(|&opaque| Self { ack: header.flags.has(Flags::ACK), opaque })
    }
}
