//! What the stages of a shard share while they work on a packet.

use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;
use crate::record::{RecordSink, Wanted};
use crate::tls;
use crate::transaction::{Stats, StreamPool};

/// Where a shard's results go: records, and for the agent's view the plaintext of TLS records.
pub trait Output: RecordSink {
    /// A TLS record of the packet `at` was decrypted now: that may be later.
    fn tls_record(&mut self, now: Moment, at: Moment, src: Endpoint, dst: Endpoint, plaintext: &[u8]);
}

/// What a shard has added up.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) stats: Stats,
    pub(super) pool: StreamPool,
    pub(super) payload_bytes: u64,
    pub(super) report: super::ShardReport,
}

/// For the time that one packet is worked on.
pub(super) struct Context<'a, O> {
    pub(super) now: Moment,
    pub(super) wanted: Wanted,
    pub(super) totals: &'a mut Totals,
    /// Taken out while a TLS session is at work.
    pub(super) tls: Option<&'a mut tls::Workspace>,
    pub(super) keys: &'a tls::KeyStore,
    pub(super) out: &'a mut O,
}

impl<'a, O> Context<'a, O> {
    pub(super) fn new(
        now: Moment,
        wanted: Wanted,
        totals: &'a mut Totals,
        tls: &'a mut tls::Workspace,
        keys: &'a tls::KeyStore,
        out: &'a mut O,
    ) -> Self {
        Self { now, wanted, totals, tls: Some(tls), keys, out }
    }
}
