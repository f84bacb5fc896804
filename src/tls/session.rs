//! A TLS connection: two ciphertext streams in, two plaintext streams out.

use super::hello::ServerHello;
use super::hold::Event;
use super::keylog::{ClientRandom, KeyStore};
use super::keys::Waiting;
use super::late::{Join, Verdict};
use super::negotiation::Negotiation;
use super::sink::PlaintextSink;
use super::stream::{Context, RecordStream};
use super::workspace::Workspace;
use crate::base::direction::{Direction, PerDirection};
use crate::base::time::Moment;
use crate::base::tls::Description;
use crate::flow::{Arrival, End, Span};

/// Decrypts one connection.
///
/// It takes the streams as [`crate::flow::ByteSink`] describes them, in the order of the capture, and hands on the application
/// data: one call of `data` for a record, with the packet of the record's last byte. Records that were lost are a gap;
/// its size is known when it is that of whole records of TLS 1.2 alone. `close_notify` ends a stream.
///
/// A direction without keys is kept from its first protected record on, until they come ([`Self::retry`]), a cap
/// strikes, or [`Self::finish`]; at once when [`KeyStore::is_complete`]. So is one whose keys depend on what the
/// other side says first.
pub struct Session {
    streams: PerDirection<RecordStream>,
    shared: Negotiation,
    /// The search for secrets, where the connection was joined late.
    join: Join,
    /// Nothing follows.
    is_ending: bool,
    last: Moment,
    /// Where the latest ciphertext of each direction stands.
    spans: PerDirection<Span>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("description", self.description()).finish_non_exhaustive()
    }
}

/// Why a session goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Bytes have come, or are missing.
    Bytes,
    /// Secrets have come.
    Secrets,
    /// Nothing follows.
    End,
}

impl Session {
    /// A connection of which nothing was seen yet.
    pub fn new(work: &Workspace) -> Self {
        Self {
            streams: PerDirection {
                forward: RecordStream::new(Direction::Forward, &work.budget),
                backward: RecordStream::new(Direction::Backward, &work.budget),
            },
            shared: Negotiation::default(),
            join: Join::default(),
            is_ending: false,
            last: Moment::default(),
            spans: PerDirection::default(),
        }
    }

    /// The next ciphertext bytes of a direction.
    pub fn data(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        from: Direction,
        arrival: &Arrival,
        bytes: &[u8],
        sink: &mut impl PlaintextSink,
    ) {
        self.shared.description.bytes[from] += bytes.len() as u64;
        work.joins.budget.seen += bytes.len() as u64;
        self.push(keys, work, from, *arrival, &Event::Data(bytes), sink);
    }

    /// Ciphertext bytes that are not in the capture.
    pub fn gap(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        from: Direction,
        arrival: &Arrival,
        len: Option<u64>,
        sink: &mut impl PlaintextSink,
    ) {
        self.push(keys, work, from, *arrival, &Event::Gap(len), sink);
    }

    /// No byte of this direction follows.
    pub fn end(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        from: Direction,
        arrival: &Arrival,
        how: End,
        sink: &mut impl PlaintextSink,
    ) {
        self.push(keys, work, from, *arrival, &Event::End(how), sink);
    }

    /// The key store has new secrets: goes on with what waited for them.
    pub fn retry(&mut self, keys: &KeyStore, work: &mut Workspace, sink: &mut impl PlaintextSink) {
        if self.is_waiting() {
            self.shared.progress = true;
            self.go_on(keys, work, Occasion::Secrets, sink);
        }
    }

    /// Whether the plaintext of all that a direction has sent so far was handed on, and all that is missing of it was
    /// told: no record waits for its rest, for keys, or for another record to show how many were lost.
    pub fn is_settled(&self, from: Direction) -> bool {
        self.streams[from].is_settled()
    }

    /// Whether records that a direction has sent are not read yet, but for one of which the rest is still to come.
    pub fn is_behind(&self, from: Direction) -> bool {
        self.streams[from].is_behind()
    }

    /// Bytes of ciphertext that are kept until secrets come, or the other side's hello.
    pub fn held(&self) -> usize {
        self.streams[Direction::Forward].held() + self.streams[Direction::Backward].held()
    }

    /// Whether ciphertext is kept that new secrets may open.
    pub fn is_waiting(&self) -> bool {
        [Direction::Forward, Direction::Backward]
            .iter()
            .any(|&from| matches!(self.streams[from].waiting(), Some(Waiting::Secrets | Waiting::Late)))
    }

    /// What was kept can be decrypted, and is not wanted yet ([`crate::flow::ByteSink::is_sated`]).
    pub fn lags(&self) -> bool {
        self.shared.progress
    }

    /// Goes on where it lags, as far as more is wanted.
    pub fn catch_up(&mut self, keys: &KeyStore, work: &mut Workspace, sink: &mut impl PlaintextSink) {
        if self.lags() {
            self.go_on(keys, work, Occasion::Bytes, sink);
        }
    }

    /// Nothing will follow: what still waits is decrypted as far as possible, and as far as it is wanted; whether that was all.
    pub fn hand_on_rest(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        sink: &mut impl PlaintextSink,
    ) -> bool {
        let begins = !std::mem::replace(&mut self.is_ending, true);
        if begins {
            self.shared.lose_hello(Direction::Forward);
            self.shared.lose_hello(Direction::Backward);
            self.shared.assume_early();
            // Secrets may have come that were not looked for yet.
            self.shared.progress |= self.is_waiting();
        }
        if begins || self.lags() {
            self.go_on(keys, work, Occasion::End, sink);
        }
        !self.lags()
    }

    /// The capture, or what is kept of the connection, ends: what still waits is decrypted as far as possible, and
    /// the rest is told as a gap. Call it once, when nothing will follow.
    pub fn finish(&mut self, keys: &KeyStore, work: &mut Workspace, sink: &mut impl PlaintextSink) {
        let is_all = self.hand_on_rest(keys, work, sink);
        for from in [Direction::Forward, Direction::Backward] {
            let at = self.behind(from, self.last);
            let cx = &mut Context { keys, work, sink, shared: &mut self.shared };
            if !is_all {
                self.streams[from].drop_rest(cx);
            }
            self.streams[from].finish(at, cx);
        }
        self.settle(keys, work, sink);
    }

    /// What is known of the connection so far.
    pub fn description(&self) -> &Description {
        &self.shared.description
    }

    /// The client random of the latest client hello.
    #[cfg(any(test, feature = "internals"))]
    pub fn client_random(&self) -> Option<&ClientRandom> {
        self.shared.hello.as_ref().map(|hello| &hello.random)
    }

    /// Bytes of memory that grow with what was received.
    pub fn memory(&self) -> usize {
        let hello = self.shared.hello.as_ref().map_or(0, |hello| hello.memory());
        let server = self.shared.server.as_ref().map_or(0, |_| size_of::<ServerHello>());
        self.streams.forward.memory()
            + self.streams.backward.memory()
            + self.shared.transcript.memory()
            + hello
            + server
            + self.shared.description.memory()
            + self.join.memory()
    }

    /// What happens at this moment behind all that a direction has sent so far.
    fn behind(&self, from: Direction, at: Moment) -> Arrival {
        let Span { end, .. } = self.spans[from];
        Arrival { at, span: Span { start: end, end }, ..Arrival::default() }
    }

    fn push(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        from: Direction,
        at: Arrival,
        event: &Event<&[u8]>,
        sink: &mut impl PlaintextSink,
    ) {
        (self.last, self.spans[from]) = (at.at, at.span);
        let cx = &mut Context { keys, work, sink, shared: &mut self.shared };
        self.streams[from].push(at, event, cx);
        self.go_on(keys, work, Occasion::Bytes, sink);
    }

    /// Goes on with all that can be decrypted now.
    fn go_on(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        occasion: Occasion,
        sink: &mut impl PlaintextSink,
    ) {
        self.settle(keys, work, sink);
        while !self.lags() && self.search(keys, work, occasion, sink) {
            self.settle(keys, work, sink);
        }
    }

    /// Looks for the secrets of a connection that was joined late, when that is due; whether something came of it.
    fn search(
        &mut self,
        keys: &KeyStore,
        work: &mut Workspace,
        occasion: Occasion,
        sink: &mut impl PlaintextSink,
    ) -> bool {
        for from in [Direction::Forward, Direction::Backward] {
            let stream = &mut self.streams[from];
            if stream.waiting() != Some(Waiting::Late) {
                continue;
            }
            let held = stream.held();
            // Bytes that come do not pay for a look at all that waits for each new secret: [`Session::retry`] does.
            let new_secrets = (occasion == Occasion::Secrets).then_some(keys);
            let last = occasion == Occasion::End;
            if !last && !self.join.is_due(from, held, new_secrets) {
                continue;
            }
            work.joins.looked_through += held as u64;
            let known = self.shared.known(from);
            let clues = stream.clues(known.tls12.is_some());
            let (verdict, struck) =
                self.join.attempt(from, (held, &clues), &known, last, keys, &mut work.joins);
            work.counters.late_limit += u64::from(struck);
            match verdict {
                Verdict::LateJoin(found) => {
                    self.shared.join(from, *found);
                    return true;
                }
                Verdict::Never(reason) => {
                    stream.give_up(reason, &mut Context { keys, work, sink, shared: &mut self.shared });
                    self.shared.progress = true;
                    return true;
                }
                Verdict::Later => {}
            }
        }
        false
    }

    /// Goes on with what waited as long as that brings something new, and more is wanted; of both directions, the earlier packet
    /// first.
    fn settle(&mut self, keys: &KeyStore, work: &mut Workspace, sink: &mut impl PlaintextSink) {
        while std::mem::take(&mut self.shared.progress) {
            let cx = &mut Context { keys, work, sink, shared: &mut self.shared };
            self.streams.forward.resume(cx);
            self.streams.backward.resume(cx);
            while let Some(from) = first_ready(&self.streams) {
                if cx.sink.is_sated() {
                    cx.shared.progress = true;
                    return self.shared.tell(sink);
                }
                self.streams[from].step(cx);
            }
        }
        self.shared.tell(sink);
    }
}

/// The direction of which the next event can be processed, the earlier packet first.
fn first_ready(streams: &PerDirection<RecordStream>) -> Option<Direction> {
    match (streams.forward.ready(), streams.backward.ready()) {
        (Some(forward), Some(backward)) if backward.at.packet < forward.at.packet => {
            Some(Direction::Backward)
        }
        (Some(_), _) => Some(Direction::Forward),
        (None, Some(_)) => Some(Direction::Backward),
        (None, None) => None,
    }
}
