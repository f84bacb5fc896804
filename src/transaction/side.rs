//! What pairing knows of one side of a connection.

use super::reset::Awaited;
use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::record::{SideFrames, SideHpack, SideSettings};

/// One side's frames that were lost, one cannot know which.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    /// How often.
    pub(super) count: u64,
    /// Why, the last time.
    pub(super) cause: Option<GapCause>,
    /// The side was joined late.
    pub(super) late: bool,
    /// Where frames could be read again the last times, the latest first: no later than at these places of its TCP stream.
    pub(super) ends: [u64; KEPT_ENDS],
}

/// Losses of which it is remembered where they ended.
const KEPT_ENDS: usize = 4;

impl Losses {
    /// All that the side sent was read.
    pub(super) const fn none(&self) -> bool {
        self.count == 0 && !self.late
    }

    /// Frames were lost, before this place of the side's TCP stream.
    pub(super) fn add(&mut self, end: u64) {
        self.count += 1;
        self.ends.rotate_right(1);
        self.end_at(end);
    }

    /// Frames can be read again from this place on, after the last loss.
    pub(super) const fn end_at(&mut self, end: u64) {
        let [last, ..] = &mut self.ends;
        *last = end;
    }

    /// How often the side had lost frames before this place of its TCP stream, as far as is certain.
    pub(super) fn before(&self, place: Option<u64>) -> u64 {
        if self.count == 0 || self.are_before(place) {
            return self.count;
        }
        let behind = self.ends.iter().filter(|&&end| place.is_none_or(|place| end > place)).count();
        // Of those that are not remembered some may stand behind it, too.
        if behind == KEPT_ENDS { 0 } else { self.count.saturating_sub(behind as u64) }
    }

    /// All that is known to be lost stood before this place of its TCP stream.
    pub(super) fn are_before(&self, place: Option<u64>) -> bool {
        let [last, ..] = self.ends;
        place.is_some_and(|place| last <= place)
    }
}

/// One side: what of it is lost, and what the connection record needs.
#[derive(Debug, Default)]
pub(super) struct SideState {
    pub(super) losses: Losses,
    /// No segment of this side is in the capture.
    pub(super) unseen: bool,
    /// Its last request of which is known how much of the server's TCP stream it had received by then.
    pub(super) asked: Option<(u32, u64)>,
    /// Streams that the other side has reset: what this side had sent before is still to be read.
    pub(super) resets: Awaited,
    /// Highest stream that a header block of this side was on.
    pub(super) highest: u32,
    /// Highest stream that this side is known to have opened, and how often it had lost frames by then.
    pub(super) opened: Option<(u32, u64)>,
    pub(super) settings: SideSettings,
    pub(super) frames: SideFrames,
    pub(super) hpack: SideHpack,
    /// The last GOAWAY: last stream, error code, and when.
    pub(super) goaway: Option<(u32, u32, Moment)>,
}

impl SideState {
    /// A header block without known pseudo-header fields comes on a stream. Streams are opened in increasing order
    /// (RFC 9113 section 5.1.1): it opens the stream for certain, or the stream was opened before for certain.
    pub(super) fn opening(&self, stream: u32) -> (bool, bool) {
        match self.opened {
            Some((highest, _)) if stream <= highest => (false, true),
            Some((_, losses)) => (losses == self.losses.count, false),
            None => (false, false),
        }
    }

    /// The side has opened a stream.
    pub(super) fn opened(&mut self, stream: u32) {
        if self.opened.is_none_or(|(highest, _)| stream > highest) {
            self.opened = Some((stream, self.losses.count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_losses_those_behind_a_place_are_told_apart() {
        let mut losses = Losses::default();
        assert_eq!((losses.before(Some(0)), losses.before(None), losses.none()), (0, 0, true));
        for end in [100, 200, 200, 300, 400] {
            losses.add(end);
        }
        let before = |place| losses.before(Some(place));
        assert_eq!([500, 400, 399, 299, 199].map(before), [5, 5, 4, 3, 0]);
        assert_eq!((before(99), losses.before(None)), (0, 0), "the first is forgotten");
        assert!(losses.are_before(Some(400)) && !losses.are_before(Some(399)) && !losses.are_before(None));
        losses.end_at(500);
        assert_eq!((losses.before(Some(499)), losses.before(Some(500))), (4, 5));
    }
}
