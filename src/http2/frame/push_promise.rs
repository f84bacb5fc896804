//! PUSH_PROMISE (RFC 9113 section 6.6):
//!
//! ```text
//! [Pad Length (8)] · Reserved (1), Promised Stream ID (31) · Field Block Fragment (..) · Padding (..2040)
//! ```

use super::{FrameHeader, padding};

/// A PUSH_PROMISE frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPromise<'a> {
    /// Bytes of padding, where the frame is padded.
    pub padding: Option<u8>,
    /// The stream that the server reserves.
    pub promised_stream: u32,
    /// The field block fragment, as much of it as is in the capture.
    pub fragment: &'a [u8],
    /// Its full length; 0 when the padding claims more than the frame has.
    pub fragment_length: u32,
}

impl<'a> PushPromise<'a> {
    /// Reads a payload; `None` when its fixed part is cut off.
    pub fn parse(header: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let padded = padding::strip(header, payload)?;
        let (&[a, b, c, d], fragment) = padded.content.split_first_chunk()?;
        Some(Self {
            padding: padded.padding,
            promised_stream: u32::from_be_bytes([a & 0x7f, b, c, d]),
            fragment,
            fragment_length: padded.content_length.saturating_sub(4),
        })
    }
}
