//! A capture that begins late: the exchanges that follow are told.

use super::samples;
use crate::support::conversation::Side;
use crate::support::{Analyze, Call, Capture, Conversation, Ends, Packet};
use h2lens::record::{EndBy, EndHow, Partial, StreamEnd, Unknown, Wanted};
use std::collections::BTreeSet;

/// The connections of packets with payload: both ends of each.
fn talking(packets: &[Packet]) -> BTreeSet<[Vec<u8>; 2]> {
    let ends = |(one, other)| if one < other { [one, other] } else { [other, one] };
    packets
        .iter()
        .filter(|packet| packet.has_payload())
        .filter_map(|packet| packet.flow().map(ends))
        .collect()
}

#[test]
fn all_that_begins_after_the_start_is_told() {
    for (n, sample) in samples().iter().enumerate() {
        let first = sample.capture.packets.len() / 3;
        let outcome = Analyze::capture(&sample.capture.late(first)).run();
        let told = outcome.transactions().count();
        let expected = sample.whole.transactions().filter(|call| call.first.packet > first as u64).count();
        assert!(told >= expected, "sample {n}: {told} of {expected}");
        // The cut may fall between two connections: then nothing is missing of those that are left.
        let (before, after) = sample.capture.packets.split_at(first);
        let cut = !talking(before).is_disjoint(&talking(after));
        assert_eq!(outcome.complete(), !cut, "sample {n}");
    }
}

/// The first packet is an answer: once its client asks for more, it is known that its request was missed.
#[test]
fn an_answer_that_comes_first_is_told_of_when_the_next_request_comes() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    for stream in [1, 3, 5, 7] {
        conversation
            .data(Side::Client, &[&[0, 0, 4, 1, 5, 0, 0, 0, stream][..], &[0x82, 0x86, 0x84, 0x81]].concat());
        let answer =
            [&[0, 0, 1, 1, 4, 0, 0, 0, stream, 0x88][..], &[0, 0, 1, 0, 1, 0, 0, 0, stream, b'a']].concat();
        conversation.data(Side::Server, &answer);
    }
    conversation.fin(Side::Client);
    let capture = conversation.capture();
    let answered =
        (0..).zip(&capture.packets).filter(|(_, packet)| packet.has_payload()).nth(2).map(|(at, _)| at);
    let outcome = Analyze::capture(&capture.late(answered.unwrap())).run();
    let told: Vec<_> = outcome.transactions().collect();
    assert_eq!(told.iter().map(|call| call.stream).collect::<Vec<_>>(), [1, 3, 5, 7]);
    assert_eq!(told[0].end, StreamEnd { by: EndBy::Server, how: EndHow::EndStream, code: None });
    assert_eq!(told[0].evidence, None);
}

/// What the server sends waits for the request that it answers, which is not in the capture.
#[test]
fn http2_is_read_whose_request_to_upgrade_was_lost() {
    let ask = |method: &str| {
        format!(
            "{method} /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
             HTTP2-Settings: AAMAAABk\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, ask("POST").as_bytes());
    conversation.data(Side::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    conversation.data(Side::Client, ask("GET").as_bytes());
    conversation.data(Side::Server, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
    let answer = b"\0\0\x05\x01\x05\0\0\0\x01\x48\x03200";
    conversation.data(Side::Server, &[&b"\0\0\0\x04\0\0\0\0\0"[..], answer].concat());
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let mut payload = 0;
    let capture = conversation.capture().subset(|_, packet| {
        payload += usize::from(packet.has_payload());
        !(packet.has_payload() && payload == 3)
    });
    let outcome = Analyze::capture(&capture).run();
    let told: Vec<_> =
        outcome.transactions().map(|call| (call.stream, call.method(), call.status())).collect();
    assert_eq!(told, [(1, None, Some(200))]);
    assert!(!outcome.complete());
    assert!(!outcome.transactions().next().unwrap().is_complete());
    let connection = outcome.connections().next().unwrap();
    assert!(connection.is_http2 && !connection.upgrade_declined);
}

/// The server's direction is captured ahead of the client's, and joined between an interim response and its response:
/// the client had not received all that came before, when it asked.
#[test]
fn an_answer_that_is_joined_before_its_request_is_seen_may_have_begun_earlier() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let request = |stream| [&[0, 0, 4, 1, 5, 0, 0, 0, stream][..], &[0x82, 0x86, 0x84, 0x81]].concat();
    let answer = |stream| [&[0, 0, 1, 1, 5, 0, 0, 0, stream][..], &[0x88]].concat();
    conversation.data(Side::Client, &request(1));
    conversation.ack(Side::Server);
    conversation.data(Side::Server, &[&[0, 0, 5, 1, 4, 0, 0, 0, 1, 0x08, 3][..], b"102"].concat());
    for stream in [1, 3, 5] {
        if stream > 1 {
            conversation.data(Side::Client, &request(stream));
        }
        conversation.data(Side::Server, &answer(stream));
        conversation.ack(Side::Client);
    }
    let capture = conversation.capture();
    let with_payload: Vec<_> =
        capture.packets.iter().filter(|packet| packet.has_payload()).cloned().collect();
    let [_, first, _, first_answer, ..] = &with_payload[..] else { panic!("{}", with_payload.len()) };
    let packets = [first_answer, first].into_iter().chain(&with_payload[4..]).cloned().collect();
    let outcome = Analyze::capture(&Capture { packets }.restamped()).run();
    let told: Vec<_> = outcome.transactions().collect();
    assert_eq!(told.iter().map(|call| call.stream).collect::<Vec<_>>(), [1, 3, 5]);
    assert_eq!(told[0].partial, Partial::MID_STREAM);
    assert!(told[1..].iter().all(Call::is_complete), "{told:?}");
}

/// A header block that is sent a few bytes at a time: each byte stands where a segment begins, which tells nothing.
#[test]
fn tiny_segments_are_not_taken_for_frames() {
    let field = |name: u8, value: &[u8]| [&[name, value.len() as u8], value].concat();
    let block = [&[0x82, 0x86][..], &field(0x44, b"/hello.txt"), &field(0x41, b"raw.test")].concat();
    let (first, rest) = block.split_at(7);
    let mut stream = [&[0, 0, 7, 1, 1, 0, 0, 0, 1][..], first].concat();
    let last = rest.len().div_ceil(3) - 1;
    for (n, part) in rest.chunks(3).enumerate() {
        let end_headers = if n == last { 4 } else { 0 };
        stream.extend([&[0, 0, part.len() as u8, 9, end_headers, 0, 0, 0, 1][..], part].concat());
    }
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    for byte in stream.chunks(1) {
        conversation.data(Side::Client, byte);
    }
    let response = [0x88, 0x5f, 10].into_iter().chain(*b"text/plain").collect::<Vec<u8>>();
    conversation.data(Side::Server, &[&[0, 0, 13, 1, 4, 0, 0, 0, 1][..], &response].concat());
    conversation.data(Side::Server, &[0, 0, 3, 0, 1, 0, 0, 0, 1, b'a', b'b', b'c']);
    conversation.fin(Side::Client);
    conversation.fin(Side::Server);
    let capture = conversation.capture();
    for first in 0..capture.packets.len() {
        let outcome = Analyze::capture(&capture.clone().late(first)).run();
        for told in outcome.transactions() {
            assert_eq!(told.stream, 1, "from packet {first}: {told:?}");
            assert!(told.path().is_none_or(|path| path == "/hello.txt"), "from packet {first}: {told:?}");
        }
    }
}

/// A download that was under way: no header block comes, but DATA on one side and credit for it on the other.
#[test]
fn a_transfer_joined_in_its_middle_is_recognised_by_both_its_sides() {
    for (credit, known) in [(true, true), (false, false)] {
        let mut conversation = Conversation::new(Ends::v4(0), 1);
        conversation.data(Side::Server, &[7; 1000]);
        for n in 0..6 {
            let frame = [&[0, 0x40, 0, 0, u8::from(n == 5), 0, 0, 0, 1][..], &[7; 0x4000]].concat();
            for segment in frame.chunks(1448) {
                conversation.data(Side::Server, segment);
            }
            conversation.ack(Side::Client);
            if credit && n % 2 == 0 {
                conversation.data(Side::Client, &[0, 0, 4, 8, 0, 0, 0, 0, n / 2, 0, 1, 0, 0]);
            }
        }
        let outcome = Analyze::capture(&conversation.capture()).run();
        let told: Vec<_> = outcome.transactions().collect();
        assert_eq!(told.len(), usize::from(known), "credit: {credit}");
        for told in told {
            assert_eq!(told.connection.client.port, 32_768, "the higher port");
            assert!(told.unknown.contains(Unknown::TIME) && told.time.is_none(), "{told:?}");
            assert!(!told.is_complete());
        }
    }
}

/// Of the server alone something was captured, and then its FIN: the call ends with that, in however many segments the answer came.
#[test]
fn a_fin_ends_the_calls_of_the_only_side_that_was_captured() {
    let frames = [
        &[0, 0, 0, 4, 0, 0, 0, 0, 0][..],
        &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88],
        &[0, 0, 100, 0, 0, 0, 0, 0, 1],
        &[7; 100],
    ]
    .concat();
    for length in [frames.len(), 50, 1] {
        let mut conversation = Conversation::new(Ends::v4(0), 1);
        conversation.handshake();
        for segment in frames.chunks(length) {
            conversation.data(Side::Server, segment);
        }
        conversation.fin(Side::Server);
        let mut capture = conversation.capture();
        let server = capture.packets[1].flow().unwrap().0;
        capture.packets.retain(|packet| packet.flow().is_some_and(|(from, _)| from == server));
        let outcome = Analyze::capture(&capture).run();
        let [told] = outcome.transactions().collect::<Vec<_>>()[..] else { panic!("one call") };
        assert_eq!((told.status(), told.response.body), (Some(200), 100), "segments of {length}");
        assert_eq!((told.end.by, told.end.how), (EndBy::Tcp, EndHow::Fin), "segments of {length}");
    }
}

/// A gRPC server on a port that its system could have given to a client, joined while a client sends: the ports say the wrong
/// thing, and what comes later the right one.
#[test]
fn frames_tell_the_client_where_ports_do_not() {
    let server_port = |port| Ends { server: ([10, 0, 0, 2], port).into(), ..Ends::v4(1) };
    let data = |stream, flags| [&[0, 0, 8, 0, flags, 0, 0, 0, stream][..], b"\0\0\0\0\x03abc"].concat();
    let credit = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    for ends in [server_port(50_051), server_port(8080)] {
        let mut conversation = Conversation::new(ends, 7);
        for _ in 0..100 {
            conversation.data(Side::Client, &[&data(1, 0)[..], &credit].concat());
        }
        conversation
            .data(Side::Server, &[&[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88][..], &data(1, 0), &data(1, 0)].concat());
        conversation.data(Side::Server, &[&credit[..], &data(1, 1)].concat());
        conversation.data(Side::Client, &[0, 0, 3, 1, 5, 0, 0, 0, 3, 0x83, 0x86, 0x84]);
        conversation.data(Side::Server, &[0, 0, 1, 1, 5, 0, 0, 0, 3, 0x88]);
        let wanted = Wanted { transactions: true, connections: true, ..Wanted::default() };
        let outcome = Analyze::capture(&conversation.capture()).wanted(wanted).run();
        let connection = outcome.connections().next().unwrap();
        assert_eq!(connection.meta.server.port, ends.server.port());
        let call = outcome.transactions().find(|call| call.stream == 3).unwrap();
        assert_eq!(call.status(), Some(200));
    }
}

/// An idle connection between two ports that may each be a client's: its end names a stream, which the other side has opened.
#[test]
fn a_goaway_tells_the_client_where_ports_do_not() {
    let goaway =
        |stream: u32| [&[0, 0, 8, 7, 0, 0, 0, 0, 0][..], &stream.to_be_bytes(), &[0, 0, 0, 11]].concat();
    for (last, server) in [(3, 50_051), (0x7fff_ffff, 40_830), (0, 40_830)] {
        let ends = Ends { client: ([10, 0, 0, 1], 40_830).into(), server: ([10, 0, 0, 2], 50_051).into() };
        let mut conversation = Conversation::new(ends, 7);
        for _ in 0..9 {
            let ping = |flags| [&[0, 0, 8, 6, flags, 0, 0, 0, 0][..], b"are here"].concat();
            conversation.data(Side::Client, &ping(0));
            conversation.data(Side::Server, &[ping(1), vec![0, 0, 0, 4, 1, 0, 0, 0, 0]].concat());
        }
        conversation.data(Side::Server, &goaway(last));
        conversation.fin(Side::Server);
        conversation.fin(Side::Client);
        let wanted = Wanted { connections: true, ..Wanted::default() };
        let outcome = Analyze::capture(&conversation.capture()).wanted(wanted).run();
        let told: Vec<_> = outcome.connections().map(|it| it.meta.server.port).collect();
        assert_eq!(told, [server], "{last}");
    }
}

/// What the server sent first is known to be missing before anything of the connection is read, and a request that is read
/// later was sent before: its answer may be there.
#[test]
fn an_answer_may_be_in_what_is_missing_before_the_first_bytes() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    conversation.ack(Side::Server);
    // Both directions wait for a hole to fill.
    let ping = b"\0\0\x08\x06\0\0\0\0\0are here";
    conversation.data(Side::Client, ping);
    let answer = |stream| [0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88];
    for stream in [1, 3, 5, 7] {
        let request = [&[0, 0, 4, 1, 5, 0, 0, 0, stream][..], &[0x82, 0x86, 0x84, 0x81]].concat();
        conversation.data(Side::Client, &request);
        conversation.ack(Side::Server);
        conversation.data(Side::Server, &answer(stream));
        conversation.ack(Side::Client);
    }
    conversation.fin(Side::Server);
    conversation.fin(Side::Client);
    let capture = conversation.capture();
    let first = capture.packets.iter().position(|packet| packet.has_payload()).unwrap();
    let kept = capture
        .late(first + 1)
        .subset(|_, packet| !packet.bytes.ends_with(ping) && !packet.bytes.ends_with(&answer(1)));
    let outcome = Analyze::capture(&kept).run();
    let call = outcome.transactions().find(|call| call.stream == 1).unwrap();
    assert!(call.request.seen && !call.response.seen);
    assert!(call.partial.contains(Partial::TCP_GAP), "{:?}", call.partial);
    assert_eq!(call.failure(), None);
}
