//! What is done with a transaction that was emitted complete (docs/agent.md, "Statistics").

use super::params::{Mode, Params};
use super::quantize::quantize;
use super::statistics::{EndpointStatistics, FirstSeen, Statistics};
use super::tuple::Tuple;
use super::user::{self, Method, PATH_BUFFER};
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::load::Load;
use crate::base::telemetry_counters::UserTelemetry;
use foldhash::quality::RandomState;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};

/// `max_http_stats_buffered`: keys between two reads.
const MAX_KEYS: usize = 100_000;
/// Statuses that the statistics take.
const STATUSES: std::ops::Range<u16> = 100..600;

/// A transaction on its way into the statistics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction<'a> {
    /// A number for the tuple.
    pub(super) serial: u32,
    pub(super) tuple: Tuple,
    pub(super) seen: FirstSeen,
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
/// every tick; the statistics kept here are those of all reads together.
#[derive(Debug)]
pub(super) struct StatKeeper {
    keys: HashSet<u64, RandomState>,
    /// The most keys that were wanted between two reads.
    most_keys: usize,
    hasher: RandomState,
    max_keys: usize,
    mode: Mode,
    quantizes: bool,
    kept: Option<Statistics>,
    pub(super) telemetry: UserTelemetry,
}

impl StatKeeper {
    /// An empty one, which keeps the statistics or only counts.
    pub(super) fn new(params: &Params) -> Self {
        Self {
            keys: HashSet::default(),
            most_keys: 0,
            hasher: RandomState::default(),
            max_keys: MAX_KEYS,
            mode: params.mode,
            quantizes: params.quantize,
            kept: params.statistics.then(|| Statistics::new(params.mode == Mode::Endpoints, params.memory)),
            telemetry: UserTelemetry::default(),
        }
    }

    /// A hash of a path, for comparison within this run.
    pub(super) fn hash_path(&self, path: &[u8]) -> u64 {
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

    /// Takes a complete transaction, or says that it will not be shown. The agent quantizes the paths of HTTP/1 alone,
    /// unless it is told to here, and has no replacement rules by default.
    pub(super) fn add(&mut self, transaction: &Transaction<'_>) -> bool {
        let mut buffer = [0; PATH_BUFFER];
        let quantized = self.quantizes.then(|| quantize(transaction.path, &mut buffer)).flatten();
        match quantized {
            Some(path) => {
                let path_hash = self.hash_path(path);
                self.add_path(&Transaction { path, path_hash, ..*transaction })
            }
            None => self.add_path(transaction),
        }
    }

    fn add_path(&mut self, transaction: &Transaction<'_>) -> bool {
        let Transaction { serial, tuple, seen, method, path, path_hash, status, latency } = *transaction;
        if !user::is_printable(path) {
            self.telemetry.malformed_non_printable += 1;
            return false;
        }
        if latency <= 0.0 {
            self.telemetry.malformed_invalid_latency += 1;
            return false;
        }
        let key = match self.mode {
            Mode::Endpoints => self.hasher.hash_one((serial, method, path_hash)),
            Mode::Discovery => self.hasher.hash_one(serial),
        };
        if !self.keys.contains(&key) {
            self.most_keys = self.most_keys.max(self.keys.len() + 1);
            if self.keys.len() >= self.max_keys {
                self.telemetry.dropped += 1;
                return false;
            }
            self.keys.insert(key);
            self.telemetry.aggregations += 1;
        }
        // A status outside of these is ignored without a word.
        let counts = STATUSES.contains(&status);
        if let Some(kept) = self.kept.as_mut().filter(|_| counts) {
            match self.mode {
                Mode::Endpoints => {
                    kept.add(key, status, latency, || (tuple, seen, Some((method, path.into()))));
                }
                Mode::Discovery => {
                    kept.add(key, if status < 400 { 200 } else { 400 }, latency, || (tuple, seen, None));
                }
            }
        }
        counts
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
        self.kept.as_ref().map_or(&[], Statistics::endpoints)
    }

    /// How many keys there were between two reads, and endpoints and sketches in all.
    pub(super) fn loads(&self) -> [Load; 4] {
        let [endpoints, sketches] = self.kept.as_ref().map_or([0; 2], Statistics::kept);
        let memory = self.kept.as_ref().map(Statistics::load);
        [
            Load::new(Limit::AgentStatistics, self.most_keys, self.max_keys),
            Load::new(Limit::AgentStatistics, endpoints, limits::AGENT_ENDPOINTS),
            Load::new(Limit::AgentStatistics, sketches, limits::AGENT_SKETCHES),
            memory.unwrap_or(Load::new(Limit::AgentStatistics, 0, 1)),
        ]
    }

    /// Endpoints and sketches that were not made, for each transaction that asked for one.
    pub(super) fn refused(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::endpoint::Endpoint;
    use std::net::IpAddr;

    fn keeper(edit: impl FnOnce(&mut Params)) -> StatKeeper {
        let mut params = Params { statistics: true, ..Params::default() };
        edit(&mut params);
        StatKeeper::new(&params)
    }

    fn transaction(path: &[u8], status: u16, latency: f64) -> Transaction<'_> {
        let end = |port| Endpoint { ip: IpAddr::from([10, 0, 0, 1]), port };
        Transaction {
            serial: 1,
            tuple: Tuple { client: end(40_000), server: end(80) },
            seen: FirstSeen::default(),
            method: Method::Get,
            path,
            path_hash: path.len() as u64,
            status,
            latency,
        }
    }

    fn paths(keeper: &StatKeeper) -> Vec<&[u8]> {
        keeper.endpoints().iter().map(|endpoint| &*endpoint.call.as_ref().unwrap().1).collect()
    }

    #[test]
    fn non_printable_paths_and_zero_latencies_are_malformed() {
        let mut keeper = keeper(|_| ());
        assert!(!keeper.add(&transaction(b"/a\x04", 200, 5.0)));
        assert!(!keeper.add(&transaction("/\u{e9}\u{a0}".as_bytes(), 200, 5.0)));
        assert!(!keeper.add(&transaction(b"/a", 200, 0.0)));
        assert!(keeper.add(&transaction(b"/a~\xff", 200, 5.0)));
        let UserTelemetry { malformed_non_printable, malformed_invalid_latency, aggregations, .. } =
            keeper.telemetry;
        assert_eq!((malformed_non_printable, malformed_invalid_latency, aggregations), (2, 1, 1));
    }

    #[test]
    fn a_status_that_is_none_makes_a_key_and_no_statistics() {
        let mut keeper = keeper(|_| ());
        assert!(!keeper.add(&transaction(b"/a", 99, 1.0)) && !keeper.add(&transaction(b"/a", 600, 1.0)));
        assert_eq!((keeper.telemetry.aggregations, keeper.endpoints().len()), (1, 0));
    }

    #[test]
    fn keys_are_limited_between_reads() {
        let mut keeper = keeper(|params| params.statistics = false);
        keeper.max_keys = 2;
        assert!(keeper.add(&transaction(b"/a", 200, 1.0)) && keeper.add(&transaction(b"/ab", 200, 1.0)));
        assert!(!keeper.add(&transaction(b"/abc", 200, 1.0)));
        assert!(keeper.add(&transaction(b"/ab", 500, 1.0)), "a key that is there");
        keeper.read();
        assert!(keeper.add(&transaction(b"/abc", 200, 1.0)));
        assert_eq!((keeper.telemetry.dropped, keeper.telemetry.aggregations), (1, 3));
        assert!(keeper.endpoints().is_empty());
    }

    #[test]
    fn quantized_paths_share_a_key_and_are_checked_as_such() {
        let mut keeper = keeper(|params| params.quantize = true);
        for path in [b"/users/42".as_slice(), b"/users/7", b"/users/\x04", b"/users/me"] {
            assert!(keeper.add(&transaction(path, 200, 1.0)));
        }
        assert_eq!(paths(&keeper), [b"/users/*".as_slice(), b"/users/me"]);
        assert_eq!(keeper.endpoints()[0].statuses[0].1.count, 3);
    }

    #[test]
    fn discovery_has_one_key_a_connection_and_two_statuses() {
        let mut keeper = keeper(|params| params.mode = Mode::Discovery);
        for (path, status) in
            [(b"/a".as_slice(), 101), (b"/ab", 204), (b"/abc", 302), (b"/a", 404), (b"/a", 500)]
        {
            assert!(keeper.add(&transaction(path, status, 2.0)));
        }
        assert!(!keeper.add(&transaction(b"/a\x04", 200, 2.0)), "paths are checked all the same");
        assert_eq!(keeper.telemetry.aggregations, 1);
        let [endpoint] = keeper.endpoints() else { panic!("one key") };
        assert!(endpoint.call.is_none());
        let statuses: Vec<_> = endpoint
            .statuses
            .iter()
            .map(|(status, latencies)| (*status, latencies.count, latencies.sum as u64))
            .collect();
        assert_eq!(statuses, [(200, 3, 6), (400, 2, 4)]);
    }
}
