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

mod block_reader;
mod classify;
mod clock;
mod connection;
mod dynamic_table;
mod eos;
mod fifo;
mod filter;
mod frame;
mod headers;
mod huffman;
mod ledger;
mod lifecycle;
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
pub use statkeeper::{Endpoint as EndpointStatistics, Latencies, UserTelemetry};
pub use tuple::Tuple;
pub use user::Method;
pub use wire::{FrameFact, WireFacts, WireTransaction};

use crate::base::counters::Counters;
use crate::base::endpoint::Endpoint;
use crate::base::limit::{Limit, Struck};
use crate::base::time::Moment;
use crate::base::verdict::MissReason;
use crate::packet::Segment;
use classify::Protocol;
use clock::Clock;
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
    /// Reasons that were asked for and are forgotten.
    reasons_forgotten: u64,
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
    /// Transactions that the agent emitted after they had ended on the wire and had been called missed, as by an
    /// `END_STREAM` that came after a `RST_STREAM`. They are not spurious. All that user space took is
    /// `transactions`, `seen_incomplete`, `spurious` and `late` together.
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
            reasons_forgotten: 0,
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
    pub fn limits(&self) -> Struck {
        Struck::from_iter([
            (Limit::AgentInFlight, self.streams.refused),
            (Limit::AgentIncompleteFrames, self.incomplete_refused),
            (Limit::AgentDynamicTable, self.dynamic.refused),
            (Limit::AgentDynamicCounter, self.counters_refused),
            (Limit::AgentConnections, self.connections.evicted),
            (Limit::AgentEmitted, self.ledger.evicted),
            (Limit::AgentTraces, self.traces.evicted),
            (Limit::AgentReasons, self.reasons_forgotten),
            (Limit::AgentStatistics, self.users.refused()),
        ])
    }
}
