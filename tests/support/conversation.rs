//! Byte streams → TCP segments: a connection as a capture point between two hosts sees it.

use super::random::Random;
use super::{Capture, Packet};
use std::net::{IpAddr, SocketAddr};

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What an end did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Wrote(Side, Vec<u8>),
    Closed(Side),
}

/// The two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
}

impl Ends {
    /// 10.0.0.1, a port of its own → 10.0.0.2 port 8080.
    pub(crate) fn v4(n: u16) -> Self {
        Self { client: ([10, 0, 0, 1], 32_768 + n).into(), server: ([10, 0, 0, 2], 8080).into() }
    }

    /// The same with IPv6.
    pub(crate) fn v6(n: u16) -> Self {
        let ip = |last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        Self { client: (ip(1), 32_768 + n).into(), server: (ip(2), 8080).into() }
    }

    const fn of(&self, side: Side) -> SocketAddr {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }
}

/// How streams are cut into segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A segment a write, of at most 65,000 bytes, as on a loopback interface.
    Writes,
    /// Full segments of 1,448 bytes, writes run together where none of the other side comes between.
    Full,
    /// 1 to 1,448 bytes.
    Random,
    /// 1 to 9 bytes.
    Tiny,
}

impl Cut {
    pub(crate) const ALL: [Self; 4] = [Self::Writes, Self::Full, Self::Random, Self::Tiny];

    const fn size(self, random: &mut Random) -> usize {
        match self {
            Self::Writes => 65_000,
            Self::Full => 1448,
            Self::Random => random.between(1, 1448),
            Self::Tiny => random.between(1, 9),
        }
    }
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A connection in the making.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    ends: Ends,
    /// Next sequence number of each side.
    seq: [u32; 2],
    /// What each side has acknowledged.
    acked: [u32; 2],
    clock: u64,
    random: Random,
    packets: Vec<Packet>,
}

impl Conversation {
    /// 2023-11-14, and a seed for times, sequence numbers and cuts.
    pub(crate) fn new(ends: Ends, seed: u64) -> Self {
        let mut random = Random::new(seed);
        // One in four near the wrap.
        let mut initial = || {
            let any = random.next() as u32;
            if any.is_multiple_of(4) { u32::MAX - any % 5000 } else { any }
        };
        let seq = [initial(), initial()];
        let clock = 1_700_000_000_000_000_000;
        Self { ends, seq, acked: [seq[1], seq[0]], clock, random, packets: Vec::new() }
    }

    /// Begins so many nanoseconds later.
    pub(crate) const fn after(mut self, nanos: u64) -> Self {
        self.clock += nanos;
        self
    }

    /// A whole connection: handshake, what the ends did, in their order, and acknowledgments.
    pub(crate) fn of(ends: Ends, seed: u64, events: &[Event], cut: Cut) -> Self {
        let mut this = Self::new(ends, seed);
        this.handshake();
        this.events(events, cut);
        this
    }

    pub(crate) fn capture(self) -> Capture {
        Capture { packets: self.packets }
    }

    pub(crate) fn handshake(&mut self) {
        self.push(Side::Client, SYN, &[]);
        self.seq[0] = self.seq[0].wrapping_add(1);
        self.acked[1] = self.seq[0];
        self.push(Side::Server, SYN | ACK, &[]);
        self.seq[1] = self.seq[1].wrapping_add(1);
        self.ack(Side::Client);
    }

    /// Sends what was written, cut up; closes what was closed.
    pub(crate) fn events(&mut self, events: &[Event], cut: Cut) {
        let mut run: Option<(Side, Vec<u8>)> = None;
        for event in events {
            match (event, &mut run) {
                (Event::Wrote(side, bytes), Some((from, held))) if from == side && cut != Cut::Writes => {
                    held.extend(bytes);
                }
                (Event::Wrote(side, bytes), _) => {
                    self.cut_up(run.replace((*side, bytes.clone())), cut);
                }
                (Event::Closed(side), _) => {
                    self.cut_up(run.take(), cut);
                    self.fin(*side);
                }
            }
        }
        self.cut_up(run, cut);
    }

    fn cut_up(&mut self, run: Option<(Side, Vec<u8>)>, cut: Cut) {
        let Some((from, bytes)) = run else { return };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let size = cut.size(&mut self.random).min(rest.len());
            let (segment, after) = rest.split_at(size);
            self.data(from, segment);
            rest = after;
            // The receiver acknowledges every other segment or so, and the last.
            if rest.is_empty() || self.random.chance(500) {
                self.ack(from.peer());
            }
        }
    }

    pub(crate) fn data(&mut self, from: Side, bytes: &[u8]) {
        self.push(from, ACK | PSH, bytes);
        let seq = &mut self.seq[from as usize];
        *seq = seq.wrapping_add(bytes.len() as u32);
    }

    pub(crate) fn ack(&mut self, from: Side) {
        self.acked[from as usize] = self.seq[from.peer() as usize];
        self.push(from, ACK, &[]);
    }

    pub(crate) fn fin(&mut self, from: Side) {
        self.push(from, FIN | ACK, &[]);
        let seq = &mut self.seq[from as usize];
        *seq = seq.wrapping_add(1);
        self.ack(from.peer());
    }

    pub(crate) fn rst(&mut self, from: Side) {
        self.push(from, RST | ACK, &[]);
    }

    fn push(&mut self, from: Side, flags: u8, payload: &[u8]) {
        self.clock += self.random.between(5_000, 90_000) as u64;
        let (src, dst) = (self.ends.of(from), self.ends.of(from.peer()));
        // Data carries what the sender has received so far, sometimes; else what it has acknowledged.
        if !payload.is_empty() && self.random.chance(300) {
            self.acked[from as usize] = self.seq[from.peer() as usize];
        }
        let ack = if flags & ACK == 0 { 0 } else { self.acked[from as usize] };
        let bytes = frame(src, dst, self.seq[from as usize], ack, flags, payload);
        self.packets.push(Packet::new(self.clock, bytes));
    }
}

/// An Ethernet frame with a TCP segment. Checksums are zero, as where the network card computes them.
pub(crate) fn frame(
    src: SocketAddr,
    dst: SocketAddr,
    seq: u32,
    ack: u32,
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let tcp_len = 20 + payload.len();
    match (src.ip(), dst.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            bytes.extend([0x08, 0x00, 0x45, 0]);
            bytes.extend(((20 + tcp_len) as u16).to_be_bytes());
            bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            bytes.extend((tcp_len as u16).to_be_bytes());
            bytes.extend([6, 64]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
        }
        _ => panic!("{src} and {dst} cannot talk"),
    }
    bytes.extend(src.port().to_be_bytes());
    bytes.extend(dst.port().to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}
