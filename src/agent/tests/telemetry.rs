//! `TestHTTP2KernelTelemetry` of the agent's test suite, its tests with a real client, its removed tests of fragmented
//! frames, and what it does not test.

use super::super::*;
use super::encoder::*;
use super::lab::*;
use super::raw_traffic::continuation_packets;

const ALL: [Rules; 3] = [Rules::Y2025, Rules::Y2026, Rules::Y2026b];

#[test]
fn fill_each_bucket() {
    for rules in ALL {
        for mut lab in [Lab::connected(rules), Lab::over_tls(rules)] {
            for i in 0..8 {
                let path = path_of_huffman_len(120 + 10 * i as usize);
                let block = Encoder::new().block(&test_headers(&[(":path", &path)]));
                lab.client(&[headers(id(i), &block), d(id(i))].concat());
                lab.answer([id(i)], "200");
            }
            let expected = Counters {
                requests: 8,
                responses: 8,
                eos: 16,
                path_size_bucket: [1; 8],
                ..Counters::default()
            };
            assert_eq!(lab.counters(), expected);
        }
    }
}

#[test]
fn continuation_frame() {
    for rules in ALL {
        let mut lab = Lab::connected(rules);
        for packet in continuation_packets() {
            lab.client(&packet);
        }
        lab.answer([1], "200");
        let expected =
            Counters { requests: 1, responses: 1, eos: 2, continuation_frames: 1, ..Counters::default() };
        assert_eq!(lab.counters(), expected);
    }
}

/// A real client: one encoder a connection, requests of one connection in one packet each, answered at once.
fn real_clients(clients: u32, paths: &[String]) -> Seen {
    let mut lab = Lab::new(Rules::default());
    let share = paths.len().div_ceil(clients as usize);
    for (client, paths) in (0..).zip(paths.chunks(share)) {
        lab.another();
        let mut encoder = Encoder::new();
        for (i, path) in (0..).zip(paths) {
            let block = encoder.block(&test_headers(&[(":method", "GET"), (":path", path)]));
            lab.client(&frame(HEADERS, 5, id(i), &block));
            lab.answer([id(i)], "200");
        }
        assert_eq!(lab.client.port, 40_001 + client);
    }
    lab.seen()
}

fn get(path: &str, count: u64) -> (Method, String, u16, u64) {
    (Method::Get, path.into(), 200, count)
}

#[test]
fn simple_http2() {
    for clients in [1, 2, 5] {
        for path in ["/", "/index.html"] {
            assert_eq!(real_clients(clients, &vec![path.to_string(); 1000]), [get(path, 1000)]);
        }
        let paths: Vec<String> = (1..100).map(|len| format!("/{}", "a".repeat(len))).collect();
        let seen = real_clients(clients, &paths);
        assert_eq!(seen, paths.iter().map(|path| get(path, 1)).collect::<Vec<_>>());
    }
}

#[test]
fn http2_many_different_paths() {
    let paths: Vec<String> = (1..=1500).map(|n| format!("/test-{n}")).collect();
    let twice: Vec<String> = paths.iter().chain(&paths).cloned().collect();
    let seen = real_clients(1, &twice);
    assert_eq!((seen.len(), seen.iter().map(|entry| entry.3).sum::<u64>()), (1500, 3000));
}

/// Runs packets and returns the four fragmented-frame counters: headers, with end of stream, data, reset.
fn fragmented(packets: &[&[u8]]) -> [u64; 4] {
    let mut lab = Lab::connected(Rules::default());
    for packet in packets {
        lab.client(packet);
    }
    let counters = lab.counters();
    [
        counters.exceeding_data_end_headers,
        counters.exceeding_data_end_headers_eos,
        counters.exceeding_data_end_data_eos,
        counters.exceeding_data_end_rst,
    ]
}

#[test]
fn frame_split_into_multiple_packets() {
    let block = Encoder::new().block(&TEST_HEADERS);
    let ending = [frame(HEADERS, 5, 1, &block), d(1)].concat();
    assert_eq!(fragmented(&[&ending[..10], &ending[10..]]), [0, 1, 0, 0]);
    assert_eq!(fragmented(&[&h(1), &frame(DATA, 1, 1, b"test1234")[..10]]), [0, 0, 1, 0]);
    assert_eq!(fragmented(&[&h(1), &r(1, 8)[..10]]), [0, 0, 0, 1]);
    let message = [h(1), d(1)].concat();
    assert_eq!(fragmented(&[&message[..10], &message[10..]]), [1, 0, 0, 0]);
    // Neither DATA without END_STREAM nor what ends with the packet.
    let plain = frame(DATA, 0, 1, b"test");
    assert_eq!(fragmented(&[&h(1), &plain[..10], &plain[10..]]), [0; 4]);
}

#[test]
fn pairs_120_and_121_reach_the_limit_of_interesting_frames() {
    for pairs in [120, 121] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&(0..pairs).flat_map(|i| [h(id(i)), d(id(i))].concat()).collect::<Vec<_>>());
        let counters = lab.counters();
        assert_eq!((counters.requests, counters.eos), (120, 120));
        assert_eq!(counters.exceeding_max_interesting_frames, 1);
        assert_eq!(counters.exceeding_max_frames_to_filter, 0);
        lab.answer((0..120).map(id), "200");
        assert_eq!(lab.seen(), [post("/aaa", 120)]);
    }
}

#[test]
fn frames_241_and_242_reach_the_limit_of_the_filter() {
    for (settings, exceeding) in [(240, 0), (241, 1)] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&[s().repeat(settings), d(1)].concat());
        assert_eq!(lab.counters().exceeding_max_frames_to_filter, exceeding, "{settings}");
    }
    // Fewer than nine bytes after the last iteration are not counted.
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[s().repeat(241), vec![0; 8]].concat());
    assert_eq!(lab.counters(), Counters::default());
}

#[test]
fn nothing_is_kept_of_what_the_limits_drop() {
    // Cut in its last frame: with the limit struck before, no remainder is stored and the next packet is misread.
    let mut lab = Lab::connected(Rules::default());
    let packet = [s().repeat(241), frame(DATA, 0, 1, &[0; 100])].concat();
    lab.client(&packet[..packet.len() - 50]);
    assert_eq!(lab.agent.incomplete_len, 0);
    lab.client(&[vec![0; 50], h(1), d(1)].concat());
    assert_eq!(lab.counters().requests, 0);
    lab.client(&[h(3), d(3)].concat());
    assert_eq!(lab.counters().requests, 1);
}

#[test]
fn padded_headers_capture_nothing() {
    let block = [&[4], Encoder::new().block(&TEST_HEADERS).as_slice(), &[0; 4]].concat();
    for rules in ALL {
        let mut lab = Lab::connected(rules);
        lab.client(&[frame(HEADERS, 0xc, 1, &block), d(1)].concat());
        // The padding's length is read as a literal with the name index of `:path`, and the block's first byte as
        // its length, so that the rest is out of step.
        let counters = lab.counters();
        assert_eq!((counters.requests, counters.responses, counters.eos), (0, 0, 1));
        lab.answer([1], "200");
        assert_eq!(lab.seen(), vec![]);
    }
}

#[test]
fn padding_of_data_does_not_matter() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[h(1), frame(DATA, 0x9, 1, &[3, b'x', 0, 0, 0])].concat());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn size_update_of_one_byte_loses_the_request_and_counts_a_bogus_response() {
    let block = [&[0x20], Encoder::new().block(&TEST_HEADERS).as_slice()].concat();
    for rules in ALL {
        let mut lab = Lab::connected(rules);
        lab.client(&[headers(1, &block), d(1)].concat());
        // 41 is eaten; 8a is static index 10.
        assert_eq!(lab.counters().responses, 1);
        assert_eq!(lab.counters().eos, 1);
        lab.answer([1], "200");
        assert_eq!(lab.seen(), vec![]);
    }
}

#[test]
fn continuation_first_in_its_packet_is_not_counted() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&frame(CONTINUATION, 4, 1, b"\x82"));
    assert_eq!(lab.counters(), Counters::default());
    lab.client(&[p(), frame(CONTINUATION, 4, 1, b"\x82")].concat());
    assert_eq!(lab.counters(), Counters { continuation_frames: 1, ..Counters::default() });
}

#[test]
fn data_with_end_of_stream_first_and_cut_loses_the_next_packets_frames() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&h(1));
    let data = frame(DATA, 1, 1, &[b'x'; 30]);
    lab.client(&data[..19]);
    lab.client(&[&data[19..], &h(3), &d(3)].concat());
    let counters = lab.counters();
    // The end is applied when the rest comes, and the offset is ten bytes too far.
    assert_eq!((counters.requests, counters.eos), (1, 1));
    lab.answer([1, 3], "200");
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
}

#[test]
fn a_frame_longer_than_the_packets_arms_the_defect_for_ever() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&h(1));
    let data = frame(DATA, 1, 1, &[b'x'; 3000]);
    for part in data.chunks(1000) {
        lab.client(part);
    }
    for stream in [3, 5, 7] {
        lab.client(&[h(stream), d(stream)].concat());
    }
    assert_eq!(lab.counters().requests, 1, "every later packet is taken for the frame's payload");
    // A packet longer than the frame ends it.
    lab.client(&[vec![0; 3000], h(9), d(9)].concat());
    assert_eq!((lab.counters().requests, lab.counters().eos), (2, 2));
}

#[test]
fn literal_value_exceeds_frame_is_about_the_packet() {
    let block = Encoder::new().block(&TEST_HEADERS);
    let mut lab = Lab::connected(Rules::default());
    // PING first, so that the cut HEADERS is processed with what there is: up to two bytes into the path.
    let message = [p(), headers(1, &block)].concat();
    let cut = p().len() + 9 + 15;
    lab.client(&message[..cut]);
    let counters = lab.counters();
    assert_eq!((counters.literal_value_exceeds_frame, counters.requests), (1, 1));
    assert_eq!(counters.path_size_bucket[0], 1, "counted before the value is looked at");
    // A value that runs past the frame, but not past the packet, is captured.
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[headers(1, &[0x83, 0x45, 20, b'/']), vec![b'x'; 19]].concat());
    let serial = lab.connection().serial;
    let place = lab.agent.streams.find(key::StreamKey::new(serial, 1)).unwrap();
    let captured = lab.agent.streams.get_mut(place).unwrap().path;
    assert_eq!(captured.literal.bytes(), [b"/".as_slice(), &[b'x'; 19]].concat());
    assert_eq!(lab.counters().literal_value_exceeds_frame, 0);
}

#[test]
fn path_lengths_that_the_integer_cannot_hold_are_in_no_bucket() {
    let block = |n: usize| {
        let mut block = vec![0x83, 0x45];
        raw_string(&mut block, &format!("/{}", "x".repeat(n - 1)));
        block
    };
    for (n, bucket) in [(160, Some(4)), (161, Some(5)), (254, Some(7)), (255, None), (400, None)] {
        let mut lab = Lab::connected(Rules::default());
        lab.client(&[headers(1, &block(n)), d(1)].concat());
        let counted = lab.counters().path_size_bucket.iter().position(|&count| count == 1);
        assert_eq!(counted, bucket, "{n}");
        lab.answer([1], "200");
        assert_eq!(lab.seen().len(), usize::from(n == 160));
    }
}

#[test]
fn the_fifth_field_is_not_captured_and_the_38th_is_not_walked() {
    let filler = |count: usize| (0..count).flat_map(|_| [0x00, 1, b'a', 1, b'b']).collect::<Vec<u8>>();
    for (before, seen) in [(0, 1), (2, 1), (3, 0)] {
        let mut lab = Lab::connected(Rules::default());
        let block = [&filler(before), &[0x83, 0x84][..]].concat();
        lab.client(&[headers(1, &block), d(1)].concat());
        lab.answer([1], "200");
        assert_eq!(lab.seen().len(), seen, "{before} fields before");
    }
    // An incremental literal in the 37th place is counted, one in the 38th is not.
    for (before, counted) in [(36, 1), (37, 0)] {
        let mut lab = Lab::connected(Rules::default());
        let block = [&filler(before), &[0x40, 1, b'a', 1, b'b'][..]].concat();
        lab.client(&headers(1, &block));
        let counter = lab.connection().sides.get(Side::Client).counter.unwrap();
        assert_eq!(counter.value, counted, "{before} fields before");
    }
}

#[test]
fn two_fields_at_most_are_captured() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[headers(1, &[0x83, 0x84, 0x82, 0x88]), d(1)].concat());
    assert_eq!((lab.counters().requests, lab.counters().responses), (1, 0));
}

#[test]
fn a_literal_is_not_there_for_a_reference_in_the_same_block() {
    // It is stored when the block is applied.
    let mut lab = Lab::connected(Rules::default());
    let block = [0x45, 2, b'/', b'a', 0xbe, 0x83];
    lab.client(&[headers(1, &block), d(1), headers(3, &[0xbe, 0x83]), d(3)].concat());
    lab.answer([1, 3], "200");
    assert_eq!(lab.seen(), [post("/a", 2)]);
}

#[test]
fn a_static_entry_wins_over_later_literals() {
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[headers(1, &[0x83, 0x84]), headers(1, &[0x05, 2, b'/', b'b']), d(1)].concat());
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/", 1)]);
    let mut lab = Lab::connected(Rules::default());
    lab.client(
        &[headers(1, &[0x83, 0x05, 2, b'/', b'c']), headers(1, &[0x05, 2, b'/', b'b']), d(1)].concat(),
    );
    lab.answer([1], "200");
    assert_eq!(lab.seen(), [post("/b", 1)], "of literals the last");
}

#[test]
fn end_of_stream_is_direction_blind() {
    // The client ends the stream twice: emitted without an answer's end.
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.server(&headers(1, &[0x88]));
    lab.client(&d(1));
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
    // And a reset after an end emits too, and counts.
    lab.client(&[h(3), d(3)].concat());
    lab.server(&headers(3, &[0x88]));
    lab.client(&r(3, 8));
    assert_eq!((lab.seen(), lab.counters().rst), (vec![post("/aaa", 2)], 1));
}

#[test]
fn within_a_packet_blocks_come_before_ends() {
    // The reset of the first stream stands before the answer's block, but is applied after it.
    let mut lab = Lab::connected(Rules::default());
    lab.client(&[h(1), d(1)].concat());
    lab.server(&[r(1, 0), headers(1, &[0x88])].concat());
    assert_eq!((lab.seen(), lab.counters().rst), (vec![post("/aaa", 1)], 1));
}

#[test]
fn equal_time_stamps_are_a_nanosecond_apart() {
    let mut lab = Lab::connected(Rules::default());
    let time = lab.at.time;
    lab.client(&[h(1), d(1)].concat());
    let serial = lab.connection().serial;
    let place = lab.agent.streams.find(key::StreamKey::new(serial, 1)).unwrap();
    lab.agent.streams.get_mut(place).unwrap().started = lab.at.time.after(GAP).as_nanos();
    lab.answer([1], "200");
    assert!(lab.at.time > time);
    assert_eq!(lab.seen(), [post("/aaa", 1)]);
    assert!((lab.agent.statistics()[0].statuses[0].1.sum - 1.0).abs() < f64::EPSILON);
}
