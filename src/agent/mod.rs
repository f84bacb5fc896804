//! The kernel agent's view: an independent model of the Datadog Agent's in-kernel HTTP/2 program and of the user
//! space behind it (agent-telemetry sections 1 to 3). It says what that program, with all its limits, would have
//! counted for the packets of a capture.
//!
//! Its input is the captured segment, not the reassembled stream, and it shares no code with `http2`: a limit of the
//! agent is modelled where it is, in the file that is named after the step.
//!
//! ```text
//! segment ──► classify ──► filter ──► headers ──► dynamic_table ──► eos ──► user ──► statkeeper
//! record      by first     the frames  HEADERS     pruning           ends    method,  key limit,
//!             bytes        of one      pass                          streams path,    latencies
//!                          packet                                            status
//!                                                                      │
//!                        trace: what went wrong, for the reasons       ▼
//!                                                        verdict ◄── ledger
//! ```
//!
//! One [`Agent`] sees the whole capture, in packet order: its maps are as large as the kernel's, for all connections
//! together. Of TLS it sees decrypted records: the agent sees what was handed to `SSL_read` and `SSL_write`, whose
//! bounds no capture knows, so that the record is the nearest there is.

mod classify;
mod connection;
mod dynamic_table;
mod eos;
mod fifo;
mod filter;
mod frame;
mod headers;
mod huffman;
mod ledger;
mod params;
mod reason;
mod statkeeper;
mod stream;
mod trace;
mod tuple;
mod user;
mod verdict;
mod wire;

#[cfg(test)]
mod tests;

pub use params::{Params, Rules};
pub use reason::{MissReason, Verdict};
pub use statkeeper::{Endpoint as EndpointStatistics, Latencies, UserTelemetry};
pub use tuple::Tuple;
pub use user::Method;
pub use wire::{FrameFact, WireFacts, WireTransaction};

use crate::counters::Counters;
use crate::packet::{Endpoint, Segment};
use crate::time::{Moment, Timestamp};
use classify::Protocol;
use connection::Connections;
use dynamic_table::DynamicTable;
use filter::Listed;
use frame::Buffer;
use ledger::Ledger;
use statkeeper::StatKeeper;
use std::collections::VecDeque;
use stream::InFlight;
use trace::Traces;
use tuple::Side;

/// Nanoseconds between two ticks of user space: the cleaners of streams in flight and of the dynamic table, and the
/// reading of statistics (`http2_dynamic_table_map_cleaner_interval_seconds` and others, section 1.2).
const TICK: u64 = 30_000_000_000;
/// How long a connection's state is kept after its end, for transactions that the exact side finishes later.
const LINGER: u64 = 2 * TICK;

/// The model.
///
/// Time is packet time: the kernel's clock never goes back, so that of two packets the later one's time is at least
/// the earlier one's, unless the capture's clock was set back by more than a tick. Two packets with the same time
/// stamp would give a latency of zero, which the agent refuses, though it can never measure it: here a nanosecond
/// lies between them.
#[derive(Debug)]
pub struct Agent {
    params: Params,
    clock: Clock,
    connections: Connections,
    streams: InFlight,
    dynamic: DynamicTable,
    counters: Planes,
    /// Entries in the map of incomplete frames, and those that found it full.
    incomplete_len: usize,
    incomplete_refused: u64,
    /// Entries in the map of dynamic counters, and those that found it full.
    counters_len: usize,
    counters_refused: u64,
    /// The interesting frames of the packet at hand.
    frames: Vec<Listed>,
    /// Connections that wait for user space to prune their dynamic table: place and serial number.
    terminated: Vec<(u32, u32)>,
    /// Connections that have ended: place, serial number, and time.
    ended: VecDeque<(u32, u32, u64)>,
    users: StatKeeper,
    ledger: Ledger,
    traces: Traces,
    late: u64,
    summary: Summary,
}

/// The model's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Counters with `encrypted:false`.
    pub plaintext: Counters,
    /// Counters with `encrypted:true`.
    pub tls: Counters,
    /// Complete transactions of the wire that the agent emitted, with the wire's values, and that its user space
    /// took.
    pub transactions: u64,
    /// Complete transactions of the wire that it did not, by the first reason that applies, in the order of
    /// [`MissReason::ALL`].
    pub missed: [u64; MissReason::ALL.len()],
    /// Emitted transactions that the wire does not have: desynchronised, or emitted twice.
    pub spurious: u64,
    /// Emitted transactions that are on the wire incomplete. They count in none of the above.
    pub seen_incomplete: u64,
    /// Transactions that the agent emitted after they had ended on the wire and were counted as missed: an `END_STREAM`
    /// that came after a `RST_STREAM`. They are not spurious.
    pub late: u64,
    /// What user space counts.
    pub user: UserTelemetry,
}

/// Plaintext and TLS counters: the two entries of the kernel's `http2_telemetry` map.
#[derive(Clone, Copy, Debug, Default)]
struct Planes {
    plaintext: Counters,
    tls: Counters,
}

impl Planes {
    const fn get_mut(&mut self, tls: bool) -> &mut Counters {
        if tls { &mut self.tls } else { &mut self.plaintext }
    }
}

/// One buffer on its way through the program.
#[derive(Clone, Copy, Debug)]
struct Unit<'a> {
    buf: Buffer<'a>,
    /// The connection's place and serial number.
    place: u32,
    serial: u32,
    /// The sender.
    side: Side,
    packet: u64,
    /// Kernel time, in nanoseconds.
    now: u64,
    tls: bool,
}

/// The kernel's clock, and user space's ticks.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    now: u64,
    next_tick: Option<u64>,
}

impl Clock {
    /// A packet came. Returns the time of the last tick before it, if one was due.
    fn advance(&mut self, to: Timestamp) -> Option<u64> {
        // The kernel's clock is never 0, which stands for no time, and there is always a nanosecond after it.
        let to = to.as_nanos().clamp(1, u64::MAX - 1);
        match self.next_tick {
            Some(next_tick) if to.saturating_add(TICK) >= self.now => {
                self.now = self.now.max(to);
                let since = self.now.checked_sub(next_tick)?;
                let tick = self.now - since % TICK;
                self.next_tick = Some(tick.saturating_add(TICK));
                Some(tick)
            }
            _ => {
                self.now = to;
                self.next_tick = Some(to.saturating_add(TICK));
                None
            }
        }
    }
}

impl Agent {
    /// A model that has seen nothing.
    pub fn new(params: Params) -> Self {
        Self {
            clock: Clock::default(),
            connections: Connections::new(),
            streams: InFlight::new(params.max_requests),
            dynamic: DynamicTable::new(params.max_requests),
            counters: Planes::default(),
            incomplete_len: 0,
            incomplete_refused: 0,
            counters_len: 0,
            counters_refused: 0,
            frames: Vec::new(),
            terminated: Vec::new(),
            ended: VecDeque::new(),
            users: StatKeeper::new(params.statistics),
            ledger: Ledger::new(),
            traces: Traces::new(),
            late: 0,
            summary: Summary::default(),
            params,
        }
    }

    /// A captured segment, in packet order: the socket filter (section 2.1).
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
        let buf =
            Buffer { bytes: payload, end: (payload.len() as u32).saturating_add(segment.cut.min(65_535)) };
        let serial = connection.serial;
        self.parse(&Unit {
            buf,
            place,
            serial,
            side,
            packet: segment.at.packet,
            now: self.clock.now,
            tls: false,
        });
    }

    /// A decrypted TLS record of application data, in packet order among the segments: the TLS path (section 2.10).
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
        self.parse(&Unit { buf, place, serial, side, packet: at.packet, now: self.clock.now, tls: true });
    }

    /// The capture is over: what was emitted and not asked for is spurious.
    pub fn finish(&mut self) {
        self.ledger.finish();
    }

    /// The results so far. What was emitted and not asked for yet counts as spurious after [`Self::finish`] only.
    pub fn summary(&self) -> Summary {
        Summary {
            plaintext: self.counters.plaintext,
            tls: self.counters.tls,
            spurious: self.ledger.spurious,
            late: self.late,
            user: self.users.telemetry,
            ..self.summary
        }
    }

    /// The rule set.
    pub fn rules(&self) -> Rules {
        self.params.rules
    }

    /// The statistics that user space would have sent, by endpoint, in the order in which they were first seen. Empty
    /// unless [`Params::statistics`] asks for them.
    pub fn statistics(&self) -> &[EndpointStatistics] {
        self.users.endpoints()
    }

    /// How often a cap struck: first the kernel's own maps, then those of the model.
    pub fn limits(&self) -> [(&'static str, u64); 8] {
        [
            ("agent_in_flight", self.streams.refused),
            ("agent_incomplete_frames", self.incomplete_refused),
            ("agent_dynamic_table", self.dynamic.refused),
            ("agent_dynamic_counter", self.counters_refused),
            ("agent_connections", self.connections.evicted),
            ("agent_emitted", self.ledger.evicted),
            ("agent_traces", self.traces.evicted),
            ("agent_sketches", self.users.refused_sketches()),
        ]
    }

    /// Lets time pass.
    fn advance(&mut self, at: Moment) {
        if let Some(tick) = self.clock.advance(at.time) {
            self.tick(tick);
        }
    }

    /// User space's periodic work.
    fn tick(&mut self, now: u64) {
        // Section 2.9: streams without response.
        let ttl = u64::try_from(self.params.idle_ttl.as_nanos()).unwrap_or(u64::MAX);
        while let Some(place) = self.streams.expired(now, ttl) {
            if let Some(stream) = self.streams.get_mut(place) {
                stream.trace.expired = true;
            }
            self.delete(place);
        }
        // Section 2.6: entries of terminated connections, whichever of the two tuples terminated.
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
            let unused = self.connections.get(place).is_some_and(|connection| {
                connection.serial == serial
                    && connection.socket == Protocol::Unknown
                    && connection.inner == Protocol::Unknown
                    && !connection.terminated
            });
            if unused {
                self.close(place);
            }
        }
    }

    /// Makes a connection; a full table forgets one that was not used for long.
    fn open(&mut self, tuple: &Tuple) -> u32 {
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
            directed.incidents.astray = None;
            directed.long_paths.clear();
        }
    }

    /// A packet with FIN or RST, from either side: its payload is never parsed (section 2.1).
    fn end_of_connection(&mut self, tuple: &Tuple, place: Option<u32>, side: Side, segment: &Segment<'_>) {
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
    fn find(&mut self, tuple: &Tuple, packet: u64, opens: bool) -> Option<u32> {
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
        connection.finished = tuple::Sides::default();
        connection.closing = None;
        if was_http2 {
            connection.declassified = packet;
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
