//! The datagrams of which fragments wait for others, in bounded memory.

use super::fragment::{Added, Pieces, placeable};
use super::ip::{FragmentOffset, IpPacket};
use super::layer::Layer;
use super::skip::Skip;
use crate::base::limits::{FRAGMENT_BYTES, FRAGMENTED_DATAGRAMS};
use crate::base::time::Timestamp;
use crate::base::tuning::{FRAGMENT_LIFETIME, RECENT_DATAGRAM_LIFETIME, RECENT_DATAGRAMS};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// What fragments of one datagram have in common (RFC 791 section 3.2; RFC 8200 section 4.5, where the protocol
/// is that of the first fragment and no part of the key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// 0 for IPv6.
    protocol: u8,
    /// How many tunnels the datagram stands in.
    depth: u8,
}

/// A datagram of which something is missing.
#[derive(Debug)]
struct Pending {
    key: Key,
    /// Packet time of the fragment that came first.
    since: Timestamp,
    pieces: Pieces,
}

/// A datagram that was completed a moment ago. A sender may use its key again at once (RFC 6864 section 4.1): only fragments
/// with its bytes are copies.
#[derive(Debug)]
struct Completed {
    key: Key,
    at: Timestamp,
    /// Up to the first byte that was not captured.
    bytes: Vec<u8>,
    /// Its length on the wire.
    wire: usize,
}

/// A whole datagram without its IP header.
#[derive(Debug)]
pub(super) struct Datagram {
    /// Sender.
    pub(super) src: IpAddr,
    /// Receiver.
    pub(super) dst: IpAddr,
    /// What `bytes` begin with.
    pub(super) protocol: u8,
    /// The datagram up to the first byte that was not captured.
    pub(super) bytes: Vec<u8>,
    /// Its length on the wire.
    pub(super) wire: usize,
}

/// What became of fragments. All count since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounters {
    /// Datagrams put together.
    pub reassembled: u64,
    /// Datagrams dropped because a fragment did not come in time, or before the capture ended.
    pub expired: u64,
    /// Datagrams dropped to stay within the caps of the table.
    pub evicted: u64,
    /// Datagrams dropped because they came in too many pieces.
    pub too_many_pieces: u64,
    /// Fragments of which some bytes, not all, were there before; the first copy was kept.
    pub overlapping: u64,
}

impl FragmentCounters {}

/// The table of incomplete datagrams. A datagram has one entry in both maps.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// Oldest first, by a number that counts up.
    by_age: BTreeMap<u64, Pending>,
    /// The number of each key.
    numbers: HashMap<Key, u64, foldhash::quality::RandomState>,
    next_number: u64,
    /// Memory of all pieces, at most [`FRAGMENT_BYTES`] between two fragments.
    memory: usize,
    /// The latest completed datagrams, oldest first, at most [`RECENT_DATAGRAMS`].
    recent: VecDeque<Completed>,
    /// Memory for the next datagram.
    spare: Vec<u8>,
    counters: FragmentCounters,
}

impl Fragments {
    /// What became of fragments so far.
    pub(super) fn counters(&self) -> FragmentCounters {
        self.counters
    }

    /// How many datagrams are incomplete.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn pending(&self) -> usize {
        self.by_age.len()
    }

    /// Memory held for pieces, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        assert_eq!(self.memory, self.by_age.values().map(|pending| pending.pieces.memory()).sum::<usize>());
        assert_eq!(self.by_age.len(), self.numbers.len());
        self.memory
    }

    /// Adds a fragment found inside `depth` tunnels, and gives the datagram that it completes. Otherwise the error
    /// says what became of it.
    pub(super) fn add(
        &mut self,
        now: Timestamp,
        packet: &IpPacket<'_>,
        place: FragmentOffset,
        depth: u8,
    ) -> Result<Datagram, Skip> {
        let IpPacket { src, dst, protocol, body, .. } = *packet;
        let body = placeable(place, body).ok_or(Skip::MalformedFragment)?;
        let key = Key { src, dst, id: place.id, protocol: if src.is_ipv4() { protocol } else { 0 }, depth };
        self.expire(now);
        let number = self.number(key, place, body, now)?;
        let Some(pending) = self.by_age.get_mut(&number) else { return Err(Skip::Fragment) };
        let before = pending.pieces.memory();
        let added = pending.pieces.add(place, protocol, body);
        self.memory = self.memory + pending.pieces.memory() - before;
        match (added, pending.pieces.complete()) {
            (Added::New { overlapped }, complete) => {
                self.counters.overlapping += u64::from(overlapped);
                let Some(wire) = complete else {
                    self.evict();
                    return Err(Skip::Fragment);
                };
                let pending = self.remove(number).ok_or(Skip::Fragment)?;
                self.counters.reassembled += 1;
                let protocol = pending.pieces.protocol();
                let (bytes, spare) = pending.pieces.assemble(std::mem::take(&mut self.spare));
                self.spare = spare;
                self.remember(key, now, &bytes, wire);
                Ok(Datagram { src, dst, protocol, bytes, wire })
            }
            (Added::Known, _) => Err(Skip::DuplicateFragment),
            (Added::Contradicts, _) => Err(Skip::MalformedFragment),
            (Added::TooMany, _) => {
                self.remove(number);
                self.counters.too_many_pieces += 1;
                Err(Skip::TooManyFragments)
            }
        }
    }

    /// Takes back the memory of a datagram.
    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        if bytes.capacity() > self.spare.capacity() {
            self.spare = bytes;
        }
    }

    /// Drops all that is incomplete: the capture has ended.
    pub(super) fn finish(&mut self) {
        self.counters.expired += self.by_age.len() as u64;
        *self = Self { counters: self.counters, ..Self::default() };
    }

    /// The number of the datagram with this key: the one that is there, or a new one unless this is a copy of what one had
    /// that was just completed.
    fn number(
        &mut self,
        key: Key,
        place: FragmentOffset,
        body: Layer<'_>,
        now: Timestamp,
    ) -> Result<u64, Skip> {
        if let Some(&number) = self.numbers.get(&key) {
            let current = |pending: &Pending| !is_stale(pending.since, now, FRAGMENT_LIFETIME);
            if self.by_age.get(&number).is_some_and(current) {
                return Ok(number);
            }
            self.remove(number);
            self.counters.expired += 1;
        }
        if self.is_copy(&key, place, body, now) {
            Err(Skip::DuplicateFragment)
        } else {
            Ok(self.insert(key, now))
        }
    }

    /// Drops the datagrams whose time is up.
    fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.by_age.first_entry()
            && is_stale(oldest.get().since, now, FRAGMENT_LIFETIME)
        {
            let number = *oldest.key();
            self.remove(number);
            self.counters.expired += 1;
        }
    }

    /// Drops the oldest datagrams until the memory is within its cap.
    fn evict(&mut self) {
        while self.memory > FRAGMENT_BYTES
            && let Some((&number, _)) = self.by_age.first_key_value()
        {
            self.remove(number);
            self.counters.evicted += 1;
        }
    }

    /// Makes room for a new datagram, and its entry; gives its number.
    fn insert(&mut self, key: Key, now: Timestamp) -> u64 {
        if self.by_age.len() >= FRAGMENTED_DATAGRAMS
            && let Some((&oldest, _)) = self.by_age.first_key_value()
        {
            self.remove(oldest);
            self.counters.evicted += 1;
        }
        let number = self.next_number;
        self.next_number += 1;
        let pieces = Pieces::with_buffer(std::mem::take(&mut self.spare));
        self.memory += pieces.memory();
        self.by_age.insert(number, Pending { key, since: now, pieces });
        self.numbers.insert(key, number);
        number
    }

    /// Takes a datagram out.
    fn remove(&mut self, number: u64) -> Option<Pending> {
        let pending = self.by_age.remove(&number)?;
        self.numbers.remove(&pending.key);
        self.memory -= pending.pieces.memory();
        Some(pending)
    }

    /// Whether the datagram of this key that was completed a moment ago had these bytes there.
    fn is_copy(&self, key: &Key, place: FragmentOffset, body: Layer<'_>, now: Timestamp) -> bool {
        self.recent.iter().rev().any(|recent| {
            recent.key == *key
                && !is_stale(recent.at, now, RECENT_DATAGRAM_LIFETIME)
                && recent.has(place, body)
        })
    }

    /// Remembers that the datagram of this key is complete, with these bytes of so many.
    fn remember(&mut self, key: Key, now: Timestamp, bytes: &[u8], wire: usize) {
        let forgotten = if self.recent.len() < RECENT_DATAGRAMS { None } else { self.recent.pop_front() };
        let mut kept = forgotten.map(|recent| recent.bytes).unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(bytes);
        self.recent.push_back(Completed { key, at: now, bytes: kept, wire });
    }
}

impl Completed {
    /// A fragment may be one of its: what was captured of both is the same.
    fn has(&self, place: FragmentOffset, body: Layer<'_>) -> bool {
        let FragmentOffset { offset, more, .. } = place;
        let end = offset + body.wire();
        let fits = if more { end < self.wire } else { end == self.wire };
        let there = self.bytes.get(offset..).unwrap_or_default();
        fits && there.iter().zip(body.bytes()).all(|(one, other)| one == other)
    }
}

/// Whether more than `lifetime` lies between the two times, in either direction: when the clock of the capture
/// jumps back, what is held from the future is of no use.
fn is_stale(since: Timestamp, now: Timestamp, lifetime: Duration) -> bool {
    now.since(since) > lifetime || since.since(now) > lifetime
}
