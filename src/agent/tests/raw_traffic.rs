//! `TestRawTraffic` of the agent's test suite. The counters are those of the client's packets; what the server's answers add is
//! checked after.

use super::super::*;
use super::encoder::*;
use super::lab::*;

const ALL: [Rules; 3] = [Rules::Y2025, Rules::Y2026, Rules::Y2026b];

/// Counters of a request kind: requests, ends of stream, paths in the first bucket.
fn counters(requests: u64, eos: u64, bucket_1: u64) -> Counters {
    let mut counters = Counters { requests, eos, ..Counters::default() };
    counters.path_size_bucket[0] = bucket_1;
    counters
}

struct Case {
    packets: Vec<Vec<u8>>,
    /// Streams that the server answers with 200.
    answered: Vec<u32>,
    client: Counters,
    seen: Seen,
}

/// Runs a case in plaintext and inside TLS.
fn check(rules: Rules, case: &Case) {
    for mut lab in [Lab::connected(rules), Lab::over_tls(rules)] {
        for packet in &case.packets {
            lab.client(packet);
        }
        assert_eq!(lab.counters(), case.client);
        lab.answer(case.answered.iter().copied(), "200");
        let answers = case.answered.len() as u64;
        let expected = Counters {
            responses: case.client.responses + answers,
            eos: case.client.eos + answers,
            ..case.client
        };
        assert_eq!(lab.counters(), expected);
        assert_eq!(lab.seen(), case.seen);
    }
}

fn check_all(case: &Case) {
    for rules in ALL {
        check(rules, case);
    }
}

fn ids(count: u32) -> Vec<u32> {
    (0..count).map(id).collect()
}

/// One packet: for each exchange a HEADERS with that block, and D.
fn pairs(count: u32, block: &[u8]) -> Vec<Vec<u8>> {
    vec![(0..count).flat_map(|i| [headers(id(i), block), d(id(i))].concat()).collect()]
}

#[test]
fn parse_frames_tail_call_using_1_program() {
    let packet = [s().repeat(238), h(1), d(1)].concat();
    check_all(&Case {
        packets: vec![packet],
        answered: ids(1),
        client: counters(1, 1, 1),
        seen: vec![post("/aaa", 1)],
    });
}

#[test]
fn validate_frames_filter_tail_calls_limit() {
    let packet = [s().repeat(241), h(1), d(1)].concat();
    let client = Counters { exceeding_max_frames_to_filter: 1, ..Counters::default() };
    // The answer makes a stream, counts, and is thrown away for want of a path.
    check_all(&Case { packets: vec![packet], answered: ids(1), client, seen: vec![] });
}

#[test]
fn validate_max_interesting_frames_limit() {
    let block = Encoder::new().block(&TEST_HEADERS);
    check_all(&Case {
        packets: pairs(119, &block),
        answered: ids(119),
        client: counters(119, 119, 119),
        seen: vec![post("/aaa", 119)],
    });
}

#[test]
fn literal_header_field_without_indexing() {
    let path = format!("/{}", "a".repeat(100));
    let block = Encoder::with_table_size(100).block(&test_headers(&[(":path", &path)]));
    assert!(block.starts_with(&[0x3f, 0x45]));
    assert!(block.windows(2).any(|bytes| bytes == [0x05, 0x80 | 64]));
    check_all(&Case {
        packets: pairs(5, &block),
        answered: ids(5),
        client: counters(5, 5, 5),
        seen: vec![post(&path, 5)],
    });
}

#[test]
fn literal_header_field_never_indexed() {
    let (mut encoder, mut block) = (Encoder::new(), Vec::new());
    for (name, value) in TEST_HEADERS {
        encoder.field(&mut block, name, value, name == ":path");
    }
    assert!(block.windows(5).any(|bytes| bytes == [0x15, 0x83, 0x60, 0x63, 0x1f]));
    check_all(&Case {
        packets: pairs(5, &block),
        answered: ids(5),
        client: counters(5, 5, 5),
        seen: vec![post("/aaa", 5)],
    });
}

#[test]
fn path_with_index_4() {
    let rest = Encoder::new().block(&test_headers_without(":path"));
    let block = [&[0x44, 0x83, 0x60, 0x63, 0x1f], rest.as_slice()].concat();
    check_all(&Case {
        packets: pairs(5, &block),
        answered: ids(5),
        client: counters(5, 5, 5),
        seen: vec![post("/aaa", 5)],
    });
}

#[test]
fn ping_and_window_update_between_headers_and_data() {
    let update = frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]);
    let packet = (0..5).flat_map(|i| [h(id(i)), p(), update.clone(), d(id(i))].concat()).collect();
    check_all(&Case {
        packets: vec![packet],
        answered: ids(5),
        client: counters(5, 5, 5),
        seen: vec![post("/aaa", 5)],
    });
}

#[test]
fn rst_stream_cancel_err_code() {
    let exchange =
        |i| if i < 5 { [h(id(i)), d(id(i)), r(id(i), 8)].concat() } else { [h(id(i)), d(id(i))].concat() };
    check_all(&Case {
        packets: vec![(0..10).flat_map(exchange).collect()],
        answered: (5..10).map(id).collect(),
        client: counters(10, 10, 10),
        seen: vec![post("/aaa", 5)],
    });
}

#[test]
fn rst_stream_before_server_status_ok() {
    check_all(&Case {
        packets: vec![(0..10).flat_map(|i| [h(id(i)), d(id(i)), r(id(i), 0)].concat()).collect()],
        answered: vec![],
        client: counters(10, 10, 10),
        seen: vec![],
    });
}

#[test]
fn various_status_codes() {
    const CODES: [&str; 11] = ["200", "201", "204", "206", "300", "304", "400", "401", "404", "500", "504"];
    for rules in ALL {
        for mut lab in [Lab::connected(rules), Lab::over_tls(rules)] {
            let requests: Vec<(u32, &str)> =
                (0..).map(id).zip(CODES.iter().flat_map(|code| [*code; 3])).collect();
            for (stream, code) in &requests {
                let path = format!("/status/{code}");
                let block = Encoder::new().block(&test_headers(&[(":path", &path)]));
                lab.client(&[headers(*stream, &block), d(*stream)].concat());
            }
            assert_eq!(lab.counters(), counters(33, 33, 33));
            for (stream, code) in requests {
                lab.answer([stream], code);
            }
            assert_eq!(lab.counters(), Counters { responses: 21, ..counters(33, 66, 33) });
            let expected: Seen = CODES
                .map(|code| (Method::Post, format!("/status/{code}"), code.parse().unwrap(), 3))
                .to_vec();
            assert_eq!(lab.seen(), expected);
        }
    }
}

const METHODS: [&str; 9] = ["GET", "POST", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

fn known_methods(count: u64) -> Seen {
    let mut seen: Seen = METHODS
        .iter()
        .filter_map(|name| Some((Method::of(name.as_bytes())?, "/aaa".into(), 200, count)))
        .collect();
    assert_eq!(seen.len(), 7);
    seen.sort_by_key(|entry| entry.0 as u8);
    seen
}

#[test]
fn http_methods() {
    // One encoder for all, so that the second round refers to the dynamic table.
    let mut encoder = Encoder::new();
    let mut exchange = |(i, method): (u32, &&str)| {
        let block = encoder.block(&test_headers(&[(":method", method)]));
        [headers(id(i), &block), d(id(i))].concat()
    };
    let packet = (0..).zip(METHODS.iter().chain(&METHODS)).flat_map(&mut exchange).collect();
    check_all(&Case {
        packets: vec![packet],
        answered: ids(18),
        client: counters(4, 18, 1),
        seen: known_methods(2),
    });
}

#[test]
fn http_methods_huffman_encoded() {
    let exchange = |(i, method): (u32, &&str)| {
        let mut block = vec![0x43];
        huffman_string(&mut block, method);
        block.extend(Encoder::new().block(&test_headers_without(":method")));
        [headers(id(i), &block), d(id(i))].concat()
    };
    check_all(&Case {
        packets: vec![(0..).zip(METHODS.iter()).flat_map(exchange).collect()],
        answered: ids(9),
        client: counters(0, 9, 9),
        seen: known_methods(1),
    });
}

#[test]
fn post_and_get_as_literal() {
    let exchange = |(i, method): (u32, &str)| {
        let mut block = vec![0x43];
        raw_string(&mut block, method);
        block.extend(Encoder::new().block(&test_headers_without(":method")));
        [headers(id(i), &block), d(id(i))].concat()
    };
    check_all(&Case {
        packets: vec![[(0, "GET"), (1, "POST")].into_iter().flat_map(exchange).collect()],
        answered: ids(2),
        client: counters(0, 2, 2),
        seen: vec![(Method::Get, "/aaa".into(), 200, 1), post("/aaa", 1)],
    });
}

#[test]
fn max_path_length() {
    // 204 characters that take 166 bytes of Huffman code.
    let mut path = format!("/{}", "X".repeat(203));
    while huffman::encoded_len(path.as_bytes()) > 166 {
        path = path.replacen('X', "a", 1);
    }
    assert_eq!((path.len(), huffman::encoded_len(path.as_bytes())), (204, 166));
    let block = Encoder::new().block(&test_headers(&[(":path", &path)]));
    let mut client = counters(1, 1, 0);
    client.path_size_bucket[5] = 1;
    check_all(&Case { packets: pairs(1, &block), answered: ids(1), client, seen: vec![] });
}

#[test]
fn path_sent_by_value() {
    let rest = Encoder::new().block(&test_headers_without(":path"));
    let block = [&[0x40, 0x84, 0xb9, 0x58, 0xd3, 0x3f, 0x83, 0x60, 0x63, 0x1f], rest.as_slice()].concat();
    let (packets, answered) = (pairs(1, &block), ids(1));
    check(
        Rules::Y2025,
        &Case {
            packets: packets.clone(),
            answered: answered.clone(),
            client: counters(1, 1, 0),
            seen: vec![],
        },
    );
    for rules in [Rules::Y2026, Rules::Y2026b] {
        let (packets, answered) = (packets.clone(), answered.clone());
        check(rules, &Case { packets, answered, client: counters(1, 1, 1), seen: vec![post("/aaa", 1)] });
    }
}

#[test]
fn path_sent_by_value_not_huffman_encoded_and_referred_to() {
    let (mut block, name) = (vec![0x40], ":path");
    raw_string(&mut block, name);
    raw_string(&mut block, "/a");
    block.push(0x83);
    // The second request refers to the entry that the first made.
    let packet = [headers(1, &block), d(1), headers(3, &[0xbe, 0x83]), d(3)].concat();
    let (packets, answered) = (vec![packet], ids(2));
    check(
        Rules::Y2025,
        &Case {
            packets: packets.clone(),
            answered: answered.clone(),
            client: counters(2, 2, 0),
            seen: vec![],
        },
    );
    for rules in [Rules::Y2026, Rules::Y2026b] {
        let (packets, answered) = (packets.clone(), answered.clone());
        check(rules, &Case { packets, answered, client: counters(2, 2, 1), seen: vec![post("/a", 2)] });
    }
}

#[test]
fn interesting_frame_header_sent_separately() {
    let frame = h(1);
    check_all(&Case {
        packets: vec![frame[..9].to_vec(), [&frame[9..], &d(1)].concat()],
        answered: ids(1),
        client: Counters { exceeding_data_end_headers: 1, ..counters(1, 1, 1) },
        seen: vec![post("/aaa", 1)],
    });
}

#[test]
fn not_interesting_frame_header_separately() {
    let ping = p();
    check_all(&Case {
        packets: vec![ping[..9].to_vec(), [&ping[9..], &h(1), &d(1)].concat()],
        answered: ids(1),
        client: counters(1, 1, 1),
        seen: vec![post("/aaa", 1)],
    });
}

#[test]
fn dynamic_table_update_with_indexed_header_field() {
    let block = Encoder::with_table_size(100).block(&test_headers(&[(":path", "/")]));
    assert!(block.starts_with(&[0x3f, 0x45]));
    check_all(&Case {
        packets: pairs(5, &block),
        answered: ids(5),
        client: counters(5, 5, 0),
        seen: vec![post("/", 5)],
    });
}

#[test]
fn dynamic_table_update_high_value_with_indexed_header_field() {
    let block = Encoder::with_table_size(4000).block(&test_headers(&[(":path", "/")]));
    assert!(block.starts_with(&[0x3f, 0x81, 0x1f]));
    check_all(&Case {
        packets: pairs(5, &block),
        answered: ids(5),
        client: counters(5, 5, 0),
        seen: vec![post("/", 5)],
    });
}

#[test]
fn data_frame_header_sent_separately() {
    let (one, two) = (frame(DATA, 1, 1, b"test"), frame(DATA, 1, 3, b"test"));
    check_all(&Case {
        packets: vec![[&h(1), &one[..9]].concat(), [&one[9..], &h(3), &two].concat()],
        answered: ids(2),
        client: Counters { exceeding_data_end_data_eos: 1, ..counters(2, 2, 2) },
        seen: vec![post("/aaa", 2)],
    });
}

#[test]
fn data_frame_header_sent_separately_with_ping_between() {
    let data = frame(DATA, 1, 1, b"test");
    check_all(&Case {
        packets: vec![[&h(1), &data[..9]].concat(), [p(), b"test".to_vec()].concat()],
        answered: ids(1),
        client: Counters { exceeding_data_end_data_eos: 1, ..counters(1, 1, 1) },
        seen: vec![post("/aaa", 1)],
    });
}

#[test]
fn payload_data_frame_header_sent_separately() {
    let (one, two) = (frame(DATA, 1, 1, b"testtest1"), d(3));
    check_all(&Case {
        packets: vec![[&h(1), &one[..12]].concat(), [&one[12..], &h(3), &two].concat()],
        answered: ids(2),
        client: Counters { exceeding_data_end_data_eos: 1, ..counters(2, 2, 2) },
        seen: vec![post("/aaa", 2)],
    });
}

/// Case 23: the first two fields in HEADERS, the others in a CONTINUATION.
pub(super) fn continuation_packets() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new();
    let first = frame(HEADERS, 0, 1, &encoder.block(&TEST_HEADERS[..2]));
    let second = frame(CONTINUATION, 4, 1, &encoder.block(&TEST_HEADERS[2..]));
    vec![[first, second, d(1)].concat()]
}

#[test]
fn continuation_frame_support() {
    check_all(&Case {
        packets: continuation_packets(),
        answered: ids(1),
        client: Counters { continuation_frames: 1, ..counters(1, 1, 0) },
        seen: vec![],
    });
}

#[test]
fn message_split_into_2_tcp_segments() {
    for rules in ALL {
        let mut lab = Lab::connected(rules);
        let message = [h(1), d(1)].concat();
        lab.client(&message[..10]);
        lab.client(&message[10..]);
        let bogus = Counters { responses: 1, exceeding_data_end_headers: 1, ..Counters::default() };
        assert_eq!(lab.counters(), bogus);
        assert_eq!(lab.agent.incomplete_len, 1);
        lab.answer([1], "200");
        assert_eq!(lab.seen(), vec![]);
    }
}

#[test]
fn remainder_and_header_remainder() {
    let one = [h(1), frame(DATA, 1, 1, b"testcontent")].concat();
    let two = [headers(3, &Encoder::new().block(&test_headers(&[(":path", "/bbb")]))), d(3)].concat();
    let cut = one.len() - 6;
    check_all(&Case {
        packets: vec![one[..cut].to_vec(), [&one[cut..], &two[..5]].concat(), two[5..].to_vec()],
        answered: ids(2),
        client: Counters { exceeding_data_end_data_eos: 1, ..counters(2, 2, 2) },
        seen: vec![post("/aaa", 1), post("/bbb", 1)],
    });
}

// The same with the PRIORITY flag, of which the names are known.

/// H with the PRIORITY flag.
fn h_priority(stream: u32) -> Vec<u8> {
    let block = [&[0x80, 0, 0, 0, 15], Encoder::new().block(&TEST_HEADERS).as_slice()].concat();
    frame(HEADERS, 0x24, stream, &block)
}

#[test]
fn priority_frame_header_separate() {
    // "Split at 14 bytes": after the priority. The first packet's payload bytes are forgotten.
    let message = [h_priority(1), d(1)].concat();
    let mut lab = Lab::connected(Rules::default());
    lab.client(&message[..14]);
    lab.client(&message[14..]);
    lab.answer([1], "200");
    assert_eq!(lab.seen(), vec![]);
    let mut lab = Lab::connected(Rules::default());
    lab.client(&message[..9]);
    lab.client(&message[9..]);
    lab.answer([1], "200");
    assert_eq!(lab.seen(), vec![post("/aaa", 1)]);
}

#[test]
fn priority_is_skipped_by_the_rules_of_2026_alone() {
    let message = [h_priority(1), d(1)].concat();
    let (packets, answered) = (vec![message], ids(1));
    check(
        Rules::Y2026,
        &Case { packets: packets.clone(), answered, client: counters(1, 1, 1), seen: vec![post("/aaa", 1)] },
    );
    // 80 00 00 00 0f: index 0; two literals with empty names; then the block from its second byte.
    let mut lab = Lab::connected(Rules::Y2025);
    lab.client(&packets[0]);
    lab.answer([1], "200");
    assert_eq!(lab.seen(), vec![]);
}

#[test]
fn priority_size_update_indexed_comes_after_the_priority() {
    let block = Encoder::with_table_size(100).block(&test_headers(&[(":path", "/")]));
    let message = [frame(HEADERS, 0x24, 1, &[&[0, 0, 0, 0, 15], block.as_slice()].concat()), d(1)].concat();
    check(
        Rules::Y2026,
        &Case {
            packets: vec![message],
            answered: ids(1),
            client: counters(1, 1, 0),
            seen: vec![post("/", 1)],
        },
    );
}

#[test]
fn priority_data_frame_header_separate() {
    let (one, two) = (frame(DATA, 1, 1, b"test"), frame(DATA, 1, 3, b"test"));
    check(
        Rules::Y2026,
        &Case {
            packets: vec![[&h_priority(1), &one[..9]].concat(), [&one[9..], &h_priority(3), &two].concat()],
            answered: ids(2),
            client: Counters { exceeding_data_end_data_eos: 1, ..counters(2, 2, 2) },
            seen: vec![post("/aaa", 2)],
        },
    );
}
