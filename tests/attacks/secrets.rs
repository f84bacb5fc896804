//! TLS secrets that come one by one, beside connections that wait for some.

use super::files::{block, enhanced_packet, interface, section};
use super::lens::{Run, run, run_with};
use super::measure::{NO_CALLS, in_proportion, sizes};
use super::wire::{ACK, Flow, REQUEST, Wire, frame};
use crate::support::tls;
use rustls::crypto::ring::cipher_suite::{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256};
use std::time::Duration;

/// What the processor does whatever it is given.
const START: Duration = Duration::from_millis(300);

/// A record of TLS, of bytes that no secret opens.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u16).to_be_bytes();
    [&[kind, 3, 3, len[0], len[1]], body].concat()
}

/// A client hello whose random begins with that number, or a server hello for TLS 1.3.
fn hello(kind: u8, number: u32) -> Vec<u8> {
    let random = [&number.to_be_bytes()[..], &[kind; 28]].concat();
    let rest: &[u8] = match kind {
        1 => &[0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4],
        _ => &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4],
    };
    let body = [&[3, 3], &random[..], rest].concat();
    let len = (body.len() as u32).to_be_bytes();
    record(22, &[&[kind], &len[1..], &body].concat())
}

/// So many connections that wait for secrets, and then [`one_by_one`].
fn capture(connections: u32, secrets: u32) -> Vec<u8> {
    let mut wire = Wire::new();
    for number in 0..connections {
        let (mut client, mut server) = wire.open(2000 + number as u16);
        wire.send(&mut client, &hello(1, number));
        wire.send(&mut server, &hello(2, number));
        wire.send(&mut server, &record(23, &[0xa5; 64]));
    }
    one_by_one(&wire, secrets)
}

/// These packets, and then so many blocks with one secret each, of other connections, each behind a packet.
fn one_by_one(wire: &Wire, secrets: u32) -> Vec<u8> {
    let mut file = [section(), interface()].concat();
    let mut packets = wire.file[24..].to_vec();
    let mut rest = Wire::new();
    let (client, _) = rest.open(1000);
    for _ in 0..secrets {
        rest.segment(client, ACK, &[]);
    }
    packets.extend(&rest.file[24..]);
    let (mut at, mut count) = (0, 0);
    let total = packets.len();
    let before = wire.file.len() - 24;
    while at < total {
        let len = u32::from_le_bytes(packets[at + 8..at + 12].try_into().unwrap());
        let bytes = &packets[at + 16..at + 16 + len as usize];
        file.extend(enhanced_packet(0, 0, bytes));
        at += 16 + len as usize;
        if at > before && count < secrets {
            let line = format!("CLIENT_TRAFFIC_SECRET_0 {count:064x} {count:064x}\n");
            let length = (line.len() as u32).to_le_bytes();
            file.extend(block(10, &[b"KSLT", &length[..], line.as_bytes()].concat()));
            count += 1;
        }
    }
    file
}

/// A capture that holds so many secrets, each on a line with this label, and then these packets.
fn behind_secrets(label: &str, bytes: usize, secrets: usize, wire: &Wire) -> Vec<u8> {
    let width = 2 * bytes;
    let lines: String = (1..=secrets).map(|n| format!("{label} {n:064x} {n:0width$x}\n")).collect();
    with_secrets(&lines, wire)
}

/// The same behind these.
fn with_secrets(lines: &str, wire: &Wire) -> Vec<u8> {
    let len = (lines.len() as u32).to_le_bytes();
    let mut file =
        [section(), interface(), block(10, &[b"KSLT", &len[..], lines.as_bytes()].concat())].concat();
    packets(wire).for_each(|packet| file.extend(enhanced_packet(0, 0, packet)));
    file
}

/// The packets of a capture.
fn packets(wire: &Wire) -> impl Iterator<Item = &[u8]> {
    let mut rest = &wire.file[24..];
    std::iter::from_fn(move || {
        let (head, packets) = rest.split_first_chunk::<16>()?;
        let len = u32::from_le_bytes(head[8..12].try_into().unwrap());
        let (packet, others) = packets.split_at(len as usize);
        rest = others;
        Some(packet)
    })
}

/// Bytes without a pattern.
fn noise(len: usize, state: &mut u64) -> Vec<u8> {
    let mut byte = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 56) as u8
    };
    (0..len).map(|_| byte()).collect()
}

/// Connections joined late, with records as long as there may be: a try reads all of one.
#[test]
fn long_records_that_no_secret_opens() {
    for size in sizes() {
        let (mut wire, mut state) = (Wire::new(), 1);
        for port in 0..size as u16 {
            let (mut client, mut server) = (Flow::client(2000 + port), Flow::server(2000 + port));
            for _ in 0..24 {
                wire.send(&mut client, &record(23, &noise(16_384, &mut state)));
                wire.send(&mut server, &record(23, &noise(16_384, &mut state)));
            }
        }
        let capture = behind_secrets("CLIENT_TRAFFIC_SECRET_0", 48, 5000, &wire);
        let run = run(&capture, &["--json"]).within(128);
        assert_ne!(run.limit("tls_trials"), 0);
        in_proportion("long records that no secret opens", capture.len(), &run, &["--json"], NO_CALLS);
    }
}

/// The same of TLS 1.2 whose client hello is missing, with all records that may be tried in one segment.
#[test]
fn long_records_that_no_master_secret_opens() {
    for size in sizes() {
        let (mut wire, mut state) = (Wire::new(), 1);
        for port in 0..8 * size as u16 {
            let mut server = Flow::server(2000 + port);
            let body = [&[3, 3][..], &noise(32, &mut state), &[0, 0xc0, 0x2f, 0]].concat();
            let len = (body.len() as u32).to_be_bytes();
            wire.send(&mut server, &record(22, &[&[2], &len[1..], &body].concat()));
            let records: Vec<_> = (0..7).flat_map(|_| record(23, &noise(8192, &mut state))).collect();
            wire.send_in(&mut Flow::client(2000 + port), &records, 60_000);
            wire.send_in(&mut server, &records, 60_000);
        }
        let capture = behind_secrets("CLIENT_RANDOM", 48, 10_000, &wire);
        let run = run(&capture, &["--json"]).within(128);
        assert_ne!(run.limit("tls_trials"), 0);
        in_proportion("long records that no master secret opens", capture.len(), &run, &["--json"], NO_CALLS);
    }
}

/// The secrets of many connections come at once, behind all that waited for them: what that becomes is not made at one time.
#[test]
fn all_that_waited_for_secrets() {
    let requests: Vec<u8> = (0..2000).flat_map(|n| frame(1, 5, 2 * n + 1, &REQUEST)).collect();
    let bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[]), &requests].concat();
    let runs = [100, 200].map(|count| {
        let (mut wire, mut flows) = (Wire::new(), Vec::new());
        let keys = tls::each_sends(TLS13_AES_128_GCM_SHA256, count, &bytes, |number, from_client, bytes| {
            if usize::from(number) == flows.len() {
                flows.push(wire.open(2000 + number));
            }
            let (client, server) = flows.last_mut().unwrap();
            wire.send(if from_client { client } else { server }, bytes);
        });
        let mut file = [section(), interface()].concat();
        packets(&wire).for_each(|packet| file.extend(enhanced_packet(0, 0, packet)));
        let length = (keys.len() as u32).to_le_bytes();
        file.extend(block(10, &[b"KSLT", &length[..], keys.as_bytes()].concat()));
        let arguments = ["-", "--threads", "1", "--json", "--memory", "64M"];
        let run = run_with(&arguments, |stdin| stdin.write_all(&file).unwrap()).within(96);
        assert_eq!(run.told(), 2000 * usize::from(count));
        run
    });
    assert!(runs[1].mib <= runs[0].mib + 16, "{} MiB, {} MiB", runs[0].mib, runs[1].mib);
}

/// The servers' parts of all handshakes are captured behind all that the clients sent, which waited for them: for their randoms, of
/// which the keys are made (RFC 5246 section 6.3).
#[test]
fn all_that_waited_for_the_other_side() {
    let requests: Vec<u8> = (0..2000).flat_map(|n| frame(1, 5, 2 * n + 1, &REQUEST)).collect();
    let bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[]), &requests].concat();
    for count in [50, 100] {
        let (mut wire, mut flows, mut servers) = (Wire::new(), Vec::new(), Vec::new());
        let keys = tls::each_sends(
            TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            count,
            &bytes,
            |number, from_client, bytes| {
                if usize::from(number) == flows.len() {
                    let (client, server) = wire.open(2000 + number);
                    flows.push(client);
                    servers.push((server, Vec::new()));
                }
                match (from_client, flows.last_mut(), servers.last_mut()) {
                    (true, Some(client), _) => wire.send(client, bytes),
                    (_, _, Some((_, sent))) => sent.extend_from_slice(bytes),
                    _ => {}
                }
            },
        );
        servers.iter_mut().for_each(|(server, sent)| wire.send(server, sent));
        let capture = with_secrets(&keys, &wire);
        let run = run(&capture, &["--json"]).within(256);
        assert_eq!(run.told(), 2000 * usize::from(count));
    }
}

/// A large block is read whole; behind it no more is read at one time than before.
#[test]
fn a_flood_behind_a_large_block() {
    let mut wire = Wire::new();
    for port in 0..16 {
        let (mut client, _) = wire.http2(2000 + port);
        let calls: Vec<u8> = (0..8000).flat_map(|n| frame(1, 5, 2 * n + 1, &REQUEST)).collect();
        wire.send(&mut client, &calls);
    }
    run(&behind_secrets("CLIENT_RANDOM", 48, 4000, &wire), &["--json", "--memory", "64M"]).within(96);
}

/// From a pipe: what a file holds of secrets is read before its packets.
fn analyze(capture: &[u8]) -> Run {
    let arguments = ["-", "--threads", "1", "--json"];
    run_with(&arguments, |stdin| stdin.write_all(capture).unwrap()).within(96)
}

#[test]
fn a_secret_at_a_time_beside_connections_that_wait() {
    let clean = analyze(&capture(4000, 1)).time + analyze(&capture(4, 4000)).time;
    let [small, large] = [2000, 4000].map(|count| analyze(&capture(count, count)).time);
    assert!(large <= START + 10 * clean, "{large:?}; apart they take {clean:?}");
    assert!(large <= START + 3 * small, "{large:?} after {small:?}");
}

/// The same beside connections that were joined late and keep much: not all of that is looked through for each secret.
#[test]
fn a_secret_at_a_time_beside_connections_joined_late() {
    let late = |connections: u16, secrets| {
        let (mut wire, mut state) = (Wire::new(), 1);
        for port in 0..connections {
            let (mut client, mut server) = (Flow::client(2000 + port), Flow::server(2000 + port));
            let records: Vec<_> = (0..5000).flat_map(|_| record(23, &noise(150, &mut state))).collect();
            wire.send(&mut client, &records);
            wire.send(&mut server, &records);
        }
        analyze(&one_by_one(&wire, secrets)).time
    };
    // As long as it takes to try one secret: what may be tried is used up by few.
    let clean = late(2, 1) + late(0, 4000);
    let large = late(2, 4000);
    assert!(large <= START + 4 * clean, "{large:?}; apart they take {clean:?}");
}

/// Secrets in between divide what was read at once: that must not be copied for each of them.
#[test]
fn secrets_between_packets_cost_what_they_are() {
    let [few, many] = [1, 8000].map(|secrets| analyze(&capture(0, secrets)).time);
    let [_, twice] = [1, 16_000].map(|secrets| analyze(&capture(0, secrets)).time);
    assert!(twice <= START + 3 * many, "{twice:?} after {many:?}, {few:?}");
}
