//! Which network a packet is in: the same addresses and ports in two VLANs, or in two tunnels, need not be the same
//! connection.

/// The VLAN tags and tunnel identifiers around a packet, mixed into one number: 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Network(pub u32);

/// What an identifier is of: equal numbers of two kinds are two networks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
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

    /// Enters a network of this kind and identifier.
    pub(super) fn enter(&mut self, kind: Kind, id: u32) {
        let mixed = (self.0 ^ id).wrapping_add((kind as u32) << 27).wrapping_mul(0x9e37_79b1);
        self.0 = mixed ^ (mixed >> 15);
    }
}
