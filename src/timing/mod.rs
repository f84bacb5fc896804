//! Where the time of a call went: HTTP/2's events, the ledger's windows and what TCP's segments tell → the parts of each
//! exchange's duration, and the round trips of its connection.
//!
//! Each direction has a `clock`, each exchange a cursor on the clock of the side whose turn it is (`exchange`). What
//! stops a sender is judged in this order: bytes missing, the stream's window, the connection's window, TCP's window.
//! What is left is divided by the segment with DATA or a header block that ends the wait.
//!
//! State: for each open stream an exchange of at most 208 bytes, at most
//! [`limits::RULE_STREAMS`](crate::base::limits::RULE_STREAMS) of them; and 1 KiB for the connection.

mod clock;
mod concurrency;
mod dependencies;
mod ending;
mod events;
mod exchange;
mod findings;
mod parts;
mod priority;
mod push;
mod tcp;
#[cfg(test)]
mod tests;
mod whole;
mod windows;

pub use findings::{Note, Remark};
pub use tcp::Transport;

use crate::base::limits;
use crate::base::time::{Moment, Timestamp};
use crate::http2::{EventContext, Ledger, PerSide, Side, StreamMap};
use crate::record::{
    Blocked, ConnectionTiming, EndBy, EndHow, Ending, Handshakes, Message, RoundTrips, StreamEnd, Time,
    TimePart, Transaction, Unknown, Urgency, WindowFacts,
};
use clock::{Clock, Stops, nanos};
use concurrency::Concurrency;
use ending::LastWords;
use exchange::{Exchange, Turn};
use findings::Keepalive;
use priority::Priorities;
use push::Promises;
use std::time::Duration;
use windows::Windows;

/// Silence is longer than so many nanoseconds at the least.
const SHORTEST_SILENCE: u64 = 1_000_000;
/// Nanoseconds that are taken for the round trip where none was seen.
const ASSUMED_ROUND_TRIP: u64 = 10_000_000;

/// Divides the time of a connection's exchanges.
#[derive(Debug, Default)]
pub struct Timing {
    clocks: PerSide<Clock>,
    /// To each side and back, by TCP.
    tcp_trips: PerSide<Option<Duration>>,
    /// Nanoseconds that the whole path takes, by whatever was measured, and whether something was.
    round_trip: u64,
    measured: bool,
    /// For so many nanoseconds a sender may send nothing without being silent.
    patience: u64,
    /// Which stream's bytes came last, when, and from whom.
    carried: (Timestamp, u32, Option<Side>),
    exchanges: StreamMap<Exchange>,
    /// Exchanges that began to wait within a wait of their side's direction: the segment that ends it is theirs to judge.
    fresh: PerSide<Vec<u32>>,
    words: LastWords,
    /// SETTINGS of each side that have no acknowledgment yet.
    settings: PerSide<Option<Timestamp>>,
    settings_trips: PerSide<RoundTrips>,
    pings: PerSide<RoundTrips>,
    /// The header block in hand is an interim response.
    interim: bool,
    /// Its frame has come whole, and is not taken note of yet.
    whole: bool,
    first_frame: Option<Timestamp>,
    /// Frames may have come before it.
    first_lost: bool,
    /// [`Timestamp::MAX`] where none came.
    first_request: Timestamp,
    /// Requests may have come before it.
    request_lost: bool,
    /// Times that the windows of all open exchanges became uncertain: frames were lost, or all windows changed and not all
    /// could be looked at.
    losses: u32,
    /// Up to when bytes were waited for that the capture alone misses.
    missed_until: Timestamp,
    /// Up to when TCP may have stopped senders while what they sent was not read yet, and whether exchanges had begun before.
    stopped_until: Timestamp,
    stopped: bool,
    /// Frames of this side were lost, or its beginning.
    lossy: PerSide<bool>,
    /// The windows that its peer's streams have at first, by the SETTINGS of this side.
    initial: PerSide<Initial>,
    /// The latest packet whose sender had received bytes that were not seen by then, nor anything that stands behind them.
    lacked: u64,
    /// No segment of this side was captured.
    unseen: PerSide<bool>,
    /// Something of one side was read behind later bytes of the other, or of a frame that moves windows, places for streams
    /// or what is urgent the header alone: what was in force when is not known.
    unclear: bool,
    /// Where the frames of a side begin was found out later: those that had come meanwhile are being read.
    catches_up: PerSide<bool>,
    /// A side speaks something else.
    foreign: bool,
    /// Streams that may still be looked at because all windows have changed: each frame pays for some.
    credit: u32,
    /// The highest stream of the client's that the server was read of, and not yet the client, which opens it.
    ahead: u32,
    /// Exchanges that were too many to be followed.
    limited: u32,
    windows: PerSide<Windows>,
    concurrency: Concurrency,
    /// Where some are stated.
    priorities: Option<Box<Priorities>>,
    /// Of the request that is being read.
    urgency: Option<Urgency>,
    /// Where something was pushed.
    promises: Option<Box<Promises>>,
    keepalive: PerSide<Keepalive>,
    /// Bytes that each side has sent again.
    retransmitted: PerSide<u64>,
    /// What an operator should know, until it is taken; where findings are wanted.
    notes: Option<Vec<Note>>,
    /// Exchanges are remarked on, too.
    remarks: bool,
    /// The pieces of the exchanges' time are asked for.
    pieces: bool,
    pieces_limited: u32,
}

/// What is known of the windows that streams have at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Initial {
    /// No SETTINGS were read, and none were lost: as RFC 9113 section 6.9.2 has it.
    #[default]
    Unread,
    /// They were announced.
    Read,
    /// SETTINGS were lost for certain.
    Lost,
}

impl Timing {
    /// Of a connection of which the client's or the server's beginning is not in the capture.
    pub fn new(late: (bool, bool), findings: bool) -> Self {
        let lossy = PerSide { client: late.0, server: late.1 };
        let (notes, first_request) = (findings.then(Vec::new), Timestamp::MAX);
        let mut timing = Self { lossy, notes, first_request, remarks: findings, ..Self::default() };
        for side in [Side::Client, Side::Server] {
            timing.words.join_late(side, lossy[side]);
            if lossy[side] {
                timing.initial[side] = Initial::Lost;
            }
        }
        timing.measure();
        timing
    }

    /// A side's segments are, or are not, in the capture.
    pub fn set_unseen(&mut self, side: Side, unseen: bool) {
        self.unseen[side] = unseen;
    }

    /// Exchanges that were too many to be followed.
    pub fn limited(&self) -> u64 {
        self.limited.into()
    }

    /// Where `pieces` are asked for, [`annotate`](Self::annotate) tells them.
    #[must_use]
    pub fn with_pieces(self, pieces: bool) -> Self {
        Self { pieces, ..self }
    }

    /// With `evidence` alone only what may justify an error that a side names is noted, which no remark on an exchange does.
    #[must_use]
    pub fn for_evidence(self, alone: bool) -> Self {
        Self { remarks: self.remarks && !alone, ..self }
    }

    /// Exchanges whose pieces were too many.
    pub fn pieces_limited(&self) -> u64 {
        self.pieces_limited.into()
    }

    /// Streams whose priorities were too many.
    pub fn priorities_limited(&self) -> u64 {
        self.priorities.as_ref().map_or(0, |priorities| priorities.limited())
    }

    /// Pushes were too many to know which of them were used.
    pub fn pushes_limited(&self) -> bool {
        self.promises.as_ref().is_some_and(|promises| promises.is_limited())
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let fresh = self.fresh.client.capacity() + self.fresh.server.capacity();
        // At the most, so that nobody need look at each.
        let pieces = if self.pieces { limits::TIME_PIECES * size_of::<(TimePart, u64)>() } else { 0 };
        size_of::<Self>()
            + self.exchanges.memory()
            + self.exchanges.len() * pieces
            + self.priorities.as_ref().map_or(0, |priorities| priorities.memory())
            + self.promises.as_ref().map_or(0, |promises| promises.memory())
            + fresh * size_of::<u32>()
            + self.clocks.client.memory()
            + self.clocks.server.memory()
    }

    /// What TCP tells by now. `round_trips`: to each side and back; `retransmitted`: bytes that were sent again.
    pub fn note_transport(&mut self, round_trips: PerSide<Option<Duration>>, retransmitted: PerSide<u64>) {
        if self.tcp_trips != round_trips {
            self.tcp_trips = round_trips;
            self.measure();
        }
        self.retransmitted = retransmitted;
    }

    /// TCP has stopped senders while what they sent was not read yet, up to this time.
    pub fn set_stopped_until(&mut self, until: Timestamp) {
        self.stopped_until = until;
    }

    /// Since when bytes of a side are waited for, where nothing was read of what came since.
    pub fn set_missing_since(&mut self, missing: PerSide<Option<Timestamp>>) {
        for side in [Side::Client, Side::Server] {
            if let Some(since) = missing[side] {
                self.stop(side, since, |stops| Stops { loss: true, ..stops });
            }
        }
    }

    /// Bytes of a side are waited for.
    pub const fn awaits_bytes(&self) -> bool {
        self.clocks.client.stops().loss || self.clocks.server.stops().loss
    }

    /// A segment was read. `missing`: its direction waits for bytes; `full`: its peer's TCP window has no room.
    pub fn segment(&mut self, at: Timestamp, missing: PerSide<bool>, full: PerSide<bool>) {
        for side in [Side::Client, Side::Server] {
            let (loss, tcp) = (missing[side], full[side]);
            self.stop(side, at, |stops| Stops { loss, tcp, ..stops });
        }
    }

    /// Bytes of a side were read that came at this time.
    pub fn hear(&mut self, side: Side, at: Timestamp) {
        self.words.hear(side, at);
    }

    /// Bytes of a side are missing.
    pub const fn miss_bytes(&mut self, side: Side) {
        self.words.miss(side);
    }

    /// Bytes of one side are read that came before others of its peer, which were read already.
    pub const fn set_disordered(&mut self) {
        self.unclear = true;
    }

    /// A side is read with this packet, and had received bytes of its peer that were not seen by then, nor anything that
    /// stands behind them; or it had not.
    pub const fn set_lacking(&mut self, lacking: bool, at: Moment) {
        if lacking && at.packet > self.lacked {
            self.lacked = at.packet;
        }
    }

    /// Each side's bytes are waited for, or are not any more.
    pub fn set_missing(&mut self, at: Timestamp, missing: PerSide<bool>) {
        for side in [Side::Client, Side::Server] {
            self.stop(side, at, |stops| Stops { loss: missing[side], ..stops });
        }
    }

    /// Bytes that a side had sent, and that were waited for until now, had come to its peer: the capture alone misses them.
    pub fn miss(&mut self, side: Side, at: Timestamp) {
        self.clocks[side].miss(at);
        self.missed_until = self.missed_until.max(at);
    }

    fn stop(&mut self, side: Side, at: Timestamp, change: impl FnOnce(Stops) -> Stops) {
        let before = self.clocks[side].stops();
        let after = change(before);
        if after != before {
            let round_trip = self.half_trip_nanos(side.peer());
            self.clocks[side].set_stops(at, after, round_trip);
        }
    }

    /// From the place of capture to a side and back: TCP's, else the smallest that HTTP/2 shows.
    fn half_trip(&self, side: Side) -> Option<Duration> {
        self.tcp_trips[side].or_else(|| {
            [self.settings_trips[side].smallest, self.pings[side].smallest].into_iter().flatten().min()
        })
    }

    /// Nanoseconds of the same, or none.
    fn half_trip_nanos(&self, side: Side) -> u64 {
        self.half_trip(side).map_or(0, nanos)
    }

    /// Round trips have been measured anew.
    fn measure(&mut self) {
        let halves = self.half_trip(Side::Client).zip(self.half_trip(Side::Server));
        self.measured = halves.is_some();
        self.round_trip = halves.map_or(ASSUMED_ROUND_TRIP, |(client, server)| nanos(client + server));
        // One and a half round trips.
        self.patience = (self.round_trip.saturating_mul(3) / 2).max(SHORTEST_SILENCE);
    }

    /// A segment bears bytes of DATA or a header block on a stream.
    #[inline]
    fn carried(&mut self, cx: &EventContext<'_>, id: u32) {
        let now = (cx.at().time, id, Some(cx.from));
        // Several events tell of one segment.
        if self.carried != now {
            self.carried = now;
            self.carry(cx, id);
        }
    }

    /// The same, of a segment that was not told of yet.
    fn carry(&mut self, cx: &EventContext<'_>, id: u32) {
        self.end_wait(cx, id);
        let (from, at) = (cx.from, cx.at().time);
        let (patience, round_trip) = (self.patience, self.round_trip);
        let began = cx.arrival.record_since.unwrap_or(at);
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        if exchange.turn.sender() == from && exchange.turn != Turn::Wait {
            exchange.carried(at, &mut self.clocks[from], patience);
            exchange.went_on(began.min(at), round_trip);
        }
    }

    /// A segment with bytes of this stream ends the wait of its direction.
    #[inline]
    fn end_wait(&mut self, cx: &EventContext<'_>, id: u32) {
        // Several streams' bytes are in one segment.
        if cx.at().time > self.clocks[cx.from].latest() {
            self.end_latest_wait(cx, id);
        }
    }

    /// The same, of a segment that is later than the latest with data.
    #[inline(never)]
    fn end_latest_wait(&mut self, cx: &EventContext<'_>, id: u32) {
        let (from, at) = (cx.from, cx.at().time);
        let since = cx.arrival.record_since.unwrap_or(at);
        if self.clocks[from].data(at, since, self.patience) && !self.fresh[from].is_empty() {
            self.pass_over(from, at, id);
        }
    }

    /// The wait of a side's direction is over, with a segment of this stream: others could have begun in it.
    fn pass_over(&mut self, from: Side, at: Timestamp, id: u32) {
        for fresh in std::mem::take(&mut self.fresh[from]) {
            if fresh != id
                && let Some(exchange) = self.exchanges.get_mut(fresh)
                && exchange.turn.sender() == from
            {
                exchange.passed_over(at, &mut self.clocks[from], self.patience);
            }
        }
    }

    /// The response has begun, with the packet `at` or with the TLS record that it ends: it is the server's turn, whatever of
    /// the request is still to come.
    fn begin_response(&mut self, cx: &EventContext<'_>, id: u32, at: Timestamp) {
        let patience = self.patience;
        let Some(exchange) = self.exchanges.get_mut(id) else {
            // What goes on after a push has ended tells nothing of the client's streams.
            self.ahead = self.ahead.max(if id % 2 == 1 { id } else { 0 });
            return;
        };
        if matches!(exchange.turn, Turn::Response | Turn::Rest) {
            return;
        }
        if at < cx.at().time && exchange.is_divided_beyond(at) {
            // It was not known until now that this is the response.
            exchange.lose_track();
        }
        let record = cx.arrival.record_since.filter(|_| at == cx.at().time);
        let at = record.filter(|&since| since < at && !self.clocks.server.stopped_since(since)).unwrap_or(at);
        if exchange.turn == Turn::Request {
            exchange.settle(at, &mut self.clocks.client, patience, TimePart::Transfer);
        } else {
            exchange.settle(at, &mut self.clocks.server, patience, TimePart::Wait);
        }
        self.turn(cx, id, at, Turn::Response);
        self.settle_block(cx, id, at);
        if let Some(priorities) = &mut self.priorities {
            priorities.begin_response(id, cx.ledger.has_credit(Side::Server, id));
        }
    }

    /// The block that the response begins with began at the time `first`, and ends now.
    fn settle_block(&mut self, cx: &EventContext<'_>, id: u32, first: Timestamp) {
        let now = cx.at().time;
        if first < now
            && cx.arrival.record_since.is_none()
            && let Some(exchange) = self.exchanges.get_mut(id)
        {
            exchange.settle_block(now, &mut self.clocks.server, self.patience);
        }
    }

    /// A side has ended its part of an exchange.
    fn end_side(&mut self, cx: &EventContext<'_>, id: u32) {
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        match cx.from {
            Side::Client => {
                exchange.end_request();
                exchange.request_blocked = exchange.parts.get(TimePart::StreamWindow)
                    + exchange.parts.get(TimePart::ConnectionWindow);
                if exchange.turn == Turn::Request {
                    self.turn(cx, id, cx.at().time, Turn::Wait);
                }
            }
            Side::Server => {
                if exchange.turn == Turn::Response && !exchange.is_asked() {
                    self.turn(cx, id, cx.at().time, Turn::Rest);
                }
                if let Some(priorities) = &mut self.priorities {
                    priorities.set_ready(id, false);
                }
            }
        }
    }

    fn turn(&mut self, cx: &EventContext<'_>, id: u32, at: Timestamp, turn: Turn) {
        let sender = turn.sender();
        let blocked = turn != Turn::Wait && !cx.ledger.has_credit(sender, id);
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        if exchange.blocked {
            self.clocks[exchange.turn.sender()].set_stream_blocked(at, false);
        }
        let clock = &mut self.clocks[sender];
        exchange.turn_to(turn, at, clock, blocked);
        if !exchange.is_settled(cx.at().time) {
            // What the segment at hand bears counts in the new turn, too.
            self.carried.2 = None;
        }
        if turn != Turn::Wait && !blocked && at > clock.latest() {
            self.fresh[sender].push(id);
        }
    }

    /// The window of what a side sends on a stream has changed, to this credit.
    fn look_at_window(&mut self, at: Timestamp, sender: Side, id: u32, credit: Option<i64>) {
        let blocked = credit.is_some_and(|credit| credit <= 0);
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        exchange.note_empty(sender, blocked);
        let turns = exchange.turn != Turn::Wait && exchange.turn.sender() == sender;
        if turns && exchange.blocked != blocked {
            self.set_blocked(at, sender, id, blocked);
        }
    }

    /// The sender whose turn it is has no credit on the stream any more, or has some again.
    fn set_blocked(&mut self, at: Timestamp, sender: Side, id: u32, blocked: bool) {
        let round_trip = self.half_trip_nanos(sender.peer());
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        let clock = &mut self.clocks[sender];
        exchange.set_blocked(blocked, at, clock, self.patience, round_trip);
        if !blocked && at > clock.latest() {
            self.fresh[sender].push(id);
        }
    }

    /// What is known of the exchange's time goes into its record, which has ended.
    pub fn annotate(&mut self, record: &mut Transaction) {
        if let Some(priorities) = &mut self.priorities {
            record.priority = priorities.end(record.stream).filter(|_| self.is_lossless());
        }
        let id = record.stream;
        let Some(exchange) = self.exchanges.get_mut(id) else {
            record.unknown.insert(Unknown::TIME);
            return;
        };
        let stopped = record.first.time < self.stopped_until;
        self.stopped |= stopped;
        if !stopped {
            record.retransmitted = exchange.retransmitted_since(self.retransmitted);
        }
        if id % 2 == 1 {
            if !exchange.is_reset() {
                self.concurrency.closed(record.ended_at);
            }
        } else if record.end.by == EndBy::Client && record.end.how == EndHow::RstStream {
            self.promises.get_or_insert_default().cancelled(id, record.response.body);
        }
        let clock = &mut self.clocks[exchange.turn.sender()];
        exchange.settle(record.ended_at, clock, self.patience, TimePart::Transfer);
        if exchange.blocked {
            clock.set_stream_blocked(record.ended_at, false);
        }
        let certain = |exchange| record.request.seen && !stopped && self.is_certain(record, exchange);
        let known = self.exchanges.get(id).is_some_and(certain);
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        exchange.parts.fit(record.ended_at.nanos_since(record.first.time));
        if self.pieces {
            let limited;
            (record.pieces, limited) = exchange.parts.take_pieces();
            self.pieces_limited = self.pieces_limited.saturating_add(limited.into());
        }
        if known {
            let parts = exchange.parts.all();
            let held = |part, held: u64| held.min(parts.get(part));
            record.time = Some(Time {
                parts,
                stream_window_held: held(TimePart::StreamWindow, exchange.held),
                connection_window_held: held(TimePart::ConnectionWindow, exchange.connection_held),
                request_blocked: exchange.request_blocked,
                stream_window_low: exchange.was_low(),
                assumed_rtt: !self.measured,
            });
        } else {
            record.unknown.insert(Unknown::TIME);
        }
        if self.remarks {
            let empty =
                PerSide { client: exchange.is_empty(Side::Client), server: exchange.is_empty(Side::Server) };
            self.judge(record, empty);
        }
        self.exchanges.forget(id);
    }

    /// The windows that the exchange met are known: no frame was lost while it went on, and those that were lost before
    /// can have left no less credit than was reckoned.
    fn is_certain(&self, record: &Transaction, exchange: &Exchange) -> bool {
        let begun = record.first.time;
        let stopped = self.awaits_bytes();
        if self.is_lossless() && !stopped && begun >= self.missed_until {
            return exchange.losses == self.losses && exchange.is_followed();
        }
        // How much its sender might send at first is not known.
        let lost = |message: &Message, by: Side| message.body > 0 && self.initial[by] == Initial::Lost;
        if lost(&record.request, Side::Server) || lost(&record.response, Side::Client) {
            return false;
        }
        let followed = exchange.losses == self.losses && exchange.is_followed();
        if !followed || self.unseen.client || self.unseen.server {
            return false;
        }
        let parts = &exchange.parts;
        // What was missing in the capture alone stopped nobody, and how long that took is not the network's loss.
        if begun < self.missed_until && parts.get(TimePart::TcpLoss) > 0 {
            return false;
        }
        // What waits behind a hole, or is missing there, may have given credit long ago.
        if (stopped || record.first.packet <= self.lacked)
            && parts.get(TimePart::StreamWindow) + parts.get(TimePart::ConnectionWindow) > 0
        {
            return false;
        }
        self.is_lossless()
            || (parts.get(TimePart::ConnectionWindow) == 0 && !self.lossy[exchange.turn.sender()])
    }

    /// All that both sides sent is known, and was read in its order.
    const fn is_lossless(&self) -> bool {
        let Self { lossy, unseen, unclear, lacked, .. } = self;
        !(lossy.client || lossy.server || unseen.client || unseen.server || *unclear || *lacked > 0)
    }

    /// How long the connection took to open. `handshake`: when TCP's was over, and how long it took.
    pub fn handshakes(&self, handshake: Option<(Timestamp, Duration)>, encrypted: bool) -> Handshakes {
        let first = self.first_frame.filter(|_| !self.first_lost);
        let tls = handshake.zip(first).map(|((ack, _), frame)| frame.since(ack));
        Handshakes { tcp: handshake.map(|(_, took)| took), tls: tls.filter(|_| encrypted) }
    }

    /// What is known of the connection's times. `opened`: when it was, where that is in the capture.
    pub fn describe(
        &mut self,
        ledger: &Ledger,
        opened: Option<Timestamp>,
        last: Timestamp,
        handshakes: Handshakes,
    ) -> ConnectionTiming {
        for side in [Side::Client, Side::Server] {
            self.clocks[side].catch_up(last);
        }
        let both = |trips: &PerSide<RoundTrips>| RoundTrips {
            smallest: [trips.client.smallest, trips.server.smallest].into_iter().flatten().min(),
            count: trips.client.count + trips.server.count,
        };
        ConnectionTiming {
            rtt_client: self.half_trip(Side::Client),
            rtt_server: self.half_trip(Side::Server),
            ping: both(&self.pings),
            settings: both(&self.settings_trips),
            tcp_handshake: handshakes.tcp,
            tls_handshake: handshakes.tls,
            first_request: opened
                .filter(|_| self.first_request < Timestamp::MAX && !self.request_lost)
                .map(|opened| self.first_request.since(opened)),
            client_blocked: self.blocked(Side::Client),
            server_blocked: self.blocked(Side::Server),
            client_windows: self.window_facts(ledger, Side::Client),
            server_windows: self.window_facts(ledger, Side::Server),
            at_limit: if self.is_lossless() { self.concurrency.at_limit(last) } else { 0 },
            queued: if self.is_lossless() { self.concurrency.queued().into() } else { 0 },
            inversion: self
                .priorities
                .as_ref()
                .filter(|_| self.is_lossless())
                .and_then(|priorities| priorities.inversion()),
            pushes: self.promises.as_ref().map(|promises| promises.facts()).unwrap_or_default(),
        }
    }

    /// For how long a side could not send: for want of credit only where all that moved it is known.
    fn blocked(&self, sender: Side) -> Blocked {
        let mut blocked = self.clocks[sender].blocked();
        if self.stopped {
            (blocked.tcp_loss, blocked.tcp_window) = (0, 0);
        }
        let Blocked { tcp_loss, tcp_window, .. } = blocked;
        if self.is_lossless() { blocked } else { Blocked { tcp_loss, tcp_window, ..Blocked::default() } }
    }

    /// The windows of what a side sent, where all that moved them is known.
    fn window_facts(&self, ledger: &Ledger, sender: Side) -> Option<WindowFacts> {
        let initial = ledger.settings(sender.peer()).initial_window_size;
        let empty = self.clocks[sender].blocked().connection_window;
        self.is_lossless().then(|| self.windows[sender].facts(initial, empty))
    }

    /// Why the connection ended, in this way and at this time, with exchanges under way or not, where that is known; and who
    /// named an error by GOAWAY, and which.
    pub fn ending(
        &mut self,
        end: StreamEnd,
        at: Timestamp,
        in_flight: Option<bool>,
    ) -> (Ending, Option<(Side, u32)>) {
        for side in [Side::Client, Side::Server] {
            if self.unseen[side] {
                self.words.lose(side, u64::MAX);
                self.words.miss(side);
            }
        }
        let (mut ending, error) = self.words.ending(end, at, in_flight, Duration::from_nanos(self.patience));
        // What announced it may be missing.
        let lossy = self.lossy.client || self.lossy.server;
        ending.two_step = ending.two_step.filter(|&two_step| two_step || !lossy);
        (ending, error)
    }

    /// A request may be missing before the preface, which asked for the upgrade.
    pub const fn lose_first_request(&mut self) {
        self.request_lost = true;
    }

    /// A request came.
    fn note_request(&mut self, at: Timestamp) {
        self.request_lost |= self.first_request == Timestamp::MAX && self.lossy.client;
        self.first_request = self.first_request.min(at);
    }

    /// An exchange begins, with a request that is `asked` at once or not.
    fn begin(&mut self, cx: &EventContext<'_>, at: Timestamp, id: u32, asked: bool) {
        // What is promised is promised with an answer: the request for that came first (RFC 9113 section 8.4).
        if id % 2 == 1 {
            self.note_request(at);
        }
        if self.exchanges.len() >= limits::RULE_STREAMS {
            self.limited = self.limited.saturating_add(1);
            return;
        }
        let sent_again = self.retransmitted;
        self.exchanges.get_or_insert_with(id, || {
            let mut exchange =
                Exchange::begin(at, &mut self.clocks.client, self.losses, sent_again, self.pieces);
            if id <= self.ahead {
                // The response, or some of it, was read before the request.
                exchange.lose_track();
            }
            if asked {
                exchange.end_request();
                exchange.turn_to(Turn::Wait, at, &mut self.clocks.server, false);
            }
            exchange
        });
        if let Some(priorities) = &mut self.priorities {
            priorities.opened(id);
        }
        if id % 2 == 1 {
            let most = cx.ledger.settings(Side::Server).max_concurrent_streams;
            if self.concurrency.opened(at, most, self.patience) && self.is_lossless() {
                self.note(Side::Server, id, Remark::StreamLimit, cx.at());
            }
        }
    }
}
