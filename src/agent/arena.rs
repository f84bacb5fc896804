//! Values at places that are used again once they are free, each in one list.

/// No place.
pub(super) const NONE: u32 = u32::MAX;

/// The values. A place that is free keeps its last value until it is used again, so that large values are made anew
/// field by field instead of being moved.
#[derive(Debug)]
pub(super) struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    before: u32,
    after: u32,
}

/// A list of values in an arena, in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NONE, last: NONE }
    }
}

impl List {
    /// There is nothing in it.
    pub(super) const fn is_empty(self) -> bool {
        self.first == NONE
    }

    /// The place of the value added first.
    pub(super) const fn first(self) -> u32 {
        self.first
    }
}

impl<T: Default> Arena<T> {
    /// No values.
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// The value at a place.
    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.slots.get(place as usize).map(|slot| &slot.value)
    }

    /// The value at a place.
    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.slots.get_mut(place as usize).map(|slot| &mut slot.value)
    }

    /// A place for one more value, at the end of the list: what was there before is there still.
    pub(super) fn add(&mut self, list: &mut List) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { value: T::default(), before: NONE, after: NONE });
            self.slots.len() as u32 - 1
        });
        self.append(list, place);
        place
    }

    /// Takes a value out of its list and frees its place.
    pub(super) fn remove(&mut self, list: &mut List, place: u32) {
        if place as usize >= self.slots.len() {
            return;
        }
        self.unlink(list, place);
        self.free.push(place);
    }

    /// Moves a value to the end of its list.
    pub(super) fn renew(&mut self, list: &mut List, place: u32) {
        self.unlink(list, place);
        self.append(list, place);
    }

    fn append(&mut self, list: &mut List, place: u32) {
        match self.slots.get_mut(list.last as usize) {
            Some(slot) => slot.after = place,
            None => list.first = place,
        }
        if let Some(slot) = self.slots.get_mut(place as usize) {
            (slot.before, slot.after) = (list.last, NONE);
        }
        list.last = place;
    }

    fn unlink(&mut self, list: &mut List, place: u32) {
        let Some(&Slot { before, after, .. }) = self.slots.get(place as usize) else { return };
        match self.slots.get_mut(before as usize) {
            Some(slot) => slot.after = after,
            None => list.first = after,
        }
        match self.slots.get_mut(after as usize) {
            Some(slot) => slot.before = before,
            None => list.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the list's values out of it, the first first.
    fn drain(arena: &mut Arena<u8>, list: &mut List) -> Vec<u8> {
        let mut values = Vec::new();
        while let Some(&value) = arena.get(list.first()) {
            values.push(value);
            arena.remove(list, list.first());
        }
        values
    }

    fn add(arena: &mut Arena<u8>, list: &mut List, value: u8) -> u32 {
        let place = arena.add(list);
        *arena.get_mut(place).unwrap() = value;
        place
    }

    #[test]
    fn lists_keep_their_order_whatever_is_taken_out() {
        let (mut arena, mut list, mut other) = (Arena::new(), List::default(), List::default());
        assert!(list.is_empty());
        let places: Vec<u32> = (0..5).map(|value| add(&mut arena, &mut list, value)).collect();
        add(&mut arena, &mut other, 9);
        for place in [places[2], places[0]] {
            arena.remove(&mut list, place);
        }
        arena.renew(&mut list, places[1]);
        assert_eq!(drain(&mut arena, &mut list), [3, 4, 1]);
        assert!(list.is_empty());
        assert_eq!(drain(&mut arena, &mut other), [9]);
    }

    #[test]
    fn free_places_are_used_again() {
        let (mut arena, mut list) = (Arena::new(), List::default());
        let first = add(&mut arena, &mut list, 1);
        arena.remove(&mut list, first);
        arena.remove(&mut list, NONE);
        assert_eq!(arena.get(first), Some(&1), "it can be read until then");
        assert_eq!(add(&mut arena, &mut list, 2), first);
        assert_eq!(arena.slots.len(), 1);
    }
}
