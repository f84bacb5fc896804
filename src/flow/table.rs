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
mod tests {
    use super::*;
    use crate::packet::{Network, TcpFlags};
    use std::collections::HashSet;
    use std::net::Ipv6Addr;

    const SYN_ACK: u8 = TcpFlags::SYN | TcpFlags::ACK;

    fn end(port: u16) -> Endpoint {
        Endpoint { ip: [10, 0, 0, 1].into(), port }
    }

    fn segment(port: u16, seq: u32, flags: u8, seconds: u64) -> Segment<'static> {
        Segment {
            seq,
            flags: TcpFlags(flags),
            payload: b"x",
            ..Segment::empty(
                Moment { packet: 1, time: Timestamp::from_parts(seconds, 0) },
                end(port),
                end(443),
            )
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
        assert!(table.find(&segment(1000, 99, TcpFlags::SYN, 0), || 4).replaced.is_none(), "not yet");
        let answer = Segment { src: end(443), dst: end(1000), ack: 100, ..segment(443, 5, SYN_ACK, 0) };
        let found = table.find(&answer, || 5);
        assert_eq!(found.replaced.unwrap().state, Some(1), "the peer has acknowledged it");
        assert_eq!(found.from, Direction::Backward);
    }

    /// A segment between ports 1000 and 443 in this network.
    fn sent(from: u16, network: u32, seq: u32, ack: u32, flags: u8) -> Segment<'static> {
        let (src, dst) = if from == 1000 { (end(1000), end(443)) } else { (end(443), end(1000)) };
        let flags = TcpFlags(flags | if ack > 0 { TcpFlags::ACK } else { 0 });
        Segment { src, dst, ack, flags, network: Network(network), payload: b"", ..segment(1000, seq, 0, 0) }
    }

    /// Finds the connection of each segment, and lets it take it; the connections by number.
    fn take_all(table: &mut Table<usize>, segments: &[Segment<'_>]) -> Vec<usize> {
        let mut next = table.len();
        let mut sink = crate::flow::reassembly::tests::Collect::default();
        let mut take = |segment: &Segment<'_>| {
            let found = table.find(segment, || next);
            let entry = table.get_mut(found.slot).unwrap();
            entry.reassembly.segment(found.from, segment, &mut crate::flow::Budget::new(0), &mut sink);
            next = next.max(entry.state.unwrap() + 1);
            entry.state.unwrap()
        };
        segments.iter().map(&mut take).collect()
    }

    #[test]
    fn equal_endpoints_in_two_networks_are_two_connections() {
        for other in [3_000_000, 100] {
            let mut table = Table::new(9);
            let found = take_all(
                &mut table,
                &[
                    sent(1000, 10, 100, 0, TcpFlags::SYN),
                    sent(443, 10, 500, 101, TcpFlags::SYN),
                    sent(1000, 10, 101, 501, 0),
                    sent(1000, 20, other, 0, TcpFlags::SYN),
                    sent(443, 20, 500, other + 1, TcpFlags::SYN),
                    sent(1000, 20, other + 1, 501, 0),
                    sent(443, 10, 501, 101, 0),
                    sent(443, 20, 501, other + 1, 0),
                ],
            );
            assert_eq!(found, [0, 0, 0, 1, 1, 1, 0, 1], "{other}");
        }
    }

    #[test]
    fn equal_endpoints_joined_late_in_two_networks_are_two_connections() {
        let mut table = Table::new(9);
        let far = 1 << 30;
        let segments = [
            sent(1000, 10, 100, 500, 0),
            sent(443, 20, far, far, 0),
            sent(443, 10, 500, 100, 0),
            sent(1000, 20, far, far, 0),
        ];
        assert_eq!(take_all(&mut table, &segments), [0, 1, 0, 1]);
    }

    #[test]
    fn one_connection_may_have_a_network_for_each_direction_and_be_captured_in_two() {
        let asymmetric = [
            sent(1000, 10, 100, 0, TcpFlags::SYN),
            sent(443, 20, 500, 101, TcpFlags::SYN),
            sent(1000, 10, 101, 501, 0),
            sent(443, 20, 501, 101, 0),
        ];
        assert_eq!(take_all(&mut Table::new(9), &asymmetric), [0; 4]);
        assert_eq!(take_all(&mut Table::new(9), &asymmetric[2..]), [0; 2], "joined late");
        let twice = [
            sent(1000, 10, 100, 0, TcpFlags::SYN),
            sent(1000, 20, 100, 0, TcpFlags::SYN),
            sent(443, 20, 500, 101, TcpFlags::SYN),
            sent(443, 10, 500, 101, TcpFlags::SYN),
            sent(1000, 10, 101, 501, 0),
            sent(1000, 20, 101, 501, 0),
        ];
        assert_eq!(take_all(&mut Table::new(9), &twice), [0; 6]);
    }

    #[test]
    fn cap_networks_endpoints() {
        let mut table = Table::new(99);
        let most = limits::NETWORKS_ENDPOINTS as u32;
        let syn = |network| sent(1000, network, network << 24, 0, TcpFlags::SYN);
        take_all(&mut table, &(1..=most).map(syn).collect::<Vec<_>>());
        assert_eq!((table.len(), table.evicted), (limits::NETWORKS_ENDPOINTS, 0));
        let found = table.find(&sent(1000, most + 1, 7, 0, TcpFlags::SYN), || 99);
        assert_eq!(found.replaced.unwrap().state, Some(0));
        assert_eq!((table.len(), table.evicted), (limits::NETWORKS_ENDPOINTS, 1));
        let mut left: Vec<_> = table.drain().filter_map(|entry| entry.state).collect();
        left.sort_unstable();
        assert_eq!(left.len(), limits::NETWORKS_ENDPOINTS);
        assert!(table.is_empty() && table.slots.is_empty());
    }

    #[test]
    fn a_connection_is_as_old_as_the_syn_that_has_begun_it() {
        let mut table = Table::new(9);
        let at = |packet| Moment { packet, ..Moment::default() };
        take_all(&mut table, &[sent(1000, 0, 100, 500, 0), sent(443, 0, 500, 100, 0)]);
        let syn = Segment { at: at(7), ..sent(1000, 0, 7000, 0, TcpFlags::SYN) };
        assert!(table.find(&syn, || 8).replaced.is_none());
        let answer = Segment { at: at(9), ..sent(443, 0, 9000, 7001, TcpFlags::SYN) };
        let found = table.find(&answer, || 9);
        assert_eq!((found.from, found.replaced.unwrap().state), (Direction::Backward, Some(0)));
        let entry = table.get_mut(found.slot).unwrap();
        assert_eq!((entry.first.packet, entry.senders), (7, [end(1000), end(443)]));
        assert!(entry.reassembly.from_start(Direction::Forward));
    }

    /// After both have ended, a SYN begins a new connection whatever its number.
    #[test]
    fn the_same_number_may_be_used_again_after_a_close() {
        let mut table = Table::new(9);
        let once = [
            sent(1000, 0, 100, 0, TcpFlags::SYN),
            sent(443, 0, 500, 101, TcpFlags::SYN),
            sent(1000, 0, 101, 501, TcpFlags::FIN),
            sent(443, 0, 501, 102, TcpFlags::FIN),
            sent(1000, 0, 102, 502, 0),
        ];
        assert_eq!(take_all(&mut table, &once), [0; 5]);
        assert_eq!(take_all(&mut table, &once), [1; 5]);
    }

    /// What collides where the seed is known: an interface identifier that makes a factor of the hash zero, whatever the
    /// network. It is one of the seeds that the hash is delivered with.
    #[test]
    fn addresses_chosen_to_collide_do_not() {
        const IDENTIFIER: u128 = 0xdd50_7cc9_b729_acc0;
        let chosen = |network: u128| {
            let ip = Ipv6Addr::from_bits(network << 64 | IDENTIFIER).into();
            Key::of(Endpoint { ip, port: 80 }, end(443)).0
        };
        let hashes = |hasher: &dyn Fn(&Key) -> u64| {
            (0..1000).map(|network| hasher(&chosen(network))).collect::<HashSet<_>>().len()
        };
        let (fixed, random) = (foldhash::quality::FixedState::with_seed(0x6c65), unforeseeable());
        assert_eq!(hashes(&|key| fixed.hash_one(key)), 1);
        assert_eq!(hashes(&|key| random.hash_one(key)), 1000);
        let other = unforeseeable();
        assert_ne!(other.hash_one(chosen(1)), random.hash_one(chosen(1)));
    }

    #[test]
    fn time_that_goes_back_does_not_stop_forgetting() {
        let mut table = Table::new(9);
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        for (port, ended) in [(1000, 4_294_967_295), (1001, 100), (1002, 110)] {
            let slot = table.find(&segment(port, 7, 0, ended), || 1).slot;
            table.retire(slot, at(ended));
        }
        assert!(table.forget(at(120)), "the one of a far year");
        assert!(!table.forget(at(120)) && table.len() == 2);
        assert!(table.forget(at(161)) && !table.forget(at(161)));
        let idle = |_: &ConnectionEntry<i32>| Duration::from_secs(15);
        table.find(&segment(1003, 7, 0, 4_294_967_295), || 2);
        table.find(&segment(1004, 7, 0, 200), || 3);
        let lost = table.idle(at(200), idle).unwrap();
        assert_eq!(table.remove(lost).unwrap().state, Some(2));
        assert!(table.idle(at(200), idle).is_none());
    }

    #[test]
    fn what_is_of_least_value_makes_room_first() {
        let mut table = Table::new(99);
        let slots: Vec<_> = (0..6).map(|n| table.find(&segment(1000 + n, 7, 0, 0), || n).slot).collect();
        table.retire(slots[5], Timestamp::default());
        let with_entries = table.memory();
        assert!(with_entries > 6 * size_of::<ConnectionEntry<u16>>());
        assert!(table.give_up_ended() && !table.give_up_ended());
        assert!(table.memory() < with_entries);
        let odd = |entry: &ConnectionEntry<u16>| entry.state.is_some_and(|state| state % 2 == 1);
        let order: Vec<_> = std::iter::from_fn(|| table.give_up(slots[0], odd)?.state).collect();
        assert_eq!(order, [2, 4, 1, 3, 0], "even ones, then odd ones, the one at hand last");
    }

    #[test]
    fn expires_by_packet_time() {
        let mut table = Table::new(9);
        table.find(&segment(1000, 7, 0, 10), || 1);
        table.find(&segment(1001, 7, 0, 20), || 2);
        let idle = |_: &ConnectionEntry<i32>| Duration::from_secs(15);
        assert!(table.idle(Timestamp::from_parts(24, 0), idle).is_none());
        let first = table.idle(Timestamp::from_parts(25, 0), idle).unwrap();
        assert_eq!(table.remove(first).unwrap().state, Some(1));
        assert!(table.idle(Timestamp::from_parts(25, 0), idle).is_none());
    }

    #[test]
    fn what_rests_goes_first_and_is_idle_once() {
        let mut table = Table::new(3);
        let find = |table: &mut Table<u16>, port, seconds| {
            let found = table.find(&segment(port, 7, 0, seconds), || port);
            (found.slot, found.replaced.map(|entry| entry.is_resting()))
        };
        let idle = |_: &ConnectionEntry<u16>| Duration::from_secs(15);
        for port in [1, 2, 3] {
            find(&mut table, port, u64::from(port));
        }
        let now = Timestamp::from_parts(100, 0);
        let mut rested = Vec::new();
        while let Some(slot) = table.idle(now, idle) {
            table.rest(slot);
            rested.push(table.get_mut(slot).unwrap().senders[0].port);
        }
        assert_eq!(rested, [1, 2, 3]);
        // The second one, and the last one of the list, are used again.
        for port in [2, 3] {
            let (slot, _) = find(&mut table, port, 100);
            assert!(!table.get_mut(slot).unwrap().is_resting());
        }
        let (_, replaced) = find(&mut table, 4, 101);
        assert_eq!((replaced, table.evicted), (Some(true), 0), "nobody misses what rested");
        assert!(table.give_up_resting().is_none(), "all that is left is awake");
        let slot = table.idle(Timestamp::from_parts(115, 0), idle).unwrap();
        assert_eq!(table.get_mut(slot).unwrap().senders[0].port, 2);
        table.rest(slot);
        assert_eq!(table.give_up_resting().unwrap().senders[0].port, 2);
        assert!(table.give_up_resting().is_none());
    }
}
