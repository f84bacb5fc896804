//! HEADERS (RFC 9113 section 6.2):
//!
//! ```text
//! [Pad Length (8)] · [Exclusive (1), Stream Dependency (31), Weight (8)] · Field Block Fragment (..) · Padding
//! ```

use super::priority::{self, Priority};
use super::{Flags, FrameHeader, padding};

/// A HEADERS frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// Bytes of padding, where the frame is padded.
    pub padding: Option<u8>,
    /// Priority, where the PRIORITY flag is set.
    pub priority: Option<Priority>,
    /// The field block fragment, as much of it as is in the capture.
    pub fragment: &'a [u8],
    /// Its full length; 0 when padding or priority claim more than the frame has.
    pub fragment_length: u32,
}

impl<'a> Headers<'a> {
    /// Reads a payload; `None` when its fixed part is cut off.
    pub fn parse(header: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let padded = padding::strip(header, payload)?;
        let (padding, mut fragment, mut fragment_length) =
            (padded.padding, padded.content, padded.content_length);
        let mut priority = None;
        if header.flags.has(Flags::PRIORITY) {
            let (fixed, rest) = fragment.split_first_chunk::<{ priority::LEN }>()?;
            priority = Some(Priority::read(*fixed));
            fragment = rest;
            fragment_length = fragment_length.saturating_sub(priority::LEN as u32);
        }
        Some(Self { padding, priority, fragment, fragment_length })
    }
}
