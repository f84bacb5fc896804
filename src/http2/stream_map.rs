//! A map by stream identifier, for those that follow the streams of a connection.
//!
//! The frames of one stream come in a row, and each listener looks its stream up several times for each: where the stream
//! of the last look stands, or that it is not there, is remembered.

use crate::base::memory::of_map;
use std::cell::Cell;
use std::collections::HashMap;

/// The place of a stream that is not there.
const NOWHERE: u32 = u32::MAX;

/// Values by stream identifier. The caller bounds how many: fewer than 2^32 − 1.
#[derive(Debug)]
pub struct StreamMap<T> {
    /// Where the value of each stream stands in `values`.
    places: HashMap<u32, u32, foldhash::fast::RandomState>,
    values: Vec<Option<T>>,
    /// Places in `values` that are free.
    free: Vec<u32>,
    /// The stream of the last look, and its place.
    last: Cell<(u32, u32)>,
}

impl<T> Default for StreamMap<T> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            values: Vec::new(),
            free: Vec::new(),
            last: Cell::new((0, NOWHERE)),
        }
    }
}

impl<T> StreamMap<T> {
    /// How many streams there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    #[inline]
    fn place(&self, id: u32) -> u32 {
        let (last, place) = self.last.get();
        if last == id { place } else { self.find(id) }
    }

    fn find(&self, id: u32) -> u32 {
        let place = self.places.get(&id).copied().unwrap_or(NOWHERE);
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
    pub fn get_or_insert_with(&mut self, id: u32, make: impl FnOnce() -> T) -> &mut T {
        let mut place = self.place(id);
        if place == NOWHERE {
            place = self.free.pop().unwrap_or(self.values.len() as u32);
            if place as usize == self.values.len() {
                self.values.push(None);
            }
            self.places.insert(id, place);
            self.last.set((id, place));
        }
        self.values[place as usize].get_or_insert_with(make)
    }

    /// Takes a stream out.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let place = self.place(id);
        let value = self.values.get_mut(place as usize)?.take()?;
        self.places.remove(&id);
        self.free.push(place);
        self.last.set((id, NOWHERE));
        Some(value)
    }

    /// The streams that there are, in ascending order.
    pub fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.places.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// All streams with their values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.places.iter().filter_map(|(&id, &place)| Some((id, self.values.get(place as usize)?.as_ref()?)))
    }

    /// The values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// Bytes of memory held, beside what the values hold elsewhere.
    pub fn memory(&self) -> usize {
        of_map::<u32, u32>(self.places.capacity())
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
