//! When a side acknowledged bytes of its peer that were not seen: by then it had them, though the capture has lost them.

use crate::base::time::Moment;

/// Acknowledgments that are kept; of more, the latest stands for those that it follows.
const KEPT: usize = 4;

/// Acknowledgments of bytes beyond those that were seen, in the order of their packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Receipts {
    /// Up to which offset, and by which packet.
    kept: [(u64, Moment); KEPT],
    count: usize,
}

impl Receipts {
    /// All before this offset was acknowledged.
    pub(super) fn note(&mut self, offset: u64, at: Moment) {
        self.count = KEPT.min(self.count + 1);
        if let Some(last) = self.kept.get_mut(self.count - 1) {
            *last = (offset, at);
        }
    }

    /// By which packet all before this offset was acknowledged; `None` where that is not known.
    pub(super) fn of(&self, offset: u64) -> Option<Moment> {
        self.kept.iter().take(self.count).find(|&&(known, _)| known >= offset).map(|&(_, at)| at)
    }

    /// All before this offset was seen, or is known to be missing.
    #[inline]
    pub(super) fn forget(&mut self, before: u64) {
        if self.count > 0 {
            let over = self.kept.iter().take(self.count).take_while(|&&(known, _)| known <= before).count();
            self.kept.rotate_left(over);
            self.count -= over;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(packet: u64) -> Moment {
        Moment { packet, ..Moment::default() }
    }

    #[test]
    fn the_first_acknowledgment_that_goes_so_far_counts() {
        let mut receipts = Receipts::default();
        assert_eq!(receipts.of(0), None);
        for packet in 1..=10 {
            receipts.note(packet * 100, at(packet));
        }
        assert_eq!([1, 100, 101, 300].map(|offset| receipts.of(offset)), [1, 1, 2, 3].map(|n| Some(at(n))));
        assert_eq!(receipts.of(301), Some(at(10)), "at the latest: those between are not kept");
        assert_eq!(receipts.of(1001), None);
        receipts.forget(250);
        assert_eq!([1, 301].map(|offset| receipts.of(offset)), [Some(at(3)), Some(at(10))]);
        receipts.note(1100, at(11));
        assert_eq!(receipts.of(1001), Some(at(11)));
        receipts.forget(2000);
        assert_eq!(receipts.of(0), None);
    }
}
