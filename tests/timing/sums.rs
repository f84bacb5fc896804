//! The parts of an exchange's time are its duration, to the nanosecond, whatever packets there are.

use crate::damage::{cases, samples};
use crate::support::{Analyze, Capture, Outcome};
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

const PARTS: [&str; 9] = [
    "wait",
    "server_pause",
    "client_pause",
    "stream_window",
    "connection_window",
    "tcp_loss",
    "tcp_window",
    "other_streams",
    "transfer",
];

/// Seconds as the record has them, in nanoseconds.
fn nanos(value: &Value) -> u64 {
    (value.as_f64().unwrap() * 1e9).round() as u64
}

fn part(record: &Value, name: &str) -> u64 {
    record["h2"]["time"].get(name).map_or(0, nanos)
}

/// The sum of the parts is the duration, and those that are told are above zero; or the time is told to be unknown.
fn check(outcome: &Outcome) -> Result<(), TestCaseError> {
    for record in outcome.transactions() {
        let (time, duration) = (&record["h2"]["time"], nanos(&record["duration"]));
        let unknown =
            record["h2"]["unknown"].as_array().is_some_and(|names| names.contains(&"h2.time".into()));
        if unknown {
            prop_assert!(time.is_null(), "{record}");
            continue;
        }
        prop_assert_eq!(PARTS.map(|name| part(record, name)).iter().sum::<u64>(), duration, "{}", record);
        prop_assert!(time.is_object() || duration == 0, "{record}");
        for (name, value) in time.as_object().into_iter().flatten() {
            prop_assert!(value.is_boolean() || nanos(value) > 0, "{name}: {record}");
        }
    }
    Ok(())
}

#[test]
fn of_every_capture_here() {
    let mut told = 0;
    for entry in std::fs::read_dir("testdata").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pcap") {
            let outcome = Analyze::file(path).run();
            check(&outcome).unwrap();
            told += outcome.transactions().filter(|record| record["h2"]["time"].is_object()).count();
        }
    }
    assert!(told > 10, "{told}");
}

/// Which stream of which connection.
fn place(record: &Value) -> (u64, u64) {
    let port = record["client"]["port"].as_u64().unwrap();
    (port, record["h2"]["stream"]["id"].as_u64().unwrap())
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn of_any_packets(n in 0..samples().len(), rate in 0.0..0.9, seed in any::<u64>()) {
        let mut random = crate::support::Random::new(seed);
        let sample = &samples()[n];
        let kept = sample.capture.subset(|_, _| !random.chance((rate * 1000.0) as usize));
        check(&Analyze::capture(&kept).run())?;
    }

    /// Packets that are missing make no window emptier: what is told of one is no more than with all packets, beside the
    /// time that was not known then.
    #[test]
    fn missing_packets_raise_no_window(n in 0..samples().len(), lost in vec(weighted(0.05), 4000)) {
        let sample = &samples()[n];
        let kept = sample.capture.subset(|packet, _| !lost.get(packet).copied().unwrap_or(false));
        let outcome = Analyze::capture(&kept).run();
        for record in outcome.transactions().filter(|record| record["h2"]["time"].is_object()) {
            let whole = sample.whole.transactions().find(|whole| place(whole) == place(record));
            let Some(whole) = whole.filter(|whole| whole["h2"]["time"].is_object()) else { continue };
            for window in ["stream_window", "connection_window"] {
                // Where packets are missing their neighbours' times stand for them.
                let slack = nanos(&record["duration"]).abs_diff(nanos(&whole["duration"])) + 2_000_000;
                prop_assert!(part(record, window) <= part(whole, window) + slack, "{record}\n{whole}");
            }
        }
    }
}

/// Times that go back, and stand still.
#[test]
fn of_packets_with_any_times() {
    for (n, sample) in samples().iter().enumerate() {
        let mut random = crate::support::Random::new(n as u64);
        let mut capture: Capture = sample.capture.clone();
        for packet in &mut capture.packets {
            packet.time -= random.below(3_000_000) as u64;
        }
        check(&Analyze::capture(&capture).run()).unwrap();
    }
}
