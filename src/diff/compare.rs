//! The endpoints of two runs → what became of each.

use super::chance;
use crate::aggregate::{Aggregate, Kind, Names, Row, Rows};
use crate::base::limit_counters::{Limit, Struck};
use crate::record::diff::{Comparison, Difference, Measure, Numbers, State};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What makes an endpoint.
type Key = (Option<String>, Option<String>, Kind);

/// An endpoint in the two runs.
type Pair = [Option<Row>; 2];

/// Compares two runs of the same services.
pub fn compare(before: Aggregate, after: Aggregate) -> Comparison {
    let [mut before, mut after] = [before, after];
    let runs = Aggregate::rows_of_both(&mut before, &mut after);
    // Paths that were put together for want of room may be any.
    let limits = struck([&before, &after], &runs);
    let all_known = limits.of(Limit::EndpointPaths) == 0 && limits.of(Limit::EndpointRows) == 0;
    let mut comparison = Comparison { limits, ..Comparison::default() };
    let mut pairs: BTreeMap<Key, Pair> = BTreeMap::new();
    for ((run, rows), left_out) in runs.into_iter().enumerate().zip(&mut comparison.left_out) {
        *left_out = take(rows, run, &mut pairs);
    }
    let mut pairs: Vec<_> =
        pairs.into_iter().filter(|(_, pair)| all_known || pair.iter().all(Option::is_some)).collect();
    // The time that was spent in its calls says how much an endpoint matters.
    pairs.sort_by_cached_key(|(_, pair)| {
        Reverse(pair.iter().flatten().map(|row| row.stats.duration.sum()).sum::<u128>())
    });
    let mut endpoints: Vec<_> = pairs.iter().map(|(key, pair)| difference(key, pair)).collect();
    comparison.tests = correct(&mut endpoints);
    endpoints.iter_mut().for_each(judge);
    endpoints.sort_by_key(|endpoint| endpoint.state);
    comparison.endpoints = endpoints;
    comparison
}

/// Which caps struck.
fn struck(runs: [&Aggregate; 2], rows: &[Rows; 2]) -> Struck {
    let mut struck = Struck::default();
    for run in runs {
        struck.add(Limit::EndpointPaths, run.folded_paths());
    }
    for rows in rows {
        let names = rows.rows.iter().filter_map(|row| row.stats.names());
        struck.add(Limit::EndpointRows, rows.folded);
        struck.add(Limit::EndpointFields, names.map(Names::dropped).sum());
    }
    struck
}

/// Takes the endpoints of a run; returns the calls that are no endpoint's for certain.
fn take(rows: Rows, run: usize, pairs: &mut BTreeMap<Key, Pair>) -> u64 {
    let mut left_out = 0_u64;
    for row in rows.rows {
        if row.unplaced || matches!(row.kind, Kind::Folded(_)) {
            left_out = left_out.saturating_add(row.stats.calls);
            continue;
        }
        let key = (row.service(), row.method.clone(), row.kind.clone());
        if let Some(place) = pairs.entry(key).or_default().get_mut(run) {
            *place = Some(row);
        }
    }
    left_out
}

fn difference((_, method, kind): &Key, pair: &Pair) -> Difference {
    let (template, rpc, operation) = match kind {
        Kind::Path(template) => (Some(template.clone()), None, None),
        Kind::Rpc(method) => (Some(format!("/{method}")), Some(method.clone()), None),
        Kind::Operation(template, name) => (Some(template.clone()), None, Some(name.clone())),
        Kind::None | Kind::Folded(_) => (None, None, None),
    };
    let [before, after] = pair.each_ref().map(|row| row.as_ref().map(numbers).unwrap_or_default());
    let state = match pair {
        [None, _] => State::New,
        [_, None] => State::Vanished,
        _ => State::Same,
    };
    let authority = pair.iter().rev().flatten().next().and_then(|row| row.authority.clone());
    let mut own = Difference {
        method: method.clone(),
        template,
        authority,
        rpc,
        operation,
        state,
        before,
        after,
        ..Difference::default()
    };
    if let [Some(before), Some(after)] = pair {
        (own.p_duration, own.p_failed) = (of_durations(before, after), of_failures(before, after));
        let [ours, theirs] = [before, after].map(|row| row.stats.names());
        own.appeared = alone(theirs, ours);
        own.vanished = alone(ours, theirs);
    }
    own
}

fn numbers(row: &Row) -> Numbers {
    let quantile = |quantile| row.stats.duration.quantile(quantile);
    let quantiles = || Some([quantile(0.5)?, quantile(0.95)?, quantile(0.99)?]);
    Numbers {
        calls: row.stats.calls,
        failed: row.stats.failed,
        quantiles: quantiles(),
        request_bytes: row.stats.request_bytes,
        response_bytes: row.stats.response_bytes,
    }
}

fn of_durations(before: &Row, after: &Row) -> Option<f64> {
    let [before, after] = [before, after].map(|row| row.stats.duration.sketch().bins());
    (before.count().min(after.count()) >= chance::ENOUGH).then(|| chance::durations(&before, &after))
}

fn of_failures(before: &Row, after: &Row) -> Option<f64> {
    let [before, after] = [before, after].map(|row| &row.stats);
    // Where none failed there is nothing to test, and no test to correct the others for.
    let is_tested = before.calls.min(after.calls) >= chance::ENOUGH && before.failed.max(after.failed) > 0;
    let counts = [before, after].map(|run| [run.failed, run.calls.saturating_sub(run.failed)]);
    is_tested.then(|| chance::shares(counts[0], counts[1]))
}

/// The names that stand in every response of one run, and in none of the other.
fn alone(run: Option<&Names>, other: Option<&Names>) -> Vec<String> {
    let Some((run, other)) = run.zip(other) else { return Vec::new() };
    let names = run.in_every().filter(|name| other.is_in_none(name));
    names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// Corrects the probabilities for the number of tests, which is returned.
fn correct(endpoints: &mut [Difference]) -> usize {
    let tests = |endpoint: &mut Difference| {
        [endpoint.p_duration.as_mut(), endpoint.p_failed.as_mut()]
            .into_iter()
            .flatten()
            .map(|p| *p)
            .collect::<Vec<_>>()
    };
    let mut all: Vec<f64> = endpoints.iter_mut().flat_map(tests).collect();
    chance::holm(&mut all);
    let mut corrected = all.iter();
    for endpoint in endpoints {
        for p in [&mut endpoint.p_duration, &mut endpoint.p_failed].into_iter().flatten() {
            *p = corrected.next().copied().unwrap_or(1.0);
        }
    }
    all.len()
}

/// Says what changed.
fn judge(endpoint: &mut Difference) {
    let is_more = |p: Option<f64>| p.is_some_and(|p| p < chance::LEVEL);
    let enough = endpoint.before.calls.min(endpoint.after.calls) >= chance::ENOUGH;
    let has_other_fields = !(endpoint.appeared.is_empty() && endpoint.vanished.is_empty());
    let measures = [
        (Measure::Duration, is_more(endpoint.p_duration)),
        (Measure::Failed, is_more(endpoint.p_failed)),
        (Measure::Headers, enough && has_other_fields),
    ];
    endpoint.changed =
        measures.into_iter().filter(|(_, changed)| *changed).map(|(measure, _)| measure).collect();
    if !endpoint.changed.is_empty() {
        endpoint.state = State::Changed;
    }
}
