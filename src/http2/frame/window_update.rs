//! WINDOW_UPDATE (RFC 9113 section 6.9):
//!
//! ```text
//! Reserved (1), Window Size Increment (31)
//! ```

use super::FrameHeader;

/// A WINDOW_UPDATE frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUpdate {
    /// Bytes that the sender of the other direction may send in addition; 0 is an error.
    pub increment: u32,
}

impl WindowUpdate {
    /// Reads a payload; `None` when it is cut off, or shorter than four bytes.
    pub fn parse(_: &FrameHeader, payload: &[u8]) -> Option<Self> {
        let &[a, b, c, d] = payload.first_chunk()?;
        Some(Self { increment: u32::from_be_bytes([a & 0x7f, b, c, d]) })
    }
}
