//! Calls a second: the busiest second, exactly, as long as that takes bounded memory.

use super::octets::{self, Reader};

/// Slots that are kept; with more, slots of twice the width are.
const SLOTS: usize = 1024;
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Calls by the second in which they began.
///
/// Where they began in more than 1,024 different seconds, slots of two seconds are counted, then of four, and so on.
/// Slots begin at multiples of their width, so that the result does not depend on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The slots' width in seconds, as a power of two.
    width: u32,
    /// Slot and calls, by slot.
    slots: Vec<(u64, u64)>,
}

impl Rate {
    /// Adds a call that began at this time, in nanoseconds since the epoch.
    #[inline]
    pub(super) fn add(&mut self, start: u64) {
        self.add_calls((start / SECOND) >> self.width, 1);
        self.widen();
    }

    /// Adds another one's calls.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.width < other.width {
            self.widen_to(other.width);
        }
        for &(slot, calls) in &other.slots {
            self.add_calls(slot >> (self.width - other.width), calls);
            self.widen();
        }
    }

    /// The most calls a second, in the busiest slot.
    pub fn peak(&self) -> f64 {
        let most = self.slots.iter().map(|&(_, calls)| calls).max().unwrap_or_default();
        most as f64 / self.window() as f64
    }

    /// The width of a slot in seconds.
    pub fn window(&self) -> u64 {
        1 << self.width
    }

    /// Appends it as another process reads it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        octets::integer(out, self.width.into());
        octets::integer(out, self.slots.len() as u64);
        let mut before = 0;
        for &(slot, calls) in &self.slots {
            octets::integer(out, slot - before);
            octets::integer(out, calls);
            before = slot;
        }
    }

    /// Reads [`Self::write`].
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let width = u32::try_from(reader.integer()?).ok().filter(|&width| width < u64::BITS)?;
        let (mut rate, mut slot) = (Self { width, slots: Vec::new() }, 0_u64);
        for _ in 0..reader.count()? {
            slot = slot.checked_add(reader.integer()?)?;
            rate.add_calls(slot, reader.integer()?);
        }
        (rate.slots.len() <= SLOTS).then_some(rate)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.slots.capacity() * size_of::<(u64, u64)>()
    }

    fn add_calls(&mut self, slot: u64, calls: u64) {
        let at = match self.slots.last() {
            Some((last, _)) if *last == slot => Ok(self.slots.len() - 1),
            Some((last, _)) if *last > slot => self.slots.binary_search_by_key(&slot, |&(slot, _)| slot),
            _ => Err(self.slots.len()),
        };
        match at {
            Ok(at) => {
                if let Some((_, sum)) = self.slots.get_mut(at) {
                    *sum += calls;
                }
            }
            Err(at) => self.slots.insert(at, (slot, calls)),
        }
    }

    fn widen(&mut self) {
        while self.slots.len() > SLOTS {
            self.widen_to(self.width + 1);
        }
    }

    fn widen_to(&mut self, width: u32) {
        let by = width - self.width;
        self.width = width;
        for (slot, _) in &mut self.slots {
            *slot >>= by;
        }
        self.slots.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            earlier.1 += if same { later.1 } else { 0 };
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(seconds: &[u64]) -> Rate {
        let mut rate = Rate::default();
        for second in seconds {
            rate.add(second * SECOND + 5);
        }
        rate
    }

    #[test]
    fn the_busiest_second_counts() {
        let rate = rate(&[7, 9, 9, 9, 8, 7]);
        assert_eq!((rate.peak().to_string(), rate.window()), ("3".into(), 1));
        assert_eq!(Rate::default().peak().to_string(), "0");
    }

    #[test]
    fn of_many_seconds_the_slots_become_wider() {
        let seconds: Vec<_> = (0..5_000).flat_map(|second| [second; 3]).collect();
        let rate = rate(&seconds);
        assert_eq!((rate.window(), rate.peak().to_string()), (8, "3".into()));
        assert!(rate.slots.len() <= SLOTS);
    }

    proptest! {
        #[test]
        fn order_and_parts_do_not_matter(
            seconds in prop::collection::vec(0_u64..4_000, 0..3_000), cut in 0_usize..3_000,
        ) {
            let cut = cut.min(seconds.len());
            let mut sorted = seconds.clone();
            sorted.sort_unstable();
            let (mut parts, last) = (rate(&seconds[..cut]), rate(&seconds[cut..]));
            parts.merge(&last);
            prop_assert_eq!(&parts, &rate(&sorted));
        }

        #[test]
        fn any_time_is_taken(starts in prop::collection::vec(any::<u64>(), 0..2_000)) {
            let mut rate = Rate::default();
            for &start in &starts {
                rate.add(start);
            }
            prop_assert!(rate.slots.len() <= SLOTS);
            prop_assert_eq!(rate.slots.iter().map(|slot| slot.1).sum::<u64>(), starts.len() as u64);
        }
    }
}
