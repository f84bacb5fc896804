//! Endpoints: what the exchanges add up to, against the records of the same captures.

use crate::damage::samples;
use crate::support::outcome::utf8;
use crate::support::random::Random;
use crate::support::{Analyze, Call, Capture, Outcome};
use h2lens::aggregate::Templates;
use h2lens::base::verdict::Verdict;
use h2lens::record::Wanted;
use h2lens::record::endpoint::{Endpoint, Quantiles};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// Authority or server, method, path: as they are, not as templates.
type Key = (String, Option<String>, Option<String>);

fn analyze(capture: &Capture, threads: usize) -> Analyze {
    let wanted = Wanted { transactions: true, endpoints: true, telemetry: true, ..Wanted::default() };
    let templates = Templates { literal: true, ..Templates::default() };
    Analyze::capture(capture).wanted(wanted).templates(templates).threads(threads)
}

fn run(capture: &Capture) -> Outcome {
    analyze(capture, 1).run()
}

fn key_of_call(call: &Call<'_>) -> Key {
    let view = call.view();
    let owned = |part: &[u8]| utf8(part).to_owned();
    let service = utf8(&view.authority_or_server()).to_ascii_lowercase();
    (service, view.method.map(owned), view.path.map(owned))
}

fn key_of_endpoint(endpoint: &Endpoint) -> Key {
    let server = || endpoint.server.unwrap().to_string();
    let service = endpoint.authority.clone().unwrap_or_else(server);
    (service, endpoint.method.clone(), endpoint.template.clone())
}

/// A time of a call.
type Time = fn(&Call<'_>) -> Option<Duration>;

const DURATION: Time = |call| Some(call.duration());
const TTFB: Time = |call| Some(call.response.first?.since(call.request.first?));

/// The times of the calls by their endpoint, in nanoseconds, ascending.
fn times(outcome: &Outcome, time: Time) -> BTreeMap<Key, Vec<u64>> {
    let mut all: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
    for call in outcome.transactions() {
        if let Some(time) = time(&call) {
            all.entry(key_of_call(&call)).or_default().push(time.as_nanos() as u64);
        }
    }
    all.values_mut().for_each(|times| times.sort_unstable());
    all
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
        let outcome = run(&sample.capture);
        let by_endpoint = times(&outcome, DURATION);
        let rows = &outcome.endpoints.rows;
        for endpoint in rows {
            let times = &by_endpoint[&key_of_endpoint(endpoint)];
            assert_eq!(endpoint.calls, times.len() as u64);
            let Quantiles { quantiles, max, sum, .. } = endpoint.duration;
            let shown = quantiles.unwrap().into_iter().chain(max);
            assert_eq!(shown.clone().count(), 5);
            for (shown, share) in shown.zip([0.5, 0.9, 0.95, 0.99, 1.0]) {
                assert!(is_near(shown, quantile(times, share)), "{share}: {shown} {times:?}");
            }
            assert_eq!(sum, times.iter().sum::<u64>());
        }
        let calls = outcome.transactions().count() as u64;
        assert_eq!(rows.iter().map(|endpoint| endpoint.calls).sum::<u64>(), calls);
        let failed = outcome.transactions().filter(|call| call.failure().is_some()).count() as u64;
        assert_eq!(rows.iter().map(|endpoint| endpoint.failed).sum::<u64>(), failed);
    }
}

#[test]
fn endpoints_are_the_same_for_any_number_of_threads() {
    for sample in &samples()[..4] {
        let text = |threads| analyze(&sample.capture, threads).run_text().ndjson;
        let one = text(1);
        assert_eq!(text(2), one);
        assert_eq!(text(8), one);
    }
}

#[test]
fn what_the_agent_emits_stands_beside_the_calls() {
    for sample in samples() {
        let outcome = run(&sample.capture);
        let is_seen = |call: &Call<'_>| matches!(call.annotation.agent, Some(Verdict::Seen(_)));
        let agents: Vec<_> =
            outcome.endpoints.rows.iter().filter_map(|row| Some((row, row.agent?))).collect();
        let emitted: u64 = agents.iter().map(|(_, agent)| agent.calls).sum();
        assert_eq!(emitted, outcome.transactions().filter(is_seen).count() as u64);
        for (endpoint, agent) in agents {
            assert!(agent.calls <= endpoint.calls && agent.quantiles.is_some(), "{endpoint:?}");
        }
    }
}

#[test]
fn undamaged_there_are_no_bounds() {
    for sample in samples() {
        for endpoint in run(&sample.capture).endpoints.rows {
            assert_eq!(endpoint.duration.p99_at_least, None, "{endpoint:?}");
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

/// Of a damaged capture, the quantiles of a time that are not what its bounds say, or what the times in the records of
/// the whole one say where there are none.
fn wrong_quantiles(whole: &BTreeMap<Key, Vec<u64>>, outcome: &Outcome, of: Told) -> Vec<String> {
    let mut wrong = Vec::new();
    for endpoint in outcome.endpoints.rows.iter().filter(|row| !row.unplaced && row.folded.is_none()) {
        let Some(times) = whole.get(&key_of_endpoint(endpoint)) else { continue };
        let truth = quantile(times, 0.99);
        let told = of(endpoint);
        let holds = match (told.p99_at_least, told.p99_at_most, told.quantiles) {
            (Some(least), most, _) => least <= truth && most.is_none_or(|most| truth <= most),
            (None, _, Some([.., shown])) => is_near(shown, truth),
            (None, ..) => true,
        };
        if !holds {
            wrong.push(format!("{truth} of {times:?}: {told:?} of {endpoint:?}"));
        }
    }
    wrong
}

/// What an endpoint tells of a time.
type Told = fn(&Endpoint) -> Quantiles;

const QUANTILES: [(Time, Told); 2] =
    [(DURATION, |endpoint| endpoint.duration), (TTFB, |endpoint| endpoint.ttfb)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn true_quantiles_lie_within_the_bounds(
        sample in any::<prop::sample::Index>(), permille in 1_usize..80, cuts in 0_usize..20, seed: u64,
    ) {
        let sample = sample.get(samples());
        let damaged = damaged(&sample.capture, permille, cuts, &mut Random::new(seed));
        let outcome = run(&damaged);
        // Where nothing tells that something is missing, as behind the last packet, nothing can be said of it.
        if !outcome.complete() {
            let whole = run(&sample.capture);
            for (time, of) in QUANTILES {
                let wrong = wrong_quantiles(&times(&whole, time), &outcome, of);
                prop_assert!(wrong.is_empty(), "{} quantiles, the first: {}", wrong.len(), wrong[0]);
            }
        }
    }
}
