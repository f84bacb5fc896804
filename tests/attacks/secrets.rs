//! TLS secrets that come one by one, beside connections that wait for some.

use super::files::{block, interface, section};
use super::lens::{Run, run_with};
use super::wire::{ACK, Wire};
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

/// So many connections that wait for secrets, and then so many blocks with one secret each, of other
/// connections, each behind a packet.
fn capture(connections: u32, secrets: u32) -> Vec<u8> {
    let mut wire = Wire::new();
    for number in 0..connections {
        let (mut client, mut server) = wire.open(2000 + number as u16);
        wire.send(&mut client, &hello(1, number));
        wire.send(&mut server, &hello(2, number));
        wire.send(&mut server, &record(23, &[0xa5; 64]));
    }
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
        file.extend(block(6, &[&[0; 12][..], &len.to_le_bytes(), &len.to_le_bytes(), bytes].concat()));
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

/// Secrets in between divide what was read at once: that must not be copied for each of them.
#[test]
fn secrets_between_packets_cost_what_they_are() {
    let [few, many] = [1, 8000].map(|secrets| analyze(&capture(0, secrets)).time);
    let [_, twice] = [1, 16_000].map(|secrets| analyze(&capture(0, secrets)).time);
    assert!(twice <= START + 3 * many, "{twice:?} after {many:?}, {few:?}");
}
