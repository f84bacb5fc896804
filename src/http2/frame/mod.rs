//! The frames of RFC 9113 section 6 and its extensions, one file a type.

mod header;

pub use header::{Flags, FrameHeader, FrameType, LEN};

use crate::time::Moment;

/// A frame as it is shown: its header, who sent it, and as much of its payload as was in the capture.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    /// The packet in which its header began.
    pub at: Moment,
    /// The client sent it.
    pub from_client: bool,
    /// Its header.
    pub header: FrameHeader,
    /// Its payload; of DATA only the pad length byte where there is one; cut where bytes were lost.
    pub payload: &'a [u8],
}
