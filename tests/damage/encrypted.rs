//! The same inside TLS, with the keys: holes touch records, and what is missing of the plaintext is known late.

use super::subsets::{Lost, lost};
use super::truth::contradictions_but;
use super::{Sample, cases, small};
use crate::support::conversation::Cut;
use crate::support::endpoints::Setup;
use crate::support::plan::Plan;
use crate::support::tls::{record, suites};
use crate::support::{Analyze, Capture, Conversation, Ends, Packet, Random};
use h2lens::record::Wanted;
use proptest::prelude::*;
use std::sync::OnceLock;

/// A connection for each cipher suite, and its keys.
pub(super) fn samples() -> &'static [(Sample, String)] {
    static SAMPLES: OnceLock<Vec<(Sample, String)>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let sample = |(n, suite)| {
            let mut random = Random::new(n as u64 + 300);
            let plans = (0..random.between(5, 30)).map(|_| small(Plan::any(&mut random))).collect();
            let setup = Setup { lanes: random.between(1, 8), ..Setup::default() };
            let tls = record(plans, setup, suite);
            let mut conversation = Conversation::new(Ends::v4(0), n as u64);
            conversation.handshake();
            conversation.events(&tls.recording.events, Cut::ALL[n % 3]);
            let capture = conversation.capture();
            let whole = Analyze::capture(&capture).keys(&tls.keys).run();
            assert!(whole.complete() && whole.transactions().count() > 4);
            (Sample { capture, whole }, tls.keys)
        };
        suites().enumerate().map(sample).collect()
    })
}

/// Where TCP's numbers stand in a packet without options.
const SEQUENCE: usize = 14 + 20 + 4;
const ACKNOWLEDGMENT: usize = SEQUENCE + 4;

/// Packet `at`, of which a later one of its side has come, comes behind the next bytes of the other side, which had not
/// received it.
fn sent_again(capture: &Capture, at: usize) -> Option<Capture> {
    let of_side = |packet: &Packet| packet.has_payload() && packet.flow() == capture.packets[at].flow();
    let others =
        capture.packets.iter().skip(at + 1).take_while(|packet| !packet.has_payload() || of_side(packet));
    let behind = others.clone().filter(|packet| of_side(packet)).count();
    let next = at + 1 + others.count();
    if behind == 0 || next >= capture.packets.len() || !capture.packets[at].has_payload() {
        return None;
    }
    let mut late = capture.clone();
    let missing: [u8; 4] = *capture.packets[at].bytes[SEQUENCE..].first_chunk().unwrap();
    for packet in late.packets[at + 1..=next].iter_mut().filter(|packet| !of_side(packet)) {
        packet.bytes[ACKNOWLEDGMENT..][..4].copy_from_slice(&missing);
    }
    late.packets[at..=next].rotate_left(1);
    Some(late.restamped())
}

/// A record can be read when all of it has come, as its receiver reads it, whichever segment of it came last.
#[test]
fn windows_are_told_where_a_segment_of_a_record_is_sent_again() {
    let wanted = Wanted { transactions: true, connections: true, ..Wanted::default() };
    let mut looked_at = 0;
    for (sample, keys) in samples() {
        let windows = |capture: &Capture| {
            let outcome = Analyze::capture(capture).keys(keys).wanted(wanted).run();
            outcome
                .connections()
                .map(|it| it.timing.client_windows.zip(it.timing.server_windows).is_some())
                .next()
        };
        assert_eq!(windows(&sample.capture), Some(true));
        for late in (0..sample.capture.packets.len()).filter_map(|at| sent_again(&sample.capture, at)) {
            assert_eq!(windows(&late), Some(true));
            looked_at += 1;
        }
    }
    assert!(looked_at > 30, "{looked_at}");
}

fn check((sample, keys): &(Sample, String), damaged: &Capture) -> Result<(), TestCaseError> {
    let outcome = Analyze::capture(damaged).keys(keys).run();
    // The handshake may be lost, and the exchanges whole.
    let wrong = contradictions_but(&sample.whole, &outcome, |mut essence| {
        essence.connection.tls = None;
        essence.until_reset()
    });
    prop_assert!(wrong.is_empty(), "{} values, the first: {}", wrong.len(), wrong[0]);
    Ok(())
}

/// A sample, and which of its packets are lost.
fn losses() -> impl Strategy<Value = (usize, Lost)> {
    (0..samples().len()).prop_flat_map(|n| (Just(n), lost(samples()[n].0.capture.packets.len())))
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_packets_lost((n, lost) in losses()) {
        let sample = &samples()[n];
        check(sample, &sample.0.capture.subset(|packet, _| !lost[packet]))?;
    }

    #[test]
    fn the_directions_apart_and_losses((n, lost) in losses(), server in any::<bool>(), places in 1..60_usize) {
        let sample = &samples()[n];
        let damaged = sample.0.capture.subset(|packet, _| !lost[packet]);
        check(sample, &damaged.apart(if server { 8080 } else { 32_768 }, places))?;
    }

    #[test]
    fn cut_packets_and_losses((n, lost) in losses(), snaplen in 54..1500_usize) {
        let sample = &samples()[n];
        check(sample, &sample.0.capture.subset(|packet, _| !lost[packet]).snapped(snaplen))?;
    }

    #[test]
    fn a_late_start_and_losses((n, lost) in losses(), from in 0.0..1.0) {
        let sample = &samples()[n];
        let first = (from * sample.0.capture.packets.len() as f64) as usize;
        check(sample, &sample.0.capture.subset(|packet, _| packet >= first && !lost[packet]))?;
    }
}
