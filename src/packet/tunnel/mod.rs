//! Packets inside packets: what stands in GRE, and in UDP on the ports of VXLAN, Geneve and GTP-U.

mod geneve;
mod gre;
mod gtp;
mod vxlan;

pub(super) use gre::gre;

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// What a UDP datagram (RFC 768) tunnels. Any UDP may use these ports, so that a header which is not wholly as
/// its specification says makes it plain [`Skip::Udp`].
pub(super) fn udp(datagram: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = datagram.split::<8>(Skip::Udp)?;
    let body = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
        0 => body, // a jumbogram (RFC 2675 section 4), or segmentation offload
        len => body.limit(len.checked_sub(8).ok_or(Skip::Udp)?),
    };
    match u16::from_be_bytes([head[2], head[3]]) {
        vxlan::PORT | vxlan::LINUX_PORT => vxlan::vxlan(body),
        geneve::PORT => geneve::geneve(body),
        gtp::PORT => gtp::gtp_u(body),
        _ => Err(Skip::Udp),
    }
}

/// `EtherIP` (RFC 3378 section 2): version 3, then twelve bits that are zero, then an Ethernet frame.
pub(super) fn etherip(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    match header.split::<2>(Skip::MalformedTunnel)? {
        ([0x30, 0], frame) => Ok((Header::Ethernet, frame)),
        _ => Err(Skip::MalformedTunnel),
    }
}
