//! Packets inside packets: what stands in GRE, in L2TP, and in UDP on the ports of VXLAN, Geneve, GTP-U and TZSP.

mod geneve;
mod gre;
mod gtp;
pub(super) mod identifier;
mod l2tp;
mod tzsp;
mod vxlan;

pub(super) use gre::gre;
pub(super) use l2tp::l2tp_v3;

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// The port of encrypted packets that pass address translation (RFC 3948 section 2).
const ESP_PORT: u16 = 4500;

/// What a UDP datagram (RFC 768) tunnels. Any UDP may use these ports, so that a header which is not wholly as
/// its specification says makes it plain [`Skip::Udp`].
pub(super) fn udp(datagram: Layer<'_>) -> Result<Next<'_>, Skip> {
    let (head, body) = datagram.split::<8>(Skip::Udp)?;
    let body = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
        0 => body, // a jumbogram (RFC 2675 section 4), or segmentation offload
        len => body.limit(len.checked_sub(8).ok_or(Skip::Udp)?),
    };
    let (from, to) = (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
    match to {
        vxlan::PORT | vxlan::LINUX_PORT => vxlan::vxlan(body),
        vxlan::GPE_PORT => vxlan::gpe(body),
        geneve::PORT => geneve::geneve(body),
        gtp::PORT => gtp::gtp_u(body),
        tzsp::PORT => tzsp::tzsp(body),
        l2tp::PORT => l2tp::l2tp_udp(body),
        // The other side answers from its own port.
        _ if from == l2tp::PORT => l2tp::l2tp_udp(body),
        _ if from == ESP_PORT || to == ESP_PORT => Err(esp(body)),
        _ => Err(Skip::Udp),
    }
}

/// ESP in UDP begins with a security parameters index, which is never zero, unlike what goes with it: key exchange and
/// keep-alives (RFC 3948 section 2).
fn esp(body: Layer<'_>) -> Skip {
    match body.head::<8>(Skip::Udp) {
        Ok([0, 0, 0, 0, ..]) | Err(_) => Skip::Udp,
        Ok(_) => Skip::Esp,
    }
}

/// `EtherIP` (RFC 3378 section 2): version 3, then twelve bits that are zero, then an Ethernet frame.
pub(super) fn etherip(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    match header.split::<2>(Skip::MalformedTunnel)? {
        ([0x30, 0], frame) => Ok((Header::Ethernet, frame)),
        _ => Err(Skip::MalformedTunnel),
    }
}
