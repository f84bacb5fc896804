//! VXLAN (RFC 7348), and its generic protocol extension (draft-ietf-nvo3-vxlan-gpe).

use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::nsh;
use super::super::skip::Skip;

/// The assigned port.
pub(in super::super) const PORT: u16 = 4789;
/// The port that Linux used before the assignment, and still does by default.
pub(in super::super) const LINUX_PORT: u16 = 8472;

/// The port of the generic protocol extension.
pub(in super::super) const GPE_PORT: u16 = 4790;

/// Flags, 24 reserved bits, the network identifier, 8 reserved bits (RFC 7348 section 5), then an Ethernet frame.
/// The flag I is set, and what is reserved is zero, unless the group policy extension puts a group there
/// (draft-smith-vxlan-group-policy section 2.1).
pub(super) fn vxlan(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    match header.split::<8>(Skip::Udp)? {
        ([0x08, 0, 0, 0, _, _, _, 0], frame) => Ok((Header::Ethernet, frame)),
        ([0x88, policy, _, _, _, _, _, 0], frame) if policy & !0x48 == 0 => Ok((Header::Ethernet, frame)),
        _ => Err(Skip::Udp),
    }
}

/// Flags, 16 reserved bits, next protocol, the network identifier, 8 reserved bits
/// (draft-ietf-nvo3-vxlan-gpe section 3.1). Version 0; the flag I is set; without the flag P it is plain VXLAN. Packets
/// with the flag O are for the tunnel's ends.
pub(super) fn gpe(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    const INSTANCE: u8 = 0x08;
    const PROTOCOL: u8 = 0x04;
    const BROADCAST: u8 = 0x02;
    let (&[flags, r0, r1, next, _, _, _, r2], body) = header.split::<8>(Skip::Udp)?;
    if flags & !(PROTOCOL | BROADCAST) != INSTANCE || [r0, r1, r2] != [0; 3] {
        return Err(Skip::Udp);
    }
    match (flags & PROTOCOL, next) {
        (0, 0) => Ok((Header::Ethernet, body)),
        (0, _) | (_, 0) => Err(Skip::Udp),
        _ => nsh::shim(next, body),
    }
}
