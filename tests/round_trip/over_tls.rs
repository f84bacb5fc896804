//! The same through TLS, with the key log of the client.

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::Setup;
use crate::support::exchange::assert_same;
use crate::support::plan::Plan;
use crate::support::tls::{TlsRecording, record, suites};
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome, Random, Text, text};
use h2lens::base::tls::Description;

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
