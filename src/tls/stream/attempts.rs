//! Which key and number open a record.

use crate::tls::keylog::KeyStore;
use crate::tls::keys::{self, Protection};
use crate::tls::late::GENERATIONS;
use crate::tls::loss::Loss;
use crate::tls::nonce::Sealed;
use crate::tls::record::Header;
use std::ops::Range;

/// Numbers that are tried one after the other, as that costs less than to solve for one.
const FEW: u64 = 8;

/// What it costs to derive the keys of a next generation, in bytes of a record that is tried.
const DERIVATION: u64 = 4096;

/// A number, and what the record of that number holds: its content type, and where its content is.
type Opened = (u64, (u8, Range<usize>));

/// The attempts on one record.
pub(super) struct Attempts<'a> {
    pub(super) header: Header,
    /// Its fragment.
    pub(super) sealed: &'a [u8],
    /// Where it is opened.
    pub(super) scratch: &'a mut Vec<u8>,
    /// Bytes of records that may be tried in vain, beside the first attempt.
    pub(super) credit: u64,
    pub(super) first: bool,
    /// The credit did not suffice.
    pub(super) limited: bool,
}

impl Attempts<'_> {
    /// Numbers from `from` on that what was lost leaves open, with a key.
    pub(super) fn after(&mut self, key: &Protection, from: u64, loss: &Loss) -> Option<Opened> {
        let last = key.seq.saturating_add(loss.possible());
        if last.saturating_sub(from) >= FEW
            && let Some(solver) = key.solver()
        {
            let seq = solver.number(&Sealed::new(self.header, self.sealed)?)?;
            return if (from..=last).contains(&seq) { self.open(key, seq..seq + 1) } else { None };
        }
        self.open(key, from..key.seq.saturating_add(loss.most() + 1))
    }

    /// The keys that may follow: messages that change them may have been lost. Several key updates only where records
    /// were.
    pub(super) fn following(
        &mut self,
        store: &KeyStore,
        client: bool,
        key: &Protection,
        loss: &Loss,
    ) -> Option<(Protection, u64, (u8, Range<usize>))> {
        for next in keys::following(store, client, key) {
            if let Some((seq, opened)) = self.after(&next, 0, loss) {
                return Some((next, seq, opened));
            }
        }
        let mut next = key.next_generation()?;
        for _ in 1..loss.most().min(u64::from(GENERATIONS)) {
            self.credit = self.credit.checked_sub(DERIVATION)?;
            next = next.next_generation()?;
            if let Some((seq, opened)) = self.after(&next, 0, loss) {
                return Some((next, seq, opened));
            }
        }
        None
    }

    fn open(&mut self, key: &Protection, seqs: Range<u64>) -> Option<Opened> {
        for seq in seqs {
            let cost = self.sealed.len() as u64 + 64;
            if !self.first && self.credit < cost {
                self.limited = true;
                return None;
            }
            self.credit = if self.first { self.credit } else { self.credit - cost };
            self.first = false;
            self.scratch.clear();
            self.scratch.extend_from_slice(self.sealed);
            if let Some(opened) = key.open(seq, self.header, self.scratch) {
                return Some((seq, opened));
            }
        }
        None
    }
}
