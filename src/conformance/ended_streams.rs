//! The streams of one parity that are over, and how each side left them.

use crate::base::limits;
use std::collections::VecDeque;

/// How a stream was left: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EndedBy(u8);

impl EndedBy {
    /// The client had sent `END_STREAM`.
    pub(super) const CLIENT_ENDED: Self = Self(1);
    /// The server had.
    pub(super) const SERVER_ENDED: Self = Self(1 << 1);
    /// The client had sent `RST_STREAM`.
    pub(super) const CLIENT_RESET: Self = Self(1 << 2);
    /// The server had.
    pub(super) const SERVER_RESET: Self = Self(1 << 3);
    /// It was open.
    pub(super) const OPENED: Self = Self(1 << 4);
    /// It was given up, and may still be open.
    pub(super) const FORGOTTEN: Self = Self(1 << 5);

    /// It was open, and both sides had sent `END_STREAM`.
    pub(super) const ANSWERED: Self = Self::OPENED.with(Self::CLIENT_ENDED).with(Self::SERVER_ENDED);

    /// All of `other` is in it.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With `other` in it too.
    #[must_use]
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const NOTHING: Self = Self(0);
}

/// The streams of one parity that are over, the newest of them.
#[derive(Debug, Default)]
pub(super) struct EndedStreams {
    /// Position (identifier / 2) of the first.
    base: u32,
    left: VecDeque<EndedBy>,
    /// Streams were forgotten.
    moved: bool,
}

/// Streams of one parity that are remembered.
const WINDOW: u32 = limits::RULE_STREAMS_ENDED;

impl EndedStreams {
    /// Adds to how a stream was left. One that is older than what is remembered stays forgotten.
    pub(super) fn add(&mut self, stream: u32, left: EndedBy) {
        let position = stream / 2;
        if self.left.is_empty() {
            self.base = position.saturating_sub(WINDOW / 2);
        }
        let Some(offset) = position.checked_sub(self.base) else { return };
        if offset >= WINDOW {
            let gone = (offset - WINDOW + 1).max(WINDOW / 4);
            self.left.drain(..self.left.len().min(gone as usize));
            self.base += gone;
            self.moved = true;
        }
        let index = (position - self.base) as usize;
        if index == self.left.len() {
            // Streams mostly end in the order of their identifiers.
            return self.left.push_back(left);
        }
        if index > self.left.len() {
            self.left.resize(index + 1, EndedBy::NOTHING);
        }
        if let Some(slot) = self.left.get_mut(index) {
            *slot = slot.with(left);
        }
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.left.capacity() * size_of::<EndedBy>()
    }

    /// How the stream was left was known and is forgotten.
    pub(super) const fn is_forgotten(&self, stream: u32) -> bool {
        self.moved && stream / 2 < self.base
    }

    /// How a stream was left; `None` if it is not among those that are over. Older ones than are remembered count
    /// as [`EndedBy::FORGOTTEN`].
    pub(super) fn get(&self, stream: u32) -> Option<EndedBy> {
        let Some(offset) = (stream / 2).checked_sub(self.base) else { return Some(EndedBy::FORGOTTEN) };
        self.left.get(offset as usize).copied().filter(|&left| left != EndedBy::NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_remembered() {
        let mut ended_streams = EndedStreams::default();
        for stream in (1..40_000).step_by(2) {
            assert_eq!(ended_streams.get(stream), None);
            ended_streams.add(stream, EndedBy::OPENED);
            ended_streams.add(stream, EndedBy::CLIENT_ENDED);
            assert_eq!(ended_streams.get(stream), Some(EndedBy::OPENED.with(EndedBy::CLIENT_ENDED)));
        }
        assert_eq!(ended_streams.get(1), Some(EndedBy::FORGOTTEN));
        assert!(ended_streams.get(39_999 - WINDOW).is_some_and(|left| left.has(EndedBy::OPENED)));
        assert!(ended_streams.left.len() <= WINDOW as usize);
    }

    #[test]
    fn cap_rule_streams_ended() {
        let mut ended_streams = EndedStreams::default();
        let most = limits::RULE_STREAMS_ENDED;
        for position in 0..most {
            ended_streams.add(2 * position + 1, EndedBy::OPENED);
            assert!(!ended_streams.is_forgotten(1) && ended_streams.get(1) == Some(EndedBy::OPENED));
        }
        ended_streams.add(2 * most + 1, EndedBy::OPENED);
        assert!(ended_streams.is_forgotten(1) && ended_streams.get(1) == Some(EndedBy::FORGOTTEN));
        let kept = 2 * (most / 4) + 1;
        assert!(
            !ended_streams.is_forgotten(kept) && ended_streams.get(kept) == Some(EndedBy::OPENED),
            "a quarter is forgotten"
        );
    }

    #[test]
    fn far_jumps_are_cheap_and_forget() {
        let mut ended_streams = EndedStreams::default();
        ended_streams.add(1, EndedBy::OPENED);
        ended_streams.add(0x7fff_ffff, EndedBy::OPENED);
        assert_eq!(ended_streams.get(1), Some(EndedBy::FORGOTTEN));
        assert_eq!(ended_streams.get(0x7fff_fffd), None);
        ended_streams.add(3, EndedBy::OPENED);
        assert_eq!(ended_streams.get(3), Some(EndedBy::FORGOTTEN));
        assert!(ended_streams.left.len() <= WINDOW as usize);
    }
}
