//! `--summary` on captures: a telemetry record every so much packet time, with what that time added.

use crate::support::conversation::Event::Wrote;
use crate::support::{Analyze, Capture, Conversation, Ends, Side};
use h2lens::record::{Delta, Interval, OpenExchange};
use h2lens::{Report, Timestamp};
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

fn summaries(threads: usize) -> Vec<Report> {
    Analyze::capture(&capture()).threads(threads).summary(Duration::from_secs(10)).run().telemetry
}

#[test]
fn each_interval_tells_what_it_added() {
    let told = summaries(1);
    let deltas: Vec<Delta> = told.iter().map(|report| **report.delta.as_ref().unwrap()).collect();
    // The interval without packets is passed over.
    assert_eq!(deltas.iter().map(|delta| delta.exact.plaintext.requests).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(deltas.iter().map(|delta| delta.complete).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(told.iter().map(|report| report.exact.plaintext.requests).collect::<Vec<_>>(), [1, 2]);
    let Interval { start, end } = told[0].interval.unwrap();
    assert_eq!(end.since(start), Duration::from_secs(10));
    let to_the_second = |time: Timestamp| time.to_string()[..19].to_owned();
    assert_eq!([start, end].map(to_the_second), ["2023-11-14T22:13:20", "2023-11-14T22:13:30"]);
    assert_eq!(to_the_second(told[1].interval.unwrap().start), "2023-11-14T22:13:40");
    assert_eq!(told, summaries(3), "the same on any number of threads");
}

#[test]
fn calls_that_have_not_ended_are_in_flight() {
    let told = summaries(1);
    let in_flight = told[0].in_flight.as_ref().unwrap();
    assert_eq!(in_flight.count, 1);
    let [oldest] = &in_flight.oldest[..] else { panic!("{in_flight:?}") };
    let OpenExchange { started, connection, stream, method, path } = oldest;
    assert!(told[0].interval.unwrap().end.since(*started) > Duration::from_millis(9900), "{oldest:?}");
    assert_eq!((method.as_deref(), path.as_deref()), (Some(&b"GET"[..]), Some(&b"/x"[..])));
    assert_eq!((*connection, *stream), (1, 1));
    assert_eq!(told[1].in_flight, None, "the capture is over");
}

#[test]
fn without_summaries_the_interval_is_the_capture() {
    let outcome = Analyze::capture(&capture()).run();
    let [told] = &outcome.telemetry[..] else { panic!("{:?}", outcome.telemetry) };
    let Interval { start, end } = told.interval.unwrap();
    assert!(end.since(start) > Duration::from_secs(25));
    assert_eq!(told.delta, None);
}
