//! One direction is captured some places later than the other: what came before what is told by TCP.

use crate::support::conversation::{Cut, Event::Wrote, Side};
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome};
use h2lens::record::{EndBy, EndCause, EndHow, StreamEnd, TimePart, Wanted};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const CANCEL: u32 = 8;

const POST: [u8; 3] = [0x83, 0x87, 0x84];
const GET: [u8; 3] = [0x82, 0x87, 0x84];
const OK: [u8; 1] = [0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection after its settings that says this; each side has received what the other one sent before.
fn said(segments: &[(Side, Vec<u8>)]) -> Conversation {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, &[])[..]].concat();
    let settings = [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat();
    let begin =
        [(Side::Client, opening), (Side::Server, settings), (Side::Client, frame(SETTINGS, ACK, 0, &[]))];
    for (from, bytes) in begin.iter().chain(segments) {
        conversation.ack(*from);
        conversation.events(&[Wrote(*from, bytes.clone())], Cut::Writes);
    }
    conversation
}

/// The same, and both close, the client first.
fn closed(segments: &[(Side, Vec<u8>)]) -> Capture {
    let mut conversation = said(segments);
    conversation.fin(Side::Client);
    conversation.fin(Side::Server);
    conversation.capture()
}

fn run(capture: &Capture) -> Outcome {
    let wanted = Wanted { transactions: true, connections: true, findings: true, ..Wanted::default() };
    Analyze::capture(capture).wanted(wanted).run()
}

/// What is told of the capture, and where each direction comes so many places later.
fn each_way(capture: &Capture, check: impl Fn(&Outcome, &str)) {
    let whole = run(capture);
    check(&whole, "in order");
    let meta = &whole.connections().next().unwrap().meta;
    for port in [meta.client.port, meta.server.port] {
        // Further apart, a segment is more than a window behind what its receiver has.
        for places in 1..capture.packets.len().min(24) {
            let apart = capture.clone().apart(port, places);
            check(&run(&apart), &format!("port {port} by {places} places"));
        }
    }
}

/// Nothing of the server may have been captured when the client's reset is: its numbers tell all the same.
#[test]
fn what_the_client_had_received_came_before_its_reset() {
    let answer = [frame(HEADERS, END_HEADERS, 1, &OK), frame(DATA, END_STREAM, 1, b"answer")].concat();
    let capture = closed(&[
        (Side::Client, frame(HEADERS, END_HEADERS, 1, &POST)),
        (Side::Server, answer),
        (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
    ]);
    each_way(&capture, |outcome, how| {
        let call = outcome.transactions().next().unwrap();
        let told = (call.status(), call.response.body, call.end.how, call.end.code, call.error());
        assert_eq!(told, (Some(200), 6, EndHow::RstStream, Some(CANCEL), None), "{how}");
        assert!(call.is_complete(), "{how}");
    });
}

/// The server ended its answer when it had received the reset, which is captured only later.
#[test]
fn an_end_that_its_sender_sent_behind_the_reset_is_none() {
    let capture = closed(&[
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, frame(HEADERS, END_HEADERS, 1, &OK)),
        (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
        (Side::Server, frame(DATA, END_STREAM, 1, &[])),
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 3, &GET)),
        (Side::Server, frame(HEADERS, END_HEADERS | END_STREAM, 3, &OK)),
    ]);
    each_way(&capture, |outcome, how| {
        let call = outcome.transactions().find(|call| call.stream == 1).unwrap();
        let expected = StreamEnd { by: EndBy::Client, how: EndHow::RstStream, code: Some(CANCEL) };
        assert_eq!((call.end, call.error().as_deref()), (expected, Some("CANCEL")), "{how}");
    });
}

#[test]
fn who_ended_what_is_known_and_how_much_was_open_not_made_up() {
    let calls = |stream| {
        [
            (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, stream, &GET)),
            (Side::Server, frame(HEADERS, END_HEADERS | END_STREAM, stream, &OK)),
        ]
    };
    let capture = closed(&[1, 3, 5, 7].map(calls).concat());
    each_way(&capture, |outcome, how| {
        assert_eq!(outcome.transactions().count(), 4);
        for call in outcome.transactions() {
            assert_eq!(
                (call.end.by, call.end.how),
                (EndBy::Server, EndHow::EndStream),
                "{how}: {}",
                call.stream
            );
        }
        let connection = outcome.connections().next().unwrap();
        assert_eq!((connection.end.by, connection.end.how), (EndBy::Client, EndHow::Fin), "{how}");
        assert!(
            connection.max_concurrent.is_none_or(|most| most == 1),
            "{how}: {:?}",
            connection.max_concurrent
        );
        assert_eq!(
            connection.max_concurrent.is_some(),
            how == "in order" || connection.max_concurrent == Some(1)
        );
    });
}

/// What the client sent before the server's 101 was captured comes as it was sent.
#[test]
fn what_came_behind_an_upgrade_is_read_as_it_came() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    let ask = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let answer = [frame(HEADERS, END_HEADERS, 1, &OK), frame(DATA, 0, 1, b"some")].concat();
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, &[])[..]].concat();
    let request = frame(HEADERS, END_HEADERS | END_STREAM, 3, &GET);
    for (from, bytes) in [
        (Side::Client, &ask[..]),
        (Side::Server, &[&switch[..], &frame(SETTINGS, 0, 0, &[]), &answer].concat()),
        (Side::Client, &opening),
        (Side::Client, &frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
        (Side::Client, &request),
        (Side::Server, &frame(HEADERS, END_HEADERS | END_STREAM, 3, &OK)),
    ] {
        conversation.ack(from);
        conversation.data(from, bytes);
    }
    let capture = conversation.capture();
    let whole = run(&capture);
    let port = whole.connections().next().unwrap().meta.server.port;
    for places in 0..capture.packets.len() {
        let apart = capture.clone().apart(port, places);
        let outcome = run(&apart);
        let call = |stream| outcome.transactions().find(|call| call.stream == stream).unwrap();
        let told = (call(1).status(), call(1).response.body, call(1).end.code);
        assert_eq!(told, (Some(200), 4, Some(CANCEL)), "{places}");
        let place = apart.packets.iter().position(|packet| packet.bytes.ends_with(&request)).unwrap();
        assert_eq!(call(3).first.packet, place as u64 + 1, "{places}");
    }
}

/// RFC 9293 section 3.10.7.4: a reset is believed that has the number expected next, which is known when the FIN before it
/// has come.
#[test]
fn a_reset_before_its_fin_is_the_end() {
    let mut conversation = said(&[(Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET))]);
    conversation.ack(Side::Server);
    conversation.fin(Side::Server);
    conversation.rst(Side::Server);
    let mut capture = conversation.capture();
    let end = |capture: &Capture| run(capture).connections().next().unwrap().end;
    let whole = end(&capture);
    assert_eq!((whole.by, whole.how), (EndBy::Server, EndHow::Rst));
    let [.., fin, _, reset] = &mut capture.packets[..] else { panic!() };
    std::mem::swap(fin, reset);
    capture.packets.remove(capture.packets.len() - 2);
    assert_eq!(end(&capture.restamped()), whole);
}

/// A credit that is captured late had come when its receiver had acknowledged it.
#[test]
fn nobody_is_said_to_have_waited_for_credit_that_is_captured_late() {
    let data = || (Side::Server, frame(DATA, 0, 1, &[b'x'; 16_000]));
    let credit = || [0, 1].map(|stream| frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0x7d, 0])).concat();
    let mut segments = vec![
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, frame(HEADERS, END_HEADERS, 1, &OK)),
    ];
    for _ in 0..8 {
        segments.extend([data(), data(), (Side::Client, credit())]);
    }
    segments.push((Side::Server, frame(DATA, END_STREAM, 1, &[])));
    let capture = closed(&segments);
    each_way(&capture, |outcome, how| {
        let call = outcome.transactions().next().unwrap();
        assert_eq!(call.response.body, 256_000, "{how}");
        for part in [TimePart::StreamWindow, TimePart::ConnectionWindow] {
            assert!(
                call.time.as_ref().is_none_or(|time| time.parts.get(part) == 0),
                "{how}: {:?}",
                call.time
            );
        }
        let timing = outcome.connections().next().unwrap().timing;
        assert_eq!(
            (timing.server_blocked.stream_window, timing.server_blocked.connection_window),
            (0, 0),
            "{how}"
        );
        assert_eq!(outcome.findings().count(), 0, "{how}");
    });
}

/// The acknowledgment of a PING is captured before it.
#[test]
fn no_ping_was_in_vain_whose_acknowledgment_is_captured_first() {
    let mut conversation = said(&[
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, frame(PING, 0, 0, b"are you?")),
        (Side::Client, frame(PING, ACK, 0, b"are you?")),
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 3, &GET)),
    ]);
    conversation.ack(Side::Server);
    conversation.rst(Side::Server);
    let capture = conversation.capture();
    let meta = run(&capture).connections().next().unwrap().meta.clone();
    for places in 0..capture.packets.len() {
        let mut apart = capture.clone().apart(meta.server.port, places);
        apart.packets.last_mut().unwrap().time += 5_000_000_000;
        let cause = run(&apart).connections().next().unwrap().ending.cause;
        assert!(cause.is_none_or(|cause| cause == EndCause::ResetInFlight), "{places}: {cause:?}");
        assert!(places > 0 || cause.is_some());
    }
}
