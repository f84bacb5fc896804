//! GRE (RFC 2784) with key and sequence number (RFC 2890), and ERSPAN in it.

use super::super::ethernet;
use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;

/// A bridged Ethernet frame (RFC 1701, "Transparent Ethernet Bridging").
pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
/// PPP.
const PPP: u16 = 0x880b;
/// ERSPAN types I and II.
const ERSPAN_II: u16 = 0x88be;
/// ERSPAN type III.
const ERSPAN_III: u16 = 0x22eb;

/// Checksum present.
const CHECKSUM: u16 = 0x8000;
/// Routing present (RFC 1701).
const ROUTING: u16 = 0x4000;
/// Key present.
const KEY: u16 = 0x2000;
/// Sequence number present.
const SEQUENCE: u16 = 0x1000;
/// Acknowledgment number present, in version 1.
const ACKNOWLEDGMENT: u16 = 0x0080;
/// [`CHECKSUM`] and [`KEY`] in the first byte of the flags.
pub(in super::super) const CHECKSUM_FLAG: u8 = (CHECKSUM >> 8) as u8;
pub(in super::super) const KEY_FLAG: u8 = (KEY >> 8) as u8;
/// The version: 0; 1 is PPTP's.
const VERSION: u16 = 0x0007;

/// Flags, protocol, then checksum with a reserved field, key, and sequence number, as far as the flags tell.
pub(in super::super) fn gre(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (&[f0, f1, p0, p1], body) = header.split::<4>(Skip::MalformedTunnel)?;
    let (flags, protocol) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([p0, p1]));
    if flags & VERSION == 1 && protocol == PPP {
        return pptp(flags, body);
    }
    if flags & (ROUTING | VERSION) != 0 {
        return Err(Skip::UnknownTunnel);
    }
    let options = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
    let body = body.skip(4 * options, Skip::MalformedTunnel)?;
    match protocol {
        ethernet::IPV4 => Ok((Header::Ipv4, body)),
        ethernet::IPV6 => Ok((Header::Ipv6, body)),
        ethernet::NSH => Ok((Header::Nsh, body)),
        TRANSPARENT_ETHERNET => Ok((Header::Ethernet, body)),
        PPP => Ok((Header::Ppp, body)),
        ERSPAN_II if flags & SEQUENCE == 0 => Ok((Header::Ethernet, body)), // type I has no header of its own
        ERSPAN_II => erspan_ii(body),
        ERSPAN_III => erspan_iii(body),
        _ if ethernet::MPLS.contains(&protocol) => Ok((Header::Mpls, body)),
        _ => Err(Skip::NotIp),
    }
}

/// The rest of PPTP's header (RFC 2637 section 4.1): payload length and call, then sequence and acknowledgment number as
/// far as the flags tell. A packet that only acknowledges has no payload.
fn pptp(flags: u16, header: Layer<'_>) -> Result<Next<'_>, Skip> {
    if flags & (CHECKSUM | ROUTING | KEY) != KEY {
        return Err(Skip::UnknownTunnel);
    }
    let (&[l0, l1, _, _], body) = header.split::<4>(Skip::MalformedTunnel)?;
    let options = (flags & (SEQUENCE | ACKNOWLEDGMENT)).count_ones() as usize;
    let body =
        body.skip(4 * options, Skip::MalformedTunnel)?.limit(usize::from(u16::from_be_bytes([l0, l1])));
    if body.wire() == 0 { Err(Skip::NotIp) } else { Ok((Header::Ppp, body)) }
}

/// ERSPAN type II (draft-foschiano-erspan section 4.2): eight bytes, the first half byte is version 1.
fn erspan_ii(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    match header.nibble() {
        Some(1) => Ok((Header::Ethernet, header.skip(8, Skip::MalformedTunnel)?)),
        _ => Err(Skip::UnknownErspan),
    }
}

/// ERSPAN type III (draft-foschiano-erspan section 4.3): twelve bytes, the first half byte is version 2; in the
/// last two the kind of frame, and whether eight more bytes follow.
fn erspan_iii(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = header.split::<12>(Skip::MalformedTunnel)?;
    let last = u16::from_be_bytes([head[10], head[11]]);
    let body = if last & 1 == 1 { body.skip(8, Skip::MalformedTunnel)? } else { body };
    match (head[0] >> 4, last >> 10 & 0x1f) {
        (2, 0) => Ok((Header::Ethernet, body)),
        (2, 2) => Ok((Header::Ip, body)),
        _ => Err(Skip::UnknownErspan),
    }
}
