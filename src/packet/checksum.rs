//! Checksums of IPv4 headers and of TCP (RFC 791 section 3.1, RFC 9293 section 3.1; computed as RFC 1071 tells).

use super::ip::IpPacket;
use super::layer::Layer;
use std::net::IpAddr;

/// What the checksums say about a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// All bytes are as they were sent.
    Right,
    /// Nothing: bytes are cut off, or the sending host leaves checksums to its network card (offloading).
    #[default]
    Unknown,
    /// Some bytes are not as they were sent, or the sending host leaves something in the field that is no checksum.
    Wrong,
}

/// Whether an IPv4 header's checksum is wrong. 0 is what offloading leaves, and says nothing.
#[inline]
pub(super) fn is_wrong_header(head: &[u8; 20], options: &[u8]) -> bool {
    let total = words(head) + words(options);
    fold(total) != 0xffff && head[10..12] != [0, 0]
}

/// Judges a TCP segment, of which `packet` tells the addresses.
#[inline]
pub(super) fn verify(packet: &IpPacket<'_>, head: &[u8; 20]) -> Checksum {
    if packet.damaged {
        return Checksum::Wrong;
    }
    let whole = packet.body.cut() == 0;
    let addresses = pseudo_header(packet);
    let length = length_word(packet.body);
    if !whole || is_offloaded(head, addresses, length) {
        return Checksum::Unknown;
    }
    match fold(addresses + length + words(packet.body.bytes())) {
        0xffff => Checksum::Right,
        _ => Checksum::Wrong,
    }
}

/// The field holds what a host leaves to its network card: nothing, or the sum of the pseudo-header, with the length or,
/// for segments that the card is to divide, without.
#[inline]
fn is_offloaded(head: &[u8; 20], addresses: u64, length: u64) -> bool {
    let field = u16::from_ne_bytes([head[16], head[17]]);
    field == 0 || field == fold(addresses + length) || field == fold(addresses)
}

/// Addresses and protocol of the pseudo-header.
#[inline]
fn pseudo_header(packet: &IpPacket<'_>) -> u64 {
    let protocol = u64::from(u16::from_ne_bytes([0, super::ip::protocol::TCP]));
    protocol + address(packet.src) + address(packet.dst)
}

#[inline]
fn address(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => u64::from(u32::from_ne_bytes(ip.octets())),
        IpAddr::V6(ip) => words(&ip.octets()),
    }
}

/// The length in the pseudo-header.
#[inline]
fn length_word(body: Layer<'_>) -> u64 {
    u64::from(u32::from_ne_bytes((body.wire() as u32).to_be_bytes()))
}

/// The sum of a run of 16-bit words, not folded. The order of bytes does not matter, so that it is the machine's.
#[inline]
fn words(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut lanes = [0_u64; 4];
    for block in blocks {
        let (quads, _) = block.as_chunks::<4>();
        for (lane, &quad) in lanes.iter_mut().zip(quads) {
            *lane += u64::from(u32::from_ne_bytes(quad));
        }
    }
    let (quads, rest) = rest.as_chunks::<4>();
    let quads: u64 = quads.iter().map(|&quad| u64::from(u32::from_ne_bytes(quad))).sum();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
    lanes.iter().sum::<u64>() + quads + u64::from(u32::from_ne_bytes(last))
}

/// The ones' complement sum as 16 bits.
#[inline]
fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}
