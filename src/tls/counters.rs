//! What was done with records, and which caps struck.

use crate::base::limit_counters::{Limit, Struck};

/// Counts over all connections of a [`super::Workspace`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that were opened.
    pub records_decrypted: u64,
    /// Records that did not authenticate though keys were at hand.
    pub records_failed: u64,
    /// Protected handshake records and rejected early data without keys of their own.
    pub records_skipped: u64,
    /// Holes in the ciphertext of connections.
    pub holes: u64,
    /// Holes after which records were opened again.
    pub holes_bridged: u64,
    /// Hello messages that are malformed.
    pub bad_hellos: u64,
    /// Directions given up because [`crate::base::limits::MAX_TLS_HELD`] or
    /// [`crate::base::limits::MAX_TLS_HELD_TOTAL`] struck.
    pub held_limit: u64,
    /// Records that were not tried further, or not at all any more, because [`crate::base::limits::TLS_TRIAL_RATE`],
    /// or [`crate::base::limits::MAX_TLS_SEQUENCE_TRIES`] struck.
    pub trial_limit: u64,
    /// Directions of connections joined late whose secrets were not searched for further, because
    /// [`crate::base::limits::MAX_TLS_LATE_TRIES`], [`crate::base::limits::MAX_TLS_LATE_SEARCH_TOTAL`],
    /// [`crate::base::limits::TLS_LATE_START`] or [`crate::base::limits::TLS_LATE_BYTES_PER_TRY`] struck.
    pub late_limit: u64,
    /// Directions that did not wait for the other side's hello any more because
    /// [`crate::base::limits::MAX_TLS_HELD_FOR_HELLO`] struck.
    pub hello_limit: u64,
    /// Messages longer than [`crate::base::limits::MAX_TLS_MESSAGE`], and handshakes longer than
    /// [`crate::base::limits::MAX_TLS_TRANSCRIPT`].
    pub message_limit: u64,
    /// Client hellos that offer more protocols than [`crate::base::limits::MAX_TLS_ALPN`].
    pub alpn_limit: u64,
}

impl Counters {
    /// How often the caps struck that are kept here.
    pub fn limits(&self) -> Struck {
        Struck::from_iter([
            (Limit::TlsHeld, self.held_limit),
            (Limit::TlsHello, self.hello_limit),
            (Limit::TlsMessage, self.message_limit),
            (Limit::TlsAlpn, self.alpn_limit),
            (Limit::TlsTrials, self.trial_limit + self.late_limit),
        ])
    }

    /// Adds another count.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            records_decrypted,
            records_failed,
            records_skipped,
            holes,
            holes_bridged,
            bad_hellos,
            held_limit,
            trial_limit,
            late_limit,
            hello_limit,
            message_limit,
            alpn_limit,
        } = self;
        *records_decrypted += other.records_decrypted;
        *records_failed += other.records_failed;
        *records_skipped += other.records_skipped;
        *holes += other.holes;
        *holes_bridged += other.holes_bridged;
        *bad_hellos += other.bad_hellos;
        *held_limit += other.held_limit;
        *trial_limit += other.trial_limit;
        *late_limit += other.late_limit;
        *hello_limit += other.hello_limit;
        *message_limit += other.message_limit;
        *alpn_limit += other.alpn_limit;
    }
}
