//! What the transactions of a shard add up to.

use crate::base::limit_counters::Struck;
use crate::base::telemetry_counters::Counters;

/// What the transactions of a shard add up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Requests and responses of cleartext connections, in the exact view's counters.
    pub plaintext: Counters,
    /// The same of TLS connections.
    pub tls: Counters,
    /// Streams that were opened: each takes memory until its transaction is told, and its record from then on.
    pub opened: u64,
    /// Transactions with nothing missing.
    pub complete: u64,
    /// Transactions with something missing; those still open at the capture's end are not among them.
    pub incomplete: u64,
    /// Transactions whose exchange was still going on when the capture ended.
    pub open: u64,
    /// Responses whose request was not seen.
    pub missed_requests: u64,
    /// Caps that struck.
    pub limits: Struck,
}

impl Stats {
    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.plaintext.merge(&other.plaintext);
        self.tls.merge(&other.tls);
        self.opened += other.opened;
        self.complete += other.complete;
        self.incomplete += other.incomplete;
        self.open += other.open;
        self.missed_requests += other.missed_requests;
        self.limits.merge(&other.limits);
    }
}
