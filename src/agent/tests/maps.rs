//! Map states, classification, deduplication, ends of connections, and time.

use super::super::*;
use super::encoder::*;
use super::lab::*;
use crate::base::limits::AGENT_MAPS;
use crate::base::memory::Memory;
use std::time::Duration;

#[test]
fn dynamic_table() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&(0..10).flat_map(|i| [h(id(i)), d(id(i))].concat()).collect::<Vec<_>>());
    assert_eq!(lab.stored_of_client(), [1, 7, 13, 19, 25, 31, 37, 43, 49, 55]);
    lab.answer((0..10).map(id), "200");
    assert_eq!(lab.seen(), [post("/aaa", 10)]);
}

#[test]
fn incomplete_frame_table() {
    // "Clean with remainder".
    let mut lab = Lab::connected(Rules::default());
    let data = frame(DATA, 1, 1, b"test12345");
    lab.client(&[&h(1), &data[..11]].concat());
    assert_eq!(lab.agent.incomplete_len, 1);
    lab.client(&data[11..]);
    assert_eq!(lab.agent.incomplete_len, 0);
    // "Remainder in map".
    let mut lab = Lab::connected(Rules::default());
    let message = [h(1), d(1)].concat();
    lab.client(&message[..10]);
    lab.client(&message[10..]);
    assert_eq!(lab.agent.incomplete_len, 1);
}

#[test]
fn raw_huffman_encoding() {
    let mut lab = Lab::connected(Rules::default());
    let short = Encoder::new().block(&test_headers(&[(":path", "/a")]));
    assert!(short.windows(4).any(|bytes| bytes == [0x45, 0x02, 0x2f, 0x61]));
    lab.client(&[h(1), d(1), headers(3, &short), d(3)].concat());
    let serial = lab.connection().serial;
    let stored: Vec<(usize, bool)> = lab
        .stored_of_client()
        .into_iter()
        .map(|number| {
            let place = lab.agent.dynamic.find(key::EntryKey::new(serial, Side::Client, number)).unwrap();
            let entry = lab.agent.dynamic.get(place).unwrap();
            (entry.value.bytes().len(), entry.value.huffman)
        })
        .collect();
    assert_eq!(stored, [(3, true), (2, false)]);
    lab.answer([1, 3], "200");
    assert_eq!(lab.seen(), [post("/a", 1), post("/aaa", 1)]);
}

#[test]
fn http2_in_flight_map_cleaner() {
    let mut lab = Lab::with(Params { idle_ttl: Duration::from_secs(1), ..Params::default() });
    lab.connect();
    lab.wait(Duration::from_secs(26));
    lab.client(&[h(1), d(1)].concat());
    lab.wait(Duration::from_secs(3));
    lab.client(&[h(3), d(3)].concat());
    assert_eq!(lab.agent.streams.len(), 2);
    // The tick is 30 s after the first packet: the first stream is then 4 s old, the second 1 s.
    lab.wait(Duration::from_secs(1));
    lab.client(&p());
    assert_eq!(lab.agent.streams.len(), 1);
}

#[test]
fn http2_dynamic_table_cleanup() {
    let mut lab = Lab::new(Rules::default());
    for client in 0..2 {
        lab.another();
        let mut encoder = Encoder::new();
        for i in 0..85 {
            let path = format!("/test-{}", i + 1 + client);
            let block = encoder.block(&test_headers(&[(":path", &path)]));
            lab.client(&[headers(id(i), &block), d(id(i))].concat());
            lab.answer([id(i)], "200");
        }
        assert_eq!(lab.stored_of_client().len(), 85);
        lab.send(true, &[], TcpFlags::FIN);
    }
    assert_eq!(lab.agent.dynamic.len(), 170);
    lab.wait(Duration::from_secs(30));
    lab.another();
    assert_eq!(lab.agent.dynamic.len(), 0);
    assert_eq!(lab.seen().len(), 86);
}

#[test]
fn entries_stay_until_the_tick_and_the_counter_does_not() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.send(false, &[], TcpFlags::FIN);
    assert_eq!((lab.agent.dynamic.len(), lab.agent.counters_len), (1, 0));
    // The same ports again, before user space has pruned: numbers start at 0, and the old entry 1 is still there.
    lab.connect();
    lab.client(&headers(3, &[0x83, 0x40, 1, b'a', 1, b'b', 0x40, 1, b'a', 1, b'b', 0xbe]));
    assert_eq!(lab.stored_of_client(), [1]);
    lab.client(&d(3));
    lab.answer([3], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn streams_outlive_a_connection_that_ends_again() {
    let mut lab = Lab::connected(Rules::default());
    lab.send(true, &[], TcpFlags::FIN);
    lab.wait(Duration::from_secs(70));
    lab.connect();
    lab.client(&[h(1), d(1)].concat());
    lab.send(true, &[], TcpFlags::FIN);
    // At the third tick the first end is long ago, and the stream is young.
    lab.wait(Duration::from_secs(25));
    lab.server(&s());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn in_kernel_pruning_keeps_the_newest_200_numbers() {
    for (others, stored) in [(199, 1), (200, 0)] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&headers(1, &[0x83, 0x45, 2, b'/', b'a']));
        for left in (0..others).step_by(20).map(|done| (others - done).min(20)) {
            lab.client(&headers(101, &[0x40, 1, b'a', 1, b'b'].repeat(left)));
        }
        assert_eq!(lab.stored_of_client().len(), stored, "{others}");
    }
}

#[test]
fn the_last_reachable_index_is_254() {
    for (others, seen) in [(192_u32, 2), (193, 1)] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&[headers(1, &[0x83, 0x45, 2, b'/', b'a']), d(1)].concat());
        for left in (0..others).step_by(20).map(|done| (others - done).min(20)) {
            lab.client(&headers(101, &[0x40, 1, b'a', 1, b'b'].repeat(left as usize)));
        }
        let mut block = vec![0x83, 0xff];
        let rest = 62 + others - 127;
        block.extend(if rest < 128 { vec![rest as u8] } else { vec![rest as u8 | 0x80, 1] });
        lab.client(&[headers(3, &block), d(3)].concat());
        lab.answer([1, 3], "200");
        assert_eq!(lab.seen(), [post("/a", seen)], "{others}");
    }
}

#[test]
fn cap_agent_maps() {
    let room = |max_requests, memory| {
        Agent::new(Params { max_requests, memory, ..Params::default() }).loads()[0].cap
    };
    let least = Memory::new(Memory::LEAST).unwrap();
    assert_eq!(room(1 << 20, Memory::default()), AGENT_MAPS as u64);
    assert_eq!(room(1 << 20, least), AGENT_MAPS as u64 / 8);
    assert_eq!(room(100, least), 100, "the agent's own");
}

#[test]
fn full_maps_take_nothing_new() {
    let params = |max_requests| Params { max_requests, ..Params::default() };
    // Streams in flight.
    let mut lab = Lab::with(params(3));
    lab.connect();
    lab.client(&(0..5).flat_map(|i| frame(HEADERS, 5, id(i), &[0x83, 0x84])).collect::<Vec<_>>());
    assert_eq!((lab.counters().requests, lab.counters().eos), (3, 3));
    lab.answer((0..5).map(id), "200");
    assert_eq!(lab.seen(), [post("/", 3)]);
    assert_eq!(lab.agent.limits().of(Limit::AgentInFlight), 2);
    // Dynamic table: the literal is captured, but not stored.
    let mut lab = Lab::with(params(2));
    lab.connect();
    for (i, path) in (0..).zip(["/a", "/b", "/c"]) {
        let block = Encoder::new().block(&[(":method", "POST"), (":path", path)]);
        lab.client(&[headers(id(i), &block), d(id(i))].concat());
        lab.answer([id(i)], "200");
    }
    assert_eq!((lab.stored_of_client().len(), lab.seen().len()), (2, 3));
    assert_eq!(lab.agent.limits().of(Limit::AgentDynamicTable), 1);
    // Incomplete frames, and dynamic counters: of the first connections alone.
    let mut lab = Lab::with(params(2));
    for _ in 0..3 {
        lab.another();
        lab.client(&headers(1, &[0x83, 0x84]));
        lab.client(&h(1)[..5]);
    }
    assert_eq!((lab.agent.incomplete_len, lab.agent.counters_len), (2, 2));
    assert_eq!(lab.counters().requests, 2);
    assert_eq!(lab.agent.limits().of(Limit::AgentIncompleteFrames), 1);
}

#[test]
fn nothing_is_seen_before_the_connection_is_classified() {
    let mut lab = Lab::new(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    assert_eq!(lab.counters(), Counters::default());
    // A SETTINGS acknowledgment of either side will do.
    lab.server(&frame(SETTINGS, 1, 0, &[]));
    lab.client(&[h(3), d(3)].concat());
    lab.answer([3], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn a_split_preface_needs_the_servers_settings() {
    let mut lab = Lab::new(Rules::default());
    let start = [classify::PREFACE.as_slice(), &s()].concat();
    lab.client(&start[..10]);
    lab.client(&start[10..]);
    lab.client(&[h(1), d(1)].concat());
    assert_eq!(lab.counters(), Counters::default());
    lab.server(&s());
    lab.client(&[h(3), d(3)].concat());
    assert_eq!(lab.counters().requests, 1);
}

#[test]
fn http1_and_tls_are_not_parsed() {
    let mut lab = Lab::new(Rules::default());
    lab.client(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    lab.connect();
    lab.client(&[h(1), d(1)].concat());
    assert_eq!(lab.counters(), Counters::default());
    // A FIN makes the agent forget.
    lab.send(true, &[], TcpFlags::FIN);
    lab.connect();
    lab.client(&[h(1), d(1)].concat());
    assert_eq!(lab.counters().requests, 1);
}

#[test]
fn a_tls_connections_packets_are_skipped_on_the_socket_path() {
    let mut lab = Lab::over_tls(Rules::default());
    let (src, dst) = (lab.client, lab.server);
    let payload = [classify::PREFACE.as_slice(), &s(), &h(1)].concat();
    let flags = TcpFlags(TcpFlags::ACK);
    let at = lab.at;
    lab.agent.segment(&Segment { seq: 9, flags, payload: &payload, ..Segment::empty(at, src, dst) });
    assert_eq!(lab.agent.summary().plaintext, Counters::default());
    lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn a_tls_connection_ends_after_the_records_of_its_last_packet() {
    let mut lab = Lab::over_tls(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.send(true, &[], TcpFlags::FIN);
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)], "half closed");
    lab.client(&[h(3), d(3)].concat());
    let packet = lab.send(false, &[], TcpFlags::FIN);
    // Records of the packet with the second FIN are still read.
    let block = lab.responses.block(&[(":status", "200")]);
    let answer = frame(HEADERS, 5, 3, &block);
    lab.agent.tls_record(Moment { packet, ..lab.at }, lab.server, lab.client, &answer);
    assert_eq!(lab.seen(), [post("/aaa", 2)]);
    lab.client(&[h(5), d(5)].concat());
    assert_eq!(lab.counters().requests, 2, "closed");
    assert_eq!((lab.agent.counters_len, lab.connection().terminated), (0, true));
}

#[test]
fn the_same_sequence_number_again_is_dropped_unless_another_came_between() {
    let mut lab = Lab::connected(Rules::default());
    let request = [h(1), d(1)].concat();
    for (seq, requests) in [(100, 1), (100, 1), (200, 2), (100, 3), (0, 4), (0, 5), (0, 6)] {
        lab.send_at(true, &request, TcpFlags::ACK, seq);
        assert_eq!(lab.counters().requests, requests, "{seq}");
    }
    // The other direction has its own, and a connection that is not HTTP/2 keeps none.
    lab.send_at(false, &headers(1, &[0x88]), TcpFlags::ACK, 200);
    assert_eq!(lab.counters().responses, 1);
    let mut lab = Lab::new(Rules::default());
    lab.send_at(true, &request, TcpFlags::ACK, 100);
    lab.send_at(true, &[classify::PREFACE.as_slice(), &s()].concat(), TcpFlags::ACK, 100);
    lab.client(&request);
    assert_eq!(lab.counters().requests, 1);
}

#[test]
fn fin_and_rst_payloads_are_never_parsed() {
    for flag in [TcpFlags::FIN, TcpFlags::RST] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&[h(1), d(1)].concat());
        lab.client(&d(3)[..4]);
        assert_eq!((lab.agent.incomplete_len, lab.agent.counters_len), (1, 1));
        lab.send(false, &[headers(1, &[0x88]), d(1)].concat(), TcpFlags::ACK | flag);
        assert_eq!(lab.counters().responses, 0);
        assert_eq!((lab.agent.incomplete_len, lab.agent.counters_len), (0, 0));
        assert_eq!(lab.agent.streams.len(), 1, "streams in flight are not touched");
        // The other direction must be classified anew.
        lab.client(&[h(5), d(5)].concat());
        assert_eq!(lab.counters().requests, 1);
        lab.client(&s());
        lab.client(&[h(7), d(7)].concat());
        assert_eq!(lab.counters().requests, 2);
    }
}

#[test]
fn streams_without_response_expire_after_the_time_to_live_at_a_tick() {
    let mut lab = Lab::connected(Rules::default());
    lab.wait(Duration::from_secs(5));
    lab.client(&[h(1), d(1)].concat());
    // At the first tick it is 25 s old, at the second 55 s.
    lab.wait(Duration::from_secs(50));
    lab.client(&p());
    assert_eq!(lab.agent.streams.len(), 1);
    lab.wait(Duration::from_secs(6));
    lab.answer([1], "200");
    assert_eq!(lab.seen(), vec![]);
    let counters = lab.counters();
    assert_eq!((counters.responses, counters.eos), (1, 2), "the answer made a stream of its own");
}

#[test]
fn a_long_gap_is_one_tick() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.wait(Duration::from_secs(3_000_000_000));
    lab.client(&p());
    assert_eq!(lab.agent.streams.len(), 0);
}

#[test]
fn time_that_goes_back_stops_no_tick() {
    let mut lab = Lab::connected(Rules::default());
    lab.wait(Duration::from_secs(1_000_000));
    lab.client(&[h(1), d(1)].concat());
    lab.at.time = Timestamp::from_parts(1000, 0);
    lab.client(&[h(3), d(3)].concat());
    for _ in 0..8 {
        lab.wait(Duration::from_secs(30));
        lab.client(&p());
    }
    assert_eq!(lab.agent.streams.len(), 0);
    // A packet that is a little late keeps the clock where it is.
    lab.client(&[h(5), d(5)].concat());
    let now = lab.agent.clock.now;
    lab.at.time = Timestamp::from_nanos(now - 5_000_000_000);
    lab.answer([5], "200");
    assert_eq!((lab.agent.clock.now, lab.seen().len()), (now, 1));
}

#[test]
fn time_zero_is_a_time() {
    let mut lab = Lab::new(Rules::default());
    lab.at.time = Timestamp::from_nanos(0);
    lab.connect();
    lab.at.time = Timestamp::from_nanos(0);
    lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn the_last_time_there_is_has_a_nanosecond_after_it() {
    let mut lab = Lab::connected(Rules::default());
    lab.at.time = Timestamp::MAX;
    lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn the_snaplen_cuts_bytes_but_not_the_frames_lengths() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&h(1));
    let (src, dst) = (lab.client, lab.server);
    let data = frame(DATA, 0, 1, &[0; 500]);
    let at = lab.at;
    let flags = TcpFlags(TcpFlags::ACK);
    let payload = &data[..60];
    lab.agent.segment(&Segment { seq: 77, flags, payload, cut: 449, ..Segment::empty(at, src, dst) });
    assert_eq!(lab.agent.incomplete_len, 0, "the frame ends with the packet");
    lab.client(&d(1));
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn equal_ports_make_two_connections_that_end_together() {
    let mut lab = Lab::new(Rules::default());
    lab.client = Endpoint { ip: std::net::IpAddr::from([127, 0, 0, 9]), port: 8082 };
    lab.connect();
    lab.server(&s());
    lab.client(&[h(1), d(1)].concat());
    lab.answer([1], "200");
    // Each direction has a stream of its own, so that none is emitted.
    assert_eq!((lab.seen(), lab.counters().requests, lab.counters().responses), (vec![], 1, 1));
    assert_eq!(lab.agent.counters_len, 2);
    lab.send(true, &[], TcpFlags::FIN);
    assert_eq!(lab.agent.counters_len, 0);
}
