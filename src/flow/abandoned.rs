//! Holes that were given up: what comes for them later was not sent again, for all that is known.

use super::Span;
use crate::base::tuning;

/// The holes of one direction that were given up last, in order.
#[derive(Debug, Default)]
pub(super) struct Abandoned(Vec<Span>);

impl Abandoned {
    /// A hole is given up.
    pub(super) fn note(&mut self, hole: Span) {
        if self.0.len() >= tuning::GAPS_REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(hole);
    }

    /// These bytes come. Whether some of them had not come before: those are of a hole, and fill it.
    pub(super) fn fill(&mut self, bytes: Span) -> bool {
        let Some(at) = self.0.iter().position(|hole| hole.start < bytes.end && bytes.start < hole.end) else {
            return false;
        };
        let hole = self.0.remove(at);
        let rests = [Span { start: hole.start, end: bytes.start }, Span { start: bytes.end, end: hole.end }];
        for rest in rests.into_iter().rev().filter(|rest| rest.start < rest.end) {
            self.0.insert(at, rest);
        }
        // A segment may reach over several.
        self.fill(bytes);
        self.0.truncate(tuning::GAPS_REMEMBERED);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(start: u64, end: u64) -> Span {
        Span { start, end }
    }

    #[test]
    fn each_byte_of_a_hole_comes_once() {
        let mut holes = Abandoned::default();
        assert!(!holes.fill(span(0, 10)));
        holes.note(span(10, 20));
        holes.note(span(30, 40));
        assert!(!holes.fill(span(0, 10)));
        assert!(holes.fill(span(12, 14)));
        assert!(!holes.fill(span(12, 14)), "it was sent again");
        assert!(holes.fill(span(13, 35)));
        assert!(!holes.fill(span(14, 35)));
        assert!(holes.fill(span(10, 12)) && holes.fill(span(35, 40)));
        assert!(holes.0.is_empty());
    }

    #[test]
    fn the_latest_holes_are_remembered() {
        let mut holes = Abandoned::default();
        let count = tuning::GAPS_REMEMBERED as u64 + 1;
        (0..count).for_each(|at| holes.note(span(at * 10, at * 10 + 5)));
        assert!(!holes.fill(span(0, 5)));
        assert!(holes.fill(span(10, 15)) && holes.fill(span(count * 10 - 10, count * 10)));
    }
}
