//! From a captured packet to its TCP segment.

use super::budget::Budget;
use super::counters::PacketCounters;
use super::fragments::{Datagram, Fragments};
use super::ip::{IpPacket, is_extension, protocol};
use super::layer::Layer;
use super::next::Next;
use super::segment::Segment;
use super::skip::Skip;
use super::{ethernet, ip, link, mpls, offset_within, ppp, tcp, tunnel};
use crate::limits::SUPER_PACKET_BYTES;
use crate::time::Moment;

/// Decodes packets one by one. What it remembers from one to the next is IP fragments only, within the caps of
/// [`crate::limits`].
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counters: PacketCounters,
    /// The reassembled datagram that the segment given last may borrow from.
    datagram: Vec<u8>,
}

/// Where the steps through a packet's headers ended.
enum Found<'d> {
    Segment(Segment<'d>),
    /// The packet was the missing fragment of a datagram, which is to be decoded in its place.
    Datagram(Datagram),
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
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
        self.counters.packets += 1;
        self.counters.truncated += u64::from(original_len > data.len());
        self.counters.super_packets += u64::from(original_len > SUPER_PACKET_BYTES);
        let frame = Layer::new(data, original_len.min(SUPER_PACKET_BYTES));
        let mut budget = Budget::default();
        match link::enter(link, frame).and_then(|next| self.walk(at, next, &mut budget)) {
            Ok(Found::Segment(segment)) => {
                self.count_segment(budget);
                Some(segment)
            }
            Ok(Found::Datagram(datagram)) => self.decode_datagram(at, datagram, budget),
            Err(reason) => {
                self.counters.skip(reason);
                None
            }
        }
    }

    /// What was seen so far.
    pub fn counters(&self) -> PacketCounters {
        PacketCounters { fragments: self.fragments.counters(), ..self.counters }
    }

    /// How many IP datagrams wait for fragments.
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
    fn decode_datagram(
        &mut self,
        at: Moment,
        mut datagram: Datagram,
        mut budget: Budget,
    ) -> Option<Segment<'_>> {
        loop {
            let Datagram { src, dst, protocol, ref bytes, wire } = datagram;
            let body = Layer::new(bytes, wire);
            let packet = IpPacket { src, dst, protocol, fragment: None, body };
            match self.walk(at, Next::Upper(packet), &mut budget) {
                Ok(Found::Segment(segment)) => {
                    self.count_segment(budget);
                    let start = offset_within(bytes, segment.payload).unwrap_or_default();
                    let end = start + segment.payload.len();
                    let segment = segment.with_payload(&[]);
                    self.fragments.recycle(std::mem::replace(&mut self.datagram, datagram.bytes));
                    return Some(segment.with_payload(self.datagram.get(start..end).unwrap_or_default()));
                }
                Ok(Found::Datagram(inner)) => {
                    let outer = std::mem::replace(&mut datagram, inner);
                    self.fragments.recycle(outer.bytes);
                }
                Err(reason) => {
                    self.counters.skip(reason);
                    self.fragments.recycle(datagram.bytes);
                    return None;
                }
            }
        }
    }

    /// Goes from header to header until TCP, or until there is a reason to stop.
    fn walk<'d>(&mut self, at: Moment, mut next: Next<'d>, budget: &mut Budget) -> Result<Found<'d>, Skip> {
        loop {
            next = match next {
                Next::Ethernet(frame) => ethernet::frame(frame)?,
                Next::Typed(ethertype, body) if ethernet::is_vlan(ethertype) => {
                    budget.tag()?;
                    ethernet::vlan(body)?
                }
                Next::Typed(ethertype, body) => ethernet::typed(ethertype, body)?,
                Next::Llc(body) => ethernet::llc(body)?,
                Next::Ppp(body) => ppp::ppp(body)?,
                Next::Mpls(stack) => mpls::labels(stack, budget)?,
                Next::Ip(packet) => match packet.head::<1>(Skip::MalformedIp)? {
                    [0x40..=0x4f] => Next::Ipv4(packet),
                    _ => Next::Ipv6(packet),
                },
                Next::Ipv4(packet) => Next::Upper(ip::v4(packet)?),
                Next::Ipv6(packet) => Next::Upper(ip::v6(packet)?),
                Next::Upper(mut packet) => {
                    if let Some(place) = packet.fragment.take() {
                        let datagram = self.fragments.add(at.time, &packet, place, budget.depth())?;
                        return Ok(Found::Datagram(datagram));
                    }
                    if packet.protocol == protocol::TCP {
                        return tcp::segment(at, &packet).map(Found::Segment);
                    }
                    upper(packet, budget)?
                }
            };
        }
    }

    /// Counts a packet with a segment.
    fn count_segment(&mut self, budget: Budget) {
        self.counters.segments += 1;
        self.counters.tunnelled += u64::from(budget.depth() > 0);
    }
}

/// What a protocol above IP other than TCP leads to: an extension header, or a tunnel.
fn upper<'d>(packet: IpPacket<'d>, budget: &mut Budget) -> Result<Next<'d>, Skip> {
    let body = packet.body;
    let inner = match packet.protocol {
        protocol::UDP => tunnel::udp(body)?,
        protocol::ICMP | protocol::ICMPV6 => return Err(Skip::Icmp),
        protocol::ESP => return Err(Skip::Esp),
        number if is_extension(number, packet.src.is_ipv6()) => {
            return ip::extension(packet, budget).map(Next::Upper);
        }
        protocol::IPV4 => Next::Ipv4(body),
        protocol::IPV6 => Next::Ipv6(body),
        protocol::GRE => tunnel::gre(body)?,
        protocol::ETHERIP => tunnel::etherip(body)?,
        protocol::MPLS => Next::Mpls(body),
        _ => return Err(Skip::OtherIpProtocol),
    };
    budget.tunnel()?;
    Ok(inner)
}
