//! Connections in streams that CONNECT opened (RFC 9113 section 8.5): each is told as a connection of its own.

use crate::support::conversation::Cut;
use crate::support::conversation::Event::{self, Closed, Wrote};
use crate::support::endpoints::Setup;
use crate::support::plan::Plan;
use crate::support::{Analyze, Call, Capture, Conversation, Ends, Outcome, Random, Side, tls};
use h2lens::base::limit_counters::Limit;
use h2lens::base::tls::NotDecrypted;
use h2lens::base::verdict::{MissReason, Verdict};
use h2lens::record::{ConnectionRecord, EndBy, EndHow, Failure, Parent, Recognition, StreamEnd};
use std::collections::BTreeMap;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const CONNECT: &[u8] = b"\x02\x07CONNECT\x01\x03a:1";
/// GET, http, `/x`, authority `b`.
const GET: &[u8] = b"\x82\x86\x04\x02/x\x01\x01b";
const OK: &[u8] = b"\x88";
const FORBIDDEN: &[u8] = b"\x08\x03403";
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[])
}

fn begin() -> Vec<u8> {
    [PREFACE, &settings()].concat()
}

/// A connection with one call.
fn call() -> Vec<Event> {
    vec![
        Wrote(Side::Client, [begin(), frame(1, END_STREAM | END_HEADERS, 1, GET)].concat()),
        Wrote(
            Side::Server,
            [settings(), frame(1, END_HEADERS, 1, OK), frame(0, END_STREAM, 1, b"hello")].concat(),
        ),
        Closed(Side::Client),
        Closed(Side::Server),
    ]
}

/// A connection in a stream that CONNECT opens.
fn within(inner: &[Event]) -> Vec<Event> {
    let mut events = opened(OK);
    for event in inner {
        match event {
            Wrote(from, bytes) => {
                let frames = bytes.chunks(16_384).flat_map(|part| frame(0, 0, 1, part)).collect();
                events.push(Wrote(*from, frames));
            }
            Closed(from) => events.push(Wrote(*from, frame(0, END_STREAM, 1, &[]))),
        }
    }
    events.extend([Closed(Side::Client), Closed(Side::Server)]);
    events
}

/// A connection until CONNECT was answered.
fn opened(answer: &[u8]) -> Vec<Event> {
    vec![
        Wrote(Side::Client, [begin(), frame(1, END_HEADERS, 1, CONNECT)].concat()),
        Wrote(Side::Server, [settings(), frame(1, END_HEADERS, 1, answer)].concat()),
    ]
}

fn capture(events: &[Event], cut: Cut) -> Capture {
    Conversation::of(Ends::v4(0), 3, events, cut).capture()
}

fn analyze(events: &[Event]) -> Outcome {
    Analyze::capture(&capture(events, Cut::Writes)).run()
}

/// The transactions of connections in a tunnel.
fn inner(outcome: &Outcome) -> Vec<Call<'_>> {
    outcome.transactions().filter(|call| call.connection.parent.is_some()).collect()
}

/// The record of the only connection in a tunnel.
fn tunnelled(outcome: &Outcome) -> &ConnectionRecord {
    let mut found = outcome.connections().filter(|connection| connection.meta.parent.is_some());
    let connection = found.next().unwrap();
    assert!(found.next().is_none());
    connection
}

#[test]
fn http2_in_a_connect_stream_is_a_connection_of_its_own() {
    for cut in Cut::ALL {
        let capture = capture(&within(&call()), cut);
        let outcome = Analyze::capture(&capture).run();
        assert_eq!(outcome.transactions().count(), 2, "{cut:?}: CONNECT too");
        let [call] = inner(&outcome)[..] else { panic!("{cut:?}") };
        let parent = Parent { connection: 1, stream: 1, encrypted: false };
        assert_eq!(call.connection.parent, Some(parent));
        assert_eq!((call.path(), call.response.body), (Some("/x"), 5));
        assert!(call.is_complete());
        let tunnel = Some(Verdict::Missed(MissReason::Tunnel));
        assert_eq!(call.annotation.agent, tunnel, "the agent does not look into DATA");
        let connection = tunnelled(&outcome);
        assert_eq!((connection.meta.id, connection.meta.parent), (call.connection.id, Some(parent)));
        assert_eq!(connection.how, Some(Recognition::PriorKnowledge));
        assert_eq!(connection.end, StreamEnd { by: EndBy::Client, how: EndHow::Fin, code: None });
        assert_eq!(connection.tcp, None, "TCP is told of once");
        assert!(outcome.complete(), "{cut:?}");
        assert_eq!(outcome.coverage().connections_http2, 2);
        assert_eq!(outcome.report.exact.plaintext.requests, 2);
        let text = |threads| Analyze::capture(&capture).threads(threads).run_text().ndjson;
        let one = text(1);
        assert!(text(2) == one && text(3) == one);
    }
}

#[test]
fn tunnels_are_followed_four_deep() {
    let mut events = call();
    for _ in 0..4 {
        events = within(&events);
    }
    let outcome = analyze(&events);
    let methods: Vec<_> = inner(&outcome).iter().filter_map(Call::method).collect();
    assert_eq!(methods.iter().filter(|&&method| method == "GET").count(), 1, "{methods:?}");
    assert!(outcome.complete());
    let outcome = analyze(&within(&events));
    assert!(inner(&outcome).iter().all(|call| call.method() == Some("CONNECT")));
    assert_eq!(outcome.limit(Limit::ConnectTunnels), 1);
    assert!(!outcome.complete(), "the call in the fifth is missing");
}

#[test]
fn a_reset_tunnel_ends_the_calls_in_it() {
    let mut events = opened(OK);
    let request = [begin(), frame(1, END_STREAM | END_HEADERS, 1, GET)].concat();
    events.push(Wrote(Side::Client, frame(0, 0, 1, &request)));
    events.push(Wrote(Side::Server, frame(0, 0, 1, &settings())));
    events.push(Wrote(Side::Client, frame(3, 0, 1, &[0, 0, 0, 8])));
    let outcome = analyze(&events);
    let [call] = inner(&outcome)[..] else { panic!() };
    assert_eq!(call.failure(), Some(Failure::ConnectionReset));
    let end = tunnelled(&outcome).end;
    assert_eq!(end, StreamEnd { by: EndBy::Client, how: EndHow::Rst, code: None });
}

#[test]
fn a_refused_tunnel_carries_nothing() {
    let request = [begin(), frame(1, END_STREAM | END_HEADERS, 1, GET)].concat();
    let mut events = opened(FORBIDDEN);
    events.push(Wrote(
        Side::Server,
        frame(0, END_STREAM, 1, &[settings(), frame(1, END_STREAM | END_HEADERS, 1, OK)].concat()),
    ));
    assert!(inner(&analyze(&events)).is_empty(), "its body is none");
    // What the client has sent in good hope went nowhere.
    events.insert(1, Wrote(Side::Client, frame(0, 0, 1, &request)));
    let outcome = analyze(&events);
    let [call] = inner(&outcome)[..] else { panic!() };
    assert_eq!(call.failure(), Some(Failure::ConnectionReset));
    assert!(call.status().is_none() && !call.response.seen);
}

#[test]
fn an_upgrade_in_a_tunnel_is_followed() {
    let asked = b"GET /u HTTP/1.1\r\nHost: b\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABk\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let events = within(&[
        Wrote(Side::Client, asked.to_vec()),
        Wrote(Side::Server, [&answer[..], &settings(), &frame(1, END_STREAM | END_HEADERS, 1, OK)].concat()),
        Wrote(Side::Client, begin()),
    ]);
    let outcome = analyze(&events);
    let [call] = inner(&outcome)[..] else { panic!() };
    assert_eq!((call.path(), call.is_complete()), (Some("/u"), true));
    assert_eq!(tunnelled(&outcome).how, Some(Recognition::Upgrade));
}

#[test]
fn tls_in_a_tunnel_is_decrypted() {
    let mut random = Random::new(5);
    let plans: Vec<_> = (0..6).map(|_| Plan::any(&mut random)).collect();
    let suite = tls::suites().next().unwrap();
    let recorded = tls::record(plans, Setup::default(), suite);
    let expected = Conversation::of(Ends::v4(0), 3, &recorded.recording.events, Cut::Writes).capture();
    let expected = Analyze::capture(&expected).keys(&recorded.keys).run();
    let capture = capture(&within(&recorded.recording.events), Cut::Full);
    let outcome = Analyze::capture(&capture).keys(&recorded.keys).run();
    let told: BTreeMap<_, _> = inner(&outcome).iter().map(|call| (call.stream, call.path())).collect();
    let expected: Vec<_> = expected.transactions().collect();
    assert_eq!(told, expected.iter().map(|call| (call.stream, call.path())).collect());
    assert_eq!(tunnelled(&outcome).how, Some(Recognition::Alpn));
    let without = Analyze::capture(&capture).run();
    let tls = tunnelled(&without).meta.tls.as_deref().unwrap();
    assert_eq!(tls.not_decrypted, Some(NotDecrypted::NoSecrets));
    assert!(!without.complete(), "it offers h2");
}

#[test]
fn a_tunnel_that_was_open_before_the_capture_is_recognised() {
    let mut events = call();
    events.truncate(2);
    for stream in (3..61).step_by(2) {
        events.push(Wrote(Side::Client, frame(1, END_STREAM | END_HEADERS, stream, GET)));
        events.push(Wrote(Side::Server, frame(1, END_STREAM | END_HEADERS, stream, OK)));
    }
    let mut late = capture(&within(&events), Cut::Writes);
    late.packets.drain(..40);
    let outcome = Analyze::capture(&late).run();
    let calls = inner(&outcome);
    assert!(calls.len() > 15, "{}", calls.len());
    let paths: Vec<_> = calls.iter().map(Call::path).collect();
    assert!(paths.iter().all(|path| path.is_none_or(|path| path == "/x")), "{paths:?}");
    assert!(paths.iter().flatten().count() > 15, "{paths:?}");
    assert_eq!(tunnelled(&outcome).how, Some(Recognition::MidStream));
}

/// Whatever is lost, what is told of the calls within is true.
#[test]
fn a_loss_in_a_tunnel_costs_what_was_lost() {
    let mut events = call();
    events.truncate(2);
    for stream in (3..21).step_by(2) {
        events.push(Wrote(Side::Client, frame(1, END_STREAM | END_HEADERS, stream, GET)));
        events.push(Wrote(Side::Server, frame(1, END_STREAM | END_HEADERS, stream, OK)));
    }
    let whole = capture(&within(&events), Cut::Writes);
    let mut told = Vec::new();
    for lost in 7..whole.packets.len() {
        let outcome = Analyze::capture(&whole.subset(|packet, _| packet != lost)).run();
        let calls = inner(&outcome);
        told.push(calls.iter().filter(|call| call.is_complete()).count());
        for call in calls {
            assert!(call.path().is_none_or(|path| path == "/x"), "packet {lost}: {call:?}");
        }
    }
    assert!(told.iter().filter(|&&complete| complete >= 8).count() * 2 > told.len(), "{told:?}");
}

/// Extended CONNECT carries messages of its protocol (RFC 8441), not the bytes of a connection.
#[test]
fn extended_connect_is_no_tunnel() {
    let mut events = within(&call());
    let block = [b"\x02\x07CONNECT\x00\x09:protocol\x09websocket\x86\x84\x01\x01a".as_slice()].concat();
    events[0] = Wrote(Side::Client, [begin(), frame(1, END_HEADERS, 1, &block)].concat());
    assert!(inner(&analyze(&events)).is_empty());
}
