//! Endpoints: what the exchanges add up to, against the records of the same captures.

use crate::damage::samples;
use crate::support::random::Random;
use crate::support::{Analyze, Capture, Outcome, dig, text};
use h2lens::aggregate::Templates;
use h2lens::record::Wanted;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// Authority or server, method, path: as they are, not as templates.
type Key = (String, Option<String>, Option<String>);

fn run(capture: &Capture, threads: usize) -> Outcome {
    let wanted = Wanted { transactions: true, endpoints: true, telemetry: true, ..Wanted::default() };
    let templates = Templates { literal: true, ..Templates::default() };
    Analyze::capture(capture).wanted(wanted).templates(templates).threads(threads).run()
}

fn owned(record: &Value, path: &str) -> Option<String> {
    text(record, path).map(str::to_owned)
}

fn key(record: &Value, authority: &str, path: &str) -> Key {
    let server = || {
        let (address, port) = (text(record, "server.address").unwrap(), dig(record, "server.port").unwrap());
        format!("{address} {port}")
    };
    let service =
        owned(record, authority).map(|authority| authority.to_ascii_lowercase()).unwrap_or_else(server);
    (service, owned(record, "http.request.method"), owned(record, path))
}

/// The times at this path of the records by their endpoint, in nanoseconds, ascending.
fn times(outcome: &Outcome, path: &str) -> BTreeMap<Key, Vec<u64>> {
    let mut all: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
    for record in outcome.transactions() {
        if let Some(nanos) = nanos(record, path) {
            all.entry(key(record, "h2.request.authority", "url.path")).or_default().push(nanos);
        }
    }
    all.values_mut().for_each(|times| times.sort_unstable());
    all
}

fn nanos(record: &Value, path: &str) -> Option<u64> {
    Some((dig(record, path)?.as_f64()? * 1e9).round() as u64)
}

fn quantile(sorted: &[u64], quantile: f64) -> u64 {
    sorted[(quantile * (sorted.len() - 1) as f64) as usize]
}

fn is_near(one: u64, two: u64) -> bool {
    one.abs_diff(two) as f64 <= 0.01 * one.max(two) as f64 + 2.0
}

#[test]
fn endpoints_are_what_their_records_add_up_to() {
    for sample in samples() {
        let outcome = run(&sample.capture, 1);
        let records = times(&outcome, "duration");
        let mut calls = 0;
        for endpoint in outcome.endpoints() {
            let times = &records[&key(endpoint, "authority", "url.template")];
            let number = |path: &str| dig(endpoint, path).and_then(Value::as_u64).unwrap();
            assert_eq!(number("h2.calls"), times.len() as u64);
            for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
                let shown = nanos(endpoint, &format!("h2.duration.{name}")).unwrap();
                assert!(is_near(shown, quantile(times, share)), "{name}: {shown} {times:?}");
            }
            assert_eq!(nanos(endpoint, "h2.duration.sum"), Some(times.iter().sum()));
            calls += number("h2.calls");
        }
        assert_eq!(calls, outcome.transactions().count() as u64);
        let failed: u64 =
            outcome.endpoints().map(|endpoint| dig(endpoint, "h2.failed").unwrap().as_u64().unwrap()).sum();
        assert_eq!(
            failed,
            outcome.transactions().filter(|record| record.get("error").is_some()).count() as u64
        );
    }
}

#[test]
fn endpoints_are_the_same_for_any_number_of_threads() {
    for sample in &samples()[..4] {
        let one = run(&sample.capture, 1).ndjson;
        assert_eq!(run(&sample.capture, 2).ndjson, one);
        assert_eq!(run(&sample.capture, 8).ndjson, one);
    }
}

#[test]
fn what_the_agent_emits_stands_beside_the_calls() {
    for sample in samples() {
        let outcome = run(&sample.capture, 1);
        let agent =
            |endpoint: &Value| dig(endpoint, "h2.agent.calls").and_then(Value::as_u64).unwrap_or_default();
        let emitted: u64 = outcome.endpoints().map(agent).sum();
        let seen = outcome
            .transactions()
            .filter(|record| dig(record, "h2.agent.seen") == Some(&Value::Bool(true)))
            .count();
        assert_eq!(emitted, seen as u64);
        for endpoint in outcome.endpoints() {
            assert!(agent(endpoint) <= dig(endpoint, "h2.calls").and_then(Value::as_u64).unwrap());
            assert_eq!(dig(endpoint, "h2.agent").is_some(), dig(endpoint, "h2.agent.p99").is_some());
        }
    }
}

#[test]
fn undamaged_there_are_no_bounds() {
    for sample in samples() {
        for endpoint in run(&sample.capture, 1).endpoints() {
            assert_eq!(dig(endpoint, "h2.duration.p99_at_least"), None, "{endpoint}");
        }
    }
}

/// Packets are lost, or cut, so many times in a thousand.
fn damaged(capture: &Capture, permille: usize, cuts: usize, random: &mut Random) -> Capture {
    let mut capture = capture.lossy(permille, random);
    for packet in &mut capture.packets {
        if packet.has_payload() && random.chance(cuts) {
            let start = packet.payload_start().unwrap();
            packet.bytes.truncate(random.between(start, packet.bytes.len()));
        }
    }
    capture
}

/// Of a damaged capture, the quantiles at this path that are not what its bounds say, or what the times in the records of
/// the whole one say where there are none.
fn wrong_quantiles(whole: &BTreeMap<Key, Vec<u64>>, outcome: &Outcome, path: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let placed = outcome.endpoints().filter(|row| dig(row, "h2.unplaced").is_none());
    for endpoint in placed.filter(|row| dig(row, "h2.folded").is_none()) {
        let Some(times) = whole.get(&key(endpoint, "authority", "url.template")) else { continue };
        let truth = quantile(times, 0.99);
        let value = |name: &str| nanos(endpoint, &format!("{path}.{name}"));
        let holds = match (value("p99_at_least"), value("p99_at_most"), value("p99")) {
            (Some(least), most, _) => least <= truth && most.is_none_or(|most| truth <= most),
            (None, _, Some(shown)) => is_near(shown, truth),
            (None, ..) => true,
        };
        if !holds {
            wrong.push(format!("{path}: {truth} of {times:?}: {endpoint}"));
        }
    }
    wrong
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn true_quantiles_lie_within_the_bounds(
        sample in any::<prop::sample::Index>(), permille in 1_usize..80, cuts in 0_usize..20, seed: u64,
    ) {
        let sample = sample.get(samples());
        let damaged = damaged(&sample.capture, permille, cuts, &mut Random::new(seed));
        let outcome = run(&damaged, 1);
        // Where nothing tells that something is missing, as behind the last packet, nothing can be said of it.
        if !outcome.complete() {
            let whole = run(&sample.capture, 1);
            for (record, endpoint) in [("duration", "h2.duration"), ("h2.timing.ttfb", "h2.ttfb")] {
                let wrong = wrong_quantiles(&times(&whole, record), &outcome, endpoint);
                prop_assert!(wrong.is_empty(), "{} quantiles, the first: {}", wrong.len(), wrong[0]);
            }
        }
    }
}
