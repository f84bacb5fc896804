//! Which network a tunnel is: the identifier that its header carries.

use super::super::ip::protocol;
use super::super::layer::Layer;
use super::super::network::{Kind, Network};
use super::super::skip::Skip;
use super::{geneve, gre, gtp, vxlan};

/// Enters the tunnel that an IP packet with this protocol and body is, if such tunnels have identifiers.
pub(crate) fn enter(network: &mut Network, ip_protocol: u8, body: Layer<'_>) {
    let id = match ip_protocol {
        protocol::GRE => gre_key(body).map(|key| (Kind::Gre, key)),
        protocol::UDP => udp_identifier(body),
        _ => None,
    };
    if let Some((kind, id)) = id {
        network.enter(kind, id);
    }
}

/// The key of a GRE header, behind its flags, protocol and checksum (RFC 2890 section 2).
fn gre_key(header: Layer<'_>) -> Option<u32> {
    let &[flags, ..] = header.head::<4>(Skip::MalformedTunnel).ok()?;
    let at = if flags & gre::CHECKSUM_FLAG == 0 { 4 } else { 8 };
    let key = header.skip(at, Skip::MalformedTunnel).ok()?.head::<4>(Skip::MalformedTunnel).ok()?;
    (flags & gre::KEY_FLAG != 0).then(|| u32::from_be_bytes(*key))
}

/// The identifier that the tunnel in a UDP datagram carries: VXLAN's and Geneve's network (RFC 7348 section 5, RFC 8926
/// section 3.4) have the same place; GTP-U has its tunnel endpoint there (3GPP TS 29.281 section 5.1).
fn udp_identifier(datagram: Layer<'_>) -> Option<(Kind, u32)> {
    let (head, body) = datagram.split::<8>(Skip::Udp).ok()?;
    let &[_, _, _, _, a, b, c, d] = body.head::<8>(Skip::Udp).ok()?;
    match u16::from_be_bytes([head[2], head[3]]) {
        vxlan::PORT | vxlan::LINUX_PORT | vxlan::GPE_PORT => {
            Some((Kind::Vxlan, u32::from_be_bytes([0, a, b, c])))
        }
        geneve::PORT => Some((Kind::Geneve, u32::from_be_bytes([0, a, b, c]))),
        gtp::PORT => Some((Kind::Gtp, u32::from_be_bytes([a, b, c, d]))),
        _ => None,
    }
}
