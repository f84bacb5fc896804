//! Streams that end by RST_STREAM: whatever is lost and in whatever order the directions were captured, an exchange
//! that is said to be complete is told as it was.

use crate::support::conversation::Side;
use crate::support::{Analyze, Call, Capture, Conversation, Ends};
use h2lens::record::{EndBy, EndHow};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const CANCEL: u32 = 8;

const POST: [u8; 5] = [0x83, 0x87, 0x84, 0x41, 0];
const GET: [u8; 5] = [0x82, 0x87, 0x84, 0x41, 0];
const OK: [u8; 1] = [0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection after its settings, with these segments; each acknowledges all that came before.
fn conversation(segments: &[(Side, Vec<u8>)]) -> Capture {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    conversation.data(Side::Client, &frame(SETTINGS, 0, 0, &[]));
    conversation.data(Side::Server, &[frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat());
    conversation.data(Side::Client, &frame(SETTINGS, ACK, 0, &[]));
    for (from, bytes) in segments {
        conversation.ack(*from);
        conversation.data(*from, bytes);
    }
    conversation.ack(Side::Client);
    conversation.ack(Side::Server);
    conversation.fin(Side::Client);
    conversation.fin(Side::Server);
    conversation.capture()
}

/// Every subset of the segments lost, and each of what is left captured at every later place: `check` gets the first
/// transaction, and whether nothing was lost.
fn all_ways(segments: &[(Side, Vec<u8>)], check: impl Fn(&Call<'_>, bool)) {
    let whole = conversation(segments);
    let payloads: Vec<usize> =
        (0..whole.packets.len()).filter(|&n| whole.packets[n].has_payload()).skip(4).collect();
    assert_eq!(payloads.len(), segments.len());
    for lost in 0..1_usize << payloads.len() {
        for (n, &from) in payloads.iter().enumerate() {
            for later in 0..5 {
                let mut packets = whole.packets.clone();
                let packet = packets.remove(from);
                packets.insert((from + later).min(packets.len()), packet);
                // Those of the segments that were lost, wherever they are now.
                let gone: Vec<_> = payloads
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| lost & 1 << n != 0)
                    .map(|(_, &at)| at)
                    .collect();
                packets.retain(|packet| !gone.iter().any(|&at| whole.packets[at] == *packet));
                let outcome = Analyze::capture(&Capture { packets }.restamped()).run();
                for told in outcome.transactions().filter(|told| told.stream == 1) {
                    if told.is_complete() {
                        check(&told, lost == 0);
                    }
                    assert!(lost != 0 || told.is_complete(), "segment {n} by {later}: {told:?}");
                }
                assert!(lost != 0 || outcome.transactions().count() > 0);
            }
        }
    }
}

#[test]
fn a_request_that_the_server_needs_no_more() {
    let segments = [
        (Side::Client, frame(HEADERS, END_HEADERS, 1, &POST)),
        (Side::Client, frame(DATA, 0, 1, &[b'a'; 1000])),
        (Side::Client, frame(DATA, END_STREAM, 1, &[b'b'; 500])),
        (
            Side::Server,
            [
                frame(HEADERS, END_HEADERS, 1, &OK),
                frame(DATA, END_STREAM, 1, b"response"),
                frame(RST_STREAM, 0, 1, &[0; 4]),
            ]
            .concat(),
        ),
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 3, &GET)),
    ];
    all_ways(&segments, |told, _| {
        assert!(told.request.seen && told.response.seen, "{told:?}");
        assert_eq!((told.request.body, told.response.body), (1500, 8), "{told:?}");
    });
}

#[test]
fn a_response_that_the_client_cancels() {
    let segments = [
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, [frame(HEADERS, END_HEADERS, 1, &OK), frame(DATA, 0, 1, &[b'a'; 1000])].concat()),
        (Side::Server, frame(DATA, 0, 1, &[b'b'; 300])),
        (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 3, &GET)),
        (Side::Server, frame(HEADERS, END_HEADERS | END_STREAM, 3, &OK)),
    ];
    all_ways(&segments, |told, whole| {
        // The reset itself may be lost, and then nothing but the connection's end ends the stream.
        assert_eq!(told.end.code, Some(CANCEL), "{told:?}");
        assert!(told.response.seen && told.response.body == 1300, "{told:?}");
        assert!(!whole || told.status() == Some(200), "{told:?}");
    });
}

/// A server that has not yet heard of the reset goes on, to the end perhaps: that does not change how the stream ended.
#[test]
fn an_answer_that_crosses_the_reset() {
    let answers = [
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88]),
        frame(DATA, END_STREAM, 1, b"more"),
        [frame(HEADERS, END_HEADERS, 1, &[0x88]), frame(DATA, END_STREAM, 1, b"")].concat(),
    ];
    for answered in [false, true] {
        for last in &answers {
            let first =
                if answered { frame(HEADERS, END_HEADERS, 1, &OK) } else { frame(SETTINGS, 0, 0, &[]) };
            let capture = conversation(&[
                (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
                (Side::Server, first),
                (Side::Client, frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
                (Side::Server, last.clone()),
            ]);
            let exchanges = Analyze::capture(&capture).run().exchanges();
            let [exchange] = &exchanges[..] else { panic!("{exchanges:?}") };
            assert_eq!(exchange.reset, Some(("client".to_owned(), "CANCEL".to_owned())), "{exchange:?}");
            assert!(exchange.response_trailers.is_empty() && exchange.response_body.unwrap_or(0) == 0);
            assert_eq!(!exchange.response_headers.is_empty(), answered);
        }
    }
}

/// The server's last packet comes before the reset, and what stands before it in its TCP stream behind it: the client had not
/// read to the end.
#[test]
fn the_end_of_an_answer_behind_a_hole_comes_with_what_fills_it() {
    let mut capture = conversation(&[
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, [frame(HEADERS, END_HEADERS, 1, &OK), frame(DATA, 0, 1, b"read")].concat()),
        (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
        (Side::Server, frame(DATA, 0, 1, b"lost at first")),
        (Side::Server, frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88])),
    ]);
    let payloads: Vec<_> = (0..capture.packets.len()).filter(|&n| capture.packets[n].has_payload()).collect();
    let [.., reset, _, last] = payloads[..] else { panic!("{payloads:?}") };
    let last = capture.packets.remove(last);
    capture.packets.insert(reset, last);
    let outcome = Analyze::capture(&capture.restamped()).run();
    let call = outcome.transactions().next().unwrap();
    assert_eq!(
        (call.end.code, call.response.ended, call.response.body),
        (Some(CANCEL), false, 4),
        "{call:?}"
    );
    assert_eq!(call.error().unwrap(), "CANCEL");
}

/// Several queues of a network card give packets in another order than their times.
#[test]
fn the_later_end_counts_whichever_was_captured_first() {
    let asked = frame(HEADERS, END_STREAM | END_HEADERS, 1, &GET);
    let ended = frame(HEADERS, END_STREAM | END_HEADERS, 1, &OK);
    let reset = frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes());
    let cut = [frame(HEADERS, END_HEADERS, 1, &OK), reset.clone()].concat();
    for answer in [ended, reset, cut] {
        let whole = conversation(&[(Side::Client, asked.clone()), (Side::Server, answer)]);
        let payloads: Vec<_> = (0..whole.packets.len()).filter(|&n| whole.packets[n].has_payload()).collect();
        let [.., request, response] = payloads[..] else { panic!("{payloads:?}") };
        let mut swapped = whole.clone();
        swapped.packets.swap(request, response);
        // The server's settings come last: what is behind them was captured long before it is read.
        let mut held = swapped.clone();
        let settings = held.packets.remove(payloads[2]);
        held.packets.insert(response, settings);
        let told = |capture| {
            let outcome = Analyze::capture(capture).run();
            let call = outcome.transactions().next().unwrap();
            (call.end, call.duration(), call.is_complete())
        };
        assert_eq!([told(&swapped), told(&held)], [told(&whole); 2]);
    }
}

/// The client's direction waits for bytes that are missing, and the server's is read on to the end of its answer: a reset that
/// came before is read behind it.
#[test]
fn a_reset_behind_a_hole_comes_before_the_end_that_is_read_first() {
    let lost = frame(6, 0, 0, b"its lost");
    let asked = (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET));
    let answered = (Side::Server, frame(HEADERS, END_HEADERS, 1, &OK));
    let reset = (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes()));
    let ended = (Side::Server, frame(DATA, END_STREAM, 1, b""));
    for ends_first in [false, true] {
        let (one, other) = if ends_first { (&ended, &reset) } else { (&reset, &ended) };
        let hole = (Side::Client, lost.clone());
        let whole = conversation(&[asked.clone(), answered.clone(), hole, one.clone(), other.clone()]);
        let kept = whole.subset(|_, packet| !packet.bytes.ends_with(&lost));
        assert_eq!(kept.packets.len() + 1, whole.packets.len());
        for capture in [&whole, &kept] {
            let outcome = Analyze::capture(capture).run();
            let told: Vec<_> = outcome
                .transactions()
                .map(|call| (call.end.code, call.response.ended, call.is_complete()))
                .collect();
            assert_eq!(told, [((!ends_first).then_some(CANCEL), ends_first, true)]);
        }
    }
}

/// The server ends its answer and resets the stream, which the client has received when it ends its request. That is read before
/// both, and the client's direction waits for bytes that are missing.
#[test]
fn a_reset_before_an_end_that_is_read_first_ends_the_exchange() {
    let lost = frame(6, 0, 0, b"its lost");
    let ended = frame(DATA, END_STREAM, 1, b"the rest");
    let answer = [frame(HEADERS, END_HEADERS, 1, &OK), frame(DATA, END_STREAM, 1, b"answer")].concat();
    let reset = frame(RST_STREAM, 0, 1, &[0; 4]);
    let whole = conversation(&[
        (Side::Client, frame(HEADERS, END_HEADERS, 1, &POST)),
        (Side::Server, answer.clone()),
        (Side::Server, reset.clone()),
        (Side::Client, ended),
        (Side::Client, lost.clone()),
        (Side::Client, frame(6, 0, 0, b"was seen")),
    ]);
    let mut late = whole.subset(|_, packet| !packet.bytes.ends_with(&lost));
    let seen = late.packets.iter().position(|packet| packet.bytes.ends_with(b"was seen")).unwrap();
    for payload in [reset, answer] {
        let from = late.packets.iter().position(|packet| packet.bytes.ends_with(&payload)).unwrap();
        late.packets[from..=seen].rotate_left(1);
        late.packets[seen - 1..=seen]
            .sort_by_key(|packet| packet.bytes.ends_with(&frame(RST_STREAM, 0, 1, &[0; 4])));
    }
    let told = [&whole, &late, &late.clone().restamped()].map(|capture| {
        let outcome = Analyze::capture(capture).run();
        let call = outcome.transactions().find(|call| call.stream == 1).unwrap();
        assert_eq!((call.end.by, call.end.how), (EndBy::Server, EndHow::RstStream), "{call:?}");
        call.duration()
    });
    assert_eq!(told[0], told[1]);
}

/// The client's direction waits for bytes that are missing, and the server's is read on: what it sent behind the reset is not
/// told as what the client took.
#[test]
fn an_answer_behind_a_reset_that_is_read_later_is_no_whole_one() {
    let lost = frame(6, 0, 0, b"its lost");
    let head = frame(HEADERS, END_HEADERS, 1, &OK);
    let answers = [
        [head.clone(), frame(DATA, END_STREAM, 1, b"answer")].concat(),
        [head, frame(DATA, 0, 1, b"some")].concat(),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &OK),
    ];
    for answer in answers {
        let whole = conversation(&[
            (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
            (Side::Client, lost.clone()),
            (Side::Client, frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())),
            (Side::Server, answer),
        ]);
        let kept = whole.subset(|_, packet| !packet.bytes.ends_with(&lost));
        assert_eq!(kept.packets.len() + 1, whole.packets.len());
        for capture in [&whole, &kept] {
            let outcome = Analyze::capture(capture).run();
            let call = outcome.transactions().next().unwrap();
            assert_eq!(call.end.code, Some(CANCEL));
            assert!(!call.is_complete() || !call.response.seen && call.response.body == 0, "{call:?}");
        }
        assert!(Analyze::capture(&whole).run().transactions().next().unwrap().is_complete());
    }
}

/// The client's direction waits for bytes that are missing, and the server's is read on: its reset comes after both sides have
/// ended the stream, and is no part of the exchange.
#[test]
fn a_reset_behind_both_ends_takes_no_time_of_the_exchange() {
    let lost = frame(6, 0, 0, b"its lost");
    let segments = [
        (Side::Client, lost.clone()),
        (Side::Client, frame(HEADERS, END_HEADERS | END_STREAM, 1, &GET)),
        (Side::Server, frame(HEADERS, END_HEADERS | END_STREAM, 1, &OK)),
        (Side::Server, frame(RST_STREAM, 0, 1, &[0; 4])),
    ];
    let whole = conversation(&segments);
    let kept = whole.subset(|_, packet| !packet.bytes.ends_with(&lost));
    let told = [&whole, &kept].map(|capture| {
        let outcome = Analyze::capture(capture).run();
        let call = outcome.transactions().next().unwrap();
        (call.end, call.duration())
    });
    assert_eq!(told[0], told[1]);
}
