//! Captures made in memory, and what is read back from them. For tests only.

use super::batch::{Batch, LinkType};
use super::damage::{Damage, DamageLog};
use super::file::{FILE_HEADER, Order};
use super::reader::Reader;
use super::source::{OpenErrorKind, Source};
use crate::base::tuning;
use std::io::{self, Cursor, Read};

/// A packet as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read1 {
    pub(super) nanos: u64,
    pub(super) link: u16,
    pub(super) original: u32,
    pub(super) bytes: Vec<u8>,
}

/// What reading an input gave.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) packets: Vec<Read1>,
    /// Secrets, and how many packets came before them.
    pub(super) secrets: Vec<(usize, Vec<u8>)>,
    pub(super) damage: Vec<Damage>,
    /// Packets dropped while the capture was made.
    pub(super) dropped: u64,
}

impl Outcome {
    pub(super) fn add(&mut self, batch: &Batch) {
        let before = self.packets.len();
        self.secrets.extend(batch.secrets.iter().map(|(index, text)| (before + index, text.clone())));
        self.packets.extend(batch.packets.iter().map(|packet| {
            assert!(packet.range.end as usize <= batch.bytes.len() && packet.range.start <= packet.range.end);
            let (nanos, link) = (packet.time.as_nanos(), packet.link.0);
            Read1 { nanos, link, original: packet.original_len, bytes: batch.packet(packet).to_vec() }
        }));
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.damage.iter().map(ToString::to_string).collect()
    }
}

/// Reads a file with these bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Outcome, OpenErrorKind> {
    read_from(Cursor::new(bytes.to_vec()), Some(bytes.len() as u64), tuning::READ_BYTES)
}

/// Reads the bytes as they come from a pipe, so many at a time.
pub(super) fn read_slowly(bytes: &[u8], step: usize) -> Result<Outcome, OpenErrorKind> {
    read_from(Dribble { bytes: bytes.to_vec(), at: 0, step }, None, 64)
}

/// Reads from anything.
pub(super) fn read_from(
    reader: impl Read + Send + 'static,
    file_size: Option<u64>,
    read_bytes: usize,
) -> Result<Outcome, OpenErrorKind> {
    let (source, head) = Source::new(reader, file_size, FILE_HEADER)?;
    let mut reader = Reader::new(source, head, read_bytes)?;
    let (mut batch, mut log, mut outcome) = (Batch::default(), DamageLog::default(), Outcome::default());
    while reader.fill(&mut batch, &mut log) {
        outcome.add(&batch);
    }
    assert!(!reader.fill(&mut batch, &mut log), "the end stays the end");
    outcome.damage = log.named("x").collect();
    outcome.dropped = reader.dropped();
    Ok(outcome)
}

/// Gives at most `step` bytes a read.
pub(super) struct Dribble {
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) step: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let given = rest.len().min(buffer.len()).min(self.step);
        buffer[..given].copy_from_slice(&rest[..given]);
        self.at += given;
        Ok(given)
    }
}

/// Packet number `index` of those that tests write: lengths differ, and bytes tell packet and place.
pub(super) fn sample(index: usize) -> Read1 {
    let length = 40 + index * 7 % 60;
    let bytes: Vec<u8> = (0..length).map(|at| (index * 31 + at) as u8).collect();
    let nanos = 1_700_000_000_000_000_000 + index as u64 * 1_001_000;
    Read1 { nanos, link: 1, original: length as u32 + 9, bytes }
}

/// So many of them.
pub(super) fn samples(count: usize) -> Vec<Read1> {
    (0..count).map(sample).collect()
}

fn put32(bytes: &mut Vec<u8>, order: Order, value: u32) {
    bytes.extend(if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() });
}

fn put16(bytes: &mut Vec<u8>, order: Order, value: u16) {
    bytes.extend(if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() });
}

/// A classic pcap file in the making.
pub(super) struct PcapFile {
    pub(super) bytes: Vec<u8>,
    order: Order,
    magic: u32,
}

impl PcapFile {
    /// With a magic number, and the last two fields of the file header.
    pub(super) fn new(order: Order, magic: u32, snaplen: u32, network: u32) -> Self {
        let mut bytes = Vec::new();
        put32(&mut bytes, order, magic);
        put16(&mut bytes, order, 2);
        put16(&mut bytes, order, 4);
        for field in [0, 0, snaplen, network] {
            put32(&mut bytes, order, field);
        }
        Self { bytes, order, magic }
    }

    /// With microseconds, little-endian, Ethernet.
    pub(super) fn usual() -> Self {
        Self::new(Order::Little, 0xa1b2_c3d4, 262_144, 1)
    }

    pub(super) fn packet(mut self, packet: &Read1) -> Self {
        let unit = if self.magic == 0xa1b2_3c4d { 1 } else { 1000 };
        let (seconds, fraction) = (packet.nanos / 1_000_000_000, packet.nanos % 1_000_000_000 / unit);
        for field in [seconds as u32, fraction as u32, packet.bytes.len() as u32, packet.original] {
            put32(&mut self.bytes, self.order, field);
        }
        if self.magic == 0xa1b2_cd34 {
            self.bytes.extend([0, 0, 0, 2, 8, 0, 4, 0]);
        }
        self.bytes.extend(&packet.bytes);
        self
    }

    pub(super) fn packets(self, packets: &[Read1]) -> Self {
        packets.iter().fold(self, Self::packet)
    }
}

/// A pcapng file in the making.
pub(super) struct PcapngFile {
    pub(super) bytes: Vec<u8>,
    order: Order,
}

impl PcapngFile {
    /// With no section: blocks to be put somewhere.
    pub(super) fn nothing() -> Self {
        Self { bytes: Vec::new(), order: Order::Little }
    }

    /// With one section, still without interfaces.
    pub(super) fn new(order: Order) -> Self {
        Self { bytes: Vec::new(), order }.section(order)
    }

    /// With one section and an Ethernet interface in nanoseconds.
    pub(super) fn usual() -> Self {
        Self::new(Order::Little).interface(LinkType(1), 0, &[9, 0, 1, 0, 9, 0, 0, 0])
    }

    pub(super) fn section(mut self, order: Order) -> Self {
        self.order = order;
        let mut body = Vec::new();
        put32(&mut body, order, 0x1a2b_3c4d);
        put16(&mut body, order, 1);
        put16(&mut body, order, 0);
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let length = body.len().next_multiple_of(4) + 12;
        put32(&mut self.bytes, self.order, kind);
        put32(&mut self.bytes, self.order, length as u32);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        put32(&mut self.bytes, self.order, length as u32);
        self
    }

    pub(super) fn interface(self, link: LinkType, snaplen: u32, options: &[u8]) -> Self {
        let mut body = Vec::new();
        put16(&mut body, self.order, link.0);
        put16(&mut body, self.order, 0);
        put32(&mut body, self.order, snaplen);
        body.extend(options);
        self.block(1, &body)
    }

    /// An option, in the order of the section.
    pub(super) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = Vec::new();
        put16(&mut option, self.order, code);
        put16(&mut option, self.order, value.len() as u16);
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// An enhanced packet block; `units` is the time in the interface's units.
    pub(super) fn enhanced(self, interface: u32, units: u64, packet: &Read1) -> Self {
        let mut body = Vec::new();
        let captured = packet.bytes.len() as u32;
        for field in [interface, (units >> 32) as u32, units as u32, captured, packet.original] {
            put32(&mut body, self.order, field);
        }
        body.extend(&packet.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        if captured.is_multiple_of(2) {
            body.extend(self.option(2, &[1, 0, 0, 0])); // flags
            body.extend([0; 4]);
        }
        self.block(6, &body)
    }

    /// The same as an obsolete packet block, with a count of drops.
    pub(super) fn obsolete(self, interface: u16, units: u64, packet: &Read1) -> Self {
        let mut body = Vec::new();
        put16(&mut body, self.order, interface);
        put16(&mut body, self.order, 7);
        for field in [(units >> 32) as u32, units as u32, packet.bytes.len() as u32, packet.original] {
            put32(&mut body, self.order, field);
        }
        body.extend(&packet.bytes);
        self.block(2, &body)
    }

    pub(super) fn simple(self, packet: &Read1) -> Self {
        let mut body = Vec::new();
        put32(&mut body, self.order, packet.original);
        body.extend(&packet.bytes);
        self.block(3, &body)
    }

    pub(super) fn secrets(self, kind: u32, text: &[u8]) -> Self {
        let mut body = Vec::new();
        put32(&mut body, self.order, kind);
        put32(&mut body, self.order, text.len() as u32);
        body.extend(text);
        self.block(10, &body)
    }

    /// Statistics of an interface: options of code and count.
    pub(super) fn statistics(self, interface: u32, options: &[(u16, u64)]) -> Self {
        let mut body = Vec::new();
        for field in [interface, 0, 0] {
            put32(&mut body, self.order, field);
        }
        for &(code, count) in options {
            body.extend(self.option(code, &self.count(count)));
        }
        self.block(5, &body)
    }

    /// A packet of the first interface, before which so many were dropped.
    pub(super) fn after_drops(self, packet: &Read1, drops: u64) -> Self {
        let mut body = Vec::new();
        for field in [0, 0, 0, packet.bytes.len() as u32, packet.original] {
            put32(&mut body, self.order, field);
        }
        body.extend(&packet.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.option(1, b"a comment"));
        body.extend(self.option(4, &self.count(drops)));
        self.block(6, &body)
    }

    /// A number of 64 bits, in the order of the section.
    fn count(&self, value: u64) -> [u8; 8] {
        if self.order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    /// Packets of the first interface, which counts nanoseconds.
    pub(super) fn packets(self, packets: &[Read1]) -> Self {
        packets.iter().fold(self, |file, packet| file.enhanced(0, packet.nanos, packet))
    }
}
