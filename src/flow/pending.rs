//! Segments that came before the bytes they follow: a sorted, non-overlapping set in bounded memory.

use super::Budget;
use crate::base::limits;
use crate::base::memory::{BLOCK_MORE, of_tree_entry};
use crate::base::time::Moment;
use std::collections::BTreeMap;

/// Bytes waiting for a hole to fill, by their offset in the stream. The first copy of a byte wins.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pieces: BTreeMap<u64, Piece>,
    bytes: usize,
}

/// The segment that bytes came in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SegmentOrigin {
    /// Its packet.
    pub(super) at: Moment,
    /// So much of the other direction's stream it acknowledged, where that is known.
    pub(super) acknowledged: Option<u64>,
}

/// A run of bytes from one segment.
#[derive(Debug)]
pub(super) struct Piece {
    /// Which one.
    pub(super) source: SegmentOrigin,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Bytes after these that the snaplen cut off.
    pub(super) cut: u32,
}

/// What became of a segment that was to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inserted {
    /// Bytes that were new.
    pub(super) new: u64,
    /// Bytes that had been seen with other content.
    pub(super) differing: u64,
    /// A cap struck: not everything could be kept.
    pub(super) refused: bool,
    /// It was the direction's own, not the shard's budget.
    pub(super) full: bool,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes of memory held, of one direction.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the first piece starts: the end of the hole.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(&offset, _)| offset)
    }

    /// When the first piece came.
    pub(super) fn first_at(&self) -> Option<Moment> {
        self.pieces.first_key_value().map(|(_, piece)| piece.source.at)
    }

    /// Where the last piece starts: the end of the last hole.
    pub(super) fn last(&self) -> Option<u64> {
        self.pieces.last_key_value().map(|(&offset, _)| offset)
    }

    /// Where the last piece ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.pieces.last_key_value().map(|(&offset, piece)| offset + piece.bytes.len() as u64)
    }

    /// Takes out the first piece if it starts at or before `offset`.
    pub(super) fn pop_at(&mut self, offset: u64, budget: &mut Budget) -> Option<(u64, Piece)> {
        if self.first()? > offset {
            return None;
        }
        let (start, piece) = self.pieces.pop_first()?;
        let cost = cost_of(piece.bytes.len());
        self.bytes -= cost;
        budget.give(cost);
        Some((start, piece))
    }

    /// Drops everything: bytes that lie behind the end of the stream.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        while self.pop_at(u64::MAX, budget).is_some() {}
    }

    /// Keeps those bytes of a segment at `offset` that are not kept yet.
    pub(super) fn insert(
        &mut self,
        offset: u64,
        bytes: &[u8],
        cut: u32,
        source: SegmentOrigin,
        budget: &mut Budget,
    ) -> Inserted {
        let mut result = Inserted::default();
        let (mut offset, mut rest) = (offset, bytes);
        if let Some((&start, piece)) = self.pieces.range(..=offset).next_back() {
            let seen = (start + piece.bytes.len() as u64).saturating_sub(offset) as usize;
            let (known, new) = rest.split_at(seen.min(rest.len()));
            let copy = piece.bytes.get((offset - start) as usize..).unwrap_or_default();
            result.differing += differing(known, copy);
            offset += known.len() as u64;
            rest = new;
        }
        while !rest.is_empty() {
            let next = self.pieces.range(offset..).next().map(|(&start, piece)| (start, piece));
            let room = next.map_or(u64::MAX, |(start, _)| start - offset).min(rest.len() as u64) as usize;
            let (new, after) = rest.split_at(room);
            let overlap = next.filter(|_| !after.is_empty()).map(|(_, piece)| {
                let known = after.len().min(piece.bytes.len());
                (known, differing(after.get(..known).unwrap_or_default(), &piece.bytes))
            });
            if !new.is_empty() {
                let cost = cost_of(new.len());
                result.full = self.bytes + cost > limits::REASSEMBLY_DIRECTION;
                if result.full || !budget.take(cost) {
                    result.refused = true;
                    return result;
                }
                self.bytes += cost;
                result.new += new.len() as u64;
                let cut = if after.is_empty() { cut } else { 0 };
                self.pieces.insert(offset, Piece { source, bytes: new.to_vec(), cut });
            }
            let (known, differs) = overlap.unwrap_or((0, 0));
            result.differing += differs;
            offset += (room + known) as u64;
            rest = after.get(known..).unwrap_or_default();
        }
        result
    }
}

/// What a piece costs: its bytes, and what the allocator and the map add.
pub(super) const fn cost_of(len: usize) -> usize {
    len + BLOCK_MORE + of_tree_entry::<u64, Piece>()
}

fn differing(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).filter(|(a, b)| a != b).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(pending: &mut Pending, budget: &mut Budget) -> Vec<(u64, Vec<u8>)> {
        std::iter::from_fn(|| pending.pop_at(u64::MAX, budget)).map(|(at, piece)| (at, piece.bytes)).collect()
    }

    #[test]
    fn keeps_the_first_copy_and_counts_differences() {
        let (mut pending, mut budget) = (Pending::default(), Budget::new(1 << 20));
        let mut insert =
            |offset, bytes: &[u8]| pending.insert(offset, bytes, 0, SegmentOrigin::default(), &mut budget);
        assert_eq!(insert(10, b"abc").new, 3);
        assert_eq!(insert(20, b"xyz").new, 3);
        let over = insert(8, b"..aBcdefghijxYz!!");
        assert_eq!((over.new, over.differing), (2 + 7 + 2, 2));
        assert_eq!(insert(8, b"..abcdefghijxyz").new, 0);
        let joined: Vec<u8> = contents(&mut pending, &mut budget).into_iter().flat_map(|(_, b)| b).collect();
        assert_eq!(joined, b"..abcdefghijxyz!!");
        assert_eq!((pending.bytes(), budget.held()), (0, 0));
    }

    #[test]
    fn refuses_beyond_the_budget() {
        let (mut pending, mut budget) = (Pending::default(), Budget::new(cost_of(50) + 50));
        assert!(!pending.insert(0, &[0; 50], 0, SegmentOrigin::default(), &mut budget).refused);
        assert!(pending.insert(100, &[0; 50], 0, SegmentOrigin::default(), &mut budget).refused);
        assert_eq!(budget.struck(), 1);
    }
}
