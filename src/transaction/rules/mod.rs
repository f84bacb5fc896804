//! The rules of RFC 9113 that take more than one frame to break: stream states, field sections, settings, flow
//! control, floods. `http2` itself finds what a single frame breaks.
//!
//! No rule accuses where something may be missing: a side that was joined late, or lost frames, is judged only by
//! what its later frames alone prove; and what depends on the order of the two directions is a suspicion first
//! (see `suspicion`).

mod flow;
mod pair;
mod past;
mod rates;
mod section;
mod streams;
mod suspicion;
mod terms;
#[cfg(test)]
mod tests;

use super::findings::Findings;
use crate::http2::frame::{Data, Flags, FrameType, FrameView, Settings};
use crate::http2::{Anomaly, Block, BlockEnd, Side, hpack};
use crate::time::Moment;
use crate::tuning;
use flow::Flow;
use pair::Pair;
use past::Left;
use rates::Rates;
use section::{Method, Role, Section};
use streams::{Sighting, State, Streams, opener};
use suspicion::{Excuse, Suspicion, Suspicions};
use terms::Terms;

const HEADER_TABLE_SIZE: u16 = 1;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// Judges the conduct of both sides of a connection.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// What was found.
    pub(super) findings: Findings,
    sides: Pair<Conduct>,
    streams: Streams,
    section: Section,
    /// The frame that begins a header block is malformed: its block cannot be judged.
    block_malformed: bool,
    suspicions: Suspicions,
    /// An upgrade from HTTP/1.1, which opens stream 1 and carries settings, was seen if there was one.
    upgrade_known: bool,
    /// The two directions are known not to be in order.
    swapped: bool,
    /// Streams that were looked at for a change of their window: no more than there were frames.
    credit: usize,
    /// Suspicions that were dropped because there were too many, and windows that were not looked at.
    dropped: u64,
}

/// What is known of one side.
#[derive(Debug, Default)]
struct Conduct {
    /// Its first frame, and all since, were read.
    whole: bool,
    /// It was joined late.
    late: bool,
    /// The direction waits for a hole to fill.
    stalled: bool,
    /// It has acknowledged what of its peer has not been read yet.
    ahead: bool,
    losses: u64,
    frames: u64,
    /// It does not begin as HTTP/2 does, or framing was lost: what is read may be none of its frames.
    unjudged: bool,
    flow: Flow,
    /// What it announced.
    terms: Terms,
    goaway: Option<Goaway>,
    rates: Rates,
}

/// A GOAWAY that was sent.
#[derive(Clone, Copy, Debug)]
struct Goaway {
    last_stream: u32,
    at: Moment,
    /// The payload of a PING that was sent after it.
    ping: Option<[u8; 8]>,
    /// The peer has acknowledged that.
    received: bool,
}

impl Rules {
    /// Rules for a connection of which the client's or the server's beginning is not in the capture.
    pub(super) fn new(late: (bool, bool)) -> Self {
        let mut rules = Self::default();
        (rules.sides[Side::Client].late, rules.sides[Side::Server].late) = late;
        rules.sides[Side::Client].terms.set_unseen(true);
        rules
    }

    /// Whether the connection was upgraded from HTTP/1.1 is known: the client's SYN was seen.
    pub(super) fn set_upgrade_known(&mut self) {
        self.upgrade_known = true;
        self.sides[Side::Client].terms.set_unseen(false);
    }

    /// Times that a cap kept something from being judged.
    pub(super) fn limited(&self) -> u64 {
        let terms = self.sides[Side::Client].terms.limited + self.sides[Side::Server].terms.limited;
        self.streams.forgotten + self.dropped + terms
    }

    /// What `http2` found in a single frame or block, before the events that the frame leads to.
    pub(super) fn anomaly(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment) {
        let side = &mut self.sides[from];
        if anomaly == Anomaly::SettingsFirst {
            // A server that begins otherwise may not speak HTTP/2, and its frames be none.
            side.unjudged = !from.is_client();
        } else if side.unjudged {
            return;
        }
        // The settings that allow it may have been captured later.
        let excuse = match anomaly {
            Anomaly::FrameSize => Excuse::Announced(MAX_FRAME_SIZE),
            Anomaly::HpackSizeUpdate => Excuse::Announced(HEADER_TABLE_SIZE),
            _ => {
                self.block_malformed |= matches!(
                    anomaly,
                    Anomaly::HeadersSize
                        | Anomaly::HeadersPadding
                        | Anomaly::PushPromiseSize
                        | Anomaly::PushPromisePadding
                );
                return self.findings.add(from, stream, anomaly, at);
            }
        };
        self.suspect(Suspicion { from, anomaly, stream, at, excuse, needs: 1 });
    }

    /// The direction waits for a hole to fill, or does not.
    pub(super) fn set_stalled(&mut self, side: Side, stalled: bool) {
        if stalled {
            self.suspicions.withdraw(side);
        }
        self.sides[side].stalled = stalled;
    }

    /// The side has, or has not, acknowledged what of its peer has not been read yet.
    pub(super) fn set_ahead(&mut self, side: Side, ahead: bool) {
        self.sides[side].ahead = ahead;
    }

    /// Frames of this side were lost.
    pub(super) fn lost(&mut self, side: Side) {
        self.sides[side].losses += 1;
        (self.sides[side].whole, self.sides[side].unjudged) = (false, true);
        self.suspicions.withdraw(side);
    }

    /// A setting that came without a frame, with the request to upgrade.
    pub(super) fn setting(&mut self, from: Side, id: u16, value: u32) {
        if self.sides[from].frames == 0 {
            self.sides[from].terms.set(id, value);
        }
    }

    /// Stream 1 was opened by an upgrade (RFC 7540 section 3.2): its request is whole.
    pub(super) fn upgraded(&mut self, method: &[u8], at: Moment) {
        self.streams.highest[Side::Client] = 1;
        let stream = self.streams.open(1, at.time, Pair::default());
        (stream.sides[Side::Client].headers, stream.sides[Side::Client].ended) = (Sighting::Yes, true);
        stream.sides[Side::Server].headers = Sighting::No;
        stream.method = if method == b"HEAD" { Method::Head } else { Method::Other };
        stream.counted = Some(Side::Client);
        self.streams.active[Side::Client] += 1;
    }

    /// A frame, before the header block that it ends.
    #[cold]
    pub(super) fn frame(&mut self, frame: &FrameView<'_>) {
        let from = if frame.from_client { Side::Client } else { Side::Server };
        let (header, at, payload) = (&frame.header, frame.at, frame.payload);
        self.credit = self.credit.saturating_add(1);
        self.suspicions.advance(from, at, &mut self.findings);
        self.streams.note(header.stream);
        self.block_malformed &= header.kind == FrameType::CONTINUATION;
        let cut = header.kind != FrameType::DATA && payload.len() < header.length as usize;
        let side = &mut self.sides[from];
        if side.frames == 0 {
            let settings = header.kind == FrameType::SETTINGS && !header.flags.has(Flags::ACK);
            side.whole = !side.late && side.losses == 0 && settings;
        }
        side.frames += 1;
        if side.unjudged {
            // Floods are told by their number: some frames more or less change nothing.
            return match header.kind {
                FrameType::CONTINUATION => self.count(from, header.stream, Anomaly::ContinuationFlood, at),
                FrameType::PRIORITY => self.count(from, header.stream, Anomaly::PriorityFlood, at),
                _ => {}
            };
        }
        match header.kind {
            FrameType::SETTINGS | FrameType::WINDOW_UPDATE | FrameType::PUSH_PROMISE if cut => {
                self.lost(from);
            }
            FrameType::SETTINGS => self.settings(from, frame),
            FrameType::PING => self.ping(from, frame),
            FrameType::GOAWAY => self.goaway(from, frame),
            FrameType::CONTINUATION => self.count(from, header.stream, Anomaly::ContinuationFlood, at),
            FrameType::PRIORITY => self.count(from, header.stream, Anomaly::PriorityFlood, at),
            FrameType::WINDOW_UPDATE => self.window_update(from, frame),
            FrameType::DATA if header.stream == 0 => self.use_window(from, 0, header.length, at),
            _ if header.stream == 0 => {}
            FrameType::DATA => self.data(from, frame),
            FrameType::HEADERS => self.headers(from, header.stream, at),
            FrameType::RST_STREAM => self.reset(from, header.stream, at),
            FrameType::PUSH_PROMISE => self.push_promise(from, frame),
            _ => {}
        }
    }

    /// A header block begins.
    #[cold]
    pub(super) fn block_start(&mut self, block: &Block) {
        let from = block.from;
        let certain = self.sides[from].whole;
        let role = if block.promised.is_some() {
            Role::Request
        } else {
            let sent = self.streams.get_mut(block.stream).map(|stream| stream.sides[from]);
            match sent.filter(|sent| !sent.ended).map(|sent| sent.headers) {
                Some(Sighting::Yes) => Role::Trailers,
                Some(Sighting::No) if certain && from.is_client() => Role::Request,
                Some(Sighting::No) if certain => Role::Response,
                _ => Role::Unknown,
            }
        };
        self.section = Section::new(block, role, std::mem::take(&mut self.block_malformed));
    }

    /// A field of it.
    #[cold]
    pub(super) fn field(&mut self, field: &hpack::Field<'_>) {
        if !self.sides[self.section.from()].unjudged {
            self.section.field(field, &mut self.findings);
        }
    }

    /// The header block is over.
    #[cold]
    pub(super) fn block_end(&mut self, block: &Block, end: &BlockEnd) {
        let (from, id, at) = (block.from, block.stream, block.last);
        if self.sides[from].unjudged {
            return;
        }
        self.section.end(end, &mut self.findings);
        self.list_size(block, end);
        let losses = self.sides[from].losses;
        let (method, status, length) = (self.section.method, self.section.status, self.section.length);
        if let Some(promised) = block.promised {
            if let Some(stream) = self.streams.get_mut(promised) {
                stream.method = method;
            }
            return;
        }
        let interim = matches!(status, Some(100..=199));
        if let Some(stream) = self.streams.get_mut(id) {
            let sent = &mut stream.sides[from];
            match self.section.role() {
                Role::Request => {
                    (sent.headers, sent.losses, sent.length) = (Sighting::Yes, losses, length);
                    stream.method = method;
                }
                Role::Response if interim => {}
                Role::Response if status.is_some() => {
                    let binds = match (stream.method, status) {
                        (Method::Unknown | Method::Head, _) | (_, Some(204 | 304)) => false,
                        (Method::Connect, Some(status)) => !(200..300).contains(&status),
                        _ => true,
                    };
                    (sent.headers, sent.losses) = (Sighting::Yes, losses);
                    sent.length = length.filter(|_| binds);
                }
                Role::Response => sent.headers = Sighting::Unknown,
                Role::Trailers | Role::Unknown => {}
            }
        }
        match self.section.role() {
            Role::Trailers if !block.end_stream => {
                self.findings.add(from, id, Anomaly::TrailersWithoutEnd, at);
            }
            Role::Response if interim && block.end_stream => {
                self.findings.add(from, id, Anomaly::InterimEnd, at);
            }
            _ => {}
        }
        if block.end_stream {
            self.end(from, id, at);
        }
    }

    /// Both sides are read to the end. `closed`: the connection was; else the capture ended.
    pub(super) fn conclude(&mut self, closed: bool, now: Moment) {
        for side in [Side::Client, Side::Server] {
            if !self.sides[side].whole {
                self.suspicions.withdraw(side);
            }
        }
        self.suspicions.conclude(closed, now, &mut self.findings);
        for side in [Side::Client, Side::Server] {
            let known = self.sides[side].whole && self.sides[side.peer()].whole;
            if let (Some((count, first, last)), true) = (self.sides[side].terms.unasked(), known) {
                self.findings.add(side.peer(), 0, Anomaly::SettingsAckUnasked, first);
                for _ in 1..count.min(2) {
                    self.findings.add(side.peer(), 0, Anomaly::SettingsAckUnasked, last);
                }
            }
        }
    }

    /// All that both sides sent was read, and in the order in which they sent it.
    fn both_known(&self) -> bool {
        self.sides[Side::Client].whole && self.sides[Side::Server].whole && !self.swapped
    }

    /// What `from` did is a violation unless its peer has excused it.
    fn suspect(&mut self, suspicion: Suspicion) {
        let (side, peer) = (&self.sides[suspicion.from], &self.sides[suspicion.from.peer()]);
        if side.whole && peer.whole && !side.ahead && !peer.stalled && !self.swapped {
            self.dropped += u64::from(!self.suspicions.add(suspicion));
        }
    }

    /// A frame on a stream of the peer that the peer has not opened, as far as it was read.
    fn suspect_idle(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment) {
        self.suspect(Suspicion { from, anomaly, stream, at, excuse: Excuse::Opened(stream), needs: 1 });
    }

    fn count(&mut self, from: Side, stream: u32, flood: Anomaly, at: Moment) {
        if self.sides[from].rates.add(flood, at) {
            self.findings.add(from, stream, flood, at);
        }
    }

    /// The state of a stream for what `from` sends on it.
    fn state(&self, id: u32, from: Side) -> State {
        match self.streams.state(id, from) {
            // An upgrade that was not seen may have opened it.
            State::Never if id == 1 && !self.upgrade_known => State::Over(Left::FORGOTTEN),
            state => state,
        }
    }

    /// What any frame but PRIORITY breaks on a stream that its sender has left. Whether it broke something.
    fn after_end(&mut self, from: Side, id: u32, sends: bool, at: Moment) -> bool {
        let (ended, reset) = match self.state(id, from) {
            State::Never => return false,
            State::Open { ended } => (ended, false),
            State::Over(left) if from.is_client() => {
                (left.has(Left::CLIENT_ENDED), left.has(Left::CLIENT_RESET))
            }
            State::Over(left) => (left.has(Left::SERVER_ENDED), left.has(Left::SERVER_RESET)),
        };
        let anomaly = match (ended && sends, reset) {
            (true, _) => Anomaly::StreamClosed,
            (false, true) => Anomaly::StreamReset,
            _ => return false,
        };
        self.findings.add(from, id, anomaly, at);
        true
    }

    /// HEADERS (section 6.2): opens a stream, answers, or ends with trailers.
    fn headers(&mut self, from: Side, id: u32, at: Moment) {
        if id == 1 && from.is_client() && self.sides[from].whole && self.streams.highest[from] == 0 {
            // An upgrade would have ended its request.
            self.set_upgrade_known();
        }
        if from.is_client() && opener(id) == Side::Server {
            let promised = matches!(self.state(id, from), State::Open { .. });
            let anomaly = if promised { Anomaly::StreamReserved } else { Anomaly::StreamParity };
            self.findings.add(from, id, anomaly, at);
            return;
        }
        if self.after_end(from, id, true, at) {
            return;
        }
        let never = self.state(id, from) == State::Never;
        let whole = self.sides[from].whole;
        let highest = self.streams.highest[opener(id)];
        if opener(id) == from && (never || id > highest) {
            if from.is_client() {
                if id < highest && whole {
                    self.findings.add(from, id, Anomaly::StreamOrder, at);
                }
                self.new_stream(from, id, at);
            } else if whole {
                self.findings.add(from, id, Anomaly::StreamIdle, at);
            }
            self.streams.highest[from] = highest.max(id);
        } else if opener(id) != from && never {
            self.unopened(from, id, Anomaly::StreamIdle, at);
        }
        let whole = self.wholeness();
        if matches!(self.state(id, from), State::Never | State::Open { .. }) {
            let stream = self.streams.open(id, at.time, whole);
            if opener(id) == from && stream.counted.is_none() {
                stream.counted = Some(from);
                self.streams.active[from] += 1;
                self.concurrency(from, id, at);
            }
        }
    }

    /// A frame of `from` on a stream of its peer that was never open.
    fn unopened(&mut self, from: Side, id: u32, anomaly: Anomaly, at: Moment) {
        if id > self.streams.highest[from.peer()] {
            self.suspect_idle(from, id, anomaly, at);
        } else if self.both_known() && anomaly == Anomaly::StreamIdle {
            // The peer has gone on to a later stream, which closed this one (section 5.1.1).
            self.findings.add(from, id, Anomaly::StreamClosed, at);
        }
    }

    /// The client opens a stream.
    fn new_stream(&mut self, from: Side, id: u32, at: Moment) {
        self.swapped |= self.suspicions.excuse(from, at, 1, |excuse| match excuse {
            Excuse::Opened(stream) => opener(stream) == from && stream <= id,
            _ => false,
        });
        if let Some(goaway) = self.sides[from.peer()].goaway {
            let late = at.time.since(goaway.at.time) > tuning::GOAWAY_GRACE;
            if id > self.streams.highest[from] && (goaway.received || late) {
                self.findings.add(from, id, Anomaly::GoawayNewStream, at);
            }
        }
    }

    fn concurrency(&mut self, from: Side, stream: u32, at: Moment) {
        let most = self.sides[from.peer()].terms.most(|values| values.concurrent);
        let active = self.streams.active[from];
        if let Some(most) = most.filter(|&most| active > most && self.both_known()) {
            let (anomaly, needs) = (Anomaly::StreamConcurrency, u64::from(active - most));
            self.suspect(Suspicion { from, anomaly, stream, at, excuse: Excuse::Closed, needs });
        }
    }

    fn wholeness(&self) -> Pair<bool> {
        let mut whole = Pair::default();
        for side in [Side::Client, Side::Server] {
            whole[side] = self.sides[side].whole;
        }
        whole
    }

    /// DATA (section 6.1).
    fn data(&mut self, from: Side, frame: &FrameView<'_>) {
        let (header, at) = (&frame.header, frame.at);
        let (id, ends) = (header.stream, header.flags.has(Flags::END_STREAM));
        self.use_window(from, id, header.length, at);
        let content = Data::parse(header, frame.payload)
            .filter(|data| data.padding.is_none_or(|padding| u32::from(padding) < header.length))
            .map(|data| data.data_length);
        if content == Some(0) && !ends {
            self.count(from, id, Anomaly::EmptyDataFlood, at);
        }
        let reserved = from.is_client() && opener(id) == Side::Server;
        if reserved && matches!(self.state(id, from), State::Open { .. }) {
            self.findings.add(from, id, Anomaly::StreamReserved, at);
            return;
        }
        if self.after_end(from, id, true, at) {
            return;
        }
        let whole = self.sides[from].whole;
        match self.state(id, from) {
            State::Never if opener(id) == from && whole => {
                let idle = id > self.streams.highest[from];
                let anomaly = if idle { Anomaly::StreamIdle } else { Anomaly::StreamClosed };
                self.findings.add(from, id, anomaly, at);
            }
            State::Never if opener(id) != from => self.unopened(from, id, Anomaly::StreamIdle, at),
            State::Open { .. } => {
                let Some(stream) = self.streams.get_mut(id) else { return };
                let sent = &mut stream.sides[from];
                sent.body = sent.body.zip(content).map(|(body, more)| body.saturating_add(more.into()));
                if sent.headers == Sighting::No && whole {
                    self.findings.add(from, id, Anomaly::DataBeforeHeaders, at);
                }
            }
            State::Never | State::Over(_) => {}
        }
        if ends {
            self.end(from, id, at);
        }
    }

    /// `from` ends the stream.
    fn end(&mut self, from: Side, id: u32, at: Moment) {
        let losses = self.sides[from].losses;
        let ended = if from.is_client() { Left::CLIENT_ENDED } else { Left::SERVER_ENDED };
        let Some(stream) = self.streams.get_mut(id) else {
            if let State::Over(_) = self.state(id, from) {
                self.streams.close(id, ended);
            }
            return;
        };
        let sent = &mut stream.sides[from];
        let whole = sent.headers == Sighting::Yes && sent.losses == losses;
        if let (Some(length), Some(body), true) = (sent.length, sent.body, whole)
            && length != body
            && !std::mem::replace(&mut sent.ended, true)
        {
            self.findings.add(from, id, Anomaly::ContentLength, at);
        }
        sent.ended = true;
        if stream.sides[from.peer()].ended || (opener(id) == Side::Server && !from.is_client()) {
            self.close(from, id, ended, at);
        }
    }

    fn close(&mut self, by: Side, id: u32, left: Left, at: Moment) {
        if self.streams.close(id, left) == Some(by.peer()) {
            self.suspicions.excuse(by, at, 1, |excuse| excuse == Excuse::Closed);
        }
    }

    /// `RST_STREAM` (section 6.4).
    fn reset(&mut self, from: Side, id: u32, at: Moment) {
        let reset = if from.is_client() { Left::CLIENT_RESET } else { Left::SERVER_RESET };
        match self.state(id, from) {
            State::Never if opener(id) == from => {
                if id > self.streams.highest[from] && self.sides[from].whole {
                    self.findings.add(from, id, Anomaly::RstStreamIdle, at);
                }
                return;
            }
            State::Never => {
                if id > self.streams.highest[from.peer()] {
                    self.suspect_idle(from, id, Anomaly::RstStreamIdle, at);
                }
                return;
            }
            State::Open { .. } => {}
            State::Over(_) => {
                self.streams.close(id, reset);
                return;
            }
        }
        let since = self.streams.get_mut(id).map(|stream| stream.since);
        if opener(id) == from && since.is_some_and(|since| at.time.since(since) <= tuning::RAPID_RESET) {
            self.count(from, id, Anomaly::RapidReset, at);
        }
        self.close(from, id, reset, at);
    }

    /// `PUSH_PROMISE` (section 6.6).
    fn push_promise(&mut self, from: Side, frame: &FrameView<'_>) {
        let (id, at) = (frame.header.stream, frame.at);
        let Some(crate::http2::frame::Payload::PushPromise(promise)) =
            crate::http2::frame::Payload::parse(&frame.header, frame.payload)
        else {
            return;
        };
        if from.is_client() {
            return;
        }
        let allowed = self.sides[Side::Client].terms.most(|values| values.push);
        if allowed == Some(0) && self.sides[Side::Client].whole {
            self.findings.add(from, id, Anomaly::PushPromiseDisabled, at);
        }
        if opener(id) == Side::Server {
            self.findings.add(from, id, Anomaly::PushPromiseStream, at);
        } else if !self.after_end(from, id, true, at) && self.state(id, from) == State::Never {
            self.unopened(from, id, Anomaly::StreamIdle, at);
        }
        let promised = promise.promised_stream;
        if promised == 0 || opener(promised) == Side::Client || promised <= self.streams.highest[from] {
            self.findings.add(from, id, Anomaly::PushPromiseId, at);
            return;
        }
        self.swapped |= self.suspicions.excuse(from, at, 1, |excuse| match excuse {
            Excuse::Opened(stream) => opener(stream) == from && stream <= promised,
            _ => false,
        });
        self.streams.highest[from] = promised;
        let whole = self.wholeness();
        let stream = self.streams.open(promised, at.time, whole);
        (stream.sides[Side::Client].headers, stream.sides[Side::Client].ended) = (Sighting::Yes, true);
    }

    /// SETTINGS (section 6.5).
    fn settings(&mut self, from: Side, frame: &FrameView<'_>) {
        let at = frame.at;
        let Some(settings) = Settings::parse(&frame.header, frame.payload) else { return };
        if settings.ack {
            let peer = &mut self.sides[from.peer()];
            if let Some(before) = peer.terms.acknowledged(at) {
                let now = peer.terms.in_force().window;
                self.window_shrank(from, before.window, now, at);
            }
            return;
        }
        self.count(from, 0, Anomaly::SettingsFlood, at);
        let terms = &mut self.sides[from].terms;
        let before = terms.latest().window;
        self.swapped |= terms.announced(&settings);
        let now = terms.latest().window;
        for (id, value) in settings.iter() {
            let generous = match id {
                HEADER_TABLE_SIZE => value > 4096,
                MAX_FRAME_SIZE => value > 16_384,
                _ => true,
            };
            self.suspicions.excuse(from, at, 1, |excuse| generous && excuse == Excuse::Announced(id));
            let terms = &mut self.sides[from].terms;
            if id == ENABLE_CONNECT_PROTOCOL && value == 0 && terms.connect_protocol {
                self.findings.add(from, 0, Anomaly::SettingsConnectProtocol, at);
            } else if id == ENABLE_CONNECT_PROTOCOL {
                terms.connect_protocol = value == 1;
            }
        }
        self.window_grew(from, before, now, at);
    }

    /// PING (section 6.7).
    fn ping(&mut self, from: Side, frame: &FrameView<'_>) {
        let payload = frame.payload.first_chunk().copied();
        if !frame.header.flags.has(Flags::ACK) {
            if let Some(goaway) = &mut self.sides[from].goaway {
                goaway.ping = goaway.ping.or(payload);
            }
            self.count(from, 0, Anomaly::PingFlood, frame.at);
        } else if let Some(goaway) = &mut self.sides[from.peer()].goaway {
            goaway.received |= goaway.ping.is_some() && goaway.ping == payload;
        }
    }

    /// GOAWAY (section 6.8).
    fn goaway(&mut self, from: Side, frame: &FrameView<'_>) {
        let Some(&[a, b, c, d]) = frame.payload.first_chunk() else { return };
        let last_stream = u32::from_be_bytes([a & 0x7f, b, c, d]);
        match &mut self.sides[from].goaway {
            Some(before) => {
                let increased = last_stream > before.last_stream;
                before.last_stream = before.last_stream.min(last_stream);
                if increased {
                    self.findings.add(from, 0, Anomaly::GoawayIncreased, frame.at);
                }
            }
            none => *none = Some(Goaway { last_stream, at: frame.at, ping: None, received: false }),
        }
    }

    /// The header section is larger than h2lens or the receiver takes (section 10.5.1).
    fn list_size(&mut self, block: &Block, end: &BlockEnd) {
        let limited = end.limited || end.cut == Some(crate::flow::GapCause::Limit);
        let most = self.sides[block.from.peer()].terms.most(|values| values.list);
        let size = end.decoded_bytes + 32 * u64::from(end.fields);
        let beyond = most.is_some_and(|most| size > u64::from(most)) && self.both_known();
        let (from, stream, at) = (block.from, block.stream, block.last);
        let anomaly = Anomaly::HeaderListLimit;
        if limited {
            self.findings.add(from, stream, anomaly, at);
        } else if beyond {
            let excuse = Excuse::Announced(MAX_HEADER_LIST_SIZE);
            self.suspect(Suspicion { from, anomaly, stream, at, excuse, needs: 1 });
        }
    }
}
