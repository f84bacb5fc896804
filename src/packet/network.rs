//! Which network a packet is in: the same addresses and ports in two VLANs, or in two tunnels, need not be the same
//! connection.

use super::ip::protocol;
use super::layer::Layer;
use super::skip::Skip;
use super::tunnel::{geneve, gre, gtp, vxlan};

/// The VLAN tags and tunnel identifiers around a packet, mixed into one number: 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Network(pub u32);

/// What an identifier is of: equal numbers of two kinds are two networks.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Vlan = 1,
    Vxlan,
    Geneve,
    Gtp,
    Gre,
}

impl Network {
    /// Passes a VLAN tag, whose first two bytes these are: of the 16 bits the lower 12 are the identifier, and 0 is no
    /// VLAN (IEEE 802.1Q section 9.6).
    #[inline]
    pub(super) fn enter_vlan(&mut self, control: [u8; 2]) {
        let id = u16::from_be_bytes(control) & 0x0fff;
        if id != 0 {
            self.enter(Kind::Vlan, u32::from(id));
        }
    }

    /// Enters the tunnel that an IP packet with this protocol and body is, if such tunnels have identifiers.
    pub(super) fn enter_tunnel(&mut self, ip_protocol: u8, body: Layer<'_>) {
        let id = match ip_protocol {
            protocol::GRE => gre_key(body).map(|key| (Kind::Gre, key)),
            protocol::UDP => udp_identifier(body),
            _ => None,
        };
        if let Some((kind, id)) = id {
            self.enter(kind, id);
        }
    }

    fn enter(&mut self, kind: Kind, id: u32) {
        let mixed = (self.0 ^ id).wrapping_add((kind as u32) << 27).wrapping_mul(0x9e37_79b1);
        self.0 = mixed ^ (mixed >> 15);
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
