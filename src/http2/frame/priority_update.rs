//! PRIORITY_UPDATE (RFC 9218 section 7.1):
//!
//! ```text
//! Reserved (1), Prioritized Stream ID (31) · Priority Field Value (..)
//! ```

use super::FrameHeader;

/// A PRIORITY_UPDATE frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityUpdate<'a> {
    /// The stream whose priority changes.
    pub prioritized_stream: u32,
    /// The value, as of the header field Priority.
    pub value: &'a [u8],
}

impl<'a> PriorityUpdate<'a> {
    /// Reads a payload; `None` when its fixed part is cut off.
    pub fn parse(_: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let (&[a, b, c, d], value) = payload.split_first_chunk()?;
        Some(Self { prioritized_stream: u32::from_be_bytes([a & 0x7f, b, c, d]), value })
    }
}
