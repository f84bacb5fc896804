//! The telemetry record, from what every stage has counted.

use super::worker::Sum;
use crate::agent::{Agent, EndpointStatistics, Latencies, Mode};
use crate::base::limit_counters::Limit;
use crate::base::load::Load;
use crate::packet::PacketCounters;
use crate::pipeline::ShardReport;
use crate::record::{
    AgentEndpoint, AgentLatency, AgentStatus, AgentView, Coverage, PartOf, PartReport, Report, View,
};
use crate::tls::KeyLogCounters;

/// What the input told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputCounts {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) damaged_inputs: u64,
    pub(crate) dropped_by_kernel: u64,
    pub(crate) dropped_records: u64,
    /// Packets that the filter could not judge for its cap.
    pub(crate) filter_limited: u64,
    /// Runs of packets that went out of reach.
    pub(crate) origins_lost: u64,
    /// Of the TLS key logs.
    pub(crate) key_log: KeyLogCounters,
}

/// Adds everything up.
pub(crate) fn assemble(
    shards: &ShardReport,
    packets: &PacketCounters,
    input: InputCounts,
    agent: Option<&Agent>,
    part: Option<&PartOf>,
) -> Report {
    // What is of the whole capture, part 0 alone tells.
    let nothing = PacketCounters::default();
    let (packets, input) = match part {
        Some(part) if part.partition.index() > 0 => (&nothing, InputCounts::default()),
        _ => (packets, input),
    };
    let (stats, frames, mut exact) = (&shards.stats, &shards.frames, shards.exact);
    exact.plaintext.merge(&stats.plaintext);
    exact.tls.merge(&stats.tls);
    let mut limits = shards.limits;
    limits.add(Limit::FilterLinkTypes, input.filter_limited);
    limits.add(Limit::Origins, input.origins_lost);
    for part in [stats.limits, shards.tls.limits(), input.key_log.limits(), packets.limits()] {
        limits.merge(&part);
    }
    if let Some(agent) = agent {
        limits.merge(&agent.limits());
    }
    let coverage = Coverage {
        packets: input.packets,
        bytes: input.bytes,
        payload_bytes: shards.payload_bytes,
        packets_with_http2: shards.packets_http2,
        connections_http2: shards.http2,
        connections_tls_undecrypted: shards.tls_undecrypted,
        not_decrypted: shards.not_decrypted,
        connections_other: shards.other,
        connections_one_sided: shards.one_sided,
        bytes_http2: shards.bytes_http2,
        gap_bytes: shards.gap_bytes,
        unrecognised_bytes: shards.unrecognised_bytes,
        bad_checksums: shards.bad_checksums,
        unaccepted: shards.unaccepted,
        behind_end: shards.behind_end,
        skipped_bytes: frames.skipped_bytes,
        header_blocks_decoded: frames.blocks_decoded,
        header_blocks_partial: frames.blocks_partial,
        header_blocks_lost: frames.blocks_lost,
        transactions_complete: stats.complete,
        transactions_incomplete: stats.incomplete + stats.open,
        missed_requests: stats.missed_requests,
        parse_errors: frames.errors,
        truncated_packets: packets.truncated,
        damaged_inputs: input.damaged_inputs,
        dropped_by_kernel: input.dropped_by_kernel,
        dropped_records: input.dropped_records,
        where_unknown: 0,
        complete: is_complete(shards, packets, input) && !limits.costs(),
        limits,
        unread_link_types: Vec::new(),
        skipped_packets: packets.entries().into_iter().filter(|&(_, count)| count > 0).collect(),
    };
    let in_flight = (shards.in_flight.count > 0).then(|| Box::new(shards.in_flight.clone()));
    let (agent, reuse, reuse_authorities) = (agent.map(agent_view), shards.reuse, shards.reuse_authorities);
    Report { exact, agent, coverage, reuse, reuse_authorities, in_flight, ..Report::default() }
}

/// What the other parts' reports are added to.
pub(super) fn part_report(of: &PartOf, input: &InputCounts, agent: Option<&Agent>, sum: &Sum) -> PartReport {
    let mut loads: Vec<Load> = agent.map(|agent| agent.loads().to_vec()).unwrap_or_default();
    if of.partition.divides_shards() {
        let mut shards: Vec<_> = sum.loads.iter().collect();
        shards.sort_by_key(|(shard, _)| *shard);
        loads.extend(shards.into_iter().flat_map(|(_, loads)| loads));
    }
    let seen = |endpoint: &EndpointStatistics| (endpoint.seen.now, endpoint.seen.packet);
    PartReport {
        of: of.clone(),
        packets: input.packets,
        secrets: input.key_log.secrets,
        loads,
        seen: agent.map(|agent| agent.statistics().iter().map(seen).collect()).unwrap_or_default(),
        discovery: agent.is_some_and(|agent| agent.mode() == Mode::Discovery),
        paths: Vec::new(),
    }
}

/// The view of an agent that has seen the whole capture.
fn agent_view(agent: &Agent) -> AgentView {
    let summary = agent.summary();
    AgentView {
        rules: agent.rules().name(),
        view: View { plaintext: summary.plaintext, tls: summary.tls },
        emitted: summary.emitted,
        transactions: summary.transactions,
        missed: summary.missed,
        spurious: summary.spurious,
        user: summary.user,
        mode: agent.mode().name(),
        endpoints: agent.statistics().iter().map(|endpoint| agent_endpoint(endpoint, agent.mode())).collect(),
    }
}

fn agent_endpoint(endpoint: &EndpointStatistics, mode: Mode) -> AgentEndpoint {
    let latency = |latencies: &Latencies| match mode {
        Mode::Discovery => AgentLatency::Sum(latencies.sum as u64),
        Mode::Endpoints => {
            let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| latencies.quantile(quantile));
            match (p50, p95, p99) {
                (Some(p50), Some(p95), Some(p99)) => {
                    AgentLatency::Quantiles([p50, p95, p99].map(|nanos| nanos.round() as u64))
                }
                _ => AgentLatency::Unknown,
            }
        }
    };
    AgentEndpoint {
        client: endpoint.tuple.client,
        server: endpoint.tuple.server,
        call: endpoint.call.as_ref().map(|(method, path)| (method.name(), path.clone())),
        statuses: endpoint
            .statuses
            .iter()
            .map(|(status, latencies)| AgentStatus {
                status: *status,
                calls: latencies.count,
                latency: latency(latencies),
            })
            .collect(),
    }
}

/// Nothing of an HTTP/2 connection is known to be missing.
fn is_complete(shards: &ShardReport, packets: &PacketCounters, input: InputCounts) -> bool {
    let lost = shards.behind_end
        + shards.damaged
        + shards.tls_late
        + shards.tls_maybe_http2
        + shards.unrecognised_bytes
        + shards.frames.blocks_lost
        + shards.frames.blocks_partial;
    lost + packets.unread() + input.damaged_inputs + input.dropped_by_kernel + input.dropped_records == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Skip;

    #[test]
    fn what_is_not_read_makes_the_analysis_incomplete() {
        let with = |reason: Skip| {
            let mut packets = PacketCounters::default();
            packets.skipped[reason as usize] = 1;
            assemble(&ShardReport::default(), &packets, InputCounts::default(), None, None).coverage
        };
        for reason in Skip::ALL {
            let coverage = with(reason);
            assert_eq!(coverage.skipped_packets, [(reason.name(), 1)]);
            let told = reason.unread().is_some() || coverage.limits.costs();
            assert_eq!(coverage.complete, !told, "{reason:?}");
        }
        let dropped = InputCounts { dropped_by_kernel: 1, ..InputCounts::default() };
        assert!(
            !assemble(&ShardReport::default(), &PacketCounters::default(), dropped, None, None)
                .coverage
                .complete
        );
    }

    #[test]
    fn what_costs_nothing_of_an_exchange_leaves_the_analysis_complete() {
        let with = |edit: &dyn Fn(&mut ShardReport)| {
            let mut shards = ShardReport::default();
            edit(&mut shards);
            assemble(&shards, &PacketCounters::default(), InputCounts::default(), None, None).coverage
        };
        assert!(with(&|_| ()).complete && with(&|_| ()).limits.is_empty());
        let findings = with(&|shards| shards.stats.limits.add(Limit::Findings, 3));
        assert_eq!((findings.complete, findings.limits.of(Limit::Findings)), (true, 3));
        let doubtful = with(&|shards| shards.unrecognised_bytes = 17);
        assert_eq!((doubtful.complete, doubtful.unrecognised_bytes), (false, 17));
        let streams = with(&|shards| shards.stats.limits.strike(Limit::Streams));
        assert_eq!((streams.complete, streams.limits.of(Limit::Streams)), (false, 1));
    }
}
