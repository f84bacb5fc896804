//! What the transactions of a shard add up to.

use crate::base::counters::Counters;

/// What the transactions of a shard add up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Exact counters of cleartext connections.
    pub plaintext: Counters,
    /// Exact counters of TLS connections.
    pub tls: Counters,
    /// Transactions with nothing missing.
    pub complete: u64,
    /// Transactions with something missing; those still open at the capture's end are not among them.
    pub incomplete: u64,
    /// Transactions whose exchange was still going on when the capture ended.
    pub open: u64,
    /// Responses whose request was not seen.
    pub missed_requests: u64,
    /// Header blocks decoded whole.
    pub blocks_decoded: u64,
    /// Header blocks with fields unknown, or cut.
    pub blocks_partial: u64,
    /// Header blocks of which no field is known.
    pub blocks_lost: u64,
    /// Violations that the RFC calls errors.
    pub errors: u64,
    /// Bytes skipped in search of a frame boundary.
    pub skipped_bytes: u64,
    /// Times a side lost framing.
    pub losses: u64,
    /// Streams given up because a connection had too many.
    pub streams_evicted: u64,
    /// Streams given up because those of a connection took too much memory.
    pub streams_heavy: u64,
    /// Header sections, blocks or values that were over a cap.
    pub headers_limited: u64,
    /// Times that a cap kept something from being judged for the findings.
    pub findings_limited: u64,
    /// Header blocks with a field that names an entry of the dynamic table which a cap did not let be kept.
    pub table_limited: u64,
    /// Interim responses that were not kept.
    pub interim_limited: u64,
    /// Resets that were forgotten before their stream was opened.
    pub early_resets: u64,
    /// Frames on streams of which it is forgotten whether they have ended.
    pub ended_streams: u64,
    /// Settings that a connection record does not keep.
    pub settings_limited: u64,
    /// GOAWAY frames that a connection record does not keep, or not with all their debug data.
    pub goaways_limited: u64,
}

impl Stats {
    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.plaintext.merge(&other.plaintext);
        self.tls.merge(&other.tls);
        self.complete += other.complete;
        self.incomplete += other.incomplete;
        self.open += other.open;
        self.missed_requests += other.missed_requests;
        self.blocks_decoded += other.blocks_decoded;
        self.blocks_partial += other.blocks_partial;
        self.blocks_lost += other.blocks_lost;
        self.errors += other.errors;
        self.skipped_bytes += other.skipped_bytes;
        self.losses += other.losses;
        self.streams_evicted += other.streams_evicted;
        self.streams_heavy += other.streams_heavy;
        self.headers_limited += other.headers_limited;
        self.findings_limited += other.findings_limited;
        self.table_limited += other.table_limited;
        self.interim_limited += other.interim_limited;
        self.early_resets += other.early_resets;
        self.ended_streams += other.ended_streams;
        self.settings_limited += other.settings_limited;
        self.goaways_limited += other.goaways_limited;
    }
}
