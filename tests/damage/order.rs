//! Reordering and copies: what is told stays the same.

use super::samples;
use super::truth::{Essence, difference};
use crate::support::conversation::Side;
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome, Random};
use h2lens::base::tcp::DirectionStats;
use h2lens::http2::PerSide;
use h2lens::record::{
    ConnectionRecord, Goaway, Recognition, SideFrames, SideHpack, SideSettings, View, Wanted,
};
use h2lens::{Endpoint, Timestamp};
use std::path::Path;

/// What must not change: transactions, what connections carried, the exact counters.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    exchanges: Vec<Essence>,
    connections: Vec<Carried>,
    exact: View,
}

/// What a connection carried.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    ends: (Endpoint, Endpoint),
    how: (Option<Recognition>, bool, bool),
    transactions: u64,
    opened: u64,
    settings: [SideSettings; 2],
    frames: [SideFrames; 2],
    goaway: Vec<Goaway>,
    hpack: [SideHpack; 2],
    /// Bytes and holes of each side.
    tcp: Option<[(u64, u64); 2]>,
}

fn carried(connection: &ConnectionRecord) -> Carried {
    let ConnectionRecord { meta, how, is_http2, upgrade_declined, transactions, streams_opened, .. } =
        connection.clone();
    // When a GOAWAY was captured is time.
    let timeless = |goaway: &Goaway| Goaway { at: Timestamp::default(), ..goaway.clone() };
    let tcp = |side: DirectionStats| (side.bytes, side.gaps);
    Carried {
        ends: (meta.client, meta.server),
        how: (how, is_http2, upgrade_declined),
        transactions,
        opened: streams_opened,
        settings: [connection.client_settings.clone(), connection.server_settings.clone()],
        frames: [connection.client_frames, connection.server_frames],
        goaway: connection.goaway.iter().map(timeless).collect(),
        hpack: [connection.client_hpack, connection.server_hpack],
        tcp: connection.tcp_by_side().map(|PerSide { client, server }| [tcp(client), tcp(server)]),
    }
}

fn told(outcome: &Outcome) -> Told {
    let mut calls: Vec<_> = outcome.transactions().collect();
    calls.sort_by_key(|call| (call.connection.client, call.connection.server, call.stream));
    let mut connections: Vec<_> = outcome.connections().map(carried).collect();
    connections.sort_by_key(|connection| connection.ends);
    let exchanges = calls.iter().map(|call| Essence::of(call).until_reset()).collect();
    Told { exchanges, connections, exact: outcome.report.exact }
}

fn assert_same(outcome: &Outcome, whole: &Outcome, what: &str) {
    let (told, truth) = (told(outcome), told(whole));
    assert!(told == truth, "{what}: {}", difference(&told, &truth));
    assert!(outcome.complete(), "{what}: {:?}", outcome.coverage());
}

/// Damages each sample in ten ways, more and more, and compares.
fn assert_unchanged(damage: impl Fn(Capture, usize, &mut Random) -> Capture) {
    for (n, sample) in samples().iter().enumerate() {
        for seed in 0..10 {
            let permille = [1, 10, 50, 200, 500][seed as usize % 5];
            let capture = damage(sample.capture.clone(), permille, &mut Random::new(seed));
            let what = format!("sample {n}, seed {seed}");
            assert_same(&Analyze::capture(&capture).run(), &sample.whole, &what);
        }
    }
}

#[test]
fn reordered_packets_change_nothing() {
    assert_unchanged(Capture::reordered);
}

#[test]
fn repeated_packets_change_nothing() {
    assert_unchanged(Capture::repeated);
}

#[test]
fn both_change_nothing() {
    assert_unchanged(|capture, permille, random| {
        // With more, segments that change places again and again come later than a hole is waited for.
        let permille = permille.min(100);
        capture.repeated(permille, random).reordered(permille, random)
    });
}

/// By some packets: the server's come before the client's SYN, or much later.
#[test]
fn directions_apart_change_nothing() {
    assert_unchanged(apart);
}

#[test]
fn directions_apart_and_out_of_order_change_nothing() {
    assert_unchanged(|capture, permille, random| {
        apart(capture, permille, random).reordered(permille.min(100), random)
    });
    assert_unchanged(|capture, permille, random| {
        let capture = capture.reordered(permille.min(100), random);
        apart(capture, permille, random)
    });
}

fn apart(capture: Capture, permille: usize, random: &mut Random) -> Capture {
    let client = capture.packets[0].flow().unwrap().0;
    let client = u16::from_be_bytes(*client.last_chunk().unwrap());
    capture.apart(*random.pick(&[8080, client]), 1 + permille / 10)
}

/// With each direction captured later than the other, by any number of packets.
fn assert_same_apart(capture: &Capture, whole: &Outcome) {
    let connection = whole.transactions().next().unwrap().connection;
    for port in [connection.client.port, connection.server.port] {
        for places in 0..capture.packets.len() {
            let outcome = Analyze::capture(&capture.clone().apart(port, places)).run();
            assert_same(&outcome, whole, &format!("port {port}, {places} places"));
        }
    }
}

/// What the server sends is recognised when only a part of the preface was captured.
#[test]
fn a_preface_in_pieces_is_found_behind_the_servers_frames() {
    let request = [0, 0, 4, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x81];
    let answer = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];
    for cut in 1..24 {
        let mut conversation = Conversation::new(Ends::v4(0), 1);
        conversation.handshake();
        let (begin, end) = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".split_at(cut);
        conversation.data(Side::Client, begin);
        conversation.data(Side::Client, &[end, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat());
        conversation.data(Side::Client, &request);
        conversation.data(Side::Server, &[&[0, 0, 0, 4, 0, 0, 0, 0, 0][..], &answer].concat());
        let mut capture = conversation.capture();
        // The beginning of the preface, the server's bytes, and the rest of the client's.
        let at = |n| capture.packets.iter().enumerate().filter(|(_, it)| it.has_payload()).nth(n).unwrap().0;
        let (rest, server) = (at(1), at(3));
        capture.packets[rest..=server].rotate_right(1);
        let outcome = Analyze::capture(&capture.restamped()).run();
        assert!(outcome.complete() && outcome.transactions().all(|call| call.is_complete()), "{cut}");
        let told: Vec<_> = outcome.connections().map(|it| it.how).collect();
        assert_eq!(told, [Some(Recognition::PriorKnowledge)], "{cut}");
    }
}

/// HTTP/1.1 leads to HTTP/2 in whatever order its messages were captured.
#[test]
fn an_upgrade_is_found_in_any_order() {
    let capture = Capture::read(Path::new("testdata/curl-upgrade.pcap"));
    let whole = Analyze::capture(&capture).run();
    let upgraded = |connection: &ConnectionRecord| connection.how == Some(Recognition::Upgrade);
    assert!(whole.complete() && whole.connections().any(upgraded));
    assert_same_apart(&capture, &whole);
}

/// A request to upgrade.
const ASK: &[u8] = b"GET /b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";

/// The same, behind other requests; all responses may come before the first of them.
#[test]
fn an_upgrade_is_found_behind_other_requests() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    for length in [5, 12_000, 0] {
        conversation.data(Side::Client, b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        conversation.data(Side::Server, head.as_bytes());
        for part in vec![b'x'; length].chunks(1400) {
            conversation.data(Side::Server, part);
        }
    }
    for part in ASK.chunks(50) {
        conversation.data(Side::Client, part);
    }
    conversation.data(Side::Server, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n");
    let frames = b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88";
    conversation.data(Side::Server, &[b"Upgrade: h2c\r\n\r\n", &frames[..]].concat());
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    conversation.data(Side::Client, b"\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x84");
    conversation.data(Side::Server, b"\0\0\x01\x01\x05\0\0\0\x03\x89");
    let capture = conversation.capture();
    let whole = Analyze::capture(&capture).run();
    let statuses: Vec<_> = whole.transactions().filter_map(|call| call.status()).collect();
    assert!(whole.complete() && statuses == [200, 204], "{:?}", whole.records);
    assert_same_apart(&capture, &whole);
}

/// Bodies of HTTP/1.1 are passed over, however long.
#[test]
fn a_download_before_an_upgrade_takes_nothing() {
    for last in [false, true] {
        let mut conversation = Conversation::new(Ends::v4(0), 1);
        conversation.handshake();
        conversation.data(Side::Client, b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        let head: &[u8] = if last {
            b"HTTP/1.1 200 OK\r\n\r\n"
        } else {
            b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n"
        };
        conversation.data(Side::Server, head);
        for _ in 0..600 {
            conversation.data(Side::Server, &[b'x'; 1000]);
        }
        if !last {
            conversation.data(Side::Client, ASK);
            conversation.data(Side::Server, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
            conversation.data(Side::Server, b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88");
        }
        let outcome = Analyze::capture(&conversation.capture()).run();
        assert_eq!(outcome.transactions().count(), usize::from(!last));
        assert!(outcome.coverage().limits.is_empty());
    }
}

/// A server uses a larger dynamic table: the settings that allow it may be captured later.
#[test]
fn a_larger_table_is_allowed_in_any_order() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x01\0\x01\0\0";
    conversation.data(Side::Client, &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat());
    conversation.data(Side::Server, b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
    conversation.data(Side::Client, b"\0\0\0\x04\x01\0\0\0\0\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84");
    // A dynamic table size update to 65,536 (RFC 7541 section 6.3), and more than 4,096 octets of entries.
    let long = [b"\x40\x01a\x7f\xb9\x16", &[b'x'; 3000][..]].concat();
    let block = [b"\x3f\xe1\xff\x03\x88", &long[..], &long, b"\xbf"].concat();
    let [_, a, b, c] = (block.len() as u32).to_be_bytes();
    conversation.data(Side::Server, &[&[a, b, c, 1, 5, 0, 0, 0, 1][..], &block].concat());
    let capture = conversation.capture();
    let whole = Analyze::capture(&capture).run();
    assert_eq!(whole.transactions().next().unwrap().response.headers.len(), 4, "{:?}", whole.records);
    assert_same_apart(&capture, &whole);
}

/// What comes before the preface is known however late it was captured.
#[test]
fn a_proxy_header_is_found_in_any_order() {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 80\r\n");
    conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    conversation.data(Side::Server, b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
    for stream in [1, 3, 5, 7, 9, 11, 13] {
        conversation.data(Side::Client, &[0, 0, 3, 1, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84]);
        conversation.data(Side::Server, &[0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88]);
    }
    conversation.fin(Side::Client);
    conversation.fin(Side::Server);
    let capture = conversation.capture();
    let whole = Analyze::capture(&capture).run();
    assert!(whole.complete() && whole.transactions().count() == 7);
    assert_same_apart(&capture, &whole);
}

/// A server answers what is captured only seconds later. If it has acknowledged it, that had come before.
#[test]
fn what_was_acknowledged_was_sent_before() {
    for acknowledged in [true, false] {
        let mut conversation = Conversation::new(Ends::v4(0), 1);
        conversation.handshake();
        conversation.data(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        conversation.data(Side::Server, b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
        conversation.data(Side::Client, b"\0\0\0\x04\x01\0\0\0\0");
        conversation.ack(Side::Server);
        let mut capture = conversation.clone().capture();
        conversation.data(Side::Client, b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84");
        conversation.ack(Side::Server);
        conversation.data(Side::Server, b"\0\0\x01\x01\x05\0\0\0\x01\x88");
        let [.., request, ack, response] = &mut conversation.capture().packets[..] else { panic!() };
        request.time += 5_000_000_000;
        if !acknowledged {
            let field = response.payload_start().unwrap() - 12..;
            let received = u32::from_be_bytes(ack.bytes[ack.bytes.len() - 12..][..4].try_into().unwrap());
            response.bytes[field][..4].copy_from_slice(&(received - 12).to_be_bytes());
        } else {
            capture.packets.push(ack.clone());
        }
        capture.packets.extend([response.clone(), request.clone()]);
        let wanted = Wanted { transactions: true, findings: true, ..Wanted::default() };
        let outcome = Analyze::capture(&capture).wanted(wanted).run();
        assert_eq!(outcome.transactions().count(), 1);
        let found: Vec<_> = outcome.findings().map(|(_, finding)| finding.code).collect();
        assert_eq!(found, if acknowledged { &[][..] } else { &["stream_idle"] });
    }
}
