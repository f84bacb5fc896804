//! How much is tried: what connections joined late may cost, in all and each.

use crate::base::limits::{
    MAX_TLS_LATE_SEARCH_TOTAL, MAX_TLS_LATE_TRIES, TLS_LATE_BYTES_PER_TRY, TLS_LATE_START,
};

/// The tries of a shard. The unit is one secret with one AES-GCM record, about a tenth of a microsecond.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// Bytes of TLS seen.
    pub(crate) seen: u64,
    /// Tries made.
    pub(crate) spent: u64,
    /// Of these, those that search for numbers.
    pub(crate) searched: u64,
}

impl Budget {
    /// Tries that the traffic so far pays for.
    const fn earned(&self) -> u64 {
        TLS_LATE_START + self.seen / TLS_LATE_BYTES_PER_TRY
    }
}

/// What a try is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    /// A secret's nonce is solved for.
    Nonce,
    /// A secret is derived, and its nonce solved for.
    Derived,
    /// A secret is tried with one number.
    Number,
}

impl Try {
    const fn cost(self) -> u64 {
        match self {
            Self::Nonce => 1,
            Self::Number => 2,
            Self::Derived => 32,
        }
    }
}

/// The tries of one connection, drawn on its shard's.
pub(super) struct Tries<'a> {
    shard: &'a mut Budget,
    connection: &'a mut u64,
    /// What the search for numbers may take: a share of what is left, so that something is left for secrets that come
    /// later, and for the cheaper tries of other connections.
    numbers: u64,
    /// A try was refused.
    pub(super) limited: bool,
}

impl<'a> Tries<'a> {
    /// For a connection that has made so many tries, one part in `share` of what is left for numbers.
    pub(super) fn new(shard: &'a mut Budget, connection: &'a mut u64, share: u64) -> Self {
        let left = MAX_TLS_LATE_TRIES.saturating_sub(*connection);
        let numbers = left.min(shard.earned().saturating_sub(shard.spent)) / share.max(1);
        Self { shard, connection, numbers, limited: false }
    }

    /// Whether one more may be made.
    pub(super) fn take(&mut self, what: Try) -> bool {
        let cost = what.cost();
        let shard = &mut *self.shard;
        let searches = what == Try::Number;
        let refused = *self.connection + cost > MAX_TLS_LATE_TRIES
            || shard.spent + cost > shard.earned()
            || searches && (shard.searched >= MAX_TLS_LATE_SEARCH_TOTAL || self.numbers < cost);
        if refused {
            self.limited = true;
            return false;
        }
        *self.connection += cost;
        shard.spent += cost;
        shard.searched += u64::from(searches);
        self.numbers -= if searches { cost } else { 0 };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries of that kind until one is refused.
    fn count(shard: &mut Budget, connection: &mut u64, what: Try) -> u64 {
        let mut tries = Tries::new(shard, connection, 1);
        let mut count = 0;
        while tries.take(what) {
            count += 1;
        }
        assert!(tries.limited);
        count
    }

    #[test]
    fn cap_max_tls_late_tries() {
        let mut shard = Budget { seen: 1 << 40, ..Budget::default() };
        assert_eq!(count(&mut shard, &mut 0, Try::Nonce), MAX_TLS_LATE_TRIES);
        assert_eq!(count(&mut shard, &mut 10, Try::Nonce), MAX_TLS_LATE_TRIES - 10);
        assert_eq!(count(&mut shard, &mut 0, Try::Derived), MAX_TLS_LATE_TRIES / 32);
    }

    #[test]
    fn cap_max_tls_late_search_total() {
        let mut shard = Budget { seen: 1 << 40, ..Budget::default() };
        shard.searched = MAX_TLS_LATE_SEARCH_TOTAL - 7;
        assert_eq!(count(&mut shard, &mut 0, Try::Number), 7);
        assert_eq!(count(&mut shard, &mut 0, Try::Number), 0);
        assert_ne!(count(&mut shard, &mut 0, Try::Nonce), 0);
    }

    #[test]
    fn cap_tls_late_start() {
        let mut shard = Budget::default();
        let first = count(&mut shard, &mut 0, Try::Nonce);
        assert_eq!(first, TLS_LATE_START.min(MAX_TLS_LATE_TRIES));
        let second = count(&mut shard, &mut 0, Try::Nonce);
        assert_eq!(first + second, TLS_LATE_START);
    }

    #[test]
    fn cap_tls_late_bytes_per_try() {
        let mut shard = Budget { spent: TLS_LATE_START, ..Budget::default() };
        for (seen, tries) in [(TLS_LATE_BYTES_PER_TRY - 1, 0), (TLS_LATE_BYTES_PER_TRY, 1), (100, 25 - 1)] {
            shard.seen = seen;
            assert_eq!(count(&mut shard, &mut 0, Try::Nonce), tries);
        }
    }
}
