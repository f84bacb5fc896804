//! Verdicts: every reason, and the sums.

use super::super::*;
use super::encoder::*;
use super::lab::*;
use super::raw_traffic::continuation_packets;
use std::time::Duration;

/// The verdict on POST `path`, answered 200, whose request and answer each stand in one packet.
pub(super) fn verdict(
    lab: &mut Lab,
    stream: u32,
    path: &str,
    request: u64,
    response: u64,
) -> Option<MissReason> {
    let facts = WireFacts {
        request: FrameFact::whole(request),
        request_end: FrameFact::whole(request),
        response: FrameFact::whole(response),
        response_end: FrameFact::whole(response),
    };
    let tx = WireTransaction { facts, ..lab.wire(stream, path, request) };
    lab.agent.verdict(&tx).reason()
}

/// Sends the request, lets the server answer, and asks.
pub(super) fn exchange(lab: &mut Lab, stream: u32, path: &str, request: &[u8]) -> Option<MissReason> {
    let sent = lab.client(request);
    let answered = lab.answer([stream], "200")[0];
    verdict(lab, stream, path, sent, answered)
}

fn missed(lab: &Lab) -> Vec<(&'static str, u64)> {
    let missed = lab.agent.summary().missed;
    MissReason::ALL.iter().map(|reason| reason.name()).zip(missed).filter(|entry| entry.1 > 0).collect()
}

/// The agent emitted it.
pub(super) const SEEN: Option<MissReason> = None;

/// A request in one packet with that block.
pub(super) fn request(stream: u32, block: &[u8]) -> Vec<u8> {
    [headers(stream, block), d(stream)].concat()
}

#[test]
fn an_emitted_transaction_is_seen_once() {
    let mut lab = Lab::connected(Rules::default());
    assert_eq!(exchange(&mut lab, 1, "/aaa", &request(1, &Encoder::new().block(&TEST_HEADERS))), SEEN);
    let again = lab.wire(1, "/aaa", 1);
    assert!(matches!(lab.agent.verdict(&again), Verdict::Missed(_)));
    lab.agent.finish();
    let summary = lab.agent.summary();
    assert_eq!((summary.transactions, summary.spurious, summary.missed.iter().sum::<u64>()), (1, 0, 1));
}

#[test]
fn queries_and_long_paths_are_compared_as_the_agent_shows_them() {
    let mut lab = Lab::connected(Rules::default());
    let with_query = Encoder::new().block(&test_headers(&[(":path", "/a?b=c")]));
    assert_eq!(exchange(&mut lab, 1, "/a?b=c", &request(1, &with_query)), SEEN);
    // 256 characters in 160 bytes of Huffman code: the agent's buffer holds 208.
    let long = format!("/{}", "a".repeat(254));
    let block = Encoder::new().block(&test_headers(&[(":path", &long)]));
    assert_eq!(exchange(&mut lab, 3, &long, &request(3, &block)), SEEN);
    assert_eq!(lab.agent.statistics()[1].call.as_ref().unwrap().1.len(), 208);
}

#[test]
fn classification() {
    let mut lab = Lab::new(Rules::default());
    assert_eq!(exchange(&mut lab, 1, "/aaa", &[h(1), d(1)].concat()), Some(MissReason::Classification));
    // The answer comes in the packet that classifies.
    let sent = lab.client(&[h(3), d(3)].concat());
    let answered = lab.server(&[s(), headers(3, &[0x88]), d(3)].concat());
    assert_eq!(verdict(&mut lab, 3, "/aaa", sent, answered), Some(MissReason::Classification));
    assert_eq!(exchange(&mut lab, 5, "/aaa", &[h(5), d(5)].concat()), SEEN);
    // HTTP/1 first.
    let mut lab = Lab::new(Rules::default());
    lab.client(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    assert_eq!(exchange(&mut lab, 1, "/aaa", &[h(1), d(1)].concat()), Some(MissReason::Classification));
}

#[test]
fn split_frame_of_the_stream_itself() {
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), d(1)].concat();
    let first = lab.client(&message[..10]);
    let second = lab.client(&message[10..]);
    let answered = lab.answer([1], "200")[0];
    let facts = WireFacts {
        request: FrameFact::split(first),
        request_end: FrameFact::whole(second),
        response: FrameFact::whole(answered),
        response_end: FrameFact::whole(answered),
    };
    let tx = WireTransaction { facts, ..lab.wire(1, "/aaa", first) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::SplitFrame));
}

#[test]
fn split_frame_of_another_stream_hides_the_packets_other_frames() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&h(1));
    let data = frame(DATA, 1, 1, &[b'x'; 30]);
    lab.client(&data[..19]);
    assert_eq!(
        exchange(&mut lab, 3, "/aaa", &[&data[19..], &h(3), &d(3)].concat()),
        Some(MissReason::SplitFrame)
    );
}

#[test]
fn split_frame_without_facts() {
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), d(1)].concat();
    let first = lab.client(&message[..30]);
    lab.client(&message[30..]);
    lab.answer([1], "200");
    let tx = lab.wire(1, "/aaa", first);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::SplitFrame));
    // Cut, but not first in its packet: the path is lost.
    let first = lab.client(&[p(), h(3)[..22].to_vec()].concat());
    lab.client(&[&h(3)[22..], &d(3)].concat());
    lab.answer([3], "200");
    let tx = lab.wire(3, "/aaa", first);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::SplitFrame));
}

#[test]
fn continuation() {
    let mut lab = Lab::connected(Rules::default());
    let packet = continuation_packets().concat();
    assert_eq!(exchange(&mut lab, 1, "/aaa", &packet), Some(MissReason::Continuation));
}

#[test]
fn padded_and_priority() {
    let block = Encoder::new().block(&TEST_HEADERS);
    let padded = [&[4], block.as_slice(), &[0; 4]].concat();
    let mut lab = Lab::connected(Rules::default());
    let packet = [frame(HEADERS, 0xc, 1, &padded), d(1)].concat();
    assert_eq!(exchange(&mut lab, 1, "/aaa", &packet), Some(MissReason::Padded));
    let prioritised = [&[0, 0, 0, 0, 15], block.as_slice()].concat();
    for (rules, expected) in [(Rules::Y2025, Some(MissReason::Priority)), (Rules::Y2026, SEEN)] {
        let mut lab = Lab::connected(rules);
        let packet = [frame(HEADERS, 0x24, 1, &prioritised), d(1)].concat();
        assert_eq!(exchange(&mut lab, 1, "/aaa", &packet), expected);
    }
}

#[test]
fn path_too_long_where_it_stands_and_where_it_is_referred_to() {
    let mut lab = Lab::connected(Rules::default());
    for (stream, len) in [(1, 161), (5, 254), (9, 300)] {
        let path = format!("/{}", "{".repeat(len - 1));
        let mut block = vec![0x83, 0x45];
        raw_string(&mut block, &path);
        assert_eq!(
            exchange(&mut lab, stream, &path, &request(stream, &block)),
            Some(MissReason::PathTooLong)
        );
        let again = request(stream + 2, &[0x83, 0xbe]);
        assert_eq!(exchange(&mut lab, stream + 2, &path, &again), Some(MissReason::PathTooLong), "{len}");
    }
    // Short by Huffman code, but sent raw.
    let mut lab = Lab::connected(Rules::default());
    let path = format!("/{}", "a".repeat(199));
    let mut block = vec![0x83, 0x45];
    raw_string(&mut block, &path);
    assert_eq!(exchange(&mut lab, 1, &path, &request(1, &block)), Some(MissReason::PathTooLong));
    assert_eq!(exchange(&mut lab, 3, &path, &request(3, &[0x83, 0xbe])), Some(MissReason::PathTooLong));
}

#[test]
fn cap_agent_long_paths() {
    let path = format!("/{}", "a".repeat(199));
    let mut block = vec![0x83, 0x45];
    raw_string(&mut block, &path);
    // The oldest of 64 has index 125, the oldest of 65 has 126.
    for (paths, index, reason, struck) in [
        (63, 124, MissReason::PathTooLong, 0),
        (64, 125, MissReason::PathTooLong, 0),
        (65, 125, MissReason::PathTooLong, 0),
        (65, 126, MissReason::HpackState, 1),
    ] {
        let mut lab = Lab::connected(Rules::default());
        for i in 0..paths {
            lab.client(&headers(id(i), &block));
        }
        assert_eq!(crate::base::limits::AGENT_LONG_PATHS, 64);
        let refers = request(1001, &[0x83, 0x80 | index]);
        assert_eq!(exchange(&mut lab, 1001, &path, &refers), Some(reason), "{paths} {index}");
        assert_eq!(lab.agent.limits().of(Limit::AgentReasons), struck, "{paths} {index}");
    }
}

#[test]
fn header_limit() {
    let filler = [0x00, 1, b'a', 1, b'b'].repeat(3);
    let mut lab = Lab::connected(Rules::default());
    let block = [&filler, &[0x83, 0x84][..]].concat();
    assert_eq!(exchange(&mut lab, 1, "/", &request(1, &block)), Some(MissReason::HeaderLimit));
    // A literal, and a reference.
    let block = [&filler, &[0x83, 0x45, 2, b'/', b'a'][..]].concat();
    assert_eq!(exchange(&mut lab, 3, "/a", &request(3, &block)), Some(MissReason::HeaderLimit));
    let block = Encoder::new().block(&[(":method", "POST"), (":path", "/b")]);
    assert_eq!(exchange(&mut lab, 5, "/b", &request(5, &block)), SEEN);
    let block = [&filler, &[0x83, 0xbe][..]].concat();
    assert_eq!(exchange(&mut lab, 7, "/b", &request(7, &block)), Some(MissReason::HeaderLimit));
    // An integer that ends the pass: a value of 300 bytes before the path.
    let mut block = vec![0x83, 0x01];
    raw_string(&mut block, &"x".repeat(300));
    block.push(0x84);
    assert_eq!(exchange(&mut lab, 9, "/", &request(9, &block)), Some(MissReason::HeaderLimit));
}

#[test]
fn frame_limit() {
    let mut lab = Lab::connected(Rules::default());
    let packet = [s().repeat(241), h(1), d(1)].concat();
    assert_eq!(exchange(&mut lab, 1, "/aaa", &packet), Some(MissReason::FrameLimit));
    let pairs: Vec<u8> = (1..=121).flat_map(|i| [h(id(i)), d(id(i))].concat()).collect();
    let sent = lab.client(&pairs);
    for i in 1..=121 {
        let answered = lab.answer([id(i)], "200")[0];
        let expected = if i <= 120 { SEEN } else { Some(MissReason::FrameLimit) };
        assert_eq!(verdict(&mut lab, id(i), "/aaa", sent, answered), expected, "{i}");
    }
}

#[test]
fn method() {
    let mut lab = Lab::connected(Rules::default());
    for (stream, method) in [(1, "TRACE"), (3, "PROPFIND"), (5, "patch")] {
        let block = Encoder::new().block(&test_headers(&[(":method", method)]));
        let sent = lab.client(&request(stream, &block));
        lab.answer([stream], "200");
        let tx = WireTransaction { method: Some(method.as_bytes()), ..lab.wire(stream, "/aaa", sent) };
        let expected = if stream == 5 { SEEN } else { Some(MissReason::Method) };
        assert_eq!(lab.agent.verdict(&tx).reason(), expected, "{method}");
    }
    // CONNECT has no path.
    let sent =
        lab.client(&headers(7, &Encoder::new().block(&[(":method", "CONNECT"), (":authority", "a:1")])));
    lab.answer([7], "200");
    let tx = WireTransaction { method: Some(b"CONNECT"), path: None, ..lab.wire(7, "", sent) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Method));
}

#[test]
fn hpack_state_nothing_stored_or_something_else() {
    // The path was stored before the agent knew the connection.
    let mut lab = Lab::connected(Rules::default());
    assert_eq!(exchange(&mut lab, 1, "/x", &request(1, &[0x83, 0xbe])), Some(MissReason::HpackState));
    // A CONTINUATION's incremental literal is not counted, so that the next reference is one off: /b is taken for /a.
    let mut lab = Lab::connected(Rules::default());
    let a = [0x83, 0x45, 2, b'/', b'a'];
    assert_eq!(exchange(&mut lab, 1, "/a", &request(1, &a)), SEEN);
    let packet = [frame(HEADERS, 0, 3, &[0x83]), frame(CONTINUATION, 4, 3, &[0x45, 2, b'/', b'b']), d(3)];
    assert_eq!(exchange(&mut lab, 3, "/b", &packet.concat()), Some(MissReason::Continuation));
    assert_eq!(exchange(&mut lab, 5, "/b", &request(5, &[0x83, 0xbe])), Some(MissReason::HpackState));
    // A size update of one byte.
    let block = [&[0x20], Encoder::new().block(&TEST_HEADERS).as_slice()].concat();
    assert_eq!(exchange(&mut lab, 7, "/aaa", &request(7, &block)), Some(MissReason::HpackState));
    lab.agent.finish();
    let summary = lab.agent.summary();
    assert_eq!(
        (summary.transactions, summary.spurious),
        (1, 1),
        "/a, which the wire has but once, was shown twice"
    );
    assert_eq!(missed(&lab), [("continuation", 1), ("hpack_state", 2)]);
}

#[test]
fn ttl() {
    let mut lab = Lab::connected(Rules::default());
    let sent = lab.client(&[h(1), d(1)].concat());
    lab.wait(Duration::from_secs(70));
    let answered = lab.answer([1], "200")[0];
    assert_eq!(verdict(&mut lab, 1, "/aaa", sent, answered), Some(MissReason::Ttl));
}

#[test]
fn fin() {
    for flag in [TcpFlags::FIN, TcpFlags::RST] {
        // In the packet itself.
        let mut lab = Lab::connected(Rules::default());
        let sent = lab.client(&[h(1), d(1)].concat());
        let answered = lab.send(false, &[headers(1, &[0x88]), d(1)].concat(), flag);
        assert_eq!(verdict(&mut lab, 1, "/aaa", sent, answered), Some(MissReason::Fin));
        // After a half close.
        let mut lab = Lab::connected(Rules::default());
        let sent = lab.client(&[h(1), d(1)].concat());
        lab.send(true, &[], flag);
        let answered = lab.answer([1], "200")[0];
        assert_eq!(verdict(&mut lab, 1, "/aaa", sent, answered), Some(MissReason::Fin));
        // Without facts.
        let mut lab = Lab::connected(Rules::default());
        let sent = lab.client(&[h(1), d(1)].concat());
        lab.send(true, &[], flag);
        lab.answer([1], "200");
        let tx = lab.wire(1, "/aaa", sent);
        assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Fin));
    }
}

#[test]
fn a_new_connection_on_the_same_ports_is_not_the_old_ones_end() {
    let mut lab = Lab::connected(Rules::default());
    lab.send(true, &[], TcpFlags::FIN);
    // The new one's preface is not in the capture.
    let sent = lab.client(&[h(1), d(1)].concat());
    let answered = lab.answer([1], "200")[0];
    let facts = WireFacts {
        request: FrameFact::whole(sent),
        response: FrameFact::whole(answered),
        ..WireFacts::default()
    };
    let tx = WireTransaction { connection: sent, facts, ..lab.wire(1, "/aaa", sent) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Classification));
}

#[test]
fn other() {
    // A path that is none to the agent.
    let mut lab = Lab::connected(Rules::default());
    let block = Encoder::new().block(&test_headers(&[(":method", "OPTIONS"), (":path", "*")]));
    let sent = lab.client(&request(3, &block));
    lab.answer([3], "200");
    let tx = WireTransaction { method: Some(b"OPTIONS"), ..lab.wire(3, "*", sent) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Other));
    // No end of the stream on either side.
    let sent = lab.client(&h(5));
    lab.server(&headers(5, &[0x88]));
    assert_eq!(lab.agent.verdict(&lab.wire(5, "/aaa", sent)).reason(), Some(MissReason::Other));
}

#[test]
fn the_first_reason_that_applies_is_given() {
    // Padded, too long, an unknown method, and too old.
    let mut lab = Lab::connected(Rules::default());
    let path = format!("/{}", "{".repeat(200));
    let mut block = vec![0, 0x43];
    raw_string(&mut block, "TRACE");
    block.push(0x45);
    raw_string(&mut block, &path);
    let sent = lab.client(&[frame(HEADERS, 0xc, 1, &block), d(1)].concat());
    lab.wait(Duration::from_secs(70));
    let answered = lab.answer([1], "200")[0];
    assert_eq!(verdict(&mut lab, 1, &path, sent, answered), Some(MissReason::Padded));
}

#[test]
fn incomplete_transactions_count_in_no_sum() {
    let mut lab = Lab::connected(Rules::default());
    // Emitted, and on the wire with an unknown path.
    let sent = lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    let tx = WireTransaction { complete: false, path: None, ..lab.wire(1, "", sent) };
    assert_eq!(lab.agent.verdict(&tx).reason(), SEEN);
    // Not emitted.
    let sent = lab.client(&h(3));
    let tx = WireTransaction { complete: false, status: None, ..lab.wire(3, "/aaa", sent) };
    assert!(matches!(lab.agent.verdict(&tx), Verdict::Missed(_)));
    // Emitted with a value that is known to be another.
    let sent = lab.client(&[h(5), d(5)].concat());
    lab.answer([5], "200");
    let tx = WireTransaction { complete: false, ..lab.wire(5, "/bbb", sent) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::HpackState));
    lab.agent.finish();
    let summary = lab.agent.summary();
    assert_eq!((summary.transactions, summary.seen_incomplete, summary.spurious), (0, 1, 1));
    assert_eq!(summary.missed, [0; MissReason::ALL.len()]);
}

#[test]
fn a_second_emission_is_spurious_and_a_late_one_is_not() {
    // The request is repeated after another segment: emitted twice.
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), d(1)].concat();
    let sent = lab.send_at(true, &message, TcpFlags::ACK, 100);
    lab.send_at(true, &p(), TcpFlags::ACK, 200);
    lab.answer([1], "200");
    assert_eq!(lab.agent.verdict(&lab.wire(1, "/aaa", sent)).reason(), SEEN);
    lab.send_at(true, &message, TcpFlags::ACK, 100);
    lab.send_at(false, &[headers(1, &[0x88]), d(1)].concat(), TcpFlags::ACK, 9000);
    // A reset ends a transaction on the wire, but is a first end to the agent; a second one comes later.
    let sent = lab.client(&h(3));
    lab.server(&headers(3, &[0x88]));
    lab.client(&r(3, 8));
    let tx = lab.wire(3, "/aaa", sent);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Reset));
    lab.server(&d(3));
    lab.agent.finish();
    let summary = lab.agent.summary();
    assert_eq!((summary.transactions, summary.spurious, summary.late), (1, 1, 1));
}

#[test]
fn sums_agree_over_many_connections() {
    let mut lab = Lab::new(Rules::default());
    let mut complete = 0;
    for _ in 0..50 {
        lab.another();
        for i in 0..20 {
            let path = format!("/{}", "x".repeat(i * 20));
            let block = Encoder::new().block(&test_headers(&[(":path", &path)]));
            let stream = id(i as u32);
            let sent = lab.client(&request(stream, &block));
            let answered = lab.answer([stream], "200")[0];
            verdict(&mut lab, stream, &path, sent, answered);
            complete += 1;
        }
    }
    lab.agent.finish();
    let summary = lab.agent.summary();
    assert_eq!(summary.transactions + summary.missed.iter().sum::<u64>(), complete);
    assert_eq!(summary.spurious, 0);
    assert_eq!(missed(&lab).iter().map(|entry| entry.0).collect::<Vec<_>>(), ["path_too_long"]);
}
