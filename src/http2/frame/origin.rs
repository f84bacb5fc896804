//! ORIGIN (RFC 8336 section 2): any number of
//!
//! ```text
//! Origin-Len (16) · ASCII-Origin (Origin-Len × 8)
//! ```

use super::FrameHeader;

/// An ORIGIN frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    entries: &'a [u8],
}

impl<'a> Origin<'a> {
    /// Reads a payload. Never `None`: of a cut one the whole entries are read.
    pub fn parse(_: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        Some(Self { entries: payload })
    }

    /// The origins, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.entries;
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first_chunk()?;
            let (origin, tail) = tail.split_at_checked(u16::from_be_bytes(length) as usize)?;
            rest = tail;
            Some(origin)
        })
    }
}
