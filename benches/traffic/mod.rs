//! Traffic to measure on: real `h2` endpoints in this process, recorded, as a capture of TCP segments. The same for
//! every run, but for what TLS makes random.

use crate::support::conversation::{Conversation, Cut, Ends, Event, Side};
use crate::support::endpoints::{Setup, record};
use crate::support::plan::{Answer, Plan};
use crate::support::{Capture, Random, tls};
use std::io::Write;
use tempfile::NamedTempFile;

/// A capture file, and what is in it.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) file: NamedTempFile,
    pub(crate) keys: String,
    pub(crate) exchanges: u64,
}

/// Connections that run at the same time, of so many small exchanges each.
pub(crate) fn cleartext(connections: u16, exchanges: usize) -> Traffic {
    Traffic::of(
        (0..connections).map(|n| (record(plans(n, exchanges), Setup::default()).events, String::new())),
        exchanges,
    )
}

/// The same inside TLS 1.3 with AES-128-GCM.
pub(crate) fn encrypted(connections: u16, exchanges: usize) -> Traffic {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let one = |n| {
        let recorded = tls::record(plans(n, exchanges), Setup::default(), suite);
        (recorded.recording.events, recorded.keys)
    };
    Traffic::of((0..connections).map(one), exchanges)
}

impl Traffic {
    fn of(recordings: impl Iterator<Item = (Vec<Event>, String)>, exchanges: usize) -> Self {
        let (mut captures, mut keys) = (Vec::new(), String::new());
        for (n, (events, secrets)) in (0..).zip(recordings) {
            captures.push(Conversation::of(Ends::v4(n), n.into(), &events, Cut::Full).capture());
            keys += &secrets;
        }
        let connections = captures.len();
        let bytes = Capture::merged(captures).pcap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        Self { file, keys, exchanges: (connections * exchanges) as u64 }
    }
}

/// What a service with an interface in JSON is asked, and answers.
fn plans(connection: u16, exchanges: usize) -> Vec<Plan> {
    let mut random = Random::new(connection.into());
    (0..exchanges).map(|_| plan(&mut random)).collect()
}

fn plan(random: &mut Random) -> Plan {
    let user = random.below(400);
    let path = if random.chance(800) {
        format!("/api/v1/users/{user}?q={:x}&page={}", random.next() >> 24, random.below(99))
    } else {
        format!("/api/v1/users/{user}")
    };
    let status = if random.chance(30) { 404 } else { 200 };
    let mut plan = Plan::new("GET", &path, status, random.between(20, 600));
    plan.headers = fields(&[
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("accept", "application/json"),
        ("x-request-id", "4f0c6b1e-9b1f-4a33-9c1c-1f2e3d4c5b6a"),
    ]);
    plan.answer.headers = fields(&[
        ("server", "origin"),
        ("content-type", "application/json"),
        ("cache-control", "max-age=3600"),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ]);
    plan
}

fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Header blocks of a client, and how many of their fields are of the kind asked for.
#[derive(Debug)]
pub(crate) struct Blocks {
    pub(crate) blocks: Vec<Vec<u8>>,
    pub(crate) fields: u64,
}

/// Literals that are not indexed, of 20 Huffman-coded characters.
pub(crate) fn literals(blocks: usize) -> Blocks {
    let mut random = Random::new(1);
    // The endpoint sends what is secret as a literal.
    let mut value = || ("authorization".to_owned(), format!("{:020x}", random.next()));
    let headers: Vec<Vec<_>> = (0..blocks).map(|_| (0..100).map(|_| value()).collect()).collect();
    let blocks = blocks_of(headers);
    Blocks { fields: blocks.len() as u64 * 100, blocks }
}

/// Fields that are an index into the dynamic table, each.
pub(crate) fn indices(blocks: usize) -> Blocks {
    let headers = (0..40).map(|n| (format!("x-{n}"), "a value that is not long".to_owned())).collect();
    let blocks = blocks_of(vec![headers; blocks]);
    // The first one fills the table: it is one of many.
    Blocks { fields: blocks.len() as u64 * 40, blocks }
}

fn blocks_of(headers: Vec<Vec<(String, String)>>) -> Vec<Vec<u8>> {
    let plan = |headers| Plan {
        headers,
        answer: Answer { status: 200, ..Answer::default() },
        ..Plan::new("GET", "/", 200, 0)
    };
    let setup = Setup { lanes: 1, ..Setup::default() };
    let events = record(headers.into_iter().map(plan).collect(), setup).events;
    let sent = events.iter().filter_map(|event| match event {
        Event::Wrote(Side::Client, bytes) => Some(&bytes[..]),
        _ => None,
    });
    let stream: Vec<u8> = sent.collect::<Vec<_>>().concat();
    let (mut blocks, mut rest) = (Vec::new(), &stream[24..]);
    while let [a, b, c, kind, flags, _, _, _, _, ..] = *rest {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let (frame, after) = rest.split_at(9 + length);
        if kind == 1 {
            assert_eq!(flags & !1, 4, "END_HEADERS, neither padding nor priority");
            blocks.push(frame[9..].to_vec());
        }
        rest = after;
    }
    blocks
}
