//! The telemetry record, from what every stage has counted.

use crate::agent::Agent;
use crate::base::limit::{LIMITS, Limit};
use crate::packet::PacketCounters;
use crate::pipeline::ShardReport;
use crate::record::{AgentView, Coverage, Report, View};
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
    /// Of the TLS key logs.
    pub(crate) key_log: KeyLogCounters,
}

/// Adds everything up.
pub(crate) fn assemble(
    shards: &ShardReport,
    packets: &PacketCounters,
    input: InputCounts,
    agent: Option<&Agent>,
) -> Report {
    let stats = &shards.stats;
    let limits: Vec<_> =
        limits(shards, packets, input, agent).into_iter().filter(|&(_, struck)| struck > 0).collect();
    let within_limits = !limits.iter().any(|(name, _)| Limit::costs(name));
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
        skipped_bytes: stats.skipped_bytes,
        header_blocks_decoded: stats.blocks_decoded,
        header_blocks_partial: stats.blocks_partial,
        header_blocks_lost: stats.blocks_lost,
        transactions_complete: stats.complete,
        transactions_incomplete: stats.incomplete + stats.open,
        missed_requests: stats.missed_requests,
        parse_errors: stats.errors,
        truncated_packets: packets.truncated,
        damaged_inputs: input.damaged_inputs,
        dropped_by_kernel: input.dropped_by_kernel,
        dropped_records: input.dropped_records,
        complete: is_complete(shards, input) && within_limits,
        limits,
        skipped_packets: packets.entries().into_iter().filter(|&(_, count)| count > 0).collect(),
    };
    Report {
        exact: View { plaintext: stats.plaintext, tls: stats.tls },
        agent: agent.map(agent_view),
        coverage,
    }
}

/// The view of an agent that has seen the whole capture.
fn agent_view(agent: &Agent) -> AgentView {
    let summary = agent.summary();
    AgentView {
        rules: agent.rules().name(),
        view: View { plaintext: summary.plaintext, tls: summary.tls },
        transactions: summary.transactions,
        missed: summary.missed,
        spurious: summary.spurious,
    }
}

/// How often each cap struck, in the order of [`LIMITS`].
fn limits(
    shards: &ShardReport,
    packets: &PacketCounters,
    input: InputCounts,
    agent: Option<&Agent>,
) -> [(&'static str, u64); LIMITS.len()] {
    let (stats, tls) = (&shards.stats, &shards.tls);
    let packets = packets.limits();
    let agent = agent.map(Agent::limits).unwrap_or_default();
    LIMITS.map(|Limit { name, .. }| {
        let struck = match name {
            "connections" => shards.connections_evicted,
            "connection_memory" => shards.connections_heavy,
            "streams" => stats.streams_evicted,
            "stream_memory" => stats.streams_heavy,
            "headers" => stats.headers_limited,
            "hpack_table" => stats.table_limited,
            "interim" => stats.interim_limited,
            "early_resets" => stats.early_resets,
            "one_sided_streams" => shards.one_sided_streams,
            "reassembly_direction" => shards.reassembly_direction,
            "reassembly_total" => shards.reassembly_shard,
            "tls_held" => tls.held_limit,
            "opening" => shards.opening_limited,
            "filter_link_types" => input.filter_limited,
            "opening_depth" => shards.opening_depth,
            "http1" => shards.http1_limited,
            "frame_payload" => shards.payloads_limited,
            "settings_unacknowledged" => shards.settings_unacknowledged,
            "settings" => stats.settings_limited,
            "goaway" => stats.goaways_limited,
            "ended_streams" => stats.ended_streams,
            "ended_connections" => shards.connections_forgotten,
            "findings" => stats.findings_limited,
            "tls_hello" => tls.hello_limit,
            "tls_message" => tls.message_limit,
            "tls_alpn" => tls.alpn_limit,
            "tls_trials" => tls.trial_limit + tls.random_limit,
            "key_log_lines" => input.key_log.too_long,
            "key_log_connections" => input.key_log.forgotten,
            _ => {
                let theirs = packets.iter().chain(&agent).find(|(known, _)| *known == name);
                theirs.map_or(0, |&(_, struck)| struck)
            }
        };
        (name, struck)
    })
}

/// Nothing of an HTTP/2 connection is known to be missing.
fn is_complete(shards: &ShardReport, input: InputCounts) -> bool {
    let lost =
        shards.damaged + shards.tls_maybe_http2 + shards.stats.blocks_lost + shards.stats.blocks_partial;
    lost + input.damaged_inputs + input.dropped_by_kernel + input.dropped_records == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Params;

    /// Each stage's counts are shown under the name that they have there.
    #[test]
    fn every_limit_of_a_stage_is_shown() {
        let agent = Agent::new(Params::default());
        let names: Vec<_> = LIMITS.iter().map(|limit| limit.name).collect();
        for (name, _) in PacketCounters::default().limits().into_iter().chain(agent.limits()) {
            assert!(names.contains(&name), "{name}");
        }
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn what_costs_nothing_of_an_exchange_leaves_the_analysis_complete() {
        let with = |edit: &dyn Fn(&mut ShardReport)| {
            let mut shards = ShardReport::default();
            edit(&mut shards);
            assemble(&shards, &PacketCounters::default(), InputCounts::default(), None).coverage
        };
        assert!(with(&|_| ()).complete && with(&|_| ()).limits.is_empty());
        let findings = with(&|shards| shards.stats.findings_limited = 3);
        assert_eq!((findings.complete, findings.limits), (true, vec![("findings", 3)]));
        let streams = with(&|shards| shards.stats.streams_evicted = 1);
        assert_eq!((streams.complete, streams.limits), (false, vec![("streams", 1)]));
    }
}
