//! What a layer holds, as the layer below it says.

use super::ip::IpPacket;
use super::layer::Layer;

/// The header to decode next. Each decoding step takes one and gives the one behind it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next<'d> {
    /// An Ethernet frame from its destination address on.
    Ethernet(Layer<'d>),
    /// What an `EtherType` (IEEE 802 numbers) stands for.
    Typed(u16, Layer<'d>),
    /// An IEEE 802.2 LLC header.
    Llc(Layer<'d>),
    /// PPP, with or without the HDLC address and control bytes.
    Ppp(Layer<'d>),
    /// An MPLS label stack.
    Mpls(Layer<'d>),
    /// IPv4.
    Ipv4(Layer<'d>),
    /// IPv6.
    Ipv6(Layer<'d>),
    /// IP of the version that its first half byte says.
    Ip(Layer<'d>),
    /// What stands above IP.
    Upper(IpPacket<'d>),
}
