//! What is kept of one direction's bytes, so that it can be told whether another capture has the same ones.

use crate::base::tuning;
use foldhash::quality::FixedState;
use memchr::memmem;
use std::hash::{BuildHasher, Hasher};

/// Bytes of a block.
const BLOCK: usize = 64;
/// Bytes of a word of [`Whole`].
const WORD: usize = 8;
/// How the connection preface begins (RFC 9113 section 3.4): what every connection has in common.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// A block of the stream: where it begins, and a hash of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    /// Its place, counted in blocks.
    pub(super) place: u32,
    pub(super) hash: u64,
}

/// A sample of a stream's blocks, which begin at multiples of their size. Which blocks are kept depends on their place
/// alone: of two captures of a stream the samples have blocks in common wherever both have seen it.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    /// Of the next byte in order; `None` before the first.
    next: Option<u32>,
    held: Vec<u8>,
    kept: Vec<Block>,
    /// Only places whose hash ends in so many zeros are kept.
    level: u32,
}

impl Blocks {
    /// Bytes that begin at this number. What was seen before is passed over, and so are blocks with a hole.
    pub(super) fn push(&mut self, from: u32, bytes: &[u8]) {
        let ahead = self.next.map_or(0, |next| from.wrapping_sub(next) as i32);
        let seen = ahead.min(0).unsigned_abs();
        let Some(mut rest) = bytes.get(seen as usize..).filter(|rest| !rest.is_empty()) else { return };
        let mut at = from.wrapping_add(seen);
        if ahead > 0 {
            self.held.clear();
        }
        while !rest.is_empty() {
            let inside = at as usize % BLOCK;
            let (now, later) = rest.split_at((BLOCK - inside).min(rest.len()));
            if now.len() == BLOCK {
                self.keep(at, now);
            } else if self.held.len() == inside {
                self.held.extend_from_slice(now);
                if self.held.len() == BLOCK {
                    let held = std::mem::take(&mut self.held);
                    self.keep(at.wrapping_sub(inside as u32), &held);
                    self.held = held;
                    self.held.clear();
                }
            }
            at = at.wrapping_add(now.len() as u32);
            rest = later;
        }
        self.next = Some(at);
    }

    /// Only counts: there is no room for more of the sample.
    pub(super) fn pass(&mut self, from: u32, len: usize) {
        self.held.clear();
        let end = from.wrapping_add(len as u32);
        if self.next.is_none_or(|next| end.wrapping_sub(next) as i32 > 0) {
            self.next = Some(end);
        }
    }

    /// The sample, by place.
    pub(super) fn kept(&self) -> &[Block] {
        &self.kept
    }

    /// How many blocks both have seen and sampled, and whether one of them differs.
    pub(super) fn compare(&self, other: &Self) -> (usize, bool) {
        let (mut equal, mut differs) = (0, false);
        let mut theirs: Vec<_> = other.kept.clone();
        theirs.sort_unstable();
        for block in &self.kept {
            // A stream that is longer than its numbers has several blocks in one place.
            let from = theirs.partition_point(|their| their.place < block.place);
            let mut there =
                theirs.iter().skip(from).take_while(|their| their.place == block.place).peekable();
            if there.peek().is_none() {
                continue;
            }
            if there.any(|their| their.hash == block.hash) {
                equal += 1;
            } else {
                differs = true;
            }
        }
        (equal, differs)
    }

    fn keep(&mut self, from: u32, bytes: &[u8]) {
        let place = from / BLOCK as u32;
        if !self.is_sampled(place) || memmem::find(bytes, PREFACE).is_some() {
            return;
        }
        self.kept.push(Block { place, hash: hash(bytes) });
        while self.kept.len() > tuning::JOIN_BLOCKS_DIRECTION {
            self.level += 1;
            let level = self.level;
            self.kept.retain(|block| trailing(block.place) >= level);
        }
    }

    fn is_sampled(&self, place: u32) -> bool {
        self.level == 0 || trailing(place) >= self.level
    }
}

/// All bytes of a direction from its first on, as far as they came in order: how many, and a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    pub(super) len: u64,
    /// Of all whole words of eight bytes.
    hash: u64,
    /// What there is of the next word.
    word: u64,
    /// Something is missing from it.
    pub(super) holed: bool,
}

impl Whole {
    /// The next bytes, which begin so many behind the first.
    pub(super) fn push(&mut self, offset: u64, bytes: &[u8]) {
        let Some(new) = self.len.checked_sub(offset).map(|seen| bytes.get(seen as usize..)) else {
            self.holed = true;
            return;
        };
        let Some(new) = new.filter(|new| !new.is_empty() && !self.holed) else { return };
        // Word by word from the first byte on: whatever the pieces, the hash is the same.
        let (head, rest) = new.split_at(new.len().min(self.len.wrapping_neg() as usize % WORD));
        for &byte in head {
            self.add(byte);
        }
        let (words, tail) = rest.as_chunks::<WORD>();
        for &word in words {
            self.mix(u64::from_le_bytes(word));
        }
        self.len += (words.len() * WORD) as u64;
        for &byte in tail {
            self.add(byte);
        }
    }

    /// Adds a byte to the word that is not whole.
    fn add(&mut self, byte: u8) {
        self.word |= u64::from(byte) << (8 * (self.len % WORD as u64));
        self.len += 1;
        if self.len.is_multiple_of(WORD as u64) {
            let word = std::mem::take(&mut self.word);
            self.mix(word);
        }
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word ^ 0x9e37).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }
}

/// A hash of bytes, the same in each run.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0x6a6f_696e).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

fn trailing(place: u32) -> u32 {
    place.wrapping_mul(0x9e37_79b1).rotate_left(16).wrapping_mul(0x85eb_ca6b).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    }

    fn blocks(from: u32, bytes: &[u8], piece: usize) -> Blocks {
        let mut blocks = Blocks::default();
        for (at, piece) in bytes.chunks(piece).scan(from, |at, piece| {
            let start = *at;
            *at = at.wrapping_add(piece.len() as u32);
            Some((start, piece))
        }) {
            blocks.push(at, piece);
        }
        blocks
    }

    #[test]
    fn blocks_are_the_same_however_the_bytes_are_cut() {
        let bytes = bytes(5000);
        let whole = blocks(0xffff_f000, &bytes, 5000);
        assert!(whole.kept().len() >= 70, "{}", whole.kept().len());
        for piece in [1, 7, 64, 65, 1460] {
            assert_eq!(blocks(0xffff_f000, &bytes, piece).kept(), whole.kept(), "{piece}");
        }
    }

    #[test]
    fn who_joins_late_has_blocks_in_common() {
        let bytes = bytes(400_000);
        let whole = blocks(77, &bytes, 1460);
        assert!(whole.kept().len() <= tuning::JOIN_BLOCKS_DIRECTION);
        let late = blocks(77 + 200_000, &bytes[200_000..], 1000);
        let (equal, differs) = late.compare(&whole);
        assert!(equal > 20 && !differs, "{equal}");
        let mut other = bytes.clone();
        for byte in &mut other {
            *byte ^= 1;
        }
        assert_eq!(late.compare(&blocks(77, &other, 1460)).0, 0);
    }

    #[test]
    fn copies_change_nothing_and_holes_cost_their_blocks() {
        let bytes = bytes(1000);
        let mut seen = Blocks::default();
        seen.push(0, &bytes[..300]);
        seen.push(100, &bytes[100..200]);
        seen.push(200, &bytes[200..400]);
        seen.push(500, &bytes[500..]);
        seen.push(400, &bytes[400..500]);
        let all = blocks(0, &bytes, 1000);
        assert_eq!(seen.kept().iter().filter(|block| !all.kept().contains(block)).count(), 0);
        assert_eq!(seen.kept().len() + 2, all.kept().len());
    }

    #[test]
    fn the_whole_is_the_same_however_the_bytes_are_cut() {
        let bytes = bytes(100);
        let whole = |bytes: &[u8], piece: usize| {
            let mut whole = Whole::default();
            bytes.chunks(piece).enumerate().for_each(|(at, chunk)| whole.push((at * piece) as u64, chunk));
            whole
        };
        let once = whole(&bytes, 100);
        for piece in 1..100 {
            assert_eq!(whole(&bytes, piece), once, "{piece}");
        }
        for at in 0..100 {
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            assert_ne!(whole(&other, 100), once, "{at}");
            assert_ne!(whole(&bytes[..at], 100), once, "{at}");
        }
    }

    #[test]
    fn the_whole_counts_each_byte_once() {
        let bytes = bytes(1000);
        let (mut once, mut twice) = (Whole::default(), Whole::default());
        once.push(0, &bytes);
        twice.push(0, &bytes[..400]);
        twice.push(100, &bytes[100..700]);
        twice.push(300, &bytes[300..500]);
        twice.push(700, &bytes[700..]);
        assert_eq!((once, once.len), (twice, 1000));
        twice.push(1001, b"x");
        assert!(twice.holed);
    }
}
