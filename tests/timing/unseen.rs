//! What a side sent that was not captured, all of it or some: nothing is told that it may have changed.

use super::{PREFACE, SETTINGS, connection, frame};
use crate::support::conversation::Side::{self, Client, Server};
use crate::support::conversation::{Conversation, Ends};
use crate::support::{Analyze, Capture, Outcome, Packet, dig};
use h2lens::record::{Blocked, EndBy, EndCause, Partial, TimePart, Unknown, Wanted};
use std::cmp::Ordering;

const MS: u64 = 1_000_000;
const PING: [u8; 8] = *b"are you?";

/// A frame of DATA of so many octets.
fn data(len: u16) -> Vec<u8> {
    let [high, low] = len.to_be_bytes();
    [&[0, high, low, 0, 0, 0, 0, 0, 1][..], &vec![b'x'; len.into()]].concat()
}

/// An upload that takes all credit: the server gives more at once, asks whether the client is there, and answers; both close.
fn upload() -> Capture {
    let credit = |stream| frame(8, 0, stream, &[0, 1, 0, 0]);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 4, 1, &[0x83, 0x86, 0x84])),
        (2 * MS, Client, data(16_384)),
        (2 * MS, Client, data(16_384)),
        (2 * MS, Client, data(16_384)),
        (2 * MS, Client, data(16_383)),
        (3 * MS, Server, [credit(0), credit(1)].concat()),
        (4 * MS, Server, frame(6, 0, 0, &PING)),
        (5 * MS, Client, frame(6, 1, 0, &PING)),
        (800 * MS, Client, frame(0, 1, 1, b"the rest")),
        (900 * MS, Server, frame(1, 5, 1, &[0x88])),
    ];
    closed(&said)
}

/// A connection that says these things, and that both close a while later, the client first.
fn closed(said: &[(u64, Side, Vec<u8>)]) -> Capture {
    let mut conversation = connection(1, said).after(100 * MS);
    conversation.fin(Client);
    conversation.fin(Server);
    conversation.capture()
}

/// Without the packet whose payload ends so.
fn without(capture: &Capture, payload: &[u8]) -> Capture {
    let kept = capture.subset(|_, packet| !packet.bytes.ends_with(payload));
    assert_eq!(kept.packets.len() + 1, capture.packets.len());
    kept
}

fn run(capture: &Capture) -> Outcome {
    let wanted = Wanted { transactions: true, connections: true, findings: true, ..Wanted::default() };
    Analyze::capture(capture).wanted(wanted).run()
}

/// How long the client had no credit, by what is told of the exchange and of the connection; and why that ended.
fn told(capture: &Capture) -> (Option<u64>, Blocked, Option<EndCause>) {
    let outcome = run(capture);
    let call = outcome.transactions().next().unwrap();
    let known = call.time.map(|time| time.parts.get(TimePart::StreamWindow));
    assert_eq!(known.is_none(), call.unknown.contains(Unknown::TIME));
    let connection = outcome.connections().next().unwrap();
    (known, connection.timing.client_blocked, connection.ending.cause)
}

#[test]
fn a_side_that_was_not_captured_may_have_given_credit() {
    let whole = upload();
    let (known, blocked, cause) = told(&whole);
    assert!(known.unwrap() > MS / 2 && blocked.connection_window > MS / 2, "{known:?} {blocked:?}");
    assert_eq!(cause, Some(EndCause::IdleClose));

    let client = whole.packets[0].flow().unwrap().0;
    let alone = whole.subset(|_, packet| packet.flow().unwrap().0 == client);
    let (known, blocked, cause) = told(&alone);
    assert_eq!((known, blocked, cause), (None, Blocked::default(), Some(EndCause::CaptureEnd)));
    assert_eq!(run(&alone).connections().next().unwrap().timing.client_windows, None);
    assert_eq!(run(&alone).findings().count(), 0, "none of it is a small window");
}

#[test]
fn credit_that_is_missing_may_have_been_given() {
    let kept = without(&upload(), &frame(8, 0, 1, &[0, 1, 0, 0]));
    let (known, blocked, cause) = told(&kept);
    assert_eq!((known, blocked.stream_window, blocked.connection_window), (None, 0, 0));
    assert_eq!(cause, None, "as may a GOAWAY");
}

/// Nothing of the client comes behind its credit: only what the server has received says that bytes are missing.
#[test]
fn credit_that_is_missing_at_the_end_may_have_been_given() {
    let credit = [frame(8, 0, 0, &[0, 1, 0, 0]), frame(8, 0, 1, &[0, 1, 0, 0])].concat();
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, [frame(1, 4, 1, &[0x88]), data(16_384)].concat()),
        (2 * MS, Server, data(16_384)),
        (2 * MS, Server, data(16_384)),
        (2 * MS, Server, data(16_383)),
        (300 * MS, Client, credit.clone()),
        (800 * MS, Server, frame(0, 1, 1, b"the rest")),
    ];
    let blocked = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        assert_eq!(call.time.is_none(), call.unknown.contains(Unknown::TIME));
        (call.time.map(|time| time.parts.get(TimePart::StreamWindow)), outcome.findings().count())
    };
    let whole = connection(1, &said).capture();
    let (known, _) = blocked(&whole);
    assert!(known.unwrap() < 310 * MS, "{known:?}");
    assert_eq!(blocked(&without(&whole, &credit)), (None, 0));
}

/// The packet whose payload ends so is cut by so many octets.
fn cut(capture: &Capture, payload: &[u8], octets: usize) -> Capture {
    let mut cut = capture.clone();
    let packet = cut.packets.iter_mut().find(|packet| packet.bytes.ends_with(payload)).unwrap();
    packet.bytes.truncate(packet.bytes.len() - octets);
    cut
}

/// Of a frame the header alone is in the capture.
#[test]
fn what_a_cut_frame_says_of_windows_is_not_known() {
    let credit = frame(8, 0, 1, &[0, 1, 0, 0]);
    let whole = upload();
    assert!(told(&whole).0.is_some());
    let (known, blocked, cause) = told(&cut(&whole, &credit, 2));
    assert_eq!((known, blocked.stream_window, blocked.connection_window), (None, 0, 0));
    assert_eq!(cause, Some(EndCause::IdleClose));
    assert_eq!(run(&cut(&whole, &credit, 2)).connections().next().unwrap().timing.client_windows, None);
}

/// Whose code is cut off announces the end all the same, and an acknowledgment acknowledges.
#[test]
fn what_a_cut_frame_says_of_the_end_is_not_known() {
    let (goaway, pong) = (frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]), frame(6, 1, 0, &PING));
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, frame(1, 5, 1, &[0x88])),
        (3 * MS, Client, frame(6, 0, 0, &PING)),
        (4 * MS, Server, pong.clone()),
        (5 * MS, Server, goaway.clone()),
    ];
    let whole = closed(&said);
    let cause = |capture: &Capture| run(capture).connections().next().unwrap().ending.cause;
    assert_eq!(cause(&whole), Some(EndCause::GoawayGraceful));
    assert_eq!(cause(&cut(&whole, &pong, 5)), Some(EndCause::GoawayGraceful));
    assert_eq!(cause(&cut(&whole, &goaway, 5)), None);
}

/// A side's first SETTINGS, lost or cut: how much the other may send is not known, nor whether it has waited.
#[test]
fn without_settings_windows_are_not_known() {
    let settings = frame(4, 0, 0, &[0, 4, 0, 16, 0, 0]);
    let whole = |length: usize| {
        let mut conversation = Conversation::new(Ends::v4(1), 1);
        conversation.handshake();
        conversation.data(Client, &[PREFACE, &settings].concat());
        conversation.data(Server, SETTINGS);
        conversation.data(Server, &frame(4, 1, 0, &[]));
        conversation.data(Client, &frame(4, 1, 0, &[]));
        let mut conversation = conversation.after(MS);
        conversation.data(Client, &frame(8, 0, 0, &[0, 32, 0, 0]));
        conversation.data(Client, &frame(1, 5, 1, &[0x82, 0x86, 0x84]));
        conversation.data(Server, &frame(1, 4, 1, &[0x88]));
        for _ in 0..length {
            conversation.data(Server, &data(16_384));
        }
        let mut conversation = conversation.after(500 * MS);
        conversation.data(Server, &frame(0, 1, 1, b"the rest"));
        conversation.capture()
    };
    let waited = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        (call.time.map(|time| time.parts.get(TimePart::StreamWindow)), outcome.findings().count())
    };
    let long = whole(5);
    assert_eq!(waited(&long), (Some(0), 0));
    assert_eq!(waited(&cut(&long, &settings, 3)), (None, 0));
    // The preface shows that bytes are missing behind it, and the frames where they end.
    assert_eq!(waited(&without(&long, &settings)), (None, 0));
    assert_eq!(waited(&cut(&whole(0), &settings, 3)).0, None);
}

#[test]
fn an_acknowledgment_that_is_missing_may_have_been_sent() {
    let kept = without(&upload(), &frame(6, 1, 0, &PING));
    assert_eq!(told(&kept).2, None, "no timeout; but a GOAWAY may have been sent, too");
}

#[test]
fn a_goaway_that_is_cut_was_sent() {
    let mut said = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, frame(1, 5, 1, &[0x88])),
        (3 * MS, Client, frame(7, 0, 0, &[0; 8])),
    ];
    let cause = |capture: &Capture| run(capture).connections().next().unwrap().ending.cause;
    let whole = closed(&said);
    assert_eq!(cause(&whole), Some(EndCause::GoawayGraceful));
    let (.., goaway) = said.pop().unwrap();
    for missing in 1..goaway.len() {
        let cut = cut(&whole, &goaway, missing);
        assert_ne!(cut.packets, whole.packets);
        assert_eq!(cause(&cut), None, "without {missing} octets of it");
    }
    assert_eq!(cause(&closed(&said)), Some(EndCause::IdleClose));
}

#[test]
fn what_is_missing_may_have_ended_the_exchange() {
    let kept = without(&upload(), &frame(1, 5, 1, &[0x88]));
    assert_eq!(told(&kept).2, None);
}

/// The rest of a header block comes later: when its end did is not known.
#[test]
fn a_request_ends_with_the_last_byte_of_its_block() {
    let block = vec![b'x'; 3000];
    let fields = [&[0x82, 0x86, 0x84, 0x40, 1, b'x', 0x7f, 0xb9, 0x16][..], &block].concat();
    let sent = frame(1, 5, 1, &fields);
    let [start, middle, rest] = [&sent[..1000], &sent[1000..2000], &sent[2000..]];
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, start.to_vec()),
        (2 * MS, Client, middle.to_vec()),
        (50 * MS, Client, rest.to_vec()),
        (60 * MS, Server, frame(1, 5, 1, &[0x88])),
    ];
    let whole = connection(1, &said).capture();
    let wait = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        assert_eq!(call.time.is_none(), call.unknown.contains(Unknown::TIME));
        call.time.map(|time| time.parts.get(TimePart::Wait) / MS)
    };
    assert_eq!(wait(&whole), Some(10));
    assert_eq!(wait(&cut(&whole, middle, 600)), None);
}

#[test]
fn what_the_capture_alone_misses_is_no_loss() {
    let request = frame(1, 5, 1, &[0x83, 0x86, 0x84]);
    let other = frame(1, 5, 3, &[0x83, 0x86, 0x84]);
    let whole = data(300);
    let (start, rest) = whole.split_at(100);
    let (middle, rest) = rest.split_at(100);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, [request, other].concat()),
        (10 * MS, Server, [frame(1, 4, 1, &[0x88]), start.to_vec()].concat()),
        (11 * MS, Server, middle.to_vec()),
        (12 * MS, Server, rest.to_vec()),
        (15 * MS, Server, frame(1, 5, 3, &[0x88])),
        (20 * MS, Client, frame(6, 0, 0, &PING)),
        (3000 * MS, Server, frame(0, 1, 1, b"")),
    ];
    let capture = connection(1, &said).capture();
    let sent = capture.packets.iter().position(|packet| packet.bytes.ends_with(middle)).unwrap();
    let client = capture.packets[0].flow().unwrap().0;
    let lossy = |acknowledged: bool| {
        let kept = capture.subset(|at, packet| match at.cmp(&sent) {
            Ordering::Less => true,
            Ordering::Equal => false,
            Ordering::Greater => acknowledged || packet.flow().unwrap().0 != client,
        });
        let outcome = run(&kept);
        let call = outcome.transactions().find(|call| call.stream == 3).unwrap();
        assert!(call.partial.is_empty(), "the other one's bytes are missing");
        let loss = call.time.map(|time| time.parts.get(TimePart::TcpLoss));
        (loss, outcome.connections().next().unwrap().timing.server_blocked.tcp_loss)
    };
    // The client has told that it has got them.
    assert_eq!(lossy(true), (None, 0));
    // It never has.
    assert!(lossy(false).1 > 2900 * MS);
}

#[test]
fn what_the_capture_misses_at_its_end_is_no_loss_either() {
    let request = |stream| frame(1, 5, stream, &[0x83, 0x86, 0x84]);
    let answer = |stream| frame(1, 5, stream, &[0x88]);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, [request(1), request(3)].concat()),
        (10 * MS, Server, answer(1)),
        (11 * MS, Client, request(5)),
        (20 * MS, Server, answer(5)),
        (21 * MS, Client, request(7)),
    ];
    let capture = connection(1, &said).capture();
    let kept = without(&capture, &answer(1));
    // Another goes on for longer; the call that has no answer ends with the capture.
    let other = connection(2, &[(60 * MS, Client, request(1))]).capture();
    let outcome = run(&Capture::merged([kept, other]));
    let losses: Vec<u64> = outcome.connections().map(|it| it.timing.server_blocked.tcp_loss).collect();
    assert_eq!(losses, [0, 0]);
}

#[test]
fn windows_are_told_only_where_both_sides_are_read_in_order() {
    let request = frame(1, 4, 1, &[0x83, 0x86, 0x84]);
    let chunk = data(100);
    let (start, _) = chunk.split_at(50);
    let (middle, end) = (b"what the capture misses", [b'x'; 36]);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, request),
        (10 * MS, Server, [frame(1, 4, 1, &[0x88]), start.to_vec()].concat()),
        (11 * MS, Server, middle.to_vec()),
        (12 * MS, Server, [&end[..], &frame(8, 0, 0, &[0, 1, 0, 0])].concat()),
        (15 * MS, Client, data(16_000)),
        (20 * MS, Server, frame(1, 5, 1, &[0x0f, 0x01, 0x78])),
    ];
    let capture = connection(1, &said).capture();
    let largest = |capture: &Capture| {
        let outcome = run(capture);
        outcome.connections().next().unwrap().timing.client_windows.map(|windows| windows.largest)
    };
    assert_eq!(largest(&capture), Some(65_535 + 65_536));
    // The header of the frame that has lost something is there, but the credit was read after what it was given for.
    assert_eq!(largest(&without(&capture, middle)), None);
}

/// Calls, one after the other: GET, and its answer.
fn calls(count: u8) -> Conversation {
    let said: Vec<(u64, Side, Vec<u8>)> = (0..count)
        .flat_map(|n| {
            let (id, at) = (2 * n + 1, u64::from(n) * 10 * MS + MS);
            // What a frame holds is found in one packet alone.
            let name = [0, 1, b'n', 1, b'a' + n];
            let request = [&[0x82, 0x86, 0x84][..], &name].concat();
            let answer = [&[0x88][..], &name].concat();
            [(at, Client, frame(1, 5, id, &request)), (at + MS, Server, frame(1, 5, id, &answer))]
        })
        .collect();
    connection(1, &said)
}

/// Without what a side sent that ends so.
fn without_from(capture: &Capture, side: Side, payload: &[u8]) -> Capture {
    let client = capture.packets[0].flow().unwrap().0;
    let is_of = |packet: &Packet| (packet.flow().unwrap().0 == client) == (side == Client);
    let kept = capture.subset(|_, packet| !(is_of(packet) && packet.bytes.ends_with(payload)));
    assert_eq!(kept.packets.len() + 1, capture.packets.len());
    kept
}

#[test]
fn what_is_missing_may_have_ended_or_opened_streams() {
    let most = |capture: &Capture| run(capture).connections().next().unwrap().max_concurrent;
    let whole = calls(3).capture();
    assert_eq!(most(&whole), Some(1));
    for side in [Client, Server] {
        assert_eq!(most(&without_from(&whole, side, b"b")), None);
    }
}

#[test]
fn the_first_request_is_not_the_second_one() {
    let first = |capture: &Capture| run(capture).connections().next().unwrap().timing.first_request;
    // So long that the hole is given up, and the rest is read on, before the end.
    let whole = calls(20).capture();
    let known = first(&whole).unwrap();
    assert_eq!(first(&without_from(&whole, Server, b"a")), Some(known));
    assert_eq!(first(&without_from(&whole, Client, b"b")), Some(known));
    assert_eq!(first(&without_from(&whole, Client, b"a")), None);
}

#[test]
fn a_reset_may_be_missing_of_what_the_connection_has_cut_off() {
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, frame(1, 4, 1, &[0x88])),
        (3 * MS, Client, frame(3, 0, 1, &[0, 0, 0, 8])),
        (4 * MS, Client, frame(6, 0, 0, &PING)),
        (5 * MS, Server, frame(6, 1, 0, &PING)),
    ];
    let mut conversation = connection(1, &said).after(MS);
    conversation.fin(Server);
    conversation.fin(Client);
    let whole = conversation.capture();
    let error = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        (call.failure().map(|failure| failure.name().into_owned()), call.partial.contains(Partial::TCP_GAP))
    };
    assert_eq!(error(&whole), (Some("CANCEL".into()), false));
    let kept = without(&whole, &frame(3, 0, 1, &[0, 0, 0, 8]));
    assert_eq!(error(&kept), (None, true), "it is not the connection's end that failed it");
}

#[test]
fn who_ended_the_connection_is_told_by_the_order_of_the_packets() {
    let mut conversation = calls(2).after(MS);
    conversation.fin(Client);
    conversation = conversation.after(MS);
    conversation.fin(Server);
    let whole = conversation.capture();
    let by = |capture: &Capture| run(capture).connections().next().unwrap().end.by;
    assert_eq!(by(&whole), EndBy::Client);
    // The client's direction waits for the hole to fill, and the server's does not.
    assert_eq!(by(&without_from(&whole, Client, b"b")), EndBy::Client);
}

#[test]
fn what_is_read_late_has_no_parts() {
    let whole = connection(
        1,
        &[
            (MS, Client, frame(1, 4, 1, &[0x83, 0x86, 0x84])),
            (100 * MS, Client, frame(1, 5, 3, &[0x82, 0x86, 0x84])),
            (101 * MS, Server, frame(1, 5, 3, &[0x88])),
            (200 * MS, Client, frame(1, 5, 5, &[0x82, 0x86, 0x84])),
            (201 * MS, Server, frame(1, 5, 5, &[0x88])),
            (300 * MS, Client, frame(0, 1, 1, b"the rest")),
            (301 * MS, Server, frame(1, 5, 1, &[0x88])),
        ],
    )
    .capture();
    let parts = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().find(|call| call.stream == 1).unwrap();
        call.time.map(|time| time.parts)
    };
    assert!(parts(&whole).is_some());
    // Where the client's frames begin is found out later.
    let kept = without_from(&whole, Client, &[PREFACE, SETTINGS].concat());
    assert_eq!(parts(&kept), None);
}

#[test]
fn a_connection_that_was_not_opened_in_the_capture_has_no_first_request() {
    let whole = calls(2).capture();
    let first = |capture: &Capture| run(capture).connections().next().unwrap().timing.first_request;
    assert!(first(&whole).is_some());
    assert_eq!(first(&whole.late(1)), None);
}

#[test]
fn the_goaway_that_announces_another_may_be_missing() {
    let goaway = |last: [u8; 4]| frame(7, 0, 0, &[&last[..], &[0; 4]].concat());
    let announced = goaway([0x7f, 0xff, 0xff, 0xff]);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, frame(1, 5, 1, &[0x88])),
        (3 * MS, Server, announced.clone()),
        (4 * MS, Server, frame(4, 1, 0, &[])),
        (5 * MS, Server, goaway([0, 0, 0, 1])),
    ];
    let mut conversation = connection(1, &said).after(MS);
    conversation.fin(Server);
    conversation.fin(Client);
    let whole = conversation.capture();
    let two_step = |capture: &Capture| {
        let ending = run(capture).connections().next().unwrap().ending.clone();
        assert_eq!(ending.cause, Some(EndCause::GoawayGraceful));
        ending.two_step
    };
    assert_eq!(two_step(&whole), Some(true));
    assert_eq!(two_step(&without(&whole, &announced)), None);
}

/// A call whose response's DATA comes in three segments, ten milliseconds apart, with PINGs much later.
fn answered_in(start: &[u8], middle: &[u8], end: &[u8]) -> Capture {
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, [frame(1, 4, 1, &[0x88]), start.to_vec()].concat()),
        (12 * MS, Server, middle.to_vec()),
        (22 * MS, Server, end.to_vec()),
        (900 * MS, Client, frame(6, 0, 0, &PING)),
        (950 * MS, Server, frame(6, 1, 0, &PING)),
    ];
    connection(1, &said).capture()
}

/// A response of three segments, of which one is missing.
#[test]
fn when_a_byte_came_that_is_missing_is_not_known() {
    let body = frame(0, 1, 1, &[b'x'; 90]);
    let (start, rest) = body.split_at(39);
    let (middle, end) = rest.split_at(30);
    let (middle, end) = ([&middle[1..], b"m"].concat(), [&end[1..], b"e"].concat());
    let whole = answered_in(start, &middle, &end);
    let took = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        assert!(call.response.ended);
        call.span_of(&call.response)
    };
    let known = took(&whole).unwrap();
    assert_eq!(known.as_millis(), 20);
    // Those that wait for it came when they came.
    assert_eq!(took(&without(&whole, &middle)), Some(known));
    assert_eq!(took(&without(&whole, &end)), None);
}

/// The end of a response is missing: its client acknowledged it at once, and it was certain much later that the
/// capture has lost it.
#[test]
fn what_is_missing_had_come_when_it_was_acknowledged() {
    let end = frame(0, 1, 1, b"the end of it");
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, [&frame(1, 4, 1, &[0x88])[..], &end[..9]].concat()),
        (12 * MS, Server, end[9..].to_vec()),
    ];
    let duration = |lost: bool, more: bool| {
        let mut conversation = connection(1, &said).after(MS);
        conversation.ack(Client);
        let mut conversation = conversation.after(700 * MS);
        if more {
            conversation.data(Server, &frame(6, 0, 0, &PING));
            conversation.ack(Client);
        }
        let mut conversation = conversation.after(700 * MS);
        conversation.fin(Client);
        conversation.fin(Server);
        let whole = conversation.capture();
        let outcome = run(&if lost { without(&whole, &end[9..]) } else { whole });
        let call = outcome.transactions().next().unwrap();
        assert_eq!((call.response.ended, call.partial.is_empty()), (true, !lost));
        call.duration().as_millis()
    };
    for more in [false, true] {
        assert_eq!(duration(false, more), 11);
        assert!((11..=12).contains(&duration(true, more)), "{more}");
    }
}

#[test]
fn the_octets_of_header_sections_are_told_where_they_are_whole() {
    let field = |name: u8| [0x40, 1, name, 1, name];
    let answer = [&[0x88][..], &field(b'a')].concat();
    let trailers = field(b'b');
    let mut said: Vec<(u64, Side, Vec<u8>)> = Vec::new();
    for n in 0..20_u8 {
        let at = u64::from(n) * 20 * MS + MS;
        // The second time both are in the table.
        let (answer, trailers) =
            if n == 0 { (answer.clone(), trailers.to_vec()) } else { (vec![0x88, 0xbf], vec![0xbe]) };
        said.push((at, Client, frame(1, 5, 2 * n + 1, &[0x82, 0x86, 0x84])));
        said.push((at + MS, Server, frame(1, 4, 2 * n + 1, &answer)));
        said.push((at + 2 * MS, Server, frame(1, 5, 2 * n + 1, &trailers)));
    }
    let whole = connection(1, &said).capture();
    let octets = |capture: &Capture, stream: u64| {
        let text = Analyze::capture(capture).run_text();
        let call = text.transactions().find(|call| *dig(call, "h2.stream.id").unwrap() == stream).unwrap();
        let octets =
            |name: &str| dig(call, &format!("h2.response.header_bytes.{name}")).and_then(|it| it.as_u64());
        (octets("wire"), octets("decoded"))
    };
    assert_eq!(octets(&whole, 1), (Some(11), Some(10 + 2 + 2)));
    assert_eq!(octets(&whole, 5), (Some(3), Some(10 + 2 + 2)));
    let kept = without(&whole, &answer);
    assert_eq!(octets(&kept, 1), (None, None), "the trailers alone were seen");
    let kept = without_from(&whole, Server, &[&[0, 0, 2, 1, 4, 0, 0, 0, 3][..], &[0x88, 0xbf]].concat());
    assert_eq!(octets(&kept, 1), (Some(11), Some(10 + 2 + 2)));
    assert_eq!(octets(&kept, 3), (None, None));
    // What entries of the table are is not known behind the hole.
    assert_eq!(octets(&kept, 9), (Some(3), None));
}

/// The end of one frame is missing; the next one is there, and waits until that is certain.
#[test]
fn what_comes_behind_a_frame_that_is_cut_came_when_it_came() {
    let first = frame(0, 0, 1, &[&[b'x'; 59][..], b"y"].concat());
    let (start, rest) = first.split_at(39);
    let last = frame(0, 1, 1, b"the rest");
    let whole = answered_in(start, rest, &last);
    let took = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        (call.span_of(&call.response), call.duration())
    };
    assert_eq!(took(&without(&whole, rest)), took(&whole));
}

#[test]
fn the_first_request_may_be_read_after_its_answer() {
    let mut capture = calls(3).capture();
    let first = |capture: &Capture| run(capture).connections().next().unwrap().timing.first_request;
    let known = first(&capture).unwrap();
    let at = |payload: &[u8]| capture.packets.iter().position(|it| it.bytes.ends_with(payload)).unwrap();
    let request = at(&[0x82, 0x86, 0x84, 0, 1, b'n', 1, b'a']);
    let answer = at(&[0x88, 0, 1, b'n', 1, b'a']);
    let packet = capture.packets.remove(request);
    capture.packets.insert(answer, packet);
    assert_eq!(first(&capture), Some(known));

    // Or after what is promised with the answer.
    let request = frame(1, 5, 1, &[0x82, 0x86, 0x84]);
    let promise = frame(5, 4, 1, &[0, 0, 0, 2, 0x82, 0x86, 0x84, 0x81]);
    let said: Vec<(u64, Side, Vec<u8>)> = vec![
        (MS, Client, request.clone()),
        (50 * MS, Server, promise.clone()),
        (51 * MS, Server, frame(1, 5, 1, &[0x88])),
    ];
    let mut capture = connection(1, &said).capture();
    let known = first(&capture).unwrap();
    let at = |payload: &[u8]| capture.packets.iter().position(|it| it.bytes.ends_with(payload)).unwrap();
    let (request, promise) = (at(&request), at(&promise));
    let packet = capture.packets.remove(request);
    capture.packets.insert(promise, packet);
    assert_eq!(first(&capture), Some(known));

    // Which is not the first, where that is missing.
    let kept = without(&connection(1, &said).capture(), &frame(1, 5, 1, &[0x82, 0x86, 0x84]));
    assert_eq!(first(&kept), None);
}

/// What the client sent before its preface is missing: it may have asked for the upgrade.
#[test]
fn the_first_request_may_have_been_of_http1() {
    let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let mut conversation = Conversation::new(Ends::v4(1), 1);
    conversation.handshake();
    let mut conversation = conversation.after(MS);
    conversation.data(Client, upgrade.as_bytes());
    conversation.ack(Server);
    conversation
        .data(Server, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    conversation.data(Server, SETTINGS);
    conversation.data(Server, &frame(1, 5, 1, &[0x88]));
    conversation.data(Client, &[PREFACE, SETTINGS].concat());
    let mut conversation = conversation.after(400 * MS);
    for stream in [3, 5] {
        conversation.data(Client, &frame(1, 5, stream, &[0x82, 0x86, 0x84]));
        conversation.ack(Server);
        conversation.data(Server, &frame(1, 5, stream, &[0x88]));
        conversation = conversation.after(400 * MS);
    }
    let whole = conversation.capture();
    let first = |capture: &Capture| run(capture).connections().next().unwrap().timing.first_request;
    assert!(first(&whole).is_some_and(|first| first.as_millis() < 10));
    assert_eq!(first(&without(&whole, upgrade.as_bytes())), None);
}

#[test]
fn a_field_of_grpc_makes_no_call_of_grpc_where_the_content_type_is_known() {
    let kind = b"application/grpcx";
    let answer = [&[0x88, 0x0f, 0x10, kind.len() as u8][..], kind, b"\0\x0bgrpc-status\x015"].concat();
    let request = [&[0x83, 0x86, 0x84, 0x0f, 0x10, kind.len() as u8][..], kind].concat();
    let said: Vec<(u64, Side, Vec<u8>)> =
        vec![(MS, Client, frame(1, 5, 1, &request)), (2 * MS, Server, frame(1, 5, 1, &answer))];
    let whole = connection(1, &said).capture();
    let grpc = |capture: &Capture| {
        let outcome = run(capture);
        let call = outcome.transactions().next().unwrap();
        (call.grpc.is_some(), call.failure())
    };
    assert_eq!(grpc(&whole), (false, None));
    assert_eq!(grpc(&without(&whole, &request)), (false, None));
}

/// How long the path takes is known from the handshake, before the connection speaks HTTP/2.
#[test]
fn an_upgraded_call_has_the_round_trip_of_its_handshake() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let mut conversation = Conversation::new(Ends::v4(1), 1);
    conversation.handshake();
    conversation.data(Client, request);
    conversation.data(Server, &[&switch[..], SETTINGS, &frame(1, 5, 1, &[0x88])].concat());
    conversation.data(Client, &[PREFACE, SETTINGS].concat());
    let outcome = run(&conversation.capture());
    let call = outcome.transactions().next().unwrap();
    assert!(!call.time.unwrap().assumed_rtt);
}
