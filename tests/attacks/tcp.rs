//! Attacks by packets and segments.

use super::lens::{run, run_with};
use super::measure::{NO_CALLS, START, grows_in_proportion, in_proportion, sizes};
use super::wire::{ACK, FIN, Flow, REQUEST, RESPONSE, SYN, Wire, frame, ipv4, ipv4_of, ipv6, literal, tcp};
use h2lens::base::endpoint::Endpoint;
use h2lens::base::{limits, partition, tuning};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEADERS: u8 = 1;
const WHOLE: u8 = 5;

/// A request with a path of its own.
fn request(n: u32) -> Vec<u8> {
    let block = [&REQUEST[..2], &literal(4, format!("/{n}").as_bytes())].concat();
    frame(HEADERS, WHOLE, 2 * n + 1, &block)
}

#[test]
fn segments_that_overlap_with_other_content() {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    for n in 0..2000 {
        let bytes = request(n);
        let (mut early, mut late) = (client, client);
        early.seq += 5;
        late.seq += 1;
        // The end first; then other bytes in its place, which must not count; then all of it.
        wire.segment(early, ACK, &bytes[5..]);
        wire.segment(late, ACK, &vec![0xee; 1000][..bytes.len() - 1 - n as usize % 3]);
        wire.send(&mut client, &bytes);
        wire.send(&mut server, &frame(HEADERS, WHOLE, 2 * n + 1, &RESPONSE));
    }
    let run = run(&wire.file, &["--json", "--show", "transactions,connections,telemetry"]).within(64);
    assert!(run.transactions().len() <= 4000);
}

#[test]
fn segments_of_one_byte() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let bytes: Vec<u8> = (0..4000).flat_map(request).collect();
    wire.send_in(&mut client, &bytes, 1);
    let run = run(&wire.file, &["--json"]).within(96);
    let transactions = run.transactions();
    assert_eq!(transactions.len(), 4000);
    assert_eq!(transactions[3999]["url"]["path"], "/3999");
}

/// In reverse order, one byte each: each waits for the one before it.
#[test]
fn segments_of_one_byte_backwards() {
    let mut wire = Wire::new();
    let (client, _) = wire.http2(1000);
    let bytes: Vec<u8> = (0..4000).flat_map(request).collect();
    for (at, byte) in bytes.iter().enumerate().rev() {
        wire.segment(Flow { seq: client.seq + at as u32, ..client }, ACK, &[*byte]);
    }
    run(&wire.file, &["--json"]).within(96);
}

#[test]
fn holes_everywhere() {
    for step in [2, 3, 10] {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        for n in 0..30_000 {
            let bytes = request(n);
            if n % step == 0 {
                client.seq += bytes.len() as u32;
            } else {
                wire.send_in(&mut client, &bytes, 7);
            }
            wire.send(&mut server, &frame(HEADERS, WHOLE, 2 * n + 1, &RESPONSE));
        }
        let run = run(&wire.file, &["--json"]).within(128);
        assert_eq!(run.coverage()["complete"], false);
    }
}

#[test]
fn sequence_numbers_that_jump() {
    let mut wire = Wire::new();
    let (mut client, _) = wire.http2(1000);
    let mut jump = 1_u32;
    for n in 0..50_000 {
        jump = jump.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        wire.segment(Flow { seq: jump, ..client }, ACK, &[0x41; 100]);
        wire.send(&mut client, &request(n));
    }
    run(&wire.file, &["--json"]).within(128);
}

/// What waits for a hole is bounded for each direction, and told of.
#[test]
fn a_hole_that_is_not_filled() {
    for (over, struck) in [(false, false), (true, true)] {
        let mut wire = Wire::new();
        let (mut client, _) = wire.http2(1000);
        client.seq += 1;
        // Each piece costs more than its bytes.
        let pieces =
            if over { limits::REASSEMBLY_DIRECTION / 1000 + 10 } else { limits::REASSEMBLY_DIRECTION / 1400 };
        for _ in 0..pieces {
            wire.send(&mut client, &[0; 1000]);
        }
        let run = run(&wire.file, &["--json"]).within(64);
        assert_eq!(run.limit("reassembly_direction") > 0, struck);
    }
}

/// A SYN from each port, of sixteen addresses: more connections than are followed.
#[test]
fn a_flood_of_a_million_syns() {
    let feed = |out: &mut dyn std::io::Write| {
        let mut wire = Wire::new();
        for n in 0..1_000_000_u32 {
            let mut packet = ipv4(6, 0, &tcp(Flow::client(n as u16), SYN, &[]));
            packet[15] = (n >> 16) as u8;
            wire.packet(&packet);
            if wire.file.len() > 1 << 20 {
                let _ = out.write_all(&wire.file);
                wire.file.clear();
            }
        }
        let _ = out.write_all(&wire.file);
    };
    let run = run_with(&["-", "--json", "--threads", "1"], feed).within(400);
    let coverage = run.coverage();
    assert_eq!(coverage["packets"], 1_000_000);
    let struck = |limit: &str| coverage["limits"][limit].as_u64().unwrap_or(0);
    let evicted = struck("connections") + struck("connection_memory");
    let kept = (limits::CONNECTIONS_SHARD * 8) as u64;
    assert!(evicted >= 1_000_000 - kept && evicted < 1_000_000 - kept / 2, "{evicted}");
}

/// A SYN from each of these addresses.
fn syns(from: impl Iterator<Item = IpAddr>) -> Vec<u8> {
    let mut wire = Wire::new();
    let body = tcp(Flow::client(1000), SYN, &[]);
    for src in from {
        wire.packet(&match src {
            IpAddr::V6(src) => ipv6(src.to_bits(), 0x2001_0db8 << 96 | 2, 6, &body),
            IpAddr::V4(src) => {
                let mut packet = ipv4(6, 0, &body);
                packet[12..16].copy_from_slice(&src.octets());
                packet
            }
        });
    }
    wire.file
}

/// All are of one shard, and those of IPv6 collide in the connection table's hash where nothing is random in that: their
/// interface identifiers make a factor of it zero.
#[test]
fn addresses_that_are_chosen_to_collide() {
    const IDENTIFIER: u128 = 0xdd50_7cc9_b729_acc0;
    let one_shard = |src: &IpAddr| {
        let server: IpAddr = match src {
            IpAddr::V4(_) => Ipv4Addr::new(10, 0, 0, 2).into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(0x2001_0db8 << 96 | 2).into(),
        };
        let (client, server) = (Endpoint { ip: *src, port: 1000 }, Endpoint { ip: server, port: 8080 });
        partition::slice(client, server).is_multiple_of(tuning::SHARDS)
    };
    let v6 = |identifier: u128| {
        let all =
            (0..).map(move |n: u128| Ipv6Addr::from_bits(0x2001_0db9 << 96 | n << 64 | identifier).into());
        move |count| syns(all.clone().filter(one_shard).take(count))
    };
    let v4 = |count| {
        syns((0..).map(|n: u32| Ipv4Addr::from_bits(11 << 24 | n).into()).filter(one_shard).take(count))
    };
    let measure = |name: &str, capture: &[u8]| {
        let run = run(capture, &["--json"]).within(96);
        in_proportion(name, capture.len(), &run, &["--json"], NO_CALLS);
        run
    };
    let attacks = sizes().map(|size| 15_000 * size).map(|count| {
        let other = measure("addresses of IPv6 as they come", &v6(7)(count)).time;
        let (v6, v4) = (v6(IDENTIFIER)(count), v4(count));
        [("addresses of IPv6 that collide", v6), ("addresses of IPv4 in one shard", v4)].map(
            |(name, attack)| {
                let run = measure(name, &attack);
                assert!(run.time <= 2 * other + START, "{count}: {:?} for {other:?}", run.time);
                run
            },
        )
    });
    let [small, large] = attacks;
    for (small, large) in small.iter().zip(&large) {
        grows_in_proportion("addresses", [small, large]);
    }
}

/// Connections that each leave as much behind as they can: the oldest go.
#[test]
fn many_connections_that_hold_much() {
    let feed = |out: &mut dyn std::io::Write| {
        let mut wire = Wire::new();
        // A header block that does not end, of 128 KiB each.
        let open = frame(HEADERS, 0, 1, &REQUEST);
        let more = frame(9, 0, 1, &[0x20; 16_384]).repeat(8);
        let count = 2 * (limits::CONNECTION_MEMORY_SHARD * 8 / (128 << 10));
        for port in 0..count as u16 {
            let (mut client, _) = wire.http2(port);
            wire.send(&mut client, &open);
            wire.send_in(&mut client, &more, 60_000);
            let _ = out.write_all(&wire.file);
            wire.file.clear();
        }
    };
    let run = run_with(&["-", "--json", "--threads", "1"], feed).within(512 + 32);
    assert!(run.limit("connection_memory") > 0);
}

#[test]
fn tiny_and_overlapping_fragments() {
    let whole = tcp(Flow::client(1000), ACK, &[b'x'; 64]);
    let mut wire = Wire::new();
    for id in 0..60_000_u16 {
        // The first eight octets, others in their place, and never the rest.
        wire.packet(&ipv4_of(6, id, 0x2000, &whole[..8]));
        wire.packet(&ipv4_of(6, id, 0x2000, &[0xff; 8]));
        wire.packet(&ipv4_of(6, id, 0x2002, &whole[16..24]));
    }
    // One datagram in more pieces than there may be.
    for place in 0..limits::FRAGMENTS_PER_DATAGRAM as u16 + 10 {
        wire.packet(&ipv4_of(6, 60_001, 0x2000 | (2 * place), &[1; 8]));
    }
    let run = run(&wire.file, &["--json"]).within(64);
    assert!(run.limit("fragment_table") > 0);
    assert!(run.limit("fragments_per_datagram") > 0);
}

#[test]
fn tunnels_in_tunnels() {
    for (tunnels, struck) in [(limits::TUNNEL_DEPTH, 0), (limits::TUNNEL_DEPTH + 1, 1), (100, 1)] {
        let mut wire = Wire::new();
        let mut packet = ipv4(6, 0, &tcp(Flow::client(1000), ACK, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        for _ in 0..tunnels {
            packet = ipv4(4, 0, &packet);
        }
        wire.packet(&packet);
        assert_eq!(run(&wire.file, &["--json"]).within(32).limit("tunnel_depth"), struck, "{tunnels}");
    }
}

#[test]
fn connections_that_end_and_begin_again() {
    let mut wire = Wire::new();
    for n in 0..20_000 {
        let (mut client, server) = wire.http2(1000);
        wire.send(&mut client, &request(n));
        wire.segment(client, FIN | ACK, &[]);
        wire.segment(server, FIN | ACK, &[]);
    }
    // The same ports and numbers again: late copies, or new connections, but nothing that grows.
    run(&wire.file, &["--json"]).within(96);
}
