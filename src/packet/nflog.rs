//! Packets from Linux netfilter's log (`LINKTYPE_NFLOG`).

use super::ip;
use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// `NFULA_PACKET_HDR`: the `EtherType` of the packet, in network byte order, and the hook.
const PACKET_HEADER: u16 = 1;
/// `NFULA_PAYLOAD`: the packet, from its network header on.
const PAYLOAD: u16 = 9;

/// Address family, version 0, group; then attributes of length, type and value, each padded to four bytes.
///
/// Lengths and types are in the byte order of the machine that captured. Types are small numbers below two flags, so
/// that the order shows. The log may hold less of a packet than there was: then the IP header tells how long it was.
pub(super) fn nflog(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const FLAGS: u8 = 0xc0;
    let (&[family, version, _, _], mut attributes) = frame.split::<4>(Skip::MalformedLink)?;
    if version != 0 {
        return Err(Skip::MalformedLink);
    }
    let &[_, _, t0, t1] = attributes.head::<4>(Skip::MalformedLink)?;
    let number = match (t0 & !FLAGS, t1 & !FLAGS) {
        (1.., 0) => u16::from_le_bytes,
        (0, 1..) => u16::from_be_bytes,
        _ => return Err(Skip::MalformedLink),
    };
    let mut ethertype = None;
    loop {
        let (&[l0, l1, t0, t1], rest) = attributes.split::<4>(Skip::MalformedLink)?;
        let len = usize::from(number([l0, l1])).checked_sub(4).ok_or(Skip::MalformedLink)?;
        match (number([t0, t1]) & 0x3fff, ethertype) {
            (PAYLOAD, ethertype) => {
                let packet = rest.limit(len);
                let packet = packet.widen(ip::stated_len(packet).unwrap_or_default());
                return match (family, ethertype) {
                    (AF_INET, _) => Ok((Header::Ipv4, packet)),
                    (AF_INET6, _) => Ok((Header::Ipv6, packet)),
                    (_, Some(ethertype)) => Ok((Header::Typed(ethertype), packet)),
                    _ => Err(Skip::NotIp),
                };
            }
            (PACKET_HEADER, None) => {
                ethertype = Some(u16::from_be_bytes(*rest.limit(len).head::<2>(Skip::MalformedLink)?));
            }
            _ => {}
        }
        // Padding may be left out at the end, where there is no payload any more.
        attributes = rest.skip(len.next_multiple_of(4), Skip::NotIp)?;
    }
}
