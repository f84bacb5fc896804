//! The agent's dynamic table (agent-telemetry section 2.6): one map for all connections, keyed by the directed tuple
//! and a running number, not by RFC 7541's index; and the counter that gives the numbers.

use super::connection::NONE;
use super::tuple::Side;
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// Encoded values longer than this are not captured (section 1.2).
pub(super) const MAX_VALUE: usize = 160;
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

/// A string literal as the kernel stores it: still encoded, at most `SIZE` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal<const SIZE: usize> {
    bytes: [u8; SIZE],
    len: u8,
    /// Huffman-encoded.
    pub(super) huffman: bool,
}

impl<const SIZE: usize> Default for Literal<SIZE> {
    fn default() -> Self {
        Self { bytes: [0; SIZE], len: 0, huffman: false }
    }
}

impl<const SIZE: usize> Literal<SIZE> {
    /// Takes `value`; of a longer one it takes nothing.
    pub(super) fn set(&mut self, value: &[u8], huffman: bool) {
        self.huffman = huffman;
        self.len = 0;
        if let Some(place) = self.bytes.get_mut(..value.len()) {
            place.copy_from_slice(value);
            self.len = value.len() as u8;
        }
    }

    /// The encoded bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A stored entry.
#[derive(Debug)]
pub(super) struct Entry {
    key: EntryKey,
    /// Static name index that the literal had.
    pub(super) name: u8,
    /// The value.
    pub(super) value: Literal<MAX_VALUE>,
    /// Neighbours in the list of the directed tuple's entries.
    before: u32,
    after: u32,
}

/// The directed tuple and the number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    directed: u64,
    number: u64,
}

/// The entries of one directed tuple: the head of a list through the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned(u32);

impl Default for Owned {
    fn default() -> Self {
        Self(NONE)
    }
}

impl Owned {
    /// There are none.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == NONE
    }
}

/// The map.
#[derive(Debug)]
pub(super) struct DynamicTable {
    places: HashMap<EntryKey, u32, RandomState>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    capacity: usize,
    /// Entries that found the map full.
    pub(super) refused: u64,
}

impl DynamicTable {
    /// An empty map of that capacity.
    pub(super) fn new(capacity: usize) -> Self {
        Self { places: HashMap::default(), entries: Vec::new(), free: Vec::new(), capacity, refused: 0 }
    }

    /// The place of the entry with that number.
    pub(super) fn find(&self, key: EntryKey) -> Option<u32> {
        self.places.get(&key).copied()
    }

    /// The entry at `place`.
    pub(super) fn get(&self, place: u32) -> Option<&Entry> {
        self.entries.get(place as usize)
    }

    /// Stores an entry, or replaces the one with that number: its static name index and its value. A full map stays
    /// as it is.
    pub(super) fn insert(&mut self, key: EntryKey, name: u8, value: &[u8], huffman: bool, owned: &mut Owned) {
        if let Some(entry) = self.places.get(&key).and_then(|&place| self.entries.get_mut(place as usize)) {
            entry.name = name;
            entry.value.set(value, huffman);
            return;
        }
        if self.places.len() >= self.capacity {
            self.refused += 1;
            return;
        }
        let place = self.free.pop().unwrap_or(self.entries.len() as u32);
        if place as usize == self.entries.len() {
            self.entries.push(Entry { key, name, value: Literal::default(), before: NONE, after: NONE });
        }
        if let Some(entry) = self.entries.get_mut(place as usize) {
            (entry.key, entry.name, entry.before, entry.after) = (key, name, NONE, owned.0);
            entry.value.set(value, huffman);
        }
        if let Some(head) = self.entries.get_mut(owned.0 as usize) {
            head.before = place;
        }
        owned.0 = place;
        self.places.insert(key, place);
    }

    /// In-kernel pruning, after the HEADERS pass of a packet.
    pub(super) fn prune(&mut self, serial: u32, side: Side, counter: &mut Counter, owned: &mut Owned) {
        if counter.value - counter.previous <= PRUNE_THRESHOLD {
            return;
        }
        for _ in 0..PRUNE_ITERATIONS {
            if counter.previous + PRUNE_THRESHOLD >= counter.value {
                break;
            }
            if let Some(place) = self.places.remove(&EntryKey::new(serial, side, counter.previous)) {
                self.unlink(place, owned);
            }
            counter.previous += 1;
        }
    }

    /// User-space pruning: all entries of a directed tuple.
    pub(super) fn clear(&mut self, owned: &mut Owned) {
        while let Some(entry) = self.entries.get(owned.0 as usize) {
            self.places.remove(&entry.key);
            let (place, after) = (owned.0, entry.after);
            self.free.push(place);
            owned.0 = after;
        }
    }

    fn unlink(&mut self, place: u32, owned: &mut Owned) {
        let Some(&Entry { before, after, .. }) = self.entries.get(place as usize) else { return };
        match self.entries.get_mut(before as usize) {
            Some(entry) => entry.after = after,
            None => owned.0 = after,
        }
        if let Some(entry) = self.entries.get_mut(after as usize) {
            entry.before = before;
        }
        self.free.push(place);
    }

    /// Entries stored.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The numbers stored for a directed tuple, in order.
    #[cfg(test)]
    pub(super) fn numbers(&self, serial: u32, side: Side) -> Vec<u64> {
        let directed = EntryKey::new(serial, side, 0).directed;
        let mut numbers: Vec<u64> =
            self.places.keys().filter(|key| key.directed == directed).map(|key| key.number).collect();
        numbers.sort_unstable();
        numbers
    }
}

impl EntryKey {
    /// The key of a number of a connection's sender.
    pub(super) const fn new(serial: u32, side: Side, number: u64) -> Self {
        Self { directed: (serial as u64) << 1 | matches!(side, Side::Server) as u64, number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(table: &mut DynamicTable, side: Side, number: u64, owned: &mut Owned) {
        table.insert(EntryKey::new(1, side, number), 5, b"/a", false, owned);
    }

    #[test]
    fn a_full_map_refuses_new_numbers_and_replaces_old_ones() {
        let (mut table, mut owned) = (DynamicTable::new(2), Owned::default());
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
        let (mut table, mut owned) = (DynamicTable::new(10_000), Owned::default());
        for number in 0..800 {
            insert(&mut table, Side::Client, number, &mut owned);
        }
        let mut of_server = Owned::default();
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

    #[test]
    fn a_value_of_160_bytes_fits_and_161_do_not() {
        let mut value = Literal::<MAX_VALUE>::default();
        value.set(&[7; 160], true);
        assert_eq!(value.bytes(), [7; 160]);
        value.set(&[7; 161], true);
        assert_eq!(value.bytes(), b"");
    }
}
