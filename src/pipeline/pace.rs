//! How fast what was held back is handed on.
//!
//! What waits for a hole to fill may be megabytes, and become many times as much in records; so may what many connections hold,
//! and give up for one another. All that one job makes is in memory until the next one is written. So there is a credit: traffic
//! pays for about as much as it may become itself, and what is left of that is for what was held back: nearly all, but in a flood.
//! A hole as it comes every day is within what the credit is at the most. What is beyond waits until later traffic has paid for
//! it, or the capture ends.

use crate::base::memory::Memory;
use crate::base::tuning;

/// A credit, in bytes as [`Context::made`](super::context::Context::made) counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Below zero where the last step has made more than it might.
    credit: i64,
    most: i64,
}

impl Pace {
    /// A full one.
    pub(super) const fn new(memory: Memory) -> Self {
        let most = memory.share(tuning::HELD_BACK_AT_ONCE) as i64;
        Self { credit: most, most }
    }

    /// One that is never spent.
    pub(super) const fn unbounded() -> Self {
        Self { credit: i64::MAX, most: i64::MAX }
    }

    /// A segment with so many octets has come.
    #[inline]
    pub(super) fn segment(&mut self, octets: usize) {
        let paid = tuning::HELD_BACK_PER_SEGMENT + tuning::HELD_BACK_PER_OCTET * octets;
        self.credit = self.credit.saturating_add(paid as i64).min(self.most);
    }

    /// Time has gone on without a segment.
    pub(super) const fn tick(&mut self) {
        self.credit = self.most;
    }

    /// Bytes that may be made.
    pub(super) fn credit(&self) -> usize {
        usize::try_from(self.credit).unwrap_or_default()
    }

    /// So many were made.
    #[inline]
    pub(super) fn spend(&mut self, made: usize) {
        self.credit = self.credit.saturating_sub(made as i64).max(-tuning::HELD_BACK_OVERDRAWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_traffic_may_become_leaves_the_credit_as_it_is() {
        let mut pace = Pace::new(Memory::default());
        let full = pace.credit();
        for octets in [0, 12, 1460] {
            pace.spend(crate::base::limits::OUTPUT_EXPANSION as usize * octets);
            pace.segment(octets);
            assert_eq!(pace.credit(), full);
        }
    }

    #[test]
    fn what_is_spent_comes_back_by_and_by() {
        let mut pace = Pace::new(Memory::default());
        let full = pace.credit();
        pace.spend(full);
        assert_eq!(pace.credit(), 0);
        pace.segment(10);
        assert_eq!(pace.credit(), tuning::HELD_BACK_PER_SEGMENT + 10 * tuning::HELD_BACK_PER_OCTET);
        pace.spend(2 * full);
        (0..full / tuning::HELD_BACK_PER_SEGMENT).for_each(|_| pace.segment(0));
        assert_eq!(pace.credit(), 0, "what was too much is paid for first");
        pace.spend(usize::MAX >> 1);
        let most = tuning::HELD_BACK_OVERDRAWN as usize / tuning::HELD_BACK_PER_SEGMENT;
        (0..=most).for_each(|_| pace.segment(0));
        assert_eq!(pace.credit(), tuning::HELD_BACK_PER_SEGMENT, "as far as it counts");
        (0..full / tuning::HELD_BACK_PER_SEGMENT).for_each(|_| pace.segment(0));
        assert_eq!(pace.credit(), full, "and is never more");
        pace.spend(full);
        pace.tick();
        assert_eq!(pace.credit(), full);
    }
}
