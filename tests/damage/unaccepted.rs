//! Segments that their receiver did not accept: whatever they are and wherever they come, nothing that is told changes
//! but counters (RFC 9293 section 3.10.7.4, RFC 5961).

use super::{cases, samples};
use crate::support::{Analyze, Capture, Outcome, Packet, Random};
use h2lens::Record;
use h2lens::http2::PerSide;
use h2lens::record::{Evidence, WireShape};
use proptest::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// More than the windows of the samples allow, which are not scaled.
const FAR: u32 = 200_000;

/// Addresses and ports of sender and receiver.
type Flow = (Vec<u8>, Vec<u8>);

/// Where the TCP header is.
fn tcp_start(packet: &Packet) -> usize {
    packet.payload_start().unwrap() - 20
}

fn number(packet: &Packet, at: usize) -> u32 {
    let at = tcp_start(packet) + at;
    u32::from_be_bytes(packet.bytes[at..at + 4].try_into().unwrap())
}

fn flags(packet: &Packet) -> u8 {
    packet.bytes[tcp_start(packet) + 13]
}

/// The number behind the segment.
fn end(packet: &Packet) -> u32 {
    let len = packet.bytes.len() - packet.payload_start().unwrap();
    number(packet, 4).wrapping_add(len as u32 + u32::from(flags(packet) & (SYN | FIN) != 0))
}

/// The packet with the checksums that belong to it.
pub(super) fn summed(mut packet: Packet) -> Packet {
    let tcp = tcp_start(&packet);
    packet.bytes[tcp + 16..tcp + 18].fill(0);
    let len = (packet.bytes.len() - tcp) as u32;
    let pseudo_header = [&packet.bytes[addresses(&packet)], &[0, 6], &len.to_be_bytes()].concat();
    let sum = !checksum(&[&pseudo_header, &packet.bytes[tcp..]]);
    packet.bytes[tcp + 16..tcp + 18].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// Where the addresses stand.
fn addresses(packet: &Packet) -> Range<usize> {
    if packet.bytes[14] >> 4 == 6 { 22..54 } else { 26..34 }
}

fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    words.fold(0_u32, |sum, pair| {
        let sum = sum + u32::from(pair[0]) * 256 + u32::from(pair.get(1).copied().unwrap_or(0));
        (sum & 0xffff) + (sum >> 16)
    }) as u16
}

/// What the two receivers of a connection expect, so far.
#[derive(Default)]
struct Expected(HashMap<Flow, u32>);

impl Expected {
    fn take(&mut self, packet: &Packet) {
        self.0.insert(packet.flow().unwrap(), end(packet));
    }

    /// For a sender as this packet's: the number that its receiver expects, and the one that it has reached itself.
    fn numbers(&self, packet: &Packet) -> Option<(u32, u32)> {
        let (src, dst) = packet.flow().unwrap();
        Some((*self.0.get(&(src.clone(), dst.clone()))?, *self.0.get(&(dst, src))?))
    }
}

/// A segment like this one that its receiver does not accept now; `None` where none can be made of it.
fn refused(packet: &Packet, expected: &Expected, random: &mut Random) -> Option<Packet> {
    let (next, acked) = expected.numbers(packet)?;
    // Far acknowledgments lie behind all far numbers: one that fits one would say that the capture has lost what is between.
    let far = |random: &mut Random, from: u32, least: u32| {
        let by = least + random.next() as u32 % (1 << 29);
        if random.chance(500) { from.wrapping_add(by) } else { from.wrapping_sub(by) }
    };
    let near = |random: &mut Random, from: u32| {
        let by = random.between(1, 3000) as u32;
        if random.chance(500) { from.wrapping_add(by) } else { from.wrapping_sub(by) }
    };
    let garbage: Vec<u8> = (0..random.between(1, 300)).map(|_| random.next() as u8).collect();
    let (seq, ack, flags, payload) = match random.below(7) {
        0 => (near(random, next), acked, RST | if random.chance(500) { ACK } else { 0 }, vec![]),
        1 => (far(random, next, FAR), 0, RST, vec![]),
        2 => (far(random, next, FAR), acked, SYN, garbage),
        3 => (near(random, next), near(random, acked), SYN | ACK, vec![]),
        4 => (far(random, next, FAR), acked, ACK, garbage),
        5 => (next, far(random, acked, (1 << 29) + 2 * FAR), ACK, garbage),
        _ => return damaged(packet, random),
    };
    let mut refused = packet.clone();
    let tcp = tcp_start(packet);
    refused.bytes.truncate(tcp + 20);
    refused.bytes[tcp + 4..tcp + 8].copy_from_slice(&seq.to_be_bytes());
    refused.bytes[tcp + 8..tcp + 12].copy_from_slice(&ack.to_be_bytes());
    refused.bytes[tcp + 13] = flags;
    refused.bytes.extend(payload);
    let len = (refused.bytes.len() - if tcp == 54 { 54 } else { 14 }) as u16;
    let len_at = if tcp == 54 { 18 } else { 16 };
    refused.bytes[len_at..len_at + 2].copy_from_slice(&len.to_be_bytes());
    refused.original = refused.bytes.len() as u32;
    Some(summed(refused))
}

/// The checksum has by chance the value that is left to a network card: the sum of the pseudo-header, with its length or without.
fn looks_offloaded(packet: &Packet) -> bool {
    let tcp = tcp_start(packet);
    let sum = |len: u32| checksum(&[&packet.bytes[addresses(packet)], &[0, 6], &len.to_be_bytes()]);
    let field = u16::from_be_bytes([packet.bytes[tcp + 16], packet.bytes[tcp + 17]]);
    [0, sum(0), sum((packet.bytes.len() - tcp) as u32)].contains(&field)
}

/// A copy with a bit changed on the way.
fn damaged(packet: &Packet, random: &mut Random) -> Option<Packet> {
    let mut packet = packet.clone();
    let tcp = tcp_start(&packet);
    let at = random.between(tcp + 4, packet.bytes.len() - 1);
    // The header's length would be another one; or it may be the receiving network card that has joined segments.
    if at == tcp + 12 || packet.bytes.len() > 1514 || looks_offloaded(&packet) {
        return None;
    }
    packet.bytes[at] ^= 1 << random.below(8);
    Some(packet)
}

/// The capture with refused segments before so many packets in a thousand, and the old number of each packet.
fn with_refused(capture: &Capture, permille: usize, random: &mut Random) -> (Capture, Vec<u64>) {
    let mut expected = Expected::default();
    let (mut packets, mut numbers) = (Vec::new(), Vec::new());
    for (n, packet) in capture.packets.iter().enumerate() {
        // A SYN is judged otherwise: there is no connection yet.
        let established = flags(packet) & SYN == 0;
        while established && random.chance(permille) {
            if let Some(mut refused) = refused(packet, &expected, random) {
                refused.time = packets.last().map_or(packet.time, |last: &Packet| last.time);
                packets.push(refused);
                numbers.push(0);
            }
        }
        expected.take(packet);
        packets.push(packet.clone());
        numbers.push(n as u64 + 1);
    }
    (Capture { packets }, numbers)
}

/// The records without counters, with the packets' old numbers.
fn told(outcome: &Outcome, numbers: &[u64]) -> Vec<Record> {
    let old = |number: &mut u64| *number = numbers[*number as usize - 1];
    let of_evidence = |evidence: &mut Option<Vec<Evidence>>| {
        evidence.iter_mut().flatten().for_each(|finding| old(&mut finding.packet));
    };
    let mut records = outcome.records.clone();
    for record in &mut records {
        match record {
            Record::Transaction { connection, transaction, annotation } => {
                old(&mut connection.id);
                old(&mut transaction.first.packet);
                old(&mut transaction.last.packet);
                of_evidence(&mut transaction.evidence);
                (transaction.retransmitted, transaction.wire) = (PerSide::default(), WireShape::default());
                annotation.agent = None;
                let others = [&mut annotation.retry_of, &mut annotation.retried_by];
                others.into_iter().flatten().for_each(|attempt| old(&mut attempt.connection));
            }
            Record::Connection(connection) => {
                old(&mut connection.meta.id);
                old(&mut connection.first.packet);
                old(&mut connection.last.packet);
                of_evidence(&mut connection.ending.evidence);
                connection.tcp = None;
                (connection.timing.rtt_client, connection.timing.rtt_server) = (None, None);
            }
            _ => panic!("{record:?}"),
        }
    }
    records
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn what_no_receiver_accepts_changes_nothing(n in 0_usize..12, permille in 1_usize..400, seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let mut capture = samples()[n].capture.clone();
        capture.packets = capture.packets.into_iter().map(summed).collect();
        let clean: Vec<u64> = (1..=capture.packets.len() as u64).collect();
        let expected = told(&Analyze::capture(&capture).run(), &clean);
        let (mixed, numbers) = with_refused(&capture, permille, &mut random);
        let outcome = Analyze::capture(&mixed).run();
        let found = told(&outcome, &numbers);
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(found, expected);
        }
        prop_assert!(outcome.complete());
        let injected = (mixed.packets.len() - capture.packets.len()) as u64;
        let counted = outcome.coverage().unaccepted + outcome.coverage().bad_checksums;
        // Some are such that it takes their successors to tell.
        let most = injected < 8 || counted * 2 >= injected;
        prop_assert!(counted <= injected && most, "{} of {}", counted, injected);
    }
}
