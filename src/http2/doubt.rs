//! May bytes be HTTP/2 of which too little was seen to tell? What a connection that was joined late may show: DATA alone, or
//! credit alone, in one direction.
//!
//! A chain of frames that breaks off is none: it must lead to the end of what was seen, or to a hole. Other binary protocols
//! are full of zeros, and so are frame headers; therefore a zero counts for as much as it is rare among the bytes at hand. Where
//! every octet from a segment's first to the last one seen is part of a frame, the usual measure suffices.

use super::error_code;
use super::frame::{self, FrameHeader, FrameType, Goaway, Headers};
use super::plausibility::{self, Expect};

/// Bits of evidence anywhere.
const ANYWHERE: u8 = 64;
/// Bits, by [`plausibility::header_bits`], where frames begin with a segment and end with the last octet.
const WHOLE: u8 = 60;
/// Frames, anywhere.
const FRAMES: u8 = 2;
/// Octets of header blocks that are decoded, for each octet that is looked at.
const DECODED: usize = 4;

/// A part of the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Where it begins.
    pub(super) start: usize,
    /// Its bytes are not in the capture; else it is a segment.
    pub(super) hole: bool,
}

/// Frames from one place to the end.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    frames: u8,
    /// As improbable as they are among such bytes.
    bits: u8,
    /// As improbable as they are among random bytes.
    plain: u8,
    /// The last one ends where the bytes do.
    whole: bool,
}

/// Whether they cannot be told from HTTP/2; `parts` in order, the first at the first byte.
pub(super) fn is_doubtful(bytes: &[u8], parts: &[Part]) -> bool {
    let zero = zero_bits(bytes);
    let mut rests: Vec<Option<Rest>> = vec![None; bytes.len()];
    let mut decodable = bytes.len() * DECODED;
    let part_at = |at: usize| {
        let behind = parts.partition_point(|part| part.start <= at);
        behind.checked_sub(1).and_then(|index| parts.get(index)).map(|part| (behind, part))
    };
    let in_hole = |at: usize| part_at(at).is_some_and(|(_, part)| part.hole);
    // Backwards, so that each place is looked at once. The first octet of a length up to 16,384 is 0.
    for at in memchr::memrchr_iter(0, bytes) {
        let Some(&octets) = bytes.get(at..).and_then(|rest| rest.first_chunk::<{ frame::LEN }>()) else {
            continue;
        };
        let Some((behind, part)) = part_at(at).filter(|(_, part)| !part.hole) else { continue };
        let cut = parts.get(behind).is_some_and(|next| next.hole && next.start < at + frame::LEN);
        let header = FrameHeader::parse(&octets);
        let Some(plain) = plausibility::header_bits(&header, &Expect::ANY).filter(|_| !cut) else { continue };
        let (body, next) = (at + frame::LEN, at + frame::LEN + header.length as usize);
        if header.kind == FrameType::HEADERS && !may_be_block(bytes.get(body..next), &header, &mut decodable)
        {
            continue;
        }
        let follows = match rests.get(next) {
            Some(Some(rest)) => *rest,
            Some(None) if next + frame::LEN <= bytes.len() && !in_hole(next) => continue,
            _ => Rest { whole: next == bytes.len(), ..Rest::default() },
        };
        let plain = plain + payload_bits(&header, bytes.get(body..next).unwrap_or_default());
        let counts = u8::from(plain > 0);
        let rest = Rest {
            frames: follows.frames.saturating_add(counts),
            bits: follows.bits.saturating_add(counts * header_bits(&octets, &header, zero)),
            plain: follows.plain.saturating_add(u8::try_from(plain).unwrap_or(u8::MAX)),
            whole: follows.whole,
        };
        let anywhere = rest.bits >= ANYWHERE && rest.frames >= FRAMES;
        let all = rest.whole && rest.plain >= WHOLE && part.start == at;
        if (anywhere || all) && plausibility::may_begin(&header, &Expect::ANY) {
            return true;
        }
        if let Some(slot) = rests.get_mut(at) {
            *slot = Some(rest);
        }
    }
    false
}

/// Whether a header block may be one: if it is whole, it must make sense.
fn may_be_block(payload: Option<&[u8]>, header: &FrameHeader, decodable: &mut usize) -> bool {
    let Some(payload) = payload else { return true };
    let Some(left) = decodable.checked_sub(payload.len()) else { return false };
    *decodable = left;
    let frame = Headers::parse(header, payload);
    let whole = header.flags.has(frame::Flags::END_HEADERS);
    frame.is_some_and(|frame| !whole || plausibility::block(frame.fragment).is_some())
}

/// What a payload counts for whose length is free: the error code of a GOAWAY, of which few are defined.
fn payload_bits(header: &FrameHeader, payload: &[u8]) -> u32 {
    const DEFINED_CODE: u32 = 24;
    let goaway = Goaway::parse(header, payload).filter(|_| header.kind == FrameType::GOAWAY);
    if goaway.is_some_and(|goaway| error_code::name(goaway.code).is_some()) { DEFINED_CODE } else { 0 }
}

/// What a zero counts for, in bits: the less, the more of the bytes are zeros.
fn zero_bits(bytes: &[u8]) -> u8 {
    let zeros = memchr::memchr_iter(0, bytes).count().max(1);
    (bytes.len() / zeros).checked_ilog2().map_or(0, |bits| bits.min(8) as u8)
}

/// What the octets of a legal header count for that are not free to be anything.
fn header_bits(octets: &[u8; frame::LEN], header: &FrameHeader, zero: u8) -> u8 {
    let bits = |octet: u8, other: u8| if octet == 0 { zero } else { other };
    let [high, middle, low, kind, flags, first, second, third, last] = *octets;
    let exact = matches!(
        header.kind,
        FrameType::PRIORITY
            | FrameType::RST_STREAM
            | FrameType::SETTINGS
            | FrameType::PING
            | FrameType::WINDOW_UPDATE
    );
    let length = if exact { bits(middle, 6) + bits(low, 6) } else { 0 };
    // A stream's number is odd; of the connection's frames it is 0.
    let stream = if header.stream == 0 { bits(second, 0) + bits(third, 0) + bits(last, 0) } else { 1 };
    bits(high, 0) + length + bits(kind, 5) + bits(flags, 4) + bits(first, 4) + stream
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether segments are doubtful, the first of them from its `skip`-th octet on.
    fn doubtful(segments: &[Vec<u8>], skip: usize) -> bool {
        let mut parts = vec![Part { start: 0, hole: false }];
        let mut bytes = segments[0][skip..].to_vec();
        for segment in &segments[1..] {
            parts.push(Part { start: bytes.len(), hole: false });
            bytes.extend(segment);
        }
        is_doubtful(&bytes, &parts)
    }

    fn segments(stream: &[u8]) -> Vec<Vec<u8>> {
        stream.chunks(1448).map(<[u8]>::to_vec).collect()
    }

    fn data(stream: u8, payload: &[u8]) -> Vec<u8> {
        let [.., high, middle, low] = (payload.len() as u32).to_be_bytes();
        [&[high, middle, low, 0, 0, 0, 0, 0, stream][..], payload].concat()
    }

    /// Octets of a linear congruential generator.
    fn noise(len: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn data_alone_may_be_http2() {
        for (payload, count) in [(noise(5000, 1), 4), (b"data: an event of a stream\n\n".to_vec(), 12)] {
            let stream: Vec<u8> = (0..count).flat_map(|_| data(5, &payload)).collect();
            for skip in [0, 1, 9, 20] {
                assert!(doubtful(&segments(&stream), skip), "{} octets from {skip}", payload.len());
                assert!(doubtful(&segments(&stream[..stream.len() - 11]), skip), "cut");
            }
        }
    }

    #[test]
    fn small_messages_in_segments_of_their_own_may_be_http2() {
        // A stream of gRPC that only sends: a prefix of five octets, and a few of protobuf.
        let messages: Vec<_> = (0..4).map(|n| data(3, &[0, 0, 0, 0, 4, 8, n, 16, 1])).collect();
        assert!(doubtful(&messages, 0) && doubtful(&messages, 3));
        let credit: Vec<_> = (1..4).map(|n| vec![0, 0, 4, 8, 0, 0, 0, 0, 7, 0, 0, n, 0]).collect();
        assert!(doubtful(&credit, 0) && doubtful(&credit, 5));
    }

    /// The last that an idle connection sends.
    #[test]
    fn a_goaway_alone_may_be_http2() {
        let goaway = |code: u8| vec![vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, code]];
        assert!(doubtful(&goaway(0), 0) && doubtful(&goaway(13), 0));
        assert!(!doubtful(&goaway(200), 0), "no code of HTTP/2");
        assert!(!doubtful(&[goaway(0).concat(), b"x".to_vec()], 0), "something follows");
    }

    #[test]
    fn a_hole_ends_a_chain_without_breaking_it() {
        let payload = noise(3000, 3);
        let bytes = [data(7, &payload), data(7, &payload), data(7, &payload)].concat();
        let hole = |start| {
            [(0, false), (start, true), (start + 500, false)].map(|(start, hole)| Part { start, hole })
        };
        assert!(is_doubtful(&bytes, &hole(7000)));
        assert!(!is_doubtful(&bytes[..3100], &hole(2500)), "one header is left");
    }

    /// The wire protocol of `MongoDB`: little-endian numbers, and documents of zeros and short names (BSON).
    fn mongodb(seed: u8) -> Vec<u8> {
        let element = |kind: u8, name: &[u8], value: &[u8]| [&[kind][..], name, &[0], value].concat();
        let int = |n: u8| [n, 0, 0, 0];
        let double = |n: u8| [0, 0, 0, 0, 0, 0, n, 0x40];
        let fields = [
            element(0x10, b"ok", &int(1)),
            element(0x10, b"ns", &int(seed)),
            element(0x01, b"n", &double(seed)),
            element(0x12, b"t", &[0, 0, 0, 0, 1, 0, 0, 0]),
            element(0x08, b"w", &[0]),
            element(0x10, b"a", &int(0)),
            element(0x11, b"clusterTime", &[0, 0, 0, 0, 5, 0, 0, 0]),
        ]
        .concat();
        let array: Vec<u8> = (0..40).flat_map(|n| element(0x10, &[b'0' + n % 10], &int(n % 3))).collect();
        let document = [&[fields.len() as u8, 1, 0, 0][..], &fields, &array, &[0]].concat();
        let len = (document.len() + 21) as u32;
        let head = [len, seed.into(), 0, 2013, 0].map(u32::to_le_bytes).concat();
        [&head[..], &[0], &document].concat()
    }

    #[test]
    fn protocols_full_of_zeros_are_not_http2() {
        let counters = |width: usize, little: bool| -> Vec<u8> {
            let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
            (0..2000).flat_map(|n: u32| [vec![0; width - 4], number(n % 300).to_vec()].concat()).collect()
        };
        let mongo: Vec<Vec<u8>> = (0..60).map(mongodb).collect();
        for skip in 0..mongo[0].len() {
            assert!(!doubtful(&mongo, skip), "MongoDB from {skip}");
        }
        for (name, stream) in [
            ("zeros", vec![0; 20_000]),
            ("numbers", counters(4, true)),
            ("big-endian numbers", counters(4, false)),
            ("long numbers", counters(8, true)),
            ("long big-endian numbers", counters(8, false)),
            (
                "zeros in noise",
                noise(20_000, 9).iter().map(|&octet| if octet < 120 { 0 } else { octet }).collect(),
            ),
            ("small octets", noise(60_000, 5).iter().map(|&octet| octet % 9).collect()),
            ("noise", noise(60_000, 7)),
        ] {
            for skip in 0..20 {
                assert!(!doubtful(&segments(&stream), skip), "{name} from {skip}");
            }
        }
    }

    #[test]
    fn header_blocks_are_decoded_within_bounds() {
        // Each header claims a block that reaches over those of thousands of others.
        let stream = [0, 0x30, 0, 1, 4, 0, 0, 0, 1].repeat(7000);
        assert!(!doubtful(&segments(&stream), 0));
        let mut decodable = 10;
        let header = FrameHeader::parse(&[0, 0, 4, 1, 4, 0, 0, 0, 1]);
        let block = [0x82, 0x86, 0x84, 0xbe];
        assert!(may_be_block(Some(&block), &header, &mut decodable));
        assert!(!may_be_block(Some(&[0x90, 0x88, 0x88, 0x88]), &header, &mut decodable), "no block");
        assert!(!may_be_block(Some(&block), &header, &mut decodable), "2 octets are left");
    }
}
