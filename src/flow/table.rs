//! The connections of a shard, found by their endpoints; the one idle for longest is at the front of a list.

use super::{Key, Reassembly, Restart};
use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::packet::Segment;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The place of a connection in its [`Table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

const NONE: u32 = u32::MAX;

/// A connection, with what the stages above keep for it.
#[derive(Debug)]
pub struct Entry<T> {
    key: Key,
    low_is_forward: bool,
    /// Who sends the forward and the backward stream.
    pub senders: [Endpoint; 2],
    older: u32,
    newer: u32,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// Its byte streams.
    pub reassembly: Reassembly,
    /// What the stages above keep; `None` once the connection has ended and is remembered only so that its late
    /// packets do not look like a new one.
    pub state: Option<T>,
    /// It is in its owner's list of connections that wait for holes to fill.
    pub listed: bool,
    retired: bool,
}

/// What a look-up found.
#[derive(Debug)]
pub struct Found<T> {
    /// Where the connection is.
    pub slot: Slot,
    /// Which of its directions the segment belongs to.
    pub from: Direction,
    /// The connection that had these ports before, or the one that had to make room: to be finished.
    pub replaced: Option<Box<Entry<T>>>,
}

/// The connections of a shard.
#[derive(Debug)]
pub struct Table<T> {
    slots: HashMap<Key, u32, foldhash::quality::FixedState>,
    entries: Vec<Option<Box<Entry<T>>>>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    cap: usize,
    /// Ended connections, in the order in which they ended: where, and their first packet.
    retired: VecDeque<(Slot, u64, Timestamp)>,
    /// Connections evicted because the cap was reached.
    pub evicted: u64,
    /// Ended connections forgotten before their time, for the same reason.
    pub forgotten: u64,
}

impl<T> Table<T> {
    /// An empty table for `cap` connections.
    pub fn new(cap: usize) -> Self {
        Self {
            slots: HashMap::with_hasher(foldhash::quality::FixedState::with_seed(0x6c65)),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            cap,
            retired: VecDeque::new(),
            evicted: 0,
            forgotten: 0,
        }
    }

    /// The connection of a segment, made if need be with what `fresh` gives.
    pub fn find(&mut self, segment: &Segment<'_>, fresh: impl FnOnce() -> T) -> Found<T> {
        let (key, src_is_low) = Key::of(segment.src, segment.dst);
        let mut replaced = None;
        if let Some(&at) = self.slots.get(&key) {
            let known = self.entries.get(at as usize).and_then(Option::as_deref).and_then(|entry| {
                let from = direction(src_is_low, entry.low_is_forward);
                (entry.reassembly.restart(from, segment) == Restart::Same).then_some(from)
            });
            if let Some(from) = known {
                self.touch(at, segment.at);
                return Found { slot: Slot(at), from, replaced: None };
            }
            replaced = self.remove(Slot(at));
        } else if self.slots.len() >= self.cap {
            if self.forget(Timestamp::MAX) {
                self.forgotten += 1;
            } else {
                replaced = self.remove(Slot(self.oldest));
                self.evicted += u64::from(replaced.is_some());
            }
        }
        // The side that sends the SYN without ACK opens the connection.
        let src_is_forward = !(segment.flags.syn() && segment.flags.ack());
        let entry = Box::new(Entry {
            key,
            low_is_forward: src_is_low == src_is_forward,
            senders: if src_is_forward { [segment.src, segment.dst] } else { [segment.dst, segment.src] },
            older: NONE,
            newer: NONE,
            first: segment.at,
            last: segment.at,
            reassembly: Reassembly::default(),
            state: Some(fresh()),
            listed: false,
            retired: false,
        });
        let from = direction(src_is_low, entry.low_is_forward);
        let at = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() as u32 - 1
        });
        if let Some(place) = self.entries.get_mut(at as usize) {
            *place = Some(entry);
        }
        self.slots.insert(key, at);
        self.append(at);
        Found { slot: Slot(at), from, replaced }
    }

    /// The connection in a slot.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry<T>> {
        self.entries.get_mut(slot.0 as usize)?.as_deref_mut()
    }

    /// The connection has ended: what the stages above kept is given back, and it is remembered for a while so
    /// that its late packets do not look like a new connection.
    pub fn retire(&mut self, slot: Slot, now: Timestamp) -> Option<T> {
        self.unlink(slot.0);
        let entry = self.entries.get_mut(slot.0 as usize)?.as_deref_mut()?;
        entry.retired = true;
        self.retired.push_back((slot, entry.first.packet, now));
        entry.state.take()
    }

    /// Forgets the connection that ended first, if that was more than the linger time before `now`.
    pub fn forget(&mut self, now: Timestamp) -> bool {
        while let Some(&(slot, first, ended)) = self.retired.front() {
            if now.since(ended) < tuning::CLOSED_LINGER {
                return false;
            }
            self.retired.pop_front();
            let entry = self.entries.get(slot.0 as usize).and_then(Option::as_deref);
            if entry.is_some_and(|entry| entry.retired && entry.first.packet == first) {
                self.remove(slot);
                return true;
            }
        }
        false
    }

    /// Takes a connection out.
    pub fn remove(&mut self, slot: Slot) -> Option<Box<Entry<T>>> {
        if self.entries.get(slot.0 as usize)?.as_ref().is_some_and(|entry| !entry.retired) {
            self.unlink(slot.0);
        }
        let entry = self.entries.get_mut(slot.0 as usize)?.take()?;
        self.slots.remove(&entry.key);
        self.free.push(slot.0);
        Some(entry)
    }

    /// Takes out the connection idle for longest, if it has been for `idle(&entry)`.
    pub fn expire(&mut self, now: Timestamp, idle: impl Fn(&Entry<T>) -> Duration) -> Option<Box<Entry<T>>> {
        let entry = self.entries.get(self.oldest as usize)?.as_deref()?;
        if now.since(entry.last.time) < idle(entry) {
            return None;
        }
        self.remove(Slot(self.oldest))
    }

    /// Takes out the connection idle for longest, unless that is the one to keep.
    pub fn give_up(&mut self, keep: Slot) -> Option<Box<Entry<T>>> {
        if self.oldest == keep.0 { None } else { self.remove(Slot(self.oldest)) }
    }

    /// All connections.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<T>> {
        self.entries.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// Takes out all connections that have not ended, the one idle for longest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Box<Entry<T>>> {
        std::iter::from_fn(|| self.remove(Slot(self.oldest)))
    }

    /// Connections, ended ones that are remembered too.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// No connections.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn touch(&mut self, at: u32, now: Moment) {
        if let Some(entry) = self.entries.get_mut(at as usize).and_then(Option::as_deref_mut) {
            entry.last = Moment { packet: now.packet, time: now.time.max(entry.last.time) };
        }
        let ended = self.links(at).is_some_and(|entry| entry.retired);
        if self.newest != at && !ended {
            self.unlink(at);
            self.append(at);
        }
    }

    fn links(&mut self, at: u32) -> Option<&mut Entry<T>> {
        self.entries.get_mut(at as usize)?.as_deref_mut()
    }

    fn unlink(&mut self, at: u32) {
        let Some((older, newer)) = self.links(at).map(|entry| (entry.older, entry.newer)) else { return };
        match self.links(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.links(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }

    fn append(&mut self, at: u32) {
        let newest = std::mem::replace(&mut self.newest, at);
        match self.links(newest) {
            Some(entry) => entry.newer = at,
            None => self.oldest = at,
        }
        if let Some(entry) = self.links(at) {
            (entry.older, entry.newer) = (newest, NONE);
        }
    }
}

const fn direction(src_is_low: bool, low_is_forward: bool) -> Direction {
    if src_is_low == low_is_forward { Direction::Forward } else { Direction::Backward }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::TcpFlags;

    fn segment(port: u16, seq: u32, flags: u8, seconds: u64) -> Segment<'static> {
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        Segment {
            at: Moment { packet: 1, time: Timestamp::from_parts(seconds, 0) },
            src: end(port),
            dst: end(443),
            seq,
            ack: 0,
            window: 0,
            window_scale: None,
            flags: TcpFlags(flags),
            payload: b"x",
            cut: 0,
        }
    }

    #[test]
    fn cap_connections_shard() {
        let mut table = Table::new(2);
        let slot = |table: &mut Table<u16>, port| table.find(&segment(port, 1, TcpFlags::ACK, 0), || port);
        assert!(slot(&mut table, 1000).replaced.is_none());
        assert!(slot(&mut table, 2000).replaced.is_none());
        assert!(slot(&mut table, 1000).replaced.is_none());
        assert_eq!((table.len(), table.evicted, table.forgotten), (2, 0, 0));
        assert_eq!(slot(&mut table, 3000).replaced.unwrap().state, Some(2000));
        assert_eq!((table.len(), table.evicted), (2, 1));
        let left: Vec<_> = table.drain().filter_map(|entry| entry.state).collect();
        assert_eq!(left, [1000, 3000]);
        assert!(table.is_empty());
    }

    #[test]
    fn ended_connections_go_first_and_are_forgotten() {
        let mut table = Table::new(2);
        let find = |table: &mut Table<u16>, port| table.find(&segment(port, 1, TcpFlags::ACK, 0), || port);
        find(&mut table, 1000);
        let second = find(&mut table, 2000).slot;
        assert_eq!(table.retire(second, Timestamp::from_parts(5, 0)), Some(2000));
        assert_eq!(find(&mut table, 2000).slot, second, "late packets find it");
        assert!(find(&mut table, 3000).replaced.is_none(), "it makes room");
        assert_eq!((table.len(), table.evicted, table.forgotten), (2, 0, 1));
        let third = find(&mut table, 3000).slot;
        table.retire(third, Timestamp::from_parts(5, 0));
        assert!(!table.forget(Timestamp::from_parts(64, 0)));
        assert!(table.forget(Timestamp::from_parts(65, 0)));
        assert_eq!(table.drain().filter_map(|entry| entry.state).collect::<Vec<_>>(), [1000]);
    }

    #[test]
    fn a_new_syn_replaces_the_connection() {
        let mut table = Table::new(9);
        table.find(&segment(1000, 7, TcpFlags::SYN, 0), || 1);
        let (slot, from) = {
            let found = table.find(&segment(1000, 8, TcpFlags::ACK, 0), || 2);
            assert!(found.replaced.is_none());
            (found.slot, found.from)
        };
        let mut sink = crate::flow::reassembly::tests::Collect::default();
        let entry = table.get_mut(slot).unwrap();
        entry.reassembly.segment(
            from,
            &segment(1000, 7, TcpFlags::SYN, 0),
            &mut super::super::Budget::new(0),
            &mut sink,
        );
        assert!(table.find(&segment(1000, 7, TcpFlags::SYN, 0), || 3).replaced.is_none());
        assert_eq!(table.find(&segment(1000, 99, TcpFlags::SYN, 0), || 4).replaced.unwrap().state, Some(1));
    }

    #[test]
    fn expires_by_packet_time() {
        let mut table = Table::new(9);
        table.find(&segment(1000, 7, 0, 10), || 1);
        table.find(&segment(1001, 7, 0, 20), || 2);
        let idle = |_: &Entry<i32>| Duration::from_secs(15);
        assert!(table.expire(Timestamp::from_parts(24, 0), idle).is_none());
        assert_eq!(table.expire(Timestamp::from_parts(25, 0), idle).unwrap().state, Some(1));
        assert!(table.expire(Timestamp::from_parts(25, 0), idle).is_none());
    }
}
