//! Where a live capture stands, in a line for people.

use crate::engine::Standing;
use std::fmt;
use std::time::Duration;

/// A line of status.
pub(super) struct StatusLine<'a> {
    /// Now.
    pub(super) standing: &'a Standing,
    /// Packets and transactions at the last one.
    pub(super) before: Counted,
    /// How long ago that was.
    pub(super) elapsed: Duration,
}

/// What rates are taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    packets: u64,
    transactions: u64,
}

impl Counted {
    /// The counts of now.
    pub(super) const fn of(standing: &Standing) -> Self {
        let coverage = &standing.report.coverage;
        let transactions = coverage.transactions_complete + coverage.transactions_incomplete;
        Self { packets: coverage.packets, transactions }
    }
}

impl fmt::Display for StatusLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (now, coverage) = (Counted::of(self.standing), &self.standing.report.coverage);
        let seconds = self.elapsed.as_secs_f64().max(0.001);
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        write!(
            f,
            "{} packets ({:.0}/s), {}, {} transactions ({:.0}/s), {} failed, {} in flight on {} connections",
            now.packets,
            rate(now.packets, self.before.packets),
            Bytes(coverage.bytes),
            now.transactions,
            rate(now.transactions, self.before.transactions),
            self.standing.tally.errors(),
            self.standing.open.in_flight,
            self.standing.open.http2,
        )?;
        if coverage.dropped_by_kernel > 0 {
            write!(f, ", {} packets dropped by the kernel", coverage.dropped_by_kernel)?;
        }
        if coverage.dropped_records > 0 {
            write!(f, ", {} records dropped: the output is read too slowly", coverage.dropped_records)?;
        }
        Ok(())
    }
}

/// Bytes with a unit.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut value, mut unit) = (self.0 as f64, "B");
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if value < 1024.0 {
                break;
            }
            (value, unit) = (value / 1024.0, larger);
        }
        if unit == "B" { write!(f, "{} B", self.0) } else { write!(f, "{value:.1} {unit}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_totals_rates_and_losses() {
        let mut standing = Standing::default();
        let coverage = &mut standing.report.coverage;
        (coverage.packets, coverage.bytes) = (300, 3 << 20);
        (coverage.transactions_complete, coverage.transactions_incomplete) = (40, 2);
        let before = Counted { packets: 100, transactions: 2 };
        let line = |standing: &Standing| {
            StatusLine { standing, before, elapsed: Duration::from_secs(20) }.to_string()
        };
        assert_eq!(
            line(&standing),
            "300 packets (10/s), 3.0 MiB, 42 transactions (2/s), 0 failed, 0 in flight on 0 connections"
        );
        standing.report.coverage.dropped_by_kernel = 7;
        assert!(line(&standing).ends_with(", 7 packets dropped by the kernel"));
    }

    #[test]
    fn bytes_have_a_unit() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (u64::MAX, "16777216.0 TiB")] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
