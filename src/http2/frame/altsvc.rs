//! ALTSVC (RFC 7838 section 4):
//!
//! ```text
//! Origin-Len (16) · Origin (Origin-Len × 8) · Alt-Svc-Field-Value (..)
//! ```

use super::FrameHeader;

/// An ALTSVC frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AltSvc<'a> {
    /// The origin that it applies to; empty on a stream other than 0.
    pub origin: &'a [u8],
    /// The value, as of the header field Alt-Svc.
    pub value: &'a [u8],
}

impl<'a> AltSvc<'a> {
    /// Reads a payload; `None` when the origin is cut off, or claims more than the frame has.
    pub fn parse(_: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let (&length, rest) = payload.split_first_chunk()?;
        let (origin, value) = rest.split_at_checked(u16::from_be_bytes(length) as usize)?;
        Some(Self { origin, value })
    }
}
