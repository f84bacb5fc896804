//! Padding of DATA, HEADERS and PUSH_PROMISE (RFC 9113 section 6.1):
//!
//! ```text
//! [Pad Length (8)] · … · Padding (8 × Pad Length)
//! ```

use super::{Flags, FrameHeader};

/// A padded frame's payload taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Padded<'a> {
    /// Pad Length, where the frame has one.
    pub padding: Option<u8>,
    /// The captured bytes between Pad Length and padding.
    pub content: &'a [u8],
    /// How many bytes the frame header promises there; 0 when the padding claims more than the frame has.
    pub content_length: u32,
}

/// Takes off the padding; `None` when the PADDED flag is set and the Pad Length byte is not in the capture.
pub(super) fn strip<'a>(header: &FrameHeader, payload: &'a [u8]) -> Option<Padded<'a>> {
    if !header.flags.has(Flags::PADDED) {
        return Some(Padded { padding: None, content: payload, content_length: header.length });
    }
    let (&padding, rest) = payload.split_first()?;
    let content_length = header.length.saturating_sub(1 + u32::from(padding));
    let content = rest.get(..content_length as usize).unwrap_or(rest);
    Some(Padded { padding: Some(padding), content, content_length })
}
