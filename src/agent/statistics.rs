//! What the statistics hold of each endpoint: counts and latencies by status.

use super::tuple::Tuple;
use super::user::Method;
use crate::base::limits;
use foldhash::quality::RandomState;
use sketches_ddsketch::{Config, DDSketch};
use std::collections::HashMap;

/// Relative accuracy of the latency sketches.
const ACCURACY: f64 = 0.01;
/// More bins than nanoseconds of 64 bits can fill at that accuracy, so that none are ever merged.
const MAX_BINS: u32 = 4096;

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
    /// Transactions that asked for an endpoint or a sketch too many.
    pub(super) refused: u64,
}

impl Statistics {
    /// Nothing; with sketches of the latencies or sums.
    pub(super) fn new(sketched: bool) -> Self {
        Self { places: HashMap::default(), endpoints: Vec::new(), sketched, sketches: 0, refused: 0 }
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
            self.endpoints.push(EndpointStatistics { tuple, call, statuses: Vec::new(), seen });
            self.places.insert(key, place);
            place
        } else {
            self.refused += 1;
            return;
        };
        let Some(endpoint) = self.endpoints.get_mut(place as usize) else { return };
        let Some((_, latencies)) = endpoint.statuses.iter_mut().find(|(known, _)| *known == status) else {
            let latencies = Latencies { count: 1, sum: latency, first: latency, sketch: None };
            endpoint.statuses.push((status, latencies));
            return;
        };
        latencies.count += 1;
        latencies.sum += latency;
        if latencies.count == 2 && self.sketched {
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
        let mut statistics = Statistics::new(true);
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
        let mut statistics = Statistics::new(false);
        for latency in [1.0, 2.0, 4.0] {
            add(&mut statistics, 1, 200, latency);
        }
        let (_, latencies) = &statistics.endpoints()[0].statuses[0];
        assert!((latencies.sum - 7.0).abs() < f64::EPSILON);
        assert_eq!((latencies.count, latencies.quantile(0.5), statistics.refused), (3, None, 0));
    }

    #[test]
    fn cap_agent_sketches() {
        let mut statistics = Statistics::new(true);
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
    fn cap_agent_endpoints() {
        let mut statistics = Statistics::new(true);
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
