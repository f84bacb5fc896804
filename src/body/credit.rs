//! What bodies may become: decoded, they take time, and shown, they take room. Both are to stay in proportion to what was sent,
//! however many bodies there are.
//!
//! Each octet of DATA pays for [`limits::BODY_EXPANSION`] decoded bytes and for [`limits::OUTPUT_EXPANSION`] bytes that are
//! shown. What the octets of a shard have not paid for, all its bodies together are granted once.

use crate::base::limits;
use crate::base::plain::escaped_len;
use std::cell::Cell;

/// What must be left for a body that decodes to more than its own octets pay for: an ordinary one needs it, whose decoder may
/// fill its window, of this size at the most, before anything comes of it (RFC 7932 section 9.1).
const RESERVE: u64 = 1 << 24;
/// What formats write around a message.
const AROUND_MESSAGE: u64 = 96;

/// What the bodies of a shard may still become.
#[derive(Debug)]
pub struct Credit {
    decoding: Purse,
    showing: Purse,
}

impl Default for Credit {
    fn default() -> Self {
        Self {
            decoding: Purse::new(limits::BODY_DECODED_SHARD),
            showing: Purse::new(limits::BODY_SHOWN_SHARD),
        }
    }
}

impl Credit {
    /// So many octets of DATA have come.
    pub fn earn(&self, octets: usize) {
        self.decoding.earn(limits::BODY_EXPANSION * octets as u64);
        self.showing.earn(limits::OUTPUT_EXPANSION * octets as u64);
    }

    /// So many bytes were decoded; false where that cannot be paid for. `own`: the body's own octets have paid for them.
    pub fn decode(&self, bytes: u64, own: bool) -> bool {
        let paid = self.decoding.has(if own { bytes } else { bytes.saturating_add(RESERVE) });
        self.decoding.take(bytes);
        paid
    }

    /// So many bytes may be decoded before one knows how many are.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.decoding.has(bytes)
    }

    /// A text or bytes are to be shown; false where they are not paid for.
    pub fn show(&self, bytes: &[u8]) -> bool {
        self.showing.pay(escaped_len(bytes))
    }

    /// A message is to be shown, with these texts; false where that is not paid for.
    pub fn show_message<'t>(&self, texts: impl Iterator<Item = &'t [u8]>) -> bool {
        self.showing.pay(AROUND_MESSAGE + texts.map(escaped_len).sum::<u64>())
    }

    /// No message can be shown.
    pub fn is_spent(&self) -> bool {
        self.showing.left.get() < AROUND_MESSAGE
    }

    /// The most that was wanted, beyond what octets had paid for, of what is granted: to be decoded, and to be shown.
    pub fn wanted(&self) -> [u64; 2] {
        [&self.decoding, &self.showing].map(|purse| purse.wanted.get())
    }
}

/// One of both.
#[derive(Debug)]
struct Purse {
    granted: u64,
    left: Cell<u64>,
    wanted: Cell<u64>,
}

impl Purse {
    const fn new(granted: usize) -> Self {
        let granted = granted as u64;
        Self { granted, left: Cell::new(granted), wanted: Cell::new(0) }
    }

    fn earn(&self, bytes: u64) {
        self.left.set(self.left.get().saturating_add(bytes));
    }

    fn has(&self, bytes: u64) -> bool {
        let left = self.left.get();
        // As much as is wanted is not there, beside what was paid for.
        let wanted = bytes.saturating_add(self.granted).saturating_sub(left);
        self.wanted.set(self.wanted.get().max(wanted));
        left >= bytes
    }

    /// As much as there is of so many.
    fn take(&self, bytes: u64) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }

    /// All of so many, or nothing.
    fn pay(&self, bytes: u64) -> bool {
        let paid = self.has(bytes);
        if paid {
            self.take(bytes);
        }
        paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cap_body_decoded_shard() {
        let credit = Credit::default();
        let most = limits::BODY_DECODED_SHARD as u64 - RESERVE;
        assert!(credit.decode(most, false) && !credit.decode(1, false), "a reserve is left");
        assert!(credit.decode(RESERVE - 1, true) && !credit.decode(1, true), "for what octets pay for");
        assert!(!credit.has_room(1));
        credit.earn(1000);
        assert!(credit.decode(1000 * limits::BODY_EXPANSION, true) && !credit.decode(1, true));
    }

    #[test]
    fn cap_body_shown_shard() {
        let credit = Credit::default();
        let half = vec![b'a'; limits::BODY_SHOWN_SHARD / 2];
        assert!(credit.show(&half) && credit.show(&half) && !credit.show(b"a"));
        credit.earn(10);
        assert!(credit.show(&[b'a'; 10 * limits::OUTPUT_EXPANSION as usize]) && !credit.show(b"a"));
        credit.earn(10);
        assert!(!credit.show(&[0; 10 * limits::OUTPUT_EXPANSION as usize]), "escaped they are longer");
    }

    #[test]
    fn what_octets_pay_for_wants_nothing_of_what_is_granted() {
        let credit = Credit::default();
        for _ in 0..1000 {
            credit.earn(10);
            assert!(credit.decode(10 * limits::BODY_EXPANSION, true) && credit.show(&[b'a'; 640]));
        }
        assert_eq!(credit.wanted(), [0, 0]);
        assert!(credit.show(b"abc") && credit.decode(7, true));
        credit.earn(1000);
        assert_eq!(credit.wanted(), [7, 3], "the most of all times");
    }

    #[test]
    fn messages_take_room_beside_their_texts() {
        let credit = Credit::default();
        let shown = (0..1 << 20).take_while(|_| credit.show_message([&b"ab"[..]].into_iter())).count();
        assert_eq!(shown, limits::BODY_SHOWN_SHARD / (AROUND_MESSAGE as usize + 2));
    }
}
