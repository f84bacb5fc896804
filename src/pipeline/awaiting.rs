//! Connections that wait for TLS secrets, or may: when new ones come, these alone are looked at. Where they are many and secrets
//! come one by one, several secrets wait until traffic has paid for the look: it costs a bounded part of the work, however
//! both are mixed. What still waits when its connection ends looks for its secrets then.

use crate::flow::Slot;
use std::ops::Range;

/// Looks that each segment pays for; one takes a small part of what a segment does.
const LOOKS_SEGMENT: usize = 16;
/// And that there are to begin with.
const LOOKS_START: usize = 1 << 14;
/// Bytes that a connection joined late keeps for which a look at it counts once more: all of them are read.
const BYTES_A_LOOK: u64 = 256;
/// So many places of connections that are gone may stay in the list.
const STALE: usize = 1024;

/// The waiting connections of a shard.
#[derive(Debug)]
pub(super) struct Awaiting {
    /// Each with its first packet: a slot is used again.
    slots: Vec<(Slot, u64)>,
    /// Looks that may be made; below zero after one that was dearer than it seemed.
    credit: i64,
    /// There are secrets that were not looked for yet.
    due: bool,
    /// The list is swept when it is so long.
    sweep_at: usize,
}

impl Default for Awaiting {
    fn default() -> Self {
        Self { slots: Vec::new(), credit: LOOKS_START as i64, due: false, sweep_at: STALE }
    }
}

impl Awaiting {
    /// One more waits, which was not in the list. `is_alive`: whether one in it is there still.
    pub(super) fn add(&mut self, slot: Slot, first: u64, is_alive: impl FnMut(Slot, u64) -> bool) {
        let mut is_alive = is_alive;
        if self.slots.len() >= self.sweep_at {
            self.slots.retain(|&(slot, first)| is_alive(slot, first));
            self.sweep_at = 2 * self.slots.len() + STALE;
        }
        self.slots.push((slot, first));
    }

    /// New secrets have come.
    pub(super) const fn new_secrets(&mut self) {
        self.due = true;
    }

    /// A segment has come; whether it is time to look for secrets that came before.
    #[inline]
    pub(super) fn segment(&mut self) -> bool {
        let most = LOOKS_START.max(2 * self.slots.len());
        self.credit = (self.credit + LOOKS_SEGMENT as i64).min(most as i64);
        self.is_due()
    }

    /// Whether it is time to look.
    #[inline]
    pub(super) const fn is_due(&self) -> bool {
        self.due && self.credit >= self.slots.len() as i64
    }

    /// Those to look at, if it is time to look.
    pub(super) fn due(&self) -> &[(Slot, u64)] {
        if self.is_due() { &self.slots } else { &[] }
    }

    /// Takes those whose first packet is in this range out of the list, to look at them; such as still wait are
    /// [given back](Self::give_back). The others are due still.
    pub(super) fn take(&mut self, first: Range<u64>) -> Vec<(Slot, u64)> {
        let all = std::mem::take(&mut self.slots);
        let (taken, others): (Vec<_>, _) = all.into_iter().partition(|(_, packet)| first.contains(packet));
        self.slots = others;
        self.due = first.end < u64::MAX;
        self.credit -= taken.len() as i64;
        taken
    }

    /// So many bytes were read at the last look.
    pub(super) const fn pay_for(&mut self, bytes: u64) {
        self.credit = self.credit.saturating_sub_unsigned(bytes / BYTES_A_LOOK);
    }

    /// These of those that were taken still wait; or were not looked at, and are due still.
    pub(super) fn give_back(&mut self, slots: Vec<(Slot, u64)>, due: bool) {
        self.slots.extend(slots);
        self.due |= due;
        self.sweep_at = 2 * self.slots.len() + STALE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_secrets_are_looked_for_at_once() {
        let mut awaiting = Awaiting::default();
        assert!(!awaiting.segment(), "nothing is due");
        awaiting.add(Slot::default(), 1, |_, _| true);
        awaiting.new_secrets();
        assert!(awaiting.is_due());
        let slots = awaiting.take(0..u64::MAX);
        assert_eq!(slots.len(), 1);
        assert!(!awaiting.is_due());
    }

    #[test]
    fn many_secrets_beside_many_connections_wait_for_traffic() {
        let mut awaiting = Awaiting::default();
        let (slot, count) = (Slot::default(), LOOKS_START / 2);
        for first in 0..count {
            awaiting.add(slot, first as u64, |_, _| true);
        }
        let (mut looks, rounds) = (0, 10_000);
        for _ in 0..rounds {
            awaiting.new_secrets();
            if awaiting.segment() {
                let slots = awaiting.take(0..u64::MAX);
                looks += slots.len();
                awaiting.give_back(slots, false);
            }
        }
        assert!(looks > 0 && looks <= LOOKS_START + LOOKS_SEGMENT * rounds, "{looks}");
    }

    /// Much that waits is not looked through for each secret: as often as traffic pays for.
    #[test]
    fn long_looks_wait_for_traffic() {
        let mut awaiting = Awaiting::default();
        awaiting.add(Slot::default(), 1, |_, _| true);
        let (mut looks, rounds, bytes) = (0, 100_000, 1 << 20);
        for _ in 0..rounds {
            awaiting.new_secrets();
            if awaiting.segment() {
                let slots = awaiting.take(0..u64::MAX);
                looks += 1;
                awaiting.give_back(slots, false);
                awaiting.pay_for(bytes);
            }
        }
        let paid = (LOOKS_START + LOOKS_SEGMENT * rounds) as u64 * BYTES_A_LOOK / bytes;
        assert!((paid / 2..=paid + 1).contains(&looks), "{looks}; {paid} are paid for");
    }

    #[test]
    fn connections_that_are_gone_do_not_pile_up() {
        let mut awaiting = Awaiting::default();
        let slot = Slot::default();
        for first in 0..100_000 {
            awaiting.add(slot, first, |_, other| other + 10 > first);
            assert!(awaiting.slots.len() <= STALE + 20);
        }
    }
}
