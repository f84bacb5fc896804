//! On which other streams a side broke a rule again, so that an error that is named on one of them can be justified.

use crate::base::limits;
use crate::http2::{Anomaly, Side};
use std::collections::VecDeque;

/// A violation on another stream than the one where it was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    /// Where it was first seen on this stream: the packet's number.
    pub(super) packet: u64,
    /// Which stream.
    pub(super) stream: u32,
    /// Who did it.
    pub(super) from: Side,
    /// What.
    pub(super) anomaly: Anomaly,
}

/// The newest of a connection's, at most [`limits::REPEATS`]. Costs nothing while there is none.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    newest: VecDeque<Repeat>,
}

impl Repeats {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.newest.capacity() * size_of::<Repeat>()
    }

    /// Keeps this one, and of each stream the earliest. The oldest, where that has to go for it.
    pub(super) fn add(&mut self, repeat: Repeat) -> Option<Repeat> {
        let same = |other: &&mut Repeat| {
            (other.from, other.anomaly, other.stream) == (repeat.from, repeat.anomaly, repeat.stream)
        };
        // The newest first: a side that goes on does so where it is.
        if let Some(known) = self.newest.iter_mut().rev().find(same) {
            known.packet = known.packet.min(repeat.packet);
            return None;
        }
        let gone = (self.newest.len() >= limits::REPEATS).then(|| self.newest.pop_front()).flatten();
        self.newest.push_back(repeat);
        gone
    }

    /// Those of one side.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = &Repeat> {
        self.newest.iter().filter(move |repeat| repeat.from == side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(stream: u32, packet: u64) -> Repeat {
        Repeat { packet, stream, from: Side::Client, anomaly: Anomaly::FieldUppercase }
    }

    #[test]
    fn cap_repeats() {
        let mut repeats = Repeats::default();
        for n in 0..limits::REPEATS as u32 {
            assert_eq!(repeats.add(repeat(2 * n + 1, n.into())), None);
        }
        assert_eq!(repeats.add(repeat(1, 90)), None, "it is there");
        assert_eq!(repeats.add(repeat(9001, 91)), Some(repeat(1, 0)), "the oldest goes");
        assert_eq!(repeats.of(Side::Client).count(), limits::REPEATS);
        assert_eq!(repeats.of(Side::Server).count(), 0);
    }
}
