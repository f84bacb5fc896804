//! Other protocols are not taken for HTTP/2.

use crate::support::conversation::Cut;
use crate::support::conversation::Event::Wrote;
use crate::support::{Analyze, Capture, Conversation, Ends, Random, Side};
use h2lens::record::ConnectionRecord;

/// Bytes of a protocol that is not HTTP/2, about so many.
type Generator = fn(&mut Random, usize) -> Vec<u8>;

const PROTOCOLS: [(&str, Generator); 12] = [
    ("random bytes", |random, len| random.bytes(len)),
    ("zeros", |_, len| vec![0; len]),
    ("ones", |_, len| vec![0xff; len]),
    ("text", words),
    ("TLS records", tls_records),
    ("HTTP/1.1", http1),
    ("32-bit lengths and small numbers, as Kafka", length_prefixed),
    ("gRPC messages", grpc_messages),
    ("tagged values, as LDAP", tagged),
    ("small integers", |random, len| (0..len).map(|_| random.below(10) as u8).collect()),
    ("sparse bytes", |random, len| {
        (0..len).map(|_| if random.chance(150) { random.next() as u8 } else { 0 }).collect()
    }),
    ("lines of numbers, as Redis", |random, len| {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            bytes.extend(format!("*2\r\n$3\r\nGET\r\n$8\r\n{:08x}\r\n", random.next() as u32).bytes());
        }
        bytes
    }),
];

fn words(random: &mut Random, len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] =
        ["the ", "PRI * ", "HTTP/2.0 ", "GET / ", "\r\n\r\n", "SM", "quick\n", "{\"id\":1}"];
    let mut bytes = Vec::new();
    while bytes.len() < len {
        bytes.extend(random.pick(&WORDS).bytes());
    }
    bytes
}

fn tls_records(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let size = random.between(1, 1400);
        bytes.extend([*random.pick(&[20, 21, 22, 23, 23, 23]), 3, 3]);
        bytes.extend((size as u16).to_be_bytes());
        bytes.extend(random.bytes(size));
    }
    bytes
}

fn http1(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let size = random.below(500);
        let start = *random.pick(&["GET /a HTTP/1.1\r\nHost: a", "HTTP/1.1 200 OK\r\nServer: b"]);
        bytes.extend(format!("{start}\r\nContent-Length: {size}\r\n\r\n").bytes());
        bytes.extend(random.bytes(size));
    }
    bytes
}

fn length_prefixed(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let size = random.between(8, 200);
        bytes.extend((size as u32).to_be_bytes());
        bytes.extend([0, random.below(20) as u8, 0, random.below(12) as u8, 0, 0, 0, random.next() as u8]);
        bytes.extend((8..size).map(|_| if random.chance(500) { 0 } else { random.below(64) as u8 }));
    }
    bytes
}

fn grpc_messages(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let size = random.below(60);
        bytes.push(0);
        bytes.extend((size as u32).to_be_bytes());
        bytes.extend(random.bytes(size));
    }
    bytes
}

fn tagged(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let size = random.below(40);
        bytes.extend([0x30, size as u8 + 5, 2, 1, random.below(9) as u8, 4, size as u8]);
        bytes.extend(random.bytes(size));
    }
    bytes
}

/// The middle of a DATA frame, of which neither the beginning nor the end was captured, with any content.
fn inside_data(random: &mut Random, len: usize) -> Vec<u8> {
    let (_, content) = *random.pick(&PROTOCOLS);
    let skipped = random.below(50);
    content(random, len + skipped)[skipped..].to_vec()
}

/// Five hundred connections, with handshake or without, of one direction or both.
fn connections(seed: u64) -> Capture {
    let mut random = Random::new(seed);
    let connection = |n: u16| {
        let (_, protocol) = *random.pick(&PROTOCOLS);
        let protocol = if random.chance(80) { inside_data as Generator } else { protocol };
        let mut conversation = Conversation::new(Ends::v4(n), random.next());
        if random.chance(500) {
            conversation.handshake();
        }
        let sides: &[Side] =
            [&[Side::Client, Side::Server][..], &[Side::Client], &[Side::Server]][random.below(3)];
        for _ in 0..random.between(1, 4) {
            let side = *random.pick(sides);
            let len = random.between(1, 3000);
            let bytes = protocol(&mut random, len);
            let cut = *random.pick(&[Cut::Writes, Cut::Full, Cut::Random]);
            conversation.events(&[Wrote(side, bytes)], cut);
        }
        conversation.capture()
    };
    Capture::merged((0..500).map(connection))
}

#[test]
fn ten_thousand_connections_of_other_protocols() {
    for seed in 0..20 {
        let capture = connections(seed);
        let outcome = Analyze::capture(&capture).run();
        assert_eq!(outcome.transactions().next(), None, "seed {seed}");
        for connection in outcome.connections() {
            let ConnectionRecord { is_http2, how, .. } = connection;
            assert_eq!((is_http2, how), (&false, &None), "seed {seed}: {connection:?}");
        }
        assert_eq!(outcome.coverage().connections_http2, 0, "seed {seed}");
        assert_eq!(outcome.coverage().packets_with_http2, 0, "seed {seed}");
    }
}
