//! PPP (RFC 1661) and its way over Ethernet (RFC 2516).

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// IPv4 (RFC 1332 section 2).
const IPV4: u16 = 0x0021;
/// IPv6 (RFC 5072 section 3).
const IPV6: u16 = 0x0057;
/// MPLS, unicast and multicast (RFC 3032 section 4.3).
const MPLS: [u16; 2] = [0x0281, 0x0283];

/// Multilink (RFC 1990), encryption (RFC 1968), and compression with multilink and without (RFC 1962).
const COMPRESSED: [u16; 4] = [0x003d, 0x0053, 0x00fb, 0x00fd];

/// The optional HDLC address and control bytes (RFC 1662 section 3.1), and the protocol in two bytes or,
/// compressed, in one odd byte (RFC 1661 section 2).
pub(super) fn ppp(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let frame = match frame.bytes() {
        [0xff, 0x03, ..] => frame.skip(2, Skip::MalformedLink)?,
        _ => frame,
    };
    let [first] = *frame.head::<1>(Skip::MalformedLink)?;
    let (protocol, body) = if first & 1 == 1 {
        (u16::from(first), frame.skip(1, Skip::MalformedLink)?)
    } else {
        let (protocol, body) = frame.split::<2>(Skip::MalformedLink)?;
        (u16::from_be_bytes(*protocol), body)
    };
    match protocol {
        IPV4 => Ok((Header::Ipv4, body)),
        IPV6 => Ok((Header::Ipv6, body)),
        _ if MPLS.contains(&protocol) => Ok((Header::Mpls, body)),
        _ if COMPRESSED.contains(&protocol) => Err(Skip::PppCompressed),
        _ => Err(Skip::NotIp),
    }
}

/// The `PPPoE` header of the session stage (RFC 2516 section 4): version and type 1, code 0, session, length.
pub(super) fn pppoe_session(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (&[version_and_type, code, _, _, len0, len1], body) = frame.split::<6>(Skip::MalformedLink)?;
    match (version_and_type, code) {
        (0x11, 0) => {}
        (0x11, _) => return Err(Skip::NotIp), // discovery
        _ => return Err(Skip::MalformedLink),
    }
    // A length of zero is left by segmentation offload.
    let body = match u16::from_be_bytes([len0, len1]) {
        0 => body,
        len => body.limit(usize::from(len)),
    };
    Ok((Header::Ppp, body))
}
