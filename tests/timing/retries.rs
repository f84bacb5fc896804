//! What failed and was tried again, on the same connection and on others: of the two records the later one names the other,
//! and the output is the same on any number of threads.

use super::{connection, frame};
use crate::partition::compare_records;
use crate::support::conversation::{Conversation, Side};
use crate::support::{Analyze, Capture, Outcome};
use h2lens::record::{Annotation, ConnectionMeta, ExchangeRef, Finding, Wanted};

const SECOND: u64 = 1_000_000_000;

const REFUSED: u8 = 7;

/// `POST http://a/` with a body.
fn post(stream: u8, body: &str) -> Vec<u8> {
    let headers = frame(1, 4, stream, &[0x83, 0x86, 0x84, 1, 1, b'a']);
    [headers, frame(0, 1, stream, body.as_bytes())].concat()
}

/// A gRPC call of `/` whose message is still to come, with so many attempts before it.
fn call(stream: u8, attempts: &str) -> Vec<u8> {
    let grpc = [&[0x0f, 16, 16][..], b"application/grpc"].concat();
    let name = b"grpc-previous-rpc-attempts";
    let count = [&[0, name.len() as u8][..], name, &[attempts.len() as u8], attempts.as_bytes()].concat();
    frame(1, 4, stream, &[&[0x83, 0x86, 0x84, 1, 1, b'a'][..], &grpc, &count].concat())
}

/// 200, and some of the content.
fn begun(stream: u8) -> Vec<u8> {
    [frame(1, 4, stream, &[0x88]), frame(0, 0, stream, b"some")].concat()
}

fn answered(stream: u8) -> Vec<u8> {
    [begun(stream), frame(0, 1, stream, b"more")].concat()
}

fn reset(stream: u8, code: u8) -> Vec<u8> {
    frame(3, 0, stream, &[0, 0, 0, code])
}

fn closed(mut conversation: Conversation, after: u64) -> Capture {
    conversation = conversation.after(after);
    conversation.fin(Side::Server);
    conversation.fin(Side::Client);
    conversation.capture()
}

/// The same output on any number of threads, and of any number of processes.
fn run(captures: Vec<Capture>) -> Outcome {
    let wanted = Wanted { transactions: true, findings: true, ..Wanted::default() };
    let analyze = Analyze::capture(&Capture::merged(captures)).wanted(wanted);
    let outcome = analyze.run();
    for threads in 2..=4 {
        assert_eq!(analyze.clone().threads(threads).run().records, outcome.records, "{threads} threads");
    }
    for of in [1, 2, 3, 8] {
        for (transactions, telemetry) in [(true, false), (true, true), (false, true)] {
            compare_records(&analyze, Wanted { transactions, telemetry, ..wanted }, of);
        }
    }
    outcome
}

/// Another exchange that an annotation names.
type Member = fn(&Annotation) -> Option<ExchangeRef>;

const RETRY_OF: Member = |annotation| annotation.retry_of;
const RETRIED_BY: Member = |annotation| annotation.retried_by;

/// What an exchange names, each by the last digit of its client's port and its stream.
fn named(outcome: &Outcome, member: Member, n: u16, stream: u32) -> Option<(u16, u32)> {
    let call = outcome.transactions().find(|call| call.place() == (32_768 + n, stream)).unwrap();
    let other = member(&call.annotation)?;
    let connection = outcome.transactions().find(|call| call.connection.id == other.connection);
    Some((connection.unwrap().connection.client.port - 32_768, other.stream))
}

fn findings(outcome: &Outcome) -> Vec<(&ConnectionMeta, &Finding)> {
    outcome.findings().filter(|(_, finding)| finding.code == "executed_twice").collect()
}

#[test]
fn on_the_same_connection_and_on_others() {
    let (client, server) = (Side::Client, Side::Server);
    let same = [
        (0, client, post(1, "x")),
        (SECOND, server, reset(1, REFUSED)),
        (2 * SECOND, client, post(3, "y")),
        (2 * SECOND, server, answered(3)),
        (3 * SECOND, client, post(5, "x")),
        (3 * SECOND, server, reset(5, REFUSED)),
    ];
    // After another connection's failure, whichever shards the two are in.
    for n in 2..12 {
        let other = [(4 * SECOND, client, post(1, "x")), (4 * SECOND, server, answered(1))];
        let outcome = run(vec![connection(1, &same).capture(), connection(n, &other).capture()]);
        assert_eq!(named(&outcome, RETRY_OF, 1, 3), None, "the body is another");
        assert_eq!(named(&outcome, RETRY_OF, 1, 5), Some((1, 1)));
        assert_eq!(named(&outcome, RETRY_OF, n, 1), Some((1, 5)));
        assert!(findings(&outcome).is_empty());
    }
}

#[test]
fn a_stream_that_was_sent_away_is_retried_before_its_own_record() {
    let (client, server) = (Side::Client, Side::Server);
    let goaway = frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let draining =
        connection(1, &[(0, client, [post(1, "a"), post(3, "x")].concat()), (SECOND, server, goaway)]);
    let other = connection(2, &[(2 * SECOND, client, post(1, "x")), (3 * SECOND, server, answered(1))]);
    let outcome = run(vec![closed(draining, 9 * SECOND), other.capture()]);
    assert_eq!(named(&outcome, RETRIED_BY, 1, 3), Some((2, 1)));
    assert_eq!(named(&outcome, RETRIED_BY, 1, 1), None);
    assert_eq!(named(&outcome, RETRY_OF, 2, 1), None, "its record came before");
}

#[test]
fn grpc_says_so_whatever_has_come_of_the_messages() {
    let (client, server) = (Side::Client, Side::Server);
    let refused = [(0, client, call(1, "0")), (SECOND, server, reset(1, REFUSED))];
    for (attempts, pair) in [("1", Some((1, 1))), ("0", None), ("2", None)] {
        let again = [(2 * SECOND, client, call(1, attempts)), (2 * SECOND, server, answered(1))];
        let outcome = run(vec![connection(1, &refused).capture(), connection(2, &again).capture()]);
        assert_eq!(named(&outcome, RETRY_OF, 2, 1), pair, "{attempts}");
    }
}

/// Whoever asks once more for what is not there asks anew.
#[test]
fn an_answer_that_is_final_is_not_tried_again() {
    let (client, server) = (Side::Client, Side::Server);
    let said = |status: &str| frame(1, 5, 1, &[&[8, 3][..], status.as_bytes()].concat());
    for (status, retried) in
        [("404", false), ("403", false), ("408", true), ("425", true), ("429", true), ("503", true)]
    {
        let failed = [(0, client, post(1, "x")), (SECOND, server, said(status))];
        let again = [(2 * SECOND, client, post(1, "x")), (2 * SECOND, server, answered(1))];
        let outcome = run(vec![connection(1, &failed).capture(), connection(2, &again).capture()]);
        assert_eq!(named(&outcome, RETRY_OF, 2, 1), retried.then_some((1, 1)), "{status}");
    }
}

#[test]
fn what_was_processed_twice_is_a_finding() {
    let (client, server) = (Side::Client, Side::Server);
    for (first, twice) in [(begun(1), 1), (Vec::new(), 0)] {
        let cut = [(0, client, post(1, "x")), (SECOND, server, [first, reset(1, 2)].concat())];
        let again = [(2 * SECOND, client, post(1, "x")), (2 * SECOND, server, answered(1))];
        let outcome = run(vec![connection(1, &cut).capture(), connection(2, &again).capture()]);
        assert_eq!(named(&outcome, RETRY_OF, 2, 1), Some((1, 1)));
        let found = findings(&outcome);
        assert_eq!(found.len(), twice);
        for (connection, finding) in found {
            assert!(finding.from_client && finding.detail.attempt.unwrap().stream == 1, "{finding:?}");
            assert_eq!(connection.client.port, 32_770);
        }
    }
}
