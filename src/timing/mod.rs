//! Where the time of a call went: HTTP/2's events, the ledger's windows and what TCP's segments tell → the parts of each
//! exchange's duration, and the round trips of its connection.
//!
//! Each direction has a `clock`, each exchange a cursor on the clock of the side whose turn it is (`stream`). What
//! stops a sender is judged in this order: bytes missing, the stream's window, the connection's window, TCP's window.
//! What is left is divided by the segment with DATA or a header block that ends the wait.
//!
//! State: for each open stream an exchange, at most [`limits::RULE_STREAMS`](crate::base::limits::RULE_STREAMS) of them.

mod clock;
mod ending;
mod stream;
mod tcp;

pub use tcp::Transport;

use crate::base::limits;
use crate::base::time::{Moment, Timestamp};
use crate::flow::GapCause;
use crate::http2::frame::{FrameHeader, FrameType};
use crate::http2::hpack::{self, NameId};
use crate::http2::{
    Block, BlockEnd, EventContext, EventSink, FrameSpot, Ledger, PerSide, SettingsChange, Side,
    UpgradeRequest,
};
use crate::record::{
    Blocked, ConnectionTiming, Ending, RoundTrips, StreamEnd, Time, TimePart, Transaction, Unknown,
};
use clock::{Clock, Stops, nanos};
use ending::LastWords;
use std::collections::HashMap;
use std::time::Duration;
use stream::{Exchange, Turn};

/// Silence is longer than this at the least.
const SHORTEST_SILENCE: Duration = Duration::from_millis(1);
/// What is taken for the round trip where none was seen.
const ASSUMED_ROUND_TRIP: Duration = Duration::from_millis(10);

/// Divides the time of a connection's exchanges.
#[derive(Debug, Default)]
pub struct Timing {
    clocks: PerSide<Clock>,
    /// To each side and back, by TCP.
    tcp_trips: PerSide<Option<Duration>>,
    exchanges: HashMap<u32, Exchange, foldhash::fast::RandomState>,
    /// Exchanges that began to wait within a wait of their side's direction: the segment that ends it is theirs to judge.
    fresh: PerSide<Vec<u32>>,
    words: LastWords,
    /// SETTINGS of each side that have no acknowledgment yet.
    settings: PerSide<Option<Timestamp>>,
    settings_trips: PerSide<RoundTrips>,
    pings: PerSide<RoundTrips>,
    /// The header block in hand is an interim response.
    interim: bool,
    first_frame: Option<Timestamp>,
    first_request: Option<Timestamp>,
    /// Times that frames were lost.
    losses: u64,
    /// Frames of this side were lost, or its beginning.
    lossy: PerSide<bool>,
    /// Streams that may still be looked at for a change of their windows: no more than there were frames.
    credit: usize,
    /// All windows have changed, and not all could be looked at.
    unsure: bool,
}

impl Timing {
    /// Of a connection of which the client's or the server's beginning is not in the capture.
    pub fn new(late: (bool, bool)) -> Self {
        let lossy = PerSide { client: late.0, server: late.1 };
        Self { lossy, ..Self::default() }
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let fresh = self.fresh.client.capacity() + self.fresh.server.capacity();
        size_of::<Self>()
            + self.exchanges.capacity() * size_of::<(u32, Exchange)>()
            + fresh * size_of::<u32>()
    }

    /// A segment was read: what TCP tells by now. `round_trips`: to each side and back; `missing`: its direction waits for
    /// bytes; `full`: its peer's TCP window has no room.
    pub fn segment(
        &mut self,
        at: Timestamp,
        round_trips: PerSide<Option<Duration>>,
        missing: PerSide<bool>,
        full: PerSide<bool>,
    ) {
        self.tcp_trips = round_trips;
        for side in [Side::Client, Side::Server] {
            let (loss, tcp) = (missing[side], full[side]);
            self.stop(side, at, |stops| Stops { loss, tcp, ..stops });
        }
    }

    fn stop(&mut self, side: Side, at: Timestamp, change: impl FnOnce(Stops) -> Stops) {
        let before = self.clocks[side].stops();
        let after = change(before);
        if after != before {
            let round_trip = self.half_trip(side.peer()).unwrap_or_default();
            self.clocks[side].set_stops(at, after, round_trip);
        }
    }

    /// From the place of capture to a side and back: TCP's, else the smallest that HTTP/2 shows.
    fn half_trip(&self, side: Side) -> Option<Duration> {
        self.tcp_trips[side].or_else(|| {
            [self.settings_trips[side].smallest, self.pings[side].smallest].into_iter().flatten().min()
        })
    }

    /// The whole path's round trip, where it is known.
    fn round_trip(&self) -> Option<Duration> {
        Some(self.half_trip(Side::Client)? + self.half_trip(Side::Server)?)
    }

    /// For so long a sender may send nothing without being silent: one and a half round trips.
    fn patience(&self) -> Duration {
        let round_trip = self.round_trip().unwrap_or(ASSUMED_ROUND_TRIP);
        (round_trip * 3 / 2).max(SHORTEST_SILENCE)
    }

    /// A segment bears bytes of DATA or a header block on a stream.
    fn carried(&mut self, cx: &EventContext<'_>, id: u32) {
        let (from, at) = (cx.from, cx.at().time);
        let patience = self.patience();
        if self.clocks[from].data(at, patience) && !self.fresh[from].is_empty() {
            for fresh in std::mem::take(&mut self.fresh[from]) {
                if fresh != id
                    && let Some(exchange) = self.exchanges.get_mut(&fresh)
                    && exchange.turn.sender() == from
                {
                    exchange.passed_over(at, &mut self.clocks[from], patience);
                }
            }
        }
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        if exchange.turn.sender() == from && exchange.turn != Turn::Wait {
            exchange.carried(at, &mut self.clocks[from], patience);
        }
    }

    /// The response has begun: it is the server's turn, whatever of the request is still to come.
    fn begin_response(&mut self, cx: &EventContext<'_>, id: u32, at: Timestamp) {
        let patience = self.patience();
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        match exchange.turn {
            Turn::Request => exchange.settle(at, &mut self.clocks.client, patience, TimePart::Transfer),
            Turn::Wait => exchange.settle(at, &mut self.clocks.server, patience, TimePart::Wait),
            Turn::Response | Turn::Rest => return,
        }
        self.turn(cx, id, at, Turn::Response);
    }

    /// A side has ended its part of an exchange.
    fn end_side(&mut self, cx: &EventContext<'_>, id: u32) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        match cx.from {
            Side::Client => {
                exchange.request_ended = true;
                exchange.request_blocked = exchange.parts.get(TimePart::StreamWindow)
                    + exchange.parts.get(TimePart::ConnectionWindow);
                if exchange.turn == Turn::Request {
                    self.turn(cx, id, cx.at().time, Turn::Wait);
                }
            }
            Side::Server => {
                exchange.response_ended = true;
                if exchange.turn == Turn::Response && !exchange.request_ended {
                    self.turn(cx, id, cx.at().time, Turn::Rest);
                }
            }
        }
    }

    fn turn(&mut self, cx: &EventContext<'_>, id: u32, at: Timestamp, turn: Turn) {
        let sender = turn.sender();
        let blocked = turn != Turn::Wait && is_blocked(cx.ledger, sender, id);
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        let clock = &mut self.clocks[sender];
        exchange.turn_to(turn, at, clock, blocked);
        if turn != Turn::Wait && !blocked && at > clock.latest() {
            self.fresh[sender].push(id);
        }
    }

    /// The windows of what a side sends have changed: of one stream, or of the connection and all its streams.
    fn look_at_window(&mut self, at: Timestamp, sender: Side, id: u32, ledger: &Ledger) {
        let blocked = is_blocked(ledger, sender, id);
        let (patience, round_trip) = (self.patience(), self.half_trip(sender.peer()).unwrap_or_default());
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        if exchange.turn == Turn::Wait || exchange.turn.sender() != sender {
            return;
        }
        let clock = &mut self.clocks[sender];
        if exchange.set_blocked(blocked, at, clock, patience, round_trip) && at > clock.latest() {
            self.fresh[sender].push(id);
        }
    }

    /// What is known of the exchange's time goes into its record, which has ended.
    pub fn annotate(&mut self, record: &mut Transaction) {
        let patience = self.patience();
        let total = nanos(record.duration());
        let Some(mut exchange) = self.exchanges.remove(&record.stream) else {
            record.unknown.insert(Unknown::TIME);
            return;
        };
        let clock = &mut self.clocks[exchange.turn.sender()];
        exchange.settle(record.ended_at, clock, patience, TimePart::Transfer);
        if !record.request.seen || !self.is_certain(&exchange) {
            record.unknown.insert(Unknown::TIME);
            return;
        }
        let mut parts = exchange.parts;
        parts.fit(total);
        let held = |part, held: u64| held.min(parts.get(part));
        record.time = Some(Time {
            parts,
            stream_window_held: held(TimePart::StreamWindow, exchange.held),
            connection_window_held: held(TimePart::ConnectionWindow, exchange.connection_held),
            request_blocked: exchange.request_blocked,
            stream_window_low: false,
            assumed_rtt: self.round_trip().is_none(),
        });
    }

    /// The windows that the exchange met are known: no frame was lost while it went on, and those that were lost before
    /// can have left no less credit than was reckoned.
    fn is_certain(&self, exchange: &Exchange) -> bool {
        if self.unsure || exchange.losses != self.losses {
            return false;
        }
        let parts = &exchange.parts;
        let lossless = !self.lossy.client && !self.lossy.server;
        lossless || (parts.get(TimePart::ConnectionWindow) == 0 && !self.lossy[exchange.turn.sender()])
    }

    /// What is known of the connection's times.
    pub fn describe(
        &mut self,
        first: Timestamp,
        last: Timestamp,
        handshake: Option<(Timestamp, Duration)>,
    ) -> ConnectionTiming {
        for side in [Side::Client, Side::Server] {
            self.clocks[side].advance(last);
        }
        let blocked = |clock: &Clock| {
            let (connection_window, tcp_loss, tcp_window) = clock.blocked();
            Blocked { connection_window, tcp_loss, tcp_window }
        };
        let both = |trips: &PerSide<RoundTrips>| RoundTrips {
            smallest: [trips.client.smallest, trips.server.smallest].into_iter().flatten().min(),
            count: trips.client.count + trips.server.count,
        };
        ConnectionTiming {
            rtt_client: self.half_trip(Side::Client),
            rtt_server: self.half_trip(Side::Server),
            ping: both(&self.pings),
            settings: both(&self.settings_trips),
            tcp_handshake: handshake.map(|(_, took)| took),
            tls_handshake: handshake.zip(self.first_frame).map(|((ack, _), frame)| frame.since(ack)),
            first_request: self.first_request.map(|request| request.since(first)),
            client_blocked: blocked(&self.clocks.client),
            server_blocked: blocked(&self.clocks.server),
        }
    }

    /// Why the connection ended, in this way and at this time, with exchanges under way or not; and who named an error by
    /// GOAWAY, and which.
    pub fn ending(&self, end: StreamEnd, at: Timestamp, in_flight: bool) -> (Ending, Option<(Side, u32)>) {
        self.words.ending(end, at, in_flight, self.patience())
    }

    fn begin(&mut self, at: Timestamp, id: u32) {
        if self.exchanges.len() >= limits::RULE_STREAMS {
            return;
        }
        self.first_request.get_or_insert(at);
        let exchange = Exchange::begin(at, &mut self.clocks.client, self.losses);
        self.exchanges.entry(id).or_insert(exchange);
    }
}

/// No credit is left for what a side sends on a stream.
fn is_blocked(ledger: &Ledger, sender: Side, id: u32) -> bool {
    ledger.stream_credit(sender, id).is_some_and(|credit| credit <= 0)
}

impl EventSink for Timing {
    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: Moment) {
        self.credit = self.credit.saturating_add(1);
        self.words.speak(cx.at().time);
        self.first_frame.get_or_insert(first.time);
        let opens = header.kind == FrameType::HEADERS && cx.from.is_client() && header.stream % 2 == 1;
        if opens && !self.exchanges.contains_key(&header.stream) && cx.ledger.is_new(header.stream) {
            self.begin(first.time, header.stream);
        }
        if matches!(header.kind, FrameType::DATA | FrameType::HEADERS | FrameType::CONTINUATION) {
            self.carried(cx, header.stream);
        }
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, _: &BlockEnd) {
        if let Some(promised) = block.promised {
            // The promise is the request's end.
            self.begin(block.first.time, promised);
            if let Some(exchange) = self.exchanges.get_mut(&promised) {
                exchange.request_ended = true;
            }
            return self.turn(cx, promised, block.first.time, Turn::Wait);
        }
        if !cx.from.is_client() && !self.interim {
            self.begin_response(cx, block.stream, block.first.time);
        }
        self.carried(cx, block.stream);
        if block.end_stream {
            self.end_side(cx, block.stream);
        }
    }

    fn block_start(&mut self, _: &EventContext<'_>, _: &Block) {
        self.interim = false;
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        if field.id == NameId::STATUS {
            self.interim = field.value.is_some_and(|status| status.len() == 3 && status.starts_with(b"1"));
        }
    }

    fn data(&mut self, cx: &EventContext<'_>, stream: u32, _: &[u8]) {
        self.words.speak(cx.at().time);
        if !cx.from.is_client() {
            self.begin_response(cx, stream, cx.at().time);
        }
        self.carried(cx, stream);
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        self.carried(cx, stream);
        if end_stream {
            self.end_side(cx, stream);
        }
    }

    fn ping(&mut self, cx: &EventContext<'_>, ack: bool, opaque: [u8; 8]) {
        let at = cx.at().time;
        if !ack {
            self.words.ping(cx.from, opaque, at);
        } else if let Some(since) = self.words.pong(cx.from, opaque) {
            self.pings[cx.from].add(at.since(since));
        }
    }

    fn goaway(&mut self, cx: &EventContext<'_>, last_stream: u32, code: u32, _: &[u8]) {
        self.words.goaway(cx.from, last_stream, code);
    }

    fn window_changed(&mut self, cx: &EventContext<'_>, sender: Side, stream: u32) {
        let at = cx.at().time;
        let empty = cx.ledger.connection_credit(sender) <= 0;
        self.stop(sender, at, |stops| Stops { connection: empty, ..stops });
        if stream != 0 {
            self.look_at_window(at, sender, stream, cx.ledger);
        }
    }

    fn settings_changed(&mut self, cx: &EventContext<'_>, change: &SettingsChange) {
        let at = cx.at().time;
        let sender = match *change {
            SettingsChange::Announced { early, .. } => {
                self.settings[cx.from].get_or_insert(at);
                if !early {
                    return;
                }
                cx.from.peer()
            }
            SettingsChange::Acknowledged { .. } => {
                if let Some(since) = self.settings[cx.from.peer()].take() {
                    self.settings_trips[cx.from].add(at.since(since));
                }
                cx.from
            }
        };
        let Some(credit) = self.credit.checked_sub(self.exchanges.len()) else {
            self.unsure = true;
            return;
        };
        self.credit = credit;
        let mut ids: Vec<u32> = self.exchanges.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.look_at_window(at, sender, id, cx.ledger);
        }
    }

    fn upgraded(&mut self, _: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        self.begin(request.first.time, 1);
        if let Some(exchange) = self.exchanges.get_mut(&1) {
            exchange.request_ended = true;
            let clock = &mut self.clocks.client;
            exchange.settle(request.last.time, clock, Duration::MAX, TimePart::Transfer);
            exchange.turn_to(Turn::Wait, request.last.time, &mut self.clocks.server, false);
        }
    }

    fn begins(&mut self, from: Side) {
        self.lossy[from] = false;
    }

    fn lost(&mut self, cx: &EventContext<'_>, _: GapCause) {
        self.losses += 1;
        self.lossy[cx.from] = true;
    }
}
