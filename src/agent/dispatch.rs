//! From a packet to the HTTP/2 program: which connection, which protocol, and was it seen before? (docs/agent.md,
//! "Segments and connections")

use super::classify::{self, Protocol};
use super::frame::Buffer;
use super::state::{Agent, Unit};
use super::tuple::Tuple;
use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;
use crate::packet::Segment;

impl Agent {
    /// A segment that is not to be looked at came, in packet order among the others: time goes on.
    pub fn pass(&mut self, at: Moment) {
        self.advance(at);
    }

    /// A captured segment, in packet order: the socket filter.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        self.advance(segment.at);
        let ends = segment.flags.fin() || segment.flags.rst();
        let payload = segment.payload;
        if payload.is_empty() && segment.cut == 0 && !ends && !segment.flags.syn() {
            return;
        }
        let (tuple, side) = Tuple::normalise(segment.src, segment.dst, &self.params.ephemeral_ports);
        let mut place = self.find(&tuple, segment.at.packet, segment.flags.syn());
        if ends {
            self.end_of_connection(&tuple, place, side, segment);
            return;
        }
        if payload.is_empty() && segment.cut == 0 {
            return;
        }
        let protocol =
            place.and_then(|place| self.connections.get(place)).map(|known| (known.socket, known.inner));
        match protocol {
            Some((Protocol::Http2, _)) => {}
            // Another program's, or a TLS connection's: the socket path skips those.
            Some((Protocol::Http1, _) | (_, Protocol::Http1 | Protocol::Http2)) => return,
            _ if classify::is_tls_record(payload) => return,
            _ => match classify::classify(payload) {
                Protocol::Unknown => return,
                found => {
                    let at = place.unwrap_or_else(|| self.open(&tuple));
                    place = Some(at);
                    let Some(connection) = self.connections.get_mut(at) else { return };
                    connection.socket = found;
                    if found == Protocol::Http1 {
                        return;
                    }
                    connection.classified = segment.at.packet;
                }
            },
        }
        let Some(place) = place else { return };
        let Some(connection) = self.connections.get_mut(place) else { return };
        let directed = connection.sides.get_mut(side);
        // Deduplication: the last sequence number dispatched, and never 0.
        if directed.last_seq == segment.seq && segment.seq != 0 {
            return;
        }
        directed.last_seq = segment.seq;
        let end = (payload.len() as u32).saturating_add(segment.cut.min(65_535));
        let in_order = directed.next_seq.is_none_or(|next| next == segment.seq);
        directed.next_seq = Some(segment.seq.wrapping_add(end));
        let buf = Buffer { bytes: payload, end };
        let serial = connection.serial;
        self.parse(&Unit {
            buf,
            place,
            serial,
            side,
            packet: segment.at.packet,
            in_order,
            now: self.clock.now,
            tls: false,
        });
    }

    /// A decrypted TLS record of application data, in packet order among the segments: the TLS path (docs/agent.md,
    /// "Inside TLS").
    pub fn tls_record(&mut self, at: Moment, src: Endpoint, dst: Endpoint, plaintext: &[u8]) {
        self.advance(at);
        if plaintext.is_empty() {
            return;
        }
        let (tuple, side) = Tuple::normalise(src, dst, &self.params.ephemeral_ports);
        let mut place = self.find(&tuple, at.packet, false);
        let protocol = place.and_then(|place| self.connections.get(place)).map(|known| known.inner);
        match protocol.unwrap_or_default() {
            Protocol::Http2 => {}
            Protocol::Http1 => return,
            Protocol::Unknown => match classify::classify(plaintext) {
                Protocol::Unknown => return,
                found => {
                    let known = place.unwrap_or_else(|| self.open(&tuple));
                    place = Some(known);
                    let Some(connection) = self.connections.get_mut(known) else { return };
                    connection.inner = found;
                    if found == Protocol::Http1 {
                        return;
                    }
                    connection.classified = at.packet;
                }
            },
        }
        let Some(place) = place else { return };
        let Some(serial) = self.connections.get_mut(place).map(|connection| connection.serial) else {
            return;
        };
        let buf = Buffer { bytes: plaintext, end: plaintext.len() as u32 };
        self.parse(&Unit {
            buf,
            place,
            serial,
            side,
            packet: at.packet,
            in_order: true,
            now: self.clock.now,
            tls: true,
        });
    }
}
