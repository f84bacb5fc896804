//! Packets: every packet is counted once, payloads are bytes of the input, memory stays under its cap, and a
//! fragmented datagram gives the segment that it gives in one piece, inside tunnels too.

use crate::cost::Cost;
use crate::random::Random;
use h2lens::base::limits;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::packet::{Decoder, offset_within};

/// Link types that there is code for, and one that there is none for.
pub const LINKS: [u16; 16] = [1, 0, 9, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 276, 149, 65_535];

/// Packets, each as link type (1), milliseconds since the last (1), length (2), bytes beyond it (1), bytes; or, if the
/// first byte is above 127, the payload of a datagram that is to be cut.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((&first, rest)) if first > 127 => fragmented(rest, first),
        _ => packets(data),
    }
}

/// An input of [`run`].
pub fn input<'a>(packets: impl Iterator<Item = (u16, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (link, bytes) in packets {
        let link = LINKS.iter().position(|&known| known == link).unwrap_or_default() as u8;
        out.extend([link, 1]);
        out.extend((bytes.len() as u16).to_be_bytes());
        out.push(0);
        out.extend(bytes);
    }
    out
}

fn packets(data: &[u8]) {
    let cost = Cost::start();
    let mut decoder = Decoder::new();
    let (mut rest, mut number, mut millis) = (data, 0, 0);
    while let Some((&[link, pause, high, low, more], after)) = rest.split_first_chunk() {
        let (bytes, after) = after.split_at(usize::from(u16::from_be_bytes([high, low])).min(after.len()));
        rest = after;
        number += 1;
        millis += u64::from(pause) * u64::from(pause);
        let at = Moment { packet: number, time: Timestamp::from_nanos(millis * 1_000_000) };
        let link = LINKS[usize::from(link) % LINKS.len()];
        let original = bytes.len() as u32 + u32::from(more) * u32::from(more);
        if let Some(segment) = decoder.decode(at, link, original, bytes) {
            assert_eq!(segment.at, at);
            let own = offset_within(bytes, segment.payload).is_some();
            assert!(own || segment.payload.len() <= data.len(), "more payload than there are bytes");
            if !own && segment.payload.len() <= 16 {
                // Of a reassembled datagram: its bytes stand in the input, though perhaps not together.
                assert!(segment.payload.iter().all(|byte| data.contains(byte)));
            }
            assert!(segment.payload.len() + segment.cut as usize <= limits::SUPER_PACKET_BYTES);
        }
    }
    decoder.finish();
    let counters = decoder.counters();
    assert_eq!(counters.packets, number);
    assert_eq!(counters.packets, counters.segments + counters.skipped.iter().sum::<u64>());
    cost.assert(data.len(), (64 << 10) + (64 * data.len()).min(2 * limits::FRAGMENT_BYTES), 2_000);
}

/// A TCP segment in IPv4, cut into fragments in any order, with copies, in tunnels or not.
fn fragmented(data: &[u8], options: u8) {
    let (seed, payload) = data.split_at(data.len().min(2));
    let payload = &payload[..payload.len().min(4000)];
    let seed = seed.iter().fold(u64::from(options), |seed, &byte| seed << 8 | u64::from(byte));
    let mut random = Random::new(seed);
    let whole = [&tcp()[..], payload].concat();
    let tunnels = usize::from(options & 3);
    let at = |packet| Moment { packet, time: Timestamp::from_nanos(packet * 1000) };

    let mut decoder = Decoder::new();
    let packet = wrap(&ipv4(6, 7, 0, false, &whole), tunnels);
    let expected = decoder.decode(at(1), 101, packet.len() as u32, &packet).expect("a segment");
    assert_eq!((expected.payload, expected.cut), (payload, 0));

    let mut cuts: Vec<usize> =
        (0..1 + random.below(6)).map(|_| random.below(whole.len() / 8 + 1) * 8).collect();
    cuts.extend([0, whole.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut parts: Vec<(usize, usize)> = cuts.windows(2).map(|ends| (ends[0], ends[1])).collect();
    for n in 0..parts.len() {
        parts.swap(n, random.below(n + 1));
    }
    if parts.len() > 1 && random.one_in(3) {
        // A second copy of what is not the last to come.
        let copy = parts[random.below(parts.len())];
        parts.insert(0, copy);
    }
    let mut decoder = Decoder::new();
    let mut found = 0;
    for (n, &(start, end)) in parts.iter().enumerate() {
        let packet = wrap(&ipv4(6, 7, start, end < whole.len(), &whole[start..end]), tunnels);
        if let Some(segment) = decoder.decode(at(n as u64 + 1), 101, packet.len() as u32, &packet) {
            assert_eq!(
                (segment.payload, segment.cut),
                (payload, 0),
                "cut at {cuts:?}, in the order {parts:?}"
            );
            found += 1;
        }
    }
    assert_eq!(found, 1, "cut at {cuts:?}, in the order {parts:?}");
}

fn tcp() -> [u8; 20] {
    [0x80, 0, 0x1f, 0x90, 0, 0, 0, 9, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]
}

fn ipv4(protocol: u8, id: u16, offset: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let len = (20 + body.len()) as u16;
    let place = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    let mut packet = vec![0x45, 0];
    for field in [len, id, place] {
        packet.extend(field.to_be_bytes());
    }
    packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(body);
    packet
}

/// IP in IP, so many times.
fn wrap(packet: &[u8], tunnels: usize) -> Vec<u8> {
    (0..tunnels).fold(packet.to_vec(), |packet, _| ipv4(4, 0, 0, false, &packet))
}
