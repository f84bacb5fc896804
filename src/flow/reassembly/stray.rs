//! Segments outside of the window: strays, or all that is left where the capture has lost more than a window.
//!
//! Which of the two shows when the other side answers: it acknowledges what it has received, and never a stray.

use super::Reassembly;
use crate::base::direction::Direction;
use crate::flow::half::distance;
use crate::packet::Segment;

/// How far apart the segments of a run may be.
const RUN_GAP: i32 = 1 << 16;

/// A run of segments of one direction that did not fit the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stray {
    /// Number of its first byte.
    start: u32,
    /// Number behind its last byte.
    end: u32,
    /// What its last segment acknowledged.
    ack: Option<u32>,
}

impl Stray {
    fn of(segment: &Segment<'_>) -> Self {
        let len = segment.payload_octets();
        let end = segment.seq.wrapping_add(len + u32::from(segment.flags.fin()));
        Self { start: segment.seq, end, ack: segment.flags.ack().then_some(segment.ack) }
    }

    /// The number lies in the run, or shortly behind it.
    fn is_followed_by(&self, seq: u32) -> bool {
        distance(self.start, seq) >= 0 && (0..=RUN_GAP).contains(&distance(self.end, seq).max(0))
    }

    /// The number acknowledges bytes of the run, or repeats the number of one without payload.
    fn is_acknowledged_by(&self, ack: u32) -> bool {
        let len = distance(self.start, self.end);
        (len.min(1)..=len).contains(&distance(self.start, ack))
    }
}

impl Reassembly {
    /// The segment does not fit the window, but the other side has shown that the stream has gone on there, or shows it
    /// now of its peer. Else the segment is remembered for that.
    #[cold]
    pub(super) fn resumes(&mut self, from: Direction, segment: &Segment<'_>) -> bool {
        let to = from.reverse();
        let own_fits = self.halves[from].takes(segment.seq);
        if let Some(stray) = self.strays[to]
            && segment.flags.ack()
            && stray.is_acknowledged_by(segment.ack)
            && !self.halves[to].has_passed(segment.ack)
            && !self.halves[from].has_passed(segment.seq)
            && (own_fits || stray.ack.is_some_and(|ack| (0..=RUN_GAP).contains(&distance(ack, segment.seq))))
        {
            self.halves[to].jump(segment.ack);
            self.halves[from].jump(segment.seq);
            self.strays[to] = None;
            return self.fits_numbers(from, segment);
        }
        // Nothing of the other side is in the capture: the run itself must go on.
        let stray = Stray::of(segment);
        let goes_on = self.strays[from].is_some_and(|run| run.end == segment.seq && run.start != segment.seq);
        if goes_on && self.halves[to].stats.segments == 0 && !self.halves[from].has_passed(segment.seq) {
            self.halves[from].jump(segment.seq);
            self.strays[from] = None;
            return self.fits_numbers(from, segment);
        }
        let start = match self.strays[from] {
            Some(run) if run.is_followed_by(segment.seq) => run.start,
            _ => stray.start,
        };
        self.strays[from] = Some(Stray { start, ..stray });
        false
    }
}
