//! Packets and frames, made by hand: an attacker keeps no rules.

use super::files::{enhanced_packet, interface, section};
use std::collections::BTreeMap;

/// A capture of raw IP packets, in a classic pcap file.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) file: Vec<u8>,
    is_pcapng: bool,
    nanos: u64,
    /// What each end has sent: the other one acknowledges it.
    sent: BTreeMap<(u16, u16), u32>,
}

/// A side of a TCP connection: its ports, and where its stream is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) src: u16,
    pub(super) dst: u16,
    pub(super) seq: u32,
}

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const ACK: u8 = 16;

impl Flow {
    /// From a client's port to 8080.
    pub(super) fn client(port: u16) -> Self {
        Self { src: port, dst: 8080, seq: 1 }
    }

    /// The way back.
    pub(super) fn server(port: u16) -> Self {
        Self { src: 8080, dst: port, seq: 1 }
    }
}

impl Wire {
    pub(super) fn new() -> Self {
        let mut file = Vec::new();
        file.extend(0xa1b2_3c4d_u32.to_le_bytes());
        file.extend([2, 0, 4, 0]);
        for field in [0, 0, 262_144, 101_u32] {
            file.extend(field.to_le_bytes());
        }
        Self { file, is_pcapng: false, nanos: 1_700_000_000_000_000_000, sent: BTreeMap::new() }
    }

    /// As pcapng, in which TLS secrets may come at any time.
    pub(super) fn pcapng() -> Self {
        Self { file: [section(), interface()].concat(), is_pcapng: true, ..Self::new() }
    }

    /// Any packet, a microsecond after the last.
    pub(super) fn packet(&mut self, bytes: &[u8]) {
        self.nanos += 1000;
        if self.is_pcapng {
            self.file.extend(enhanced_packet(0, self.nanos / 1000, bytes));
            return;
        }
        let len = bytes.len() as u32;
        for field in [(self.nanos / 1_000_000_000) as u32, (self.nanos % 1_000_000_000) as u32, len, len] {
            self.file.extend(field.to_le_bytes());
        }
        self.file.extend(bytes);
    }

    /// Time that passes before the next packet.
    pub(super) fn wait(&mut self, time: std::time::Duration) {
        self.nanos += time.as_nanos() as u64;
    }

    /// The clock is set back before the next packet.
    pub(super) fn back(&mut self, time: std::time::Duration) {
        self.nanos -= time.as_nanos() as u64;
    }

    /// A segment that does not move the stream.
    pub(super) fn segment(&mut self, flow: Flow, flags: u8, payload: &[u8]) {
        let mut packet = ipv4(6, 0, &tcp(flow, flags, payload));
        if flow.src == 8080 {
            (packet[15], packet[19]) = (2, 1); // the way back
        }
        let sent = payload.len() as u32 + u32::from(flags & SYN != 0);
        self.sent.insert((flow.src, flow.dst), flow.seq.wrapping_add(sent));
        let ack = self.sent.get(&(flow.dst, flow.src)).copied().unwrap_or(1);
        packet[28..32].copy_from_slice(&ack.to_be_bytes());
        self.packet(&packet);
    }

    /// SYN of both sides.
    pub(super) fn open(&mut self, port: u16) -> (Flow, Flow) {
        let (mut client, mut server) = (Flow::client(port), Flow::server(port));
        self.segment(client, SYN, &[]);
        self.segment(server, SYN | ACK, &[]);
        (client.seq, server.seq) = (2, 2);
        (client, server)
    }

    /// The next bytes of a stream, in segments of 1,400.
    pub(super) fn send(&mut self, flow: &mut Flow, bytes: &[u8]) {
        self.send_in(flow, bytes, 1400);
    }

    /// In segments of `size`.
    pub(super) fn send_in(&mut self, flow: &mut Flow, bytes: &[u8], size: usize) {
        for part in bytes.chunks(size) {
            self.segment(*flow, ACK, part);
            flow.seq = flow.seq.wrapping_add(part.len() as u32);
        }
    }

    /// A connection with its preface and the settings of both sides.
    pub(super) fn http2(&mut self, port: u16) -> (Flow, Flow) {
        let (mut client, mut server) = self.open(port);
        self.send(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        self.send(&mut client, &frame(4, 0, 0, &[]));
        self.send(&mut server, &frame(4, 0, 0, &[]));
        self.send(&mut client, &frame(4, 1, 0, &[]));
        self.send(&mut server, &frame(4, 1, 0, &[]));
        (client, server)
    }
}

/// A TCP segment.
pub(super) fn tcp(flow: Flow, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + payload.len());
    out.extend(flow.src.to_be_bytes());
    out.extend(flow.dst.to_be_bytes());
    out.extend(flow.seq.to_be_bytes());
    out.extend([0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(payload);
    out
}

/// An IPv4 packet of 10.0.0.1 and 10.0.0.2; `place` is the field with the fragment's offset and flags.
pub(super) fn ipv4(protocol: u8, place: u16, body: &[u8]) -> Vec<u8> {
    ipv4_of(protocol, 0, place, body)
}

/// An IPv6 packet.
pub(super) fn ipv6(src: u128, dst: u128, protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x60, 0, 0, 0];
    out.extend((body.len() as u16).to_be_bytes());
    out.extend([protocol, 64]);
    out.extend(src.to_be_bytes());
    out.extend(dst.to_be_bytes());
    out.extend(body);
    out
}

/// With an identification.
pub(super) fn ipv4_of(protocol: u8, id: u16, place: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    for field in [20 + body.len() as u16, id, place] {
        out.extend(field.to_be_bytes());
    }
    out.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    out.extend(body);
    out
}

/// A frame (RFC 9113 section 4.1).
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// `:method GET`, `:scheme http`, `:path /`, and no more.
pub(super) const REQUEST: [u8; 3] = [0x82, 0x86, 0x84];
/// `:status 200`.
pub(super) const RESPONSE: [u8; 1] = [0x88];

/// A literal that is inserted, its name by index.
pub(super) fn insert(index: u8, value: &[u8]) -> Vec<u8> {
    literal(0x40 | index, value)
}

/// A literal with this first byte.
pub(super) fn literal(first: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    if value.len() < 127 {
        out.push(value.len() as u8);
    } else {
        out.push(127);
        let mut rest = value.len() - 127;
        while rest >= 128 {
            out.push(128 | (rest % 128) as u8);
            rest /= 128;
        }
        out.push(rest as u8);
    }
    out.extend(value);
    out
}
