//! The model's state, and its results.

use super::clock::Clock;
use super::connection::Connections;
use super::dynamic_table::DynamicTable;
use super::frame::{Buffer, Listed};
use super::ledger::Ledger;
use super::params::{Mode, Params, Rules};
use super::statistics::EndpointStatistics;
use super::statkeeper::StatKeeper;
use super::stream::InFlight;
use super::traces::Traces;
use super::tuple::Side;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits;
use crate::base::telemetry_counters::{Counters, UserTelemetry};
use crate::base::verdict::MissReason;
use std::collections::VecDeque;

/// The model.
///
/// Time is packet time: the kernel's clock never goes back, so that of two packets the later one's time is at least
/// the earlier one's, unless the capture's clock was set back by more than a tick. Two packets with the same time
/// stamp would give a latency of zero, which the agent refuses, though it can never measure it: here a nanosecond
/// lies between them.
#[derive(Debug)]
pub struct Agent {
    pub(super) params: Params,
    pub(super) clock: Clock,
    /// The newest packet.
    pub(super) newest: u64,
    pub(super) connections: Connections,
    pub(super) streams: InFlight,
    pub(super) dynamic: DynamicTable,
    pub(super) counters: Planes,
    /// Entries in the map of incomplete frames, the most that were wanted at one time, and those that found it full.
    pub(super) incomplete_len: usize,
    pub(super) incomplete_most: usize,
    pub(super) incomplete_refused: u64,
    /// Entries in the map of dynamic counters, the most that were wanted at one time, and those that found it full.
    pub(super) counters_len: usize,
    pub(super) counters_most: usize,
    pub(super) counters_refused: u64,
    /// The interesting frames of the packet at hand.
    pub(super) frames: Vec<Listed>,
    /// Connections that wait for user space to prune their dynamic table: place and serial number.
    pub(super) terminated: Vec<(u32, u32)>,
    /// Connections that have ended: place, serial number, and time.
    pub(super) ended: VecDeque<(u32, u32, u64)>,
    pub(super) users: StatKeeper,
    pub(super) ledger: Ledger,
    pub(super) traces: Traces,
    pub(super) late: u64,
    /// Reasons that were asked for and are forgotten.
    pub(super) reasons_forgotten: u64,
    pub(super) summary: Summary,
}

/// The model's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Counters with `encrypted:false`.
    pub plaintext: Counters,
    /// Counters with `encrypted:true`.
    pub tls: Counters,
    /// All that the kernel handed to user space, whatever that made of it.
    pub emitted: u64,
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
pub(super) struct Planes {
    plaintext: Counters,
    tls: Counters,
}

impl Planes {
    /// The counters of plaintext or of TLS.
    pub(super) const fn get_mut(&mut self, tls: bool) -> &mut Counters {
        if tls { &mut self.tls } else { &mut self.plaintext }
    }
}

/// One buffer on its way through the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'a> {
    pub(super) buf: Buffer<'a>,
    /// The connection's place and serial number.
    pub(super) place: u32,
    pub(super) serial: u32,
    /// The sender.
    pub(super) side: Side,
    pub(super) packet: u64,
    /// It begins where the sender's last one ended.
    pub(super) in_order: bool,
    /// Kernel time, in nanoseconds.
    pub(super) now: u64,
    pub(super) tls: bool,
}

impl Agent {
    /// A model that has seen nothing.
    pub fn new(params: Params) -> Self {
        let share = |cap| params.memory.share(cap);
        let params = Params { max_requests: params.max_requests.min(share(limits::AGENT_MAPS)), ..params };
        Self {
            clock: Clock::default(),
            newest: 0,
            connections: Connections::new(share(limits::AGENT_CONNECTIONS)),
            streams: InFlight::new(params.max_requests),
            dynamic: DynamicTable::new(params.max_requests),
            counters: Planes::default(),
            incomplete_len: 0,
            incomplete_most: 0,
            incomplete_refused: 0,
            counters_len: 0,
            counters_most: 0,
            counters_refused: 0,
            frames: Vec::new(),
            terminated: Vec::new(),
            ended: VecDeque::new(),
            users: StatKeeper::new(&params),
            ledger: Ledger::new(share(limits::AGENT_EMITTED)),
            traces: Traces::new(share(limits::AGENT_TRACES)),
            late: 0,
            reasons_forgotten: 0,
            summary: Summary::default(),
            params,
        }
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

    /// What the statistics tell apart.
    pub fn mode(&self) -> Mode {
        self.params.mode
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
