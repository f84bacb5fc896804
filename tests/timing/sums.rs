//! The parts of an exchange's time are its duration, to the nanosecond, whatever packets there are.

use crate::damage::{cases, samples};
use crate::support::{Analyze, Capture, Outcome};
use h2lens::record::{TimePart, Unknown};
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;

/// The sum of the parts is the duration; or the time is told to be unknown.
fn check(outcome: &Outcome) -> Result<(), TestCaseError> {
    for call in outcome.transactions() {
        prop_assert_eq!(call.time.is_none(), call.unknown.contains(Unknown::TIME), "{:?}", call);
        if let Some(time) = call.time {
            prop_assert_eq!(u128::from(time.parts.sum()), call.duration().as_nanos(), "{:?}", call);
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
            told += outcome.transactions().filter(|call| call.time.is_some()).count();
        }
    }
    assert!(told > 10, "{told}");
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
        for call in outcome.transactions() {
            let Some(time) = call.time else { continue };
            let whole = sample.whole.transactions().find(|whole| whole.place() == call.place()).unwrap();
            let Some(truth) = whole.time else { continue };
            // Where packets are missing their neighbours' times stand for them.
            let slack = call.duration().abs_diff(whole.duration()).as_nanos() as u64 + 2_000_000;
            for window in [TimePart::StreamWindow, TimePart::ConnectionWindow] {
                prop_assert!(time.parts.get(window) <= truth.parts.get(window) + slack, "{call:?}\n{whole:?}");
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
