//! The connections of a shard, found by their endpoints; the one idle for longest is at the front of a list.
//!
//! Those at rest, which were idle for too long and are kept all the same, stand before all others.

use super::beginning::Beginning;
use super::network::Networks;
use super::reassembly::Belongs;
use super::{Key, Reassembly};
use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::limits;
use crate::base::memory::{of_block, of_map};
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::packet::Segment;
use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

/// The place of a connection in its [`Table`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot(u32);

const NONE: u32 = u32::MAX;

/// A connection, with what the stages above keep for it.
#[derive(Debug)]
pub struct ConnectionEntry<T> {
    key: Key,
    /// The next connection with the same endpoints, in another network.
    sibling: u32,
    networks: Networks,
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
    /// It was idle for too long, and is kept while there is room.
    resting: bool,
    /// When it ended.
    retired: Option<Timestamp>,
    /// Something of it is missing if more of it comes once it has ended.
    pub misses_more: bool,
}

/// What a look-up found.
#[derive(Debug)]
pub struct Lookup<T> {
    /// Where the connection is.
    pub slot: Slot,
    /// Which of its directions the segment belongs to.
    pub from: Direction,
    /// The connection that had these ports before, or the one that had to make room: to be finished.
    pub replaced: Option<Box<ConnectionEntry<T>>>,
}

/// What ended then need not be remembered any more. Nor where time has gone back since, by as much: one packet of a far year
/// would keep all that ends after it for good.
fn is_long_ago(ended: Timestamp, now: Timestamp) -> bool {
    now.since(ended) >= tuning::CLOSED_LINGER || ended.since(now) >= tuning::CLOSED_LINGER
}

/// A hash seeded from the operating system, once a process: who chooses addresses cannot choose them to collide. No output
/// depends on it, as the map is never walked.
fn unforeseeable() -> SeedableRandomState {
    static SEED: OnceLock<SharedSeed> = OnceLock::new();
    let random = || RandomState::new().hash_one(());
    SeedableRandomState::with_seed(random(), SEED.get_or_init(|| SharedSeed::from_u64(random())))
}

/// The connections of a shard.
#[derive(Debug)]
pub struct Table<T> {
    /// The first connection between two endpoints; its siblings follow by [`ConnectionEntry::sibling`].
    slots: HashMap<Key, u32, SeedableRandomState>,
    entries: Vec<Option<Box<ConnectionEntry<T>>>>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    /// The one idle for longest of those that are not at rest: the ones before it in the list are.
    awake: u32,
    cap: usize,
    /// Ended connections, in the order in which they ended: where, and their first packet.
    retired: VecDeque<(Slot, u64, Timestamp)>,
    /// The most connections that were wanted at one time.
    pub most: usize,
    /// Connections evicted because a cap was reached.
    pub evicted: u64,
    /// Ended connections forgotten before their time, for the same reason.
    pub forgotten: u64,
}

impl<T> Table<T> {
    /// An empty table for `cap` connections.
    pub fn new(cap: usize) -> Self {
        Self {
            slots: HashMap::with_hasher(unforeseeable()),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            awake: NONE,
            cap,
            retired: VecDeque::new(),
            most: 0,
            evicted: 0,
            forgotten: 0,
        }
    }

    /// The connection of a segment, made if need be with what `fresh` gives.
    pub fn find(&mut self, segment: &Segment<'_>, fresh: impl FnOnce() -> T) -> Lookup<T> {
        let (key, src_is_low) = Key::of(segment.src, segment.dst);
        let mut replaced = None;
        let mut begun = None;
        if let Some(first) = self.remembered(&key, segment.at.time) {
            if let Some(at) = self.in_network(first, src_is_low, segment)
                && let Some(entry) = self.links(at)
            {
                let from = direction(src_is_low, entry.low_is_forward);
                match entry.reassembly.place_of(from, segment) {
                    Belongs::Here => {
                        self.touch(at, segment.at);
                        return Lookup { slot: Slot(at), from, replaced: None };
                    }
                    Belongs::ToNew => {}
                    Belongs::ToBegun(beginning) => {
                        begun = Some((entry.src_is_low(beginning.from), beginning));
                    }
                }
                replaced = self.remove(Slot(at));
            } else {
                replaced = self.make_room_in_networks(first);
            }
        }
        self.most = self.most.max(self.len() + 1);
        if replaced.is_none() && self.len() >= self.cap {
            replaced = self.make_room();
        }
        let entry = Box::new(ConnectionEntry::new(key, src_is_low, segment, begun, fresh()));
        let from = direction(src_is_low, entry.low_is_forward);
        Lookup { slot: self.insert(entry), from, replaced }
    }

    /// The first connection between two endpoints, those that ended long enough ago forgotten: when others let that happen
    /// makes no difference to these.
    #[inline]
    fn remembered(&mut self, key: &Key, now: Timestamp) -> Option<u32> {
        let first = self.slots.get(key).copied()?;
        let entry = self.links(first)?;
        if entry.sibling != NONE || entry.retired.is_some() {
            self.forget_own(key, now);
            return self.slots.get(key).copied();
        }
        Some(first)
    }

    #[cold]
    fn forget_own(&mut self, key: &Key, now: Timestamp) {
        let mut at = self.slots.get(key).copied().unwrap_or(NONE);
        while let Some(entry) = self.links(at) {
            let is_over = entry.is_forgotten(now);
            let place = std::mem::replace(&mut at, entry.sibling);
            if is_over {
                self.remove(Slot(place));
            }
        }
    }

    /// The connection, of those between the same endpoints that begin with `first`, whose network the segment is in.
    #[inline]
    fn in_network(&mut self, first: u32, src_is_low: bool, segment: &Segment<'_>) -> Option<u32> {
        let entry = self.links(first)?;
        let from = direction(src_is_low, entry.low_is_forward);
        if entry.sibling == NONE && entry.networks.has(from, segment.network) {
            return Some(first);
        }
        self.in_networks(first, src_is_low, segment)
    }

    /// The same where there are several, or the network is new to the direction: the connection that has it in this
    /// direction; else in the other one alone; else the one whose numbers the segment fits, as its directions may go
    /// different ways, or be captured twice.
    #[cold]
    fn in_networks(&mut self, first: u32, src_is_low: bool, segment: &Segment<'_>) -> Option<u32> {
        let (mut best, mut at) = (None, first);
        while let Some(entry) = self.links(at) {
            let from = direction(src_is_low, entry.low_is_forward);
            let rank = entry.networks.rank(from, segment, &entry.reassembly);
            if rank > best.map_or(0, |(rank, _)| rank) {
                best = Some((rank, at));
            }
            at = entry.sibling;
        }
        let (_, at) = best?;
        let entry = self.links(at)?;
        let from = direction(src_is_low, entry.low_is_forward);
        entry.networks.set(from, segment.network);
        Some(at)
    }

    /// Makes room for one more connection between the same endpoints: the last one goes, which came first.
    #[cold]
    fn make_room_in_networks(&mut self, first: u32) -> Option<Box<ConnectionEntry<T>>> {
        let (mut last, mut count) = (first, 1);
        while let Some(next) = self.links(last).map(|entry| entry.sibling).filter(|&next| next != NONE) {
            (last, count) = (next, count + 1);
        }
        if count < limits::NETWORKS_ENDPOINTS {
            return None;
        }
        self.evicted += 1;
        self.remove(Slot(last))
    }

    fn make_room(&mut self) -> Option<Box<ConnectionEntry<T>>> {
        if self.give_up_ended() {
            return None;
        }
        let evicted = self.remove(Slot(self.oldest));
        self.evicted += u64::from(evicted.as_ref().is_some_and(|entry| !entry.resting));
        evicted
    }

    /// Puts a connection before its siblings.
    fn insert(&mut self, mut entry: Box<ConnectionEntry<T>>) -> Slot {
        let at = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() as u32 - 1
        });
        entry.sibling = self.slots.insert(entry.key, at).unwrap_or(NONE);
        if let Some(place) = self.entries.get_mut(at as usize) {
            *place = Some(entry);
        }
        self.append(at);
        Slot(at)
    }

    /// The connection in a slot.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut ConnectionEntry<T>> {
        self.entries.get_mut(slot.0 as usize)?.as_deref_mut()
    }

    /// The connection has ended: what the stages above kept is given back, and it is remembered for a while so
    /// that its late packets do not look like a new connection.
    pub fn retire(&mut self, slot: Slot, now: Timestamp) -> Option<T> {
        self.unlink(slot.0);
        let entry = self.entries.get_mut(slot.0 as usize)?.as_deref_mut()?;
        entry.retired = Some(now);
        self.retired.push_back((slot, entry.first.packet, now));
        entry.state.take()
    }

    /// Forgets the connection that ended first, if that was more than the linger time before `now`.
    pub fn forget(&mut self, now: Timestamp) -> bool {
        while let Some(&(slot, first, ended)) = self.retired.front() {
            if !is_long_ago(ended, now) {
                return false;
            }
            self.retired.pop_front();
            let entry = self.entries.get(slot.0 as usize).and_then(Option::as_deref);
            if entry.is_some_and(|entry| entry.retired.is_some() && entry.first.packet == first) {
                self.remove(slot);
                return true;
            }
        }
        false
    }

    /// Takes a connection out.
    pub fn remove(&mut self, slot: Slot) -> Option<Box<ConnectionEntry<T>>> {
        if self.entries.get(slot.0 as usize)?.as_ref().is_some_and(|entry| entry.retired.is_none()) {
            self.unlink(slot.0);
        }
        let entry = self.entries.get_mut(slot.0 as usize)?.take()?;
        self.unchain(slot.0, &entry);
        self.free.push(slot.0);
        Some(entry)
    }

    /// Takes a connection out of those with its endpoints.
    fn unchain(&mut self, at: u32, entry: &ConnectionEntry<T>) {
        match self.slots.get(&entry.key).copied() {
            Some(first) if first != at => {
                let mut before = first;
                while let Some(next) =
                    self.links(before).map(|entry| entry.sibling).filter(|&next| next != at)
                {
                    before = next;
                }
                if let Some(before) = self.links(before) {
                    before.sibling = entry.sibling;
                }
            }
            _ if entry.sibling == NONE => {
                self.slots.remove(&entry.key);
            }
            _ => {
                self.slots.insert(entry.key, entry.sibling);
            }
        }
    }

    /// The connection idle for longest of those not at rest, if it has been for `idle(&entry)`, or if time has gone back by that.
    pub fn idle(&self, now: Timestamp, idle: impl Fn(&ConnectionEntry<T>) -> Duration) -> Option<Slot> {
        let entry = self.entries.get(self.awake as usize)?.as_deref()?;
        let idle = idle(entry);
        let is_idle = now.since(entry.last.time) >= idle || entry.last.time.since(now) >= idle;
        is_idle.then_some(Slot(self.awake))
    }

    /// The one that [`idle`](Self::idle) has named is kept: it is not idle again before a segment of it has come.
    pub fn rest(&mut self, slot: Slot) {
        if slot.0 == self.awake
            && let Some(entry) = self.links(slot.0)
        {
            entry.resting = true;
            self.awake = entry.newer;
        }
    }

    /// Makes room in memory: what is remembered of the connection that ended first goes, if there is one; whether there was.
    pub fn give_up_ended(&mut self) -> bool {
        let forgot = self.forget(Timestamp::MAX);
        self.forgotten += u64::from(forgot);
        forgot
    }

    /// Takes out the one of least value of those idle for longest, so that room is made in memory: the first that is not
    /// `worth` anything, else the first. The one to keep goes last.
    pub fn give_up(
        &mut self,
        keep: Slot,
        worth: impl Fn(&ConnectionEntry<T>) -> bool,
    ) -> Option<Box<ConnectionEntry<T>>> {
        let (mut at, mut worthless) = (self.oldest, None);
        for _ in 0..tuning::IDLE_LOOKED_AT {
            let Some(entry) = self.entries.get(at as usize).and_then(Option::as_deref) else { break };
            if at != keep.0 && !worth(entry) {
                worthless = Some(at);
                break;
            }
            at = entry.newer;
        }
        let mut oldest = self.oldest;
        if oldest == keep.0 {
            oldest = self.links(oldest).map_or(NONE, |entry| entry.newer);
        }
        self.remove(Slot(worthless.unwrap_or(oldest))).or_else(|| self.remove(keep))
    }

    /// Bytes of memory that the table takes with its entries, beside what their byte streams and the stages above hold.
    pub fn memory(&self) -> usize {
        self.len() * of_block(size_of::<ConnectionEntry<T>>())
            + of_map::<Key, u32>(self.slots.capacity())
            + self.entries.capacity() * size_of::<Option<Box<ConnectionEntry<T>>>>()
            + self.free.capacity() * size_of::<u32>()
            + self.retired.capacity() * size_of::<(Slot, u64, Timestamp)>()
    }

    /// Takes out the connection that has been at rest for longest.
    pub fn give_up_resting(&mut self) -> Option<Box<ConnectionEntry<T>>> {
        if self.oldest == self.awake { None } else { self.remove(Slot(self.oldest)) }
    }

    /// All connections.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConnectionEntry<T>> {
        self.entries.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// Takes out all connections that have not ended, the one idle for longest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Box<ConnectionEntry<T>>> {
        std::iter::from_fn(|| self.remove(Slot(self.oldest)))
    }

    /// Connections, ended ones that are remembered too.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Places for connections, those that are free too.
    pub fn places(&self) -> usize {
        self.entries.len()
    }

    /// There are none.
    #[cfg(any(test, feature = "internals"))]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn touch(&mut self, at: u32, now: Moment) {
        let Some(entry) = self.links(at) else { return };
        entry.last = Moment { packet: now.packet, time: now.time.max(entry.last.time) };
        let rested = std::mem::take(&mut entry.resting);
        let ended = entry.retired.is_some();
        if (self.newest != at || rested) && !ended {
            self.unlink(at);
            self.append(at);
        }
    }

    fn links(&mut self, at: u32) -> Option<&mut ConnectionEntry<T>> {
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
        if self.awake == at {
            self.awake = newer;
        }
    }

    fn append(&mut self, at: u32) {
        let newest = std::mem::replace(&mut self.newest, at);
        match self.links(newest) {
            Some(entry) => entry.newer = at,
            None => self.oldest = at,
        }
        if self.awake == NONE {
            self.awake = at;
        }
        if let Some(entry) = self.links(at) {
            (entry.older, entry.newer) = (newest, NONE);
        }
    }
}

impl<T> ConnectionEntry<T> {
    /// A connection whose first segment this is, or the SYN `begun` before it, whose sender may be the lesser endpoint.
    fn new(
        key: Key,
        src_is_low: bool,
        segment: &Segment<'_>,
        begun: Option<(bool, Beginning)>,
        state: T,
    ) -> Self {
        // The side that sends the SYN without ACK opens the connection.
        let src_opens = match begun {
            Some((low, beginning)) => (low == src_is_low) == beginning.acknowledges.is_none(),
            None => !(segment.flags.syn() && segment.flags.ack()),
        };
        let low_is_forward = src_is_low == src_opens;
        let senders = if src_opens { [segment.src, segment.dst] } else { [segment.dst, segment.src] };
        let mut reassembly = Reassembly::default();
        let mut networks = Networks::default();
        networks.set(direction(src_is_low, low_is_forward), segment.network);
        if let Some((low, beginning)) = begun {
            reassembly.begin(direction(low, low_is_forward), &beginning);
            networks.set(direction(low, low_is_forward), beginning.network);
        }
        Self {
            key,
            sibling: NONE,
            networks,
            low_is_forward,
            senders,
            older: NONE,
            newer: NONE,
            first: begun.map_or(segment.at, |(_, beginning)| beginning.at),
            last: segment.at,
            reassembly,
            state: Some(state),
            listed: false,
            resting: false,
            retired: None,
            misses_more: false,
        }
    }

    /// It was idle for too long, and no segment of it has come since.
    pub const fn is_resting(&self) -> bool {
        self.resting
    }

    /// It ended longer ago than it is to be remembered.
    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.retired.is_some_and(|ended| is_long_ago(ended, now))
    }

    /// The sender of a direction is the lesser endpoint.
    fn src_is_low(&self, from: Direction) -> bool {
        (from == Direction::Forward) == self.low_is_forward
    }
}

const fn direction(src_is_low: bool, low_is_forward: bool) -> Direction {
    if src_is_low == low_is_forward { Direction::Forward } else { Direction::Backward }
}

#[cfg(test)]
mod tests;
