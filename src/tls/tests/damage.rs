//! Holes in the ciphertext, and ciphertext that was changed.

use super::connections::{cut, talk};
use super::stack::Stack;
use super::{BOTH, Direction, End, Event, Output, decrypt, feed};
use crate::base::tls::NotDecrypted;
use crate::tls::{KeyStore, Session, Workspace};
use Direction::{Backward, Forward};
use proptest::prelude::*;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};
use std::ops::Range;

/// A connection whose client sends 200 messages of 600 bytes that all differ, in records of one message each; the
/// index of the event with the first one, the events, and the keys.
fn stream(suite: SupportedCipherSuite) -> (usize, Vec<(Direction, Event)>, String) {
    let mut pair = Stack::new(suite, false, false).connect();
    pair.pump();
    let start = pair.events.len();
    for n in 0..200_u32 {
        pair.send(Forward, &n.to_be_bytes().repeat(150));
    }
    (start, pair.events.clone(), pair.keys())
}

/// The numbers of the messages that came out, and whether each is whole.
fn messages(output: &Output) -> Vec<u32> {
    let (chunks, rest) = output.data.forward.as_chunks::<600>();
    assert!(rest.is_empty());
    let number = |chunk: &[u8; 600]| {
        let number = *chunk.first_chunk().unwrap();
        assert!(chunk.chunks(4).all(|part| part == number));
        u32::from_be_bytes(number)
    };
    chunks.iter().map(number).collect()
}

/// The forward stream's application records as one event, a range of its bytes replaced by a hole.
fn with_hole(
    events: &[(Direction, Event)],
    start: usize,
    hole: Range<usize>,
    len: Option<u64>,
) -> Vec<(Direction, Event)> {
    let mut bytes = Vec::new();
    for (_, event) in &events[start..] {
        let Event::Data(record) = event else { panic!() };
        bytes.extend_from_slice(record);
    }
    let mut out = events[..start].to_vec();
    out.push((Forward, Event::Data(bytes[..hole.start].to_vec())));
    out.push((Forward, Event::Gap(len)));
    out.push((Forward, Event::Data(bytes[hole.end..].to_vec())));
    out.push((Forward, Event::End(End::Fin)));
    out
}

#[test]
fn a_hole_loses_the_records_that_it_touches() {
    for &suite in ALL_CIPHER_SUITES {
        let (start, events, keys) = stream(suite);
        let Event::Data(record) = &events[start].1 else { panic!() };
        let size = record.len();
        // First byte of the hole, its length, and the messages lost. A hole may begin and end anywhere.
        for (from, len) in [
            (10 * size, size),
            (10 * size, 3 * size),
            (10 * size + 1, 2),
            (10 * size + 3, size),
            (10 * size + 100, 20),
            (10 * size + 100, size - 100),
            (10 * size + 100, size - 99),
            (10 * size + 5, 40 * size),
            (10 * size + 77, 100 * size + 9),
            (0, 1),
            (5, 5 * size),
        ] {
            let lost = (from / size) as u32..((from + len).div_ceil(size)) as u32;
            for known in [true, false] {
                let hole = with_hole(&events, start, from..from + len, known.then_some(len as u64));
                let output = decrypt(&hole, &keys);
                let mut expected: Vec<u32> = (0..200).filter(|n| !lost.contains(n)).collect();
                let got = messages(&output);
                if !known && got.len() + 1 == expected.len() {
                    expected.remove(lost.start as usize); // the hole's end inside a record cannot be told
                }
                assert_eq!(got, expected, "{suite:?} {from} {len} {known}");
                assert_eq!(output.gaps.forward.len(), 1, "{suite:?} {from} {len} {known}");
                let (offset, gap) = output.gaps.forward[0];
                assert_eq!(offset, lost.start as usize * 600);
                let within_one = from % size >= 5 && from % size + len <= size && known;
                let exact = within_one && suite.tls13().is_none();
                assert_eq!(gap, exact.then_some(600), "{suite:?} {from} {len}");
                assert_eq!(output.description.not_decrypted, None);
                assert_eq!(output.ends.forward, [End::Fin]);
            }
        }
    }
}

#[test]
fn a_hole_at_the_end_is_told() {
    let (start, events, keys) = stream(cipher_suite::TLS13_AES_128_GCM_SHA256);
    let total: usize = events[start..]
        .iter()
        .map(|(_, event)| if let Event::Data(bytes) = event { bytes.len() } else { 0 })
        .sum();
    let output = decrypt(&with_hole(&events, start, total - 10..total, Some(10)), &keys);
    assert_eq!(messages(&output), (0..199).collect::<Vec<_>>());
    assert_eq!(output.gaps.forward, [(199 * 600, None)]);
    // A stream that stops inside a record.
    let mut events = with_hole(&events, start, total - 10..total, Some(10));
    events.remove(events.len() - 3 + 1);
    let output = decrypt(&events, &keys);
    assert_eq!(output.gaps.forward, [(199 * 600, None)]);
}

/// What is missing is told when a later record opens: until then there is more to come of what was sent.
#[test]
fn a_direction_is_settled_when_its_losses_are_told() {
    let (start, events, key_log) = stream(cipher_suite::TLS13_AES_128_GCM_SHA256);
    let mut keys = KeyStore::default();
    keys.add_text(key_log.as_bytes());
    let mut work = Workspace::default();
    let (mut session, mut output) = (Session::new(&work), Output::default());
    let mut push = |event: &(Direction, Event)| {
        feed(&mut session, &mut work, &keys, 1, event, &mut output);
        (session.is_settled(Forward), output.gaps.forward.len())
    };
    for event in &events[..=start] {
        push(event);
    }
    let Event::Data(record) = &events[start + 1].1 else { panic!() };
    let size = record.len() as u64;
    assert_eq!(push(&(Forward, Event::Data(record[..9].to_vec()))), (false, 0), "a part of a record");
    assert_eq!(push(&(Forward, Event::Data(record[9..].to_vec()))), (true, 0));
    assert_eq!(push(&(Forward, Event::Gap(Some(size)))), (false, 0), "a record is missing");
    assert_eq!(push(&events[start + 3]), (true, 1), "and told");
    assert_eq!(push(&(Forward, Event::Gap(Some(size + 7)))), (false, 1), "a record and a part of one");
    let Event::Data(record) = &events[start + 5].1 else { panic!() };
    assert_eq!(push(&(Forward, Event::Data(record[7..].to_vec()))), (false, 1), "its rest tells nothing");
    assert_eq!(push(&events[start + 6]), (true, 2), "and told");
    assert_eq!(messages(&output), [0, 1, 3, 6]);
}

#[test]
fn a_record_that_was_changed_is_lost_alone() {
    for &suite in ALL_CIPHER_SUITES {
        let (start, mut events, keys) = stream(suite);
        let Event::Data(record) = &mut events[start + 20].1 else { panic!() };
        record[40] ^= 1;
        let Event::Data(record) = &mut events[start + 90].1 else { panic!() };
        record[0] = 0; // no header: the next one is searched for
        let output = decrypt(&events, &keys);
        assert_eq!(messages(&output), (0..200).filter(|&n| n != 20 && n != 90).collect::<Vec<_>>());
        assert_eq!(output.gaps.forward, [(20 * 600, None), (89 * 600, None)]);
        assert_eq!(output.description.not_decrypted, Some(NotDecrypted::Damaged));
        assert_eq!(output.counters.records_failed, 1);
    }
}

#[test]
fn a_key_update_may_be_lost() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    pair.pump();
    pair.send(Forward, b"before");
    let lost = pair.events.len();
    pair.client.refresh_traffic_keys().unwrap();
    pair.pump();
    assert_eq!(pair.events.len(), lost + 1);
    pair.send(Forward, b"after");
    let Event::Data(record) = &pair.events[lost].1 else { panic!() };
    pair.events[lost].1 = Event::Gap(Some(record.len() as u64));
    let output = decrypt(&pair.events, &pair.keys());
    assert_eq!(output.data.forward, b"beforeafter");
    assert_eq!(output.gaps.forward, [(6, None)]);
}

#[test]
fn holes_in_the_handshake() {
    for &suite in ALL_CIPHER_SUITES {
        for client_auth in [false, true] {
            let mut pair = Stack::new(suite, false, client_auth).connect();
            talk(&mut pair);
            let events = cut(&pair.events, &[200]);
            let tls13 = suite.tls13().is_some();
            let first_data = events.len() - pair.plain.forward.len() * 2 / 200 - 20;
            for lost in 0..first_data.min(14) {
                let mut events = events.clone();
                let (from, Event::Data(bytes)) = &events[lost] else { panic!() };
                let from = *from;
                events[lost].1 = Event::Gap(Some(bytes.len() as u64));
                let output = decrypt(&events, &pair.keys());
                let hello_lost = lost < 2 || lost == 2 && from == Forward; // client hello, of under 400 bytes
                for side in BOTH {
                    let whole = output.data[side] == pair.plain[side];
                    let tail =
                        pair.plain[side].ends_with(&output.data[side]) && output.data[side].len() > 90_000;
                    let reason = output.description.not_decrypted;
                    assert!(
                        whole || tail && output.gaps[side].len() == 1 || !tls13 && reason.is_some(),
                        "{suite:?} {client_auth} packet {lost} of {from:?} lost, {side:?}: {} bytes, {reason:?}, {:?}",
                        output.data[side].len(),
                        output.gaps[side],
                    );
                    if !hello_lost && !tls13 && reason.is_some() {
                        assert_eq!((from, reason), (Backward, Some(NotDecrypted::ServerHelloMissing)));
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// What comes out is always in order and never wrong; of records that are wholly there, nearly all come out.
    #[test]
    fn any_loss_leaves_the_rest(
        mut lost in proptest::collection::vec(0..1000_usize, 1..40),
        size in 100..2000_usize,
        suite in 0..ALL_CIPHER_SUITES.len(),
    ) {
        let (start, events, keys) = stream(ALL_CIPHER_SUITES[suite]);
        let (head, tail) = events.split_at(start);
        let mut bytes = Vec::new();
        for (_, event) in tail {
            let Event::Data(record) = event else { panic!() };
            bytes.extend_from_slice(record);
        }
        let record = bytes.len() / 200;
        let mut pieces = cut(&[(Forward, Event::Data(bytes))], &[size]);
        for n in &mut lost {
            *n %= pieces.len();
        }
        let mut whole = [true; 200];
        for &n in &lost {
            if let Event::Data(piece) = &pieces[n].1 {
                let len = piece.len();
                whole[n * size / record..(n * size + len).div_ceil(record).min(200)].fill(false);
                pieces[n].1 = Event::Gap(Some(len as u64));
            }
        }
        let output = decrypt(&[head, &pieces].concat(), &keys);
        let got = messages(&output);
        let expected: Vec<u32> = (0..200).filter(|&n| whole[n as usize]).collect();
        prop_assert_eq!(got, expected);
    }
}
