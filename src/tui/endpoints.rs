//! What the calls add up to, by endpoint: of the last ten seconds, and of all.

use crate::aggregate::{Sketch, quantile_rank};
use crate::base::limits::{WINDOW_ENDPOINTS, WINDOW_RECENT};
use crate::base::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long a call is a recent one.
pub(super) const RECENT: Duration = Duration::from_secs(10);

/// Endpoints, each with what its calls add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    names: BTreeMap<Box<str>, usize>,
    sums: Vec<Sum>,
    /// Calls that ended lately, in the order in which they were told.
    recent: VecDeque<Recent>,
    /// Recent calls that were forgotten, as there were too many.
    pub(super) recent_limited: u64,
}

#[derive(Clone, Debug, Default)]
struct Sum {
    name: Box<str>,
    calls: u64,
    failed: u64,
    durations: Sketch,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    end: Timestamp,
    endpoint: usize,
    nanos: u64,
    failed: bool,
}

/// An endpoint, as the window shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EndpointRow {
    pub(super) name: Box<str>,
    pub(super) recent: Figures,
    pub(super) all: Figures,
}

/// What calls add up to; quantiles in nanoseconds, where there were calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) p50: Option<u64>,
    pub(super) p99: Option<u64>,
}

/// The row of those beyond [`WINDOW_ENDPOINTS`].
const OTHERS: &str = "(others)";

impl Endpoints {
    /// One more call.
    pub(super) fn add(&mut self, name: String, end: Timestamp, nanos: u64, failed: bool) {
        let endpoint = self.place(name);
        if let Some(sum) = self.sums.get_mut(endpoint) {
            sum.calls += 1;
            sum.failed += u64::from(failed);
            sum.durations.add(nanos);
        }
        self.recent.push_back(Recent { end, endpoint, nanos, failed });
        if self.recent.len() > WINDOW_RECENT {
            self.recent.pop_front();
            self.recent_limited += 1;
        }
    }

    fn place(&mut self, name: String) -> usize {
        let name = if self.sums.len() < WINDOW_ENDPOINTS || self.names.contains_key(name.as_str()) {
            name.into_boxed_str()
        } else {
            OTHERS.into()
        };
        let next = self.sums.len();
        let place = *self.names.entry(name.clone()).or_insert(next);
        if place == next {
            self.sums.push(Sum { name, ..Sum::default() });
        }
        place
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sums.len()
    }

    /// The rows, in the order in which the endpoints were first seen; `now`: packet time.
    pub(super) fn rows(&mut self, now: Timestamp) -> Vec<EndpointRow> {
        self.recent.retain(|call| now.since(call.end) <= RECENT);
        let mut recent: Vec<(Figures, Vec<u64>)> = vec![<_>::default(); self.sums.len()];
        for call in &self.recent {
            if let Some((figures, durations)) = recent.get_mut(call.endpoint) {
                figures.calls += 1;
                figures.failed += u64::from(call.failed);
                durations.push(call.nanos);
            }
        }
        let rows = self.sums.iter().zip(recent).map(|(sum, (mut figures, mut durations))| {
            durations.sort_unstable();
            (figures.p50, figures.p99) = (value(&durations, 0.5), value(&durations, 0.99));
            let quantile = |quantile| sum.durations.quantile(quantile);
            let (calls, failed) = (sum.calls, sum.failed);
            let all = Figures { calls, failed, p50: quantile(0.5), p99: quantile(0.99) };
            EndpointRow { name: sum.name.clone(), recent: figures, all }
        });
        rows.collect()
    }
}

/// The quantile, at the rank that it has in all other outputs, too.
fn value(sorted: &[u64], quantile: f64) -> Option<u64> {
    sorted.get(usize::try_from(quantile_rank(quantile, sorted.len() as u64)).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn second(at: u64) -> Timestamp {
        Timestamp::from_parts(at, 0)
    }

    #[test]
    fn recent_calls_are_those_of_ten_seconds() {
        let mut endpoints = Endpoints::default();
        for at in 0..20 {
            endpoints.add("a".to_owned(), second(at), at + 1, at == 19);
        }
        let rows = endpoints.rows(second(20));
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(row.recent, Figures { calls: 10, failed: 1, p50: Some(15), p99: Some(19) });
        assert_eq!((row.all.calls, row.all.failed, row.all.p50), (20, 1, Some(10)));
    }

    #[test]
    fn quantiles_are_ranks() {
        assert_eq!((value(&[], 0.5), value(&[7], 0.99), value(&[1, 2, 3, 4], 0.5)), (None, Some(7), Some(2)));
    }

    #[test]
    fn of_the_same_calls_both_columns_tell_the_same() {
        let mut endpoints = Endpoints::default();
        for nanos in [1, 2, 9] {
            endpoints.add("a".to_owned(), second(0), nanos, false);
            let rows = endpoints.rows(second(1));
            assert_eq!(rows[0].recent, rows[0].all);
        }
    }

    #[test]
    fn cap_window_endpoints() {
        let mut endpoints = Endpoints::default();
        for at in 0..2 * WINDOW_ENDPOINTS {
            endpoints.add(at.to_string(), second(1), 1, false);
        }
        let rows = endpoints.rows(second(1));
        assert_eq!(rows.len(), WINDOW_ENDPOINTS + 1);
        let others = rows.last().map(|row| (&*row.name, row.all.calls));
        assert_eq!(others, Some((OTHERS, WINDOW_ENDPOINTS as u64)));
    }

    #[test]
    fn cap_window_recent() {
        let mut endpoints = Endpoints::default();
        for _ in 0..WINDOW_RECENT + 3 {
            endpoints.add("a".to_owned(), second(1), 1, false);
        }
        assert_eq!((endpoints.recent.len(), endpoints.recent_limited), (WINDOW_RECENT, 3));
    }
}
