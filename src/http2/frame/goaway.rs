//! GOAWAY (RFC 9113 section 6.8):
//!
//! ```text
//! Reserved (1), Last-Stream-ID (31) · Error Code (32) · Additional Debug Data (..)
//! ```

use super::FrameHeader;

/// A GOAWAY frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goaway<'a> {
    /// The last stream that was or will be processed.
    pub last_stream: u32,
    /// Why the connection is shut down (section 7).
    pub code: u32,
    /// Debug data, as much of it as is in the capture.
    pub debug: &'a [u8],
}

impl<'a> Goaway<'a> {
    /// Reads a payload; `None` when its fixed part is cut off.
    pub fn parse(_: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let (&last_stream, rest) = payload.split_first_chunk()?;
        let (&code, debug) = rest.split_first_chunk()?;
        Some(Self {
            last_stream: u32::from_be_bytes(last_stream) & 0x7fff_ffff,
            code: u32::from_be_bytes(code),
            debug,
        })
    }
}
