//! PRIORITY (RFC 9113 section 6.3; its meaning stands in RFC 7540 section 5.3):
//!
//! ```text
//! Exclusive (1), Stream Dependency (31) · Weight (8)
//! ```

use super::FrameHeader;

/// Bytes of the priority fields.
pub(super) const LEN: usize = 5;

/// The priority fields of a PRIORITY or HEADERS frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// The dependency is exclusive.
    pub exclusive: bool,
    /// The stream depended on.
    pub dependency: u32,
    /// Weight, 1 to 256: one more than the byte on the wire.
    pub weight: u16,
}

impl Priority {
    /// Decodes five bytes; any value is possible on the wire.
    pub(super) const fn read([a, b, c, d, weight]: [u8; LEN]) -> Self {
        Self {
            exclusive: a & 0x80 != 0,
            dependency: u32::from_be_bytes([a & 0x7f, b, c, d]),
            weight: weight as u16 + 1,
        }
    }

    /// Reads a payload; `None` when it is cut off, or shorter than five bytes.
    pub fn parse(_: &FrameHeader, payload: &[u8]) -> Option<Self> {
        payload.first_chunk().copied().map(Self::read)
    }
}
