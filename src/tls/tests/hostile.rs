//! Bytes that no TLS stack sends.

use super::connections::{cut, talk};
use super::stack::Stack;
use super::{BOTH, Direction, Event, Output, PerDirection, decrypt, feed, run};
use crate::tls::{KeyStore, Session, Workspace};
use proptest::prelude::*;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};
use std::time::Instant;

/// A record with this content.
fn record(content: u8, fragment: &[u8]) -> Vec<u8> {
    let mut record = vec![content, 3, 3];
    record.extend((fragment.len() as u16).to_be_bytes());
    record.extend(fragment);
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes(pieces in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..3000)), 0..20)) {
        let events: Vec<_> = pieces.into_iter().map(|(back, bytes)| (BOTH[usize::from(back)], Event::Data(bytes))).collect();
        prop_assert_eq!(run(&events, &KeyStore::default()).data, PerDirection::default());
    }

    #[test]
    fn random_records(pieces in proptest::collection::vec(
        (any::<bool>(), 20..25_u8, 0..3_u8, proptest::collection::vec(any::<u8>(), 1..300)), 0..60)) {
        let events: Vec<_> = pieces.into_iter().map(|(back, content, kind, mut bytes)| {
            if content == 22 && kind > 0 {
                let len = (bytes.len() - 1) as u16;
                bytes.splice(..0, [kind, 0, (len >> 8) as u8, len as u8]);
            }
            (BOTH[usize::from(back)], Event::Data(record(content, &bytes)))
        }).collect();
        prop_assert_eq!(run(&events, &KeyStore::default()).data, PerDirection::default());
    }

    /// Bytes changed, lost or repeated anywhere: what comes out is a part of what was sent.
    #[test]
    fn mutated_connections(
        suite in 0..ALL_CIPHER_SUITES.len(),
        size in 50..3000_usize,
        changes in proptest::collection::vec((0..10_000_usize, 0..3000_usize, 0..6_u8, any::<u8>()), 1..8),
    ) {
        let mut pair = Stack::new(ALL_CIPHER_SUITES[suite], false, false).connect();
        talk(&mut pair);
        let mut events = cut(&pair.events, &[size]);
        for (index, offset, what, value) in changes {
            let index = index % events.len();
            let Event::Data(bytes) = &mut events[index].1 else { continue };
            let offset = offset % bytes.len().max(1);
            match what {
                0 | 1 => bytes.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= value),
                2 => bytes.truncate(offset),
                3 => bytes.splice(offset..offset, std::iter::repeat_n(value, usize::from(value))).for_each(drop),
                4 => events[index].1 = Event::Gap(None),
                _ => {
                    let copy = events[index].clone();
                    events.insert(index, copy);
                }
            }
        }
        let output = decrypt(&events, &pair.keys());
        for from in BOTH {
            let (mut rest, mut start) = (&pair.plain[from][..], 0);
            for &(len, _) in &output.records[from] {
                let plain = &output.data[from][start..start + len];
                start += len;
                let found = rest.windows(len).position(|window| window == plain);
                prop_assert!(found.is_some());
                rest = &rest[found.unwrap() + len..];
            }
        }
    }
}

/// The time that a stream takes to be worked through, for each of its bytes, must not grow with its length.
#[test]
fn no_stream_takes_more_than_linear_time() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    pair.pump();
    pair.send(Direction::Forward, b"x");
    let keys = pair.keys();
    let headers = [23, 3, 3].repeat(100_000);
    let garbage = record(23, &[9; 30]).repeat(20_000);
    let long = record(23, &[9; 16_000]).repeat(60);
    let small = record(22, &[9]).repeat(100_000);
    for hostile in [&headers, &garbage, &long, &small] {
        for after in [false, true] {
            let time = |bytes: &[u8]| {
                let mut events = pair.events.clone();
                if after {
                    events.push((Direction::Forward, Event::Gap(Some(1 << 30))));
                }
                events.extend(cut(&[(Direction::Forward, Event::Data(bytes.to_vec()))], &[1448]));
                let start = Instant::now();
                decrypt(&events, &keys);
                start.elapsed()
            };
            let (half, whole) = (time(&hostile[..hostile.len() / 2]), time(hostile));
            // Trials are paid for by bytes seen: the bound is the credit, far below what squares would take.
            assert!(whole < half * 8 + std::time::Duration::from_secs(2), "{half:?} {whole:?}");
        }
    }
}

#[test]
fn claims_of_length_take_no_memory() {
    // A handshake message that says 16 MiB, and records that say 16 KiB, of which little comes.
    let mut events = vec![(Direction::Forward, Event::Data(record(22, &[1, 0xff, 0xff, 0xff, 3, 3])))];
    for _ in 0..200 {
        events.push((Direction::Forward, Event::Data(record(22, &[0; 16_000]))));
    }
    events.push((Direction::Backward, Event::Data(vec![23, 3, 3, 0x40, 0, 1])));
    let (keys, mut work) = (KeyStore::default(), Workspace::default());
    let (mut session, mut output) = (Session::new(&work), Output::default());
    for event in &events {
        feed(&mut session, &mut work, &keys, 1, event, &mut output);
        assert!(session.memory() < 300_000, "{}", session.memory());
    }
}

/// A capture may have hundreds of thousands of connections, on several threads.
#[test]
fn sessions_are_small_and_may_move_between_threads() {
    fn moves<T: Send>() -> usize {
        size_of::<T>()
    }
    fn is_shared<T: Send + Sync>() {}
    is_shared::<KeyStore>();
    moves::<Workspace>();
    assert!(moves::<Session>() <= 2048, "{}", moves::<Session>());
}
