//! Connections that the agent has classified, by normalised tuple, with what its maps hold for each.

use super::arena::List;
use super::classify::Protocol;
use super::dynamic_table::Counter;
use super::frame::HEADER_LEN;
use super::incident::{Incidents, LongPaths};
use super::tuple::{Sides, Tuple};
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::net::IpAddr;

/// State of a frame that a packet did not hold to its end: an entry of `http2_incomplete_frames`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Incomplete {
    /// Bytes missing: of the header when `header_len` is 1 to 8, of the payload otherwise.
    pub(super) remainder: u32,
    /// Bytes in `header`.
    pub(super) header_len: u8,
    /// A header, or the start of one.
    pub(super) header: [u8; HEADER_LEN],
    /// Not the kernel's: payload bytes were in the packet with the header, so that the defect will strike.
    pub(super) payload_seen: bool,
}

/// What the maps hold for a directed tuple.
#[derive(Debug, Default)]
pub(super) struct DirectedState {
    /// The sequence number dispatched last; 0 for none.
    pub(super) last_seq: u32,
    /// Not the kernel's: where the next segment begins if none is missing or repeated.
    pub(super) next_seq: Option<u32>,
    /// The entry in the map of incomplete frames.
    pub(super) incomplete: Option<Incomplete>,
    /// The entry in the map of dynamic counters.
    pub(super) counter: Option<Counter>,
    /// Its entries in the dynamic table.
    pub(super) dynamic: List,
    /// Not the kernel's: entries not stored because they were too long.
    pub(super) long_paths: LongPaths,
    /// Not the kernel's: packets in which frames were lost.
    pub(super) incidents: Incidents,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Who.
    pub(super) tuple: Tuple,
    /// Unlike any other connection's.
    pub(super) serial: u32,
    /// What the socket path knows of its protocol.
    pub(super) socket: Protocol,
    /// What the TLS path knows of the protocol inside.
    pub(super) inner: Protocol,
    /// State by sender.
    pub(super) sides: Sides<DirectedState>,
    /// The packet that it was last classified in as HTTP/2; 0 for none.
    pub(super) classified: u64,
    /// The packet whose FIN or RST last made the agent forget that; 0 for none.
    pub(super) declassified: u64,
    /// When that was, in nanoseconds.
    pub(super) ended: u64,
    /// Of TLS: which sides have sent FIN.
    pub(super) finished: Sides<bool>,
    /// Of TLS: the packet that closed it; what comes in later packets finds it terminated.
    pub(super) closing: Option<u64>,
    /// It waits for user space to prune its dynamic table.
    pub(super) terminated: bool,
    used: bool,
    live: bool,
}

impl Connection {
    fn new(tuple: Tuple, serial: u32) -> Self {
        Self {
            tuple,
            serial,
            socket: Protocol::Unknown,
            inner: Protocol::Unknown,
            sides: Sides::default(),
            classified: 0,
            declassified: 0,
            ended: 0,
            finished: Sides::default(),
            closing: None,
            terminated: false,
            used: true,
            live: true,
        }
    }
}

/// The table of connections: at most [`limits::AGENT_CONNECTIONS`](crate::base::limits::AGENT_CONNECTIONS), or its share.
#[derive(Debug)]
pub(super) struct Connections {
    cap: usize,
    v4: HashMap<u128, u32, RandomState>,
    v6: HashMap<(u128, u128, u32), u32, RandomState>,
    slots: Vec<Connection>,
    free: Vec<u32>,
    last: Option<(Tuple, u32)>,
    hand: usize,
    serial: u32,
    /// Connections that gave way.
    pub(super) evicted: u64,
    /// The most connections that were wanted in the table at one time.
    pub(super) most: usize,
}

enum Key {
    V4(u128),
    V6(u128, u128, u32),
}

impl Key {
    fn of(tuple: &Tuple) -> Self {
        let ports = u32::from(tuple.client.port) << 16 | u32::from(tuple.server.port);
        match (tuple.client.ip, tuple.server.ip) {
            (IpAddr::V4(client), IpAddr::V4(server)) => {
                let addresses = u64::from(client.to_bits()) << 32 | u64::from(server.to_bits());
                Self::V4(u128::from(addresses) << 32 | u128::from(ports))
            }
            (client, server) => {
                let bits = |ip| match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
                    IpAddr::V6(ip) => ip.to_bits(),
                };
                Self::V6(bits(client), bits(server), ports)
            }
        }
    }
}

impl Connections {
    /// No connections.
    pub(super) fn new(cap: usize) -> Self {
        Self {
            cap,
            v4: HashMap::default(),
            v6: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            last: None,
            hand: 0,
            serial: 0,
            evicted: 0,
            most: 0,
        }
    }

    /// The place of a connection.
    pub(super) fn find(&mut self, tuple: &Tuple) -> Option<u32> {
        if let Some((last, place)) = &self.last
            && last == tuple
        {
            return Some(*place);
        }
        let place = match Key::of(tuple) {
            Key::V4(key) => *self.v4.get(&key)?,
            Key::V6(client, server, ports) => *self.v6.get(&(client, server, ports))?,
        };
        self.last = Some((*tuple, place));
        Some(place)
    }

    /// The connection at a place.
    pub(super) fn get(&self, place: u32) -> Option<&Connection> {
        self.slots.get(place as usize)
    }

    /// The connection at a place, which is now in use.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Connection> {
        let connection = self.slots.get_mut(place as usize)?;
        connection.used = true;
        Some(connection)
    }

    /// A new connection, and its place. Before that: [`Self::victim`].
    pub(super) fn open(&mut self, tuple: &Tuple) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        let connection = Connection::new(*tuple, self.serial);
        let place = self.free.pop().unwrap_or(self.slots.len() as u32);
        match self.slots.get_mut(place as usize) {
            Some(slot) => *slot = connection,
            None => self.slots.push(connection),
        }
        match Key::of(tuple) {
            Key::V4(key) => self.v4.insert(key, place),
            Key::V6(client, server, ports) => self.v6.insert((client, server, ports), place),
        };
        self.last = Some((*tuple, place));
        place
    }

    /// The connection that must be closed before another is opened: one not used for long, when the table is full.
    pub(super) fn victim(&mut self) -> Option<u32> {
        self.most = self.most.max(self.len() + 1);
        if self.len() < self.cap {
            return None;
        }
        self.evicted += 1;
        // Each step past a used connection clears its mark, so that the steps are paid for by its uses.
        loop {
            self.hand = if self.hand + 1 < self.slots.len() { self.hand + 1 } else { 0 };
            let connection = self.slots.get_mut(self.hand)?;
            if !std::mem::take(&mut connection.used) {
                return Some(self.hand as u32);
            }
        }
    }

    /// Closes a connection, whose state in the maps must have been given back.
    pub(super) fn close(&mut self, place: u32) {
        let Some(connection) = self.slots.get_mut(place as usize).filter(|connection| connection.live) else {
            return;
        };
        connection.live = false;
        connection.sides = Sides::default();
        match Key::of(&connection.tuple) {
            Key::V4(key) => self.v4.remove(&key),
            Key::V6(client, server, ports) => self.v6.remove(&(client, server, ports)),
        };
        self.last = None;
        self.free.push(place);
    }

    /// Connections in the table.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::endpoint::Endpoint;
    use crate::base::limits;

    fn tuple(number: u32) -> Tuple {
        let ip = IpAddr::from([10, 1, (number >> 8) as u8, number as u8]);
        Tuple {
            client: Endpoint { ip, port: (number >> 16) as u16 + 40_000 },
            server: Endpoint { ip: IpAddr::from([10, 0, 0, 1]), port: 80 },
        }
    }

    #[test]
    fn finds_what_was_opened_until_it_is_closed() {
        let mut table = Connections::new(limits::AGENT_CONNECTIONS);
        let place = table.open(&tuple(1));
        let other = table.open(&tuple(2));
        let v6 =
            Tuple { client: Endpoint { ip: IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), port: 1 }, ..tuple(1) };
        assert_eq!(
            (table.find(&tuple(1)), table.find(&tuple(2)), table.find(&v6)),
            (Some(place), Some(other), None)
        );
        let six = table.open(&v6);
        assert_eq!((table.find(&v6), table.len()), (Some(six), 3));
        table.close(place);
        table.close(place);
        assert_eq!((table.find(&tuple(1)), table.len()), (None, 2));
        let serial = table.get(place).unwrap().serial;
        assert_eq!(table.open(&tuple(1)), place);
        assert_ne!(table.get(place).unwrap().serial, serial);
    }

    #[test]
    fn cap_agent_connections() {
        let mut table = Connections::new(limits::AGENT_CONNECTIONS);
        for number in 0..limits::AGENT_CONNECTIONS as u32 {
            assert_eq!(table.victim(), None);
            table.open(&tuple(number));
        }
        assert_eq!((table.len(), table.evicted), (limits::AGENT_CONNECTIONS, 0));
        // All were used when they were opened: the first round clears that.
        let first = table.victim().unwrap();
        table.close(first);
        table.open(&tuple(1_000_000));
        let kept = table.find(&tuple(40)).unwrap();
        assert!(table.get_mut(kept).is_some());
        for number in 0..100 {
            let victim = table.victim().unwrap();
            assert_ne!(victim, kept);
            table.close(victim);
            table.open(&tuple(2_000_000 + number));
        }
        assert_eq!((table.len(), table.evicted), (limits::AGENT_CONNECTIONS, 101));
    }
}
