//! How long bytes have been missing that should have come.
//!
//! A byte is overdue when the peer has acknowledged it and bytes behind it were seen. It may still come: captures reorder
//! packets, and an acknowledgment may come before what it acknowledges. So it counts as lost only when a grace has gone by.
//!
//! State: at most [`MARKS`] marks, for as long as bytes are missing.

use crate::base::time::Timestamp;
use crate::base::tuning;
use std::collections::VecDeque;

/// Marks of the last grace; when there is no room for more, bytes are awaited a little longer.
const MARKS: usize = 8;
/// A mark is made at least so many times a grace.
const PARTS: u32 = 4;

/// What was overdue when, within the last grace; and what is so for longer.
#[derive(Debug, Default)]
pub(super) struct Grace {
    marks: VecDeque<Mark>,
    /// Bytes before this offset are overdue for longer than the grace.
    over: u64,
}

/// Bytes before this offset were overdue at this moment.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u64,
    /// Segments of the connection by then.
    segments: u64,
    time: Timestamp,
}

impl Grace {
    /// Nothing is missing.
    pub(super) fn clear(&mut self) {
        if self.over > 0 || !self.marks.is_empty() {
            *self = Self::default();
        }
    }

    /// The hole that ends at `hole` is overdue for the grace. Bytes before `overdue` are so by now, when the connection
    /// has had this many segments.
    pub(super) fn is_over(&mut self, hole: u64, overdue: u64, segments: u64, now: Timestamp) -> bool {
        while let Some(mark) = self.marks.front().filter(|mark| mark.is_before(1, segments, now)) {
            self.over = mark.offset;
            self.marks.pop_front();
        }
        let last = self.marks.back();
        let marked = last.map_or(self.over, |mark| mark.offset);
        let hole_is_new = marked < hole && hole <= overdue;
        let due = last.is_none_or(|mark| mark.is_before(PARTS, segments, now));
        if overdue > marked && (hole_is_new || due) && self.marks.len() < MARKS {
            self.marks.push_back(Mark { offset: overdue, segments, time: now });
        }
        self.over >= hole
    }
}

impl Mark {
    /// It was made longer ago than this part of the grace.
    fn is_before(&self, part: u32, segments: u64, now: Timestamp) -> bool {
        segments.saturating_sub(self.segments) >= tuning::HOLE_GRACE_SEGMENTS / u64::from(part)
            || now.since(self.time) >= tuning::HOLE_GRACE / part
    }
}
