//! What the agent's configuration decides.

use crate::base::memory::Memory;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Which of the agent's versions is modelled (docs/agent.md, "Rule sets").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// The base version of 2025.
    Y2025,
    /// The base version with two later changes: the PRIORITY flag of HEADERS skips five bytes, and a literal
    /// field that spells out the name `:path` is treated as one with name index 4.
    Y2026,
    /// The newest: names that are spelled out are compared whole, and `:method` and `:status` are read, too.
    #[default]
    Y2026b,
}

impl Rules {
    /// The rule set's name on the command line and in the telemetry record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Y2025 => "2025",
            Self::Y2026 => "2026",
            Self::Y2026b => "2026b",
        }
    }

    /// HEADERS with the PRIORITY flag: the five bytes of priority are skipped.
    pub(super) const fn skips_priority(self) -> bool {
        !matches!(self, Self::Y2025)
    }
}

/// What the agent's statistics tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Methods, paths and statuses, with sketches of the latencies.
    #[default]
    Endpoints,
    /// Connections alone, with statuses as 200 (below 400) and 400, and the sum of the latencies. What the kernel
    /// counts and emits is the same.
    Discovery,
}

impl Mode {
    /// The mode's name on the command line and in the telemetry record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Endpoints => "endpoints",
            Self::Discovery => "discovery",
        }
    }
}

/// The agent's parameters, with its defaults.
#[derive(Clone, Debug)]
pub struct Params {
    /// The rule set.
    pub rules: Rules,
    /// `net.ipv4.ip_local_port_range` of the host that the agent would run on.
    pub ephemeral_ports: RangeInclusive<u16>,
    /// `http_idle_connection_ttl_in_s`: a stream older than this is deleted at the next tick.
    pub idle_ttl: Duration,
    /// `max_concurrent_requests`: the capacity of each of the maps of streams in flight, incomplete frames,
    /// dynamic table entries, and dynamic counters.
    pub max_requests: usize,
    /// What the statistics tell apart.
    pub mode: Mode,
    /// Paths are quantized for the statistics, which the agent does for HTTP/1 alone.
    pub quantize: bool,
    /// Keep the statistics that user space would send, for [`super::Agent::statistics`]. Without it
    /// only their key limit is modelled, which costs neither memory nor time worth mentioning.
    pub statistics: bool,
    /// Memory of the process, of which the model has its share.
    pub memory: Memory,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            ephemeral_ports: 32_768..=60_999,
            idle_ttl: Duration::from_secs(30),
            max_requests: 65_536,
            mode: Mode::default(),
            quantize: false,
            statistics: false,
            memory: Memory::default(),
        }
    }
}
