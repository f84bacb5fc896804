//! The same through TLS, with the key log of the client.

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::Setup;
use crate::support::exchange::assert_same;
use crate::support::plan::Plan;
use crate::support::tls::{TlsRecording, each_sends, record, suites};
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome, Packet, Random, Side, Text, dig, text};
use h2lens::base::tls::Description;
use serde_json::Value;
use std::io::Write;

fn any_plans(random: &mut Random) -> Vec<Plan> {
    (0..25)
        .map(|_| {
            let mut plan = Plan::any(random);
            plan.pushes.clear();
            plan
        })
        .collect()
}

fn capture(tls: &TlsRecording, cut: Cut) -> Capture {
    Conversation::of(Ends::v4(3), 5, &tls.recording.events, cut).capture()
}

/// What each record tells of the handshake.
fn handshakes(outcome: &Outcome) -> impl Iterator<Item = &Description> {
    let of_calls = outcome.transactions().map(|call| call.connection);
    let all = of_calls.chain(outcome.connections().map(|connection| &connection.meta));
    all.map(|connection| connection.tls.as_deref().unwrap())
}

#[test]
fn every_cipher_suite() {
    let mut versions = Vec::new();
    for (n, suite) in suites().enumerate() {
        let plans = any_plans(&mut Random::new(n as u64));
        let tls = record(plans, Setup::default(), suite);
        for cut in [Cut::Writes, Cut::Full, Cut::Random] {
            let what = format!("{}, cut {cut:?}", tls.cipher);
            let outcome = Analyze::capture(&capture(&tls, cut)).keys(&tls.keys).run();
            assert_same(outcome.exchanges(), tls.recording.exchanges.clone(), &what);
            assert!(outcome.complete(), "{what}: {:?}", outcome.coverage());
            let requests = tls.recording.exchanges.len() as u64;
            assert_eq!(outcome.report.exact.tls.requests, requests, "{what}");
            assert_eq!(outcome.report.exact.plaintext.requests, 0, "{what}");
            for told in handshakes(&outcome) {
                assert_eq!(told.version, Some(tls.version), "{what}");
                assert_eq!(told.cipher, Some(tls.cipher.as_str()), "{what}");
                assert_eq!(told.server_name.as_deref(), Some("origin.example"), "{what}");
                assert_eq!(told.alpn.as_deref(), Some("h2"), "{what}");
            }
        }
        versions.push(tls.version);
    }
    assert!(versions.contains(&"1.2") && versions.contains(&"1.3"));
}

/// From a pipe, secrets behind the packets come when all of the connection was seen, though not its end: each of its
/// records must tell what the encrypted part of the handshake told.
#[test]
fn secrets_behind_the_packets() {
    for suite in suites() {
        let plans = (0..20).map(|n| Plan::new("GET", "/", 200, n)).collect();
        let mut tls = record(plans, Setup::default(), suite);
        tls.recording.events.retain(|event| !matches!(event, Event::Closed(_)));
        let file = capture(&tls, Cut::Full).pcapng(&tls.keys);
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_h2lens"))
            .args(["-", "--json", "--show", "transactions,connections,telemetry"])
            .write_stdin(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let outcome = Text::new(output.stdout);
        assert_eq!(outcome.transactions().count(), tls.recording.exchanges.len(), "{}", tls.cipher);
        for record in outcome.transactions().chain(outcome.connections()) {
            assert_eq!(text(record, "tls.protocol.version"), Some(tls.version));
            assert_eq!(text(record, "tls.cipher"), Some(tls.cipher.as_str()));
            assert_eq!(text(record, "tls.next_protocol"), Some("h2"), "{record}");
        }
    }
}

/// The same, whatever happened to the packets: what was read late had the same round trips, and was stopped by TCP when it was
/// sent.
#[test]
fn times_of_what_was_read_late() {
    let mut told = 0;
    for (n, suite) in suites().enumerate() {
        let random = &mut Random::new(n as u64);
        let mut tls = record(any_plans(random), Setup::default(), suite);
        tls.recording.events.retain(|event| !matches!(event, Event::Closed(_)));
        let whole = capture(&tls, Cut::Full);
        for packets in [whole.clone(), whole.clone().reordered(30, random), whole.repeated(30, random)] {
            let known = |args: &[&str], file: Vec<u8>| {
                let args = [&["-", "--json", "--show", "transactions"], args].concat();
                let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_h2lens"));
                let text = Text::new(command.args(args).write_stdin(file).output().unwrap().stdout);
                let mut calls: Vec<_> = text.transactions().cloned().collect();
                calls.sort_by_key(|call| dig(call, "h2.stream.id").and_then(Value::as_u64));
                calls
            };
            let mut log = tempfile::NamedTempFile::new().unwrap();
            log.write_all(tls.keys.as_bytes()).unwrap();
            let at_once = known(&["--keylog", log.path().to_str().unwrap()], packets.pcap());
            let late = known(&[], packets.pcapng(&tls.keys));
            for (now, then) in at_once.iter().zip(&late) {
                assert_eq!(dig(now, "h2.stream.id"), dig(then, "h2.stream.id"));
                // What would have ended the last wait of a call that was reset is known of one alone.
                if text(now, "h2.stream.end.how") != Some("end_stream") {
                    continue;
                }
                for member in ["h2.time", "tcp.retransmitted"] {
                    let (now, then) = (dig(now, member), dig(then, member));
                    assert!(then.is_none() || now.is_none() || now == then, "{member}: {now:?}, {then:?}");
                    told += usize::from(then.is_some());
                }
            }
        }
    }
    assert!(told > 100, "{told}");
}

#[test]
fn a_client_hello_that_is_sent_again_is_of_no_call() {
    let request = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
        &[0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84],
    ];
    let mut conversation = Conversation::new(Ends::v4(3), 5);
    conversation.handshake();
    let keys = each_sends(suites().next().unwrap(), 1, &request.concat(), |_, client, bytes| {
        let from = if client { Side::Client } else { Side::Server };
        conversation.events(&[Event::Wrote(from, bytes.to_vec())], Cut::Writes);
    });
    let mut capture = conversation.capture();
    let hello = capture.packets.iter().position(Packet::has_payload).unwrap();
    capture.packets.insert(hello + 1, capture.packets[hello].clone());
    let outcome = Analyze::capture(&capture).keys(&keys).run();
    let call = outcome.transactions().next().unwrap();
    assert_eq!((call.retransmitted.client, call.retransmitted.server), (0, 0));
}

#[test]
fn without_keys_the_connection_is_told_and_nothing_else() {
    for suite in suites() {
        let tls = record(vec![Plan::new("GET", "/", 200, 10)], Setup::default(), suite);
        let outcome = Analyze::capture(&capture(&tls, Cut::Full)).run();
        assert_eq!(outcome.transactions().count(), 0);
        let [told] = handshakes(&outcome).collect::<Vec<_>>()[..] else { panic!("{:?}", outcome.records) };
        assert_eq!(told.server_name.as_deref(), Some("origin.example"));
        assert_eq!(told.version, Some(tls.version));
        assert_eq!(outcome.coverage().connections_tls_undecrypted, 1);
        assert!(!outcome.complete());
    }
}

#[test]
fn with_the_keys_of_another_connection_nothing_is_decrypted() {
    let plans = || vec![Plan::new("GET", "/", 200, 10)];
    for suite in suites() {
        let tls = record(plans(), Setup::default(), suite);
        let other = record(plans(), Setup::default(), suite);
        let outcome = Analyze::capture(&capture(&tls, Cut::Full)).keys(&other.keys).run();
        assert_eq!(outcome.transactions().count(), 0);
        assert!(!outcome.complete());
    }
}
