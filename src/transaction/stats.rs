//! What the transactions of a shard add up to.

use crate::base::counters::Counters;
use crate::base::limit::Struck;

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
    /// Caps that struck.
    pub limits: Struck,
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
        self.limits.merge(&other.limits);
    }
}
