//! One direction of a TLS connection: ciphertext in, plaintext out.

mod attempts;
mod input;
mod protected;

use super::buffer::Buffer;
use super::handshake::{Message, Messages};
use super::hold::{Budget, Event, Hold};
use super::keylog::KeyStore;
use super::keys::{Protection, Waiting};
use super::late::{Clues, Held};
use super::loss::{Loss, Owed};
use super::negotiation::{Epoch, Negotiation};
use super::record::{self, Header};
use super::seek::{self, Step};
use super::sink::PlaintextSink;
use super::workspace::Workspace;
use crate::base::direction::Direction;
use crate::base::limits::{MAX_TLS_HELD_FOR_HELLO, TLS_TRIAL_RATE, TLS_TRIAL_START};
use crate::base::tls::NotDecrypted;
use crate::flow::{Arrival, End, Gap, GapCause, Span};
use input::{Fragment, Input};

/// What a call works with beside the stream.
pub(crate) struct Context<'a> {
    /// Secrets.
    pub(crate) keys: &'a KeyStore,
    /// What is shared with other sessions.
    pub(crate) work: &'a mut Workspace,
    /// Where plaintext goes.
    pub(crate) sink: &'a mut dyn PlaintextSink,
    /// What is shared with the other direction.
    pub(crate) shared: &'a mut Negotiation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadState {
    Open,
    /// Records are kept until what is missing comes.
    Waiting(Waiting),
    /// `close_notify` was read: what follows is ignored.
    Closed,
    /// Nothing can be decrypted any more.
    Dead,
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was read, or passed over as one.
    Taken,
    /// It is none, or does not open.
    Rejected,
    /// It cannot be read yet and stays where it is; the state says why.
    Waits,
}

/// One direction.
pub(crate) struct RecordStream {
    from: Direction,
    state: ReadState,
    buffer: Buffer,
    hold: Hold,
    /// Bytes of a record with a hole in it that are still to be passed over.
    skip: u64,
    /// The next record's place is not known.
    seeking: bool,
    messages: Messages,
    /// The epoch whose keys are wanted; clear until it is known which one follows.
    epoch: Epoch,
    /// A change of cipher specs was seen, which in TLS 1.2 ends the clear records.
    change_cipher_spec: bool,
    /// The keys: one when it has opened a record, else those that may.
    keys: Vec<Protection>,
    /// The keys may all be wrong: the server hello is still to come.
    tentative: bool,
    loss: Loss,
    /// The keys were found by a search: what came before their first record is missing.
    joining: bool,
    /// 0-RTT data that was not opened.
    early_skipped: bool,
    /// Records failed before the first one opened.
    unproven: u64,
    /// Bytes of records that may still be tried in vain.
    credit: u64,
    ended: bool,
}

impl RecordStream {
    /// The stream of that direction; what it holds back is drawn from `budget`.
    pub(crate) fn new(from: Direction, budget: &Budget) -> Self {
        Self {
            from,
            state: ReadState::Open,
            buffer: Buffer::default(),
            hold: Hold::new(budget),
            skip: 0,
            seeking: false,
            messages: Messages::default(),
            epoch: Epoch::Clear,
            change_cipher_spec: false,
            keys: Vec::new(),
            tentative: false,
            loss: Loss::default(),
            joining: false,
            early_skipped: false,
            unproven: 0,
            credit: TLS_TRIAL_START,
            ended: false,
        }
    }

    /// Bytes of memory that grow with what was received.
    pub(super) fn memory(&self) -> usize {
        self.buffer.capacity()
            + self.hold.cost()
            + self.messages.capacity()
            + self.keys.capacity() * size_of::<Protection>()
            + self.keys.iter().map(Protection::memory).sum::<usize>()
    }

    /// Takes what happened next.
    pub(crate) fn push(&mut self, at: Arrival, event: &Event<&[u8]>, cx: &mut Context<'_>) {
        if self.ended {
            return;
        }
        if let Event::Data(bytes) = event {
            self.credit = self.credit.saturating_add(bytes.len() as u64 * TLS_TRIAL_RATE);
        }
        if matches!(self.state, ReadState::Waiting(_)) || !self.hold.is_empty() || cx.shared.progress {
            // Where it lags, what comes pays for what it takes the room of.
            while self.ready().is_some() && !self.hold.has_room(event) {
                self.step(cx);
            }
            self.keep(at, event, false, cx);
        } else {
            self.process(at, event, cx);
        }
    }

    /// Nothing follows, and there is no room for what becomes of what was kept and can be processed: it is missing.
    pub(crate) fn drop_rest(&mut self, cx: &mut Context<'_>) {
        if self.ready().is_none() {
            return;
        }
        cx.work.counters.held_limit += 1;
        self.buffer.clear();
        self.loss.owe_unknown();
        if let Some((at, how)) = self.hold.clear() {
            self.end(at, how, cx);
        }
    }

    /// What it waits for.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        if let ReadState::Waiting(waiting) = self.state { Some(waiting) } else { None }
    }

    /// The plaintext of all that was received was handed on, and all that is missing of it was told.
    pub(crate) fn is_settled(&self) -> bool {
        let idle = self.buffer.is_empty() && self.skip == 0 && !self.seeking && self.hold.is_empty();
        self.ended || (idle && self.waiting().is_none() && self.loss.is_settled())
    }

    /// Records that came are not read yet, or it is not known yet how many are lost.
    pub(crate) fn is_behind(&self) -> bool {
        let held = self.seeking || self.skip > 0 || !self.hold.is_empty() || self.waiting().is_some();
        !self.ended && (held || !self.loss.is_settled())
    }

    /// The packet of the next event that was kept and can be processed.
    pub(crate) fn ready(&self) -> Option<Arrival> {
        if self.waiting().is_some() { None } else { self.hold.first() }
    }

    /// Bytes kept until they can be decrypted.
    pub(crate) fn held(&self) -> usize {
        self.buffer.view().len() + self.hold.cost()
    }

    /// The records among these; `shown` for TLS 1.2, which shows content types.
    pub(crate) fn clues(&self, shown: bool) -> Clues {
        let events = self.hold.events().filter_map(|event| match event {
            Event::Data(bytes) => Some(Held::Bytes(bytes)),
            Event::Gap(len) => Some(Held::Gap(*len)),
            Event::End(_) => None,
        });
        Clues::gather(std::iter::once(Held::Bytes(self.buffer.view())).chain(events), self.seeking, shown)
    }

    /// The secrets of a connection that was joined late are not to be found.
    pub(crate) fn give_up(&mut self, reason: NotDecrypted, cx: &mut Context<'_>) {
        self.die(cx, reason);
    }

    /// Tries again what had to wait: the record in hand. Events that were kept follow through [`Self::step`].
    pub(crate) fn resume(&mut self, cx: &mut Context<'_>) {
        if self.waiting().is_some() {
            self.state = ReadState::Open;
            self.feed(self.buffer.at, &[], cx);
        }
    }

    /// Processes the first event that was kept.
    pub(crate) fn step(&mut self, cx: &mut Context<'_>) {
        if let Some((at, event)) = self.hold.pop() {
            let event = match &event {
                Event::Data(bytes) => Event::Data(&**bytes),
                Event::Gap(len) => Event::Gap(*len),
                Event::End(how) => Event::End(*how),
            };
            self.process(at, &event, cx);
        }
    }

    /// The capture ends: nothing that is waited for will come.
    pub(crate) fn finish(&mut self, at: Arrival, cx: &mut Context<'_>) {
        if self.waiting().is_some() {
            self.die(cx, NotDecrypted::NoSecrets);
        }
        self.flush(cx);
        self.check_damage(cx);
        if !self.ended {
            self.trailing_gap(at, cx);
        }
        self.keys.clear();
    }

    fn process(&mut self, at: Arrival, event: &Event<&[u8]>, cx: &mut Context<'_>) {
        match *event {
            Event::Data(bytes) => {
                let taken = self.feed(at, bytes, cx);
                if let Some(rest) = bytes.get(taken..)
                    && !rest.is_empty()
                {
                    self.keep(at, &Event::Data(rest), true, cx);
                }
            }
            Event::Gap(len) => self.gap(len, cx),
            Event::End(how) => self.end(at, how, cx),
        }
    }

    /// Keeps an event for later, within the caps.
    fn keep(&mut self, at: Arrival, event: &Event<&[u8]>, first: bool, cx: &mut Context<'_>) {
        let kept = self.hold.push(at, event, first);
        if kept && self.hold.cost() <= MAX_TLS_HELD_FOR_HELLO {
            return;
        }
        let known = cx.shared.progress;
        cx.shared.progress = false;
        match self.waiting() {
            Some(Waiting::Hello) => cx.shared.lose_hello(self.from.reverse()),
            Some(Waiting::Early) => cx.shared.assume_early(),
            Some(Waiting::Secrets | Waiting::Late) | None => {}
        }
        // Once, when it is not waited for any more.
        cx.work.counters.hello_limit += u64::from(cx.shared.progress);
        cx.shared.progress |= known;
        if !kept {
            cx.work.counters.held_limit += 1;
            self.die(cx, NotDecrypted::NoSecrets);
            if let Event::End(how) = *event {
                self.end(at, how, cx);
            }
        }
    }

    fn die(&mut self, cx: &mut Context<'_>, reason: NotDecrypted) {
        self.state = ReadState::Dead;
        self.buffer.clear();
        self.keys.clear();
        self.loss.owe_unknown();
        cx.shared.fail(reason);
        cx.shared.lose_hello(self.from);
        if cx.shared.is_client(self.from) == Some(false) {
            cx.shared.assume_early();
        }
        if let Some((at, how)) = self.hold.clear() {
            self.end(at, how, cx);
        }
    }

    /// The bytes of a believable record, of which the rest will not come, are searched for others.
    fn flush(&mut self, cx: &mut Context<'_>) {
        while self.seeking && self.state == ReadState::Open && !self.buffer.is_empty() {
            self.buffer.consume(1);
            self.loss.pass_over(1);
            self.feed(self.buffer.at, &[], cx);
        }
    }

    fn end(&mut self, at: Arrival, how: End, cx: &mut Context<'_>) {
        self.flush(cx);
        self.check_damage(cx);
        cx.shared.lose_hello(self.from);
        if !self.ended {
            self.ended = true;
            self.trailing_gap(at, cx);
            cx.shared.tell(cx.sink);
            cx.sink.end(self.from, &at, how);
        }
    }

    /// Records it when keys opened nothing, or nothing since a hole.
    fn check_damage(&self, cx: &mut Context<'_>) {
        if self.state != ReadState::Open {
            return;
        }
        let proven = self.keys.first().is_some_and(|key| key.proven);
        let found_none = self.seeking && self.loss.passed_over();
        if found_none && cx.shared.hello.is_none() && cx.shared.server.is_none() {
            cx.shared.fail(NotDecrypted::NoSecrets);
        } else if found_none || !proven && self.unproven > 0 {
            cx.shared.fail(NotDecrypted::Damaged);
        }
    }

    /// What was lost and not followed by plaintext is told at the end.
    fn trailing_gap(&mut self, at: Arrival, cx: &mut Context<'_>) {
        // Where no record of the application has opened, or was even found, all of them are missing.
        let cut = !self.buffer.is_empty() || self.skip > 0 || self.loss.is_pending();
        if cut && self.state == ReadState::Open {
            self.loss.owe_unknown();
        }
        if cx.shared.plaintext {
            self.pay(at, cx);
        }
    }

    fn pay(&mut self, at: Arrival, cx: &mut Context<'_>) {
        cx.shared.tell(cx.sink);
        // What is missing stood before the record at hand.
        let Span { start, .. } = at.span;
        let at = Arrival { span: Span { start, end: start }, ..at };
        match self.loss.pay() {
            Owed::Nothing => {}
            Owed::Exactly(len) => {
                cx.sink.gap(self.from, &at, Gap::new(Some(len), GapCause::NotDecrypted));
            }
            Owed::Unknown => cx.sink.gap(self.from, &at, Gap::new(None, GapCause::NotDecrypted)),
        }
    }

    fn gap(&mut self, len: Option<u64>, cx: &mut Context<'_>) {
        if matches!(self.state, ReadState::Closed | ReadState::Dead) || len == Some(0) {
            return;
        }
        self.flush(cx);
        cx.work.counters.holes += 1;
        self.messages.reset();
        if self.keys.is_empty() && self.epoch == Epoch::Clear {
            cx.shared.lose_clear(self.from);
        }
        let mut left = len;
        if self.skip == 0 && !self.seeking && !self.buffer.is_empty() {
            // The record in hand is lost.
            let view = self.buffer.view();
            if let Some(header) = Header::parse(view) {
                self.skip = header.total().saturating_sub(view.len()) as u64;
                self.lose_record(header, cx);
            } else {
                self.loss.pass_over(view.len() as u64);
                self.seeking = true;
            }
        }
        self.buffer.clear();
        if let Some(len) = &mut left {
            let inside = self.skip.min(*len);
            self.skip -= inside;
            *len -= inside;
        } else {
            self.skip = 0;
        }
        if left != Some(0) {
            self.seeking = true;
            self.loss.hole(left);
        }
    }

    /// A record whose header was seen is lost.
    fn lose_record(&mut self, header: Header, cx: &Context<'_>) {
        let clear = self.epoch == Epoch::Clear && self.keys.is_empty();
        match header.content {
            record::CHANGE_CIPHER_SPEC if clear => self.change_cipher_spec = true,
            record::CHANGE_CIPHER_SPEC if cx.shared.version() == Some(0x0304) => {}
            record::HANDSHAKE | record::ALERT if clear && !self.change_cipher_spec => {}
            content => {
                let mode = self.keys.first().filter(|key| !key.suite.is_tls13()).map(|key| key.suite.mode);
                let exact = mode
                    .filter(|_| content == record::APPLICATION_DATA)
                    .and_then(|mode| usize::from(header.len).checked_sub(mode.overhead12()?));
                self.loss.record(exact);
            }
        }
    }

    /// Takes bytes; how many: all but those that must wait.
    fn feed(&mut self, at: Arrival, bytes: &[u8], cx: &mut Context<'_>) -> usize {
        let mut input = Input::new(std::mem::take(&mut self.buffer), at, bytes);
        while self.state == ReadState::Open && self.advance(&mut input, cx) {}
        let Input { mut buffer, mut rest, .. } = input;
        if matches!(self.state, ReadState::Closed | ReadState::Dead) {
            buffer.clear();
            rest = &[];
        }
        buffer.recycle(&mut cx.work.pool);
        self.buffer = buffer;
        bytes.len() - rest.len()
    }

    /// One step: past the rest of a lost record, past bytes that are none, or over one record. False when that needs
    /// more bytes, or what the other direction or the key log has yet to bring.
    fn advance(&mut self, input: &mut Input<'_>, cx: &mut Context<'_>) -> bool {
        if self.skip > 0 {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(input.rest.len());
            self.skip -= skipped as u64;
            input.skip(skipped);
            return self.skip == 0;
        }
        let view = input.view();
        let step = if self.seeking {
            seek::search(view, self.keys.is_empty() && self.epoch == Epoch::Clear)
        } else {
            seek::next(view)
        };
        match step {
            Step::Need(len) => return input.gather(len, &mut cx.work.pool),
            Step::Drop(len) => {
                self.loss.pass_over(len as u64);
                input.consume(len);
            }
            Step::Lost => self.lose_place(cx),
            Step::Record(header) => {
                let (arrival, fragment) = input.record(header);
                match self.record(arrival, header, fragment, cx) {
                    Outcome::Waits => return false,
                    Outcome::Rejected if self.seeking => {
                        // Its header was none: another may begin at the next byte.
                        self.loss.pass_over(1);
                        input.consume(1);
                    }
                    Outcome::Rejected | Outcome::Taken => input.consume(header.total()),
                }
            }
        }
        true
    }

    /// What follows is no record: from here on they are searched for.
    fn lose_place(&mut self, cx: &mut Context<'_>) {
        if self.epoch == Epoch::Clear {
            cx.shared.lose_clear(self.from);
        }
        self.messages.reset();
        self.seeking = true;
    }

    fn record(
        &mut self,
        at: Arrival,
        header: Header,
        fragment: Fragment<'_>,
        cx: &mut Context<'_>,
    ) -> Outcome {
        let tls13 = cx.shared.version().map(|version| version == 0x0304);
        if self.epoch == Epoch::Clear && self.keys.is_empty() {
            return match header.content {
                record::CHANGE_CIPHER_SPEC if !self.change_cipher_spec || tls13 == Some(true) => {
                    self.change_cipher_spec = true;
                    cx.shared.change_cipher_spec(self.from);
                    self.seeking = false;
                    Outcome::Taken
                }
                record::HANDSHAKE if !self.change_cipher_spec || tls13 == Some(true) => {
                    self.clear_handshake(fragment.bytes(), cx)
                }
                record::ALERT if !self.change_cipher_spec && !self.seeking => {
                    cx.shared.alert(self.from, fragment.bytes());
                    Outcome::Taken
                }
                record::HANDSHAKE | record::ALERT if tls13.is_none() => {
                    // Of TLS 1.2 it is protected, of TLS 1.3 perhaps not: the server hello tells.
                    if cx.shared.is_client(self.from) != Some(true)
                        || cx.shared.is_missing(self.from.reverse())
                    {
                        self.die(cx, NotDecrypted::ServerHelloMissing);
                        return Outcome::Rejected;
                    }
                    self.state = ReadState::Waiting(Waiting::Hello);
                    Outcome::Waits
                }
                _ => self.protected(at, header, fragment, cx),
            };
        }
        match header.content {
            record::APPLICATION_DATA => {}
            _ if tls13 == Some(false) => {}
            // Middlebox compatibility (RFC 8446 appendix D.4), and a second client hello after 0-RTT data.
            record::CHANGE_CIPHER_SPEC if !self.seeking => return Outcome::Taken,
            record::HANDSHAKE if matches!(self.epoch, Epoch::Early | Epoch::Handshake) => {
                return self.clear_handshake(fragment.bytes(), cx);
            }
            _ if tls13 == Some(true) => return Outcome::Rejected,
            _ => {}
        }
        self.protected(at, header, fragment, cx)
    }

    /// A handshake record in the clear.
    fn clear_handshake(&mut self, fragment: &[u8], cx: &mut Context<'_>) -> Outcome {
        let hello = matches!(fragment, [1 | 2, 0, ..]);
        if !hello && (self.seeking || cx.shared.is_unseen(self.from)) {
            // Not how a connection begins. It may be what a hello goes on with, when that is in many records.
            if self.seeking || !self.messages.is_partial() {
                // A hello with a length that takes the first octet too is one all the same.
                let too_long = !self.seeking && matches!(fragment, [1 | 2, _, _, _, 3, 0..=4, ..]);
                cx.work.counters.message_limit += u64::from(too_long);
                cx.shared.lose_hello(self.from);
                return Outcome::Rejected;
            }
        }
        self.seeking = false;
        let mut rest = fragment;
        while let Some(message) = self.messages.next(&mut rest, &mut cx.shared.transcript) {
            let too_long = message == Message::TooLong;
            if too_long || message == Message::Malformed {
                cx.work.counters.bad_hellos += u64::from(!too_long);
                cx.work.counters.message_limit += u64::from(too_long);
                cx.shared.lose_hello(self.from);
            } else if !matches!(message, Message::EncryptedExtensions(_)) {
                if let Message::ClientHello(hello) = &message {
                    cx.work.counters.alpn_limit += u64::from(hello.alpn_cut);
                }
                cx.shared.message(self.from, message);
            }
        }
        cx.work.counters.message_limit += u64::from(cx.shared.transcript.take_limited());
        Outcome::Taken
    }
}
