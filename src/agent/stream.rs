//! Streams in flight: the kernel's `http2_in_flight` map.

use super::arena::{Arena, List};
use super::captured::{Captured, MAX_VALUE, METHOD_MAX, STATUS_MAX};
use super::key::StreamKey;
use super::trace::Trace;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A stream.
#[derive(Clone, Debug, Default)]
pub(super) struct KernelStream {
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
}

impl KernelStream {
    /// Makes it the stream of `key`, with nothing captured yet.
    fn start_over(&mut self, key: StreamKey, now: u64) {
        let Self { key: own, started, last_seen, end_seen, method, path, status, trace, live } = self;
        (*own, *started, *last_seen, *end_seen, *live) = (key, now, 0, false, true);
        method.clear();
        path.clear();
        status.clear();
        *trace = Trace::default();
    }
}

/// The map. The streams also stand in a list by the time they started, so that expiry looks at expired ones only.
#[derive(Debug)]
pub(super) struct InFlight {
    places: HashMap<StreamKey, u32, RandomState>,
    streams: Arena<KernelStream>,
    by_start: List,
    capacity: usize,
    /// HEADERS frames that found the map full.
    pub(super) refused: u64,
    /// The most streams that were wanted in it at one time.
    pub(super) most: usize,
}

impl InFlight {
    /// An empty map of that capacity.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::default(),
            streams: Arena::new(),
            by_start: List::default(),
            capacity,
            refused: 0,
            most: 0,
        }
    }

    /// The place of a stream.
    pub(super) fn find(&self, key: StreamKey) -> Option<u32> {
        self.places.get(&key).copied()
    }

    /// The stream at `place`, if it is still that of `key`.
    pub(super) fn at(&mut self, place: u32, key: StreamKey) -> Option<&mut KernelStream> {
        self.streams.get_mut(place).filter(|stream| stream.live && stream.key == key)
    }

    /// The stream at `place`.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut KernelStream> {
        self.streams.get_mut(place)
    }

    /// The place of a stream, made when there is none and started now. `None` when the map is full.
    pub(super) fn fetch(&mut self, key: StreamKey, now: u64) -> Option<u32> {
        let streams = self.places.len();
        let vacant = match self.places.entry(key) {
            Entry::Occupied(place) => return Some(*place.get()),
            Entry::Vacant(vacant) => vacant,
        };
        self.most = self.most.max(streams + 1);
        if streams >= self.capacity {
            self.refused += 1;
            return None;
        }
        let place = self.streams.add(&mut self.by_start);
        self.streams.get_mut(place)?.start_over(key, now);
        Some(*vacant.insert(place))
    }

    /// Deletes the stream at `place`. It can be read until the next is made.
    pub(super) fn remove(&mut self, place: u32) -> Option<&KernelStream> {
        let stream = self.streams.get_mut(place).filter(|stream| stream.live)?;
        stream.live = false;
        self.places.remove(&stream.key);
        self.streams.remove(&mut self.by_start, place);
        self.streams.get(place)
    }

    /// The oldest stream, if it started more than `ttl` nanoseconds before `now`. A stream whose response is complete
    /// is not in the map, so that the start alone counts.
    ///
    /// A stream that started in the future (the capture's clock was set back) starts now: one in a call.
    pub(super) fn expired(&mut self, now: u64, ttl: u64) -> Option<u32> {
        let place = self.by_start.first();
        let stream = self.streams.get_mut(place)?;
        if stream.started > now {
            stream.started = now;
            self.streams.renew(&mut self.by_start, place);
            return None;
        }
        (now - stream.started > ttl).then_some(place)
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
