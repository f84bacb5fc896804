//! Whatever packets are missing: no value that is told as known differs from what was sent.

use super::truth::{Essence, contradictions, contradictions_but};
use super::{Sample, cases, samples};
use crate::support::{Analyze, Capture};
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;

fn check(sample: &Sample, damaged: &Capture) -> Result<(), TestCaseError> {
    let outcome = Analyze::capture(damaged).run();
    let wrong = contradictions(&sample.whole, &outcome);
    prop_assert!(wrong.is_empty(), "{} values, the first: {}", wrong.len(), wrong[0]);
    Ok(())
}

/// Packets that are lost.
#[derive(Clone)]
pub(crate) struct Lost(Vec<bool>);

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = (1..).zip(&self.0).filter(|(_, lost)| **lost).map(|(number, _)| number);
        f.debug_list().entries(numbers).finish()
    }
}

impl std::ops::Index<usize> for Lost {
    type Output = bool;

    fn index(&self, packet: usize) -> &bool {
        &self.0[packet]
    }
}

/// Which of so many packets are lost: few, many or nearly all.
pub(super) fn lost(packets: usize) -> impl Strategy<Value = Lost> {
    let rate = prop_oneof![Just(0.003), Just(0.02), Just(0.1), Just(0.4), Just(0.8), Just(0.97)];
    rate.prop_flat_map(move |rate| vec(weighted(rate), packets).prop_map(Lost))
}

/// A sample, and which of its packets are lost.
pub(crate) fn losses() -> impl Strategy<Value = (usize, Lost)> {
    (0..samples().len()).prop_flat_map(|n| (Just(n), lost(samples()[n].capture.packets.len())))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_packets_lost((n, lost) in losses()) {
        let sample = &samples()[n];
        check(sample, &sample.capture.subset(|packet, _| !lost[packet]))?;
    }

    #[test]
    fn a_run_of_packets_lost(n in 0..samples().len(), from in 0.0..1.0, share in 0.0..1.0) {
        let sample = &samples()[n];
        let count = sample.capture.packets.len() as f64;
        let (first, last) = (from * count, (from + (1.0 - from) * share) * count);
        check(sample, &sample.capture.subset(|packet, _| !(first..last).contains(&(packet as f64))))?;
    }

    #[test]
    fn one_direction_and_losses((n, lost) in losses(), server in any::<bool>()) {
        let sample = &samples()[n];
        let from_server = |packet: &crate::support::Packet| packet.flow().unwrap().0.ends_with(&8080_u16.to_be_bytes());
        check(sample, &sample.capture.subset(|at, packet| !lost[at] && from_server(packet) == server))?;
    }

    #[test]
    fn the_directions_apart_and_losses((n, lost) in losses(), server in any::<bool>(), places in 1..60_usize) {
        let sample = &samples()[n];
        let port = sample.capture.packets[0].flow().unwrap().0;
        let client = u16::from_be_bytes(*port.last_chunk().unwrap());
        let damaged = sample.capture.subset(|packet, _| !lost[packet]).apart(if server { 8080 } else { client }, places);
        let wrong = contradictions_but(&sample.whole, &Analyze::capture(&damaged).run(), Essence::until_reset);
        prop_assert!(wrong.is_empty(), "{} values, the first: {}", wrong.len(), wrong[0]);
    }

    #[test]
    fn cut_packets_and_losses((n, lost) in losses(), snaplen in prop_oneof![Just(54_usize), 54..200_usize, 200..1500_usize]) {
        let sample = &samples()[n];
        check(sample, &sample.capture.subset(|packet, _| !lost[packet]).snapped(snaplen))?;
    }

    #[test]
    fn a_late_start_and_losses((n, lost) in losses(), from in 0.0..1.0) {
        let sample = &samples()[n];
        let first = (from * sample.capture.packets.len() as f64) as usize;
        check(sample, &sample.capture.subset(|packet, _| packet >= first && !lost[packet]))?;
    }
}

/// Both directions wait for bytes that are missing, and the server's goes on first: its hole came after the request that is read
/// last, and an interim response stood in it.
#[test]
fn an_answer_that_is_read_before_its_request_may_have_begun_in_a_hole() {
    let sample = &samples()[4];
    for (start, lost) in [(84, vec![176, 193]), (121, vec![121, 176, 193, 240, 259])] {
        let kept = sample.capture.subset(|packet, _| packet >= start && !lost.contains(&packet));
        check(sample, &kept).unwrap();
    }
}
