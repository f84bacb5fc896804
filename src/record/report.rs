//! What the telemetry record holds.

use super::part::PartReport;
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::Struck;
use crate::base::telemetry_counters::{Counters, UserTelemetry};
use crate::base::time::Timestamp;
use crate::base::verdict::MissReason;

/// The telemetry record (spec/product.md).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was on the wire.
    pub exact: View,
    /// What the kernel agent would have counted; `None` when its model did not run.
    pub agent: Option<AgentView>,
    /// What was seen and what is missing.
    pub coverage: Coverage,
    /// The time that it is of; `None` where no packet was seen.
    pub interval: Option<Interval>,
    /// What that time added; where there are records of several.
    pub delta: Option<Box<Delta>>,
    /// How connections were used.
    pub reuse: Reuse,
    /// The same of each connection and authority.
    pub reuse_authorities: Reuse,
    /// Exchanges under way; `None` where there are none.
    pub in_flight: Option<Box<InFlight>>,
    /// Where the connections were divided among several processes: which part this is of.
    pub part: Option<Box<PartReport>>,
}

/// HTTP/2 connections, or uses of one for an authority, by the number of their exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reuse([u64; Self::CLASSES.len()]);

impl Reuse {
    /// What the classes are called; each but the first begins with a power of ten, or with 2.
    pub const CLASSES: [&'static str; 6] = ["0", "1", "2-9", "10-99", "100-999", "1000+"];

    /// One more, with so many exchanges.
    pub fn add(&mut self, exchanges: u64) {
        let class = match exchanges {
            0 => 0,
            1 => 1,
            more => more.ilog10() as usize + 2,
        };
        if let Some(count) = self.0.get_mut(class.min(Self::CLASSES.len() - 1)) {
            *count += 1;
        }
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// How many each class has, those that have any.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::CLASSES.into_iter().zip(self.0).filter(|&(_, count)| count > 0)
    }
}

/// A span of packet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
}

/// What an interval added to the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// What was on the wire.
    pub exact: View,
    /// What the agent would have counted; `None` when its model did not run.
    pub agent: Option<View>,
    /// Packets.
    pub packets: u64,
    /// Transactions with nothing missing.
    pub complete: u64,
    /// Transactions with something missing.
    pub incomplete: u64,
}

impl Delta {
    /// What was added from one report to a later one.
    pub fn between(before: &Report, now: &Report) -> Self {
        let agent = |report: &Report| report.agent.as_ref().map(|agent| agent.view);
        let (then, coverage) = (&before.coverage, &now.coverage);
        Self {
            exact: now.exact.since(&before.exact),
            agent: agent(now).map(|view| view.since(&agent(before).unwrap_or_default())),
            packets: coverage.packets.saturating_sub(then.packets),
            complete: coverage.transactions_complete.saturating_sub(then.transactions_complete),
            incomplete: coverage.transactions_incomplete.saturating_sub(then.transactions_incomplete),
        }
    }
}

/// Exchanges under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// How many.
    pub count: u64,
    /// The oldest ones, at most [`InFlight::SHOWN`], in order.
    pub oldest: Vec<OpenExchange>,
}

/// An exchange that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenExchange {
    /// The first packet of its request.
    pub started: Timestamp,
    /// Its connection.
    pub connection: u64,
    /// Its stream.
    pub stream: u32,
    /// `:method`, where it is known.
    pub method: Option<Vec<u8>>,
    /// `:path` without its query, where it is known.
    pub path: Option<Vec<u8>>,
}

impl InFlight {
    /// How many of the oldest are shown.
    pub const SHOWN: usize = 5;

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.oldest.extend_from_slice(&other.oldest);
        self.oldest.sort();
        self.oldest.truncate(Self::SHOWN);
    }

    /// Counts one, and keeps what `told` gives of it if it is one of the oldest.
    pub fn add(&mut self, started: Timestamp, told: impl FnOnce() -> OpenExchange) {
        self.count += 1;
        let full = self.oldest.len() >= Self::SHOWN;
        if full && self.oldest.last().is_some_and(|last| last.started < started) {
            return;
        }
        self.oldest.push(told());
        self.oldest.sort();
        self.oldest.truncate(Self::SHOWN);
    }
}

/// Counters of plaintext and TLS traffic, apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// `encrypted:false`
    pub plaintext: Counters,
    /// `encrypted:true`
    pub tls: Counters,
}

impl View {
    /// What was counted since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self { plaintext: self.plaintext.since(&before.plaintext), tls: self.tls.since(&before.tls) }
    }
}

/// The agent's view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentView {
    /// The rule set: `2025`, `2026` or `2026b`.
    pub rules: &'static str,
    /// Its counters.
    pub view: View,
    /// All that it would have emitted.
    pub emitted: u64,
    /// Of those, the ones that the wire has, complete, too.
    pub transactions: u64,
    /// Complete exact transactions it would not have emitted, by the first reason that applies.
    pub missed: [u64; MissReason::ALL.len()],
    /// Transactions it would have emitted that the wire does not have.
    pub spurious: u64,
    /// What its user space counts.
    pub user: UserTelemetry,
    /// What its statistics tell apart: `endpoints` or `discovery`.
    pub mode: &'static str,
    /// Its statistics, where they were asked for.
    pub endpoints: Vec<AgentEndpoint>,
}

/// One key of the agent's statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEndpoint {
    /// The end that the agent takes for the client.
    pub client: Endpoint,
    /// The end that it takes for the server.
    pub server: Endpoint,
    /// Method and path; `None` in discovery mode.
    pub call: Option<(&'static str, Box<[u8]>)>,
    /// By status.
    pub statuses: Vec<AgentStatus>,
}

/// The calls of one status of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentStatus {
    /// The status; in discovery mode 200 or 400.
    pub status: u16,
    /// Calls.
    pub calls: u64,
    /// Their latencies.
    pub latency: AgentLatency,
}

/// What the agent keeps of latencies, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentLatency {
    /// The 50th, 95th and 99th percentile.
    Quantiles([u64; 3]),
    /// The sum: in discovery mode.
    Sum(u64),
    /// Nothing: a cap struck.
    Unknown,
}

/// What of the capture was seen, and what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Packets read.
    pub packets: u64,
    /// Packet bytes on the wire.
    pub bytes: u64,
    /// TCP payload bytes in the capture.
    pub payload_bytes: u64,
    /// Packets with bytes of an HTTP/2 connection.
    pub packets_with_http2: u64,
    /// Connections that are HTTP/2.
    pub connections_http2: u64,
    /// TLS connections that were not decrypted.
    pub connections_tls_undecrypted: u64,
    /// TLS connections not decrypted, by reason (the names of [`crate::base::tls::NotDecrypted`]).
    pub not_decrypted: [u64; crate::base::tls::NotDecrypted::ALL.len()],
    /// All other TCP connections.
    pub connections_other: u64,
    /// HTTP/2 connections of which one direction only was seen.
    pub connections_one_sided: u64,
    /// Bytes of HTTP/2 seen, in both directions.
    pub bytes_http2: u64,
    /// Bytes of HTTP/2 connections that are not in the capture.
    pub gap_bytes: u64,
    /// Bytes of other connections that cannot be told from HTTP/2 without its beginning.
    pub unrecognised_bytes: u64,
    /// Segments that were not used for their checksum, as their receiver did not either.
    pub bad_checksums: u64,
    /// Resets, SYNs and data that their receiver did not accept.
    pub unaccepted: u64,
    /// Of these, segments with new payload of HTTP/2 connections that were over.
    pub behind_end: u64,
    /// Bytes skipped in search of a frame boundary.
    pub skipped_bytes: u64,
    /// Header blocks decoded whole.
    pub header_blocks_decoded: u64,
    /// Header blocks with fields unknown, or cut.
    pub header_blocks_partial: u64,
    /// Header blocks whose frame was seen and no field of it.
    pub header_blocks_lost: u64,
    /// Transactions with nothing missing.
    pub transactions_complete: u64,
    /// Transactions with something missing.
    pub transactions_incomplete: u64,
    /// Responses whose request was not seen.
    pub missed_requests: u64,
    /// Violations of the protocol that made bytes unreadable.
    pub parse_errors: u64,
    /// Packets cut by the snaplen, or by the end of the file.
    pub truncated_packets: u64,
    /// Inputs that end within a packet, a block, or a compressed stream, or that hold a corrupt one.
    pub damaged_inputs: u64,
    /// Packets that the kernel or the interface dropped while the capture was made.
    pub dropped_by_kernel: u64,
    /// Records dropped because the reader of the output was too slow (live).
    pub dropped_records: u64,
    /// Transactions of which it is not known whether they are those that were asked for.
    pub where_unknown: u64,
    /// Times a cap of h2lens struck.
    pub limits: Struck,
    /// Packets that hold no TCP segment, by reason.
    pub skipped_packets: Vec<(&'static str, u64)>,
    /// Link types that are not read, by number, and packets of each: for a message.
    pub unread_link_types: Vec<(u16, u64)>,
    /// Nothing of an HTTP/2 connection is known to be missing.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_their_exchanges() {
        let mut reuse = Reuse::default();
        for exchanges in [0, 1, 2, 9, 10, 99, 100, 1000, 20_000, u64::MAX] {
            reuse.add(exchanges);
        }
        let counts: Vec<_> = reuse.iter().collect();
        assert_eq!(counts, [("0", 1), ("1", 1), ("2-9", 2), ("10-99", 2), ("100-999", 1), ("1000+", 3)]);
    }
}
