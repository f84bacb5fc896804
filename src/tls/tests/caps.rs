//! The caps of sessions: what is held, read and tried.

use super::stack::{Pair, Stack};
use super::{Direction, Event, Output, decrypt, feed, run};
use crate::base::limits;
use crate::base::tls::NotDecrypted;
use crate::flow::Arrival;
use crate::tls::hold::{self, Budget, Hold};
use crate::tls::{KeyStore, Session, Workspace};
use Direction::Forward;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite;

/// What the hold reckons for an event beside its bytes.
const EVENT: usize = hold::EVENT_COST;

fn connect() -> Pair {
    connect_with(cipher_suite::TLS13_AES_128_GCM_SHA256)
}

fn connect_with(suite: SupportedCipherSuite) -> Pair {
    let mut pair = Stack::new(suite, false, false).connect();
    pair.pump();
    pair
}

fn len(event: &(Direction, Event)) -> usize {
    if let Event::Data(bytes) = &event.1 { bytes.len() } else { 0 }
}

/// A handshake message in records.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    let bytes = [&[kind], &len[1..], body].concat();
    let records = bytes.chunks(16_384);
    records.flat_map(|part| [&[22, 3, 3][..], &(part.len() as u16).to_be_bytes(), part].concat()).collect()
}

/// The key log without the secrets of the handshake.
fn application_secrets(keys: &str) -> String {
    keys.lines().filter(|line| !line.contains("HANDSHAKE")).map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn cap_max_tls_held() {
    for (len, kept) in
        [(limits::MAX_TLS_HELD - 1, true), (limits::MAX_TLS_HELD, true), (limits::MAX_TLS_HELD + 1, false)]
    {
        let mut hold = Hold::new(&Budget::default());
        assert_eq!(hold.push(Arrival::default(), &hold::Event::Data(&vec![0; len - EVENT]), false), kept);
    }
    // Of a session: ciphertext that waits for secrets that may still come.
    let mut pair = connect();
    for (more, struck) in [(0, 0), (limits::MAX_TLS_HELD / 1000, 1)] {
        for _ in 0..more {
            pair.send(Forward, &[7; 1000]);
        }
        let output = run(&pair.events, &KeyStore::default());
        assert_eq!((output.counters.held_limit, output.data.forward.len()), (struck, 0));
        assert_eq!(output.description.not_decrypted, Some(NotDecrypted::NoSecrets));
    }
}

/// The client goes on, and of the server nothing is there: it may be late.
#[test]
fn cap_max_tls_held_for_hello() {
    let mut pair = connect();
    pair.send(Forward, b"first");
    pair.events.retain(|(from, _)| *from == Forward);
    // But for the change of cipher specs, which is read at once.
    let held = pair.events[1..].iter().map(|event| len(event) + EVENT).sum::<usize>() - 6;
    let mut keys = KeyStore::default();
    keys.add_text(application_secrets(&pair.keys()).as_bytes());
    for (more, struck) in [(-1_isize, 0), (0, 0), (1, 1)] {
        let mut work = Workspace::default();
        let (mut session, mut output) = (Session::new(&work), Output::default());
        for event in &pair.events {
            feed(&mut session, &mut work, &keys, 1, event, &mut output);
        }
        assert_eq!((work.counters().hello_limit, output.data.forward.len()), (0, 0));
        let room = limits::MAX_TLS_HELD_FOR_HELLO - held - EVENT;
        let part = vec![23; room.checked_add_signed(more).unwrap()];
        feed(&mut session, &mut work, &keys, 2, &(Forward, Event::Data(part)), &mut output);
        // The suite is then found by trial.
        assert_eq!((work.counters().hello_limit, output.data.forward.len()), (struck, 5 * struck as usize));
    }
}

#[test]
fn cap_max_tls_message() {
    let most = limits::MAX_TLS_MESSAGE;
    for (len, struck) in [(most - 1, 0), (most, 0), (most + 1, 1)] {
        // They offer nothing.
        let hello = |random: u8, len: usize| {
            let mut body = [&[3, 3][..], &[random; 32]].concat();
            body.resize(len, 0);
            (Forward, Event::Data(message(1, &body)))
        };
        // As the first message, and as a later one.
        for before in [None, Some(hello(1, 100))] {
            let keys = KeyStore::default();
            let mut work = Workspace::default();
            let (mut session, mut output) = (Session::new(&work), Output::default());
            for event in before.iter().chain([&hello(2, len)]) {
                feed(&mut session, &mut work, &keys, 1, event, &mut output);
            }
            assert_eq!((work.counters().message_limit, work.counters().bad_hellos), (struck, 0), "{len}");
            let random = if struck == 0 { Some(&[2; 32]) } else { before.as_ref().map(|_| &[1; 32]) };
            assert_eq!(session.client_random(), random, "{len}");
        }
    }
}

#[test]
fn cap_max_tls_transcript() {
    let hello = vec![0; 100];
    for (more, struck) in [(-1_isize, 0), (0, 0), (1, 1)] {
        let room = limits::MAX_TLS_TRANSCRIPT - (4 + hello.len()) - 4;
        let body = vec![9; room.checked_add_signed(more).unwrap()];
        let events = [(Forward, Event::Data([message(1, &hello), message(99, &body)].concat()))];
        assert_eq!(run(&events, &KeyStore::default()).counters.message_limit, struck, "{more}");
    }
}

/// What is offered in a client hello with these protocols, and how often not all of it is kept.
fn offered(names: &[Vec<u8>]) -> (Vec<String>, u64) {
    let names: Vec<u8> = names.iter().flat_map(|name| [&[name.len() as u8][..], name].concat()).collect();
    let list = [&(names.len() as u16).to_be_bytes()[..], &names].concat();
    let extension = [&[0, 16][..], &(list.len() as u16).to_be_bytes(), &list].concat();
    let extensions = [&(extension.len() as u16).to_be_bytes()[..], &extension].concat();
    let hello = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    let output = run(&[(Forward, Event::Data(message(1, &hello)))], &KeyStore::default());
    assert_eq!(output.description.alpn_cut, output.counters.alpn_limit > 0);
    (output.description.alpn_offered, output.counters.alpn_limit)
}

#[test]
fn cap_max_tls_alpn() {
    let most = limits::MAX_TLS_ALPN;
    for (count, struck) in [(most - 1, 0), (most, 0), (most + 1, 1)] {
        let names: Vec<_> = (0..count).map(|n| vec![b'a' + (n / 26) as u8, b'a' + (n % 26) as u8]).collect();
        let (kept, limited) = offered(&names);
        assert_eq!((kept.len(), limited), (count.min(most), struck), "{count}");
    }
}

#[test]
fn cap_max_tls_alpn_bytes() {
    let half = limits::MAX_TLS_ALPN_BYTES / 2;
    let name = |length| vec![b'a'; length];
    for (last, kept, struck) in [(half - 1, 2, 0), (half, 2, 0), (half + 1, 1, 1)] {
        assert_eq!(offered(&[name(half), name(last)]).0.len(), kept, "{last}");
        assert_eq!(offered(&[name(half), name(last)]).1, struck, "{last}");
    }
    let (kept, struck) = offered(&[vec![1; half / 3], name(1)]);
    assert_eq!((kept.len(), struck), (2, 0));
    let (kept, struck) = offered(&[name(1), vec![1; half / 3 + 1], name(1)]);
    assert_eq!((kept.len(), struck), (1, 1), "escaped it is longer, and the first ones are kept");
}

/// So many records are lost, and one follows whose cipher does not tell its number.
#[test]
fn cap_max_tls_sequence_tries() {
    let most = limits::MAX_TLS_SEQUENCE_TRIES as usize;
    for (count, struck) in [(most - 1, 0), (most, 0), (most + 1, 1)] {
        let mut pair = connect_with(cipher_suite::TLS13_CHACHA20_POLY1305_SHA256);
        let start = pair.events.len();
        for _ in 0..count {
            pair.send(Forward, b"x");
        }
        let lost: usize = pair.events.drain(start..).map(|event| len(&event)).sum();
        pair.events.push((Forward, Event::Gap(Some(lost as u64))));
        pair.send(Forward, b"after");
        let output = decrypt(&pair.events, &pair.keys());
        assert_eq!(output.counters.trial_limit, struck, "{count}");
        assert_eq!(output.data.forward, if struck == 0 { &b"after"[..] } else { b"" });
        assert_eq!(output.description.not_decrypted.is_some(), struck > 0);
    }
}

/// After a hole of `lost` records comes one whose fragment has `size` bytes: it is tried with so many sequence numbers.
/// Before the hole comes as much as pays for these trials, and eight bytes of credit less or more.
fn check_trials(lost: u64, size: u64) {
    let needed = (lost * (size + 64) - limits::TLS_TRIAL_START) / limits::TLS_TRIAL_RATE - size - 5;
    for (more, struck) in [(1_i64, 0), (0, 0), (-1, 1)] {
        let mut pair = connect_with(cipher_suite::TLS13_CHACHA20_POLY1305_SHA256);
        let seen: usize = pair.events.iter().filter(|(from, _)| *from == Forward).map(len).sum();
        let mut left = needed.checked_add_signed(more).unwrap() - seen as u64;
        while left > 0 {
            // A record takes 22 bytes beside its content.
            let part = if left > 2 * 16_406 {
                16_384
            } else if left > 16_406 {
                left / 2 - 22
            } else {
                left - 22
            };
            pair.send(Forward, &vec![7; part as usize]);
            left -= part + 22;
        }
        let start = pair.events.len();
        for _ in 0..lost {
            pair.send(Forward, b"x");
        }
        let hole: usize = pair.events.drain(start..).map(|event| len(&event)).sum();
        pair.events.push((Forward, Event::Gap(Some(hole as u64))));
        pair.send(Forward, &vec![8; size as usize - 17]);
        let output = decrypt(&pair.events, &pair.keys());
        assert_eq!(output.counters.trial_limit, struck, "{more}");
        assert_eq!(output.data.forward.ends_with(&[8; 100]), struck == 0, "{more}");
    }
}

#[test]
fn cap_tls_trial_start() {
    check_trials(1200, 3470);
}

#[test]
fn cap_tls_trial_rate() {
    check_trials(4000, 3000);
}
