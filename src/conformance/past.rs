//! The streams of one parity that are over, and how each side left them.

use crate::base::limits;
use std::collections::VecDeque;

/// How a stream was left: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left(u8);

impl Left {
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
pub(super) struct Past {
    /// Position (identifier / 2) of the first.
    base: u32,
    left: VecDeque<Left>,
    /// Streams were forgotten.
    moved: bool,
}

/// Streams of one parity that are remembered.
const WINDOW: u32 = limits::RULE_STREAMS_ENDED;

impl Past {
    /// Adds to how a stream was left. One that is older than what is remembered stays forgotten.
    pub(super) fn add(&mut self, stream: u32, left: Left) {
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
        if index >= self.left.len() {
            self.left.resize(index + 1, Left::NOTHING);
        }
        if let Some(slot) = self.left.get_mut(index) {
            *slot = slot.with(left);
        }
    }

    /// How the stream was left was known and is forgotten.
    pub(super) const fn is_forgotten(&self, stream: u32) -> bool {
        self.moved && stream / 2 < self.base
    }

    /// How a stream was left; `None` if it is not among those that are over. Older ones than are remembered count
    /// as [`Left::FORGOTTEN`].
    pub(super) fn get(&self, stream: u32) -> Option<Left> {
        let Some(offset) = (stream / 2).checked_sub(self.base) else { return Some(Left::FORGOTTEN) };
        self.left.get(offset as usize).copied().filter(|&left| left != Left::NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_remembered() {
        let mut past = Past::default();
        for stream in (1..40_000).step_by(2) {
            assert_eq!(past.get(stream), None);
            past.add(stream, Left::OPENED);
            past.add(stream, Left::CLIENT_ENDED);
            assert_eq!(past.get(stream), Some(Left::OPENED.with(Left::CLIENT_ENDED)));
        }
        assert_eq!(past.get(1), Some(Left::FORGOTTEN));
        assert!(past.get(39_999 - WINDOW).is_some_and(|left| left.has(Left::OPENED)));
        assert!(past.left.len() <= WINDOW as usize);
    }

    #[test]
    fn cap_rule_streams_ended() {
        let mut past = Past::default();
        let most = limits::RULE_STREAMS_ENDED;
        for position in 0..most {
            past.add(2 * position + 1, Left::OPENED);
            assert!(!past.is_forgotten(1) && past.get(1) == Some(Left::OPENED));
        }
        past.add(2 * most + 1, Left::OPENED);
        assert!(past.is_forgotten(1) && past.get(1) == Some(Left::FORGOTTEN));
        let kept = 2 * (most / 4) + 1;
        assert!(!past.is_forgotten(kept) && past.get(kept) == Some(Left::OPENED), "a quarter is forgotten");
    }

    #[test]
    fn far_jumps_are_cheap_and_forget() {
        let mut past = Past::default();
        past.add(1, Left::OPENED);
        past.add(0x7fff_ffff, Left::OPENED);
        assert_eq!(past.get(1), Some(Left::FORGOTTEN));
        assert_eq!(past.get(0x7fff_fffd), None);
        past.add(3, Left::OPENED);
        assert_eq!(past.get(3), Some(Left::FORGOTTEN));
        assert!(past.left.len() <= WINDOW as usize);
    }
}
