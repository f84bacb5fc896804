//! The text of the dynamic table: one buffer, in which entries follow one another in the order of their insertion.
//!
//! ```text
//! |  gone  |  entry · entry · entry  |  staged  |  free  |
//!          start                     end        top
//! ```
//!
//! What is being decoded is staged behind the newest entry. It becomes an entry without being moved, or is
//! forgotten. The space of evicted entries is taken back when room is needed: each byte is moved a bounded number of
//! times.

use super::{huffman, outcome::ErrorKind};
use crate::base::tuning;

/// Free room is made in steps of this many bytes.
const STEP: usize = 256;

/// A piece of text in the arena. Stays valid when text is moved, until its entry is evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Bytes ever staged and kept before it, modulo 2^32.
    pub(super) pos: u32,
    /// Length in bytes.
    pub(super) len: u32,
}

/// The buffer.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// All of it initialized; `start`, `end` and `top` are offsets in it.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    top: usize,
    /// Position of the first byte.
    base: u32,
}

impl Arena {
    /// The text at `span`.
    #[inline]
    pub(super) fn text(&self, span: Span) -> &[u8] {
        let at = span.pos.wrapping_sub(self.base) as usize;
        self.bytes.get(at..at + span.len as usize).unwrap_or_default()
    }

    /// Stages `text`.
    pub(super) fn stage(&mut self, text: &[u8]) -> Span {
        if let Some(place) = self.room(text.len()).get_mut(..text.len()) {
            place.copy_from_slice(text);
        }
        self.staged(text.len())
    }

    /// Stages a copy of text that is in the arena already.
    pub(super) fn stage_copy(&mut self, span: Span) -> Span {
        let len = span.len as usize;
        self.room(len);
        let at = span.pos.wrapping_sub(self.base) as usize;
        if at + len <= self.top {
            self.bytes.copy_within(at..at + len, self.top);
        }
        self.staged(len)
    }

    /// Stages the text that `coded` stands for.
    ///
    /// # Errors
    /// As [`huffman::decode`]; nothing is staged then.
    pub(super) fn stage_huffman(&mut self, coded: &[u8]) -> Result<Span, ErrorKind> {
        let room = self.room(huffman::room(coded.len()));
        let len = huffman::decode(coded, room)?;
        Ok(self.staged(len))
    }

    /// Forgets all staged text.
    pub(super) fn unstage(&mut self) {
        self.top = self.end;
    }

    /// Makes the staged text an entry's, and returns its position.
    pub(super) fn keep(&mut self) -> u32 {
        let pos = self.base.wrapping_add(self.end as u32);
        self.end = self.top;
        pos
    }

    /// Gives up the oldest `len` bytes.
    pub(super) fn release(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Gives up all entries and what is staged.
    pub(super) fn clear(&mut self) {
        self.start = self.top;
        self.end = self.top;
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns memory that a long string took, when far more is held than the entries need.
    #[inline]
    pub(super) fn shrink(&mut self) {
        if self.bytes.len() > tuning::HPACK_SCRATCH {
            self.shrink_large();
        }
    }

    #[cold]
    fn shrink_large(&mut self) {
        let live = self.end - self.start;
        if self.bytes.len() > 4 * live {
            self.unstage();
            self.reallocate(live + live / 2);
        }
    }

    /// The free space, at least `len` bytes.
    #[inline]
    fn room(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() - self.top < len {
            self.make_room(len);
        }
        self.bytes.get_mut(self.top..).unwrap_or_default()
    }

    /// Moves the text to the front, and to a larger buffer unless a good part of this one becomes free.
    #[cold]
    fn make_room(&mut self, len: usize) {
        let live = self.top - self.start;
        if live + len + live / 2 > self.bytes.len() {
            self.reallocate(live + len + live / 2);
        } else {
            self.bytes.copy_within(self.start..self.top, 0);
            self.moved_to_front();
        }
    }

    fn reallocate(&mut self, len: usize) {
        let mut bytes = Vec::with_capacity(len.next_multiple_of(STEP));
        bytes.extend_from_slice(self.bytes.get(self.start..self.top).unwrap_or_default());
        bytes.resize(len.next_multiple_of(STEP), 0);
        self.bytes = bytes;
        self.moved_to_front();
    }

    fn moved_to_front(&mut self) {
        self.base = self.base.wrapping_add(self.start as u32);
        self.end -= self.start;
        self.top -= self.start;
        self.start = 0;
    }

    fn staged(&mut self, len: usize) -> Span {
        let pos = self.base.wrapping_add(self.top as u32);
        self.top += len;
        Span { pos, len: len as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn text_stays_where_it_is_named_while_the_buffer_moves() {
        let mut arena = Arena { base: u32::MAX - 1000, ..Arena::default() };
        let mut kept: VecDeque<(Span, Vec<u8>)> = VecDeque::new();
        for round in 0..5000usize {
            let text = vec![round as u8; round * 7 % 90];
            let staged = arena.stage(&text);
            let copied = arena.stage_copy(staged);
            if round % 3 == 0 {
                arena.unstage();
            } else {
                assert_eq!(arena.keep(), staged.pos);
                kept.push_back((staged, text.clone()));
                kept.push_back((copied, text));
            }
            while kept.len() > 40 {
                let (span, _) = kept.pop_front().unwrap();
                arena.release(span.len as usize);
            }
            for (span, text) in &kept {
                assert_eq!(arena.text(*span), text);
            }
        }
        assert!(arena.memory() < 40 * 90 * 3, "{} bytes", arena.memory());
    }

    #[test]
    fn a_long_string_does_not_keep_its_memory() {
        let mut arena = Arena::default();
        let entry = arena.stage(b"entry");
        arena.keep();
        arena.stage(&vec![0; 4 * tuning::HPACK_SCRATCH]);
        arena.unstage();
        assert!(arena.memory() > 4 * tuning::HPACK_SCRATCH);
        arena.shrink();
        assert_eq!(arena.memory(), STEP);
        assert_eq!(arena.text(entry), b"entry");
    }

    #[test]
    fn bad_huffman_stages_nothing() {
        let mut arena = Arena::default();
        let before = arena.stage(b"x");
        assert!(arena.stage_huffman(&[0xff; 9]).is_err());
        let after = arena.stage(b"y");
        assert_eq!(after.pos, before.pos.wrapping_add(1));
    }
}
