//! Connections that begin and end (docs/agent.md, "Segments and connections"), and user space's periodic work.

use super::classify::Protocol;
use super::clock::TICK;
use super::state::Agent;
use super::tuple::{Side, Sides, Tuple};
use crate::base::time::Moment;
use crate::packet::Segment;

/// How long a connection's state is kept after its end, for transactions that the exact side finishes later.
const LINGER: u64 = 2 * TICK;

impl Agent {
    /// Lets time pass.
    pub(super) fn advance(&mut self, at: Moment) {
        self.newest = self.newest.max(at.packet);
        if let Some(tick) = self.clock.advance(at.time) {
            self.tick(tick);
        }
    }

    /// User space's periodic work.
    fn tick(&mut self, now: u64) {
        // Streams without response.
        let ttl = u64::try_from(self.params.idle_ttl.as_nanos()).unwrap_or(u64::MAX);
        while let Some(place) = self.streams.expired(now, ttl) {
            if let Some(stream) = self.streams.get_mut(place) {
                stream.trace.expired = true;
            }
            self.delete(place);
        }
        // Entries of terminated connections, whichever of the two tuples terminated.
        for (place, serial) in std::mem::take(&mut self.terminated) {
            let connection = self.connections.get_mut(place).filter(|connection| connection.serial == serial);
            if let Some(connection) = connection {
                connection.terminated = false;
                for directed in connection.sides.both_mut() {
                    self.dynamic.clear(&mut directed.dynamic);
                }
            }
        }
        self.users.read();
        self.forget_ended(now);
    }

    /// Gives back the places of connections that ended some time ago.
    fn forget_ended(&mut self, now: u64) {
        while let Some(&(place, serial, ended)) = self.ended.front() {
            if ended.saturating_add(LINGER) > now {
                break;
            }
            self.ended.pop_front();
            let connection = self.connections.get(place).filter(|connection| {
                connection.serial == serial
                    && connection.socket == Protocol::Unknown
                    && connection.inner == Protocol::Unknown
                    && !connection.terminated
            });
            match connection.map(|connection| connection.ended) {
                // It was used again meanwhile: its streams may still be in flight.
                Some(again) if again > ended => self.ended.push_back((place, serial, again)),
                Some(_) => self.close(place),
                None => {}
            }
        }
    }

    /// Makes a connection; a full table forgets one that was not used for long.
    pub(super) fn open(&mut self, tuple: &Tuple) -> u32 {
        if let Some(victim) = self.connections.victim() {
            self.close(victim);
        }
        self.connections.open(tuple)
    }

    /// Forgets a connection, and what the maps hold of it.
    fn close(&mut self, place: u32) {
        self.clear(place);
        if let Some(connection) = self.connections.get_mut(place) {
            for directed in connection.sides.both_mut() {
                self.dynamic.clear(&mut directed.dynamic);
            }
        }
        self.connections.close(place);
    }

    /// Deletes the incomplete-frame entries and the dynamic counters of both directed tuples.
    fn clear(&mut self, place: u32) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        for directed in connection.sides.both_mut() {
            self.incomplete_len -= usize::from(directed.incomplete.take().is_some());
            self.counters_len -= usize::from(directed.counter.take().is_some());
            directed.last_seq = 0;
            directed.next_seq = None;
            directed.incidents.astray = None;
            directed.long_paths.clear();
        }
    }

    /// A packet with FIN or RST, from either side: its payload is never parsed.
    pub(super) fn end_of_connection(
        &mut self,
        tuple: &Tuple,
        place: Option<u32>,
        side: Side,
        segment: &Segment<'_>,
    ) {
        let packet = segment.at.packet;
        if let Some(place) = place {
            let Some(connection) = self.connections.get_mut(place) else { return };
            if connection.inner == Protocol::Unknown {
                self.terminate(place, packet);
            } else {
                // TLS ends when its library closes it, after it has read what there is: when both ends, or a reset,
                // were seen, and not before the records of this packet.
                *connection.finished.get_mut(side) = true;
                let both = *connection.finished.get(side.other());
                if segment.flags.rst() || both {
                    connection.closing = Some(connection.closing.unwrap_or(packet));
                }
            }
        }
        // With equal ports the opposite tuple is a connection of its own, of which the maps are cleared too.
        if let Some(twin) = tuple.twin().and_then(|twin| self.connections.find(&twin)) {
            self.clear(twin);
        }
    }

    /// The place of a connection. The end of a TLS connection that came in an earlier packet is applied first; a
    /// new one on the same ports shows that the old one has ended.
    pub(super) fn find(&mut self, tuple: &Tuple, packet: u64, opens: bool) -> Option<u32> {
        let place = self.connections.find(tuple)?;
        let connection = self.connections.get(place)?;
        let ended = match connection.closing {
            Some(closing) if closing < packet => closing + 1,
            _ if opens && connection.inner != Protocol::Unknown => packet,
            _ => return Some(place),
        };
        self.terminate(place, ended);
        self.connections.find(tuple)
    }

    /// Forgets what is known of a connection's protocol, and clears its entries in the maps. Its streams in flight
    /// are not touched. Its entries in the dynamic table are user space's to prune, at the next tick.
    fn terminate(&mut self, place: u32, packet: u64) {
        let now = self.clock.now;
        let Some(connection) = self.connections.get_mut(place) else { return };
        let was_http2 = connection.socket == Protocol::Http2 || connection.inner == Protocol::Http2;
        connection.socket = Protocol::Unknown;
        connection.inner = Protocol::Unknown;
        connection.finished = Sides::default();
        connection.closing = None;
        if was_http2 {
            connection.declassified = packet;
            connection.ended = now;
            let entry = (place, connection.serial);
            if !connection.terminated {
                connection.terminated = true;
                self.terminated.push(entry);
                self.ended.push_back((entry.0, entry.1, now));
            }
            self.clear(place);
        } else if connection.classified == 0 {
            self.close(place);
        }
    }
}
