//! The parts of an exchange's time are its duration, to the nanosecond, whatever packets there are.

use crate::damage::{cases, losses, samples};
use crate::support::{Analyze, Call, Capture, Outcome};
use h2lens::record::{Time, TimePart, Unknown};
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

/// When an exchange of which nothing is missing began and ended, and who waited for whom in it, other packets change nothing.
fn check_times(whole: &Outcome, lossy: &Outcome) -> Result<(), TestCaseError> {
    for call in lossy.transactions().filter(Call::is_complete) {
        let truth = whole.transactions().find(|whole| whole.place() == call.place()).unwrap();
        let times = |call: &Call<'_>| {
            let messages = [&call.request, &call.response];
            (call.duration(), call.ttfb(), messages.map(|message| call.span_of(message)))
        };
        prop_assert_eq!(times(&call), times(&truth), "{:?}\n{:?}", call, truth);
        if let (Some(told), Some(known)) = (call.time, truth.time) {
            let wait = |time: Time| time.parts.get(TimePart::Wait);
            prop_assert_eq!(wait(told), wait(known), "{:?}\n{:?}", call, truth);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn of_complete_exchanges_whatever_else_is_lost((n, lost) in losses()) {
        let sample = &samples()[n];
        let kept = sample.capture.subset(|packet, _| !lost[packet]);
        check_times(&sample.whole, &Analyze::capture(&kept).run())?;
    }

    #[test]
    fn of_complete_exchanges_in_cut_packets((n, lost) in losses(), snaplen in 54..1500_usize) {
        let sample = &samples()[n];
        let kept = sample.capture.subset(|packet, _| !lost[packet]).snapped(snaplen);
        check_times(&sample.whole, &Analyze::capture(&kept).run())?;
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
