//! DATA (RFC 9113 section 6.1):
//!
//! ```text
//! [Pad Length (8)] · Data (..) · Padding (..2040)
//! ```

use super::{FrameHeader, padding};

/// A DATA frame; its data is counted, not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// Bytes of padding, where the frame is padded.
    pub padding: Option<u8>,
    /// Bytes of data, without padding; 0 when the padding claims more than the frame has.
    pub data_length: u32,
}

impl Data {
    /// Reads a payload; `None` when its fixed part is cut off.
    pub fn parse(header: &FrameHeader, payload: &[u8]) -> Option<Self> {
        let padded = padding::strip(header, payload)?;
        Some(Self { padding: padded.padding, data_length: padded.content_length })
    }
}
