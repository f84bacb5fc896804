//! Whose segment a packet of the most frequent kind holds: what is another part's need not be decoded.

use super::ethernet;
use super::ip::protocol;
use crate::base::endpoint::Endpoint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Sender and receiver of the segment in an Ethernet frame without tags: of IP without options, extension headers and
/// fragments, and with a whole TCP header. What they are of `None` the long way tells; of others it tells the same.
#[inline]
pub(super) fn endpoints(frame: &[u8]) -> Option<(Endpoint, Endpoint)> {
    let (link, packet) = frame.split_first_chunk::<14>()?;
    let (src, dst, segment) = match u16::from_be_bytes([link[12], link[13]]) {
        ethernet::IPV4 => v4(packet)?,
        ethernet::IPV6 => v6(packet)?,
        _ => return None,
    };
    let head = segment.first_chunk::<20>()?;
    let header_len = usize::from(head[12] >> 4) * 4;
    let endpoint = |ip, port| Endpoint { ip, port: u16::from_be_bytes(port) };
    let endpoints = (endpoint(src, [head[0], head[1]]), endpoint(dst, [head[2], head[3]]));
    (header_len >= 20 && header_len <= segment.len()).then_some(endpoints)
}

/// Sender, receiver, and what was captured of the segment.
type Addressed<'d> = (IpAddr, IpAddr, &'d [u8]);

#[inline]
fn v4(packet: &[u8]) -> Option<Addressed<'_>> {
    let (head, body) = packet.split_first_chunk::<20>()?;
    let len = usize::from(u16::from_be_bytes([head[2], head[3]])).checked_sub(20)?;
    // Version and length of the header; more fragments, and a fragment's offset.
    let is_plain = head[0] == 0x45 && u16::from_be_bytes([head[6], head[7]]) << 2 == 0;
    let src = Ipv4Addr::new(head[12], head[13], head[14], head[15]);
    let dst = Ipv4Addr::new(head[16], head[17], head[18], head[19]);
    let segment = body.get(..len).unwrap_or(body);
    (is_plain && head[9] == protocol::TCP).then_some((src.into(), dst.into(), segment))
}

#[inline]
fn v6(packet: &[u8]) -> Option<Addressed<'_>> {
    let (head, body) = packet.split_first_chunk::<8>()?;
    let (src, body) = body.split_first_chunk::<16>()?;
    let (dst, body) = body.split_first_chunk::<16>()?;
    let segment = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
        0 => body,
        len => body.get(..len).unwrap_or(body),
    };
    let (src, dst) = (Ipv6Addr::from(*src), Ipv6Addr::from(*dst));
    (head[0] >> 4 == 6 && head[6] == protocol::TCP).then_some((src.into(), dst.into(), segment))
}
