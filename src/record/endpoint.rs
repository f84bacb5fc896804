//! Endpoints: what the exchanges of a service, method and path add up to.

use super::time::TimeParts;
use std::net::SocketAddr;

/// All endpoints, at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// By the time spent in all calls together, the most first.
    pub rows: Vec<Endpoint>,
    /// All calls together.
    pub total: Total,
}

/// All calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Exchanges.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// How long they took.
    pub duration: Quantiles,
}

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The path's template; of gRPC the path; of [`folded`](Self::folded) ones there is none.
    pub template: Option<String>,
    /// `:method`
    pub method: Option<String>,
    /// The server, where it is but one.
    pub server: Option<SocketAddr>,
    /// `:authority`, else `host`, in small letters.
    pub authority: Option<String>,
    /// gRPC's name of the method, `package.Service/Method`.
    pub rpc: Option<String>,
    /// The name of the GraphQL operation, where bodies are looked into.
    pub operation: Option<String>,
    /// Exchanges.
    pub calls: u64,
    /// Those with an `error.type`.
    pub failed: u64,
    /// Those of which something is missing.
    pub incomplete: u64,
    /// Part of what would say whose calls these are is not known: they may be other endpoints'.
    pub unplaced: bool,
    /// So many paths with few calls each, put together as there were too many.
    pub folded: Option<u64>,
    /// Failures by `error.type`.
    pub errors: Vec<(String, u64)>,
    /// Exchanges by status.
    pub statuses: Vec<(u16, u64)>,
    /// How long they took.
    pub duration: Quantiles,
    /// How long until the response began.
    pub ttfb: Quantiles,
    /// The durations themselves, by which endpoints of several runs are merged and compared.
    pub duration_bins: Bins,
    /// And the times until the response began.
    pub ttfb_bins: Bins,
    /// Where their time went, as far as that is known: sums.
    pub time: TimeParts,
    /// Octets of the requests' contents.
    pub request_bytes: u64,
    /// Octets of the responses' contents.
    pub response_bytes: u64,
    /// How often it was called.
    pub rate: Rate,
    /// The exchange that took longest.
    pub slowest: Option<Slowest>,
    /// What the kernel agent would say of it; where its model runs, and it emitted calls.
    pub agent: Option<AgentCalls>,
}

/// The calls of an endpoint that the kernel agent emits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCalls {
    /// How many.
    pub calls: u64,
    /// Median, and quantiles of 0.95 and 0.99 of its latencies, in nanoseconds; in discovery mode it keeps none.
    pub quantiles: Option<[u64; 3]>,
}

/// Quantiles of durations, in nanoseconds, to 1 %. What was not seen to its end counts as long as it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Median, and quantiles of 0.9, 0.95 and 0.99; `None` where nothing was measured.
    pub quantiles: Option<[u64; 4]>,
    /// The longest.
    pub max: Option<u64>,
    /// All together.
    pub sum: u64,
    /// The true quantile of 0.99 is no less; only where incomplete exchanges make a difference.
    pub p99_at_least: Option<u64>,
    /// It is no more; there only with `p99_at_least`, and where that can be known.
    pub p99_at_most: Option<u64>,
}

/// Durations in the bins of a DDSketch of 1 % relative accuracy: with γ = 1.01 / 0.99 the bin of index i holds those from
/// γⁱ nanoseconds on, below γⁱ⁺¹. Two of them merge by adding up the counts of each index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bins {
    /// Those of no time at all.
    pub zeros: u64,
    /// How many are in each bin that is not empty, by its index, in ascending order.
    pub counts: Vec<(i32, u64)>,
}

impl Bins {
    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| *count).fold(self.zeros, u64::saturating_add)
    }
}

/// Calls a second, in billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// From the first exchange's beginning to the last one's end, of all endpoints; `None` where that is no time.
    pub per_second: Option<u64>,
    /// In the busiest second.
    pub peak: u64,
    /// Seconds that `peak` is the mean of, where they are more than one.
    pub peak_window: Option<u64>,
}

/// The exchange that took longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowest {
    /// `h2.connection.id`
    pub connection: u64,
    /// `h2.stream.id`
    pub stream: u32,
    /// `h2.packets.first`
    pub packet: u64,
    /// In nanoseconds.
    pub duration: u64,
}

impl Endpoints {
    /// The agent keeps sums alone (discovery mode).
    pub fn forget_agent_quantiles(&mut self) {
        for agent in self.rows.iter_mut().filter_map(|row| row.agent.as_mut()) {
            agent.quantiles = None;
        }
    }

    /// The `count` slowest endpoints by their quantile of 0.99, the slowest first.
    pub fn slowest(&self, count: usize) -> Vec<&Endpoint> {
        let p99 = |endpoint: &Endpoint| endpoint.duration.quantiles.map(|[.., p99]| p99);
        let named = |endpoint: &&Endpoint| endpoint.folded.is_none() && p99(endpoint).is_some();
        let mut rows: Vec<_> = self.rows.iter().filter(named).collect();
        // Of equal ones the first stays first.
        rows.sort_by_key(|endpoint| std::cmp::Reverse(p99(endpoint)));
        rows.truncate(count);
        rows
    }
}
