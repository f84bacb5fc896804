//! Floods: much that is small, or the same again and again. Each in two sizes, beside ordinary calls of as many bytes.

use super::measure::{CALLS, NO_CALLS, at_two_sizes, sizes, struck};
use super::wire::{ACK, Flow, REQUEST, RESPONSE, SYN, Wire, frame, ipv4, ipv4_of, literal, tcp};
use h2lens::base::limits;
use std::time::Duration;

const MOST: u64 = 96;
const SHOW: [&str; 3] = ["--json", "--show", "transactions,connections,findings,telemetry"];

/// A connection with one call under way, in which the client sends this again and again, and then the call ends.
fn flood(of: impl Fn(u32) -> Vec<u8>, count: u32) -> Vec<u8> {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    wire.send(&mut client, &frame(1, 4, 1, &REQUEST));
    wire.send(&mut client, &(0..count).flat_map(of).collect::<Vec<_>>());
    wire.send(&mut server, &frame(1, 5, 1, &RESPONSE));
    wire.send(&mut client, &frame(0, 1, 1, b"x"));
    wire.file
}

/// A kind of frame, one of them by its number, and the caps that so many of them reach.
type Frames = (&'static str, fn(u32) -> Vec<u8>, &'static [&'static str]);

const FRAMES: [Frames; 15] = [
    ("DATA without data", |_| frame(0, 0, 1, &[]), &[]),
    ("DATA with nothing but padding", |_| frame(0, 8, 1, &[1, 0]), &[]),
    ("HEADERS", |n| frame(1, 5, 2 * n + 3, &REQUEST), &[]),
    (
        "HEADERS, each reset at once",
        |n| [frame(1, 5, 2 * n + 3, &REQUEST), frame(3, 0, 2 * n + 3, &[0, 0, 0, 8])].concat(),
        &[],
    ),
    ("PRIORITY", |n| frame(2, 0, 2 * n + 3, &[0, 0, 0, 1, 16]), &["priorities"]),
    ("RST_STREAM", |n| frame(3, 0, 2 * n + 3, &[0, 0, 0, 8]), &[]),
    ("SETTINGS", |n| frame(4, 0, 0, &[0xf0, n as u8, 0, 0, 0, 1]), &["settings", "settings_unacknowledged"]),
    ("their acknowledgments", |_| frame(4, 1, 0, &[]), &["settings_unacknowledged"]),
    ("PUSH_PROMISE", |n| frame(5, 4, 1, &[&(2 * n + 2).to_be_bytes()[..], &REQUEST].concat()), &[]),
    ("PING", |n| frame(6, (n % 2) as u8, 0, &[7; 8]), &[]),
    ("GOAWAY", |n| frame(7, 0, 0, &[[0; 4], n.to_be_bytes()].concat()), &["goaway"]),
    ("WINDOW_UPDATE", |n| frame(8, 0, n % 5, &[0, 0, 0, (n % 2) as u8]), &[]),
    ("CONTINUATION without a block", |_| frame(9, 0, 1, &[0x86]), &[]),
    (
        "PRIORITY_UPDATE",
        |n| frame(16, 0, 0, &[&(2 * n + 3).to_be_bytes()[..], b"u=1"].concat()),
        &["priorities"],
    ),
    ("an unknown type", |n| frame(0x77, n as u8, n, &[0; 3]), &[]),
];

#[test]
fn frames_of_each_type() {
    for (name, of, limits) in FRAMES {
        let runs = at_two_sizes(
            &format!("flood of {name}"),
            |size| flood(of, 6000 * size as u32),
            &SHOW,
            MOST,
            CALLS,
        );
        struck(&runs, limits);
        for run in &runs {
            let transactions = run.transactions();
            assert!(transactions.iter().any(|record| record["h2"]["stream"]["id"] == 1), "{name}");
        }
    }
}

/// CVE-2024-27316: a header block that does not end.
#[test]
fn continuations_without_end() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        wire.send(&mut client, &frame(1, 1, 1, &REQUEST));
        let pieces = 2 * limits::HEADER_BLOCK / 64 * size;
        wire.send(&mut client, &frame(9, 0, 1, &[0x86; 64]).repeat(pieces));
        wire.send(&mut client, &frame(9, 4, 1, &[]));
        wire.send(&mut server, &frame(1, 5, 1, &RESPONSE));
        wire.file
    };
    let runs = at_two_sizes("flood of CONTINUATION in a block", attack, &SHOW, MOST, CALLS);
    struck(&runs, &["headers"]);
    assert!(runs.iter().all(|run| run.transactions().len() == 1));
}

/// Resets before any request: the requests that they end never come.
#[test]
fn resets_of_the_server_before_requests() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (_, mut server) = wire.http2(1000);
        let resets = |n| frame(3, 0, 2 * n + 1, &[0, 0, 0, 8]);
        wire.send(&mut server, &(0..6000 * size as u32).flat_map(resets).collect::<Vec<_>>());
        wire.file
    };
    struck(&at_two_sizes("resets before requests", attack, &SHOW, MOST, NO_CALLS), &["early_resets"]);
}

/// A request with a path of its own.
fn request(n: u32) -> Vec<u8> {
    frame(1, 5, 2 * n + 1, &[&REQUEST[..2], &literal(4, format!("/{n}").as_bytes())].concat())
}

#[test]
fn segments_of_one_byte() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        let bytes: Vec<u8> = (0..400 * size as u32).flat_map(request).collect();
        wire.send_in(&mut client, &bytes, 1);
        wire.file
    };
    let runs = at_two_sizes("segments of one byte", attack, &SHOW, MOST, CALLS);
    assert_eq!(runs.map(|run| run.transactions().len()), sizes().map(|size| 400 * size));
}

/// Behind a hole pieces of two octets, each over the half of the one before it, with other content.
#[test]
fn tiny_segments_that_overlap() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (client, _) = wire.http2(1000);
        for n in 0..70_000 * size as u32 {
            wire.segment(Flow { seq: client.seq + 1 + n, ..client }, ACK, &[n as u8, !n as u8]);
        }
        wire.file
    };
    let runs = at_two_sizes("tiny segments that overlap", attack, &SHOW, MOST, NO_CALLS);
    struck(&runs, &["reassembly_direction"]);
    assert!(runs.iter().all(|run| run.coverage()["complete"] == false));
}

#[test]
fn fragments_that_never_complete() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        for id in (0..5000 * size).map(|id| id as u16) {
            for place in [0, 2, 4] {
                wire.packet(&ipv4_of(6, id, 0x2000 | place, &[id as u8; 8]));
            }
        }
        wire.file
    };
    struck(
        &at_two_sizes("fragments that never complete", attack, &SHOW, MOST, NO_CALLS),
        &["fragment_table"],
    );
}

#[test]
fn tunnels_in_tunnels() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        for port in (0..1500 * size).map(|port| port as u16) {
            let mut packet = ipv4(6, 0, &tcp(Flow::client(port), SYN, &[]));
            for _ in 0..=limits::TUNNEL_DEPTH {
                packet = ipv4(4, 0, &packet);
            }
            wire.packet(&packet);
        }
        wire.file
    };
    struck(&at_two_sizes("tunnels in tunnels", attack, &SHOW, MOST, NO_CALLS), &["tunnel_depth"]);
}

/// Each packet is a second before the last one; calls, holes, connections that end, and telemetry in between.
#[test]
fn time_that_runs_backwards() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        for port in (0..150 * size).map(|port| port as u16) {
            let (mut client, mut server) = wire.http2(port);
            for n in 0..5 {
                wire.back(Duration::from_secs(1));
                wire.send(&mut client, &request(n));
                server.seq += u32::from(n == 3);
                wire.send(&mut server, &frame(1, 5, 2 * n + 1, &RESPONSE));
            }
            wire.segment(client, super::wire::FIN | ACK, &[]);
        }
        wire.file
    };
    for arguments in [&SHOW[..], &[&SHOW[..], &["--idle-timeout=1s", "--summary=1s"]].concat()] {
        let runs = at_two_sizes("time that runs backwards", attack, arguments, MOST, CALLS);
        for (run, size) in runs.iter().zip(sizes()) {
            assert_eq!(run.transactions().len(), 5 * 150 * size);
            let is_time = |record: &serde_json::Value| record["duration"].as_f64().unwrap() >= 0.0;
            assert!(run.transactions().iter().all(is_time));
        }
    }
}
