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
/// IEEE 802.11, from its frame control on.
pub(super) const IEEE_802_11: u16 = 105;
/// IEEE 802.11 behind a radiotap header.
const RADIOTAP: u16 = 127;
/// A link type for private use, in which macOS wrote [`PKTAP`] before that had a number of its own.
const USER2: u16 = 149;
/// Per-packet information: a description, then a frame of another link type.
const PPI: u16 = 192;
/// PPP behind a byte that tells the direction.
const PPP_WITH_DIR: u16 = 204;
/// Raw IPv4.
const IPV4: u16 = 228;
/// Raw IPv6.
const IPV6: u16 = 229;
/// Packets from Linux netfilter's log.
const NFLOG: u16 = 239;
/// Apple's `pktap`: a description of interface and process, then a frame of another link type.
const PKTAP: u16 = 258;
/// Linux cooked capture, version 2 (interface `any`).
const LINUX_SLL2: u16 = 276;

/// What no IP is met in: Bluetooth, USB, CAN, netlink.
const NEVER_IP: [u16; 11] = [186, 187, 189, 201, 220, 227, 249, 251, 253, 254, 266];

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
        NFLOG => super::nflog::nflog(frame),
        RADIOTAP => super::wifi::radiotap(frame),
        IEEE_802_11 => super::wifi::frame(frame),
        PKTAP | PPI => described(link, frame),
        USER2 => described(PKTAP, frame).map_err(|_| Skip::UnknownLinkType),
        raw if RAW.contains(&raw) => Ok((Header::Ip, frame)),
        _ if NEVER_IP.contains(&link) => Err(Skip::NotIp),
        _ => Err(Skip::UnknownLinkType),
    }
}

/// The link type of the frame that stands in one of [`PKTAP`] or [`PPI`]; else `link` itself.
pub(super) fn innermost(link: u16, frame: Layer<'_>) -> u16 {
    let inner = if matches!(link, PKTAP | PPI) { description(link, frame).ok() } else { None };
    inner.map_or(link, |(_, link)| link)
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

/// A frame behind a description that tells its link type.
fn described(link: u16, frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    match description(link, frame)? {
        (_, PKTAP | PPI | USER2) => Err(Skip::UnknownLinkType),
        (len, link) => enter(link, frame.skip(len, Skip::MalformedLink)?),
    }
}

/// Length of the description, and link type of what follows. All numbers are little-endian.
///
/// ```text
/// pktap: length 4 · kind of record 4 (1 is a packet) · link type 4 · …
/// ppi:   version 1 (0) · flags 1 · length 2 · link type 4 · …
/// ```
fn description(link: u16, frame: Layer<'_>) -> Result<(usize, u16), Skip> {
    const PACKET: u32 = 1;
    let (shortest, len, inner) = if link == PPI {
        let &[version, _, l0, l1, t0, t1, t2, t3] = frame.head::<8>(Skip::MalformedLink)?;
        if version != 0 {
            return Err(Skip::MalformedLink);
        }
        (8, u32::from(u16::from_le_bytes([l0, l1])), u32::from_le_bytes([t0, t1, t2, t3]))
    } else {
        let &[l0, l1, l2, l3, k0, k1, k2, k3, t0, t1, t2, t3] = frame.head::<12>(Skip::MalformedLink)?;
        if u32::from_le_bytes([k0, k1, k2, k3]) != PACKET {
            return Err(Skip::MalformedLink);
        }
        (12, u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([t0, t1, t2, t3]))
    };
    let inner = u16::try_from(inner).map_err(|_| Skip::UnknownLinkType)?;
    if len < shortest { Err(Skip::MalformedLink) } else { Ok((len as usize, inner)) }
}
