//! RST_STREAM (RFC 9113 section 6.4):
//!
//! ```text
//! Error Code (32)
//! ```

use super::FrameHeader;

/// A RST_STREAM frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RstStream {
    /// Why the stream is terminated (section 7).
    pub code: u32,
}

impl RstStream {
    /// Reads a payload; `None` when it is cut off, or shorter than four bytes.
    pub fn parse(_: &FrameHeader, payload: &[u8]) -> Option<Self> {
        payload.first_chunk().map(|&code| Self { code: u32::from_be_bytes(code) })
    }
}
