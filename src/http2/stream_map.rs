//! A map by stream identifier, for those that follow the streams of a connection.
//!
//! The frames of one stream come in a row, and each listener looks its stream up several times for each: where the stream
//! of the last look stands, or that it is not there, is remembered. Identifiers ascend, so that those of the streams that are
//! open at one time differ in their last bits: a table by these finds nearly all of them without a hash, and the few that
//! find their place taken go in a map beside. So one who chooses identifiers to collide gains nothing.

use crate::base::memory::{of_block, of_map};
use std::cell::Cell;
use std::collections::HashMap;

/// The place of a stream that is not there.
const NOWHERE: u32 = u32::MAX;
/// Entries that the table has at the least.
const SMALLEST: usize = 8;

/// A stream, and its place in `values`.
type Entry = (u32, u32);

/// Of the table, where no stream is.
const FREE: Entry = (0, NOWHERE);

/// Values by stream identifier. The caller bounds how many: fewer than 2^32 − 1.
#[derive(Debug)]
pub struct StreamMap<T> {
    /// By the last bits of the identifiers; of no or 2^n entries, at least twice as many as there are streams if one had to
    /// go elsewhere.
    near: Vec<Entry>,
    /// The streams that found their entry taken.
    #[expect(clippy::box_collection, reason = "most connections have none, and hold four of these maps")]
    far: Option<Box<HashMap<u32, u32, foldhash::fast::RandomState>>>,
    values: Vec<Option<T>>,
    /// Places in `values` that are free.
    free: Vec<u32>,
    /// The stream of the last look, and its place.
    last: Cell<Entry>,
}

impl<T> Default for StreamMap<T> {
    fn default() -> Self {
        Self { near: Vec::new(), far: None, values: Vec::new(), free: Vec::new(), last: Cell::new(FREE) }
    }
}

impl<T> StreamMap<T> {
    /// How many streams there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }

    /// There is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which entry of the table is a stream's; the identifiers of one side's streams are all odd, or all even.
    #[inline]
    const fn near_index(&self, id: u32) -> usize {
        (id >> 1) as usize & self.near.len().wrapping_sub(1)
    }

    #[inline]
    fn place(&self, id: u32) -> u32 {
        let (last, place) = self.last.get();
        if last == id { place } else { self.find(id) }
    }

    fn find(&self, id: u32) -> u32 {
        let near = self.near.get(self.near_index(id)).copied().unwrap_or(FREE);
        let place = if near.0 == id && near.1 != NOWHERE {
            near.1
        } else {
            self.far.as_ref().and_then(|far| far.get(&id).copied()).unwrap_or(NOWHERE)
        };
        self.last.set((id, place));
        place
    }

    /// The stream is there.
    #[inline]
    pub fn contains(&self, id: u32) -> bool {
        self.place(id) != NOWHERE
    }

    /// A stream's value.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.values.get(self.place(id) as usize)?.as_ref()
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let place = self.place(id);
        self.values.get_mut(place as usize)?.as_mut()
    }

    /// A stream's value, made if it is not there.
    #[expect(clippy::indexing_slicing, reason = "a place is a stream's, was free, or was made just now")]
    #[inline]
    pub fn get_or_insert_with(&mut self, id: u32, make: impl FnOnce() -> T) -> &mut T {
        let mut place = self.place(id);
        if place == NOWHERE {
            place = self.free.pop().unwrap_or_else(|| self.new_place());
            self.enter((id, place));
            self.last.set((id, place));
        }
        self.values[place as usize].get_or_insert_with(make)
    }

    #[cold]
    fn new_place(&mut self) -> u32 {
        self.values.push(None);
        (self.values.len() - 1) as u32
    }

    #[cold]
    fn grow(&mut self) {
        let entries = (2 * self.near.len()).max(SMALLEST);
        let near = std::mem::replace(&mut self.near, vec![FREE; entries]);
        let far = self.far.take();
        near.into_iter().filter(|entry| entry.1 != NOWHERE).for_each(|entry| self.enter(entry));
        far.into_iter().flat_map(|far| far.into_iter()).for_each(|entry| self.enter(entry));
    }

    /// Notes where a new stream stands.
    #[inline]
    fn enter(&mut self, entry: Entry) {
        let index = self.near_index(entry.0);
        match self.near.get_mut(index) {
            Some(near) if near.1 == NOWHERE => *near = entry,
            _ => self.enter_elsewhere(entry),
        }
    }

    /// The same of a stream that finds its entry taken: the table becomes larger if more than half as many streams as it has
    /// entries are there.
    #[cold]
    fn enter_elsewhere(&mut self, entry: Entry) {
        if self.len() > self.near.len() / 2 {
            self.grow();
            return self.enter(entry);
        }
        self.far.get_or_insert_default().insert(entry.0, entry.1);
    }

    /// Takes a stream out.
    #[inline]
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let place = self.place(id);
        let value = self.values.get_mut(place as usize)?.take()?;
        self.free_place((id, place));
        Some(value)
    }

    /// The same of a stream whose value is of no use any more.
    #[inline]
    pub fn forget(&mut self, id: u32) {
        let place = self.place(id);
        if let Some(value) = self.values.get_mut(place as usize) {
            *value = None;
            self.free_place((id, place));
        }
    }

    #[inline]
    fn free_place(&mut self, (id, place): Entry) {
        self.free.push(place);
        self.last.set((id, NOWHERE));
        let index = self.near_index(id);
        match self.near.get_mut(index) {
            Some(near) if near.1 == place => *near = FREE,
            _ => self.remove_far(id),
        }
    }

    #[cold]
    fn remove_far(&mut self, id: u32) {
        if let Some(far) = &mut self.far {
            far.remove(&id);
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let near = self.near.iter().copied().filter(|entry| entry.1 != NOWHERE);
        near.chain(self.far.iter().flat_map(|far| far.iter()).map(|(&id, &place)| (id, place)))
    }

    /// The streams that there are, in ascending order.
    pub fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.entries().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// All streams with their values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries().filter_map(|(id, place)| Some((id, self.values.get(place as usize)?.as_ref()?)))
    }

    /// The values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// Bytes of memory held, beside what the values hold elsewhere.
    pub fn memory(&self) -> usize {
        let far = self
            .far
            .as_ref()
            .map_or(0, |far| of_block(size_of_val(&**far)) + of_map::<u32, u32>(far.capacity()));
        self.near.capacity() * size_of::<Entry>()
            + far
            + self.values.capacity() * size_of::<Option<T>>()
            + self.free.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_is_a_map() {
        let mut map = StreamMap::default();
        let mut model = BTreeMap::new();
        let mut seed = 1_u32;
        for step in 0..20_000_u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = (seed >> 16) % 24;
            match (seed >> 8) % 4 {
                0 if step % 2 == 0 => {
                    map.forget(id);
                    model.remove(&id);
                }
                0 => assert_eq!(map.remove(id), model.remove(&id)),
                1 => {
                    let made = *map.get_or_insert_with(id, || step);
                    assert_eq!(made, *model.entry(id).or_insert(step));
                }
                2 => {
                    assert_eq!(map.get_mut(id), model.get_mut(&id));
                    assert_eq!(map.contains(id), model.contains_key(&id));
                }
                _ => assert_eq!(map.get(id), model.get(&id)),
            }
            assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
        }
        assert_eq!(map.ids(), model.keys().copied().collect::<Vec<_>>());
        let mut all: Vec<(u32, u32)> = map.iter().map(|(id, &value)| (id, value)).collect();
        all.sort_unstable();
        assert_eq!(all, model.into_iter().collect::<Vec<_>>());
        assert_eq!(map.values().count(), map.len());
    }

    #[test]
    fn streams_that_differ_in_their_first_bits_alone_are_kept_apart() {
        let mut map = StreamMap::default();
        let ids: Vec<u32> = (0..1000).map(|n| n << 20 | 1).collect();
        for &id in &ids {
            map.get_or_insert_with(id, || id);
        }
        assert!(ids.iter().all(|&id| map.get(id) == Some(&id)) && map.ids() == ids);
        assert!(ids.iter().all(|&id| map.remove(id) == Some(id)) && map.is_empty());
        assert!(map.ids().is_empty() && map.iter().next().is_none());
    }

    #[test]
    fn a_stream_whose_entry_is_taken_is_found_once_that_is_free() {
        let mut map = StreamMap::default();
        for id in [1, 17, 0, 16] {
            map.get_or_insert_with(id, || id);
        }
        assert_eq!((map.remove(1), map.remove(0)), (Some(1), Some(0)));
        assert_eq!([0, 1, 16, 17].map(|id| map.get(id).copied()), [None, None, Some(16), Some(17)]);
        map.get_or_insert_with(1, || 2);
        assert_eq!((map.remove(17), map.remove(16), map.get(1)), (Some(17), Some(16), Some(&2)));
        assert_eq!((map.len(), map.ids()), (1, vec![1]));
    }

    #[test]
    fn places_are_used_again() {
        let mut map = StreamMap::default();
        for id in 0..100_000 {
            map.get_or_insert_with(id, || [0_u64; 8]);
            map.remove(id);
        }
        assert!(map.memory() < 4096, "{}", map.memory());
    }

    #[test]
    fn what_was_not_there_is_found_once_it_is() {
        let mut map = StreamMap::default();
        assert_eq!((map.get(0), map.get(7)), (None, None));
        *map.get_or_insert_with(7, || 1) += 1;
        *map.get_or_insert_with(0, || 5) += 1;
        assert_eq!((map.get(7), map.get(0), map.get(u32::MAX)), (Some(&2), Some(&6), None));
    }
}
