//! Reassembly: what is handed on is what was sent and accepted, in order, each byte once; and as long as nothing is given up,
//! all of it.

use crate::cost::Cost;
use h2lens::base::direction::Direction;
use h2lens::base::endpoint::Endpoint;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::flow::{Arrival, Budget, ByteSink, End, Gap, Reassembly, Verdict};
use h2lens::packet::{Segment, TcpFlags};
use std::collections::BTreeMap;

const BUDGET: usize = 4096;

/// What the sink was told of one direction.
#[derive(Debug, Default)]
struct Told {
    /// Bytes by their place in the stream.
    bytes: BTreeMap<u64, u8>,
    position: u64,
    ended: bool,
}

#[derive(Debug, Default)]
struct Sink([Told; 2]);

impl ByteSink for Sink {
    fn data(&mut self, from: Direction, _: &Arrival, bytes: &[u8]) {
        let told = &mut self.0[from.index()];
        assert!(!told.ended && !bytes.is_empty());
        for &byte in bytes {
            told.bytes.insert(told.position, byte);
            told.position += 1;
        }
    }
    fn gap(&mut self, from: Direction, _: &Arrival, gap: Gap) {
        let told = &mut self.0[from.index()];
        assert!(!told.ended);
        told.position += gap.len.expect("TCP knows how much is missing");
    }
    fn end(&mut self, from: Direction, _: &Arrival, _: End) {
        let told = &mut self.0[from.index()];
        assert!(!std::mem::replace(&mut told.ended, true), "ended twice");
    }
}

/// Options (1), then segments: kind (1) · place (2) · length (1) · milliseconds (1).
///
/// Options: bit 0, nothing that ends connections or lets holes be given up; bit 1, sequence numbers wrap.
pub fn run(data: &[u8]) {
    let Some((&options, mut rest)) = data.split_first() else { return };
    let cost = Cost::start();
    let lossless = options & 1 != 0;
    let base = if options & 2 != 0 { 0xffff_ff00_u32 } else { 1000 };
    let mut reassembly = Reassembly::default();
    let mut budget = Budget::new(if lossless { 1 << 30 } else { BUDGET });
    let mut sink = Sink::default();
    // What of each direction was accepted: every content that a place in the stream had, relative to the first byte seen.
    let mut sent: [BTreeMap<i64, [u64; 4]>; 2] = Default::default();
    let mut first = [None; 2];
    // Numbers that were mentioned before: the stream may begin with one of them.
    let mut mentioned: [Vec<u32>; 2] = Default::default();
    let (mut number, mut millis, mut carried) = (0, 0, 0);
    while let Some((&[kind, high, low, len, pause], after)) = rest.split_first_chunk() {
        rest = after;
        if lossless && number >= 200 {
            break;
        }
        number += 1;
        millis += if lossless { 0 } else { u64::from(pause) * 4 };
        let from = if kind & 1 == 0 { Direction::Forward } else { Direction::Backward };
        let place = u32::from(u16::from_be_bytes([high, low]) & 0x7ff);
        let mut flags = 0;
        if !lossless {
            flags |= if kind & 2 != 0 { TcpFlags::ACK } else { 0 };
            flags |= if kind & 0xe0 == 0x20 { TcpFlags::FIN } else { 0 };
            flags |= if kind & 0xe0 == 0x40 { TcpFlags::RST } else { 0 };
            flags |= if kind & 0xe0 == 0x60 { TcpFlags::SYN } else { 0 };
        }
        // Other content at the same place, now and then.
        let salt = if kind & 4 != 0 { 0x55 } else { 0 };
        let jump = if !lossless && kind & 0x18 == 0x18 { 0x4000_0000_u32 } else { 0 };
        let payload: Vec<u8> = (0..u32::from(len)).map(|n| content(place + n) ^ salt).collect();
        let seq = base.wrapping_add(place).wrapping_add(jump);
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        let segment = Segment {
            seq,
            ack: base.wrapping_add(u32::from(low) * 8),
            flags: TcpFlags(flags),
            payload: &payload,
            ..Segment::empty(
                Moment { packet: number, time: Timestamp::from_nanos(millis * 1_000_000) },
                end(1 + from.index() as u16),
                end(2 - from.index() as u16),
            )
        };
        carried += payload.len() as u64;
        let verdict = reassembly.segment(from, &segment, &mut budget, &mut sink);
        assert!(budget.held() <= if lossless { 1 << 30 } else { BUDGET });
        // All that a side sends in order is near enough; of the rest nothing may come out.
        assert!(!lossless || verdict == Verdict::Accepted, "{verdict:?}");
        if matches!(verdict, Verdict::Unaccepted | Verdict::BadChecksum) {
            continue;
        }
        if first[from.index()].is_none() {
            mentioned[from.index()].push(seq);
        }
        if flags & TcpFlags::ACK != 0 && first[1 - from.index()].is_none() {
            mentioned[1 - from.index()].push(base.wrapping_add(u32::from(low) * 8));
        }
        if verdict == Verdict::BehindEnd {
            continue;
        }
        let origin: &mut Option<u32> = &mut first[from.index()];
        // Its SYN takes one place before the first byte.
        let start = seq.wrapping_add(u32::from(flags & TcpFlags::SYN != 0));
        if flags & TcpFlags::RST == 0 && (!payload.is_empty() || flags & (TcpFlags::SYN | TcpFlags::FIN) != 0)
        {
            origin.get_or_insert(start);
        }
        if let Some(origin) = *origin {
            for (n, &byte) in payload.iter().enumerate() {
                let offset = start.wrapping_sub(origin).wrapping_add(n as u32) as i32;
                let seen = sent[from.index()].entry(offset.into()).or_default();
                seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
            }
        }
    }
    let last = Moment { packet: number + 1, time: Timestamp::from_nanos((millis + 1) * 1_000_000) };
    reassembly.finish(last, &mut budget, &mut sink);
    assert!(!reassembly.has_hole());
    for (side, (told, sent)) in sink.0.iter().zip(&sent).enumerate() {
        let start = first[side].unwrap_or_default();
        let shifts = mentioned[side].iter().map(|&number| i64::from(start.wrapping_sub(number) as i32));
        let fits = |shift: i64| {
            let known = told.bytes.iter().all(|(&place, &byte)| {
                let seen = sent.get(&(place as i64 - shift));
                seen.is_some_and(|seen| seen[usize::from(byte >> 6)] & 1 << (byte & 63) != 0)
            });
            let mut wanted = sent.keys().map(|place| place + shift).filter(|&place| place >= 0);
            known && (!lossless || wanted.all(|place| told.bytes.contains_key(&(place as u64))))
        };
        let mut shifts = std::iter::once(0).chain(shifts);
        assert!(shifts.any(fits), "handed on what was not sent, or not all of it");
    }
    drop(reassembly);
    let bytes = data.len() + carried as usize;
    cost.assert(bytes, (256 << 10) + 512 * bytes, 20_000);
}

/// The byte that a direction sends at a place.
fn content(place: u32) -> u8 {
    (place.wrapping_mul(0x9e37_79b1) >> 24) as u8 & 0xbf
}

/// In order, swapped, with holes, overlapping.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for options in 0..4 {
        for step in [3_u16, 10, 40] {
            let mut seed = vec![options];
            for n in 0..30_u16 {
                let place = (n ^ (options as u16 & 1)) * step;
                let [high, low] = place.to_be_bytes();
                seed.extend([(n % 4) as u8 & 3, high, low, step as u8 + (n % 3) as u8, (n % 5) as u8]);
            }
            seed.extend([0x20, 0, 0, 0, 1, 0x40, 0, 0, 0, 200]);
            all.push(seed);
        }
    }
    all
}
