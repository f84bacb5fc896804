//! What of the exact view's counters depends on TCP segments, as the agent's limits are for each segment.

use crate::http2::counters::Counters;
use crate::http2::frame::{Flags, FrameHeader, FrameType};

/// Segments with so many interesting frames, or more, exceed the agent's limit (docs/agent.md).
const INTERESTING_FRAMES: u32 = 240;
/// Segments with more frames than this exceed the agent's filter (docs/agent.md).
const FRAMES_TO_FILTER: u32 = 241;

/// The segment of a direction that is being read.
#[derive(Debug, Default)]
pub(super) struct Segment {
    number: u64,
    frames: u32,
    interesting: u32,
}

impl Segment {
    /// Its number in the direction, from 1; 0 before the first.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The next segment begins.
    pub(super) const fn begin(&mut self) {
        *self = Self { number: self.number + 1, frames: 0, interesting: 0 };
    }

    /// A frame header ends in it.
    pub(super) fn count(&mut self, header: &FrameHeader, counters: &mut Counters) {
        self.frames += 1;
        counters.frames_full += u64::from(self.frames == FRAMES_TO_FILTER + 1);
        let ends = header.kind == FrameType::DATA && header.flags.has(Flags::END_STREAM);
        if ends || header.kind == FrameType::HEADERS || header.kind == FrameType::RST_STREAM {
            self.interesting += 1;
            counters.interesting_frames_full += u64::from(self.interesting == INTERESTING_FRAMES);
        }
    }
}

/// A frame's payload ends in a later segment than its header: counted for four kinds.
pub(super) fn count_split(header: &FrameHeader, counters: &mut Counters) {
    if header.length == 0 {
        return;
    }
    let ends = header.flags.has(Flags::END_STREAM);
    match header.kind {
        FrameType::HEADERS if ends => counters.last_headers_split += 1,
        FrameType::HEADERS => counters.headers_split += 1,
        FrameType::DATA if ends => counters.last_data_split += 1,
        FrameType::RST_STREAM => counters.resets_split += 1,
        _ => {}
    }
}
