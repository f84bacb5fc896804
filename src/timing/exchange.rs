//! Where the time of one exchange goes.
//!
//! ```text
//!            request ended              response's first byte            response ended
//! Request ─────────────────────► Wait ─────────────────────────► Response ──────────────► over
//!    │                                                               ▲    │
//!    └───────────────── response's first byte ───────────────────────┘    └─ request not ended ─► Rest ──► over
//! ```
//!
//! In `Request` and `Rest` it is the client's turn, in `Wait` and `Response` the server's.

use super::clock::{Clock, Reading};
use super::parts::Division;
use crate::base::time::Timestamp;
use crate::http2::{PerSide, Side};
use crate::record::TimePart;

/// Whose turn it is, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client sends its request.
    #[default]
    Request,
    /// The request has ended; no byte of the final response has come.
    Wait,
    /// The server sends its response.
    Response,
    /// The response has ended, and the request goes on.
    Rest,
}

impl Turn {
    /// Whose.
    pub(super) const fn sender(self) -> Side {
        match self {
            Self::Request | Self::Rest => Side::Client,
            Self::Wait | Self::Response => Side::Server,
        }
    }
}

/// An exchange under way.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) parts: Division,
    pub(super) turn: Turn,
    /// Up to here its time is divided.
    cursor: Reading,
    /// When the sender could begin, or was let go on.
    since: Timestamp,
    /// No credit is left on the stream for whose turn it is.
    pub(super) blocked: bool,
    /// Of what was put to other streams last: the segment may turn out to bear this one, too.
    unsure: u64,
    pub(super) held: u64,
    pub(super) connection_held: u64,
    pub(super) request_blocked: u64,
    /// [`REQUEST_ENDED`] and the like.
    flags: u8,
    /// The sender's credit on the stream is, or was, next to none.
    low: Low,
    /// Since when.
    low_since: Timestamp,
    /// Frames had been lost so often when it began.
    pub(super) losses: u32,
    /// Bytes that had been sent again, modulo 2^32.
    sent_again: PerSide<u32>,
}

/// The request has ended.
const REQUEST_ENDED: u8 = 1;
/// No credit is left on the stream for the client, whose turn it may not be.
const CLIENT_EMPTY: u8 = 1 << 1;
/// Nor for the server.
const SERVER_EMPTY: u8 = 1 << 2;
/// What the sides did on the stream, and in which order, is not all known.
const NOT_FOLLOWED: u8 = 1 << 3;
/// The header of the frame that opens it was read, and nothing of its payload.
const OPENING: u8 = 1 << 4;
/// It was reset: what comes later is none of its time.
const RESET: u8 = 1 << 5;

const fn empty(sender: Side) -> u8 {
    if sender.is_client() { CLIENT_EMPTY } else { SERVER_EMPTY }
}

/// What came of next to no credit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Low {
    /// There is more.
    #[default]
    No,
    /// The sender has stopped, or will not have.
    Left,
    /// It had stopped, and was given more.
    Refilled,
    /// It went on at once: it had waited for that.
    Awaited,
}

impl Exchange {
    /// An exchange that begins now, with the client's turn.
    pub(super) fn begin(
        at: Timestamp,
        clock: &mut Clock,
        losses: u32,
        sent_again: PerSide<u64>,
        pieces: bool,
    ) -> Self {
        let sent_again = PerSide { client: sent_again.client as u32, server: sent_again.server as u32 };
        Self {
            cursor: clock.read(at),
            since: at,
            losses,
            sent_again,
            parts: Division::new(pieces),
            ..Self::default()
        }
    }

    /// The header of the frame that opens it was read: it begins with the payload, which may come later.
    pub(super) const fn set_opening(&mut self, opening: bool) {
        self.flags = if opening { self.flags | OPENING } else { self.flags & !OPENING };
    }

    /// Octets of a header block came, the first of their frame.
    pub(super) fn begin_block(&mut self, at: Timestamp, clock: &mut Clock) {
        if self.flags & OPENING != 0 {
            self.set_opening(false);
            (self.cursor, self.since) = (clock.read(at), at);
        }
    }

    /// Bytes that each side has sent again since it began.
    pub(super) fn retransmitted_since(&self, now: PerSide<u64>) -> PerSide<u32> {
        let since = |side: Side| (now[side] as u32).wrapping_sub(self.sent_again[side]);
        PerSide { client: since(Side::Client), server: since(Side::Server) }
    }

    /// Whether a side has credit on the stream.
    pub(super) fn note_empty(&mut self, sender: Side, now: bool) {
        self.flags = if now { self.flags | empty(sender) } else { self.flags & !empty(sender) };
    }

    /// A side has no credit on the stream.
    pub(super) const fn is_empty(&self, sender: Side) -> bool {
        self.flags & empty(sender) != 0
    }

    /// A side has credit on the stream, was not found to have none or next to none, and does not wait for it.
    pub(super) fn has_plenty(&self, sender: Side) -> bool {
        !self.blocked && self.low == Low::No && !self.is_empty(sender)
    }

    /// The request is over.
    pub(super) const fn end_request(&mut self) {
        self.flags |= REQUEST_ENDED;
    }

    /// It is.
    pub(super) const fn is_asked(&self) -> bool {
        self.flags & REQUEST_ENDED != 0
    }

    /// Something of the stream is missing, or was read too late to be put in its place.
    pub(super) const fn lose_track(&mut self) {
        self.flags |= NOT_FOLLOWED;
    }

    /// Time behind this one is divided already.
    pub(super) fn is_divided_beyond(&self, at: Timestamp) -> bool {
        at < self.cursor.at
    }

    /// All that both sides did on the stream is known, and in which order.
    pub(super) const fn is_followed(&self) -> bool {
        self.flags & NOT_FOLLOWED == 0
    }

    /// The sender whose turn it is used credit: what is left is next to none, or not.
    pub(super) fn spent(&mut self, at: Timestamp, low: bool) {
        if self.low != Low::Awaited {
            self.low = if low { Low::Left } else { Low::No };
            self.low_since = at;
        }
    }

    /// It was given credit. It had stopped if it had sent nothing for so long.
    pub(super) fn refilled(&mut self, at: Timestamp, patience: u64) {
        if self.low == Low::Left {
            self.low = if at.nanos_since(self.low_since) > patience { Low::Refilled } else { Low::No };
            self.low_since = at;
        }
    }

    /// It sent: at once, if within a round trip.
    pub(super) fn went_on(&mut self, at: Timestamp, round_trip: u64) {
        if self.low == Low::Refilled {
            self.low = if at.nanos_since(self.low_since) <= round_trip { Low::Awaited } else { Low::No };
        }
    }

    /// It stopped with next to no credit, and went on when it got some.
    pub(super) fn was_low(&self) -> bool {
        self.low == Low::Awaited
    }

    /// A segment with bytes of the stream came, of the side whose turn it is.
    pub(super) fn carried(&mut self, at: Timestamp, clock: &mut Clock, patience: u64) {
        if at != self.cursor.at {
            return self.settle(at, clock, patience, TimePart::Transfer);
        }
        let moved = std::mem::take(&mut self.unsure);
        if moved > 0 {
            let left = self.parts.take(TimePart::OtherStreams, moved);
            self.parts.add(TimePart::Transfer, moved - left);
        }
    }

    /// All time up to now is divided, and a segment with bytes of the stream changes nothing of that.
    pub(super) fn is_settled(&self, at: Timestamp) -> bool {
        at == self.cursor.at && self.unsure == 0 && self.low == Low::No
    }

    /// The wait is over in which the stream could begin to send; the segment may bear it or not.
    pub(super) fn passed_over(&mut self, at: Timestamp, clock: &mut Clock, patience: u64) {
        let before = self.parts.get(TimePart::OtherStreams);
        self.settle(at, clock, patience, TimePart::OtherStreams);
        self.unsure = self.parts.get(TimePart::OtherStreams) - before;
    }

    /// Divides the time up to now. `active`: what the last wait was if not silence.
    pub(super) fn settle(&mut self, at: Timestamp, clock: &mut Clock, patience: u64, active: TimePart) {
        self.divide(at, clock, patience, TimePart::OtherStreams, active);
    }

    /// The same where every segment since the time that was divided last bears the stream: no other frame may stand within a
    /// header block (RFC 9113 section 4.3).
    pub(super) fn settle_block(&mut self, at: Timestamp, clock: &mut Clock, patience: u64) {
        self.divide(at, clock, patience, TimePart::Transfer, TimePart::Transfer);
    }

    /// It was reset; its record may come later, when more of the other side was read.
    pub(super) fn reset(&mut self, at: Timestamp, clock: &mut Clock, patience: u64) {
        self.settle(at, clock, patience, TimePart::Transfer);
        self.flags |= RESET;
    }

    /// It was reset.
    pub(super) const fn is_reset(&self) -> bool {
        self.flags & RESET != 0
    }

    /// `earlier_active`: what the waits before the last one were if not silence.
    fn divide(
        &mut self,
        at: Timestamp,
        clock: &mut Clock,
        patience: u64,
        earlier_active: TimePart,
        active: TimePart,
    ) {
        let mut left = at.nanos_since(self.cursor.at);
        // The clock was read then.
        if left == 0 || self.is_reset() {
            return;
        }
        let now = clock.read(at);
        self.unsure = 0;
        let pause = self.pause();
        let mut spend = |parts: &mut Division, part, amount: u64| {
            let amount = amount.min(left);
            // Most of what may stop a sender did not.
            if amount > 0 {
                left -= amount;
                parts.add(part, amount);
            }
        };
        let before = std::mem::replace(&mut self.cursor, now);
        spend(&mut self.parts, TimePart::TcpLoss, now.loss.saturating_sub(before.loss));
        if self.turn == Turn::Wait {
            return spend(&mut self.parts, TimePart::Wait, u64::MAX);
        }
        if self.blocked {
            return spend(&mut self.parts, TimePart::StreamWindow, u64::MAX);
        }
        spend(&mut self.parts, TimePart::ConnectionWindow, now.connection.saturating_sub(before.connection));
        spend(&mut self.parts, TimePart::TcpWindow, now.tcp.saturating_sub(before.tcp));
        self.connection_held = self.connection_held.saturating_add(now.held.saturating_sub(before.held));
        // What is left was free: waits that are over, and the last one.
        let (start, free, silent) = clock.wait_until(at);
        let earlier = free.saturating_sub(before.free);
        let earlier_silent = silent.saturating_sub(before.silent).min(earlier);
        spend(&mut self.parts, pause, earlier_silent);
        spend(&mut self.parts, earlier_active, earlier - earlier_silent);
        let opening = clock.opening_until(at);
        if opening.ends_silence(start.max(self.since), patience) {
            let silent = opening.silence(at, before.free.max(free));
            spend(&mut self.parts, pause, silent);
        }
        spend(&mut self.parts, active, u64::MAX);
    }

    /// It is the other side's turn, or another part of the exchange.
    pub(super) fn turn_to(&mut self, turn: Turn, at: Timestamp, clock: &mut Clock, blocked: bool) {
        self.turn = turn;
        // What is divided already stays so, even if the packets' times go back.
        let at = at.max(self.cursor.at);
        self.cursor = clock.read(at);
        (self.since, self.blocked, self.unsure) = (at, blocked, 0);
        if blocked {
            clock.set_stream_blocked(at, true);
        }
    }

    /// Credit on the stream has come, or has gone.
    pub(super) fn set_blocked(
        &mut self,
        blocked: bool,
        at: Timestamp,
        clock: &mut Clock,
        patience: u64,
        round_trip: u64,
    ) {
        let since = self.cursor.at;
        self.settle(at, clock, patience, TimePart::Transfer);
        self.blocked = blocked;
        clock.set_stream_blocked(at, blocked);
        if !blocked {
            self.held = self.held.saturating_add(at.nanos_since(since).saturating_sub(round_trip));
            self.since = at.max(since);
        }
    }

    const fn pause(&self) -> TimePart {
        match self.turn.sender() {
            Side::Client => TimePart::ClientPause,
            Side::Server => TimePart::ServerPause,
        }
    }
}
