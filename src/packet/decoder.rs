//! From a captured packet to its TCP segment.

use super::budget::Budget;
use super::counters::PacketCounters;
use super::fragments::{Datagram, Fragments};
use super::ip::{IpPacket, is_extension, protocol};
use super::layer::Layer;
use super::network::Network;
use super::next::{Header, Next};
use super::segment::Segment;
use super::skip::Skip;
use super::unread::UnreadLinks;
use super::{ethernet, glance, ip, link, mpls, nsh, offset_within, ppp, tcp, tunnel};
use crate::base::limits::SUPER_PACKET_BYTES;
use crate::base::partition::{self, Partition};
use crate::base::time::Moment;

/// Decodes packets one by one. What it remembers from one to the next is IP fragments only, within the caps of
/// [`crate::base::limits`].
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counters: PacketCounters,
    unread: UnreadLinks,
    /// The reassembled datagram that the segment given last may borrow from.
    datagram: Vec<u8>,
    /// Whose segments are decoded; without it all are.
    partition: Option<Partition>,
    /// The packet decoded last held a segment of another part.
    foreign: bool,
}

/// What an IP packet holds, all its extension headers passed.
enum Content<'d> {
    /// TCP, in this packet.
    Tcp(IpPacket<'d>),
    /// A tunnel, and the first header in it.
    Tunnel(Next<'d>),
    /// The last missing fragment of a datagram, which is to be decoded in the packet's place.
    Reassembled(Box<Datagram>),
}

/// Where the way through a packet's headers ended: [`Content`] without tunnels.
enum Reached<'d> {
    Tcp(IpPacket<'d>),
    Datagram(Box<Datagram>),
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for one part of the connections: segments of others are counted, and no more is done with them.
    #[must_use]
    pub fn of_part(self, partition: Option<Partition>) -> Self {
        Self { partition, ..self }
    }

    /// Whether the packet decoded last held a segment of another part's connections.
    pub const fn was_foreign(&self) -> bool {
        self.foreign
    }

    /// Finds the TCP segment in a packet, if there is one, and counts the packet.
    ///
    /// `link` is the number of the link type in the tcpdump registry, `original_len` the packet's length on the
    /// wire, `data` what was captured of it. The segment's payload is a part of `data` or, when `data` is the
    /// fragment that completes a datagram, of the decoder's own memory ([`offset_within`] tells which). Any bytes
    /// are good input: what cannot be decoded is counted by a [`Skip`].
    pub fn decode<'a>(
        &'a mut self,
        at: Moment,
        link: u16,
        original_len: u32,
        data: &'a [u8],
    ) -> Option<Segment<'a>> {
        let original_len = original_len as usize;
        self.foreign = false;
        self.counters.packets += 1;
        self.counters.truncated += u64::from(original_len > data.len());
        self.counters.super_packets += u64::from(original_len > SUPER_PACKET_BYTES);
        if self.is_foreign(link, data) {
            self.counters.segments += 1;
            self.foreign = true;
            return None;
        }
        let frame = Layer::new(data, original_len.min(SUPER_PACKET_BYTES));
        let mut budget = Budget::default();
        if let Some((packet, network)) = shortcut(link, frame) {
            budget.network = network;
            return self.segment(at, &packet, budget);
        }
        match link::enter(link, frame).and_then(|next| self.walk(at, next, &mut budget)) {
            Ok(Reached::Tcp(packet)) => self.segment(at, &packet, budget),
            Ok(Reached::Datagram(datagram)) => self.decode_datagram(at, *datagram, budget),
            Err(reason) => {
                if reason == Skip::UnknownLinkType {
                    self.unread.count(link::innermost(link, frame));
                }
                self.skip(reason)
            }
        }
    }

    /// The link types met that are not decoded.
    pub fn unread_links(&self) -> UnreadLinks {
        self.unread
    }

    /// What was seen so far.
    pub fn counters(&self) -> PacketCounters {
        PacketCounters { fragments: self.fragments.counters(), ..self.counters }
    }

    /// How many IP datagrams wait for fragments.
    #[cfg(any(test, feature = "internals"))]
    pub fn pending_datagrams(&self) -> usize {
        self.fragments.pending()
    }

    /// Memory held for fragments, in bytes.
    #[cfg(test)]
    pub(super) fn fragment_memory(&self) -> usize {
        self.fragments.memory()
    }

    /// The capture has ended: datagrams that are incomplete now remain so, and are counted.
    pub fn finish(&mut self) {
        self.fragments.finish();
    }

    /// Decodes a datagram put together from fragments. It may hold the last fragment of another one, inside a
    /// tunnel; the budget bounds how often.
    #[cold]
    fn decode_datagram(
        &mut self,
        at: Moment,
        mut datagram: Datagram,
        mut budget: Budget,
    ) -> Option<Segment<'_>> {
        loop {
            let Datagram { src, dst, protocol, ref bytes, wire } = datagram;
            let packet = IpPacket {
                src,
                dst,
                protocol,
                id: None,
                fragment: None,
                damaged: false,
                body: Layer::new(bytes, wire),
            };
            let reached = match self.content(at, packet, &mut budget) {
                Ok(Content::Tunnel(next)) => self.walk(at, next, &mut budget),
                Ok(Content::Tcp(packet)) => Ok(Reached::Tcp(packet)),
                Ok(Content::Reassembled(datagram)) => Ok(Reached::Datagram(datagram)),
                Err(reason) => Err(reason),
            };
            let segment = match reached {
                Ok(Reached::Tcp(packet)) => self.segment(at, &packet, budget),
                Ok(Reached::Datagram(inner)) => {
                    let outer = std::mem::replace(&mut datagram, *inner);
                    self.fragments.recycle(outer.bytes);
                    continue;
                }
                Err(reason) => self.skip(reason),
            };
            let found = segment.map(|segment| {
                let start = offset_within(bytes, segment.payload).unwrap_or_default();
                (segment.with_payload(&[]), start..start + segment.payload.len())
            });
            self.fragments.recycle(std::mem::replace(&mut self.datagram, datagram.bytes));
            let (segment, range) = found?;
            return Some(segment.with_payload(self.datagram.get(range).unwrap_or_default()));
        }
    }

    /// Goes from header to header until TCP, or until there is a reason to stop.
    #[inline]
    fn walk<'d>(&mut self, at: Moment, mut next: Next<'d>, budget: &mut Budget) -> Result<Reached<'d>, Skip> {
        loop {
            let packet = ip_packet(next, budget)?;
            if packet.protocol == protocol::TCP && packet.fragment.is_none() {
                return Ok(Reached::Tcp(packet));
            }
            match self.content(at, packet, budget)? {
                Content::Tunnel(inner) => next = inner,
                Content::Tcp(packet) => return Ok(Reached::Tcp(packet)),
                Content::Reassembled(datagram) => return Ok(Reached::Datagram(datagram)),
            }
        }
    }

    /// Passes what stands between IP and TCP: a fragment, extension headers, the header of a tunnel. Kept out of
    /// line, so that the packet without any of them stays in registers.
    #[inline(never)]
    fn content<'d>(
        &mut self,
        at: Moment,
        mut packet: IpPacket<'d>,
        budget: &mut Budget,
    ) -> Result<Content<'d>, Skip> {
        loop {
            if let Some(place) = packet.fragment {
                let datagram = self.fragments.add(at.time, &packet, place, budget.depth())?;
                return Ok(Content::Reassembled(Box::new(datagram)));
            }
            if packet.protocol == protocol::TCP {
                return Ok(Content::Tcp(packet));
            }
            if !is_extension(packet.protocol, packet.src.is_ipv6()) {
                return tunnel(&packet, budget).map(Content::Tunnel);
            }
            packet = ip::extension(packet, budget)?;
        }
    }

    /// Decodes the TCP header of a packet that has one, and counts it.
    #[inline]
    fn segment<'d>(&mut self, at: Moment, packet: &IpPacket<'d>, budget: Budget) -> Option<Segment<'d>> {
        let header = match tcp::header(packet) {
            Ok(header) => header,
            Err(reason) => return self.skip(reason),
        };
        self.counters.segments += 1;
        self.counters.tunnelled += u64::from(budget.depth() > 0);
        if let Some(part) = self.partition
            && !part.has(partition::slice(header.src, header.dst))
        {
            self.foreign = true;
            return None;
        }
        Some(tcp::segment(at, packet, header, budget.network))
    }

    /// Whether the packet holds another part's segment, as far as a glance can tell.
    #[inline]
    fn is_foreign(&self, link: u16, data: &[u8]) -> bool {
        self.partition.is_some_and(|part| {
            link == link::ETHERNET
                && glance::endpoints(data).is_some_and(|(src, dst)| !part.has(partition::slice(src, dst)))
        })
    }

    /// Counts a packet without a segment.
    fn skip<'d>(&mut self, reason: Skip) -> Option<Segment<'d>> {
        self.counters.skip(reason);
        None
    }
}

/// The IP packet in a frame of the most frequent kind: Ethernet, with a VLAN tag or without, and TCP right above
/// IP. [`Decoder::walk`] finds the same, at more cost.
#[inline]
fn shortcut(link: u16, frame: Layer<'_>) -> Option<(IpPacket<'_>, Network)> {
    if link != link::ETHERNET {
        return None;
    }
    let (head, mut body) = frame.split::<14>(Skip::MalformedLink).ok()?;
    let mut ethertype = u16::from_be_bytes([head[12], head[13]]);
    let mut network = Network::default();
    if ethernet::is_vlan(ethertype) {
        let (tag, inner) = body.split::<4>(Skip::MalformedLink).ok()?;
        network.enter_vlan([tag[0], tag[1]]);
        (ethertype, body) = (u16::from_be_bytes([tag[2], tag[3]]), inner);
    }
    let packet = match ethertype {
        ethernet::IPV4 => ip::v4(body).ok()?,
        ethernet::IPV6 => ip::v6(body).ok()?,
        _ => return None,
    };
    (packet.protocol == protocol::TCP && packet.fragment.is_none()).then_some((packet, network))
}

/// Goes from header to header up to the next IP header, and decodes that.
#[inline]
fn ip_packet<'d>(mut next: Next<'d>, budget: &mut Budget) -> Result<IpPacket<'d>, Skip> {
    loop {
        next = match next {
            (Header::Ipv4, packet) => return ip::v4(packet),
            (Header::Ipv6, packet) => return ip::v6(packet),
            (Header::Ip, packet) => match packet.head::<1>(Skip::MalformedIp)? {
                [0x40..=0x4f] => (Header::Ipv4, packet),
                _ => (Header::Ipv6, packet),
            },
            (Header::Ethernet, frame) => ethernet::frame(frame)?,
            (Header::Typed(ethertype), body) if ethernet::is_vlan(ethertype) => {
                budget.tag()?;
                if let Ok(&control) = body.head::<2>(Skip::MalformedLink) {
                    budget.network.enter_vlan(control);
                }
                ethernet::vlan(body)?
            }
            (Header::Typed(ethertype), body) => ethernet::typed(ethertype, body)?,
            (Header::Llc, body) => ethernet::llc(body)?,
            (Header::Ppp, body) => ppp::ppp(body)?,
            (Header::Mpls, stack) => mpls::labels(stack, budget)?,
            (Header::Nsh, header) => nsh::nsh(header, budget)?,
        };
    }
}

/// The first header inside the tunnel that a protocol above IP is, or why it is none.
fn tunnel<'d>(packet: &IpPacket<'d>, budget: &mut Budget) -> Result<Next<'d>, Skip> {
    let body = packet.body;
    let inner = match packet.protocol {
        protocol::UDP => tunnel::udp(body)?,
        protocol::ICMP | protocol::ICMPV6 => return Err(Skip::Icmp),
        protocol::ESP => return Err(Skip::Esp),
        protocol::IPV4 => (Header::Ipv4, body),
        protocol::IPV6 => (Header::Ipv6, body),
        protocol::GRE => tunnel::gre(body)?,
        protocol::ETHERIP => tunnel::etherip(body)?,
        protocol::MPLS => (Header::Mpls, body),
        protocol::L2TP => tunnel::l2tp_v3(body)?,
        protocol::IP_COMPRESSION
        | protocol::MINIMAL_ENCAPSULATION
        | protocol::IPIP
        | protocol::ENCAPSULATION => {
            return Err(Skip::UnknownTunnel);
        }
        _ => return Err(Skip::OtherIpProtocol),
    };
    budget.tunnel()?;
    tunnel::identifier::enter(&mut budget.network, packet.protocol, body);
    Ok(inner)
}
