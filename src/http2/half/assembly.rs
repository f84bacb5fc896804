//! A header block in the making: the fragments of a HEADERS or PUSH_PROMISE frame and of its CONTINUATIONs (RFC 9113
//! section 4.3), and where segments end in them.
//!
//! State: at most [`limits::HEADER_BLOCK`] bytes, and no more ends of segments than bytes.

use crate::base::limits;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::http2::block::Block;
use std::ops::RangeInclusive;

#[derive(Debug, Default)]
pub(super) struct Assembly {
    block: Option<Block>,
    bytes: Vec<u8>,
    cuts: Vec<u32>,
    /// The segment with the last byte that was kept.
    last_segment: u64,
    continuations: u32,
    limited: bool,
}

impl Assembly {
    /// The stream of the open block, if there is one.
    pub(super) fn stream(&self) -> Option<u32> {
        self.block.as_ref().map(|block| block.stream)
    }

    /// A block begins; what was kept of the one before is gone.
    pub(super) fn open(&mut self, block: Block) {
        self.bytes.clear();
        self.cuts.clear();
        (self.continuations, self.limited) = (0, false);
        self.block = Some(block);
    }

    /// The open block goes on in a CONTINUATION: how many it has by now. `None` if no block is open.
    pub(super) fn proceed(&mut self, at: Moment) -> Option<u32> {
        let block = self.block.as_mut()?;
        block.last = at;
        self.continuations = self.continuations.saturating_add(1);
        Some(self.continuations)
    }

    /// A fragment, with the places in it before which a segment ended, and the segments that its frame lay in.
    pub(super) fn add(
        &mut self,
        fragment: &[u8],
        cuts: impl Iterator<Item = u32>,
        segments: RangeInclusive<u64>,
    ) {
        let start = self.bytes.len();
        let room = limits::HEADER_BLOCK.saturating_sub(start).min(fragment.len());
        // Each cut once, and those alone that have kept octets behind them: no more than there are octets.
        if start > 0 && room > 0 && self.last_segment != *segments.start() {
            self.cuts.push(start as u32);
        }
        self.cuts.extend(cuts.filter(|&cut| cut > 0 && (cut as usize) < room).map(|cut| cut + start as u32));
        if room > 0 {
            self.last_segment = *segments.end();
        }
        self.bytes.extend_from_slice(fragment.get(..room).unwrap_or_default());
        self.limited |= room < fragment.len();
    }

    /// The open block is over: its bytes are there until the next one opens.
    pub(super) fn close(&mut self) -> Option<Block> {
        self.block.take()
    }

    /// Bytes of the block, as many as were kept.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in them a segment ended.
    pub(super) fn cuts(&self) -> &[u32] {
        &self.cuts
    }

    /// The block was longer than is kept.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited
    }

    /// Gives memory back that only long blocks take.
    pub(super) fn trim(&mut self) {
        self.bytes.shrink_to(tuning::BLOCK_KEPT);
        self.cuts.shrink_to(tuning::BLOCK_KEPT / size_of::<u32>());
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.cuts.capacity() * size_of::<u32>()
    }
}
