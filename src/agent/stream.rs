//! Streams in flight: the kernel's `http2_in_flight` map (agent-telemetry sections 2.5 to 2.9).

use super::connection::NONE;
use super::dynamic_table::{Literal, MAX_VALUE};
use super::trace::Trace;
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// Stored method bytes (`HTTP2_METHOD_MAX_LEN`). A longer one is unknown whatever it is.
pub(super) const METHOD_MAX: usize = 7;
/// Stored status bytes (`HTTP2_STATUS_CODE_MAX_LEN`).
pub(super) const STATUS_MAX: usize = 3;

/// A stream's key: the connection's serial number and the stream identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct StreamKey(u64);

impl StreamKey {
    /// The key of a stream of a connection.
    pub(super) const fn new(serial: u32, stream: u32) -> Self {
        Self((serial as u64) << 32 | stream as u64)
    }
}

/// One of `:method`, `:path` and `:status`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captured<const SIZE: usize> {
    /// A value was captured.
    pub(super) finalized: bool,
    /// The static table entry; 0 for none. Once set it wins over later literals.
    pub(super) static_entry: u8,
    /// The last literal.
    pub(super) literal: Literal<SIZE>,
}

impl<const SIZE: usize> Captured<SIZE> {
    /// An indexed field of the static table.
    pub(super) const fn set_static(&mut self, index: u8) {
        self.static_entry = index;
        self.finalized = true;
    }

    /// A literal, new or stored.
    pub(super) fn set_literal(&mut self, value: &[u8], huffman: bool) {
        self.literal.set(value, huffman);
        self.finalized = true;
    }

    fn clear(&mut self) {
        self.finalized = false;
        self.static_entry = 0;
        self.literal.set(&[], false);
    }
}

/// A stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub(super) key: StreamKey,
    /// Kernel time of the first HEADERS, in nanoseconds.
    pub(super) started: u64,
    /// Kernel time of the second end of stream.
    pub(super) last_seen: u64,
    /// One end of stream was seen.
    pub(super) end_seen: bool,
    pub(super) method: Captured<METHOD_MAX>,
    pub(super) path: Captured<MAX_VALUE>,
    pub(super) status: Captured<STATUS_MAX>,
    /// What the kernel does not keep: for the reasons.
    pub(super) trace: Trace,
    live: bool,
    older: u32,
    newer: u32,
}

/// The map. The streams also stand in a list by the time they started, so that expiry looks at expired ones only.
#[derive(Debug)]
pub(super) struct InFlight {
    places: HashMap<StreamKey, u32, RandomState>,
    streams: Vec<Stream>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    capacity: usize,
    /// HEADERS frames that found the map full.
    pub(super) refused: u64,
}

impl InFlight {
    /// An empty map of that capacity.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::default(),
            streams: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            capacity,
            refused: 0,
        }
    }

    /// The place of a stream.
    pub(super) fn find(&self, key: StreamKey) -> Option<u32> {
        self.places.get(&key).copied()
    }

    /// The stream at `place`, if it is still that of `key`.
    pub(super) fn at(&mut self, place: u32, key: StreamKey) -> Option<&mut Stream> {
        self.streams.get_mut(place as usize).filter(|stream| stream.live && stream.key == key)
    }

    /// The stream at `place`.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Stream> {
        self.streams.get_mut(place as usize)
    }

    /// The place of a stream, made when there is none (section 2.5: started now). `None` when the map is full.
    pub(super) fn fetch(&mut self, key: StreamKey, now: u64) -> Option<u32> {
        if let Some(place) = self.find(key) {
            return Some(place);
        }
        if self.places.len() >= self.capacity {
            self.refused += 1;
            return None;
        }
        let place = self.free.pop().unwrap_or(self.streams.len() as u32);
        if place as usize == self.streams.len() {
            self.streams.push(Stream::default());
        }
        let stream = self.streams.get_mut(place as usize)?;
        (stream.key, stream.live, stream.started, stream.last_seen, stream.end_seen) =
            (key, true, now, 0, false);
        stream.method.clear();
        stream.path.clear();
        stream.status.clear();
        stream.trace = Trace::default();
        self.places.insert(key, place);
        self.append(place);
        Some(place)
    }

    /// Deletes the stream at `place`. It can be read until the next is made.
    pub(super) fn remove(&mut self, place: u32) -> Option<&Stream> {
        let stream = self.streams.get_mut(place as usize).filter(|stream| stream.live)?;
        stream.live = false;
        self.places.remove(&stream.key);
        self.free.push(place);
        self.unlink(place);
        self.streams.get(place as usize)
    }

    /// The oldest stream, if it started more than `ttl` nanoseconds before `now` (section 2.9; a stream whose
    /// response is complete is not in the map, so that only the start counts).
    ///
    /// A stream that started in the future (the capture's clock was set back) starts now: one in a call.
    pub(super) fn expired(&mut self, now: u64, ttl: u64) -> Option<u32> {
        let place = self.oldest;
        let stream = self.streams.get_mut(place as usize)?;
        if stream.started > now {
            stream.started = now;
            self.unlink(place);
            self.append(place);
            return None;
        }
        (now - stream.started > ttl).then_some(place)
    }

    fn append(&mut self, place: u32) {
        let newest = self.newest;
        match self.streams.get_mut(newest as usize) {
            Some(stream) => stream.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
        if let Some(stream) = self.streams.get_mut(place as usize) {
            (stream.older, stream.newer) = (newest, NONE);
        }
    }

    fn unlink(&mut self, place: u32) {
        let Some(&Stream { older, newer, .. }) = self.streams.get(place as usize) else { return };
        match self.streams.get_mut(older as usize) {
            Some(stream) => stream.newer = newer,
            None => self.oldest = newer,
        }
        match self.streams.get_mut(newer as usize) {
            Some(stream) => stream.older = older,
            None => self.newest = older,
        }
    }

    /// Streams in flight.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(stream: u32) -> StreamKey {
        StreamKey::new(1, stream)
    }

    #[test]
    fn a_full_map_skips_new_streams() {
        let mut map = InFlight::new(2);
        assert!(map.fetch(key(1), 1).is_some() && map.fetch(key(3), 2).is_some());
        assert_eq!(map.fetch(key(5), 3), None);
        assert!(map.fetch(key(3), 3).is_some(), "one that is there is found");
        assert_eq!((map.len(), map.refused), (2, 1));
        let place = map.find(key(1)).unwrap();
        map.remove(place);
        assert!(map.fetch(key(5), 4).is_some());
        assert!(map.remove(map.find(key(5)).unwrap()).is_some());
        assert!(map.at(place, key(5)).is_none());
    }

    #[test]
    fn expiry_takes_the_oldest_first_and_no_younger_ones() {
        let mut map = InFlight::new(10);
        for stream in 1..=4 {
            map.fetch(key(stream), u64::from(stream) * 10);
        }
        map.remove(map.find(key(2)).unwrap());
        let mut gone = Vec::new();
        while let Some(place) = map.expired(61, 30) {
            gone.push(map.remove(place).unwrap().key);
        }
        assert_eq!(gone, [key(1), key(3)]);
        assert_eq!(map.expired(70, 30), None, "exactly the time to live is not over it");
        assert!(map.expired(71, 30).is_some());
    }

    #[test]
    fn a_start_in_the_future_does_not_keep_streams_for_ever() {
        let mut map = InFlight::new(10);
        map.fetch(key(1), 1_000_000);
        map.fetch(key(3), 10);
        assert_eq!(map.expired(100, 30), None);
        let place = map.expired(100, 30).unwrap();
        assert_eq!(map.remove(place).unwrap().key, key(3));
        assert!(map.expired(131, 30).is_some());
    }
}
