//! The agent's statistics (docs/agent.md, "Statistics"): what is done with a transaction that was emitted complete.

use super::tuple::Tuple;
use super::user::{self, Method};
use crate::base::counters::UserTelemetry;
use crate::base::limits;
use foldhash::quality::RandomState;
use sketches_ddsketch::{Config, DDSketch};
use std::collections::{HashMap, HashSet};

/// `max_http_stats_buffered`: keys between two reads.
const MAX_KEYS: usize = 100_000;
/// Statuses that the statistics take.
const STATUSES: std::ops::Range<u16> = 100..600;
/// Relative accuracy of the latency sketches.
const ACCURACY: f64 = 0.01;
/// More bins than nanoseconds of 64 bits can fill at that accuracy, so that none are ever merged.
const MAX_BINS: u32 = 4096;

/// The latencies of one status of one endpoint, in nanoseconds.
#[derive(Clone)]
pub struct Latencies {
    /// Transactions.
    pub count: u64,
    /// The first latency.
    pub first: f64,
    /// All latencies, from the second on. `None` too when [`limits::AGENT_SKETCHES`] were there.
    pub sketch: Option<Box<DDSketch>>,
}

/// The statistics of one endpoint: one aggregation key.
#[derive(Clone, Debug)]
pub struct EndpointStatistics {
    /// Normalised tuple.
    pub tuple: Tuple,
    /// Method.
    pub method: Method,
    /// Path, cut at the first `?`.
    pub path: Box<[u8]>,
    /// By status.
    pub statuses: Vec<(u16, Latencies)>,
}

/// A transaction on its way into the statistics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction<'a> {
    /// A number for the tuple.
    pub(super) serial: u32,
    pub(super) tuple: Tuple,
    pub(super) method: Method,
    pub(super) path: &'a [u8],
    /// A hash of the path.
    pub(super) path_hash: u64,
    pub(super) status: u16,
    /// Nanoseconds.
    pub(super) latency: f64,
}

/// The keys and, when asked for, the statistics.
///
/// The agent reads (and so empties) its statistics at every check. The key limit is modelled so, with a read at
/// every tick; the statistics kept here are those of all reads together, of at most [`limits::AGENT_ENDPOINTS`] keys.
#[derive(Debug)]
pub(super) struct StatKeeper {
    keys: HashSet<u64, RandomState>,
    hasher: RandomState,
    max_keys: usize,
    kept: Option<Statistics>,
    pub(super) telemetry: UserTelemetry,
}

#[derive(Debug, Default)]
struct Statistics {
    places: HashMap<u64, u32, RandomState>,
    endpoints: Vec<EndpointStatistics>,
    sketches: usize,
    refused: u64,
}

impl StatKeeper {
    /// An empty one; `keep` the statistics or only count.
    pub(super) fn new(keep: bool) -> Self {
        Self {
            keys: HashSet::default(),
            hasher: RandomState::default(),
            max_keys: MAX_KEYS,
            kept: keep.then(Statistics::default),
            telemetry: UserTelemetry::default(),
        }
    }

    /// A hash of a path, for comparison within this run.
    pub(super) fn hash_path(&self, path: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.hasher.build_hasher();
        hasher.write(path);
        hasher.finish()
    }

    /// Counts an emitted event.
    pub(super) fn hit(&mut self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1);
        if let Some(hits) = self.telemetry.total_hits.get_mut(class) {
            *hits += 1;
        }
    }

    /// Takes a complete transaction, or says that it will not be shown. No replacement rules are configured by
    /// default, and quantization is for HTTP/1 alone, so that steps 2 and 3 of the flow do nothing.
    pub(super) fn add(&mut self, transaction: &Transaction<'_>) -> bool {
        if !user::is_printable(transaction.path) {
            self.telemetry.malformed_non_printable += 1;
            return false;
        }
        if transaction.latency <= 0.0 {
            self.telemetry.malformed_invalid_latency += 1;
            return false;
        }
        let key = {
            use std::hash::BuildHasher;
            self.hasher.hash_one((transaction.serial, transaction.method, transaction.path_hash))
        };
        if !self.keys.contains(&key) {
            if self.keys.len() >= self.max_keys {
                self.telemetry.dropped += 1;
                return false;
            }
            self.keys.insert(key);
            self.telemetry.aggregations += 1;
        }
        if let Some(kept) = &mut self.kept {
            kept.add(key, transaction);
        }
        // A status outside of these is ignored without a word.
        STATUSES.contains(&transaction.status)
    }

    /// The agent reads its statistics.
    pub(super) fn read(&mut self) {
        if self.keys.capacity() > 1024 && self.keys.len() < self.keys.capacity() / 8 {
            // Clearing takes as long as the set is large, so that it must not stay large for few keys.
            self.keys = HashSet::default();
        } else if !self.keys.is_empty() {
            self.keys.clear();
        }
    }

    /// The statistics kept.
    pub(super) fn endpoints(&self) -> &[EndpointStatistics] {
        self.kept.as_ref().map_or(&[], |kept| &kept.endpoints)
    }

    /// Endpoints and sketches that were not made, for each transaction that asked for one.
    pub(super) fn refused(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.refused)
    }
}

impl Statistics {
    fn add(&mut self, key: u64, transaction: &Transaction<'_>) {
        let Transaction { tuple, method, path, status, latency, .. } = *transaction;
        if !STATUSES.contains(&status) {
            return;
        }
        let place = if let Some(&place) = self.places.get(&key) {
            place
        } else if self.endpoints.len() < limits::AGENT_ENDPOINTS {
            let place = self.endpoints.len() as u32;
            self.endpoints.push(EndpointStatistics {
                tuple,
                method,
                path: path.into(),
                statuses: Vec::new(),
            });
            self.places.insert(key, place);
            place
        } else {
            self.refused += 1;
            return;
        };
        let Some(endpoint) = self.endpoints.get_mut(place as usize) else { return };
        let Some((_, latencies)) = endpoint.statuses.iter_mut().find(|(known, _)| *known == status) else {
            endpoint.statuses.push((status, Latencies { count: 1, first: latency, sketch: None }));
            return;
        };
        latencies.count += 1;
        if latencies.count == 2 {
            if self.sketches < limits::AGENT_SKETCHES {
                self.sketches += 1;
                let mut sketch = DDSketch::new(Config::new(ACCURACY, MAX_BINS, 1e-9));
                sketch.add(latencies.first);
                latencies.sketch = Some(Box::new(sketch));
            } else {
                self.refused += 1;
            }
        }
        if let Some(sketch) = &mut latencies.sketch {
            sketch.add(latency);
        }
    }
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latencies")
            .field("count", &self.count)
            .field("first", &self.first)
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
    use std::net::IpAddr;

    fn transaction(path: &[u8], status: u16, latency: f64) -> Transaction<'_> {
        let end = |port| crate::base::endpoint::Endpoint { ip: IpAddr::from([10, 0, 0, 1]), port };
        Transaction {
            serial: 1,
            tuple: Tuple { client: end(40_000), server: end(80) },
            method: Method::Get,
            path,
            path_hash: path.len() as u64,
            status,
            latency,
        }
    }

    #[test]
    fn non_printable_paths_and_zero_latencies_are_malformed() {
        let mut keeper = StatKeeper::new(true);
        assert!(!keeper.add(&transaction(b"/a\x04", 200, 5.0)));
        assert!(!keeper.add(&transaction("/\u{e9}\u{a0}".as_bytes(), 200, 5.0)));
        assert!(!keeper.add(&transaction(b"/a", 200, 0.0)));
        assert!(keeper.add(&transaction(b"/a~\xff", 200, 5.0)));
        let UserTelemetry { malformed_non_printable, malformed_invalid_latency, aggregations, .. } =
            keeper.telemetry;
        assert_eq!((malformed_non_printable, malformed_invalid_latency, aggregations), (2, 1, 1));
    }

    #[test]
    fn the_first_latency_is_a_scalar_and_a_sketch_follows() {
        let mut keeper = StatKeeper::new(true);
        keeper.add(&transaction(b"/a", 200, 1000.0));
        let latencies = |keeper: &StatKeeper| keeper.endpoints()[0].statuses[0].1.clone();
        assert!(latencies(&keeper).sketch.is_none());
        assert_eq!(latencies(&keeper).quantile(0.5), Some(1000.0));
        for n in 1..=1000_u32 {
            keeper.add(&transaction(b"/a", 200, f64::from(n) * 1000.0));
        }
        let sketch = latencies(&keeper);
        let median = sketch.quantile(0.5).unwrap();
        assert!((median - 500_000.0).abs() < 500_000.0 * 0.0101, "{median}");
        assert_eq!(sketch.sketch.as_ref().unwrap().count(), 1001);
        keeper.add(&transaction(b"/a", 99, 1.0));
        keeper.add(&transaction(b"/a", 404, 1.0));
        let statuses: Vec<_> = keeper.endpoints()[0].statuses.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [200, 404], "a status that is none is ignored");
    }

    #[test]
    fn cap_agent_sketches() {
        let mut keeper = StatKeeper::new(true);
        keeper.kept.as_mut().unwrap().sketches = limits::AGENT_SKETCHES - 1;
        for path in [b"/a".as_slice(), b"/ab"] {
            for _ in 0..3 {
                keeper.add(&transaction(path, 200, 1.0));
            }
        }
        let kept: Vec<(u64, bool)> = keeper
            .endpoints()
            .iter()
            .map(|endpoint| (endpoint.statuses[0].1.count, endpoint.statuses[0].1.sketch.is_some()))
            .collect();
        assert_eq!((kept.as_slice(), keeper.refused()), (&[(3, true), (3, false)][..], 1));
        assert_eq!(keeper.endpoints()[1].statuses[0].1.quantile(0.5), None);
    }

    #[test]
    fn cap_agent_endpoints() {
        let mut keeper = StatKeeper::new(true);
        let paths: Vec<String> = (0..=limits::AGENT_ENDPOINTS).map(|n| format!("/{n}")).collect();
        for (n, path) in (0..).zip(&paths) {
            keeper.read();
            assert!(keeper.add(&Transaction { path_hash: n, ..transaction(path.as_bytes(), 200, 5.0) }));
            let most = (n + 1).min(limits::AGENT_ENDPOINTS as u64);
            assert_eq!((keeper.endpoints().len() as u64, keeper.refused()), (most, n + 1 - most));
        }
        assert!(keeper.add(&Transaction { path_hash: 0, ..transaction(b"/0", 200, 5.0) }));
        assert_eq!(
            (keeper.endpoints()[0].statuses[0].1.count, keeper.refused()),
            (2, 1),
            "those known go on"
        );
    }

    #[test]
    fn keys_are_limited_between_reads() {
        let mut keeper = StatKeeper::new(false);
        keeper.max_keys = 2;
        assert!(keeper.add(&transaction(b"/a", 200, 1.0)) && keeper.add(&transaction(b"/ab", 200, 1.0)));
        assert!(!keeper.add(&transaction(b"/abc", 200, 1.0)));
        assert!(keeper.add(&transaction(b"/ab", 500, 1.0)), "a key that is there");
        keeper.read();
        assert!(keeper.add(&transaction(b"/abc", 200, 1.0)));
        assert_eq!((keeper.telemetry.dropped, keeper.telemetry.aggregations), (1, 3));
        assert!(keeper.endpoints().is_empty());
    }
}
