//! What a connection carries, layer by layer, and how its bytes pass through.
//!
//! ```text
//!   Fresh ── first bytes ──▶ Detection ──┬─ preface, or frames that prove themselves ──▶ Http2 ── CONNECT ──▶ Fresh,
//!                             ▲  │       │                                                          in the stream
//!                             │  │       ├─ 101 to an Upgrade ─────────────────────────▶ Http2
//!     200 to a CONNECT ───────┘  │       └─ a TLS record ──▶ Tls ── plaintext ─────────▶ Fresh, inside
//!                                ▼
//!                     it stays: no HTTP/2
//! ```
//!
//! What Detection has kept of the bytes is pushed into what it turns into.

use super::context::{Context, Output};
use super::detection::{Detected, Detection, What};
use super::http2::Http2;
use crate::base::direction::{Direction, PerDirection};
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::time::{Moment, Timestamp};
use crate::base::tls::Description;
use crate::base::tuning;
use crate::flow::{Arrival, ByteSink, End, Gap, GapCause, Reassembly, SegmentFacts};
use crate::http1::Switch;
use crate::http2::{Side, Start};
use crate::record::{ConnectionMeta, EndBy, EndHow, Parent, Recognition, StreamEnd};
use crate::timing::Transport;
use crate::tls;

/// A connection's state above TCP.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Sender of the forward and of the backward stream.
    pub(super) ends: Option<[Endpoint; 2]>,
    pub(super) id: u64,
    pub(super) layer: Layer,
    /// Directions of which a segment was seen.
    seen: [bool; 2],
    /// Directions that ended, and how; which one was first.
    ended: [Option<End>; 2],
    first_end: Option<DirectionEnd>,
    /// The last of what ended them.
    ended_at: Moment,
    /// Layers above this one.
    depth: u8,
    /// The stream that it is in, and HTTP/2 connections around it.
    pub(super) parent: Option<Parent>,
    within: u8,
    /// Directions of which the SYN was seen, so that their first bytes are known.
    pub(super) syn: [bool; 2],
    /// What the TLS below tells.
    pub(super) tls: Option<Box<Description>>,
    /// Bytes of memory that the shard counts for it.
    pub(super) weight: usize,
    /// It is in the list of those that wait for TLS secrets.
    pub(super) listed: bool,
    /// When the directions ended by FIN before it was known what they carry, and how much of the other one their senders had
    /// received by then.
    fins: [Option<(Moment, u64)>; 2],
    /// What its segments tell of time; inside TLS, once that was found.
    pub(super) transport: Transport,
    /// Its last packet when it was told of as idle, where it was.
    pub(super) rested: Option<u64>,
}

/// How a direction ended.
#[derive(Clone, Copy, Debug)]
struct DirectionEnd {
    from: Direction,
    how: End,
    at: Moment,
    /// Where in its direction's TCP stream.
    place: u64,
    /// So much of the other direction's its sender had received.
    received: Option<u64>,
}

impl DirectionEnd {
    fn new(from: Direction, arrival: &Arrival, how: End) -> Self {
        let Arrival { at, span, acknowledged: received, .. } = *arrival;
        Self { from, how, at, place: span.end, received }
    }

    /// The other direction's end had come to this one's sender.
    fn knows(&self, other: &Self) -> bool {
        other.how == End::Fin && self.received.is_some_and(|received| received >= other.place)
    }

    /// It came before the other direction's: by what their senders had received, else by their packets.
    fn is_before(&self, other: &Self) -> bool {
        match (self.knows(other), other.knows(self)) {
            (false, true) => true,
            (true, false) => false,
            _ => self.at.packet < other.at.packet,
        }
    }
}

/// What the bytes are.
#[derive(Debug, Default)]
pub(super) enum Layer {
    /// No byte has come.
    #[default]
    Fresh,
    /// Not known yet.
    Detection(Box<Detection>),
    /// TLS, and what is inside.
    Tls(Box<Tls>),
    /// HTTP/2.
    Http2(Box<Http2>),
}

impl Layer {
    /// The HTTP/2 in it, inside TLS too.
    pub(super) fn http2_mut(&mut self) -> Option<&mut Http2> {
        match self {
            Self::Http2(http2) => Some(http2),
            Self::Tls(tls) => tls.inner.layer.http2_mut(),
            Self::Fresh | Self::Detection(_) => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Tls {
    pub(super) session: tls::Session,
    pub(super) inner: Layers,
}

/// Lends the layers the shard's context, so that bytes can be pushed into it.
pub(super) struct LayersInput<'a, 'b, O> {
    pub(super) layers: &'a mut Layers,
    pub(super) cx: &'a mut Context<'b, O>,
}

impl Layers {
    /// A connection in a stream of another one; `late` where its beginning is not in the capture.
    pub(super) fn in_tunnel(ends: [Endpoint; 2], id: u64, parent: Parent, within: u8, late: bool) -> Self {
        let layer = if late { Layer::Detection(Box::new(Detection::joined_late())) } else { Layer::Fresh };
        Self {
            ends: Some(ends),
            id,
            layer,
            seen: [true; 2],
            syn: [!late; 2],
            parent: Some(parent),
            within,
            ..Self::default()
        }
    }

    /// Both of its directions have ended.
    pub(super) fn is_over(&self) -> bool {
        self.ended.iter().all(Option::is_some)
    }

    /// There are exchanges that end once a side was read up to some place.
    pub(super) fn awaits(&self) -> bool {
        self.http2().is_some_and(|http2| {
            [Side::Client, Side::Server].into_iter().any(|side| http2.pairing.awaits(side))
        })
    }

    /// A segment of this direction was seen.
    pub(super) fn note_sender(&mut self, from: Direction) {
        if let Some(seen) = self.seen.get_mut(from.index())
            && !std::mem::replace(seen, true)
        {
            match &mut self.layer {
                Layer::Http2(http2) => http2.set_unseen(from, false),
                Layer::Tls(layer) => layer.inner.note_sender(from),
                Layer::Fresh | Layer::Detection(_) => {}
            }
        }
    }

    /// New TLS secrets may open what it keeps, or a connection in one of its streams does.
    pub(super) fn awaits_secrets(&self) -> bool {
        match &self.layer {
            Layer::Fresh | Layer::Detection(_) => false,
            Layer::Tls(tls) => tls.session.is_waiting() || tls.inner.has_tunnels(),
            Layer::Http2(_) => self.has_tunnels(),
        }
    }

    /// Ciphertext that was kept can be decrypted, and is by and by.
    pub(super) fn lags(&self) -> bool {
        matches!(&self.layer, Layer::Tls(tls) if tls.session.lags())
    }

    /// Bytes of ciphertext that are kept until secrets come.
    pub(super) fn held(&self) -> usize {
        match &self.layer {
            Layer::Tls(tls) => tls.session.held(),
            Layer::Fresh | Layer::Detection(_) | Layer::Http2(_) => 0,
        }
    }

    fn has_tunnels(&self) -> bool {
        self.http2().and_then(|http2| http2.tunnels.as_ref()).is_some_and(|tunnels| !tunnels.is_empty())
    }

    /// The first packet of the last connection in it, or its own.
    pub(super) fn reach(&self) -> u64 {
        let tunnels = self.http2().and_then(|http2| http2.tunnels.as_ref());
        let within = tunnels.into_iter().flat_map(|tunnels| tunnels.layers()).map(Self::reach);
        within.max().unwrap_or(0).max(self.id)
    }

    /// Bytes of memory held, beside what reassembly and TLS hold back on budgets of their own.
    pub(super) fn memory(&self) -> usize {
        let tls = self.tls.as_ref().map_or(0, |tls| size_of::<Description>() + tls.memory());
        tls + match &self.layer {
            Layer::Fresh => 0,
            Layer::Detection(detection) => size_of::<Detection>() + detection.memory(),
            Layer::Tls(tls) => size_of::<Tls>() + tls.session.memory() + tls.inner.memory(),
            Layer::Http2(http2) => http2.memory(),
        }
    }

    /// Counts the memory held, in the sum of the shard.
    pub(super) fn weigh(&mut self, sum: &mut usize) {
        let memory = self.memory();
        *sum = (*sum + memory).saturating_sub(std::mem::replace(&mut self.weight, memory));
    }

    /// A SYN was seen, so that the forward stream is the client's.
    fn handshake(&self) -> bool {
        self.syn != [false; 2]
    }

    /// What the TLS tells that it carries.
    pub(super) fn description(&self) -> Option<Box<Description>> {
        match &self.layer {
            Layer::Tls(layer) => Some(Box::new(layer.session.description().clone())),
            _ => None,
        }
    }

    /// The layers inside TLS.
    pub(super) fn innermost(self) -> Self {
        match self.layer {
            Layer::Tls(layer) => layer.inner,
            _ => self,
        }
    }

    /// What its segments tell, and the HTTP/2 in it, inside TLS too.
    pub(super) fn timed(&mut self) -> (&mut Transport, Option<&mut Http2>) {
        match &mut self.layer {
            Layer::Tls(layer) => layer.inner.timed(),
            Layer::Http2(http2) => (&mut self.transport, Some(http2)),
            Layer::Fresh | Layer::Detection(_) => (&mut self.transport, None),
        }
    }

    /// Who opened the connection: the client of the TLS below, or the sender of the SYN where there was one; else the side
    /// with the higher port, as servers' are the lower ones.
    pub(super) fn guess_client(&self) -> Direction {
        if let Some(client) = self.tls.as_ref().and_then(|tls| tls.client) {
            return client;
        }
        let Some([forward, backward]) = self.ends else { return Direction::Forward };
        if backward.port > forward.port && !self.handshake() {
            Direction::Backward
        } else {
            Direction::Forward
        }
    }

    /// The SYN of a direction was seen before the connection was known to be a new one.
    pub(super) fn note_begun(&mut self, streams: &Reassembly) {
        for from in [Direction::Forward, Direction::Backward] {
            if streams.from_start(from)
                && let Some(syn) = self.syn.get_mut(from.index())
            {
                *syn = true;
                self.note_sender(from);
            }
        }
    }

    /// Who ended the connection, how, and where.
    pub(super) fn end(&self) -> (StreamEnd, Moment) {
        let how = match self.ended {
            [Some(End::Rst), _] | [_, Some(End::Rst)] => EndHow::Rst,
            _ => EndHow::Fin,
        };
        (StreamEnd { by: EndBy::Tcp, how, code: None }, self.ended_at)
    }

    /// The direction that ended first.
    pub(super) fn first_ended(&self) -> Option<Direction> {
        self.first_end.map(|end| end.from)
    }

    /// When the first direction ended.
    pub(super) fn closed(&self) -> Option<Moment> {
        self.first_end.map(|end| end.at)
    }

    /// The HTTP/2 that it carries, inside TLS too.
    pub(super) fn http2(&self) -> Option<&Http2> {
        match &self.layer {
            Layer::Http2(http2) => Some(http2),
            Layer::Tls(tls) => tls.inner.http2(),
            Layer::Fresh | Layer::Detection(_) => None,
        }
    }

    /// Exchanges under way.
    pub(super) fn in_flight(&self) -> usize {
        self.http2().map_or(0, |http2| {
            http2.pairing.in_flight() + http2.tunnels.as_ref().map_or(0, |tunnels| tunnels.in_flight())
        })
    }
}

impl<O: Output> LayersInput<'_, '_, O> {
    /// New TLS secrets have come.
    pub(super) fn new_secrets(&mut self) {
        self.retry_tls();
        if let Some(http2) = self.layers.layer.http2_mut() {
            http2.new_secrets(self.cx);
        }
    }

    /// Hands on what was read of tunnels.
    pub(super) fn tunnels(&mut self) {
        if let Some(http2) = self.layers.layer.http2_mut() {
            http2.tunnels(self.cx);
        }
    }

    /// The connection is over, as said: so are its tunnels.
    pub(super) fn conclude_tunnels(&mut self, end: StreamEnd, ended_at: Moment) {
        if let Some(http2) = self.layers.layer.http2_mut() {
            http2.conclude_tunnels(end, ended_at, self.cx);
        }
    }

    fn retry_tls(&mut self) {
        self.with_tls(|session, keys, work, sink| session.retry(keys, work, sink));
    }

    /// Goes on with what TLS has kept and can be decrypted, as far as more is wanted.
    pub(super) fn catch_up(&mut self) {
        self.with_tls(|session, keys, work, sink| session.catch_up(keys, work, sink));
    }

    /// The same, as nothing follows; whether that was all.
    pub(super) fn hand_on_rest(&mut self) -> bool {
        self.with_tls(|session, keys, work, sink| session.hand_on_rest(keys, work, sink)).unwrap_or(true)
    }

    /// Has the TLS session do something, if there is one that is not at work already.
    #[inline]
    fn with_tls<R>(
        &mut self,
        work_on: impl FnOnce(
            &mut tls::Session,
            &tls::KeyStore,
            &mut tls::Workspace,
            &mut LayersInput<'_, '_, O>,
        ) -> R,
    ) -> Option<R> {
        let cx = &mut *self.cx;
        let Layer::Tls(layer) = &mut self.layers.layer else { return None };
        let work = cx.tls.take()?;
        let (keys, Tls { session, inner }) = (cx.keys, layer.as_mut());
        let result = work_on(session, keys, work, &mut LayersInput { layers: inner, cx });
        cx.tls = Some(work);
        Some(result)
    }

    /// All that a direction sent before this packet has been read.
    pub(super) fn caught_up(&mut self, from: Direction, read: u64) {
        match &mut self.layers.layer {
            Layer::Http2(http2) => http2.caught_up(from, read, self.cx),
            Layer::Tls(layer) if layer.session.is_settled(from) => {
                LayersInput { layers: &mut layer.inner, cx: &mut *self.cx }.caught_up(from, read);
            }
            Layer::Tls(_) | Layer::Fresh | Layer::Detection(_) => {}
        }
    }

    /// A segment was read; the forward and the backward direction wait for holes to fill, or do not.
    pub(super) fn segment(&mut self, from: Direction, facts: &SegmentFacts, holes: [bool; 2]) {
        let lags = self.layers.lags();
        let (transport, http2) = self.layers.timed();
        transport.segment(from, facts);
        match http2 {
            Some(http2) if !lags => http2.segment(facts.at, transport, holes),
            http2 => {
                transport.note_stops(facts, holes);
                if let Some(http2) = http2 {
                    http2.segment_ahead(facts.at, transport);
                }
            }
        }
    }

    /// The forward and the backward direction wait for holes to fill, or do not.
    pub(super) fn set_holes(&mut self, holes: [bool; 2]) {
        let (now, lags) = (self.cx.now, self.layers.lags());
        let (transport, http2) = self.layers.timed();
        if lags || http2.is_none() {
            transport.note_holes(now.time, holes);
        }
        if let Some(http2) = http2 {
            http2.set_holes(holes, now, lags);
            http2.set_tunnels_holes(holes, self.cx);
        }
    }

    /// Nothing follows the packet `last`: what is unfinished is told as far as it goes.
    pub(super) fn finish(&mut self, last: Moment) {
        let from_start = self.layers.handshake() || self.layers.tls.is_some();
        if let Layer::Detection(detection) = &mut self.layers.layer {
            match detection.finish() {
                Some(known) => self.known(known),
                None => {
                    self.cx.totals.report.unrecognised_bytes += detection.doubtful_bytes(from_start);
                }
            }
        }
        let cx = &mut *self.cx;
        match &mut self.layers.layer {
            Layer::Tls(_) => {
                self.with_tls(|session, keys, work, sink| session.finish(keys, work, sink));
                if let Layer::Tls(layer) = &mut self.layers.layer {
                    LayersInput { layers: &mut layer.inner, cx: &mut *self.cx }.finish(last);
                }
            }
            Layer::Http2(http2) => http2.finish(last, cx),
            Layer::Fresh | Layer::Detection(_) => {}
        }
    }

    fn known(&mut self, known: Detected) {
        let Layer::Detection(mut detection) = std::mem::take(&mut self.layers.layer) else { return };
        self.cx.totals.report.limits.add(Limit::Opening, detection.limited.into());
        match known {
            Detected::Preface { client } => {
                let server = client.reverse();
                let known = self.layers.tls.is_some() || self.layers.syn.get(server.index()) == Some(&true);
                let asked_before =
                    self.layers.tls.is_none() && self.layers.syn.get(client.index()) != Some(&true);
                // A response of HTTP/1.1 answers a request that was lost, unless there can be none: then it answers the preface.
                let behind_request =
                    detection.is_response(server) && (asked_before || detection.is_late(client));
                let start = match detection.is_late(server) || behind_request {
                    true => Start::Late,
                    false if known => Start::Frames,
                    false => Start::Unsure,
                };
                if let Some(syn) = self.layers.syn.get_mut(client.index()) {
                    // What came before the preface, an upgrade perhaps, was lost.
                    *syn &= !detection.is_late(client);
                }
                let first = detection.first_times();
                self.start_http2(client, Start::Preface, start, Recognition::PriorKnowledge, &first);
                self.replay(&mut detection);
            }
            Detected::Frames { client, evidence } => {
                let client = client.unwrap_or_else(|| self.layers.guess_client());
                let server = client.reverse();
                // The directions may be captured a little apart.
                let client_start = if detection.is_unread(client) { Start::Unread } else { Start::Late };
                let whole = self.layers.syn.get(server.index()) == Some(&true)
                    && !detection.is_late(server)
                    && !detection.is_response(server);
                let server_start = if whole { Start::Unsure } else { Start::Late };
                let first = detection.first_times();
                self.start_http2(client, client_start, server_start, Recognition::MidStream, &first);
                if let Layer::Http2(http2) = &mut self.layers.layer {
                    http2.evidence = evidence;
                    http2.client_unawaited = detection.unawaited && client_start == Start::Unread;
                }
                self.replay(&mut detection);
            }
            Detected::Tls => {
                // TLS inside TLS is left alone.
                let Some(work) = self.cx.tls.as_deref() else { return };
                let inner = Layers {
                    ends: self.layers.ends,
                    id: self.layers.id,
                    seen: self.layers.seen,
                    syn: self.layers.syn,
                    depth: self.layers.depth + 1,
                    parent: self.layers.parent,
                    within: self.layers.within,
                    tls: Some(Box::default()),
                    transport: std::mem::take(&mut self.layers.transport),
                    ..Layers::default()
                };
                let session = tls::Session::new(work);
                self.layers.layer = Layer::Tls(Box::new(Tls { session, inner }));
                self.replay(&mut detection);
            }
            Detected::Server { client, arrival, request } => {
                let first = both(arrival.at.time);
                self.start_http2(client, Start::Foreign, Start::Frames, Recognition::PriorKnowledge, &first);
                self.take(client, &arrival, &request);
                self.replay(&mut detection);
            }
            Detected::Switched { client, switch } => {
                self.switch(client, &switch);
                self.replay(&mut detection);
            }
        }
        self.tell_of_fin();
    }

    /// The server may have ended its direction before it was known that this is HTTP/2.
    fn tell_of_fin(&mut self) {
        let Layer::Http2(http2) = &mut self.layers.layer else { return };
        for from in [Direction::Forward, Direction::Backward] {
            let fin = self.layers.fins.get_mut(from.index()).and_then(Option::take);
            if let Some((at, received)) = fin.filter(|_| http2.side(from) == Side::Server) {
                http2.server_closes(at, received, self.cx);
            }
        }
    }

    /// HTTP/1.1 has led to something else. The opening keeps what of the server's bytes is behind the response.
    fn switch(&mut self, client: Direction, switch: &Switch) {
        if let Some(upgraded) = &switch.upgraded {
            let first = both(upgraded.first.time);
            self.start_http2(client, Start::Preface, Start::Frames, Recognition::Upgrade, &first);
            if let Layer::Http2(http2) = &mut self.layers.layer {
                http2.upgrade(upgraded, self.cx);
            }
        } else {
            self.layers.depth += 1;
            self.layers.layer = Layer::Detection(Box::default());
        }
        for (arrival, bytes) in switch.client_pieces() {
            self.take(client, arrival, bytes);
        }
    }

    /// What is read of a direction came at its time `first`, or later.
    fn start_http2(
        &mut self,
        client: Direction,
        client_start: Start,
        server_start: Start,
        how: Recognition,
        first: &PerDirection<Timestamp>,
    ) {
        let ends = self.layers.ends.unwrap_or([Endpoint::UNKNOWN; 2]);
        let [client_end, server_end] = match client {
            Direction::Forward => ends,
            Direction::Backward => [ends[1], ends[0]],
        };
        let meta = ConnectionMeta {
            id: self.layers.id,
            client: client_end,
            server: server_end,
            tls: self.layers.tls.clone(),
            parent: self.layers.parent,
            client_is_forward: client == Direction::Forward,
            authority: None,
        };
        let how = if self.layers.tls.is_some() && how == Recognition::PriorKnowledge {
            Recognition::Alpn
        } else {
            how
        };
        let (within, settings) = (self.layers.within, self.cx.settings);
        let mut http2 = Box::new(Http2::new(meta, client_start, server_start, how, within, settings));
        for from in [Direction::Forward, Direction::Backward] {
            http2.set_unseen(from, !self.layers.seen.get(from.index()).copied().unwrap_or(true));
        }
        http2.begin_timing(&mut self.layers.transport, first, self.cx.now.time);
        let encrypted = self.layers.tls.is_some();
        if how == Recognition::Upgrade || encrypted || self.layers.syn.get(client.index()) == Some(&true) {
            http2.set_upgrade_known();
        } else {
            http2.lose_first_request();
        }
        self.layers.layer = Layer::Http2(http2);
    }

    /// Pushes what the opening kept into what it turned out to be.
    fn replay(&mut self, detection: &mut Detection) {
        let lost = detection.lost_start();
        if let (Layer::Http2(http2), Some((from, arrival, cause))) = (&mut self.layers.layer, lost) {
            http2.lose_start(from, &arrival, cause);
        }
        let (pieces, bytes) = detection.take();
        for piece in pieces {
            match piece.what {
                What::Bytes { start, end } if start == end => {}
                What::Bytes { start, end } => {
                    self.take(piece.from, &piece.arrival, bytes.get(start..end).unwrap_or_default());
                }
                What::Gap(gap) => self.gap(piece.from, &piece.arrival, gap),
            }
        }
    }

    /// Takes bytes, also such as the opening kept: nobody but [`Self::data`] tells the agent of them.
    fn take(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        let cx = &mut *self.cx;
        match &mut self.layers.layer {
            Layer::Http2(http2) => http2.data(from, arrival, bytes, cx),
            Layer::Tls(_) => {
                self.with_tls(|session, keys, work, sink| {
                    if let Layer::Http2(http2) = &mut sink.layers.layer {
                        http2.set_held(from.reverse(), session.is_behind(from.reverse()));
                    }
                    session.data(keys, work, from, arrival, bytes, sink);
                });
            }
            Layer::Fresh => {
                self.layers.layer = Layer::Detection(Box::default());
                self.take(from, arrival, bytes);
            }
            Layer::Detection(detection) => {
                if self.layers.depth > limits::OPENING_DEPTH {
                    let first = !std::mem::replace(&mut detection.too_deep, true);
                    cx.totals.report.limits.add(Limit::OpeningDepth, first.into());
                    return;
                }
                // Where a handshake was seen, the other side's first bytes may only be late.
                let wait = match (self.layers.syn, self.layers.seen) {
                    ([false, false], _) => 0,
                    (_, [true, true]) => limits::DETECTION_PIECES,
                    _ => tuning::UNSEEN_PIECES,
                };
                detection.equal_ports = self.layers.syn == [false, false]
                    && self.layers.tls.is_none()
                    && self.layers.ends.is_some_and(|ends| are_equal(ends.map(|end| end.port)));
                let known = detection.data(from, arrival, bytes, wait);
                let limited = std::mem::take(&mut detection.http1_limited);
                cx.totals.report.limits.add(Limit::Http1, limited.into());
                if let Some(known) = known {
                    self.known(known);
                }
            }
        }
    }
}

/// The same of both directions.
const fn both(time: Timestamp) -> PerDirection<Timestamp> {
    PerDirection { forward: time, backward: time }
}

/// Either of the ports may be a client's, which its system has chosen, or a server's.
fn are_equal([one, other]: [u16; 2]) -> bool {
    let (lower, higher) = (one.min(other), one.max(other));
    lower >= tuning::SERVER_PORTS && (lower >= tuning::CLIENT_PORTS || higher < tuning::CLIENT_PORTS)
}

impl<O: Output> ByteSink for LayersInput<'_, '_, O> {
    fn data(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        if let (Some(_), Some(ends), None) = (&self.layers.tls, self.layers.ends, self.layers.parent) {
            let [forward, backward] = ends;
            let (src, dst) =
                if from == Direction::Forward { (forward, backward) } else { (backward, forward) };
            self.cx.out.tls_record(self.cx.now, arrival.at, src, dst, bytes);
        }
        self.take(from, arrival, bytes);
    }

    fn gap(&mut self, from: Direction, arrival: &Arrival, gap: Gap) {
        let cx = &mut *self.cx;
        if gap.received
            && let Some(http2) = self.layers.layer.http2_mut()
        {
            http2.set_missed(from, arrival.at);
        }
        match &mut self.layers.layer {
            Layer::Http2(http2) => http2.gap(from, arrival, gap, cx),
            Layer::Tls(_) => {
                self.with_tls(|session, keys, work, sink| {
                    session.gap(keys, work, from, arrival, gap.len, sink);
                });
            }
            Layer::Fresh => {
                let mut detection = Box::<Detection>::default();
                detection.lose_start(from, arrival, gap);
                self.layers.layer = Layer::Detection(detection);
            }
            Layer::Detection(detection) => {
                if let Some(known) = detection.gap(from, arrival, gap) {
                    self.known(known);
                }
            }
        }
    }

    fn worse(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        if let Layer::Http2(http2) = &mut self.layers.layer {
            return http2.worse(from, arrival, bytes, self.cx);
        }
        // TLS proves its records, and before a protocol is known, it is not known from such bytes.
        let gap = Gap::new(Some(bytes.len() as u64), GapCause::Damaged);
        self.gap(from, arrival, gap);
    }

    fn is_sated(&self) -> bool {
        self.cx.is_sated()
    }

    fn end(&mut self, from: Direction, arrival: &Arrival, how: End) {
        let at = arrival.at;
        if let Some(ended) = self.layers.ended.get_mut(from.index()) {
            ended.get_or_insert(how);
        }
        let received = arrival.acknowledged.unwrap_or(self.cx.received[from.reverse()]);
        let end = DirectionEnd::new(from, arrival, how);
        // The one that waited for a hole to fill is told of later, and may have ended before.
        if self.layers.first_end.is_none_or(|first| end.is_before(&first)) {
            self.layers.first_end = Some(end);
        }
        self.layers.ended_at = self.layers.ended_at.max(at);
        let cx = &mut *self.cx;
        match &mut self.layers.layer {
            Layer::Tls(_) => {
                self.with_tls(|session, keys, work, sink| session.end(keys, work, from, arrival, how, sink));
            }
            // No response can come any more, whatever the client sends.
            Layer::Http2(http2) if how == End::Fin && http2.side(from) == Side::Server => {
                http2.server_closes(at, received, cx);
            }
            Layer::Http2(_) => {}
            Layer::Fresh | Layer::Detection(_) => {
                let fin = (how == End::Fin).then_some((at, received));
                if let Some(known) = self.layers.fins.get_mut(from.index()) {
                    *known = known.or(fin);
                }
            }
        }
    }
}

impl<O: Output> tls::PlaintextSink for LayersInput<'_, '_, O> {
    fn describe(&mut self, description: &Description) {
        let known = match &mut self.layers.layer {
            Layer::Http2(http2) => &mut http2.meta.tls,
            _ => &mut self.layers.tls,
        };
        *known = Some(Box::new(description.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's first segment may come after the client's hello.
    #[test]
    fn who_was_seen_is_known_inside_tls_too() {
        let session = tls::Session::new(&tls::Workspace::default());
        let layer = Layer::Tls(Box::new(Tls { session, inner: Layers::default() }));
        let mut layers = Layers { layer, ..Layers::default() };
        layers.note_sender(Direction::Backward);
        assert_eq!((layers.seen, layers.innermost().seen), ([false, true], [false, true]));
    }

    /// The plaintext of the records that the agent is given.
    #[derive(Default)]
    struct Records(Vec<(u16, Vec<u8>)>);

    impl crate::record::RecordSink for Records {
        fn transaction(&mut self, _: Moment, _: &ConnectionMeta, _: &crate::record::Transaction) {}
        fn connection(&mut self, _: Moment, _: &crate::record::ConnectionRecord) {}
        fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &crate::http2::frame::FrameView<'_>) {}
        fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &crate::record::Finding) {}
    }

    impl Output for Records {
        fn tls_record(&mut self, _: Moment, _: Moment, from: Endpoint, _: Endpoint, plaintext: &[u8]) {
            self.0.push((from.port, plaintext.to_vec()));
        }
    }

    /// Whatever the opening keeps until it knows what it is.
    #[test]
    fn the_agent_is_given_each_tls_record_once() {
        let (settings, keys) = (super::super::PipelineConfig::default(), tls::KeyStore::default());
        let (mut totals, mut work) = (super::super::context::Totals::default(), tls::Workspace::default());
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        let request = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];
        let settings_frame = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let opening = [crate::http2::PREFACE.as_slice(), &settings_frame, &request].concat();
        for at in [0, 1, 10, opening.len()] {
            let (mut layers, mut out) = (Layers::default(), Records::default());
            (layers.tls, layers.ends) = (Some(Box::default()), Some([end(1), end(2)]));
            let (first, second) = opening.split_at(at);
            let pieces = [
                (Direction::Forward, first),
                (Direction::Backward, &settings_frame),
                (Direction::Forward, second),
                (Direction::Backward, &settings_frame),
            ];
            let mut sent = Vec::new();
            for (from, bytes) in pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
                let cx =
                    &mut Context::new(Moment::default(), &settings, &mut totals, &mut work, &keys, &mut out);
                LayersInput { layers: &mut layers, cx }.data(from, &Arrival::default(), bytes);
                sent.push((if from == Direction::Forward { 1 } else { 2 }, bytes.to_vec()));
            }
            assert!(matches!(layers.layer, Layer::Http2(_)), "cut at {at}");
            assert_eq!(out.0, sent, "cut at {at}");
        }
    }
}
