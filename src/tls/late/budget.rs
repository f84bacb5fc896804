//! How much is tried: what connections joined late may cost, in all and each.

use crate::base::limits::{
    MAX_TLS_LATE_SEARCH_TOTAL, MAX_TLS_LATE_TRIES, TLS_LATE_BYTES_PER_TRY, TLS_LATE_START,
    TLS_LATE_TRIES_PER_SECRET,
};

/// Connections whose searches were cut short, at the most, that make the next ones shorter.
const CUT_SHORT: u64 = 7;

/// The tries of a shard. The unit is one secret with one short AES-GCM record: its keys made ready, a few blocks of GHASH and one
/// of AES, a tenth to a sixth of a microsecond. All that a search does is paid for before it is done, by the length of the record that is tried, so
/// that the bound holds whatever is in the key log and in the records.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// Bytes of TLS seen.
    pub(crate) seen: u64,
    /// Secrets that the key log has had.
    pub(crate) secrets: u64,
    /// Tries made.
    pub(crate) spent: u64,
    /// Of these, those that search for numbers.
    pub(crate) searched: u64,
    /// Searches that were cut short.
    pub(crate) cut_short: u64,
}

impl Budget {
    /// Tries that traffic and key log so far pay for.
    const fn earned(&self) -> u64 {
        TLS_LATE_START + self.seen / TLS_LATE_BYTES_PER_TRY + self.secrets * TLS_LATE_TRIES_PER_SECRET
    }

    /// Of these, what is not for less likely searches: each secret on one record.
    const fn reserved(&self) -> u64 {
        self.secrets * TLS_LATE_TRIES_PER_SECRET / 2
    }
}

/// What a try is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    /// So many connections of the key log are looked through for secrets that may fit.
    Look(usize),
    /// A secret's nonce is solved for, of a record with a fragment of so many bytes.
    Nonce(usize),
    /// The same of a secret whose keys are not kept.
    DerivedNonce(usize),
    /// A secret is derived, or made ready to open records.
    Derived,
    /// A secret of AES-CCM is tried with one number, on a record with a fragment of so many bytes.
    CcmNumber(usize),
    /// The same of other ciphers.
    Number(usize),
}

/// Bytes of a record that GHASH reads in the time of a unit, and the other ciphers: all of a record is read, as its tag is of all.
const HASHED: usize = 256;
const OPENED: usize = 128;

impl Try {
    const fn cost(self) -> u64 {
        match self {
            Self::Look(entries) => entries as u64 / 16,
            Self::Nonce(len) => 1 + (len / HASHED) as u64,
            Self::DerivedNonce(len) => Self::Derived.cost() + Self::Nonce(len).cost(),
            Self::CcmNumber(len) => 1 + (len / OPENED) as u64,
            Self::Number(len) => 2 + (len / OPENED) as u64,
            Self::Derived => 32,
        }
    }
}

/// The tries of one connection, drawn on its shard's.
pub(super) struct Tries<'a> {
    shard: &'a mut Budget,
    connection: &'a mut u64,
    /// What may still be taken of both.
    allowance: u64,
    /// A try was refused.
    pub(super) limited: bool,
}

impl<'a> Tries<'a> {
    /// For a connection that has made so many tries.
    pub(super) fn new(shard: &'a mut Budget, connection: &'a mut u64) -> Self {
        let mut tries = Self { shard, connection, allowance: 0, limited: false };
        tries.allowance = tries.left();
        tries
    }

    fn left(&self) -> u64 {
        let left = self.shard.earned().saturating_sub(self.shard.spent);
        left.min(MAX_TLS_LATE_TRIES.saturating_sub(*self.connection))
    }

    /// What follows is less likely to succeed, and may take so many parts of eight of what is left: something must be left for
    /// the likelier tries of other connections, and for secrets that come later. The more searches were cut short, the less
    /// likely it is that the key log is of these connections at all.
    pub(super) fn go_deeper(&mut self, eighths: u64) {
        let cut_short = 1 + self.shard.cut_short.min(CUT_SHORT);
        let left = self.left().saturating_sub(self.shard.reserved());
        self.allowance = left / 8 * eighths / (cut_short * cut_short);
    }

    /// How many more tries of this kind there may be.
    pub(super) fn room(&self, what: Try) -> usize {
        usize::try_from(self.allowance / what.cost().max(1)).unwrap_or(usize::MAX)
    }

    /// Whether one more may be made.
    pub(super) fn take(&mut self, what: Try) -> bool {
        let cost = what.cost();
        let shard = &mut *self.shard;
        let searches = matches!(what, Try::Number(_) | Try::CcmNumber(_));
        if cost > self.allowance || searches && shard.searched >= MAX_TLS_LATE_SEARCH_TOTAL {
            self.limited = true;
            return false;
        }
        self.allowance -= cost;
        *self.connection += cost;
        shard.spent += cost;
        shard.searched += u64::from(searches);
        true
    }

    /// Counts a search that was cut short.
    pub(super) fn count_cut_short(&mut self) {
        self.shard.cut_short += u64::from(self.limited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries of that kind until one is refused.
    fn count(shard: &mut Budget, connection: &mut u64, what: Try) -> u64 {
        let mut tries = Tries::new(shard, connection);
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
        assert_eq!(count(&mut shard, &mut 0, Try::Nonce(0)), MAX_TLS_LATE_TRIES);
        assert_eq!(count(&mut shard, &mut 10, Try::Nonce(0)), MAX_TLS_LATE_TRIES - 10);
        assert_eq!(count(&mut shard, &mut 0, Try::Derived), MAX_TLS_LATE_TRIES / 32);
    }

    /// Searches that fail leave most of what there is to those that may yet succeed.
    #[test]
    fn deeper_searches_leave_something_to_others() {
        let mut shard = Budget::default();
        for _ in 0..100 {
            let mut connection = 0;
            let mut tries = Tries::new(&mut shard, &mut connection);
            let left = tries.left();
            tries.go_deeper(2);
            assert!(tries.room(Try::Derived) as u64 <= left / 4 / 32);
            while tries.take(Try::Derived) {}
            tries.count_cut_short();
        }
        assert_eq!(shard.cut_short, 100);
        assert!(shard.spent < TLS_LATE_START * 3 / 4, "{}", shard.spent);
    }

    #[test]
    fn cap_max_tls_late_search_total() {
        let mut shard = Budget { seen: 1 << 40, ..Budget::default() };
        shard.searched = MAX_TLS_LATE_SEARCH_TOTAL - 7;
        assert_eq!(count(&mut shard, &mut 0, Try::Number(0)), 7);
        assert_eq!(count(&mut shard, &mut 0, Try::Number(0)), 0);
        assert_ne!(count(&mut shard, &mut 0, Try::Nonce(0)), 0);
    }

    #[test]
    fn cap_tls_late_start() {
        let mut shard = Budget::default();
        let first = count(&mut shard, &mut 0, Try::Nonce(0));
        assert_eq!(first, TLS_LATE_START.min(MAX_TLS_LATE_TRIES));
        let second = count(&mut shard, &mut 0, Try::Nonce(0));
        assert_eq!(first + second, TLS_LATE_START);
    }

    #[test]
    fn cap_tls_late_tries_per_secret() {
        let mut shard = Budget { spent: TLS_LATE_START, secrets: 10, ..Budget::default() };
        let mut connection = 0;
        let mut tries = Tries::new(&mut shard, &mut connection);
        tries.go_deeper(8);
        let deep = tries.room(Try::Nonce(0)) as u64;
        assert!(deep <= 10 * TLS_LATE_TRIES_PER_SECRET / 2, "half is for the likelier tries");
        assert_eq!(count(&mut shard, &mut 0, Try::Nonce(0)), 10 * TLS_LATE_TRIES_PER_SECRET);
    }

    /// A secret whose keys are derived again for each try pays for that.
    #[test]
    fn what_is_not_kept_is_paid_for() {
        let mut shard = Budget::default();
        assert_eq!(count(&mut shard, &mut 0, Try::DerivedNonce(0)), TLS_LATE_START / 33);
    }

    #[test]
    fn cap_tls_late_bytes_per_try() {
        let mut shard = Budget { spent: TLS_LATE_START, ..Budget::default() };
        for (seen, tries) in [(TLS_LATE_BYTES_PER_TRY - 1, 0), (TLS_LATE_BYTES_PER_TRY, 1), (100, 25 - 1)] {
            shard.seen = seen;
            assert_eq!(count(&mut shard, &mut 0, Try::Nonce(0)), tries);
        }
    }
}
