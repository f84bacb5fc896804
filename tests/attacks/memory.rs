//! Many connections that each hold as much as they can: what all of them together take stays within `--memory` and 32 MiB,
//! twice as many take no more, and what had to go is counted; time and output stay in proportion.

use super::lens::{Run, run_with};
use super::measure::{CALLS, START, grows_in_proportion, in_proportion};
use super::wire::{ACK, FIN, Flow, REQUEST, RESPONSE, Wire, frame, insert, literal};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const SETTINGS: u8 = 4;
const END_HEADERS: u8 = 4;
const WHOLE: u8 = 5;

/// The least memory that may be asked for, and what the process may take beside it.
pub(super) const MEMORY: &str = "64M";
pub(super) const MOST: u64 = 64 + 32;

/// What h2lens makes of so many of these connections, each on a port of its own, and how many bytes they are.
fn run(count: u32, connection: impl Fn(&mut Wire, u16) + Sync, arguments: &[&str]) -> (Run, usize) {
    let mut sent = 0;
    let feed = |out: &mut dyn std::io::Write| {
        let mut wire = Wire::new();
        let mut send = |wire: &mut Wire| {
            sent += wire.file.len();
            let _ = out.write_all(&wire.file);
            wire.file.clear();
        };
        for n in 0..count {
            connection(&mut wire, n as u16);
            if wire.file.len() > 1 << 20 {
                send(&mut wire);
            }
        }
        send(&mut wire);
    };
    let run = run_with(&[&["-", "--threads", "1"], arguments].concat(), feed);
    (run, sent)
}

/// At two sizes, of which the smaller one fills the memory.
fn is_bounded(
    name: &str,
    count: u32,
    connection: impl Fn(&mut Wire, u16) + Sync,
    show: &str,
    limits: &[&str],
) {
    let show = format!("{show},telemetry");
    let arguments = ["--json", "--memory", MEMORY, "--show", &show];
    let measure = |count| {
        let (run, sent) = run(count, &connection, &arguments);
        let run = run.within(MOST);
        in_proportion(name, sent, &run, &arguments, CALLS);
        let struck = limits.iter().map(|limit| run.limit(limit)).sum::<u64>();
        assert!(struck > 0, "{name}: none of {limits:?}: {}", run.coverage()["limits"]);
        run
    };
    let [small, mut large] = [count, 2 * count].map(measure);
    if large.time > START + 3 * small.time {
        // Others on the machine may have slowed it down: what is out of proportion is so again.
        large = measure(2 * count);
    }
    grows_in_proportion(name, [&small, &large]);
}

fn is_bounded_by_room(name: &str, count: u32, connection: impl Fn(&mut Wire, u16) + Sync) {
    is_bounded(name, count, connection, "connections", &["connection_memory"]);
}

#[test]
fn open_streams_that_are_judged_and_timed() {
    let attack = |wire: &mut Wire, port| {
        let (mut client, _) = wire.http2(port);
        let requests: Vec<u8> =
            (0..6000).flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &REQUEST)).collect();
        wire.send_in(&mut client, &requests, 60_000);
    };
    is_bounded("6,000 open streams each, with findings", 16, attack, "findings", &["connection_memory"]);
}

#[test]
fn early_resets() {
    is_bounded_by_room("256 early resets each", 3000, |wire, port| {
        let (_, mut server) = wire.http2(port);
        let resets: Vec<u8> = (0..256).flat_map(|n| frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8])).collect();
        wire.send_in(&mut server, &resets, 60_000);
    });
}

#[test]
fn goaway_and_settings() {
    is_bounded_by_room("GOAWAY and settings, as many as are kept", 8000, |wire, port| {
        let (mut client, mut server) = wire.http2(port);
        let debug = [&[0, 0, 0, 1, 0, 0, 0, 0][..], &[b'd'; 256]].concat();
        let all: Vec<u8> = (0..8)
            .flat_map(|n| {
                [frame(GOAWAY, 0, 0, &debug), frame(SETTINGS, 0, 0, &[0xf0, n, 0, 0, 0, 1])].concat()
            })
            .collect();
        wire.send_in(&mut server, &all, 60_000);
        wire.send_in(&mut client, &all, 60_000);
    });
}

#[test]
fn header_tables() {
    is_bounded_by_room("100 entries in the tables of both sides", 6000, |wire, port| {
        let (mut client, mut server) = wire.http2(port);
        // A hundred small entries, which the table's size allows.
        let block: Vec<u8> = (0..100).flat_map(|n| insert(58, &[n; 4])).collect();
        wire.send_in(&mut client, &frame(HEADERS, WHOLE, 1, &[&REQUEST[..], &block].concat()), 60_000);
        wire.send_in(&mut server, &frame(HEADERS, WHOLE, 1, &[&RESPONSE[..], &block].concat()), 60_000);
    });
}

#[test]
fn half_read_heads() {
    is_bounded_by_room("half an HTTP/1.1 head each", 1500, |wire, port| {
        let (mut client, _) = wire.open(port);
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec(), vec![b'x'; 60_000]].concat();
        wire.send_in(&mut client, &head, 60_000);
    });
}

#[test]
fn half_read_header_blocks() {
    is_bounded_by_room("a header block each that does not end", 1500, |wire, port| {
        let (mut client, _) = wire.http2(port);
        wire.send_in(&mut client, &frame(HEADERS, 0, 1, &REQUEST), 60_000);
        wire.send_in(&mut client, &frame(9, 0, 1, &[0x20; 16_384]).repeat(4), 60_000);
    });
}

/// A client hello (RFC 8446 section 4.1.2) that offers as many protocols as are kept, of 200 octets each.
fn hello(port: u16) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let name = [&[200][..], &[b'p'; 200]].concat();
    let alpn = [&[0, 16][..], &sized(&sized(&name.repeat(32)))].concat();
    let random = [port.to_be_bytes(); 16].concat();
    let body = [&[3, 3][..], &random, &[0], &sized(&[0x13, 1, 0x13, 2]), &[1, 0], &sized(&alpn)].concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&message)].concat()
}

#[test]
fn hellos_that_offer_much() {
    is_bounded_by_room("a client hello each that offers 32 protocols", 4000, |wire, port| {
        let (mut client, _) = wire.open(port);
        wire.send_in(&mut client, &hello(port), 60_000);
    });
}

/// Ciphertext whose keys may still come.
#[test]
fn records_that_wait_for_secrets() {
    let attack = |wire: &mut Wire, port| {
        if port == 0 {
            *wire = Wire::pcapng();
        }
        let (mut client, mut server) = wire.open(port);
        for flow in [&mut client, &mut server] {
            let records = [&[23, 3, 3, 0, 20][..], &[port as u8; 20]].concat().repeat(1500);
            wire.send_in(flow, &records, 20);
        }
    };
    is_bounded(
        "records of TLS that wait for secrets",
        60,
        attack,
        "connections",
        &["connection_memory", "tls_held"],
    );
}

#[test]
fn holes_between_tiny_pieces() {
    let attack = |wire: &mut Wire, port| {
        let (client, _) = wire.http2(port);
        for n in 1..4000 {
            wire.segment(Flow { seq: client.seq + 2 * n, ..client }, ACK, b"x");
        }
    };
    is_bounded(
        "a hole before each of 4,000 octets",
        80,
        attack,
        "connections",
        &["connection_memory", "reassembly_total"],
    );
}

/// Within a minute of packet time, each is still remembered.
#[test]
fn connections_that_have_ended() {
    let attack = |wire: &mut Wire, port: u16| {
        let (client, server) = wire.open(port);
        wire.segment(client, FIN | ACK, &[]);
        wire.segment(server, FIN | ACK, &[]);
    };
    is_bounded("a handshake and its end each", 32_000, attack, "connections", &["ended_connections"]);
}

#[test]
fn connections_with_nothing_but_a_handshake() {
    let attack = |wire: &mut Wire, port: u16| {
        wire.open(port);
    };
    is_bounded_by_room("a handshake each", 32_000, attack);
}

/// In streams that CONNECT opened, connections that hold something each.
#[test]
fn tunnels_that_hold_something() {
    is_bounded_by_room("400 tunnels of CONNECT each", 16, |wire, port| {
        let (mut client, mut server) = wire.http2(port);
        let connect = [&[0x42, 7][..], b"CONNECT", &literal(1, b"a:1")].concat();
        let open = frame(HEADERS, 0, 1, &[0x20; 4000]);
        let within = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[]), &open].concat();
        for n in 0..400_u32 {
            wire.send(&mut client, &frame(HEADERS, END_HEADERS, 2 * n + 1, &connect));
            wire.send(&mut server, &frame(HEADERS, END_HEADERS, 2 * n + 1, &RESPONSE));
            wire.send_in(&mut client, &frame(0, 0, 2 * n + 1, &within), 60_000);
        }
    });
}
