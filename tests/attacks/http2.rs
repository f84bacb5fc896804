//! Attacks by frames and header blocks.

use super::lens::run;
use super::wire::{ACK, REQUEST, RESPONSE, Wire, frame, insert, literal};
use h2lens::base::limits;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// CVE-2016-6581: an entry of nearly 4 KiB, named again and again by one byte.
#[test]
fn a_bomb_of_indexed_fields() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let first = [&REQUEST[..], &insert(58, &[b'u'; 4000])].concat();
    wire.send(&mut client, &frame(HEADERS, END_HEADERS, 1, &first));
    let bomb = [&REQUEST[..], &[0xbe; 1000]].concat();
    for n in 1..2000 {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS, 2 * n + 1, &bomb));
    }
    let run = run(&wire.file, &["--json", "-H"]).within(256);
    assert!(run.limit("headers") > 0);
    assert_eq!(run.transactions().len(), 2000, "all requests are told of");
    assert!(run.stdout.len() < 128 * wire.file.len(), "{} bytes of output", run.stdout.len());
}

#[test]
fn many_open_streams_with_long_fields() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let block = [&REQUEST[..2], &literal(4, &[b'/'; 16_000])].concat();
    let count = limits::STREAM_MEMORY_CONNECTION as u32 / 16_000 * 3 / 2;
    for n in 0..count {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS, 2 * n + 1, &block));
    }
    let run = run(&wire.file, &["--json"]).within(128);
    assert!(run.limit("stream_memory") > 0);
    assert_eq!(run.coverage()["complete"], false);
}

#[test]
fn a_table_that_changes_its_size_in_each_block() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    for n in 0..20_000 {
        let block = [&[0x20, 0x3f, 0xe1, 0x1f][..], &REQUEST, &insert(58, &[b'u'; 100])].concat();
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block));
        wire.send(&mut client, &frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8]));
    }
    let run = run(&wire.file, &["--json"]).within(80);
    assert_eq!(run.transactions().len(), 20_000);
    assert_eq!(run.transactions()[19_999]["user_agent"]["original"], "u".repeat(100));
}

#[test]
fn integers_and_huffman_codes_that_are_none() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let bad: [&[u8]; 6] = [
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x44, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x44, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x44, 0x81, 0x00],
        &[0x80],
    ];
    for (n, bad) in (0..6000).zip(bad.into_iter().cycle()) {
        let block = [&REQUEST[..2], bad].concat();
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block));
    }
    wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 20_001, &REQUEST));
    let run = run(&wire.file, &["--json"]).within(64);
    assert!(run.coverage()["parse_errors"].as_u64().unwrap() >= 6000);
    assert_eq!(run.transactions().last().unwrap()["url"]["path"], "/", "the connection is read on");
}

/// CVE-2024-27316: a header block that does not end.
#[test]
fn a_flood_of_continuations() {
    for part in [0, 16] {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        wire.send(&mut client, &frame(HEADERS, 0, 1, &REQUEST));
        let more = frame(CONTINUATION, 0, 1, &vec![0x86; part]);
        let count = 2 * limits::HEADER_BLOCK / 16;
        wire.send(&mut client, &more.repeat(count));
        wire.send(&mut client, &frame(CONTINUATION, END_HEADERS, 1, &[]));
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 3, &REQUEST));
        let run = run(&wire.file, &["--json"]).within(64);
        assert_eq!(run.transactions().len(), 2);
        assert_eq!(run.limit("headers") > 0, part > 0, "a block is cut at its cap");
    }
}

/// Framing is lost, found, and lost again, many times in one segment: what is skipped counts once.
#[test]
fn frames_between_bytes_that_are_none() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    client.seq += 1000;
    let (junk, rounds) = ([0xff; 100], 20);
    let pings = frame(PING, 0, 0, &[7; 8]).repeat(10);
    wire.send_in(&mut client, &[&junk[..], &pings].concat().repeat(rounds), 60_000);
    wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &REQUEST));
    let run = run(&wire.file, &["--json"]).within(64);
    assert_eq!(run.coverage()["skipped_bytes"], junk.len() * rounds);
    assert_eq!(run.transactions().len(), 1);
}

/// CVE-2023-44487: streams that are reset as soon as they are opened.
#[test]
fn rapid_reset() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    for n in 0..30_000 {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &REQUEST));
        wire.send(&mut client, &frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8]));
    }
    let run = run(&wire.file, &["--json"]).within(80);
    let transactions = run.transactions();
    assert_eq!(transactions.len(), 30_000);
    assert!(transactions.iter().all(|record| record["h2"]["stream"]["end"]["code"] == "CANCEL"));
}

#[test]
fn floods_of_frames_that_cost_a_server_work() {
    let ping = frame(PING, 0, 0, &[0; 8]);
    let settings = frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]);
    let all_settings: Vec<u8> =
        (0..64_u16).flat_map(|id| [[(id >> 8) as u8, id as u8], [0, 0], [0, 1]].concat()).collect();
    let priority = frame(PRIORITY, 0, 5, &[0, 0, 0, 3, 16]);
    let empty = frame(DATA, 0, 1, &[]);
    let floods =
        [ping, settings, frame(SETTINGS, 0, 0, &all_settings), frame(SETTINGS, 1, 0, &[]), priority, empty];
    for flood in floods {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        wire.send(&mut client, &frame(HEADERS, END_HEADERS, 1, &REQUEST));
        wire.send(&mut client, &flood.repeat(100_000));
        wire.send(&mut server, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &RESPONSE));
        wire.send(&mut client, &frame(DATA, END_STREAM, 1, b"x"));
        let run = run(&wire.file, &["--json", "--show", "transactions,connections,telemetry"]).within(96);
        let transactions = run.transactions();
        assert_eq!(transactions.len(), 1);
        assert_eq!(
            (&transactions[0]["h2"]["complete"], transactions[0]["http"]["request"]["body"]["size"].as_u64()),
            (&true.into(), Some(1))
        );
    }
}

#[test]
fn streams_up_to_the_last_identifier() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let count = limits::STREAMS_CONNECTION as u32 + 1000;
    let step = (0x7fff_ffff / count) & !1;
    for n in 0..count {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS, n * step + 1, &REQUEST));
    }
    wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 0x7fff_ffff, &REQUEST));
    let run = run(&wire.file, &["--json"]).within(96);
    assert_eq!(run.limit("streams"), limits::STREAMS_CONNECTION as u64 / 4 + 1);
    assert_eq!(run.transactions().len(), count as usize + 1);
}

#[test]
fn a_stream_identifier_that_is_used_again() {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    for _ in 0..20_000 {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &REQUEST));
        wire.send(&mut server, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &RESPONSE));
    }
    assert_eq!(run(&wire.file, &["--json"]).within(64).transactions().len(), 1);
}

#[test]
fn frames_of_sixteen_megabytes() {
    const LONGEST: usize = (1 << 24) - 1;
    for kind in [DATA, HEADERS, SETTINGS, CONTINUATION, 0x77] {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        wire.send(&mut client, &frame(HEADERS, END_HEADERS, 1, &REQUEST));
        let stream = if kind == SETTINGS { 0 } else { 1 };
        wire.send_in(&mut client, &frame(kind, 0, stream, &vec![0; LONGEST]), 65_000);
        wire.send(&mut client, &frame(DATA, END_STREAM, 1, b"x"));
        let run = run(&wire.file, &["--json"]).within(64);
        let size = run.transactions()[0]["http"]["request"]["body"]["size"].as_u64();
        assert_eq!(size, Some(if kind == DATA { LONGEST as u64 + 1 } else { 1 }), "type {kind}");
        assert!(run.coverage()["parse_errors"].as_u64().unwrap() > 0);
    }
}

/// Responses on high streams whose requests never come, and requests on low ones: each must not look at all others.
#[test]
fn responses_without_requests_cost_no_more_than_they_are() {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    for n in 0..16_000 {
        wire.send(&mut server, &frame(HEADERS, END_HEADERS | END_STREAM, 1_000_001 + 2 * n, &RESPONSE));
    }
    let again = frame(DATA, END_STREAM, 1_000_001, &[]);
    wire.send(&mut server, &again.repeat(100_000));
    for n in 0..100_000 {
        wire.send(&mut client, &frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &REQUEST));
        wire.send(&mut client, &frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8]));
        if n % 50 == 0 {
            wire.segment(server, ACK, &[]);
        }
    }
    let run = run(&wire.file, &["--json"]).within(128);
    assert_eq!(run.transactions().len(), 116_000);
    assert!(run.time.as_secs() < 30, "{:?}", run.time);
}
