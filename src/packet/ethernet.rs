//! Ethernet frames, and what an `EtherType` leads to: VLAN tags, LLC and SNAP, IP.

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;
use etherparse::EtherType;

/// IPv4.
pub(super) const IPV4: u16 = EtherType::IPV4.0;
/// IPv6.
pub(super) const IPV6: u16 = EtherType::IPV6.0;
/// IEEE 802.1Q tag.
const VLAN: u16 = EtherType::VLAN_TAGGED_FRAME.0;
/// IEEE 802.1ad service tag.
const SERVICE_VLAN: u16 = EtherType::PROVIDER_BRIDGING.0;
/// Service tags before their standard.
const OLD_SERVICE_VLAN: [u16; 2] = [0x9100, 0x9200];
/// `MPLS`, and `MPLS` with an upstream-assigned label (RFC 5332 section 3).
pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
/// `PPPoE` session stage (RFC 2516 section 4).
const PPPOE_SESSION: u16 = 0x8864;
/// Network service header (RFC 8300 section 12.1).
pub(super) const NSH: u16 = 0x894f;
/// The largest value that is a length, not a type (IEEE 802.3 section 3.2.6).
const MAX_LENGTH: u16 = 1500;

/// Destination, source, and type or length (IEEE 802.3 section 3.1).
#[inline]
pub(super) fn frame(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = frame.split::<14>(Skip::MalformedLink)?;
    Ok((Header::Typed(u16::from_be_bytes([head[12], head[13]])), body))
}

/// Whether `ethertype` announces a VLAN tag.
pub(super) const fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, VLAN | SERVICE_VLAN)
        || ethertype == OLD_SERVICE_VLAN[0]
        || ethertype == OLD_SERVICE_VLAN[1]
}

/// A VLAN tag (IEEE 802.1Q clause 9): priority and identifier, then the type of what follows.
#[inline]
pub(super) fn vlan(tag: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = tag.split::<4>(Skip::MalformedLink)?;
    Ok((Header::Typed(u16::from_be_bytes([head[2], head[3]])), body))
}

/// What an `EtherType` other than a VLAN's stands for; as a length it means LLC.
#[inline]
pub(super) fn typed(ethertype: u16, body: Layer<'_>) -> Result<Next<'_>, Skip> {
    match ethertype {
        IPV4 => Ok((Header::Ipv4, body)),
        IPV6 => Ok((Header::Ipv6, body)),
        PPPOE_SESSION => super::ppp::pppoe_session(body),
        NSH => Ok((Header::Nsh, body)),
        _ if MPLS.contains(&ethertype) => Ok((Header::Mpls, body)),
        0..=MAX_LENGTH => Ok((Header::Llc, body.limit(usize::from(ethertype)))),
        _ => Err(Skip::NotIp),
    }
}

/// LLC (IEEE 802.2): access points and control, for SNAP followed by organization and protocol
/// (RFC 1042). Organization 0 means an `EtherType`, and so does 0x0000f8 (IEEE 802.1H).
pub(super) fn llc(body: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (access, rest) = body.split::<3>(Skip::MalformedLink)?;
    match access {
        [0xaa, 0xaa, 0x03] => {
            let (snap, rest) = rest.split::<5>(Skip::MalformedLink)?;
            match ([snap[0], snap[1], snap[2]], u16::from_be_bytes([snap[3], snap[4]])) {
                ([0, 0, 0 | 0xf8], ethertype) if ethertype > MAX_LENGTH => {
                    Ok((Header::Typed(ethertype), rest))
                }
                _ => Err(Skip::NotIp),
            }
        }
        [0x06, 0x06, 0x03] => Ok((Header::Ipv4, rest)),
        _ => Err(Skip::NotIp),
    }
}

/// Whether these bytes can only be an Ethernet frame with IP in it: the type and the version of the header
/// behind it agree. For encapsulations that do not say what they carry.
pub(super) fn surely_carries_ip(frame: Layer<'_>) -> bool {
    let Ok((head, mut body)) = frame.split::<14>(Skip::MalformedLink) else { return false };
    let mut ethertype = u16::from_be_bytes([head[12], head[13]]);
    for _ in 0..2 {
        if !is_vlan(ethertype) {
            break;
        }
        let Ok((tag, rest)) = body.split::<4>(Skip::MalformedLink) else { return false };
        (ethertype, body) = (u16::from_be_bytes([tag[2], tag[3]]), rest);
    }
    match ethertype {
        IPV4 => super::ip::surely_v4(body),
        IPV6 => super::ip::surely_v6(body),
        _ => false,
    }
}
