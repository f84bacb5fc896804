//! What a place has not seen of a connection's direction, though it was sent: between which instants that may have passed.

use super::numbers::later;
use crate::record::SegmentView;

/// Holes of a direction that are told apart; of more the last ones count as one.
const HOLES: usize = 4;

/// The holes of one direction, and where it goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes {
    /// The number behind the last byte, and when that was reached; once there is one.
    next: Option<(u32, u64)>,
    open: Vec<Hole>,
}

/// Bytes that were not seen: they passed after `since` and before `until`, by the place's clock.
#[derive(Clone, Copy, Debug)]
struct Hole {
    from: u32,
    to: u32,
    since: u64,
    until: u64,
}

impl Holes {
    /// A segment of the direction.
    pub(super) fn push(&mut self, view: &SegmentView<'_>) {
        let time = view.at.time.as_nanos();
        let first = view.seq.wrapping_add(u32::from(view.syn));
        let end = first.wrapping_add(view.len).wrapping_add(u32::from(view.fin));
        let is_whole = view.payload.len() == view.len as usize;
        let seen = if is_whole { end } else { first.wrapping_add(view.payload.len() as u32) };
        self.fill(first, seen);
        self.reach(first, time);
        self.advance(seen, time);
        // Of a packet that was cut the rest passed with it.
        self.reach(end, time);
    }

    /// The direction was sent up to a number, as one of its segments says, or an acknowledgment: what was not seen of it has passed.
    pub(super) fn reach(&mut self, number: u32, time: u64) {
        if let Some((from, since)) = self.advance(number, time) {
            self.add(Hole { from, to: number, since: since.min(time), until: time });
        }
    }

    /// When what was not seen may have passed: after the first, before the second.
    pub(super) fn times(&self) -> impl Iterator<Item = (u64, u64)> {
        self.open.iter().map(|hole| (hole.since, hole.until))
    }

    /// Goes on to a number, where that is further; from which one, and when that was reached.
    fn advance(&mut self, number: u32, time: u64) -> Option<(u32, u64)> {
        if self.next.is_some_and(|(next, _)| later(next, number) == next) {
            return None;
        }
        self.next.replace((number, time))
    }

    fn add(&mut self, hole: Hole) {
        if self.open.len() < HOLES {
            self.open.push(hole);
        } else if let Some(last) = self.open.last_mut() {
            (last.to, last.until) = (hole.to, last.until.max(hole.until));
            last.since = last.since.min(hole.since);
        }
    }

    /// These bytes have come after all. What they leave on both sides of them stays one hole.
    fn fill(&mut self, from: u32, to: u32) {
        self.open.retain_mut(|hole| {
            let is_begun = later(from, hole.from) == hole.from;
            let is_ended = later(to, hole.to) == to;
            if is_begun && !is_ended {
                hole.from = later(hole.from, to);
            } else if is_ended && !is_begun && later(from, hole.to) == hole.to {
                hole.to = from;
            }
            !(is_begun && is_ended)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::direction::Direction;
    use crate::base::endpoint::Endpoint;
    use crate::base::time::{Moment, Timestamp};

    fn segment(seq: u32, payload: &[u8], time: u64) -> SegmentView<'_> {
        let end = Endpoint { ip: [10, 0, 0, 1].into(), port: 1 };
        SegmentView {
            connection: 1,
            senders: [end, end],
            from: Direction::Forward,
            at: Moment { packet: time, time: Timestamp::from_nanos(time) },
            seq,
            len: payload.len() as u32,
            ack: None,
            syn: false,
            fin: false,
            ip_id: None,
            payload,
        }
    }

    /// Segments of ten bytes each, by number and time.
    fn holes(segments: &[(u32, u64)]) -> Holes {
        let mut holes = Holes::default();
        for &(seq, time) in segments {
            holes.push(&segment(seq, &[0; 10], time));
        }
        holes
    }

    fn times(holes: &Holes) -> Vec<(u64, u64)> {
        holes.times().collect()
    }

    #[test]
    fn what_was_jumped_over_is_a_hole_until_it_comes() {
        // Where the numbers wrap around.
        let start = u32::MAX - 14;
        let at = |tens: u32| start.wrapping_add(10 * tens);
        assert_eq!(times(&holes(&[(at(0), 1), (at(1), 2), (at(2), 3)])), []);
        let mut holed = holes(&[(at(0), 1), (at(3), 4)]);
        assert_eq!(times(&holed), [(1, 4)]);
        holed.push(&segment(at(1), &[0; 10], 5));
        assert_eq!(times(&holed), [(1, 4)]);
        holed.push(&segment(at(2), &[0; 10], 6));
        assert_eq!(times(&holed), []);
        holed.push(&segment(at(4), &[0; 10], 7));
        assert_eq!(times(&holed), []);
    }

    #[test]
    fn what_comes_in_pieces_and_from_behind_fills_a_hole() {
        let mut holed = holes(&[(0, 1), (40, 2), (30, 3), (5, 4)]);
        assert_eq!(times(&holed), [(1, 2)]);
        holed.push(&segment(15, &[0; 15], 5));
        assert_eq!(times(&holed), []);
    }

    #[test]
    fn what_is_acknowledged_and_was_not_seen_is_a_hole() {
        let mut holed = holes(&[(0, 1)]);
        holed.reach(10, 2);
        assert_eq!(times(&holed), []);
        holed.reach(20, 3);
        assert_eq!(times(&holed), [(1, 3)]);
        holed.push(&segment(10, &[0; 10], 4));
        assert_eq!(times(&holed), []);
        // Of a direction of which nothing was seen before, it is where it goes on.
        let mut late = Holes::default();
        late.reach(100, 1);
        assert_eq!(times(&late), []);
        late.push(&segment(110, &[0; 10], 2));
        assert_eq!(times(&late), [(1, 2)]);
    }

    #[test]
    fn the_rest_of_a_packet_that_was_cut_is_a_hole() {
        let mut holed = holes(&[(0, 1)]);
        holed.push(&SegmentView { len: 100, ..segment(10, &[0; 10], 2) });
        assert_eq!(times(&holed), [(2, 2)]);
        holed.push(&segment(110, &[0; 10], 3));
        assert_eq!(times(&holed), [(2, 2)]);
    }

    #[test]
    fn many_holes_are_few_that_span_them() {
        let segments: Vec<_> = (0..20).map(|at| (30 * at, u64::from(at))).collect();
        let holed = holes(&segments);
        assert_eq!(times(&holed), [(0, 1), (1, 2), (2, 3), (3, 19)]);
    }
}
