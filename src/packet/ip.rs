//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers, and the extension headers behind them.

use super::budget::Budget;
use super::checksum;
use super::layer::Layer;
use super::skip::Skip;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Protocol numbers (IANA, Assigned Internet Protocol Numbers).
pub(super) mod protocol {
    use etherparse::IpNumber;

    pub(in super::super) const HOP_BY_HOP: u8 = IpNumber::IPV6_HEADER_HOP_BY_HOP.0;
    pub(in super::super) const ICMP: u8 = IpNumber::ICMP.0;
    pub(in super::super) const IPV4: u8 = IpNumber::IPV4.0;
    pub(in super::super) const TCP: u8 = IpNumber::TCP.0;
    pub(in super::super) const UDP: u8 = IpNumber::UDP.0;
    pub(in super::super) const IPV6: u8 = IpNumber::IPV6.0;
    pub(in super::super) const ROUTING: u8 = IpNumber::IPV6_ROUTE_HEADER.0;
    pub(in super::super) const FRAGMENT: u8 = IpNumber::IPV6_FRAGMENTATION_HEADER.0;
    pub(in super::super) const GRE: u8 = IpNumber::GRE.0;
    pub(in super::super) const ESP: u8 = IpNumber::ENCAPSULATING_SECURITY_PAYLOAD.0;
    pub(in super::super) const AUTHENTICATION: u8 = IpNumber::AUTHENTICATION_HEADER.0;
    pub(in super::super) const ICMPV6: u8 = IpNumber::IPV6_ICMP.0;
    pub(in super::super) const DESTINATION_OPTIONS: u8 = IpNumber::IPV6_DESTINATION_OPTIONS.0;
    pub(in super::super) const ETHERIP: u8 = IpNumber::ETHER_IP.0;
    pub(in super::super) const MOBILITY: u8 = IpNumber::MOBILITY_HEADER.0;
    pub(in super::super) const MPLS: u8 = IpNumber::MPLS_IN_IP.0;
    pub(in super::super) const L2TP: u8 = IpNumber::LAYER2_TUNNELING_PROTOCOL.0;
    pub(in super::super) const IP_COMPRESSION: u8 = IpNumber::IP_COMP.0;
    pub(in super::super) const MINIMAL_ENCAPSULATION: u8 = IpNumber::MOBILE.0;
    pub(in super::super) const IPIP: u8 = IpNumber::IPIP.0;
    pub(in super::super) const ENCAPSULATION: u8 = IpNumber::ENCAP.0;
    pub(in super::super) const HIP: u8 = IpNumber::HIP.0;
    pub(in super::super) const SHIM6: u8 = IpNumber::SHIM6.0;
}

/// An IP packet without its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpPacket<'d> {
    /// Sender.
    pub(super) src: IpAddr,
    /// Receiver; behind a routing header the last one.
    pub(super) dst: IpAddr,
    /// What `body` begins with.
    pub(super) protocol: u8,
    /// Its identification, of IPv4.
    pub(super) id: Option<u16>,
    /// Set when this is not the whole datagram.
    pub(super) fragment: Option<FragmentOffset>,
    /// The checksum of its header is wrong.
    pub(super) damaged: bool,
    /// What follows, up to the end that the IP length states.
    pub(super) body: Layer<'d>,
}

/// A fragment's place in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FragmentOffset {
    /// The datagram's identification.
    pub(super) id: u32,
    /// Where the fragment begins, in bytes.
    pub(super) offset: usize,
    /// More fragments follow it.
    pub(super) more: bool,
}

/// Decodes an IPv4 header (RFC 791 section 3.1). A total length of zero is what segmentation offload leaves: then
/// the packet reaches to the end of the layer. So it does when the length lies beyond that end.
#[inline]
pub(super) fn v4(packet: Layer<'_>) -> Result<IpPacket<'_>, Skip> {
    let head = packet.head::<20>(Skip::MalformedIp)?;
    let header_len = usize::from(head[0] & 0x0f) * 4;
    if head[0] >> 4 != 4 || header_len < 20 {
        return Err(Skip::MalformedIp);
    }
    let options = packet.bytes().get(20..header_len).unwrap_or_default();
    let damaged = options.len() + 20 == header_len && checksum::is_wrong_header(head, options);
    let packet = match usize::from(u16::from_be_bytes([head[2], head[3]])) {
        0 => packet,
        len if len < header_len => return Err(Skip::MalformedIp),
        len => packet.limit(len),
    };
    let flags_and_offset = u16::from_be_bytes([head[6], head[7]]);
    let fragment = (flags_and_offset & 0x3fff != 0).then(|| FragmentOffset {
        id: u32::from(u16::from_be_bytes([head[4], head[5]])),
        offset: usize::from(flags_and_offset & 0x1fff) * 8,
        more: flags_and_offset & 0x2000 != 0,
    });
    Ok(IpPacket {
        src: IpAddr::V4(Ipv4Addr::new(head[12], head[13], head[14], head[15])),
        dst: IpAddr::V4(Ipv4Addr::new(head[16], head[17], head[18], head[19])),
        protocol: head[9],
        id: Some(u16::from_be_bytes([head[4], head[5]])),
        fragment,
        damaged,
        body: packet.skip(header_len, Skip::MalformedIp)?,
    })
}

/// Decodes an IPv6 header (RFC 8200 section 3). A payload length of zero is that of jumbograms (RFC 2675) and of
/// segmentation offload: then the packet reaches to the end of the layer, as it does when the length lies beyond.
#[inline]
pub(super) fn v6(packet: Layer<'_>) -> Result<IpPacket<'_>, Skip> {
    let (head, rest) = packet.split::<8>(Skip::MalformedIp)?;
    if head[0] >> 4 != 6 {
        return Err(Skip::MalformedIp);
    }
    let (src, rest) = rest.split::<16>(Skip::MalformedIp)?;
    let (dst, body) = rest.split::<16>(Skip::MalformedIp)?;
    let body = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
        0 => body,
        len => body.limit(len),
    };
    let (src, dst) = (v6_address(*src), v6_address(*dst));
    Ok(IpPacket { src, dst, protocol: head[6], id: None, fragment: None, damaged: false, body })
}

/// An IPv6 address from its bytes.
fn v6_address(bytes: [u8; 16]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(bytes))
}

/// Passes the extension header that `packet` begins with (RFC 8200 section 4; RFC 4302 for authentication), which
/// [`is_extension`] has told. A fragment header sets `fragment` unless the one fragment is the whole datagram
/// (RFC 6946).
pub(super) fn extension<'d>(packet: IpPacket<'d>, budget: &mut Budget) -> Result<IpPacket<'d>, Skip> {
    budget.extension()?;
    let body = packet.body;
    if packet.protocol == protocol::FRAGMENT {
        let (&[next, _, o0, o1, i0, i1, i2, i3], body) = body.split::<8>(Skip::MalformedIp)?;
        let offset_and_flags = u16::from_be_bytes([o0, o1]);
        let (offset, more) = (usize::from(offset_and_flags & !7), offset_and_flags & 1 == 1);
        let place = FragmentOffset { id: u32::from_be_bytes([i0, i1, i2, i3]), offset, more };
        return Ok(IpPacket {
            protocol: next,
            fragment: (offset > 0 || more).then_some(place),
            body,
            ..packet
        });
    }
    let [next, len] = *body.head::<2>(Skip::MalformedIp)?;
    let (len, dst) = match packet.protocol {
        protocol::AUTHENTICATION => ((usize::from(len) + 2) * 4, packet.dst),
        protocol::ROUTING => ((usize::from(len) + 1) * 8, final_destination(body).unwrap_or(packet.dst)),
        _ => ((usize::from(len) + 1) * 8, packet.dst),
    };
    Ok(IpPacket { dst, protocol: next, body: body.skip(len, Skip::MalformedIp)?, ..packet })
}

/// Whether the protocol number stands for an extension header: in IPv4 for authentication only.
pub(super) const fn is_extension(number: u8, v6: bool) -> bool {
    match number {
        protocol::AUTHENTICATION => true,
        protocol::HOP_BY_HOP
        | protocol::ROUTING
        | protocol::FRAGMENT
        | protocol::DESTINATION_OPTIONS
        | protocol::MOBILITY
        | protocol::HIP
        | protocol::SHIM6 => v6,
        _ => false,
    }
}

/// The receiver that a routing header with segments left names: the last address of type 0 (RFC 2460 section
/// 4.4), the home address of type 2 (RFC 6275 section 6.4), the first of the segment list, which is in reverse,
/// of type 4 (RFC 8754 section 2). TCP's checksum and the answers are by this one.
fn final_destination(header: Layer<'_>) -> Option<IpAddr> {
    let &[_, len, kind, segments_left, ..] = header.head::<8>(Skip::MalformedIp).ok()?;
    let at = match kind {
        _ if segments_left == 0 || len < 2 => return None,
        0 => 8 + (usize::from(len) / 2 - 1) * 16,
        2 | 4 => 8,
        _ => return None,
    };
    header.bytes().get(at..)?.first_chunk().copied().map(v6_address)
}

/// The length that an IP header states, where it states one.
pub(super) fn stated_len(packet: Layer<'_>) -> Option<usize> {
    let &[first, _, v4_0, v4_1, v6_0, v6_1] = packet.head::<6>(Skip::MalformedIp).ok()?;
    let len = match first >> 4 {
        4 => usize::from(u16::from_be_bytes([v4_0, v4_1])),
        6 => usize::from(u16::from_be_bytes([v6_0, v6_1])),
        _ => 0,
    };
    (len > 0).then_some(if first >> 4 == 6 { len + 40 } else { len })
}

/// Whether these bytes can only be IPv4: version, and both lengths within the layer.
pub(super) fn surely_v4(packet: Layer<'_>) -> bool {
    let Ok(head) = packet.head::<20>(Skip::MalformedIp) else { return false };
    let header_len = usize::from(head[0] & 0x0f) * 4;
    let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    head[0] >> 4 == 4 && header_len >= 20 && (len == 0 || (header_len..=packet.wire()).contains(&len))
}

/// Whether these bytes can only be IPv6: version, and the length within the layer.
pub(super) fn surely_v6(packet: Layer<'_>) -> bool {
    let Ok(head) = packet.head::<40>(Skip::MalformedIp) else { return false };
    let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
    head[0] >> 4 == 6 && len + 40 <= packet.wire()
}
