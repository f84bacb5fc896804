//! Connections that nobody uses for a while, as live capture gives them up: told of, and read on when they are used again.

use crate::damage::samples;
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome, Random};
use h2lens::record::{ConnectionRecord, EndHow};
use std::time::Duration;

const IDLE: Duration = Duration::from_secs(30);
/// Longer than that, and not so long that calls in flight are given up.
const PAUSE: Duration = Duration::from_secs(100);

/// Handshakes of other connections, by which packet time goes on, in each of the shards.
fn others(from: u64) -> Capture {
    let handshake = |n: u16| {
        let mut conversation = Conversation::new(Ends::v4(1000 + n), n.into());
        conversation.handshake();
        let mut capture = conversation.capture();
        capture.packets.iter_mut().for_each(|packet| packet.time = from + u64::from(n) * 1_000_000);
        capture
    };
    Capture::merged((0..200).map(handshake))
}

/// The capture with a pause before this packet.
fn paused(capture: &Capture, before: usize, pause: Duration) -> Capture {
    let mut capture = capture.clone();
    let begins = capture.packets[before].time;
    for packet in &mut capture.packets[before..] {
        packet.time += pause.as_nanos() as u64;
    }
    let others =
        [PAUSE.as_nanos() as u64 * 9 / 10, pause.as_nanos() as u64 * 9 / 10].map(|at| others(begins + at));
    Capture::merged(others.into_iter().chain([capture]))
}

fn is_idle(connection: &&ConnectionRecord) -> bool {
    connection.end.how == EndHow::Idle
}

/// The connections as they are told of for the last time.
fn last(outcome: &Outcome) -> impl Iterator<Item = &ConnectionRecord> {
    outcome.connections().filter(|connection| !is_idle(connection))
}

/// With an idle timeout that strikes in the middle, nothing is told otherwise than without; and the connections are told of
/// while they are idle, too.
#[test]
fn a_connection_used_again_is_read_on() {
    let mut random = Random::new(11);
    let mut rested = 0;
    // Of those that are one connection the eighth packet is behind the preface.
    for sample in samples().iter().step_by(3) {
        let packets = sample.capture.packets.len();
        for _ in 0..30 {
            let capture = paused(&sample.capture, random.between(8, packets - 1), PAUSE);
            let without = Analyze::capture(&capture).run();
            let with = Analyze::capture(&capture).idle(IDLE).run();
            for (told, truth) in with.transactions().zip(without.transactions()) {
                assert_eq!(told, truth);
            }
            assert_eq!(with.transactions().count(), without.transactions().count());
            assert_eq!(with.report, without.report);
            assert!(last(&with).eq(last(&without)));
            rested += with.connections().filter(is_idle).count();
        }
    }
    assert!(rested > 5, "{rested}");
}

/// Calls in flight end after six times as long, and their connection goes on.
#[test]
fn calls_in_flight_are_given_up_and_the_next_ones_are_read() {
    let mut random = Random::new(12);
    let mut cut = 0;
    for sample in samples() {
        let capture = paused(&sample.capture, random.between(1, sample.capture.packets.len() - 1), 8 * IDLE);
        let outcome = Analyze::capture(&capture).idle(IDLE).run();
        for told in outcome.transactions() {
            let truth = sample.whole.transactions().find(|truth| truth.place() == told.place()).unwrap();
            if told.end.how == EndHow::Idle {
                cut += 1;
                assert!(!told.is_complete());
            } else {
                assert_eq!((told.method(), told.path()), (truth.method(), truth.path()));
                assert_eq!((told.status(), told.is_complete()), (truth.status(), truth.is_complete()));
            }
        }
        assert_eq!(outcome.transactions().count(), sample.whole.transactions().count());
    }
    assert!(cut > 3, "{cut}");
}
