//! Equal addresses and ports in different networks: VLANs, or tunnels, of which the connections have nothing to do with
//! each other; or the two ways that the directions of one connection go.

use super::Reassembly;
use crate::base::direction::Direction;
use crate::packet::{Network, Segment};

/// The network that each direction of a connection was last seen in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Networks([Option<Network>; 2]);

impl Networks {
    /// The direction was last seen in this network.
    #[inline]
    pub(super) fn has(&self, from: Direction, network: Network) -> bool {
        self.of(from) == Some(network)
    }

    /// The direction is seen in this network.
    #[inline]
    pub(super) fn set(&mut self, from: Direction, network: Network) {
        if let Some(known) = self.0.get_mut(from.index()) {
            *known = Some(network);
        }
    }

    /// How well a segment suits a connection by its network: 3 where its direction is known to be there, 2 where only
    /// the other one is, 1 where the network is another but the numbers fit, 0 where it is none of this connection's.
    pub(super) fn rank(&self, from: Direction, segment: &Segment<'_>, streams: &Reassembly) -> u8 {
        match (self.of(from), self.of(from.reverse())) {
            (Some(own), _) if own == segment.network => 3,
            (None, Some(other)) if other == segment.network => 2,
            _ => u8::from(streams.suits(from, segment)),
        }
    }

    fn of(&self, from: Direction) -> Option<Network> {
        self.0.get(from.index()).copied().flatten()
    }
}

impl Reassembly {
    /// The segment is of this connection by its numbers. A SYN is only if it was not answered yet, or answers.
    fn suits(&self, from: Direction, segment: &Segment<'_>) -> bool {
        let (own, other) = (&self.halves[from], &self.halves[from.reverse()]);
        if !segment.flags.syn() {
            return self.fits_numbers(from, segment);
        }
        let asked = other.initial.map(|seq| seq.wrapping_add(1));
        let answers = segment.flags.ack() && asked.is_none_or(|number| number == segment.ack);
        let answered = own.last_ack.is_some() && other.last_ack.is_some();
        !self.closed() && self.is_own_syn(from, segment) && (answers || !answered)
    }
}
