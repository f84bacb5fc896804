//! The agent's dynamic table (docs/agent.md, "Dynamic table"): one map for all connections, keyed by the directed tuple
//! and a running number, not by RFC 7541's index; and the counter that gives the numbers.

use super::arena::{Arena, List};
use super::captured::{Literal, MAX_VALUE};
use super::key::EntryKey;
use super::tuple::Side;
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// In-kernel pruning keeps this many of the newest numbers.
const PRUNE_THRESHOLD: u64 = 200;
/// It deletes at most this many in a packet.
const PRUNE_ITERATIONS: usize = 300;

/// The dynamic counter of a directed tuple.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// Incremental literals so far.
    pub(super) value: u64,
    /// Numbers below this were pruned.
    previous: u64,
}

/// A stored entry.
#[derive(Debug, Default)]
pub(super) struct KernelEntry {
    key: EntryKey,
    /// Static name index that the literal had.
    pub(super) name: u8,
    /// The value.
    pub(super) value: Literal<MAX_VALUE>,
}

/// The map. The entries of one sender stand in a list, so that all of them can be deleted at once.
#[derive(Debug)]
pub(super) struct DynamicTable {
    places: HashMap<EntryKey, u32, RandomState>,
    entries: Arena<KernelEntry>,
    capacity: usize,
    /// Entries that found the map full.
    pub(super) refused: u64,
    /// The most entries that were wanted in it at one time.
    pub(super) most: usize,
}

impl DynamicTable {
    /// An empty map of that capacity.
    pub(super) fn new(capacity: usize) -> Self {
        Self { places: HashMap::default(), entries: Arena::new(), capacity, refused: 0, most: 0 }
    }

    /// The place of the entry with that number.
    pub(super) fn find(&self, key: EntryKey) -> Option<u32> {
        self.places.get(&key).copied()
    }

    /// The entry at `place`.
    pub(super) fn get(&self, place: u32) -> Option<&KernelEntry> {
        self.entries.get(place)
    }

    /// Stores an entry, or replaces the one with that number: its static name index and its value. A full map stays
    /// as it is. `owned` lists the sender's entries.
    pub(super) fn insert(&mut self, key: EntryKey, name: u8, value: &[u8], huffman: bool, owned: &mut List) {
        let place = match self.places.get(&key) {
            Some(&place) => place,
            None if self.places.len() >= self.capacity => {
                self.refused += 1;
                self.most = self.most.max(self.places.len() + 1);
                return;
            }
            None => {
                self.most = self.most.max(self.places.len() + 1);
                let place = self.entries.add(owned);
                self.places.insert(key, place);
                place
            }
        };
        if let Some(entry) = self.entries.get_mut(place) {
            (entry.key, entry.name) = (key, name);
            entry.value.set(value, huffman);
        }
    }

    /// In-kernel pruning, after the header blocks of a packet.
    pub(super) fn prune(&mut self, serial: u32, side: Side, counter: &mut Counter, owned: &mut List) {
        if counter.value - counter.previous <= PRUNE_THRESHOLD {
            return;
        }
        for _ in 0..PRUNE_ITERATIONS {
            if counter.previous + PRUNE_THRESHOLD >= counter.value {
                break;
            }
            if let Some(place) = self.places.remove(&EntryKey::new(serial, side, counter.previous)) {
                self.entries.remove(owned, place);
            }
            counter.previous += 1;
        }
    }

    /// User-space pruning: all entries of a sender.
    pub(super) fn clear(&mut self, owned: &mut List) {
        while let Some(entry) = self.entries.get(owned.first()) {
            self.places.remove(&entry.key);
            self.entries.remove(owned, owned.first());
        }
    }

    /// Entries stored.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The numbers stored for a directed tuple, in order.
    #[cfg(test)]
    pub(super) fn numbers(&self, serial: u32, side: Side) -> Vec<u64> {
        let own = self.places.keys().filter(|key| key.is_of(serial, side));
        let mut numbers: Vec<u64> = own.map(|key| key.number).collect();
        numbers.sort_unstable();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(table: &mut DynamicTable, side: Side, number: u64, owned: &mut List) {
        table.insert(EntryKey::new(1, side, number), 5, b"/a", false, owned);
    }

    #[test]
    fn a_full_map_refuses_new_numbers_and_replaces_old_ones() {
        let (mut table, mut owned) = (DynamicTable::new(2), List::default());
        for number in [0, 1, 2, 1] {
            insert(&mut table, Side::Client, number, &mut owned);
        }
        assert_eq!(table.numbers(1, Side::Client), [0, 1]);
        assert_eq!(table.refused, 1);
        table.clear(&mut owned);
        assert!(owned.is_empty() && table.len() == 0);
        insert(&mut table, Side::Client, 9, &mut owned);
        assert_eq!(table.numbers(1, Side::Client), [9]);
    }

    #[test]
    fn pruning_keeps_the_newest_200_numbers_and_stops_at_300_a_packet() {
        let (mut table, mut owned) = (DynamicTable::new(10_000), List::default());
        for number in 0..800 {
            insert(&mut table, Side::Client, number, &mut owned);
        }
        let mut of_server = List::default();
        insert(&mut table, Side::Server, 0, &mut of_server);
        let mut counter = Counter { value: 200, previous: 0 };
        table.prune(1, Side::Client, &mut counter, &mut owned);
        assert_eq!(table.len(), 801, "200 is not over the threshold");
        counter.value = 800;
        table.prune(1, Side::Client, &mut counter, &mut owned);
        assert_eq!(table.numbers(1, Side::Client).first(), Some(&300));
        table.prune(1, Side::Client, &mut counter, &mut owned);
        assert_eq!(table.numbers(1, Side::Client), (600..800).collect::<Vec<_>>());
        assert_eq!(table.numbers(1, Side::Server), [0]);
        table.clear(&mut owned);
        assert_eq!(table.len(), 1);
    }
}
