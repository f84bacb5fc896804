//! The network service header of service function chains (RFC 8300).

use super::budget::Budget;
use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// Version, OAM bit, time to live and length, metadata type, next protocol; then the service path and metadata
/// (RFC 8300 section 2.2). The length counts words of four bytes, the base header among them.
pub(super) fn nsh<'d>(header: Layer<'d>, budget: &mut Budget) -> Result<Next<'d>, Skip> {
    const OAM: u8 = 0x20;
    const PATH_WORDS: usize = 2;
    budget.tunnel()?;
    let &[first, second, _, next] = header.head::<4>(Skip::MalformedTunnel)?;
    let words = usize::from(second & 0x3f);
    if first >> 6 != 0 {
        return Err(Skip::UnknownShim);
    }
    if words < PATH_WORDS {
        return Err(Skip::MalformedTunnel);
    }
    let body = header.skip(words * 4, Skip::MalformedTunnel)?;
    if first & OAM != 0 {
        return Err(Skip::NotIp);
    }
    shim(next, body)
}

/// What the next protocol of an NSH (RFC 8300 section 9.4), which is also that of VXLAN-GPE
/// (draft-ietf-nvo3-vxlan-gpe section 3.2), stands for.
pub(super) fn shim(next: u8, body: Layer<'_>) -> Result<Next<'_>, Skip> {
    Ok(match next {
        1 => (Header::Ipv4, body),
        2 => (Header::Ipv6, body),
        3 => (Header::Ethernet, body),
        4 => (Header::Nsh, body),
        5 => (Header::Mpls, body),
        _ => return Err(Skip::UnknownShim),
    })
}
