//! Link types, as numbered by the tcpdump registry (<https://www.tcpdump.org/linktypes.html>).

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// BSD loopback: an address family in the byte order of the machine that captured.
const NULL: u16 = 0;
/// Ethernet.
pub(super) const ETHERNET: u16 = 1;
/// PPP, with or without HDLC address and control bytes.
const PPP: u16 = 9;
/// Raw IP, as `DLT_RAW` is numbered on most systems and on `OpenBSD`, and by the registry.
const RAW: [u16; 3] = [12, 14, 101];
/// PPP in HDLC-like framing, or Cisco HDLC.
const PPP_HDLC: u16 = 50;
/// PPP over Ethernet, from the `PPPoE` header on.
const PPP_ETHER: u16 = 51;
/// Cisco HDLC.
const C_HDLC: u16 = 104;
/// `OpenBSD` loopback: as [`NULL`], in network byte order.
const LOOP: u16 = 108;
/// `OpenBSD` `enc`: packets inside `IPsec`, in the clear.
const ENC: u16 = 109;
/// Linux cooked capture, version 1.
const LINUX_SLL: u16 = 113;
/// Packet filter log of the BSDs.
const PFLOG: u16 = 117;
/// PPP behind a byte that tells the direction.
const PPP_WITH_DIR: u16 = 204;
/// Raw IPv4.
const IPV4: u16 = 228;
/// Raw IPv6.
const IPV6: u16 = 229;
/// Apple's `pktap`: a description of interface and process, then a frame of another link type.
const PKTAP: u16 = 258;
/// Linux cooked capture, version 2 (interface `any`).
const LINUX_SLL2: u16 = 276;

/// `AF_INET`, the same everywhere.
const AF_INET: u32 = 2;
/// `AF_INET6` of Linux; `NetBSD` and `OpenBSD`; `FreeBSD`; macOS.
const AF_INET6: [u32; 4] = [10, 24, 28, 30];

/// What a frame of link type `link` begins with.
#[inline]
pub(super) fn enter(link: u16, frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    match link {
        ETHERNET => Ok((Header::Ethernet, frame)),
        LINUX_SLL => sll(frame),
        LINUX_SLL2 => sll2(frame),
        NULL | LOOP => null(frame),
        IPV4 => Ok((Header::Ipv4, frame)),
        IPV6 => Ok((Header::Ipv6, frame)),
        PPP => Ok((Header::Ppp, frame)),
        PPP_HDLC => ppp_hdlc(frame),
        PPP_ETHER => super::ppp::pppoe_session(frame),
        PPP_WITH_DIR => Ok((Header::Ppp, frame.skip(1, Skip::MalformedLink)?)),
        C_HDLC => cisco_hdlc(frame),
        ENC => Ok((Header::Ip, frame.skip(12, Skip::MalformedLink)?)),
        PFLOG => pflog(frame),
        PKTAP => pktap(frame),
        raw if RAW.contains(&raw) => Ok((Header::Ip, frame)),
        _ => Err(Skip::UnknownLinkType),
    }
}

/// Linux cooked, version 1: packet type, device type, address length, address, protocol: 16 bytes.
fn sll(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = frame.split::<16>(Skip::MalformedLink)?;
    cooked(u16::from_be_bytes([head[14], head[15]]), body)
}

/// Linux cooked, version 2: protocol, reserved, interface, device type, packet type, address: 20 bytes.
fn sll2(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = frame.split::<20>(Skip::MalformedLink)?;
    cooked(u16::from_be_bytes([head[0], head[1]]), body)
}

/// The protocol field of Linux cooked captures: an `EtherType`, or one of Linux's own numbers below them.
fn cooked(protocol: u16, body: Layer<'_>) -> Result<Next<'_>, Skip> {
    match protocol {
        0x0004 => Ok((Header::Llc, body)),
        0..0x0600 => Err(Skip::NotIp),
        _ => Ok((Header::Typed(protocol), body)),
    }
}

/// An address family of four bytes, in either order: families are small, so the order shows.
fn null(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = frame.split::<4>(Skip::MalformedLink)?;
    match u32::from_le_bytes(*head).min(u32::from_be_bytes(*head)) {
        AF_INET => Ok((Header::Ipv4, body)),
        family if AF_INET6.contains(&family) => Ok((Header::Ipv6, body)),
        _ => Err(Skip::NotIp),
    }
}

/// PPP or, when the address byte is that of Cisco HDLC (unicast or broadcast), Cisco HDLC.
fn ppp_hdlc(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    match frame.bytes().first() {
        Some(0x0f | 0x8f) => cisco_hdlc(frame),
        _ => Ok((Header::Ppp, frame)),
    }
}

/// Cisco HDLC: address, control, `EtherType`.
fn cisco_hdlc(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = frame.split::<4>(Skip::MalformedLink)?;
    match u16::from_be_bytes([head[2], head[3]]) {
        0..0x0600 => Err(Skip::NotIp),
        ethertype => Ok((Header::Typed(ethertype), body)),
    }
}

/// `pflog`: the header's first byte is its length without the padding to four bytes.
fn pflog(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    const SHORTEST: usize = 45;
    let [len] = *frame.head::<1>(Skip::MalformedLink)?;
    let len = usize::from(len).next_multiple_of(4);
    if len < SHORTEST {
        return Err(Skip::MalformedLink);
    }
    Ok((Header::Ip, frame.skip(len, Skip::MalformedLink)?))
}

/// `pktap`: header length, kind of record (1 is a packet), link type of the frame behind it, all 32 bits
/// little-endian.
fn pktap(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let &[l0, l1, l2, l3, _, _, _, _, t0, t1, t2, t3] = frame.head::<12>(Skip::MalformedLink)?;
    let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if len < 12 {
        return Err(Skip::MalformedLink);
    }
    match u16::try_from(u32::from_le_bytes([t0, t1, t2, t3])) {
        Ok(link) if link != PKTAP => enter(link, frame.skip(len, Skip::MalformedLink)?),
        _ => Err(Skip::UnknownLinkType),
    }
}
