//! When a call may have reached the server's place without being found there.

use super::clock::Clock;
use super::pairing::{Pairing, is_set};

/// Spans of the client's clock in which the server's place has missed bytes, or seen an exchange without knowing which: in order of
/// their beginning, each with the latest end so far.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<(u64, u64)>);

impl Doubts {
    /// None are known without a clock.
    pub(super) fn of(pairing: &Pairing<'_>, clock: Option<&Clock>) -> Self {
        let (Some(clock), server) = (clock, pairing.server) else { return Self::default() };
        let unpaired =
            (0..).zip(&server.exchanges).filter(|&(place, _)| !is_set(&pairing.server_paired, place));
        let partial = unpaired.filter(|(_, exchange)| exchange.is_partial);
        let unknown = partial.map(|(_, exchange)| (exchange.start, exchange.end));
        let by_client = |(since, until): (u64, u64)| {
            let ((since, early), (until, late)) = (clock.to_client(since), clock.to_client(until));
            (since.saturating_sub(early), until.saturating_add(late))
        };
        let mut spans: Vec<_> = server.missed().chain(unknown).map(by_client).collect();
        spans.sort_unstable();
        let mut latest = 0;
        for (_, until) in &mut spans {
            latest = latest.max(*until);
            *until = latest;
        }
        Self(spans)
    }

    /// One of them is between two instants, or reaches into that.
    pub(super) fn meet(&self, from: u64, until: u64) -> bool {
        let begun = self.0.partition_point(|&(since, _)| since <= until);
        let last = begun.checked_sub(1).and_then(|last| self.0.get(last));
        last.is_some_and(|&(_, latest)| latest >= from)
    }
}
