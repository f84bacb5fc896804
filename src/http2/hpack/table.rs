//! The dynamic table (RFC 7541 section 2.3.2 and 4), also where its past or its size is not known.
//!
//! An index counts insertions back from the newest one, whatever their sizes: so what was inserted since the table
//! is watched stands at a known index, and what an index beyond that means is unknown. How many older entries there
//! can still be follows from the size that the table can have at the most, and that the newer entries take at least.

use crate::base::certainty::UnknownRef;
use std::collections::VecDeque;

use super::arena::{Arena, Span};
use super::name::NameId;
use super::static_table::{self, StaticEntry};
use crate::base::limits;

/// What an entry counts beyond its name and value (section 4.1).
const OVERHEAD: u32 = 32;

/// The table's size until a size update changes it (RFC 9113 section 6.5.2).
pub(super) const INITIAL_SIZE: u32 = 4096;

/// An entry. Its text lies in the arena, name before value, but for a name that has a number and for what is unknown.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableEntry {
    /// Where its text is.
    pos: u32,
    /// Length of the name in the arena.
    name_len: u32,
    /// Length of the value in the arena.
    value_len: u32,
    /// Its size (section 4.1); where a length is unknown, the least it can be.
    size: u32,
    /// The unknown entry that the name was taken from, 0 for none.
    unknown: u32,
    /// The name's number.
    id: NameId,
    name_known: bool,
    value_known: bool,
    /// The value is known, and plain.
    plain: bool,
}

/// What an index stands for.
pub(super) enum Lookup<'a> {
    /// An entry of the static table.
    Static(&'static StaticEntry),
    /// An entry of the dynamic table.
    Dynamic(&'a TableEntry),
    /// An entry of which nothing is known; `None` where it has no identity either.
    Unknown(Option<UnknownRef>),
    /// An entry that was given up for the caps.
    GivenUp,
    /// There can be no such entry.
    Beyond,
}

/// Name or value of an entry to insert.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored {
    /// The name has a number.
    Numbered(NameId),
    /// It is the next piece of the staged text.
    Staged(Span),
    /// It is unknown, and at least so long.
    Unknown(u32),
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    /// The text of the entries, and what is being decoded.
    pub(super) arena: Arena,
    /// Newest first.
    entries: VecDeque<TableEntry>,
    /// Sizes of `entries`, where a length is unknown at least so much.
    size: u32,
    /// The largest size that the encoder's table can have.
    limit: u32,
    /// `limit` is that size.
    limit_exact: bool,
    /// The most older entries there can be.
    older: u32,
    /// Of these the newest, given up for the caps.
    given_up: u32,
    /// Insertions since the table is watched.
    inserted: u64,
    /// How often its past was lost.
    epoch: u32,
}

impl TableEntry {
    /// Where the name is, if it is known and has no number.
    pub(super) fn name_span(&self) -> Option<Span> {
        (self.name_known && self.id == NameId::OTHER).then_some(Span { pos: self.pos, len: self.name_len })
    }

    /// The name's number.
    #[inline]
    pub(super) fn id(&self) -> NameId {
        self.id
    }

    /// The value is known, and plain.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Length of name and value, as far as known.
    #[inline]
    pub(super) fn text_len(&self) -> u32 {
        self.size - OVERHEAD
    }
}

impl Table {
    /// The table at the start of a connection.
    pub(super) fn new() -> Self {
        Self {
            arena: Arena::default(),
            entries: VecDeque::new(),
            size: 0,
            limit: INITIAL_SIZE,
            limit_exact: true,
            older: 0,
            given_up: 0,
            inserted: 0,
            epoch: 0,
        }
    }

    /// A table of unknown size with unknown entries.
    pub(super) fn without_past() -> Self {
        Self { limit: u32::MAX, limit_exact: false, older: u32::MAX / OVERHEAD, ..Self::new() }
    }

    /// What stands at `index`, which is not 0.
    #[inline]
    pub(super) fn lookup(&self, index: u32) -> Lookup<'_> {
        if let Some(entry) = static_table::get(index) {
            return Lookup::Static(entry);
        }
        let distance = index.wrapping_sub(static_table::LEN);
        match self.entries.get((distance as usize).wrapping_sub(1)) {
            Some(entry) => Lookup::Dynamic(entry),
            None => self.lookup_older(distance),
        }
    }

    fn lookup_older(&self, distance: u32) -> Lookup<'_> {
        let unseen = u64::from(distance).saturating_sub(self.inserted);
        if u64::from(distance) > self.entries.len() as u64 + u64::from(self.older) {
            Lookup::Beyond
        } else if unseen > 0 {
            Lookup::Unknown(Some(UnknownRef { epoch: self.epoch, entry: unseen }))
        } else if u64::from(distance) <= self.entries.len() as u64 + u64::from(self.given_up) {
            Lookup::GivenUp
        } else {
            Lookup::Unknown(None) // made since, but not kept
        }
    }

    /// An entry's name, if it is known.
    #[inline]
    pub(super) fn name(&self, entry: &TableEntry) -> Option<&[u8]> {
        match entry.name_span() {
            Some(span) => Some(self.arena.text(span)),
            None => entry.id.name(),
        }
    }

    /// An entry's value, if it is known.
    #[inline]
    pub(super) fn value(&self, entry: &TableEntry) -> Option<&[u8]> {
        let span = Span { pos: entry.pos.wrapping_add(entry.name_len), len: entry.value_len };
        entry.value_known.then(|| self.arena.text(span))
    }

    /// The unknown entry that an entry's name was taken from.
    #[inline]
    pub(super) fn name_reference(&self, entry: &TableEntry) -> Option<UnknownRef> {
        (entry.unknown != 0).then(|| UnknownRef { epoch: self.epoch, entry: entry.unknown.into() })
    }

    /// Inserts an entry (section 4.4) whose text is what is staged. `plain`: its value is. `reference` is the unknown entry
    /// that its name was taken from.
    pub(super) fn insert(&mut self, name: Stored, value: Stored, plain: bool, reference: Option<UnknownRef>) {
        // Length, and length of what is staged.
        let (name_len, name_staged) = match name {
            Stored::Numbered(id) => (id.name().unwrap_or_default().len() as u32, 0),
            Stored::Staged(span) => (span.len, span.len),
            Stored::Unknown(len) => (len, 0),
        };
        let (value_len, value_staged) = match value {
            Stored::Staged(span) => (span.len, span.len),
            Stored::Unknown(len) => (len, 0),
            Stored::Numbered(_) => (0, 0),
        };
        let size = OVERHEAD.saturating_add(name_len).saturating_add(value_len);
        if size > self.limit {
            self.clear();
            return;
        }
        self.evict(size);
        self.entries.push_front(TableEntry {
            pos: self.arena.keep(),
            name_len: name_staged,
            value_len: value_staged,
            size,
            // An entry's number is below 2^32, as an index is.
            unknown: reference.map_or(0, |reference| reference.entry as u32),
            id: if let Stored::Numbered(id) = name { id } else { NameId::OTHER },
            name_known: !matches!(name, Stored::Unknown(_)),
            value_known: !matches!(value, Stored::Unknown(_)),
            plain,
        });
        self.size = self.size.saturating_add(size);
        self.inserted += 1;
        self.bound_older();
    }

    /// Follows a size update (section 4.3).
    pub(super) fn resize(&mut self, bytes: u32) {
        self.limit = bytes;
        self.limit_exact = true;
        self.evict(0);
        self.bound_older();
    }

    /// What was inserted so far stands at an unknown distance from now on. `bound` is the largest size that a size
    /// update may have set meanwhile, if that is known.
    pub(super) fn lose_past(&mut self, bound: Option<u32>) {
        self.clear();
        self.arena = Arena::default();
        self.entries = VecDeque::new();
        self.limit = bound.map_or(u32::MAX, |bound| self.limit.max(bound));
        self.limit_exact = false;
        self.older = self.limit / OVERHEAD;
        self.inserted = 0;
        self.epoch = self.epoch.saturating_add(1);
    }

    /// The encoder has been told to use no more than `bound`. That changes its table when a size update says so, and
    /// where nothing was known about the size it says something.
    pub(super) fn limit_by(&mut self, bound: u32) {
        if self.is_unbounded() {
            self.limit = bound.max(INITIAL_SIZE);
            self.evict(0);
            self.bound_older();
        }
    }

    /// The table's size as the encoder set it, if that is known.
    pub(super) fn exact_limit(&self) -> Option<u32> {
        self.limit_exact.then_some(self.limit)
    }

    /// There can be no entry that is not known.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn is_certain(&self) -> bool {
        self.older == 0
    }

    /// Size as of section 4.1.
    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.arena.memory() + self.entries.capacity() * size_of::<TableEntry>()
    }

    /// Makes room for `incoming` bytes: evicts what the encoder has certainly evicted, and gives up what the caps
    /// do not allow to keep.
    fn evict(&mut self, incoming: u32) {
        let cap = if self.is_unbounded() { limits::HPACK_TABLE_UNSURE } else { limits::HPACK_TABLE };
        let keep = self.limit.min(cap).saturating_sub(incoming);
        while self.size > keep {
            let Some(oldest) = self.entries.pop_back() else { break };
            if self.size > self.limit.saturating_sub(incoming) {
                (self.older, self.given_up) = (0, 0);
            } else {
                self.older = self.older.saturating_add(1);
                self.given_up = self.given_up.saturating_add(1);
            }
            self.size = self.size.saturating_sub(oldest.size);
            self.arena.release((oldest.name_len + oldest.value_len) as usize);
        }
    }

    /// Nothing is known about the size that the encoder's table can have.
    fn is_unbounded(&self) -> bool {
        self.limit == u32::MAX && !self.limit_exact
    }

    /// An entry takes 32 bytes at least.
    fn bound_older(&mut self) {
        self.older = self.older.min(self.limit.saturating_sub(self.size) / OVERHEAD);
    }

    /// Empties the table, as the encoder's is; forgets what is staged.
    fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.size = 0;
        (self.older, self.given_up) = (0, 0);
    }
}

/// Name and value of an entry, as far as known.
#[cfg(test)]
pub(super) type Texts<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

#[cfg(test)]
impl Table {
    /// Names and values, newest first.
    pub(super) fn contents(&self) -> Vec<Texts<'_>> {
        self.entries.iter().map(|entry| (self.name(entry), self.value(entry))).collect()
    }
}
