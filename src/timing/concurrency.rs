//! The client at the number of streams that the server lets be open (RFC 9113 section 5.1.2): what it wants to ask then waits
//! where no packet tells of it, until a place becomes free.

use crate::base::time::Timestamp;

/// The streams that the client has open.
#[derive(Debug, Default)]
pub(super) struct Concurrency {
    open: u32,
    queued: u32,
    places: Places,
    /// Nanoseconds with all places taken, those up to now not.
    full: u64,
}

/// The places for streams.
#[derive(Clone, Copy, Debug, Default)]
enum Places {
    /// Some are free, for all that is known.
    #[default]
    Free,
    /// All are taken, since then.
    Full(Timestamp),
    /// All were taken, and one became free then.
    Freed(Timestamp),
}

impl Concurrency {
    /// A stream was opened, of at most so many. Whether it had waited for a place: it came within `patience` nanoseconds of one that
    /// became free.
    pub(super) fn opened(&mut self, at: Timestamp, most: u32, patience: u64) -> bool {
        let waited = matches!(self.places, Places::Freed(freed) if at.nanos_since(freed) <= patience);
        self.queued = self.queued.saturating_add(waited.into());
        self.open = self.open.saturating_add(1);
        self.places = match self.places {
            Places::Full(since) => Places::Full(since),
            _ if self.open >= most => Places::Full(at),
            _ => Places::Free,
        };
        waited
    }

    /// A stream has ended.
    pub(super) fn closed(&mut self, at: Timestamp) {
        self.open = self.open.saturating_sub(1);
        if let Places::Full(since) = self.places {
            self.full = self.full.saturating_add(at.nanos_since(since));
            self.places = Places::Freed(at);
        }
    }

    /// Nanoseconds with all places taken, until now.
    pub(super) fn at_limit(&self, now: Timestamp) -> u64 {
        let still = match self.places {
            Places::Full(since) => now.nanos_since(since),
            _ => 0,
        };
        self.full.saturating_add(still)
    }

    /// Streams that were opened when a place became free.
    pub(super) const fn queued(&self) -> u32 {
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
