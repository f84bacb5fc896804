//! What the stages of a shard share while they work on a packet.

use super::PipelineConfig;
use crate::base::direction::{Direction, PerDirection};
use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;
use crate::body;
use crate::flow::{Reassembly, Verdict};
use crate::packet::Segment;
use crate::record::{RecordSink, Wanted};
use crate::tls;
use crate::transaction::{Stats, StreamPool};

/// Where a shard's results go: records, and for the agent's view the plaintext of TLS records.
pub trait Output: RecordSink {
    /// A TLS record of the packet `at` was decrypted now: that may be later.
    fn tls_record(&mut self, now: Moment, at: Moment, src: Endpoint, dst: Endpoint, plaintext: &[u8]);

    /// About so many bytes of records were made so far, of transactions the texts alone. It depends on the records alone, and not
    /// on how they are kept.
    fn made(&self) -> usize {
        0
    }

    /// A connection to this server is over, of which so many calls, at the most, are missing wholly, and so many ended
    /// earlier than was seen.
    fn calls_missed(&mut self, server: Endpoint, most: u64, shorter: u64) {
        let _ = (server, most, shorter);
    }
}

/// What a shard has added up.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) stats: Stats,
    pub(super) pool: StreamPool,
    /// Memory of the bodies under way.
    pub(super) body_means: body::Means,
    pub(super) payload_bytes: u64,
    pub(super) report: super::ShardReport,
}

/// Bytes that a stream takes, and its record after it, beside texts: about.
const STREAM: usize = 1024;

impl Totals {
    /// About so many bytes of streams and records were made.
    #[inline]
    fn made(&self, out: &impl Output) -> usize {
        out.made() + STREAM * self.stats.opened as usize
    }

    /// Counts what was not accepted; `misses` where what came behind an end is then missing.
    #[inline]
    pub(super) fn judged(&mut self, verdict: Verdict, misses: bool) {
        if verdict != Verdict::Accepted {
            self.count_refused(verdict, misses);
        }
    }

    #[cold]
    fn count_refused(&mut self, verdict: Verdict, misses: bool) {
        let report = &mut self.report;
        match verdict {
            Verdict::Accepted => {}
            Verdict::BadChecksum => report.bad_checksums += 1,
            Verdict::Unaccepted => report.unaccepted += 1,
            Verdict::BehindEnd => {
                report.unaccepted += 1;
                report.behind_end += u64::from(misses);
            }
        }
    }
}

/// For the time that one packet is worked on.
pub(super) struct Context<'a, O> {
    pub(super) now: Moment,
    pub(super) wanted: Wanted,
    pub(super) settings: &'a PipelineConfig,
    pub(super) totals: &'a mut Totals,
    /// Taken out while a TLS session is at work.
    pub(super) tls: Option<&'a mut tls::Workspace>,
    pub(super) keys: &'a tls::KeyStore,
    pub(super) out: &'a mut O,
    /// Bytes of streams and records that were made before it, and with how many no more is handed on of what was held back.
    made_before: usize,
    sated_at: usize,
    /// So much of each direction's TCP stream its receiver is known to have.
    pub(super) received: PerDirection<u64>,
    /// Bytes of the direction have been sent that were not seen, and nothing that stands behind them was; where times are wanted.
    pub(super) lacks_end: PerDirection<bool>,
}

impl<'a, O: Output> Context<'a, O> {
    pub(super) fn new(
        now: Moment,
        settings: &'a PipelineConfig,
        totals: &'a mut Totals,
        tls: &'a mut tls::Workspace,
        keys: &'a tls::KeyStore,
        out: &'a mut O,
    ) -> Self {
        Self {
            now,
            wanted: settings.wanted,
            settings,
            totals,
            tls: Some(tls),
            keys,
            out,
            made_before: 0,
            sated_at: usize::MAX,
            received: PerDirection::default(),
            lacks_end: PerDirection::default(),
        }
    }

    /// The same, where so many bytes of streams and records may be made of what was held back.
    pub(super) fn with_room(self, room: usize) -> Self {
        let made_before = self.totals.made(self.out);
        Self { made_before, sated_at: made_before.saturating_add(room), ..self }
    }

    /// So many bytes of them were made since.
    pub(super) fn made(&self) -> usize {
        self.totals.made(self.out) - self.made_before
    }

    /// No more is to be made of what was held back.
    pub(super) fn is_sated(&self) -> bool {
        self.totals.made(self.out) >= self.sated_at
    }

    /// Notes how much both sides have received, the sender of this segment too, and what of that was not seen.
    pub(super) fn note_received(&mut self, streams: &Reassembly, segment: Option<(Direction, &Segment<'_>)>) {
        for from in [Direction::Forward, Direction::Backward] {
            self.received[from] = streams.acknowledged(from);
        }
        if let Some((sender, segment)) = segment {
            let from = sender.reverse();
            self.received[from] = streams.acknowledged_with(from, segment);
        }
        if self.wanted.times() {
            for from in [Direction::Forward, Direction::Backward] {
                self.lacks_end[from] = streams.lacks_end(from, self.received[from]);
            }
        }
    }
}
