//! The client at the number of streams that the server lets be open (RFC 9113 section 5.1.2): what it wants to ask then waits
//! where no packet tells of it, until a place becomes free.

use crate::base::time::Timestamp;

/// The streams that the client has open.
#[derive(Debug, Default)]
pub(super) struct Concurrency {
    open: u64,
    /// Since when there are as many as may be.
    full_since: Option<Timestamp>,
    /// When a place became free of which all were taken.
    freed: Option<Timestamp>,
    /// Nanoseconds with all places taken, those up to now not.
    full: u64,
    queued: u64,
}

impl Concurrency {
    /// A stream was opened, of at most so many. Whether it had waited for a place: it came within `patience` nanoseconds of one that
    /// became free.
    pub(super) fn opened(&mut self, at: Timestamp, most: u32, patience: u64) -> bool {
        let waited = self.freed.take().is_some_and(|freed| at.nanos_since(freed) <= patience);
        self.queued += u64::from(waited);
        self.open += 1;
        if self.open >= u64::from(most) {
            self.full_since.get_or_insert(at);
        }
        waited
    }

    /// A stream has ended.
    pub(super) fn closed(&mut self, at: Timestamp) {
        self.open = self.open.saturating_sub(1);
        if let Some(since) = self.full_since.take() {
            self.full = self.full.saturating_add(at.nanos_since(since));
            self.freed = Some(at);
        }
    }

    /// Nanoseconds with all places taken, until now.
    pub(super) fn at_limit(&self, now: Timestamp) -> u64 {
        let still = self.full_since.map_or(0, |since| now.nanos_since(since));
        self.full.saturating_add(still)
    }

    /// Streams that were opened when a place became free.
    pub(super) const fn queued(&self) -> u64 {
        self.queued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn who_comes_when_a_place_becomes_free_had_waited() {
        let mut streams = Concurrency::default();
        let patience = 10_000_000;
        assert!(!streams.opened(at(0), 2, patience) && !streams.opened(at(5), 2, patience));
        streams.closed(at(105));
        assert!(streams.opened(at(110), 2, patience), "within the patience");
        streams.closed(at(210));
        assert!(!streams.opened(at(300), 2, patience), "long after");
        streams.closed(at(301));
        streams.closed(at(302));
        assert_eq!((streams.at_limit(at(400)), streams.queued()), (100_000_000 + 100_000_000 + 1_000_000, 1));
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let mut streams = Concurrency::default();
        for n in 0..100 {
            assert!(!streams.opened(at(n), u32::MAX, u64::MAX));
            streams.closed(at(n));
        }
        assert_eq!((streams.at_limit(at(100)), streams.queued()), (0, 0));
    }
}
