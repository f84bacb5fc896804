//! Caps that a user meets, under their value, at it and over it: at it nothing is lost and nothing is counted; over it the
//! counter says so, and all the rest is as it was.

use super::lens::{Run, run};
use super::wire::{ACK, Flow, REQUEST, RESPONSE, Wire, frame, literal};
use h2lens::base::limits;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const WHOLE: u8 = 5;
const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
const UPGRADE: &str = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";

fn analyze(wire: &Wire) -> Run {
    run(&wire.file, &["--json", "--show", "transactions,connections,findings,telemetry"]).within(96)
}

/// The cap less one, the cap, and one more: how often each strikes.
fn around(cap: usize) -> [(usize, u64); 3] {
    [(cap - 1, 0), (cap, 0), (cap + 1, 1)]
}

/// Whether the upgrade that these requests end with was followed, and stream 1 with it; and how often HTTP/1.1 was given
/// up for a cap.
fn upgraded(requests: &[u8], responses: &[u8]) -> (bool, u64) {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.open(1000);
    wire.send(&mut client, requests);
    wire.send(&mut server, responses);
    wire.send(&mut server, &[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, WHOLE, 1, &RESPONSE)].concat());
    wire.send(&mut client, PREFACE);
    wire.send(&mut client, &frame(SETTINGS, 0, 0, &[]));
    let run = analyze(&wire);
    let followed = run.transactions().iter().any(|record| record["url"]["path"] == "/upgrade");
    (followed, run.limit("http1"))
}

#[test]
fn cap_http1_head() {
    for (len, struck) in around(limits::HTTP1_HEAD) {
        let head = format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}X: ");
        let request = format!("{head}{}\r\n\r\n", "x".repeat(len - head.len() - 4));
        assert_eq!(request.len(), len);
        assert_eq!(upgraded(request.as_bytes(), SWITCHING), (struck == 0, struck), "{len}");
    }
}

#[test]
fn cap_http1_headers() {
    for (count, struck) in around(limits::HTTP1_HEADERS) {
        let more = "X: y\r\n".repeat(count - 4);
        let request = format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}{more}\r\n");
        assert_eq!(upgraded(request.as_bytes(), SWITCHING), (struck == 0, struck), "{count}");
    }
}

#[test]
fn cap_http1_pipelined() {
    for (count, struck) in around(limits::HTTP1_PIPELINED) {
        let mut requests = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count - 1);
        requests.extend(format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").bytes());
        let mut responses = b"HTTP/1.1 204 No Content\r\n\r\n".repeat(count - 1);
        responses.extend(SWITCHING);
        assert_eq!(upgraded(&requests, &responses), (struck == 0, struck), "{count}");
    }
}

#[test]
fn cap_chunk_line() {
    for (len, struck) in around(limits::CHUNK_LINE) {
        let head =
            format!("POST /upgrade HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{UPGRADE}\r\n");
        // With its carriage return.
        let line = format!("1;{}\r", "x".repeat(len - 3));
        let request = format!("{head}{line}\nx\r\n0\r\n\r\n");
        assert_eq!(upgraded(request.as_bytes(), SWITCHING), (struck == 0, struck), "{len}");
    }
}

#[test]
fn cap_opening_depth() {
    for (tunnels, struck) in around(limits::OPENING_DEPTH.into()) {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.open(1000);
        for _ in 0..tunnels {
            wire.send(&mut client, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
            wire.send(&mut server, b"HTTP/1.1 200 OK\r\n\r\n");
        }
        wire.send(&mut client, PREFACE);
        wire.send(&mut client, &[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, WHOLE, 1, &REQUEST)].concat());
        let run = analyze(&wire);
        assert_eq!(
            (run.transactions().len() as u64, run.limit("opening_depth")),
            (1 - struck, struck),
            "{tunnels}"
        );
    }
}

/// Requests that can be told from anything else.
fn requests() -> Vec<u8> {
    (0..4).flat_map(|n| frame(HEADERS, WHOLE, 2 * n + 1, &REQUEST)).collect()
}

#[test]
fn cap_detection_bytes() {
    for (len, struck) in around(limits::DETECTION_BYTES) {
        let mut wire = Wire::new();
        let mut client = Flow::client(1000);
        let requests = requests();
        wire.send(&mut client, &vec![0xff; len - requests.len()]);
        wire.send(&mut client, &requests);
        let run = analyze(&wire);
        assert_eq!((run.limit("opening"), run.transactions().len()), (struck, 4), "{len}");
    }
}

/// The server's bytes come first, and are kept until the client's do.
#[test]
fn cap_detection_bytes_of_a_server_that_is_ahead() {
    for (len, struck) in around(limits::DETECTION_BYTES) {
        for (begin, given_up) in [(PREFACE, 0), (&[0xff; 24][..], struck)] {
            let mut wire = Wire::new();
            let (mut client, mut server) = wire.open(1000);
            let answer = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END_HEADERS, 1, &RESPONSE)].concat();
            let body = vec![0; len - begin.len() - answer.len() - 2 * 9];
            let (half, rest) = body.split_at(len / 2);
            wire.send(&mut server, &[answer, frame(DATA, 0, 1, half), frame(DATA, 1, 1, rest)].concat());
            wire.send(&mut client, begin);
            wire.send(&mut client, &requests());
            let run = analyze(&wire);
            assert_eq!(run.limit("opening"), given_up, "{len} bytes, then {begin:?}");
            let whole = run.transactions().iter().filter(|record| record["h2"]["complete"] == true).count();
            assert_eq!(whole, usize::from(begin == PREFACE), "{len} bytes, then {begin:?}");
        }
    }
}

#[test]
fn cap_detection_pieces() {
    for (count, struck) in around(limits::DETECTION_PIECES) {
        let mut wire = Wire::new();
        let mut client = Flow::client(1000);
        wire.send_in(&mut client, &vec![0xff; count - 1], 1);
        wire.send(&mut client, &requests());
        let run = analyze(&wire);
        assert_eq!((run.limit("opening"), run.transactions().len()), (struck, 4), "{count}");
    }
}

#[test]
fn cap_detect_bytes() {
    for (len, struck) in around(limits::DETECT_BYTES) {
        for begins in [false, true] {
            let mut wire = Wire::new();
            let mut client = Flow::client(1000);
            // Where a segment begins, or one octet behind that.
            let last = [&[0xff][..usize::from(!begins)], &requests()].concat();
            wire.send(&mut client, &vec![0xff; len - last.len()]);
            wire.send(&mut client, &last);
            let run = analyze(&wire);
            let found = begins || struck == 0;
            assert_eq!(
                (run.transactions().len(), run.limit("opening")),
                (4 * usize::from(found), found.into()),
                "{len}"
            );
            assert_eq!(run.coverage()["connections"]["other"], u64::from(!found));
        }
    }
}

/// Streams of which one side alone is in the capture wait for the other, so many at a time.
#[test]
fn cap_one_sided_streams() {
    for (count, struck) in around(limits::ONE_SIDED_STREAMS) {
        for answered in [false, true] {
            let mut wire = Wire::new();
            let (mut client, mut server) = wire.http2(1000);
            let mut file = Wire::new();
            (client.seq, server.seq) = (2, 2);
            file.send(&mut client, PREFACE);
            file.send(&mut client, &frame(SETTINGS, 0, 0, &[]));
            for n in 0..count as u32 {
                file.send(&mut client, &frame(HEADERS, WHOLE, 2 * n + 1, &REQUEST));
            }
            if answered {
                file.send(&mut server, &frame(SETTINGS, 0, 0, &[]));
                for n in 0..count as u32 {
                    file.send(&mut server, &frame(HEADERS, WHOLE, 2 * n + 1, &RESPONSE));
                }
            }
            let run = analyze(&file);
            let transactions = run.transactions();
            assert_eq!(transactions.len(), count);
            let given_up = transactions.iter().filter(|record| {
                record["h2"]["stream"]["end"]["how"] == "end_stream" && record["h2"]["complete"] == false
            });
            assert_eq!(given_up.count() as u64, struck, "{count} {answered}");
            // While the other side is not there, nothing can be said to be lost for the cap.
            let (limit, complete) = (run.limit("one_sided_streams"), &run.coverage()["complete"]);
            assert_eq!(
                (limit, complete),
                (if answered { struck } else { 0 }, &(answered && struck == 0).into())
            );
        }
    }
}

/// Resets that are captured before the requests that they are for.
#[test]
fn cap_early_resets() {
    for (count, struck) in around(limits::EARLY_RESETS) {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        for n in 0..count as u32 {
            wire.send(&mut server, &frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 7]));
        }
        for n in 0..count as u32 {
            wire.send(&mut client, &frame(HEADERS, WHOLE, 2 * n + 1, &REQUEST));
        }
        let run = analyze(&wire);
        let transactions = run.transactions();
        let reset =
            transactions.iter().filter(|record| record["h2"]["stream"]["end"]["code"] == "REFUSED_STREAM");
        assert_eq!((transactions.len(), reset.count() as u64), (count, count as u64 - struck));
        assert_eq!((run.limit("early_resets"), &run.coverage()["complete"]), (struck, &(struck == 0).into()));
    }
}

#[test]
fn cap_interim_kept() {
    for (count, struck) in around(limits::INTERIM_KEPT) {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &REQUEST));
        for _ in 0..count {
            wire.send(&mut server, &frame(HEADERS, END_HEADERS, 1, &literal(8, b"103")));
        }
        wire.send(&mut server, &frame(HEADERS, WHOLE, 1, &RESPONSE));
        let run = analyze(&wire);
        let record = &run.transactions()[0];
        let interim = record["h2"]["response"]["interim"].as_array().unwrap().len();
        assert_eq!((run.limit("interim"), interim), (struck, count.min(limits::INTERIM_KEPT)));
        assert_eq!(record["h2"]["complete"], struck == 0, "what is not wholly shown is not complete");
        assert_eq!(record["http"]["response"]["status_code"], 200);
        assert_eq!(run.coverage()["complete"], struck == 0);
    }
}

/// The connection record, of a server that sends these frames.
fn connection(frames: impl IntoIterator<Item = Vec<u8>>) -> (Run, serde_json::Value) {
    let mut wire = Wire::new();
    let (_, mut server) = wire.http2(1000);
    for frame in frames {
        wire.send(&mut server, &frame);
    }
    let run = analyze(&wire);
    let records = run.records();
    let connection = records.iter().find(|record| record["record"] == "connection").unwrap().clone();
    (run, connection)
}

#[test]
fn cap_settings_kept() {
    for (count, struck) in around(limits::SETTINGS_KEPT) {
        let (run, record) =
            connection((0..count as u8).map(|n| frame(SETTINGS, 0, 0, &[0xf0, n, 0, 0, 0, 1])));
        let kept = record["h2"]["settings"]["server"].as_object().unwrap().len();
        assert_eq!((run.limit("settings"), kept), (struck, count.min(limits::SETTINGS_KEPT)));
        assert_eq!(record["h2"]["limited"].as_bool(), (struck > 0).then_some(true));
        assert_eq!(run.coverage()["complete"], true);
    }
}

#[test]
fn cap_goaway_kept() {
    for (count, struck) in around(limits::GOAWAY_KEPT) {
        let (run, record) = connection((0..count).map(|_| frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])));
        let kept = record["h2"]["goaway"].as_array().unwrap().len();
        assert_eq!((run.limit("goaway"), kept), (struck, count.min(limits::GOAWAY_KEPT)));
        assert_eq!(record["h2"]["limited"].as_bool(), (struck > 0).then_some(true));
        assert_eq!(record["h2"]["frames"]["server"]["GOAWAY"], count);
    }
}

#[test]
fn cap_goaway_debug() {
    for (len, struck) in around(limits::GOAWAY_DEBUG) {
        let payload = [&[0, 0, 0, 1, 0, 0, 0, 0][..], &vec![b'd'; len]].concat();
        let (run, record) = connection([frame(GOAWAY, 0, 0, &payload)]);
        let kept = record["h2"]["goaway"][0]["debug"].as_str().unwrap().len();
        assert_eq!((run.limit("goaway"), kept), (struck, len.min(limits::GOAWAY_DEBUG)));
        assert_eq!(record["h2"]["limited"].as_bool(), (struck > 0).then_some(true));
    }
}

#[test]
fn cap_settings_unacknowledged() {
    for (count, struck) in around(limits::SETTINGS_UNACKNOWLEDGED) {
        // SETTINGS without their acknowledgments, and acknowledgments without SETTINGS.
        for (flags, payload) in [(0, &[0, 3, 0, 0, 0, 100][..]), (1, &[])] {
            let (run, _) = connection((0..count).map(|_| frame(SETTINGS, flags, 0, payload)));
            assert_eq!(run.limit("settings_unacknowledged"), struck, "{count} {flags}");
            // The findings go by the same ledger.
            assert_eq!(run.limit("findings"), 0);
            assert_eq!(run.coverage()["complete"], true);
        }
    }
}

#[test]
fn cap_frame_payload() {
    for (len, struck) in around(limits::FRAME_PAYLOAD) {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        wire.send_in(&mut client, &frame(0x77, 0, 0, &vec![0; len]), 60_000);
        wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &REQUEST));
        let run = analyze(&wire);
        assert_eq!((run.limit("frame_payload"), run.transactions().len()), (struck, 1), "{len}");
        assert_eq!(run.coverage()["complete"], true);
    }
}

#[test]
fn cap_header_block() {
    for (len, struck) in around(limits::HEADER_BLOCK) {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        let mut left = len - REQUEST.len();
        wire.send(&mut client, &frame(HEADERS, 1, 1, &REQUEST));
        while left > 0 {
            // A size update to 0 takes an octet and makes no field.
            let part = left.min(16_384);
            left -= part;
            let flags = if left == 0 { END_HEADERS } else { 0 };
            wire.send(&mut client, &frame(CONTINUATION, flags, 1, &vec![0x20; part]));
        }
        wire.send(&mut client, &frame(HEADERS, WHOLE, 3, &REQUEST));
        let run = analyze(&wire);
        assert_eq!((run.limit("headers"), run.transactions().len()), (struck, 2), "{len}");
        assert_eq!(run.transactions()[1]["url"]["path"], "/");
        assert_eq!(run.coverage()["complete"], struck == 0);
    }
}

#[test]
fn cap_streams_connection() {
    for (count, struck) in around(limits::STREAMS_CONNECTION) {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        for n in 0..count as u32 {
            wire.send(&mut client, &frame(HEADERS, END_HEADERS, 2 * n + 1, &REQUEST));
        }
        let run = run(&wire.file, &["--json"]).within(96);
        // The lowest quarter goes, so that room is made seldom.
        let given_up = struck * (limits::STREAMS_CONNECTION as u64 / 4 + 1);
        assert_eq!((run.limit("streams"), run.transactions().len()), (given_up, count), "{count}");
        assert_eq!(run.coverage()["complete"], struck == 0);
    }
}

/// Requests of one size, whose memory is found by how many there may be.
#[test]
fn cap_stream_memory_connection() {
    let block = [&REQUEST[..2], &literal(4, &[b'/'; 16_000])].concat();
    let open = |count: usize| {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        for n in 0..count as u32 {
            wire.send(&mut client, &frame(HEADERS, END_HEADERS, 2 * n + 1, &block));
        }
        run(&wire.file, &["--json"]).within(128)
    };
    // A stream takes its text and some hundreds of bytes.
    let (mut fits, mut strikes) =
        (limits::STREAM_MEMORY_CONNECTION / 18_000, limits::STREAM_MEMORY_CONNECTION / 16_000);
    assert_eq!(open(fits).limit("stream_memory"), 0);
    assert!(open(strikes).limit("stream_memory") > 0);
    while strikes - fits > 1 {
        let middle = fits.midpoint(strikes);
        if open(middle).limit("stream_memory") == 0 { fits = middle } else { strikes = middle }
    }
    let (under, over) = (open(fits), open(strikes));
    assert_eq!((under.transactions().len(), &under.coverage()["complete"]), (fits, &true.into()));
    assert_eq!((over.limit("stream_memory"), over.transactions().len()), (strikes as u64 / 4 + 1, strikes));
    assert_eq!(over.coverage()["complete"], false);
}

/// A late frame on a stream that ended long ago makes no exchange, whether that is still known or not.
#[test]
fn ended_streams_that_are_forgotten() {
    for (count, struck) in [(limits::ENDED_STREAMS, 0), (limits::ENDED_STREAMS + 1, 1)] {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        for n in 0..count {
            wire.send(&mut client, &frame(HEADERS, WHOLE, 2 * n + 1, &REQUEST));
            wire.send(&mut server, &frame(HEADERS, WHOLE, 2 * n + 1, &RESPONSE));
        }
        wire.send(&mut server, &frame(DATA, 1, 1, b""));
        let run = run(&wire.file, &["--json"]).within(96);
        assert_eq!((run.limit("ended_streams"), run.transactions().len()), (struck, count as usize));
        assert_eq!(run.coverage()["complete"], true);
    }
}

/// An entry that was given up, and is then named: the field is unknown, and the record says so.
#[test]
fn tables_larger_than_are_kept() {
    let size = limits::HPACK_TABLE as usize;
    for (entries, struck) in [(size / 4096, 0), (size / 4096 + 1, 1)] {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.open(1000);
        wire.send(&mut client, PREFACE);
        wire.send(&mut client, &frame(SETTINGS, 0, 0, &[]));
        wire.send(&mut server, &frame(SETTINGS, 0, 0, &[0, 1, 0, 0x40, 0, 0]));
        wire.send(&mut client, &frame(SETTINGS, 1, 0, &[]));
        // A table of 4 MiB, and entries of 4 KiB: `:path` is 5 octets, 32 are for the entry.
        let grow = [0x3f, 0xe1, 0xff, 0xff, 0x01];
        let mut stream = 1;
        for n in 0..entries {
            let update = if n == 0 { &grow[..] } else { &[] };
            let block = [update, &REQUEST[..2], &literal(0x44, &vec![b'/'; 4096 - 37])].concat();
            wire.send(&mut client, &frame(HEADERS, WHOLE, stream, &block));
            stream += 2;
        }
        // The oldest one.
        let index = 61 + entries - 127;
        let block = [&REQUEST[..2], &[0xff, 0x80 | (index % 128) as u8, (index / 128) as u8]].concat();
        wire.send(&mut client, &frame(HEADERS, WHOLE, stream, &block));
        wire.segment(client, ACK, &[]);
        let run = analyze(&wire);
        let record = run.transactions().pop().unwrap();
        assert_eq!((run.limit("hpack_table"), run.transactions().len()), (struck, entries + 1));
        assert_eq!(record["url"]["path"].is_string(), struck == 0);
        assert_eq!(record["h2"]["unknown"].is_array(), struck > 0);
        assert_eq!(run.coverage()["header_blocks"]["partial"], struck);
    }
}
