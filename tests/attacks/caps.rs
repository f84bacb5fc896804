//! Caps of what comes before HTTP/2, at their value and over it.

use super::lens::run;
use super::wire::{RESPONSE, Wire, frame};
use h2lens::limits;

const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
const UPGRADE: &str = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";

/// Whether the upgrade that these requests end with was followed, and stream 1 with it.
fn upgraded(requests: &[u8], responses: &[u8]) -> bool {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.open(1000);
    wire.send(&mut client, requests);
    wire.send(&mut server, responses);
    wire.send(&mut server, &[frame(4, 0, 0, &[]), frame(1, 5, 1, &RESPONSE)].concat());
    wire.send(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    wire.send(&mut client, &frame(4, 0, 0, &[]));
    let run = run(&wire.file, &["--json"]).within(64);
    run.transactions().iter().any(|record| record["url"]["path"] == "/upgrade")
}

#[test]
fn a_head_at_its_cap() {
    for (over, followed) in [(0, true), (1, true), (2, false)] {
        let rest = format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}X: \r\n\r\n").len();
        let fill = "x".repeat(limits::HTTP1_HEAD - rest - 1 + over);
        let request = format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}X: {fill}\r\n\r\n");
        assert_eq!(request.len(), limits::HTTP1_HEAD - 1 + over);
        assert_eq!(upgraded(request.as_bytes(), SWITCHING), followed, "{over}");
    }
}

#[test]
fn requests_in_a_row_at_their_cap() {
    for (more, followed) in [(0, true), (1, false)] {
        let before = limits::HTTP1_PIPELINED - 1 + more;
        let mut requests = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(before);
        requests.extend(format!("GET /upgrade HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").bytes());
        let mut responses = b"HTTP/1.1 204 No Content\r\n\r\n".repeat(before);
        responses.extend(SWITCHING);
        assert_eq!(upgraded(&requests, &responses), followed, "{before} before it");
    }
}

#[test]
fn the_line_of_a_chunk_at_its_cap() {
    for (over, followed) in [(0, true), (1, false)] {
        let head =
            format!("POST /upgrade HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{UPGRADE}\r\n");
        let line = format!("1;{}", "x".repeat(limits::CHUNK_LINE - 3 + over));
        let request = format!("{head}{line}\r\nx\r\n0\r\n\r\n");
        assert_eq!(upgraded(request.as_bytes(), SWITCHING), followed, "{over}");
    }
}

#[test]
fn tunnels_through_proxies_at_their_cap() {
    for (tunnels, followed) in [(limits::OPENING_DEPTH, true), (limits::OPENING_DEPTH + 1, false)] {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.open(1000);
        for _ in 0..tunnels {
            wire.send(&mut client, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
            wire.send(&mut server, b"HTTP/1.1 200 OK\r\n\r\n");
        }
        wire.send(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        wire.send(&mut client, &[frame(4, 0, 0, &[]), frame(1, 5, 1, &super::wire::REQUEST)].concat());
        let run = run(&wire.file, &["--json"]).within(64);
        assert_eq!(run.transactions().len() == 1, followed, "{tunnels}");
    }
}

/// Streams of which one side alone is in the capture wait for the other, so many at a time.
#[test]
fn streams_of_one_side_at_their_cap() {
    for (count, early) in [(limits::ONE_SIDED_STREAMS, 0), (limits::ONE_SIDED_STREAMS + 3, 3)] {
        let mut wire = Wire::new();
        let (mut client, _) = wire.open(1000);
        let mut file = Wire::new();
        client.seq = 2;
        file.send(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        file.send(&mut client, &frame(4, 0, 0, &[]));
        for n in 0..count as u32 {
            file.send(&mut client, &frame(1, 5, 2 * n + 1, &super::wire::REQUEST));
        }
        let run = run(&file.file, &["--json"]).within(64);
        let transactions = run.transactions();
        assert_eq!(transactions.len(), count);
        let ended = transactions.iter().filter(|record| record["h2"]["stream"]["end"]["how"] == "end_stream");
        assert_eq!(ended.count(), early);
    }
}
