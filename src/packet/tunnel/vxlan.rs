//! VXLAN (RFC 7348).

use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;

/// The assigned port.
pub(super) const PORT: u16 = 4789;
/// The port that Linux used before the assignment, and still does by default.
pub(super) const LINUX_PORT: u16 = 8472;

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
