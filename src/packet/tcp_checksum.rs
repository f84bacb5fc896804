//! Is the checksum of a TCP segment right? (RFC 9293 section 3.1)

use super::checksum::{Checksum, fold, words};
use super::ip::{IpPacket, protocol};
use super::layer::Layer;
use std::net::IpAddr;

/// Judges a TCP segment, of which `packet` tells the addresses.
#[inline]
pub(super) fn verify(packet: &IpPacket<'_>, head: &[u8; 20]) -> Checksum {
    if packet.damaged {
        return Checksum::Wrong;
    }
    let whole = packet.body.cut() == 0;
    let addresses = pseudo_header(packet);
    let length = length_word(packet.body);
    if !whole {
        return Checksum::Unknown;
    }
    if is_offloaded(head, addresses, length) {
        return Checksum::Offloaded;
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
    let protocol = u64::from(u16::from_ne_bytes([0, protocol::TCP]));
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
