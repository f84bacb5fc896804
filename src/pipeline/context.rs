//! What the stages of a shard share while they work on a packet.

use crate::base::direction::{Direction, PerDirection};
use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;
use crate::flow::{Arrival, Reassembly};
use crate::record::{RecordSink, Wanted};
use crate::tls;
use crate::transaction::{Reading, Stats, StreamPool};

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
    /// How far each direction's TCP stream was handed on.
    pub(super) handed_on: PerDirection<u64>,
    /// Up to where each direction's TCP stream is known to have been received.
    pub(super) acknowledged: PerDirection<u64>,
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
        let (handed_on, acknowledged) = (PerDirection::default(), PerDirection::default());
        Self { now, wanted, totals, tls: Some(tls), keys, out, handed_on, acknowledged }
    }

    /// Where the direction is read now.
    pub(super) fn reading(&self, from: Direction, arrival: &Arrival) -> Reading {
        let peer = from.reverse();
        Reading { arrival: *arrival, peer: self.handed_on[peer], acknowledged: self.acknowledged[peer] }
    }

    /// Notes how far both TCP streams are.
    pub(super) fn note_streams(&mut self, reassembly: &Reassembly) {
        for from in [Direction::Forward, Direction::Backward] {
            self.handed_on[from] = reassembly.handed_on(from);
            self.acknowledged[from] = reassembly.acknowledged(from);
        }
    }
}
