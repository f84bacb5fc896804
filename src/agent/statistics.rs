//! What the statistics hold of each endpoint: counts and latencies by status.

use super::tuple::Tuple;
use super::user::Method;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::load::Load;
use crate::base::memory::{Memory, of_block, of_map};
use foldhash::quality::RandomState;
use sketches_ddsketch::{Config, DDSketch};
use std::collections::HashMap;

/// Relative accuracy of the latency sketches.
const ACCURACY: f64 = 0.01;
/// More bins than nanoseconds of 64 bits can fill at that accuracy, so that none are ever merged.
const MAX_BINS: u32 = 4096;

/// Bytes of memory that an endpoint takes, with its first status, beside its path.
const ENDPOINT: usize = size_of::<EndpointStatistics>() + of_map::<u64, u32>(7) / 7 + of_block(STATUS / 2);
/// The same of a status.
const STATUS: usize = 2 * size_of::<(u16, Latencies)>();

/// The latencies of one status of one endpoint, in nanoseconds.
#[derive(Clone)]
pub struct Latencies {
    /// Transactions.
    pub count: u64,
    /// All latencies together.
    pub sum: f64,
    /// The first latency.
    first: f64,
    /// All latencies, from the second on. `None` too when [`limits::AGENT_SKETCHES`] were there, and in discovery mode.
    sketch: Option<Box<DDSketch>>,
}

/// The statistics of one endpoint: one aggregation key.
#[derive(Clone, Debug)]
pub struct EndpointStatistics {
    /// Normalised tuple.
    pub tuple: Tuple,
    /// Method and path, cut at the first `?`. `None` in discovery mode, whose key is the tuple alone.
    pub call: Option<(Method, Box<[u8]>)>,
    /// By status.
    pub statuses: Vec<(u16, Latencies)>,
    /// Where it was first seen, among all.
    pub seen: FirstSeen,
}

/// When the model saw something: the newest packet at that time, then the packet that it was in, as TLS may be decrypted later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstSeen {
    /// The newest packet.
    pub now: u64,
    /// Its own.
    pub packet: u64,
}

/// The statistics of all endpoints, in the order in which they were first seen: of all reads together, of at most
/// [`limits::AGENT_ENDPOINTS`] keys.
#[derive(Debug)]
pub(super) struct Statistics {
    places: HashMap<u64, u32, RandomState>,
    endpoints: Vec<EndpointStatistics>,
    /// Latencies are kept in sketches, and not as sums alone.
    sketched: bool,
    sketches: usize,
    /// Bytes of memory that endpoints and sketches take, the most that were wanted, and how many there may be.
    memory: usize,
    memory_most: usize,
    room: usize,
    /// Transactions that asked for an endpoint or a sketch too many.
    pub(super) refused: u64,
}

impl Statistics {
    /// Nothing; with sketches of the latencies or sums.
    pub(super) fn new(sketched: bool, memory: Memory) -> Self {
        Self {
            places: HashMap::default(),
            endpoints: Vec::new(),
            sketched,
            sketches: 0,
            memory: 0,
            memory_most: 0,
            room: memory.share(limits::AGENT_STATISTICS),
            refused: 0,
        }
    }

    /// How full their memory came.
    pub(super) fn load(&self) -> Load {
        Load::new(Limit::AgentStatistics, self.memory_most, self.room)
    }

    /// Takes so many bytes of memory, if there is room for them.
    fn take(&mut self, bytes: usize) -> bool {
        self.memory_most = self.memory_most.max(self.memory + bytes);
        let fits = self.memory + bytes <= self.room;
        if fits {
            self.memory += bytes;
        } else {
            self.refused += 1;
        }
        fits
    }

    /// The endpoints.
    pub(super) fn endpoints(&self) -> &[EndpointStatistics] {
        &self.endpoints
    }

    /// How many endpoints and sketches there are, and one more where one was refused.
    pub(super) fn kept(&self) -> [usize; 2] {
        let more = usize::from(self.refused > 0);
        [self.endpoints.len() + more, self.sketches + more]
    }

    /// Counts a transaction: its key (a hash), and the endpoint where that is new.
    pub(super) fn add(
        &mut self,
        key: u64,
        status: u16,
        latency: f64,
        endpoint: impl FnOnce() -> (Tuple, FirstSeen, Option<(Method, Box<[u8]>)>),
    ) {
        let place = if let Some(&place) = self.places.get(&key) {
            place
        } else if self.endpoints.len() < limits::AGENT_ENDPOINTS {
            let place = self.endpoints.len() as u32;
            let (tuple, seen, call) = endpoint();
            if !self.take(ENDPOINT + call.as_ref().map_or(0, |(_, path)| of_block(path.len()))) {
                return;
            }
            self.endpoints.push(EndpointStatistics { tuple, call, statuses: Vec::with_capacity(1), seen });
            self.places.insert(key, place);
            place
        } else {
            self.refused += 1;
            return;
        };
        self.count(place as usize, status, latency);
    }

    /// Counts a transaction of an endpoint.
    fn count(&mut self, place: usize, status: u16, latency: f64) {
        let at =
            |endpoint: &EndpointStatistics| endpoint.statuses.iter().position(|(known, _)| *known == status);
        let Some(at) = self.endpoints.get(place).map(at) else { return };
        // What an endpoint takes includes its first status.
        let is_first = self.endpoints.get(place).is_some_and(|endpoint| endpoint.statuses.is_empty());
        if at.is_none() && !is_first && !self.take(STATUS) {
            return;
        }
        let Some(endpoint) = self.endpoints.get_mut(place) else { return };
        let Some((_, latencies)) = at.and_then(|at| endpoint.statuses.get_mut(at)) else {
            let latencies = Latencies { count: 1, sum: latency, first: latency, sketch: None };
            return endpoint.statuses.push((status, latencies));
        };
        latencies.count += 1;
        latencies.sum += latency;
        let first = (latencies.count == 2 && self.sketched).then_some(latencies.first);
        let Some(mut sketch) = latencies.sketch.take().or_else(|| self.sketch(first?)) else { return };
        let before = sketch.length();
        sketch.add(latency);
        // One that there is no room for says nothing any more.
        let kept = self.take((sketch.length() - before) * size_of::<u64>());
        let endpoint = self.endpoints.get_mut(place);
        if let Some((_, latencies)) = endpoint.and_then(|endpoint| endpoint.statuses.get_mut(at?)) {
            latencies.sketch = kept.then_some(sketch);
        }
    }

    /// A sketch with the first latency in it, if there is room for one.
    fn sketch(&mut self, first: f64) -> Option<Box<DDSketch>> {
        if self.sketches >= limits::AGENT_SKETCHES {
            self.refused += 1;
            return None;
        }
        let mut sketch = Box::new(DDSketch::new(Config::new(ACCURACY, MAX_BINS, 1e-9)));
        sketch.add(first);
        self.take(of_block(size_of::<DDSketch>()) + sketch.length() * size_of::<u64>()).then_some(())?;
        self.sketches += 1;
        Some(sketch)
    }
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latencies")
            .field("count", &self.count)
            .field("sum", &self.sum)
            .finish_non_exhaustive()
    }
}

impl Latencies {
    /// The latency at a quantile between 0 and 1, in nanoseconds: of one transaction its own, of more the sketch's.
    /// `None` without a sketch, or for a quantile that is none.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        match &self.sketch {
            Some(sketch) => sketch.quantile(quantile).ok()?,
            None => (self.count == 1).then_some(self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::endpoint::Endpoint;

    fn add(statistics: &mut Statistics, key: u64, status: u16, latency: f64) {
        let tuple = Tuple { client: Endpoint::UNKNOWN, server: Endpoint::UNKNOWN };
        let call = || (tuple, FirstSeen::default(), Some((Method::Get, b"/a"[..].into())));
        statistics.add(key, status, latency, call);
    }

    #[test]
    fn the_first_latency_is_a_scalar_and_a_sketch_follows() {
        let mut statistics = Statistics::new(true, Memory::default());
        add(&mut statistics, 1, 200, 1000.0);
        let latencies = |statistics: &Statistics| statistics.endpoints()[0].statuses[0].1.clone();
        assert!(latencies(&statistics).sketch.is_none());
        assert_eq!(latencies(&statistics).quantile(0.5), Some(1000.0));
        for n in 1..=1000_u32 {
            add(&mut statistics, 1, 200, f64::from(n) * 1000.0);
        }
        let all = latencies(&statistics);
        let median = all.quantile(0.5).unwrap();
        assert!((median - 500_000.0).abs() < 500_000.0 * 0.0101, "{median}");
        assert_eq!((all.sketch.as_ref().unwrap().count(), all.count), (1001, 1001));
        add(&mut statistics, 1, 404, 1.0);
        let statuses: Vec<_> = statistics.endpoints()[0].statuses.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [200, 404]);
    }

    #[test]
    fn without_sketches_there_are_sums() {
        let mut statistics = Statistics::new(false, Memory::default());
        for latency in [1.0, 2.0, 4.0] {
            add(&mut statistics, 1, 200, latency);
        }
        let (_, latencies) = &statistics.endpoints()[0].statuses[0];
        assert!((latencies.sum - 7.0).abs() < f64::EPSILON);
        assert_eq!((latencies.count, latencies.quantile(0.5), statistics.refused), (3, None, 0));
    }

    #[test]
    fn cap_agent_sketches() {
        let mut statistics = Statistics::new(true, Memory::default());
        statistics.sketches = limits::AGENT_SKETCHES - 1;
        for key in [1, 2] {
            for _ in 0..3 {
                add(&mut statistics, key, 200, 1.0);
            }
        }
        let kept: Vec<(u64, bool)> = statistics
            .endpoints()
            .iter()
            .map(|endpoint| (endpoint.statuses[0].1.count, endpoint.statuses[0].1.sketch.is_some()))
            .collect();
        assert_eq!((kept.as_slice(), statistics.refused), (&[(3, true), (3, false)][..], 1));
        assert_eq!(statistics.endpoints()[1].statuses[0].1.quantile(0.5), None);
    }

    #[test]
    fn cap_agent_statistics() {
        let mut statistics = Statistics::new(true, Memory::default());
        let struck = (0..4000).find(|&key| {
            // From a nanosecond to an hour: as many bins as there can be.
            (0..13).for_each(|power| add(&mut statistics, key, 200, 10_f64.powi(power)));
            statistics.refused > 0
        });
        assert!(struck.is_some_and(|key| key > 1000), "{struck:?}");
        assert!(statistics.memory <= limits::AGENT_STATISTICS);
        let kept = |key: u64| statistics.endpoints()[key as usize].statuses[0].1.quantile(0.5);
        assert!(kept(0).is_some() && kept(struck.unwrap()).is_none(), "what is full says nothing");
        let load = statistics.load();
        assert!(load.most > load.cap);
    }

    #[test]
    fn cap_agent_endpoints() {
        let mut statistics = Statistics::new(true, Memory::default());
        for key in 0..=limits::AGENT_ENDPOINTS as u64 {
            add(&mut statistics, key, 200, 5.0);
            let most = (key + 1).min(limits::AGENT_ENDPOINTS as u64);
            assert_eq!((statistics.endpoints().len() as u64, statistics.refused), (most, key + 1 - most));
        }
        add(&mut statistics, 0, 200, 5.0);
        assert_eq!(
            (statistics.endpoints()[0].statuses[0].1.count, statistics.refused),
            (2, 1),
            "those known go on"
        );
    }
}
