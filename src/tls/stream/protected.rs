//! Protected records: which key opens them, and what is in them.

use super::attempts::Attempts;
use super::input::Fragment;
use super::{Context, Outcome, ReadState, RecordStream};
use crate::base::tls::NotDecrypted;
use crate::base::tuning::TLS_UNPROVEN;
use crate::flow::{Arrival, End};
use crate::tls::handshake::Message;
use crate::tls::keys::{self, KeySearch, Numbers, Waiting};
use crate::tls::negotiation::{Early, Epoch};
use crate::tls::record::{self, Header};
use std::ops::Range;

impl RecordStream {
    /// A protected record.
    pub(super) fn protected(
        &mut self,
        at: Arrival,
        header: Header,
        mut fragment: Fragment<'_>,
        cx: &mut Context<'_>,
    ) -> Outcome {
        if self.keys.is_empty()
            && let Some(outcome) = self.install(cx)
        {
            return outcome;
        }
        let mut scratch = std::mem::take(&mut cx.work.scratch);
        let opened = match (&mut *self.keys, &mut fragment) {
            ([key], fragment) if key.proven && !self.seeking && self.loss.is_none() => {
                // The steady state: nothing to be tried, so a buffered record is opened where it is.
                let bytes = match fragment {
                    Fragment::Owned(bytes) => &mut **bytes,
                    Fragment::Borrowed(bytes) => {
                        scratch.clear();
                        scratch.extend_from_slice(bytes);
                        &mut scratch
                    }
                };
                let seq = key.seq;
                key.seq += 1;
                let opened = key.open(seq, header, bytes);
                if opened.is_none() {
                    key.seq = seq;
                }
                opened.and_then(|(content, range)| Some((content, bytes.get(range)?)))
            }
            (_, fragment) => self
                .locate(header, fragment.bytes(), &mut scratch, cx)
                .and_then(|(content, range)| Some((content, scratch.get(range)?))),
        };
        let outcome = if let Some((content, plain)) = opened {
            cx.work.counters.records_decrypted += 1;
            self.seeking = false;
            self.deliver(at, content, plain, cx);
            Outcome::Taken
        } else {
            self.failed(cx)
        };
        cx.work.scratch = scratch;
        outcome
    }

    /// Finds the keys; an outcome when there are none.
    fn install(&mut self, cx: &mut Context<'_>) -> Option<Outcome> {
        cx.shared.lose_hello(self.from);
        match keys::find(cx.shared, cx.keys, self.from, self.epoch) {
            KeySearch::Keys { candidates, tentative, numbers } => {
                let application = candidates.iter().all(|key| key.epoch == Epoch::Application);
                if cx.shared.is_client(self.from) == Some(false) && application {
                    cx.shared.assume_early(); // EncryptedExtensions will not be read
                }
                self.epoch = candidates.first()?.epoch;
                (self.keys, self.tentative) = (candidates, tentative);
                match numbers {
                    Numbers::Running => {}
                    Numbers::Within(records) => self.loss.within(records),
                    Numbers::Unknown => self.loss.hole(None),
                }
                self.joining = numbers != Numbers::Running;
                cx.shared.use_joined(self.from);
                None
            }
            KeySearch::Wait(waiting) => {
                self.state = ReadState::Waiting(waiting);
                Some(Outcome::Waits)
            }
            KeySearch::Never(reason) => {
                self.die(cx, reason);
                Some(Outcome::Rejected)
            }
        }
    }

    /// Tries the record with the keys and sequence numbers that are possible. What opens it is kept, and what was
    /// lost before it is reckoned.
    fn locate(
        &mut self,
        header: Header,
        sealed: &[u8],
        scratch: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Option<(u8, Range<usize>)> {
        let mut attempts =
            Attempts { header, sealed, scratch, credit: self.credit, first: true, limited: false };
        let (mut found, mut followed) = (None, false);
        for (index, key) in self.keys.iter().enumerate() {
            let least = if key.proven { self.loss.least() } else { 0 };
            if let Some((seq, opened)) = attempts.after(key, key.seq + least, &self.loss) {
                found = Some((index, seq, opened));
                break;
            }
        }
        if found.is_none()
            && let [key] = &*self.keys
        {
            let client = cx.shared.is_client(self.from) == Some(true);
            if let Some((next, seq, opened)) = attempts.following(cx.keys, client, key, &self.loss) {
                found = Some((self.keys.len(), seq, opened));
                followed = true;
                self.keys.push(next);
            }
        }
        self.credit = attempts.credit;
        // Further sequence numbers were possible.
        let limited = attempts.limited
            || found.is_none() && self.loss.is_capped() && self.keys.iter().any(|key| !key.suite.is_gcm13());
        cx.work.counters.trial_limit += u64::from(limited);
        let (index, seq, opened) = found?;
        self.accept(index, seq, followed, cx);
        Some(opened)
    }

    /// The key at `index` opened a record of that sequence number; `followed` when it comes after the key in use.
    fn accept(&mut self, index: usize, seq: u64, followed: bool, cx: &mut Context<'_>) {
        let was = self.keys.first().map_or(Epoch::Clear, |key| key.epoch);
        let mut key = self.keys.swap_remove(index);
        let missing = seq.saturating_sub(key.seq);
        let application_lost = match key.epoch {
            Epoch::Application | Epoch::Early => {
                // Of TLS 1.2 the first record is Finished, which is no loss.
                let finished = u64::from(!key.suite.is_tls13() && key.seq == 0);
                missing > finished || followed && was == Epoch::Application
            }
            Epoch::Clear | Epoch::Handshake => false,
        };
        let read = matches!(key.epoch, Epoch::Application | Epoch::Early);
        let joined = read && std::mem::take(&mut self.joining);
        let application_lost = application_lost || joined && (seq > 0 || key.generation > 0);
        cx.work.counters.holes_bridged += u64::from(self.loss.had_hole());
        self.loss.settle(missing, application_lost, !followed);
        key.seq = seq + 1;
        if !key.proven {
            key.proven = true;
            key.mark_used(cx.keys);
            cx.shared.prove(self.from, &key.random, key.suite);
            cx.work.joins.claim(&key.random);
        }
        if read {
            let start = (key.generation, seq);
            cx.shared.start(self.from, (key.epoch == Epoch::Application).then_some(start));
        }
        self.unproven = 0;
        self.tentative = false;
        self.epoch = key.epoch;
        self.keys.clear();
        self.keys.push(key);
    }

    /// A record did not open.
    fn failed(&mut self, cx: &mut Context<'_>) -> Outcome {
        if self.tentative {
            self.keys.clear();
            self.epoch = Epoch::Clear;
            self.state = ReadState::Waiting(Waiting::Hello);
            return Outcome::Waits;
        }
        if self.seeking {
            return Outcome::Rejected;
        }
        let proven = self.keys.first().is_some_and(|key| key.proven);
        if proven {
            cx.work.counters.records_failed += 1;
            cx.shared.fail(NotDecrypted::Damaged);
            self.loss.doubt();
            return Outcome::Rejected;
        }
        // A handshake record without its secret, 0-RTT data, or a record lost.
        cx.work.counters.records_skipped += 1;
        self.unproven += 1;
        let client = cx.shared.is_client(self.from) == Some(true);
        self.early_skipped |= client && matches!(cx.shared.early, Early::Accepted | Early::Undecided);
        if self.loss.most() < TLS_UNPROVEN {
            self.loss.doubt();
        }
        Outcome::Rejected
    }

    fn deliver(&mut self, at: Arrival, content: u8, plain: &[u8], cx: &mut Context<'_>) {
        match content {
            record::APPLICATION_DATA if !plain.is_empty() => {
                if std::mem::take(&mut self.early_skipped) && cx.shared.early == Early::Accepted {
                    self.loss.owe_unknown();
                }
                self.pay(at, cx);
                cx.shared.plaintext = true;
                cx.sink.data(self.from, &at, plain);
            }
            record::HANDSHAKE => self.protected_handshake(plain, cx),
            record::ALERT if matches!(plain, [_, 0]) => {
                self.end(at, End::Fin, cx);
                self.state = ReadState::Closed;
            }
            record::ALERT => cx.shared.alert(self.from, plain),
            // Renegotiation (RFC 5246 section 7.1).
            record::CHANGE_CIPHER_SPEC => self.want(Epoch::Application),
            _ => {}
        }
    }

    /// The records that follow are protected by other keys.
    fn want(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.keys.clear();
        self.messages.reset();
    }

    fn protected_handshake(&mut self, plain: &[u8], cx: &mut Context<'_>) {
        let mut rest = plain;
        while let Some(message) = self.messages.next(&mut rest, &mut cx.shared.transcript) {
            let Some(key) = self.keys.first() else { return };
            match (key.suite.is_tls13(), key.epoch, message) {
                (true, Epoch::Handshake, Message::EncryptedExtensions(extensions)) => {
                    cx.shared.message(self.from, Message::EncryptedExtensions(extensions));
                }
                (true, Epoch::Handshake, Message::Finished) => return self.want(Epoch::Application),
                (true, Epoch::Early, Message::EndOfEarlyData) => {
                    cx.shared.answer_early(true); // else it would not be sent
                    return self.want(Epoch::Handshake);
                }
                (true, Epoch::Application, Message::KeyUpdate) => {
                    self.keys = key.next_generation().into_iter().collect();
                    return self.messages.reset();
                }
                (false, _, Message::Malformed) => cx.work.counters.bad_hellos += 1,
                (_, _, Message::TooLong) => cx.work.counters.message_limit += 1,
                (false, _, Message::EncryptedExtensions(_)) => {}
                (false, _, message) => cx.shared.message(self.from, message),
                _ => {}
            }
        }
    }
}
