//! `--summary` on captures: a telemetry record every so much packet time, with what that time added.

use crate::support::conversation::Event::Wrote;
use crate::support::{Analyze, Capture, Conversation, Ends, Side, dig, text};
use serde_json::Value;
use std::time::Duration;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// HEADERS of a GET for `/x` on stream 1, without its end.
const OPEN: &[u8] = b"\0\0\x09\x01\x04\0\0\0\x01\x82\x86\x04\x02/x\x01\x01b";
/// A whole call on stream 3, and its answer.
const ASKED: &[u8] = b"\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x84";
const ANSWERED: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x03\x88";

/// A call that stays open for 25 seconds, and another one at the end of them.
fn capture() -> Capture {
    let mut conversation = Conversation::new(Ends::v4(0), 9);
    conversation.handshake();
    conversation.events(
        &[
            Wrote(Side::Client, [PREFACE, OPEN].concat()),
            Wrote(Side::Server, b"\0\0\0\x04\0\0\0\0\0".to_vec()),
        ],
        crate::support::conversation::Cut::Writes,
    );
    let mut conversation = conversation.after(25_000_000_000);
    conversation.data(Side::Client, ASKED);
    conversation.data(Side::Server, ANSWERED);
    conversation.ack(Side::Client);
    conversation.capture()
}

fn summaries(threads: usize) -> Vec<Value> {
    let run = Analyze::capture(&capture()).threads(threads).summary(Duration::from_secs(10)).run();
    run.records.iter().filter(|record| text(record, "record") == Some("telemetry")).cloned().collect()
}

#[test]
fn each_interval_tells_what_it_added() {
    let told = summaries(1);
    let requests = |path: &str| {
        told.iter().map(|record| dig(record, path).unwrap().as_u64().unwrap()).collect::<Vec<_>>()
    };
    // The interval without packets is passed over.
    assert_eq!(requests("delta.exact.plaintext.requests"), [1, 1]);
    assert_eq!(requests("exact.plaintext.requests"), [1, 2]);
    assert_eq!(requests("delta.transactions.complete"), [0, 1]);
    assert_eq!(told[0]["interval"]["seconds"], 10.0);
    assert_eq!(text(&told[0], "interval.start").unwrap()[..19], *"2023-11-14T22:13:20");
    assert_eq!(text(&told[0], "@timestamp").unwrap()[..19], *"2023-11-14T22:13:30");
    assert_eq!(text(&told[1], "interval.start").unwrap()[..19], *"2023-11-14T22:13:40");
    assert_eq!(told, summaries(3), "the same on any number of threads");
}

#[test]
fn calls_that_have_not_ended_are_in_flight() {
    let told = summaries(1);
    let in_flight = &told[0]["in_flight"];
    assert_eq!(in_flight["count"], 1);
    assert!(in_flight["oldest"].as_f64().unwrap() > 9.9, "{in_flight}");
    let [oldest] = &in_flight["exchanges"].as_array().unwrap()[..] else { panic!("{in_flight}") };
    assert_eq!((text(oldest, "method"), text(oldest, "path")), (Some("GET"), Some("/x")));
    assert_eq!((&oldest["connection"], &oldest["stream"]), (&1.into(), &1.into()));
    assert_eq!(told[1].get("in_flight"), None, "the capture is over");
}

#[test]
fn without_summaries_the_interval_is_the_capture() {
    let outcome = Analyze::capture(&capture()).run();
    let telemetry = outcome.telemetry();
    assert!(telemetry["interval"]["seconds"].as_f64().unwrap() > 25.0);
    assert_eq!(telemetry.get("delta"), None);
}
