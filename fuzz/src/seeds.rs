//! Inputs to begin with, made from the captures in `testdata/`.

use crate::pieces::Builder;
use crate::targets::packet;
use h2lens::base::direction::Direction;
use h2lens::base::time::Moment;
use h2lens::base::tls::Description;
use h2lens::capture::{Batch, Timeline};
use h2lens::flow::{Arrival, Budget, ByteSink, End, Gap, Key, Reassembly};
use h2lens::packet::Decoder;
use h2lens::tls::{KeyStore, PlaintextSink, Session, Workspace};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

/// The bytes of one connection, in the order in which they came, and the key log that its capture holds.
#[derive(Debug, Default)]
struct Stream {
    pieces: Vec<(bool, Vec<u8>)>,
    keys: Vec<u8>,
}

impl ByteSink for Stream {
    fn data(&mut self, from: Direction, _: &Arrival, bytes: &[u8]) {
        self.pieces.push((from == Direction::Backward, bytes.to_vec()));
    }
    fn gap(&mut self, _: Direction, _: &Arrival, _: Gap) {}
    fn end(&mut self, _: Direction, _: &Arrival, _: End) {}
}

impl PlaintextSink for Stream {
    fn describe(&mut self, _: &Description) {}
}

impl Stream {
    fn begins_with(&self, bytes: &[u8]) -> bool {
        self.pieces.first().is_some_and(|(_, first)| first.starts_with(bytes))
    }

    fn decrypted(&self) -> Self {
        let (mut keys, mut work, mut plain) = (KeyStore::default(), Workspace::default(), Self::default());
        keys.add_text(&self.keys);
        let mut session = Session::new(&work);
        for (backward, bytes) in &self.pieces {
            let from = if *backward { Direction::Backward } else { Direction::Forward };
            session.data(&keys, &mut work, from, &Arrival::default(), bytes, &mut plain);
        }
        session.finish(&keys, &mut work, &mut plain);
        plain
    }

    fn input(&self, options: u8) -> Builder {
        let mut input = Builder::new(options, 0x1234);
        for (backward, bytes) in &self.pieces {
            input.bytes(*backward, bytes);
        }
        input
    }
}

/// The capture files of the project.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let mut files = Vec::new();
    for directory in [root.clone(), root.join("tls")] {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Whole capture files, some compressed.
pub fn captures() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = files().iter().filter_map(|path| std::fs::read(path).ok()).collect();
    all.retain(|bytes| bytes.len() <= 128 << 10);
    if let Some(smallest) = all.iter().min_by_key(|bytes| bytes.len()).cloned() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        gzip.write_all(&smallest).and_then(|()| lz4.write_all(&smallest)).expect("memory can be written to");
        all.push(gzip.finish().expect("memory can be written to"));
        all.push(lz4.finish().expect("memory can be written to"));
        all.push(zstd::encode_all(smallest.as_slice(), 1).expect("memory can be written to"));
        let swapped = big_endian(&smallest);
        all.push(swapped);
    }
    all
}

/// A classic little-endian capture in the other byte order.
fn big_endian(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let swap = |out: &mut Vec<u8>, field: &[u8]| out.extend(field.iter().rev());
    let (head, mut rest) = file.split_at(file.len().min(24));
    for (at, width) in [(0, 4), (4, 2), (6, 2), (8, 4), (12, 4), (16, 4), (20, 4)] {
        swap(&mut out, head.get(at..at + width).unwrap_or_default());
    }
    while let Some((packet, after)) = rest.split_at_checked(16) {
        for field in packet.chunks(4) {
            swap(&mut out, field);
        }
        let len = u32::from_le_bytes([packet[8], packet[9], packet[10], packet[11]]) as usize;
        let (bytes, after) = after.split_at(len.min(after.len()));
        out.extend(bytes);
        rest = after;
    }
    out
}

/// The packets of a file, and its key logs.
fn read(path: &Path) -> (Vec<(u16, Vec<u8>)>, Vec<u8>) {
    let bytes = std::fs::read(path).expect("a capture of the project");
    let mut timeline = Timeline::of_reader(Cursor::new(bytes)).expect("a capture of the project");
    let (mut packets, mut keys, mut batch) = (Vec::new(), Vec::new(), Batch::default());
    while timeline.next_batch(&mut batch) {
        keys.extend(batch.secrets.iter().flat_map(|(_, text)| text.clone()));
        packets.extend(batch.packets.iter().map(|head| (head.link.0, batch.packet(head).to_vec())));
    }
    (packets, keys)
}

/// Packets of the captures.
pub fn packets() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in files() {
        let (packets, _) = read(&path);
        let few = packets.iter().take(8).map(|(link, bytes)| (*link, bytes.as_slice()));
        all.push(packet::input(few));
        if let Some((1, bytes)) = packets.get(3).map(|(link, bytes)| (*link, bytes.as_slice())) {
            // The same packet behind other headers.
            let ip = bytes.get(14..).unwrap_or_default();
            let vlan = [&bytes[..12], &[0x81, 0, 0, 9], &bytes[12..]].concat();
            let vxlan = udp(4789, &[&[8, 0, 0, 0, 0, 0, 1, 0], bytes].concat());
            let gtp = udp(2152, &[&[0x30, 0xff, 0, ip.len() as u8, 0, 0, 0, 1], ip].concat());
            let gre = ipv4(47, &[&[0, 0, 8, 0], ip].concat());
            let mpls = [&bytes[..12], &[0x88, 0x47, 0, 0x01, 0x01, 64], ip].concat();
            let list: [(u16, &[u8]); 6] =
                [(1, &vlan), (101, &vxlan), (101, &gtp), (101, &gre), (1, &mpls), (228, ip)];
            all.push(packet::input(list.into_iter()));
        }
    }
    all.push(
        [&[0x81_u8, 1, 2][..], b"the payload of a datagram that is cut in pieces, here and there"].concat(),
    );
    all.push([&[0x80_u8, 3, 4][..], &[b'x'; 600]].concat());
    all
}

fn ipv4(protocol: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + body.len() as u16).to_be_bytes();
    [&[0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], body].concat()
}

fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    let ([a, b], [c, d]) = (port.to_be_bytes(), (8 + body.len() as u16).to_be_bytes());
    ipv4(17, &[&[0xc0, 0, a, b, c, d, 0, 0], body].concat())
}

/// The connections of the captures.
fn streams() -> Vec<Stream> {
    let mut all = Vec::new();
    for path in files() {
        let (packets, keys) = read(&path);
        let mut connections: BTreeMap<Vec<u8>, (bool, Reassembly, Stream)> = BTreeMap::new();
        let (mut decoder, mut budget) = (Decoder::new(), Budget::new(1 << 30));
        for (number, (link, bytes)) in (1..).zip(&packets) {
            let at = Moment { packet: number, ..Moment::default() };
            let Some(segment) = decoder.decode(at, *link, bytes.len() as u32, bytes) else { continue };
            let (key, low) = Key::of(segment.src, segment.dst);
            let (forward, reassembly, stream) = connections
                .entry(format!("{key:?}").into_bytes())
                .or_insert_with(|| (low, Reassembly::default(), Stream::default()));
            let from = if *forward == low { Direction::Forward } else { Direction::Backward };
            reassembly.segment(from, &segment, &mut budget, stream);
        }
        all.extend(connections.into_values().map(|(_, _, stream)| Stream { keys: keys.clone(), ..stream }));
    }
    all
}

/// TLS connections with their keys.
pub fn tls() -> Vec<Vec<u8>> {
    let all = streams();
    let seed = |stream: &Stream| {
        let len = stream.keys.len().min(65_535);
        [&(len as u16).to_be_bytes()[..], &stream.keys[..len], &stream.input(1).build()].concat()
    };
    all.iter().filter(|stream| stream.begins_with(&[0x16, 3])).map(seed).collect()
}

/// HTTP/2 connections, those inside TLS too.
fn http2_streams() -> Vec<Stream> {
    let mut all = streams();
    let plain: Vec<_> =
        all.iter().filter(|stream| stream.begins_with(&[0x16, 3])).map(Stream::decrypted).collect();
    all.extend(plain);
    all.retain(|stream| stream.begins_with(b"PRI * HTTP/2.0"));
    all
}

/// HTTP/2 connections.
pub fn http2() -> Vec<Vec<u8>> {
    http2_streams().iter().map(|stream| stream.input(0).build()).collect()
}

/// HTTP/2 connections with losses, and ones that are joined late.
pub fn resync() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (n, stream) in http2_streams().iter().enumerate() {
        let mut input = Builder::new((n % 4) as u8, n as u16);
        for (place, (backward, bytes)) in stream.pieces.iter().enumerate() {
            if place % 5 == n % 5 {
                input.gap(*backward, bytes.len() as u16);
            } else {
                input.bytes(*backward, bytes);
            }
        }
        all.push(input.build());
        all.push(stream.input(3).build());
    }
    all
}

/// Segments of HTTP/2 connections.
pub fn agent() -> Vec<Vec<u8>> {
    let streams = http2_streams();
    let mut all: Vec<_> =
        streams.iter().enumerate().map(|(n, stream)| stream.input((n % 16) as u8).build()).collect();
    all.extend(streams.iter().take(3).map(|stream| stream.input(0).gap(false, 0x12).gap(true, 2).build()));
    all.extend([33, 40, 250].map(|fields| many_fields(fields).build()));
    all
}

/// A request with so many fields that are inserted behind its first four, and one that refers to the first of all.
fn many_fields(count: usize) -> Builder {
    let headers = |stream: u8, block: &[u8]| {
        let [high, low] = (block.len() as u16).to_be_bytes();
        [&[0, high, low, 1, 5, 0, 0, 0, stream], block].concat()
    };
    let first = [&b"\x82\x86\x44\x02/a\x41\x01h"[..], &b"\x40\x01a\x01b".repeat(count)].concat();
    let index = 61 + 2 + count as u8 % 61;
    let second = [0x82, 0x86, 0x80 | index];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut input = Builder::new(8, 1);
    input.bytes(false, preface).bytes(false, &headers(1, &first)).bytes(false, &headers(3, &second));
    input.bytes(true, &[headers(1, b"\x88"), headers(3, b"\x88")].concat());
    input
}
