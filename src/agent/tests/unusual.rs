//! Verdicts on the unusual: resets, packets out of order, pushed streams, frames that the agent takes for none, and
//! names that are spelled out.

use super::super::*;
use super::encoder::*;
use super::lab::*;
use super::reasons::{SEEN, exchange, request, verdict};

/// The wire's view of POST `path`, answered 200, whose four frames are in these packets; 0 for none.
fn in_packets<'a>(lab: &Lab, stream: u32, path: &'a str, packets: [u64; 4]) -> WireTransaction<'a> {
    let [request, request_end, response, response_end] = packets.map(FrameFact::whole);
    let facts = WireFacts { request, request_end, response, response_end };
    WireTransaction { facts, ..lab.wire(stream, path, packets[0].min(packets[2])) }
}

#[test]
fn reset_before_the_answer_or_as_the_first_end() {
    let mut lab = Lab::connected(Rules::default());
    let sent = lab.client(&[h(1), d(1)].concat());
    let reset = lab.server(&r(1, 8));
    let tx = WireTransaction { status: None, ..in_packets(&lab, 1, "/aaa", [sent, sent, 0, reset]) };
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Reset));
    let sent = lab.client(&h(3));
    let answered = lab.server(&headers(3, &[0x88]));
    let reset = lab.client(&r(3, 8));
    let tx = in_packets(&lab, 3, "/aaa", [sent, reset, answered, 0]);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Reset));
    // The second end of a stream that has all: it emits.
    let sent = lab.client(&[h(5), d(5)].concat());
    lab.server(&headers(5, &[0x88]));
    lab.server(&r(5, 8));
    assert_eq!(lab.agent.verdict(&lab.wire(5, "/aaa", sent)).reason(), SEEN);
    assert_eq!(lab.agent.summary().emitted, 1);
}

#[test]
fn packet_order_of_the_frames() {
    // The answer was captured before the request.
    let mut lab = Lab::connected(Rules::default());
    let answered = lab.answer([1], "200")[0];
    let sent = lab.client(&[h(1), d(1)].concat());
    let tx = in_packets(&lab, 1, "/aaa", [sent, sent, answered, answered]);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::PacketOrder));
    // The request's end came before its beginning, to the end of a stream that is not there yet.
    let end = lab.client(&d(3));
    let sent = lab.client(&h(3));
    let answered = lab.answer([3], "200")[0];
    let tx = in_packets(&lab, 3, "/aaa", [sent, end, answered, answered]);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::PacketOrder));
}

#[test]
fn packet_order_of_a_request_sent_twice() {
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), d(1)].concat();
    let sent = lab.send_at(true, &message, TcpFlags::ACK, 100);
    lab.send_at(true, &p(), TcpFlags::ACK, 200);
    // Its second end emits the stream, which has no status yet.
    lab.send_at(true, &message, TcpFlags::ACK, 100);
    let answered = lab.answer([1], "200")[0];
    assert_eq!(verdict(&mut lab, 1, "/aaa", sent, answered), Some(MissReason::PacketOrder));
    let summary = lab.agent.summary();
    assert_eq!((summary.emitted, summary.user.incomplete, summary.user.hits()), (1, 1, 0));
}

#[test]
fn packet_order_hides_frames_in_a_segment_that_comes_where_another_should() {
    let mut lab = Lab::connected(Rules::default());
    // DATA in two segments, and between them the segment after: its request is taken for the rest of DATA.
    let data = frame(DATA, 0, 1, &[b'x'; 200]);
    let next = request(3, &Encoder::new().block(&TEST_HEADERS));
    lab.send_at(true, &[h(1), data[..50].to_vec()].concat(), TcpFlags::ACK, 10_000);
    let (rest, after) = (&data[50..], 10_000 + (h(1).len() + data.len()) as u32);
    let sent = lab.send_at(true, &next, TcpFlags::ACK, after);
    lab.send_at(true, rest, TcpFlags::ACK, after - rest.len() as u32);
    let answered = lab.answer([3], "200")[0];
    assert_eq!(verdict(&mut lab, 3, "/aaa", sent, answered), Some(MissReason::PacketOrder));
    // What comes in order again is read again, once the frame that was taken for one is over.
    lab.send_at(true, &[b'y'; 60], TcpFlags::ACK, after + next.len() as u32);
    let follows = after + next.len() as u32 + 60;
    let sent = lab.send_at(true, &request(5, &[0x83, 0x84]), TcpFlags::ACK, follows);
    let answered = lab.answer([5], "200")[0];
    assert_eq!(verdict(&mut lab, 5, "/", sent, answered), SEEN);
}

#[test]
fn segments_in_order_lose_nothing_to_packet_order() {
    // Sequence numbers wrap around within a frame.
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), frame(DATA, 0, 1, b"1234567890"), d(1)].concat();
    let cut = h(1).len() + 12;
    let start = (cut as u32).wrapping_neg();
    lab.send_at(true, &p(), TcpFlags::ACK, start - p().len() as u32);
    let sent = lab.send_at(true, &message[..cut], TcpFlags::ACK, start);
    lab.send_at(true, &message[cut..], TcpFlags::ACK, 0);
    let answered = lab.answer([1], "200")[0];
    assert_eq!(verdict(&mut lab, 1, "/aaa", sent, answered), SEEN);
    let incidents = &lab.connection().sides.get(Side::Client).incidents;
    assert_eq!(incidents.within(0, u64::MAX), None);
}

#[test]
fn pushed() {
    let mut lab = Lab::connected(Rules::default());
    let pushed = lab.server(&[headers(2, &[0x88]), frame(DATA, 1, 2, b"x")].concat());
    let tx = in_packets(&lab, 2, "/aaa", [0, 0, pushed, pushed]);
    assert_eq!(lab.agent.verdict(&tx).reason(), Some(MissReason::Pushed));
}

#[test]
fn invalid_frame_hides_the_rest_of_its_segment() {
    let mut lab = Lab::connected(Rules::default());
    for (stream, kind, on, len) in [(1, DATA, 2, 1), (3, 0xa, 0, 4), (5, 0x10, 0, 5), (7, DATA, 1, 16_385)] {
        let packet = [frame(kind, 0, on, &vec![b'x'; len]), h(stream), d(stream)].concat();
        assert_eq!(exchange(&mut lab, stream, "/aaa", &packet), Some(MissReason::InvalidFrame), "{kind}");
    }
}

/// A literal field with incremental indexing whose name is spelled out.
fn spelled(name: &str, value: &str, huffman: bool) -> Vec<u8> {
    let mut field = vec![0x40];
    if huffman {
        huffman_string(&mut field, name);
    } else {
        raw_string(&mut field, name);
    }
    raw_string(&mut field, value);
    field
}

#[test]
fn literal_name_by_rule_set() {
    let seen = SEEN;
    let unread = Some(MissReason::LiteralName);
    for huffman in [false, true] {
        // Of the request: method, path, both.
        let method = [spelled(":method", "POST", huffman), vec![0x84]].concat();
        let path = [vec![0x83], spelled(":path", "/", huffman)].concat();
        let both = [spelled(":method", "POST", huffman), spelled(":path", "/", huffman)].concat();
        for (block, expected) in [
            (&method, [unread, unread, seen]),
            (&path, [unread, seen, seen]),
            (&both, [unread, unread, seen]),
        ] {
            for (rules, expected) in [Rules::Y2025, Rules::Y2026, Rules::Y2026b].into_iter().zip(expected) {
                let mut lab = Lab::connected(rules);
                assert_eq!(exchange(&mut lab, 1, "/", &request(1, block)), expected, "{rules:?} {huffman}");
            }
        }
        // Of the response, and by reference to the entry that the first one made.
        for (rules, expected) in [(Rules::Y2026, unread), (Rules::Y2026b, seen)] {
            let mut lab = Lab::connected(rules);
            for (stream, status) in [(1, spelled(":status", "200", huffman)), (3, vec![0xbe])] {
                let sent = lab.client(&request(stream, &[0x83, 0x84]));
                let answered = lab.server(&[headers(stream, &status), d(stream)].concat());
                let reason =
                    if stream == 1 || expected == seen { expected } else { Some(MissReason::HpackState) };
                assert_eq!(verdict(&mut lab, stream, "/", sent, answered), reason, "{rules:?} {huffman}");
            }
            assert_eq!(lab.counters().responses, 0, "a literal is not counted");
        }
    }
}

#[test]
fn literal_names_are_compared_whole_from_2026b_on() {
    // Five octets that begin like `:path`.
    let block = [vec![0x83], spelled(":push", "/aaa", false)].concat();
    for (rules, paths) in [(Rules::Y2025, 0), (Rules::Y2026, 1), (Rules::Y2026b, 0)] {
        let mut lab = Lab::connected(rules);
        lab.client(&request(1, &block));
        lab.answer([1], "200");
        assert_eq!(lab.counters().path_size_bucket[0], paths, "{rules:?}");
        assert_eq!(lab.agent.summary().emitted, paths, "{rules:?}");
    }
}

#[test]
fn literal_name_from_the_dynamic_table() {
    let mut lab = Lab::connected(Rules::default());
    let first = [vec![0x83], spelled(":path", "/a", false)].concat();
    assert_eq!(exchange(&mut lab, 1, "/a", &request(1, &first)), SEEN);
    // A literal whose name is that of the newest entry, 62.
    let block = [vec![0x83, 0x0f, 62 - 15], vec![2, b'/', b'b']].concat();
    assert_eq!(exchange(&mut lab, 3, "/b", &request(3, &block)), Some(MissReason::LiteralName));
}

#[test]
fn literal_name_among_the_fields_that_are_only_walked() {
    let filler = [0x00, 1, b'a', 1, b'b'].repeat(3);
    let block = [&filler, &[0x83][..], &spelled(":path", "/", false)].concat();
    for (rules, reason) in [(Rules::Y2025, MissReason::LiteralName), (Rules::Y2026, MissReason::HeaderLimit)]
    {
        let mut lab = Lab::connected(rules);
        assert_eq!(exchange(&mut lab, 1, "/", &request(1, &block)), Some(reason));
    }
}
