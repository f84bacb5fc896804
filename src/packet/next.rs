//! What a layer holds, as the layer below it says.

use super::layer::Layer;

/// The header to decode next, and the layer that begins with it. Each decoding step takes one and gives the one
/// behind it.
pub(super) type Next<'d> = (Header, Layer<'d>);

/// A kind of header up to IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// An Ethernet frame from its destination address on.
    Ethernet,
    /// What this `EtherType` (IEEE 802 numbers) stands for.
    Typed(u16),
    /// IEEE 802.2 LLC.
    Llc,
    /// PPP, with or without the HDLC address and control bytes.
    Ppp,
    /// An MPLS label stack.
    Mpls,
    /// A network service header (RFC 8300).
    Nsh,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// IP of the version that its first half byte says.
    Ip,
}
