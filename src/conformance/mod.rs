//! The rules of RFC 9113 that take more than one frame to break: stream states, field sections, settings, flow
//! control, floods. `http2` itself finds what a single frame breaks.
//!
//! No rule accuses where something may be missing: a side that was joined late, or lost frames, is judged only by
//! what its later frames alone prove; and what depends on the order of the two directions is a suspicion first
//! (see `suspicion`).

mod block;
mod control;
mod ended_streams;
mod evidence;
mod exchange;
mod findings;
mod flow;
mod ordinary;
mod rates;
mod record;
mod repeats;
mod section;
mod streams;
mod suspicion;
#[cfg(test)]
mod tests;

use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::http2::frame::{Flags, FrameHeader, FrameType, FrameView};
use crate::http2::{
    Anomaly, Block, BlockEnd, EventContext, EventSink, Foreign, FrameSpot, Ledger, PerSide, SettingsChange,
    SettingsValues, Side, UpgradeRequest, hpack, opener,
};
use crate::record::{Detail, Finding};
use ended_streams::EndedBy;
use findings::Findings;
use rates::Rates;
use section::{Method, SectionRules};
use streams::{Sighting, StreamState, Streams};
use suspicion::{Excuse, Suspicion, Suspicions};

const HEADER_TABLE_SIZE: u16 = 1;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// Judges the conduct of both sides of a connection.
#[derive(Debug, Default)]
pub struct Judge {
    /// What was found.
    findings: Findings,
    sides: PerSide<Conduct>,
    streams: Streams,
    section: SectionRules,
    /// The frame that begins a header block is malformed: its block cannot be judged.
    block_malformed: bool,
    /// The fields of the block in hand are judged.
    judges_block: bool,
    suspicions: Suspicions,
    /// An upgrade from HTTP/1.1, which opens stream 1 and carries settings, was seen if there was one.
    upgrade_known: bool,
    /// The server sent frames on stream 1 before that was known, or the request.
    early_answer: bool,
    /// Where the frame in hand began.
    frame_at: Moment,
    /// The two directions are known not to be in order.
    swapped: bool,
    /// Streams that were looked at for a change of their window: no more than there were frames.
    credit: usize,
    /// Suspicions that were dropped because there were too many, and windows that were not looked at.
    dropped: u64,
    /// Times that evidence was left out because a cap may have kept it from being known.
    unproved: u64,
    /// All frames go through the rules.
    #[cfg(test)]
    thorough: bool,
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
    losses: u64,
    /// A frame of it was read.
    begun: bool,
    /// It does not begin as HTTP/2 does, or framing was lost: what is read may be none of its frames.
    unjudged: bool,
    /// It looked as if it had broken a rule, and what its peer had done was not known: that was not judged.
    spared: bool,
    /// It has announced `ENABLE_CONNECT_PROTOCOL`.
    connect_protocol: bool,
    goaway: Option<Goaway>,
    rates: Rates,
}

/// A GOAWAY that was sent.
#[derive(Clone, Copy, Debug)]
struct Goaway {
    last_stream: u32,
    at: Moment,
    /// It says that settings were not acknowledged, and so it was when it was read.
    waits_for_settings: bool,
    /// The payload of a PING that was sent after it.
    ping: Option<[u8; 8]>,
    /// The peer has acknowledged that.
    received: bool,
}

impl Conduct {
    /// Its first frame comes: SETTINGS, if it is the first that the side sent.
    #[cold]
    const fn begin(&mut self, header: &FrameHeader) {
        let settings = matches!(header.kind, FrameType::SETTINGS) && !header.flags.has(Flags::ACK);
        self.whole = !self.late && self.losses == 0 && settings;
    }
}

impl Judge {
    /// A judge of a connection of which the client's or the server's beginning is not in the capture.
    pub fn new(late: (bool, bool)) -> Self {
        let mut rules = Self::default();
        (rules.sides[Side::Client].late, rules.sides[Side::Server].late) = late;
        rules
    }

    /// Whether the connection was upgraded from HTTP/1.1 is known: the client's SYN was seen.
    pub fn set_upgrade_known(&mut self) {
        self.upgrade_known = true;
    }

    /// Times that a cap kept something from being judged.
    pub fn limited(&self) -> u64 {
        self.streams.forgotten + self.dropped
    }

    /// Times that a cap kept the evidence of an error from being told.
    pub const fn evidence_limited(&self) -> u64 {
        self.unproved
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.findings.memory() + self.streams.memory() + self.suspicions.memory()
    }

    /// What `http2` found in a single frame or block, before the events that the frame leads to.
    fn take_anomaly(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment) {
        let from = cx.from;
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
        self.suspect(cx, Suspicion { from, anomaly, stream, at, excuse, needs: 1 });
    }

    /// The direction waits for a hole to fill, or does not.
    pub fn set_stalled(&mut self, side: Side, stalled: bool) {
        if stalled {
            self.withdraw(side);
        }
        self.sides[side].stalled = stalled;
    }

    /// Something that is no violation was found by who measures time.
    pub fn note(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment, detail: Detail) {
        self.findings.add_with(from, stream, anomaly, at, detail);
    }

    /// Frames of this side were lost.
    fn lose(&mut self, side: Side) {
        self.sides[side].losses += 1;
        (self.sides[side].whole, self.sides[side].unjudged) = (false, true);
        self.withdraw(side);
    }

    /// What `by` did is not known any more: its peer is suspected of nothing.
    fn withdraw(&mut self, by: Side) {
        self.sides[by.peer()].spared |= self.suspicions.withdraw(by);
    }

    /// Stream 1 was opened by an upgrade: its request is whole.
    fn open_upgraded(&mut self, request: &UpgradeRequest<'_>) {
        self.streams.highest[Side::Client] = 1;
        let stream = self.streams.open(1, request.first.time, PerSide::default());
        (stream.sides[Side::Client].headers, stream.sides[Side::Client].ended) = (Sighting::Yes, true);
        stream.sides[Side::Server].headers = Sighting::No;
        let head = request.fields.iter().any(|&(name, value)| name == b":method" && value == b"HEAD");
        stream.method = if head { Method::Head } else { Method::Other };
        stream.counted = Some(Side::Client);
        self.streams.active[Side::Client] += 1;
    }

    /// A frame, before the header block that it ends, goes through the rules.
    #[inline(never)]
    fn take_frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let (from, header, at) = (cx.from, &frame.header, frame.at);
        self.frame_at = at;
        self.credit = self.credit.saturating_add(1);
        self.suspicions.advance(from, at, &mut self.findings);
        self.streams.note(header.stream);
        if header.stream == 1 {
            self.early_answer |= !from.is_client() && !self.upgrade_known;
        }
        self.block_malformed &= header.kind == FrameType::CONTINUATION;
        let side = &mut self.sides[from];
        if !std::mem::replace(&mut side.begun, true) {
            side.begin(header);
        }
        let unjudged = side.unjudged;
        match header.kind {
            // Floods are told by their number: some frames more or less change nothing.
            FrameType::CONTINUATION => self.count(from, header.stream, Anomaly::ContinuationFlood, at),
            FrameType::PRIORITY => self.count(from, header.stream, Anomaly::PriorityFlood, at),
            _ if unjudged => {}
            FrameType::DATA if header.stream == 0 => self.use_window(cx, 0, header.length, at),
            FrameType::DATA => self.data(cx, frame),
            FrameType::HEADERS if header.stream == 0 => {}
            FrameType::HEADERS => self.headers(cx, header.stream, at),
            _ => self.take_control(cx, frame),
        }
    }

    /// A frame that bears no part of a message.
    #[inline(never)]
    fn take_control(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let (from, header) = (cx.from, &frame.header);
        match header.kind {
            FrameType::SETTINGS | FrameType::WINDOW_UPDATE | FrameType::PUSH_PROMISE if frame.is_cut() => {
                self.lose(from);
            }
            FrameType::SETTINGS => self.settings(from, frame),
            FrameType::PING => self.ping(from, frame),
            FrameType::GOAWAY => self.goaway(cx, frame),
            FrameType::WINDOW_UPDATE => self.window_update(cx, frame),
            _ if header.stream == 0 => {}
            FrameType::RST_STREAM => {
                self.reset_code(from, frame);
                self.reset(cx, header.stream, frame.at);
            }
            FrameType::PUSH_PROMISE => self.push_promise(cx, frame),
            _ => {}
        }
    }

    /// What was found, in the order in which it was first seen; told once.
    pub fn findings(&mut self) -> impl Iterator<Item = Finding> + use<> {
        self.findings.drain()
    }

    /// Both sides are read to the end. `closed`: the connection was; else the capture ended.
    pub fn finish(&mut self, closed: bool, ledger: &Ledger, now: Moment) {
        for side in [Side::Client, Side::Server] {
            if !self.sides[side].whole {
                self.withdraw(side);
            }
        }
        self.suspicions.finish(closed, now, &mut self.findings);
        for side in [Side::Client, Side::Server] {
            let known = self.sides[side].whole && self.sides[side.peer()].whole && self.settings_seen(side);
            if let (Some(early), true) = (ledger.early_acknowledgments(side), known) {
                self.findings.add(side.peer(), 0, Anomaly::SettingsAckUnasked, early.first);
                for _ in 1..early.count.min(2) {
                    self.findings.add(side.peer(), 0, Anomaly::SettingsAckUnasked, early.last);
                }
            }
            let waits = self.sides[side].goaway.as_ref().is_some_and(|goaway| goaway.waits_for_settings);
            if let (Some(announced), true) = (ledger.unacknowledged_settings(side), waits && known) {
                self.findings.add(side.peer(), 0, Anomaly::SettingsTimeout, announced);
            }
        }
    }

    /// No settings of the side can have come with a request to upgrade that was not seen.
    const fn settings_seen(&self, side: Side) -> bool {
        self.upgrade_known || !side.is_client()
    }

    /// The most that the peer of a side may take for allowed; `None` where that is not known.
    fn most(&self, ledger: &Ledger, of: Side, value: impl Fn(&SettingsValues) -> u32) -> Option<u32> {
        ledger.most(of, value).filter(|_| self.settings_seen(of))
    }

    /// All that both sides sent was read, and in the order in which they sent it.
    fn both_known(&self) -> bool {
        self.sides[Side::Client].whole && self.sides[Side::Server].whole && !self.swapped
    }

    /// What the sender did is a violation unless its peer has excused it: also with what has not been read yet.
    fn suspect(&mut self, cx: &EventContext<'_>, suspicion: Suspicion) {
        let ahead = cx.ledger.is_ahead(suspicion.from);
        let (side, peer) = (&self.sides[suspicion.from], &self.sides[suspicion.from.peer()]);
        if side.whole && peer.whole && !ahead && !peer.stalled && !self.swapped {
            self.dropped += u64::from(!self.suspicions.add(suspicion));
        } else {
            self.sides[suspicion.from].spared = true;
        }
    }

    /// A frame on a stream of the peer that the peer has not opened, as far as it was read.
    fn suspect_idle(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment) {
        let excuse = Excuse::Opened(stream);
        self.suspect(cx, Suspicion { from: cx.from, anomaly, stream, at, excuse, needs: 1 });
    }

    fn count(&mut self, from: Side, stream: u32, flood: Anomaly, at: Moment) {
        if self.sides[from].rates.add(flood, at) {
            self.findings.add(from, stream, flood, at);
        }
    }

    /// The state of a stream for what `from` sends on it.
    fn state(&self, id: u32, from: Side) -> StreamState {
        match self.streams.state(id, from) {
            // An upgrade that was not seen may have opened it.
            StreamState::Never if id == 1 && !self.upgrade_known => StreamState::Over(EndedBy::FORGOTTEN),
            state => state,
        }
    }
}

impl EventSink for Judge {
    fn wants_frames(&self) -> bool {
        true
    }

    fn frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let is_ordinary = match frame.header.kind {
            FrameType::DATA => self.is_ordinary_data(cx, &frame.header),
            FrameType::HEADERS => self.is_ordinary_headers(cx, frame),
            _ => false,
        };
        if !is_ordinary {
            self.take_frame(cx, frame);
        }
    }

    fn whole_data(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>, _: &[u8], _: FrameSpot) {
        if !self.is_ordinary_data(cx, &frame.header) {
            self.take_frame(cx, frame);
        }
    }

    fn block_start(&mut self, _: &EventContext<'_>, block: &Block) {
        self.start_block(block);
    }

    #[inline]
    fn wanted_fields(&self) -> hpack::NameSet {
        if self.judges_block { hpack::NameSet::SPECIAL } else { hpack::NameSet::default() }
    }

    #[inline]
    fn pass_field(&mut self) {
        self.section.pass();
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        self.take_field(field);
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        self.end_block(cx, block, end);
    }

    fn upgraded(&mut self, _: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        self.open_upgraded(request);
    }

    fn settings_changed(&mut self, cx: &EventContext<'_>, change: &SettingsChange) {
        if !self.sides[cx.from].unjudged {
            self.change_settings(cx, change, self.frame_at);
        }
    }

    fn begins(&mut self, from: Side) {
        self.sides[from].late = false;
    }

    fn lost(&mut self, cx: &EventContext<'_>, _: GapCause) {
        self.lose(cx.from);
    }

    fn foreign(&mut self, cx: &EventContext<'_>, what: &Foreign) {
        self.sides[cx.from].unjudged = true;
        self.findings.add_foreign(cx.from, what, cx.at());
    }

    fn anomaly(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment) {
        self.take_anomaly(cx, stream, anomaly, at);
    }
}
