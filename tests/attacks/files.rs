//! Attacks by the file that is read.

use super::lens::{run, run_with};
use super::measure::{
    CALLS, NO_CALLS, START, at_two_sizes, grows_in_proportion, in_proportion, sizes, struck,
};
use super::wire::{ACK, Flow, REQUEST, RESPONSE, SYN, Wire, frame, insert, ipv4, tcp};
use flate2::Compression;
use flate2::write::GzEncoder;
use h2lens::base::limits;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// What compresses a piece; any number of pieces may follow one another.
type Coding = fn(&[u8]) -> Vec<u8>;

const CODINGS: [(&str, Coding); 2] = [("gzip", gzip), ("zstd", zstd)];

/// Ten gigabytes of zeros behind the header of a capture: the search for a packet is given up in time.
#[test]
fn a_bomb_of_zeros() {
    for (name, coding) in CODINGS {
        let (header, zeros) = (coding(&Wire::new().file), coding(&vec![0; 16 << 20]));
        let times = [320, 640].map(|pieces| {
            let bomb = [&header[..], &zeros.repeat(pieces)].concat();
            let run = run(&bomb, &["--json"]).within(64);
            assert_eq!(run.coverage()["damaged_inputs"], 1);
            // So many of the zeros are looked at, however many there are.
            let read = limits::SEARCH_BYTES as usize;
            in_proportion(&format!("zeros without end, {name}"), read, &run, &["--json"], NO_CALLS);
            run.time
        });
        assert!(times[1] <= START + times[0].mul_f64(1.5), "{times:?}");
    }
}

/// The same packet again and again, which compresses to nearly nothing: it is what it is when it is read.
#[test]
fn a_capture_that_inflates() {
    let mut wire = Wire::new();
    let (client, _) = wire.http2(1000);
    let begin = wire.file.len();
    wire.segment(client, ACK, &frame(0, 0, 1, &[0; 60_000]));
    let (begin, packet) = wire.file.split_at(begin);
    let packets = packet.repeat((8 << 20) / packet.len());
    for (name, coding) in CODINGS {
        let pieces = sizes().map(|size| 3 * size);
        let runs = pieces.map(|pieces| {
            let bomb = [coding(begin), coding(&packets).repeat(pieces)].concat();
            let length = begin.len() + pieces * packets.len();
            assert!(bomb.len() < length / 100);
            let run = run(&bomb, &["--json"]).within(64);
            assert_eq!(run.coverage()["damaged_inputs"], 0);
            in_proportion(&format!("packets without end, {name}"), length, &run, &["--json"], NO_CALLS);
            run
        });
        grows_in_proportion(name, runs.each_ref());
    }
}

#[test]
fn gzip_in_gzip() {
    let mut bomb = gzip(&vec![0; 16 << 20]);
    for _ in 0..10 {
        bomb = gzip(&bomb);
    }
    let run = run(&bomb, &["--json"]);
    assert_eq!((run.status, run.stdout.len()), (Some(2), 0));
    assert!(run.mib < 64, "{} MiB", run.mib);
}

/// Bodies are not decompressed if they are not asked for, and then up to what is in proportion.
#[test]
fn a_bomb_in_a_body() {
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        wire.send(&mut client, &frame(1, 5, 1, &REQUEST));
        let block = [&RESPONSE[..], &[0x5a, 4], b"gzip"].concat();
        wire.send(&mut server, &frame(1, 4, 1, &block));
        // Larger ones take long to be made.
        for part in gzip(&vec![0; size.min(2) * (64 << 20)]).chunks(16_384) {
            wire.send(&mut server, &frame(0, 0, 1, part));
        }
        wire.send(&mut server, &frame(0, 1, 1, &[]));
        wire.file
    };
    let runs = at_two_sizes("a bomb in a body", attack, &["--json"], 64, CALLS);
    for run in &runs {
        assert!(run.transactions()[0]["http"]["response"]["body"]["size"].as_u64() > Some(60_000));
    }
    let [small, large] = [1, 2].map(|size| run(&attack(size), &["--json", "--body"]).within(96));
    assert!(large.time <= START + 3 * small.time, "{:?} after {:?}", large.time, small.time);
    struck(&[small, large], &["body_decoding"]);
}

/// Small bodies, each of which becomes long: together they decode to, and show, no more than is in proportion.
#[test]
fn small_bombs_in_many_bodies() {
    // It becomes many bytes within its window, and then turns out to be damaged.
    let damaged: &[u8] =
        b"\x0b\x02\x80amb9\x9bY\x0f\xef\x06\x09\x02*~\x0d?\xcd\x87\\\0\0\xa7\xad\xad\0\0\0\0\x1f\
        \x06e\xda\x8b\x08\xda\x02\x01\0\0mismahtcr";
    let message = zstd(&vec![0; 1 << 20]);
    let messages = [&[1][..], &(message.len() as u32).to_be_bytes(), &message].concat().repeat(4);
    let events = gzip(&b"data:x\n\n".repeat(4096));
    let [encoding, content_type] = [26, 31];
    let attacks: [(&str, Vec<u8>, Vec<u8>, &str); 4] = [
        ("in two codings", insert(encoding, b"gzip, gzip"), gzip(&gzip(&vec![0; 16 << 20])), "body_shown"),
        ("that are damaged", insert(encoding, b"br"), damaged.to_vec(), "body_decoding"),
        (
            "of messages",
            [&insert(content_type, b"application/grpc")[..], b"\x40\x0dgrpc-encoding\x04zstd"].concat(),
            messages,
            "body_decoding",
        ),
        (
            "of events",
            [insert(content_type, b"text/event-stream"), insert(encoding, b"gzip")].concat(),
            events,
            "body_shown",
        ),
    ];
    for (name, fields, body, limit) in attacks {
        let attack = |size: usize| {
            let mut wire = Wire::new();
            let (mut client, mut server) = wire.http2(1000);
            for id in (1..size as u32 * 2000).step_by(2) {
                wire.send(&mut client, &frame(1, 5, id, &REQUEST));
                let block = [&RESPONSE[..], &fields].concat();
                wire.send(&mut server, &[frame(1, 4, id, &block), frame(0, 1, id, &body)].concat());
            }
            wire.file
        };
        for (shown, arguments) in [
            ("with transactions", &["--json", "--body"][..]),
            ("alone", &["--json", "--show", "messages,telemetry"]),
        ] {
            let name = format!("small bodies {name}, {shown}");
            at_two_sizes(&name, attack, arguments, 96, CALLS);
        }
        let runs = [1, 2].map(|size| run(&attack(size), &["--json", "--body"]));
        struck(&runs, &[limit]);
    }
}

pub(super) fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

pub(super) fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255])
}

pub(super) fn interface() -> Vec<u8> {
    block(1, &[101, 0, 0, 0, 0, 0, 0, 0])
}

/// An Enhanced Packet Block.
pub(super) fn enhanced_packet(interface: u32, micros: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    let head = [interface, (micros >> 32) as u32, micros as u32, len, len].map(u32::to_le_bytes).concat();
    block(6, &[&head, bytes].concat())
}

fn packet(interface: u32) -> Vec<u8> {
    enhanced_packet(interface, 0, &ipv4(6, 0, &tcp(Flow::client(1000), SYN, &[])))
}

#[test]
fn a_million_interfaces() {
    let mut file = [section(), interface().repeat(1_000_000)].concat();
    let last = limits::INTERFACES as u32 - 1;
    for interface in [0, last, last + 1, 999_999] {
        file.extend(packet(interface));
    }
    let run = run(&file, &["--json"]).within(64);
    assert_eq!(run.coverage()["packets"], 2, "those of later interfaces are not read");
    assert!(run.stderr.contains("interface"), "{}", run.stderr);
}

#[test]
fn absurd_options() {
    // An interface with 16 MiB of options, each of them empty; a time resolution of 2^-127; an offset beyond all time.
    let mut body = vec![101, 0, 0, 0, 0, 0, 0, 0];
    body.extend([9, 0, 1, 0, 0xff, 0, 0, 0, 14, 0, 8, 0, 255, 255, 255, 255, 255, 255, 255, 127]);
    body.extend([2, 0, 0, 0].repeat(2 << 20));
    let file = [section(), block(1, &body), packet(0)].concat();
    assert_eq!(run(&file, &["--json"]).within(96).coverage()["packets"], 1);
}

#[test]
fn blocks_that_lie_about_their_length() {
    for length in [
        0_u32,
        1,
        3,
        8,
        12,
        13,
        1 << 20,
        limits::BLOCK_BYTES,
        limits::BLOCK_BYTES + 4,
        u32::MAX - 3,
        u32::MAX,
    ] {
        for end in [false, true] {
            let mut bad = packet(0);
            let at = if end { bad.len() - 4 } else { 4 };
            bad[at..at + 4].copy_from_slice(&length.to_le_bytes());
            let file = [section(), interface(), packet(0), bad, packet(0).repeat(1000)].concat();
            let run = run(&file, &["--json"]).within(96);
            let packets = run.coverage()["packets"].as_u64().unwrap();
            assert!((1..=1002).contains(&packets), "length {length}: {packets} packets");
            assert!(!run.stderr.is_empty(), "it is told");
            if end {
                assert!(packets >= 1000, "length {length}: {packets} packets");
            }
        }
    }
}

#[test]
fn a_pcap_packet_that_lies_about_its_length() {
    for length in [u32::MAX, limits::PACKET_BYTES + 1, limits::BLOCK_BYTES + 1, 0x7fff_ffff] {
        let mut wire = Wire::new();
        let whole = ipv4(6, 0, &tcp(Flow::client(1000), SYN, &[]));
        wire.packet(&whole);
        let at = wire.file.len() + 8;
        wire.packet(&whole);
        wire.file[at..at + 4].copy_from_slice(&length.to_le_bytes());
        for _ in 0..1000 {
            wire.packet(&whole);
        }
        let run = run(&wire.file, &["--json"]).within(96);
        assert!(run.coverage()["packets"].as_u64().unwrap() >= 1000, "length {length}");
    }
}

/// A key log of a gigabyte, nearly all of it one line; and one of a million connections.
#[test]
fn key_logs_that_are_too_large() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let line = |n: u64| format!("CLIENT_RANDOM {n:064x} {}\n", "ab".repeat(48));
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(line(1).as_bytes()).unwrap();
    file.set_len(1 << 30).unwrap();
    let keylog = path.to_str().unwrap();
    let capture = Wire::new().file;
    run(&capture, &["--json", "--keylog", keylog]).within(64);

    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for n in 0..1_000_000 {
        file.write_all(line(n).as_bytes()).unwrap();
    }
    file.flush().unwrap();
    run(&capture, &["--json", "--keylog", keylog]).within(512);
}

/// A pipe that gives nothing but a header, and garbage at length.
#[test]
fn garbage_without_end() {
    let feed = |out: &mut dyn Write| {
        let _ = out.write_all(&Wire::new().file);
        let garbage: Vec<u8> =
            (0..1 << 20).map(|n: u32| (n.wrapping_mul(0x9e37_79b1) >> 13) as u8 | 0x80).collect();
        for _ in 0..300 {
            if out.write_all(&garbage).is_err() {
                return;
            }
        }
    };
    let run = run_with(&["-", "--json", "--threads", "1"], feed);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.mib < 96, "{} MiB", run.mib);
    assert_eq!(run.coverage()["damaged_inputs"], 1);
}
