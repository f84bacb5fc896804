//! Which end is the client (docs/agent.md, "Client and server"), and one value for each sender of a tuple.

use crate::base::endpoint::Endpoint;
use std::ops::RangeInclusive;

/// A normalised connection tuple: client first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// The end that the agent takes for the client.
    pub client: Endpoint,
    /// The end that it takes for the server.
    pub server: Endpoint,
}

/// The sender of a packet: with the normalised tuple it is the directed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The tuple's client sent it: normalising kept the order.
    Client,
    /// The tuple's server sent it: normalising flipped the order.
    Server,
}

impl Side {
    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sides<T> {
    client: T,
    server: T,
}

impl<T> Sides<T> {
    /// The side's value.
    pub(super) const fn get(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The side's value.
    pub(super) const fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Both values.
    pub(super) const fn both_mut(&mut self) -> [&mut T; 2] {
        [&mut self.client, &mut self.server]
    }
}

impl Tuple {
    /// The normalised tuple of a packet, and its sender. If only the source port is ephemeral the order is kept, if
    /// only the destination's is it is flipped; otherwise the higher port is the client's.
    ///
    /// With equal ports neither direction is flipped, so that the agent takes the two directions of such a
    /// connection for two connections.
    pub(super) fn normalise(src: Endpoint, dst: Endpoint, ephemeral: &RangeInclusive<u16>) -> (Self, Side) {
        let flip = match (ephemeral.contains(&src.port), ephemeral.contains(&dst.port)) {
            (true, false) => false,
            (false, true) => true,
            _ => dst.port > src.port,
        };
        if flip {
            (Self { client: dst, server: src }, Side::Server)
        } else {
            (Self { client: src, server: dst }, Side::Client)
        }
    }

    /// The tuple of the opposite direction where that is another one: with equal ports.
    pub(super) fn twin(&self) -> Option<Self> {
        (self.client.port == self.server.port && self.client != self.server)
            .then_some(Self { client: self.server, server: self.client })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(last: u8, port: u16) -> Endpoint {
        Endpoint { ip: std::net::IpAddr::from([10, 0, 0, last]), port }
    }

    fn client_port(src: u16, dst: u16) -> (u16, Side) {
        let (tuple, side) = Tuple::normalise(end(1, src), end(2, dst), &(32_768..=60_999));
        (tuple.client.port, side)
    }

    #[test]
    fn the_ephemeral_port_is_the_clients() {
        assert_eq!(client_port(50_000, 8080), (50_000, Side::Client));
        assert_eq!(client_port(8080, 50_000), (50_000, Side::Server));
        // Though the server's port is the higher one.
        assert_eq!(client_port(50_000, 61_000), (50_000, Side::Client));
        assert_eq!(client_port(61_000, 50_000), (50_000, Side::Server));
    }

    #[test]
    fn the_range_is_inclusive() {
        assert_eq!(client_port(32_768, 60_000 + 5000), (32_768, Side::Client));
        assert_eq!(client_port(60_999, 65_535), (60_999, Side::Client));
        assert_eq!(client_port(61_000, 32_767), (61_000, Side::Client));
    }

    #[test]
    fn otherwise_the_higher_port_is_the_clients() {
        assert_eq!(client_port(40_000, 50_000), (50_000, Side::Server));
        assert_eq!(client_port(50_000, 40_000), (50_000, Side::Client));
        assert_eq!(client_port(80, 8080), (8080, Side::Server));
        assert_eq!(client_port(8080, 80), (8080, Side::Client));
    }

    #[test]
    fn equal_ports_are_two_tuples() {
        let (there, _) = Tuple::normalise(end(1, 80), end(2, 80), &(32_768..=60_999));
        let (back, side) = Tuple::normalise(end(2, 80), end(1, 80), &(32_768..=60_999));
        assert_eq!(side, Side::Client);
        assert_eq!(there.twin(), Some(back));
        assert_eq!(back.twin(), Some(there));
        let (distinct, _) = Tuple::normalise(end(1, 80), end(2, 81), &(32_768..=60_999));
        assert_eq!(distinct.twin(), None);
    }
}
