//! Connections that are joined after their handshake, anywhere.

use super::connections::{cut, talk};
use super::stack::{Pair, Stack};
use super::{BOTH, End, Event, Output, decrypt, feed};
use crate::base::direction::Direction;
use crate::base::limits::{TLS_LATE_BYTES_PER_TRY, TLS_LATE_START, TLS_LATE_TRIES_PER_SECRET};
use crate::base::tls::NotDecrypted;
use crate::tls::{KeyStore, Session, Workspace};
use Direction::{Backward, Forward};
use proptest::prelude::*;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};

/// Bytes of a message, which is sent as one record.
const MESSAGE: usize = 300;

fn suites13() -> impl Iterator<Item = SupportedCipherSuite> {
    ALL_CIPHER_SUITES.iter().copied().filter(|suite| suite.tls13().is_some())
}

/// A connection behind its handshake, in which each side sends messages that all differ; with so many key updates of each
/// side after the first half. The pair, the index of the event with the first message, and the messages' events by side.
fn conversation(suite: SupportedCipherSuite, messages: u32, updates: u32) -> (Pair, usize) {
    let mut stack = Stack::new(suite, false, false);
    stack.server.send_tls13_tickets = 0;
    let mut pair = stack.connect();
    pair.pump();
    let start = pair.events.len();
    for n in 0..messages {
        if n == messages / 2 {
            for _ in 0..updates {
                pair.client.refresh_traffic_keys().unwrap();
                pair.pump();
                pair.server.refresh_traffic_keys().unwrap();
                pair.pump();
            }
        }
        for from in BOTH {
            pair.send(
                from,
                &[n.to_be_bytes(), (from.index() as u32).to_be_bytes()].concat().repeat(MESSAGE / 8),
            );
        }
    }
    (pair, start)
}

/// The bytes of each direction behind the handshake.
fn streams(events: &[(Direction, Event)]) -> [Vec<u8>; 2] {
    BOTH.map(|side| {
        let bytes = events.iter().filter(|(from, _)| *from == side).map(|(_, event)| match event {
            Event::Data(bytes) => bytes.as_slice(),
            _ => panic!("only data"),
        });
        bytes.collect::<Vec<_>>().concat()
    })
}

/// The numbers of the messages of a direction that came out; every byte of them must be right.
fn numbers(output: &Output, from: Direction) -> Vec<u32> {
    let (chunks, rest) = output.data[from].as_chunks::<MESSAGE_SENT>();
    assert!(rest.is_empty());
    let number = |chunk: &[u8; MESSAGE_SENT]| {
        let number = u32::from_be_bytes(*chunk.first_chunk().unwrap());
        let expected = [number.to_be_bytes(), (from.index() as u32).to_be_bytes()].concat();
        assert!(chunk.chunks(8).all(|part| part == expected), "a byte that was not sent");
        number
    };
    chunks.iter().map(number).collect()
}

const MESSAGE_SENT: usize = MESSAGE / 8 * 8;

/// Where the records of a stream begin, and where the last one ends.
fn boundaries(stream: &[u8]) -> Vec<usize> {
    let mut at = vec![0];
    while let Some(&[_, _, _, high, low]) =
        stream.get(*at.last().unwrap()..).and_then(|rest| rest.first_chunk())
    {
        at.push(at.last().unwrap() + 5 + usize::from(u16::from_be_bytes([high, low])));
    }
    at
}

/// The streams from these offsets on, in pieces of that size, turn by turn.
fn from_offsets(streams: &[Vec<u8>; 2], offsets: [usize; 2], size: usize) -> Vec<(Direction, Event)> {
    let mut pieces = [0, 1].map(|side| streams[side][offsets[side].min(streams[side].len())..].chunks(size));
    let mut events = Vec::new();
    loop {
        let before = events.len();
        for (from, pieces) in BOTH.into_iter().zip(&mut pieces) {
            events.extend(pieces.next().map(|piece| (from, Event::Data(piece.to_vec()))));
        }
        if events.len() == before {
            return events;
        }
    }
}

/// Secrets of other connections, so many.
fn decoys(count: usize) -> String {
    let line = |n: usize, label: &str| format!("{label} {n:064x} {:064x}\n", n + 7);
    (0..count)
        .flat_map(|n| ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"].map(|label| line(n, label)))
        .collect()
}

#[test]
fn a_connection_is_read_from_any_record_on() {
    for suite in suites13() {
        let (pair, start) = conversation(suite, 40, 0);
        let streams = streams(&pair.events[start..]);
        let keys = decoys(20) + &pair.keys() + &decoys(40);
        for skipped in [0, 1, 17, 39] {
            let offsets = [0, 1].map(|side| boundaries(&streams[side])[skipped]);
            let output = decrypt(&from_offsets(&streams, offsets, 500), &keys);
            for from in BOTH {
                assert_eq!(
                    numbers(&output, from),
                    (skipped as u32..40).collect::<Vec<_>>(),
                    "{suite:?} {from:?}"
                );
                assert_eq!(output.gaps[from].len(), usize::from(skipped > 0));
                assert_eq!(output.description.records_missed[from], Some(skipped as u64));
                assert_eq!(output.description.generation[from], 0);
            }
            let description = &output.description;
            assert!(description.late && description.not_decrypted.is_none());
            assert_eq!((description.version, description.client), (Some("1.3"), Some(Forward)));
            assert_eq!(description.cipher, Some(&*format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")));
        }
    }
}

#[test]
fn one_direction_is_enough() {
    for suite in suites13() {
        let (pair, start) = conversation(suite, 40, 0);
        let streams = streams(&pair.events[start..]);
        for from in BOTH {
            let mut events = from_offsets(&streams, [0, 1].map(|side| boundaries(&streams[side])[9]), 500);
            events.retain(|event| event.0 == from);
            let output = decrypt(&events, &(decoys(20) + &pair.keys()));
            assert_eq!(numbers(&output, from), (9..40).collect::<Vec<_>>(), "{suite:?} {from:?}");
            assert_eq!(output.description.client, Some(Forward));
            assert_eq!(output.description.records_missed[from], Some(9));
            assert_eq!(output.description.records_missed[from.reverse()], None);
        }
    }
}

#[test]
fn key_updates_before_and_after_the_join() {
    for suite in suites13() {
        for updates in [1, 5] {
            let (pair, start) = conversation(suite, 40, updates);
            let streams = streams(&pair.events[start..]);
            // Each asks the other for an update, too.
            for (first, generation) in [(3, 0), (25, 2 * updates as u16)] {
                // A record of a key update is shorter than any message.
                let message = |side: usize| {
                    let at = boundaries(&streams[side]);
                    let long = at.windows(2).filter(|pair| pair[1] - pair[0] > MESSAGE);
                    long.map(|pair| pair[0]).nth(first).unwrap()
                };
                let output = decrypt(&from_offsets(&streams, [message(0), message(1)], 700), &pair.keys());
                for from in BOTH {
                    assert_eq!(
                        numbers(&output, from),
                        (first as u32..40).collect::<Vec<_>>(),
                        "{suite:?} {updates}"
                    );
                    assert_eq!(output.description.generation[from], generation);
                    let missed = if generation == 0 { first } else { first - 20 };
                    assert_eq!(output.description.records_missed[from], Some(missed as u64));
                }
            }
        }
    }
}

#[test]
fn secrets_that_come_later_are_tried_once_they_are_there() {
    for suite in suites13() {
        let (pair, start) = conversation(suite, 40, 0);
        let streams = streams(&pair.events[start..]);
        let events = from_offsets(&streams, [0, 1].map(|side| boundaries(&streams[side])[5]), 500);
        let mut keys = KeyStore::default();
        keys.add_text(decoys(10).as_bytes());
        let mut work = Workspace::default();
        let (mut session, mut output) = (Session::new(&work), Output::default());
        let (before, after) = events.split_at(events.len() / 2);
        for event in before {
            feed(&mut session, &mut work, &keys, 1, event, &mut output);
        }
        assert!(session.is_waiting() && output.data.forward.is_empty());
        keys.add_text(pair.keys().as_bytes());
        session.retry(&keys, &mut work, &mut output);
        assert!(!session.is_waiting() && !output.data.forward.is_empty());
        for event in after {
            feed(&mut session, &mut work, &keys, 2, event, &mut output);
        }
        session.finish(&keys, &mut work, &mut output);
        for from in BOTH {
            assert_eq!(numbers(&output, from), (5..40).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_no_secret_fits_says_why() {
    let (pair, start) = conversation(cipher_suite::TLS13_AES_128_GCM_SHA256, 40, 0);
    // Secrets of 32 bytes may be of ChaCha20-Poly1305, whose numbers have no end.
    let long = decoys(10).lines().map(|line| line.to_owned() + &"0".repeat(32) + "\n").collect::<String>();
    for (keys, reason) in [
        (String::new(), NotDecrypted::NoSecrets),
        (long, NotDecrypted::NoSecrets),
        (decoys(100), NotDecrypted::SearchBound),
    ] {
        let output = decrypt(&pair.events[start..], &keys);
        assert_eq!((output.description.not_decrypted, output.description.late), (Some(reason), false));
        assert!(BOTH.iter().all(|&from| output.data[from].is_empty()));
    }
    let suite = cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
    let mut pair = Stack::new(suite, false, false).connect();
    pair.pump();
    let start = pair.events.len();
    talk(&mut pair);
    let output = decrypt(&pair.events[start..], &pair.keys());
    assert_eq!(output.description.not_decrypted, Some(NotDecrypted::ServerHelloMissing));
    assert_eq!(output.data.forward.len(), 0);
}

/// With the server's random alone, TLS 1.2 is read from its first protected record on, however that is cut.
#[test]
fn tls12_without_a_client_hello_in_pieces_of_any_size() {
    let suite = cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
    let mut pair = Stack::new(suite, false, false).connect();
    pair.pump();
    talk(&mut pair);
    let whole = decrypt(&pair.events, &pair.keys());
    let hello = pair.events.iter().position(|(from, _)| *from == Forward).unwrap();
    pair.events.remove(hello);
    for size in [1, 7, 20, 60, 5000] {
        let output = decrypt(&cut(&pair.events, &[size]), &(decoys(20) + &pair.keys()));
        assert!(output.data == whole.data, "{size}: {:?}", output.description);
        assert!(output.description.late);
    }
}

#[test]
fn random_bytes_in_the_guise_of_records_are_never_opened() {
    let mut state = 7_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for len in [24, 100, 1000] {
        let records: Vec<u8> = (0..60)
            .flat_map(|_| {
                let header = [23, 3, 3, (len >> 8) as u8, len as u8];
                header.into_iter().chain((0..len).map(|_| byte())).collect::<Vec<_>>()
            })
            .collect();
        let events = from_offsets(&[records.clone(), records], [3, 0], 1400);
        let output = decrypt(&events, &decoys(500));
        assert_eq!(output.counters.records_decrypted, 0);
        assert!(output.description.not_decrypted.is_some() && !output.description.late);
    }
}

/// Whatever is in the records and in the key log: what traffic has not paid for is not tried, and the rest is for others.
#[test]
fn tries_in_vain_cost_no_more_than_traffic_pays_for() {
    let (pair, start) = conversation(cipher_suite::TLS13_AES_128_GCM_SHA256, 40, 0);
    let mut keys = KeyStore::default();
    keys.add_text((decoys(5000) + &pair.keys() + &decoys(5000)).as_bytes());
    keys.set_complete();
    let mut work = Workspace::default();
    let granted = TLS_LATE_START + keys.version() * TLS_LATE_TRIES_PER_SECRET;
    work.joins.budget.spent = granted;
    let mut state = 3_u32;
    let mut fragment = || -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..60).map(|_| next()).collect()
    };
    let mut output = Output::default();
    for _ in 0..40 {
        let mut session = Session::new(&work);
        for n in 0..60 {
            let record = [&[23, 3, 3, 0, 60][..], &fragment()].concat();
            feed(
                &mut session,
                &mut work,
                &keys,
                n,
                &(BOTH[n as usize % 2], Event::Data(record)),
                &mut output,
            );
        }
        session.finish(&keys, &mut work, &mut output);
        assert_eq!(session.description().not_decrypted, Some(NotDecrypted::SearchBound));
    }
    let budget = work.joins.budget;
    assert_eq!(budget.seen, 40 * 60 * 65);
    assert!(budget.spent - granted <= budget.seen / TLS_LATE_BYTES_PER_TRY, "{budget:?}");
    assert_eq!((work.counters().late_limit, work.counters().records_decrypted), (80, 0));
    // More traffic pays for more, and a connection that is in the log is found.
    work.joins.budget.seen += 1 << 20;
    let (mut session, mut output) = (Session::new(&work), Output::default());
    for event in &pair.events[start + 10..] {
        feed(&mut session, &mut work, &keys, 1, event, &mut output);
    }
    session.finish(&keys, &mut work, &mut output);
    assert!(BOTH.iter().all(|&from| numbers(&output, from).len() >= 30));
}

/// All that a connection keeps is looked through for new secrets when the pipeline says so, and not with each segment.
#[test]
fn bytes_do_not_pay_for_looks_at_new_secrets() {
    let (mut keys, mut work) = (KeyStore::default(), Workspace::default());
    let (mut session, mut output) = (Session::new(&work), Output::default());
    let record = [&[23, 3, 3, 0, 200][..], &[0xa5; 200]].concat();
    let mut push = |session: &mut Session, work: &mut Workspace, keys: &KeyStore, bytes: &[u8]| {
        for from in BOTH {
            feed(session, work, keys, 1, &(from, Event::Data(bytes.to_vec())), &mut output);
        }
        work.looked_through()
    };
    let first = push(&mut session, &mut work, &keys, &record.repeat(40));
    assert!(session.is_waiting() && first > 0);
    for n in 0..20 {
        keys.add_text(format!("CLIENT_TRAFFIC_SECRET_0 {n:064x} {n:096x}\n").as_bytes());
        assert_eq!(push(&mut session, &mut work, &keys, &record[n..=n]), first);
    }
    session.retry(&keys, &mut work, &mut Output::default());
    assert!(work.looked_through() >= first + 2 * 40 * 205);
}

/// A try reads all of a record, and is paid for by its length.
#[test]
fn tries_of_long_records_cost_more() {
    let secrets = 5;
    // Secrets of 48 bytes are of AES-256-GCM alone: each is tried on each of these records.
    let long =
        decoys(secrets).lines().map(|line| line.to_owned() + &"0".repeat(32) + "\n").collect::<String>();
    let mut keys = KeyStore::default();
    keys.add_text(long.as_bytes());
    keys.set_complete();
    let spent = [1000_u16, 16_000].map(|len| {
        let record = [&[23, 3, 3][..], &len.to_be_bytes(), &vec![0xa5; len.into()]].concat();
        let mut work = Workspace::default();
        let (mut session, mut output) = (Session::new(&work), Output::default());
        for n in 0..4 {
            feed(&mut session, &mut work, &keys, n, &(Forward, Event::Data(record.clone())), &mut output);
            feed(&mut session, &mut work, &keys, n, &(Backward, Event::Data(record.clone())), &mut output);
        }
        session.finish(&keys, &mut work, &mut output);
        assert_eq!(session.description().not_decrypted, Some(NotDecrypted::NoSecrets));
        work.joins.budget.spent
    });
    // Two secrets a connection, on three records and more in either direction.
    let bytes = 2 * 2 * secrets as u64 * 3 * (16_000 - 1000);
    assert!(spent[1] - spent[0] >= bytes / 256, "{spent:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// From any byte on, and with any records lost: what comes out was sent, in order; with AES-GCM all whole records.
    #[test]
    fn any_cut_and_any_loss(
        offsets in [0..13_000_usize, 0..13_000_usize],
        mut lost in proptest::collection::vec(0..1000_usize, 0..8),
        size in 50..2000_usize,
        suite in 0..3_usize,
        updates in 0..3_u32,
    ) {
        let suite = suites13().nth(suite).unwrap();
        let (pair, start) = conversation(suite, 40, updates);
        let streams = streams(&pair.events[start..]);
        let mut events = from_offsets(&streams, offsets, size);
        // Which bytes of each direction are there.
        let mut there = [0, 1].map(|side| vec![true; streams[side].len()]);
        for side in 0..2 {
            let end = offsets[side].min(there[side].len());
            there[side][..end].fill(false);
        }
        let (mut at, count) = (offsets, events.len().max(1));
        for n in &mut lost {
            *n %= count;
        }
        for (n, (from, event)) in events.iter_mut().enumerate() {
            let Event::Data(piece) = &*event else { panic!() };
            let (side, len) = (from.index(), piece.len());
            if lost.contains(&n) {
                there[side][at[side]..at[side] + len].fill(false);
                *event = Event::Gap(Some(len as u64));
            }
            at[side] += len;
        }
        let output = decrypt(&events, &(decoys(3) + &pair.keys()));
        let gcm = !format!("{suite:?}").contains("CHACHA");
        for from in BOTH {
            let at = boundaries(&streams[from.index()]);
            let messages: Vec<_> = at.windows(2).filter(|pair| pair[1] - pair[0] > MESSAGE).collect();
            let whole = |pair: &[usize]| there[from.index()][pair[0]..pair[1]].iter().all(|&there| there);
            let expected: Vec<u32> = (0..).zip(&messages).filter(|(_, pair)| whole(pair)).map(|(n, _)| n).collect();
            let got = numbers(&output, from);
            prop_assert!(got.is_sorted_by(|a, b| a < b) && got.iter().all(|n| expected.contains(n)));
            if gcm {
                prop_assert_eq!(got, expected);
            }
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same() {
    let (pair, start) = conversation(cipher_suite::TLS13_AES_128_GCM_SHA256, 40, 1);
    let events = &pair.events[start + 21..];
    let whole = decrypt(events, &pair.keys());
    assert!(numbers(&whole, Backward).len() > 25);
    for size in [1, 3, 50, 1448] {
        let output = decrypt(&cut(events, &[size]), &pair.keys());
        assert!(output.data == whole.data, "{size}");
        assert_eq!(output.description.records_missed, whole.description.records_missed);
    }
}

/// A direction of whose records none is whole, as the snaplen has cut all its packets.
#[test]
fn a_direction_of_which_nothing_opens_is_missing() {
    for suite in suites13() {
        let (pair, start) = conversation(suite, 10, 0);
        let cut = |(from, event): &(Direction, Event)| match event {
            Event::Data(bytes) if *from == Backward => {
                let (kept, rest) = bytes.split_at(20);
                vec![(*from, Event::Data(kept.to_vec())), (*from, Event::Gap(Some(rest.len() as u64)))]
            }
            _ => vec![(*from, event.clone())],
        };
        for whole_handshake in [false, true] {
            let mut events = pair.events[..if whole_handshake { start } else { 0 }].to_vec();
            events.extend(pair.events[start..].iter().flat_map(cut));
            events.extend(BOTH.map(|from| (from, Event::End(End::Fin))));
            let output = decrypt(&events, &pair.keys());
            assert_eq!(numbers(&output, Forward), (0..10).collect::<Vec<_>>());
            assert_eq!(output.gaps.backward, [(0, None)], "{suite:?} {whole_handshake}");
            assert_eq!(output.ends.backward, [End::Fin]);
        }
    }
}

/// Of the server's handshake the first records have opened, and nothing behind them: what it sent then is missing, too.
#[test]
fn what_follows_a_handshake_that_is_cut_is_missing() {
    for suite in suites13() {
        let mut stack = Stack::new(suite, false, false);
        stack.server.max_fragment_size = Some(200);
        let mut pair = stack.connect();
        pair.pump();
        for from in BOTH {
            pair.send(from, &0_u32.to_be_bytes().repeat(MESSAGE / 4));
        }
        for records in 0..6 {
            let mut left = records;
            let cut = |(from, event): &(Direction, Event)| {
                let Event::Data(bytes) = event else { return vec![(*from, event.clone())] };
                let mut at = if *from == Backward { 0 } else { bytes.len() };
                while at < bytes.len() && left > 0 {
                    at += 5 + usize::from(u16::from_be_bytes([bytes[at + 3], bytes[at + 4]]));
                    left -= 1;
                }
                let (whole, rest) = bytes.split_at(at);
                let gap = (!rest.is_empty()).then_some((*from, Event::Gap(Some(rest.len() as u64))));
                std::iter::once((*from, Event::Data(whole.to_vec()))).chain(gap).collect()
            };
            let mut events: Vec<_> = pair.events.iter().flat_map(cut).collect();
            events.extend(BOTH.map(|from| (from, Event::End(End::Fin))));
            let output = decrypt(&events, &pair.keys());
            assert_eq!(output.gaps.backward, [(0, None)], "{suite:?} {records}");
        }
    }
}
