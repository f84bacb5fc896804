//! The telemetry record, from what every stage has counted.

use crate::agent::Agent;
use crate::packet::PacketCounters;
use crate::pipeline::ShardReport;
use crate::telemetry::{AgentView, Coverage, Report, View};

/// What the input told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InputCounts {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) damaged_inputs: u64,
    pub(super) dropped_by_kernel: u64,
    pub(super) dropped_records: u64,
}

/// Adds everything up.
pub(super) fn assemble(
    shards: &ShardReport,
    packets: &PacketCounters,
    input: InputCounts,
    agent: Option<&Agent>,
) -> Report {
    let stats = &shards.stats;
    let mut limits: Vec<(&'static str, u64)> = vec![
        ("connections", shards.connections_evicted),
        ("connection_memory", shards.connections_heavy),
        ("streams", stats.streams_evicted),
        ("stream_memory", stats.streams_heavy),
        ("headers", stats.headers_limited),
        ("reassembly_direction", shards.reassembly_direction),
        ("reassembly_total", shards.reassembly_shard),
    ];
    // These cost bytes of connections; a packet that was not understood need not have been one of ours.
    let within_limits = limits.iter().all(|&(_, struck)| struck == 0) && shards.tls.held_limit == 0;
    limits.extend(packets.limits());
    // Costs no exchange: the coverage is complete all the same.
    limits.push(("findings", stats.findings_limited));
    limits.extend([("tls_held", shards.tls.held_limit), ("tls_trials", shards.tls.trial_limit)]);
    limits.retain(|&(_, struck)| struck > 0);
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
        agent: agent.map(AgentView::of),
        coverage,
    }
}

/// Nothing of an HTTP/2 connection is known to be missing.
fn is_complete(shards: &ShardReport, input: InputCounts) -> bool {
    let lost =
        shards.damaged + shards.tls_maybe_http2 + shards.stats.blocks_lost + shards.stats.blocks_partial;
    lost + input.damaged_inputs + input.dropped_by_kernel + input.dropped_records == 0
}
