//! A capture in memory, and as a classic pcap file.

use std::path::Path;

/// A captured packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    /// The captured bytes, from the Ethernet header on.
    pub(crate) bytes: Vec<u8>,
    /// Length on the wire.
    pub(crate) original: u32,
}

impl Packet {
    pub(crate) fn new(time: u64, bytes: Vec<u8>) -> Self {
        Self { time, original: bytes.len() as u32, bytes }
    }

    /// Where the TCP payload starts, if this is TCP in IP in Ethernet.
    pub(crate) fn payload_start(&self) -> Option<usize> {
        let ip = 14;
        let tcp = match (self.bytes.get(12..14)?, *self.bytes.get(ip)? >> 4) {
            ([0x08, 0x00], 4) if self.bytes.get(ip + 9) == Some(&6) => {
                ip + usize::from(self.bytes[ip] & 15) * 4
            }
            ([0x86, 0xdd], 6) if self.bytes.get(ip + 6) == Some(&6) => ip + 40,
            _ => return None,
        };
        Some(tcp + usize::from(*self.bytes.get(tcp + 12)? >> 4) * 4)
    }

    /// It carries TCP payload.
    pub(crate) fn has_payload(&self) -> bool {
        self.payload_start().is_some_and(|start| start < self.bytes.len())
    }

    /// Addresses and ports of sender and receiver, as they stand in the packet.
    pub(crate) fn flow(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.payload_start()?;
        let (src, dst, tcp) = if self.bytes[14] >> 4 == 4 {
            (26..30, 30..34, 14 + usize::from(self.bytes[14] & 15) * 4)
        } else {
            (22..38, 38..54, 54)
        };
        let end = |ip, port| [&self.bytes[ip], &self.bytes[port]].concat();
        Some((end(src, tcp..tcp + 2), end(dst, tcp + 2..tcp + 4)))
    }
}

/// Packets in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capture {
    pub(crate) packets: Vec<Packet>,
}

impl Capture {
    /// Several as one, in the order of time.
    pub(crate) fn merged(captures: impl IntoIterator<Item = Self>) -> Self {
        let mut packets: Vec<_> = captures.into_iter().flat_map(|capture| capture.packets).collect();
        packets.sort_by_key(|packet| packet.time);
        Self { packets }
    }

    /// Gives the packets new times, in their order: so that only the order tells them apart.
    pub(crate) fn restamped(mut self) -> Self {
        let start = self.packets.iter().map(|packet| packet.time).min().unwrap_or_default();
        for (n, packet) in self.packets.iter_mut().enumerate() {
            packet.time = start + n as u64 * 7_000;
        }
        self
    }

    /// The file: nanoseconds, Ethernet, snaplen 262144.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(0xa1b2_3c4d_u32.to_le_bytes());
        file.extend([2, 0, 4, 0]);
        for field in [0, 0, 262_144, 1_u32] {
            file.extend(field.to_le_bytes());
        }
        for packet in &self.packets {
            let (seconds, nanos) = (packet.time / 1_000_000_000, packet.time % 1_000_000_000);
            for field in [seconds as u32, nanos as u32, packet.bytes.len() as u32, packet.original] {
                file.extend(field.to_le_bytes());
            }
            file.extend(&packet.bytes);
        }
        file
    }

    /// A pcapng file in which TLS secrets stand behind the packets.
    pub(crate) fn pcapng(&self, secrets: &str) -> Vec<u8> {
        let mut file = Vec::new();
        let mut block = |kind: u32, parts: &[&[u8]]| {
            let mut body = parts.concat();
            body.resize(body.len().next_multiple_of(4), 0);
            let length = (body.len() as u32 + 12).to_le_bytes();
            file.extend([&kind.to_le_bytes()[..], &length, &body, &length].concat());
        };
        block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes(), &[1, 0, 0, 0], &[0xff; 8]]);
        // Ethernet, snaplen 262144; if_tsresol: nanoseconds.
        block(1, &[&[1, 0, 0, 0], &262_144_u32.to_le_bytes(), &[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]]);
        for Packet { time, bytes, original } in &self.packets {
            let head = [0, (time >> 32) as u32, *time as u32, bytes.len() as u32, *original];
            block(6, &[&head.map(u32::to_le_bytes).concat(), bytes]);
        }
        let length = secrets.len() as u32;
        block(10, &[b"KSLT", &length.to_le_bytes(), secrets.as_bytes()]);
        file
    }

    /// Reads a classic little-endian pcap file.
    pub(crate) fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let field = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let unit = match field(0) {
            0xa1b2_c3d4 => 1000,
            0xa1b2_3c4d => 1,
            magic => panic!("{}: magic number {magic:x}", path.display()),
        };
        assert_eq!(field(20), 1, "{}: link type", path.display());
        let (mut packets, mut at) = (Vec::new(), 24);
        while at < file.len() {
            let time = u64::from(field(at)) * 1_000_000_000 + u64::from(field(at + 4)) * unit;
            let (len, original) = (field(at + 8) as usize, field(at + 12));
            packets.push(Packet { time, original, bytes: file[at + 16..at + 16 + len].to_vec() });
            at += 16 + len;
        }
        Self { packets }
    }
}
