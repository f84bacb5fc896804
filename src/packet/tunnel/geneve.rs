//! Geneve (RFC 8926).

use super::super::ethernet;
use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;
use super::gre::TRANSPARENT_ETHERNET;

/// The assigned port.
pub(in super::super) const PORT: u16 = 6081;

/// Version and length of the options, flags, protocol, network identifier, 8 reserved bits, options (RFC 8926
/// section 3.4). Control packets carry no frame.
pub(super) fn geneve(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    const CONTROL: u8 = 0x80;
    const RESERVED: u8 = 0x3f;
    let (&[version_and_len, flags, p0, p1, _, _, _, reserved], body) = header.split::<8>(Skip::Udp)?;
    if version_and_len >> 6 != 0 || flags & (CONTROL | RESERVED) != 0 || reserved != 0 {
        return Err(Skip::Udp);
    }
    let body = body.skip(usize::from(version_and_len) * 4, Skip::Udp)?;
    match u16::from_be_bytes([p0, p1]) {
        TRANSPARENT_ETHERNET => Ok((Header::Ethernet, body)),
        ethernet::IPV4 => Ok((Header::Ipv4, body)),
        ethernet::IPV6 => Ok((Header::Ipv6, body)),
        _ => Err(Skip::Udp),
    }
}
