//! CONTINUATION (RFC 9113 section 6.10):
//!
//! ```text
//! Field Block Fragment (..)
//! ```

use super::FrameHeader;

/// A CONTINUATION frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation<'a> {
    /// The field block fragment, as much of it as is in the capture.
    pub fragment: &'a [u8],
    /// Its full length.
    pub fragment_length: u32,
}

impl<'a> Continuation<'a> {
    /// Reads a payload. Never `None`: the frame has no fixed part.
    pub fn parse(header: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        Some(Self { fragment: payload, fragment_length: header.length })
    }
}
