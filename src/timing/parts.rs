//! The parts of an exchange's time, and, where that is asked for, in which order they came.

use crate::base::limits;
use crate::record::{TimePart, TimeParts};

/// Time that is being divided.
#[derive(Debug, Default)]
pub(super) struct Division {
    parts: TimeParts,
    /// What was added, one behind the other, where that is asked for.
    pieces: Option<Box<Pieces>>,
}

#[derive(Debug, Default)]
struct Pieces {
    list: Vec<(TimePart, u64)>,
    /// What came when there were too many.
    more: TimeParts,
    limited: bool,
}

impl Division {
    /// Nothing yet. With `pieces` their order is kept.
    pub(super) fn new(pieces: bool) -> Self {
        Self { parts: TimeParts::default(), pieces: pieces.then(Box::default) }
    }

    /// Of one part.
    pub(super) fn get(&self, part: TimePart) -> u64 {
        self.parts.get(part)
    }

    /// Adds to one part.
    pub(super) fn add(&mut self, part: TimePart, nanos: u64) {
        self.parts.add(part, nanos);
        if let Some(pieces) = &mut self.pieces {
            pieces.add(part, nanos);
        }
    }

    /// Takes from one part as much of this as it has; what is left over.
    pub(super) fn take(&mut self, part: TimePart, nanos: u64) -> u64 {
        let left = self.parts.take(part, nanos);
        if let Some(pieces) = &mut self.pieces {
            pieces.take(part, nanos - left);
        }
        left
    }

    /// Makes the parts add up to this: see [`TimeParts::fit`].
    pub(super) fn fit(&mut self, total: u64) {
        let Some(pieces) = &mut self.pieces else { return self.parts.fit(total) };
        let before = self.parts;
        self.parts.fit(total);
        for part in TimePart::ALL {
            let (before, after) = (before.get(part), self.parts.get(part));
            pieces.take(part, before.saturating_sub(after));
            pieces.add(part, after.saturating_sub(before));
        }
    }

    /// All parts.
    pub(super) const fn all(&self) -> TimeParts {
        self.parts
    }

    /// Their pieces in order, and whether there were too many: the last ones are then put together.
    pub(super) fn take_pieces(&mut self) -> (Vec<(TimePart, u64)>, bool) {
        let Some(pieces) = self.pieces.take() else { return (Vec::new(), false) };
        let Pieces { mut list, more, limited } = *pieces;
        let more = TimePart::ALL.into_iter().map(|part| (part, more.get(part)));
        list.extend(more.filter(|&(_, nanos)| nanos > 0));
        (list, limited)
    }
}

impl Pieces {
    fn add(&mut self, part: TimePart, nanos: u64) {
        if nanos == 0 {
            return;
        }
        let room = self.list.len() < limits::TIME_PIECES && !self.limited;
        match self.list.last_mut() {
            Some((last, own)) if *last == part && !self.limited => *own = own.saturating_add(nanos),
            _ if room => self.list.push((part, nanos)),
            _ => {
                self.limited = true;
                self.more.add(part, nanos);
            }
        }
    }

    /// The latest ones go first.
    fn take(&mut self, part: TimePart, nanos: u64) {
        let mut left = self.more.take(part, nanos);
        for (_, own) in self.list.iter_mut().rev().filter(|(of, _)| *of == part) {
            if left == 0 {
                return;
            }
            let taken = left.min(*own);
            *own -= taken;
            left -= taken;
        }
        self.list.retain(|&(_, own)| own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimePart::{OtherStreams, Transfer, Wait};

    #[test]
    fn pieces_keep_their_order_and_add_up() {
        let mut division = Division::new(true);
        for (part, nanos) in [(Transfer, 5), (Transfer, 2), (Wait, 10), (OtherStreams, 4), (Wait, 0)] {
            division.add(part, nanos);
        }
        assert_eq!(division.take(OtherStreams, 3), 0);
        division.add(Transfer, 3);
        division.fit(30);
        let (pieces, limited) = division.take_pieces();
        assert_eq!(pieces, [(Transfer, 7), (Wait, 10), (OtherStreams, 1), (Transfer, 12)]);
        assert_eq!((division.all().sum(), limited), (30, false));
    }

    #[test]
    fn what_is_too_much_is_taken_from_the_end() {
        let mut division = Division::new(true);
        for (part, nanos) in [(Transfer, 5), (Wait, 10), (Transfer, 4)] {
            division.add(part, nanos);
        }
        division.fit(12);
        assert_eq!(division.take_pieces().0, [(Transfer, 2), (Wait, 10)]);
    }

    #[test]
    fn cap_time_pieces() {
        for count in [limits::TIME_PIECES, limits::TIME_PIECES + 1, 2 * limits::TIME_PIECES] {
            let mut division = Division::new(true);
            for at in 0..count {
                division.add(if at % 2 == 0 { Transfer } else { OtherStreams }, 1);
            }
            let (pieces, limited) = division.take_pieces();
            assert_eq!(pieces.iter().map(|(_, nanos)| nanos).sum::<u64>(), division.all().sum());
            assert_eq!(limited, count > limits::TIME_PIECES);
            assert!(pieces.len() <= limits::TIME_PIECES + 2);
        }
    }

    #[test]
    fn without_being_asked_nothing_is_kept() {
        let mut division = Division::new(false);
        division.add(Wait, 1);
        assert!(division.take_pieces().0.is_empty());
    }
}
