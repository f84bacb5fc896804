//! How much nesting one packet may have.

use super::network::Network;
use super::skip::Skip;
use crate::base::limits::{IP_EXTENSIONS, LINK_TAGS, TUNNEL_DEPTH};

/// What was met in a packet of the things that may be nested. Every cycle in the decoding steps takes from one
/// of them, so that a packet costs a bounded number of steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget {
    tunnels: u8,
    tags: u8,
    extensions: u8,
    /// The VLANs and tunnels passed so far.
    pub(super) network: Network,
}

impl Budget {
    /// Enters a tunnel.
    pub(super) fn tunnel(&mut self) -> Result<(), Skip> {
        spend(&mut self.tunnels, TUNNEL_DEPTH, Skip::TunnelTooDeep)
    }

    /// Passes a VLAN tag or an MPLS label.
    pub(super) fn tag(&mut self) -> Result<(), Skip> {
        spend(&mut self.tags, LINK_TAGS, Skip::TooManyTags)
    }

    /// Passes an extension header.
    pub(super) fn extension(&mut self) -> Result<(), Skip> {
        spend(&mut self.extensions, IP_EXTENSIONS, Skip::TooManyExtensions)
    }

    /// How many tunnels were entered.
    pub(super) fn depth(self) -> u8 {
        self.tunnels
    }
}

/// Takes one, if `used` is below `cap`.
fn spend(used: &mut u8, cap: u8, beyond: Skip) -> Result<(), Skip> {
    if *used >= cap {
        return Err(beyond);
    }
    *used += 1;
    Ok(())
}
