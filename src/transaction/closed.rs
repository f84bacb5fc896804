//! Which streams have ended: late frames of them must not look like new exchanges.

use crate::base::limits;
use std::collections::VecDeque;

/// Stream identifiers of one parity that are remembered, from the newest down.
const WINDOW: u32 = limits::ENDED_STREAMS;

/// The ended streams of a connection, in a window over each parity's identifiers.
#[derive(Debug, Default)]
pub(super) struct ClosedStreams {
    odd: Window,
    even: Window,
}

#[derive(Debug, Default)]
struct Window {
    /// Position (identifier / 2) of the first bit; a multiple of 64.
    base: u32,
    words: VecDeque<u64>,
    /// Streams were forgotten.
    moved: bool,
}

impl ClosedStreams {
    /// Remembers that a stream has ended.
    pub(super) fn insert(&mut self, stream: u32) {
        self.window(stream).insert(stream / 2);
    }

    /// The stream has ended; `below` is the answer for those older than what is remembered.
    pub(super) fn contains(&self, stream: u32, below: bool) -> bool {
        let window = if stream.is_multiple_of(2) { &self.even } else { &self.odd };
        window.contains(stream / 2, below)
    }

    /// Whether the stream has ended was known and is forgotten.
    pub(super) fn is_forgotten(&self, stream: u32) -> bool {
        let window = if stream.is_multiple_of(2) { &self.even } else { &self.odd };
        window.moved && stream / 2 < window.base
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        (self.odd.words.capacity() + self.even.words.capacity()) * size_of::<u64>()
    }

    fn window(&mut self, stream: u32) -> &mut Window {
        if stream.is_multiple_of(2) { &mut self.even } else { &mut self.odd }
    }
}

impl Window {
    fn insert(&mut self, position: u32) {
        if self.words.is_empty() {
            self.base = (position & !63).saturating_sub(WINDOW / 4);
        }
        if position < self.base {
            return;
        }
        let index = ((position - self.base) / 64) as usize;
        let most = (WINDOW / 64) as usize;
        if index >= self.words.len() + most {
            self.words.clear();
            self.moved = true;
            self.base = (position & !63) - (WINDOW - 64);
            self.words.resize(most, 0);
        }
        let index = ((position - self.base) / 64) as usize;
        while index >= self.words.len() {
            self.words.push_back(0);
        }
        while self.words.len() > most {
            self.words.pop_front();
            self.moved = true;
            self.base += 64;
        }
        let index = ((position - self.base) / 64) as usize;
        if let Some(word) = self.words.get_mut(index) {
            *word |= 1 << (position % 64);
        }
    }

    fn contains(&self, position: u32, below: bool) -> bool {
        let Some(offset) = position.checked_sub(self.base) else { return below && !self.words.is_empty() };
        self.words.get((offset / 64) as usize).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_a_window() {
        let mut closed = ClosedStreams::default();
        for stream in (1..100_000).step_by(2) {
            assert!(!closed.contains(stream, true));
            closed.insert(stream);
            assert!(closed.contains(stream, false));
        }
        assert!(closed.contains(99_999 - 2 * (WINDOW - 128), false));
        assert!(closed.contains(1, true) && !closed.contains(1, false));
        assert!(!closed.contains(99_998, true), "the other parity is apart");
        assert!(closed.odd.words.len() <= WINDOW as usize / 64);
    }

    /// The window moves by words: at the end of one it has as many streams as it may.
    #[test]
    fn cap_ended_streams() {
        let mut closed = ClosedStreams::default();
        for position in 0..limits::ENDED_STREAMS {
            closed.insert(2 * position + 1);
            assert!(!closed.is_forgotten(1) && closed.contains(1, false));
        }
        closed.insert(2 * limits::ENDED_STREAMS + 1);
        assert!(closed.is_forgotten(1) && !closed.contains(1, false) && closed.contains(1, true));
        assert!(!closed.is_forgotten(129) && closed.contains(129, false), "those of one word are forgotten");
        assert!(!closed.is_forgotten(2), "the other parity is apart");
    }

    #[test]
    fn far_jumps_and_late_starts_are_cheap() {
        let mut closed = ClosedStreams::default();
        closed.insert(0x7fff_ffff);
        assert!(closed.contains(0x7fff_ffff, false) && !closed.contains(0x7fff_fffd, false));
        let mut closed = ClosedStreams::default();
        closed.insert(100_001);
        closed.insert(99_001);
        closed.insert(2_000_001);
        assert!(closed.contains(2_000_001, false));
    }
}
