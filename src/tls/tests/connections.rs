//! Whole connections: every suite, and what TLS does beside application data.

use super::stack::{Pair, Stack};
use super::{BOTH, Direction, End, Event, Output, PerDirection, decrypt, feed, run};
use crate::base::tls::NotDecrypted;
use crate::tls::{KeyStore, Session, Workspace};
use Direction::{Backward, Forward};
use proptest::prelude::*;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};
use std::fmt::Write as _;

/// Sizes of what is sent that have a boundary in them.
const SIZES: [usize; 7] = [1, 100, 16_383, 16_384, 16_385, 40_000, 3];

pub(super) fn talk(pair: &mut Pair) {
    for (n, size) in SIZES.iter().enumerate() {
        let bytes: Vec<u8> = (0..*size).map(|byte| (byte + n) as u8).collect();
        pair.send(BOTH[n % 2], &bytes);
        pair.send(BOTH[(n + 1) % 2], &bytes);
    }
}

fn suites() -> impl Iterator<Item = SupportedCipherSuite> {
    ALL_CIPHER_SUITES.iter().copied()
}

fn check(output: &Output, plain: &PerDirection<Vec<u8>>) {
    for from in BOTH {
        assert!(output.data[from] == plain[from], "{from:?}: {} bytes", output.data[from].len());
        assert_eq!(output.gaps[from], []);
    }
    assert_eq!(output.description.not_decrypted, None);
    assert_eq!((output.counters.records_failed, output.counters.held_limit), (0, 0));
}

/// The events, their bytes cut into pieces of these sizes, over and over.
pub(super) fn cut(events: &[(Direction, Event)], sizes: &[usize]) -> Vec<(Direction, Event)> {
    let (mut out, mut sizes) = (Vec::new(), sizes.iter().cycle());
    for (from, event) in events {
        let Event::Data(bytes) = event else { panic!("only data is cut") };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            out.push((*from, Event::Data(piece.to_vec())));
            rest = after;
        }
    }
    out
}

#[test]
fn every_suite_is_decrypted_record_by_record() {
    for suite in suites() {
        for client_auth in [false, true] {
            let mut pair = Stack::new(suite, false, client_auth).connect();
            talk(&mut pair);
            pair.close();
            let output = decrypt(&pair.events, &pair.keys());
            check(&output, &pair.plain);
            let lengths: Vec<usize> = output.records.forward.iter().map(|record| record.0).collect();
            assert_eq!(lengths, [1, 100, 16_383, 16_384, 16_384, 1, 16_384, 16_384, 7232, 3]);
            assert_eq!(output.ends, PerDirection { forward: vec![End::Fin], backward: vec![End::Fin] });
            let description = &output.description;
            let tls13 = suite.tls13().is_some();
            assert_eq!(description.version, Some(if tls13 { "1.3" } else { "1.2" }));
            let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            assert_eq!(description.cipher, Some(name.as_str()));
            assert_eq!(description.server_name.as_deref(), Some("a.example"));
            assert_eq!(description.alpn_offered, ["h2", "http/1.1"]);
            assert_eq!(description.alpn.as_deref(), Some("h2"));
            assert_eq!((description.resumed, description.client), (Some(false), Some(Forward)));
            assert!(description.ja4.as_ref().unwrap().starts_with(if tls13 { "t13d" } else { "t12d" }));
        }
    }
}

#[test]
fn small_records_and_small_segments() {
    for suite in [cipher_suite::TLS13_AES_128_GCM_SHA256, cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
    {
        let mut stack = Stack::new(suite, false, true);
        stack.client.max_fragment_size = Some(64);
        stack.server.max_fragment_size = Some(100);
        let mut pair = stack.connect();
        talk(&mut pair);
        pair.close();
        check(&decrypt(&pair.events, &pair.keys()), &pair.plain);
        for size in [1, 2, 7, 1448] {
            let output = decrypt(&cut(&pair.events, &[size]), &pair.keys());
            check(&output, &pair.plain);
            let packets: Vec<u64> = output.records.forward.iter().map(|record| record.1).collect();
            assert!(packets.is_sorted());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn cuts_at_random_places_change_nothing(sizes in proptest::collection::vec(1..5000_usize, 1..30)) {
        let mut pair = Stack::new(cipher_suite::TLS13_AES_256_GCM_SHA384, true, false).connect();
        talk(&mut pair);
        check(&decrypt(&cut(&pair.events, &sizes), &pair.keys()), &pair.plain);
    }
}

#[test]
fn a_record_is_of_the_packet_of_its_last_byte() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    pair.pump();
    let before = pair.events.len();
    pair.send(Forward, b"hello");
    let Some((_, Event::Data(record))) = pair.events.pop() else { panic!("no record") };
    assert_eq!(pair.events.len(), before);
    pair.events.push((Forward, Event::Data(record[..4].to_vec())));
    pair.events.push((Backward, Event::Gap(Some(0))));
    pair.events.push((Forward, Event::Data(record[4..].to_vec())));
    let output = decrypt(&pair.events, &pair.keys());
    assert_eq!(output.records.forward, [(5, before as u64 + 3)]);
}

#[test]
fn a_second_hello_and_key_updates() {
    for suite in suites().filter(|suite| suite.tls13().is_some()) {
        let mut pair = Stack::new(suite, true, false).connect();
        talk(&mut pair);
        pair.client.refresh_traffic_keys().unwrap();
        talk(&mut pair);
        pair.server.refresh_traffic_keys().unwrap();
        pair.server.refresh_traffic_keys().unwrap();
        talk(&mut pair);
        pair.close();
        let output = decrypt(&pair.events, &pair.keys());
        check(&output, &pair.plain);
        assert_eq!(output.description.alpn.as_deref(), Some("h2"));
    }
}

#[test]
fn resumption_is_told() {
    for suite in suites() {
        for tickets in [false, true] {
            let mut stack = Stack::new(suite, false, false);
            if tickets {
                stack.server.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
            }
            for resumed in [false, true] {
                let mut pair = stack.connect();
                talk(&mut pair);
                pair.close();
                let output = decrypt(&pair.events, &pair.keys());
                check(&output, &pair.plain);
                assert_eq!(output.description.resumed, Some(resumed), "{suite:?}");
            }
        }
    }
}

/// The fingerprint is of the first client hello: where the capture begins behind that, there is none.
#[test]
fn a_second_client_hello_has_no_fingerprint() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, true, false).connect();
    pair.pump();
    talk(&mut pair);
    let whole = decrypt(&pair.events, &pair.keys()).description;
    assert!(whole.ja4.is_some() && !whole.second_hello);
    let first = pair.events.iter().position(|(from, _)| *from == Forward).unwrap();
    pair.events.remove(first);
    let late = decrypt(&pair.events, &pair.keys()).description;
    assert!(late.ja4.is_none() && late.second_hello);
    assert_eq!((late.server_name, late.alpn_offered), (whole.server_name, whole.alpn_offered));
}

/// A connection that has 0-RTT data, which the server takes or not.
fn early(accepted: bool, retry: bool) -> Pair {
    let mut stack = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false);
    stack.client.enable_early_data = true;
    stack.server.max_early_data_size = 10_000;
    let mut first = stack.connect();
    talk(&mut first);
    if retry {
        let other = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, true, false);
        let storage = stack.server.session_storage.clone();
        let resolver = stack.server.cert_resolver.clone();
        stack.server = other.server;
        stack.server.session_storage = storage;
        stack.server.cert_resolver = resolver;
    } else if !accepted {
        stack.server.max_early_data_size = 0;
    }
    let mut pair = stack.connect();
    pair.send_early(b"early ", !accepted);
    pair.send_early(b"bird", !accepted);
    pair.pump();
    assert_eq!(pair.client.is_early_data_accepted(), accepted);
    talk(&mut pair);
    pair.close();
    pair
}

#[test]
fn early_data_counts_when_the_server_takes_it() {
    for (accepted, retry) in [(true, false), (false, false), (false, true)] {
        let pair = early(accepted, retry);
        for sizes in [&[100_000][..], &[3], &[50, 1]] {
            let output = decrypt(&cut(&pair.events, sizes), &pair.keys());
            check(&output, &pair.plain);
            assert_eq!(output.description.early_data, Some(accepted));
            assert_eq!(output.description.resumed, Some(true));
        }
    }
}

/// The key log without the lines of these labels.
fn without(keys: &str, labels: &[&str]) -> String {
    keys.lines()
        .filter(|line| !labels.iter().any(|label| line.starts_with(label)))
        .map(|l| l.to_owned() + "\n")
        .collect()
}

#[test]
fn early_data_without_its_secret_is_a_gap() {
    let pair = early(true, false);
    let output = decrypt(&pair.events, &without(&pair.keys(), &["CLIENT_EARLY"]));
    assert_eq!(output.gaps.forward, [(0, None)]);
    assert_eq!(output.data.forward, pair.plain.forward[10..]);
    // Without the server's handshake secret its answer is not known; what is there is shown.
    let output = decrypt(&pair.events, &without(&pair.keys(), &["SERVER_HANDSHAKE"]));
    assert!(output.data == pair.plain);
    let pair = early(false, false);
    let output = decrypt(&pair.events, &without(&pair.keys(), &["CLIENT_EARLY"]));
    check(&output, &pair.plain);
}

#[test]
fn application_secrets_alone_do() {
    for client_auth in [false, true] {
        let mut pair = Stack::new(cipher_suite::TLS13_AES_256_GCM_SHA384, true, client_auth).connect();
        talk(&mut pair);
        pair.client.refresh_traffic_keys().unwrap();
        talk(&mut pair);
        let keys = without(&pair.keys(), &["CLIENT_HANDSHAKE", "SERVER_HANDSHAKE"]);
        let output = decrypt(&pair.events, &keys);
        check(&output, &pair.plain);
        assert!(output.counters.records_skipped > 0);
        assert_eq!(output.description.alpn, None);
    }
}

#[test]
fn one_sides_secrets_decrypt_that_side() {
    let mut pair = Stack::new(cipher_suite::TLS13_CHACHA20_POLY1305_SHA256, false, false).connect();
    talk(&mut pair);
    for (labels, there) in [(["CLIENT_T", "CLIENT_H"], Backward), (["SERVER_T", "SERVER_H"], Forward)] {
        let output = decrypt(&pair.events, &without(&pair.keys(), &labels));
        assert_eq!(output.data[there], pair.plain[there]);
        assert_eq!(output.data[there.reverse()], b"");
        assert_eq!(output.gaps[there.reverse()], [(0, None)]);
        assert_eq!(output.description.not_decrypted, Some(NotDecrypted::NoSecrets));
    }
}

#[test]
fn one_direction_alone() {
    for suite in suites() {
        let mut pair = Stack::new(suite, false, true).connect();
        talk(&mut pair);
        pair.close();
        for from in BOTH {
            let mut events = pair.events.clone();
            events.retain(|event| event.0 == from);
            let output = decrypt(&events, &pair.keys());
            if suite.tls13().is_some() || from == Backward {
                // The client's suite is found by trial, and so is the server's client random.
                assert_eq!(output.data[from], pair.plain[from], "{suite:?} {from:?}");
                assert_eq!(output.description.not_decrypted, None);
                assert_eq!(output.description.client, Some(Forward));
                assert!(output.description.cipher.is_some());
            } else {
                assert_eq!(output.description.not_decrypted, Some(NotDecrypted::ServerHelloMissing));
            }
        }
    }
}

#[test]
fn the_client_alone_with_application_secrets_alone() {
    // The suite is found by trial at the first record after Finished, which is held until the server's silence is sure.
    for suite in suites().filter(|suite| suite.tls13().is_some()) {
        for client_auth in [false, true] {
            let mut pair = Stack::new(suite, false, client_auth).connect();
            talk(&mut pair);
            pair.events.retain(|event| event.0 == Forward);
            let output = decrypt(&pair.events, &without(&pair.keys(), &["CLIENT_H", "SERVER"]));
            assert_eq!(output.data.forward, pair.plain.forward);
            assert_eq!(output.gaps.forward, []);
            assert_eq!(output.description.not_decrypted, None);
        }
    }
}

#[test]
fn other_protocols_are_no_damage() {
    let events =
        [(Forward, Event::Data(b"GET / HTTP/1.1\r\n\r\n".to_vec())), (Backward, Event::Data(vec![7; 5000]))];
    let output = decrypt(&events, "");
    assert_eq!(output.description.not_decrypted, Some(NotDecrypted::NoSecrets));
    assert_eq!(output.data, PerDirection::default());
}

#[test]
fn the_directions_may_come_in_any_order() {
    for suite in suites() {
        let mut pair = Stack::new(suite, false, false).connect();
        talk(&mut pair);
        for first in BOTH {
            let mut events = pair.events.clone();
            events.sort_by_key(|event| event.0 != first);
            let output = decrypt(&events, &pair.keys());
            let waited = suite.tls13().is_none() && first == Forward; // more than is kept for a hello
            if waited {
                assert_eq!(output.description.not_decrypted, Some(NotDecrypted::ServerHelloMissing));
            } else {
                check(&output, &pair.plain);
            }
        }
        // The client may also be the backward side.
        let mut events = pair.events.clone();
        for event in &mut events {
            event.0 = event.0.reverse();
        }
        let output = decrypt(&events, &pair.keys());
        assert_eq!(output.description.client, Some(Backward));
        assert_eq!((output.data.backward, output.data.forward), (pair.plain.forward, pair.plain.backward));
    }
}

#[test]
fn late_keys_open_what_was_kept() {
    for suite in suites() {
        let mut pair = Stack::new(suite, false, false).connect();
        talk(&mut pair);
        pair.close();
        let text = pair.keys();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // The lines come one by one, each after some packets.
        let (mut keys, mut work) = (KeyStore::default(), Workspace::default());
        let (mut session, mut output) = (Session::new(&work), Output::default());
        let mut waited = false;
        for (n, event) in pair.events.iter().enumerate() {
            feed(&mut session, &mut work, &keys, n as u64 + 1, event, &mut output);
            waited |= session.is_waiting();
            if let Some(line) = n.checked_sub(4).and_then(|n| lines.get(n)) {
                keys.add_text(line.as_bytes());
                session.retry(&keys, &mut work, &mut output);
            }
        }
        session.finish(&keys, &mut work, &mut output);
        output.description = session.description().clone();
        assert!(waited);
        check(&output, &pair.plain);
        let told = output.told_first.unwrap();
        assert_eq!((told.alpn.as_deref(), told.cipher), (Some("h2"), output.description.cipher));
        assert_eq!(
            String::from_utf8(keys.used_lines().to_vec()).unwrap().lines().count(),
            if suite.tls13().is_some() { 4 } else { 1 }
        );
    }
}

#[test]
fn secrets_that_were_not_looked_for_are_at_the_end() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    talk(&mut pair);
    pair.close();
    let (mut keys, mut work) = (KeyStore::default(), Workspace::default());
    let (mut session, mut output) = (Session::new(&work), Output::default());
    for (n, event) in pair.events.iter().enumerate() {
        feed(&mut session, &mut work, &keys, n as u64 + 1, event, &mut output);
    }
    keys.add_text(pair.keys().as_bytes());
    session.finish(&keys, &mut work, &mut output);
    output.description = session.description().clone();
    check(&output, &pair.plain);
}

#[test]
fn without_keys_the_handshake_is_told() {
    for suite in suites() {
        let mut pair = Stack::new(suite, false, false).connect();
        talk(&mut pair);
        pair.events.push((Forward, Event::End(End::Rst)));
        pair.events.push((Backward, Event::End(End::Rst)));
        for complete in [false, true] {
            let mut keys = KeyStore::default();
            if complete {
                keys.set_complete();
            }
            let output = run(&pair.events, &keys);
            assert_eq!((output.data, output.gaps), Default::default());
            assert_eq!(output.ends.forward, [End::Rst]);
            let description = output.description;
            assert_eq!(description.not_decrypted, Some(NotDecrypted::NoSecrets));
            assert_eq!(description.alpn.as_deref(), suite.tls13().is_none().then_some("h2"));
            assert_eq!(description.server_name.as_deref(), Some("a.example"));
            assert!(description.bytes.forward > 70_000);
        }
    }
}

#[test]
fn a_cap_ends_the_waiting() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    for _ in 0..80 {
        pair.send(Forward, &[7; 16_384]);
    }
    pair.send(Backward, b"short");
    let (mut keys, mut work) = (KeyStore::default(), Workspace::default());
    let (mut session, mut output) = (Session::new(&work), Output::default());
    for (n, event) in cut(&pair.events, &[1448]).iter().enumerate() {
        feed(&mut session, &mut work, &keys, n as u64 + 1, event, &mut output);
    }
    assert_eq!(work.counters().held_limit, 1);
    assert_eq!(session.description().not_decrypted, Some(NotDecrypted::NoSecrets));
    keys.add_text(pair.keys().as_bytes());
    session.retry(&keys, &mut work, &mut output);
    session.finish(&keys, &mut work, &mut output);
    assert_eq!((&*output.data.forward, &*output.data.backward), (&b""[..], &b"short"[..]));
    assert_eq!(output.gaps.forward, [(0, None)]);
}

#[test]
fn wrong_secrets_and_no_hello() {
    let mut pair = Stack::new(cipher_suite::TLS13_AES_128_GCM_SHA256, false, false).connect();
    talk(&mut pair);
    let wrong: String = pair
        .keys()
        .lines()
        .map(|line| line[..line.len() - 2].to_owned() + if line.ends_with("00") { "11" } else { "00" } + "\n")
        .collect();
    let output = decrypt(&pair.events, &wrong);
    assert_eq!(
        (output.data, output.description.not_decrypted),
        (PerDirection::default(), Some(NotDecrypted::Damaged))
    );
}

/// The events with the client hello's random replaced, and an extension added that offers an encrypted hello.
fn with_encrypted_hello(events: &[(Direction, Event)]) -> Vec<(Direction, Event)> {
    let mut events = events.to_vec();
    let Event::Data(bytes) = &mut events[0].1 else { panic!() };
    let end = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    let mut hello = bytes[..end].to_vec();
    hello[11..43].fill(0xee);
    let extension = [0xfe, 0x0d, 0, 4, 0, 0, 1, 2];
    hello.extend(extension);
    let extensions = 43 + 1 + 32;
    let suites = usize::from(u16::from_be_bytes([hello[extensions], hello[extensions + 1]]));
    // Each length that covers the new extension: of the record, of the message, of the list of extensions.
    for at in [3, 7, extensions + 2 + suites + 2] {
        let len = u16::from_be_bytes([hello[at], hello[at + 1]]) + extension.len() as u16;
        hello[at..at + 2].copy_from_slice(&len.to_be_bytes());
    }
    bytes.splice(..end, hello);
    events
}

#[test]
fn an_encrypted_hello_has_another_random() {
    let decoy =
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ".to_owned() + &"ab".repeat(32) + " " + &"cd".repeat(32) + "\n";
    for suite in suites().filter(|suite| suite.tls13().is_some()) {
        let mut pair = Stack::new(suite, false, false).connect();
        talk(&mut pair);
        pair.close();
        let events = with_encrypted_hello(&pair.events);
        for keys in [pair.keys(), decoy.clone() + &pair.keys() + &decoy.replace("ab", "ac")] {
            let output = decrypt(&events, &keys);
            check(&output, &pair.plain);
            assert!(output.description.ech);
        }
        let output = decrypt(&events, &decoy);
        assert_eq!(output.description.not_decrypted, Some(NotDecrypted::NoSecrets));
        assert!(!decrypt(&pair.events, &pair.keys()).description.ech);
    }
}

#[test]
fn a_master_secret_may_be_named_by_the_session() {
    for suite in suites().filter(|suite| suite.tls13().is_none()) {
        let mut pair = Stack::new(suite, false, false).connect();
        talk(&mut pair);
        pair.close();
        let (_, Event::Data(hello)) = pair.events.iter().find(|(from, _)| *from == Backward).unwrap() else {
            panic!()
        };
        let mut id = String::new();
        for byte in &hello[44..][..usize::from(hello[43])] {
            write!(id, "{byte:02X}").unwrap();
        }
        assert_eq!(id.len(), 64);
        let keys = pair.keys();
        let master = keys.split_whitespace().nth(2).unwrap();
        let output = decrypt(&pair.events, &format!("RSA Session-ID:{id} Master-Key:{master}"));
        check(&output, &pair.plain);
    }
}
