//! One direction of an HTTP/2 connection: bytes → frames → header blocks and events.
//!
//! State: where in a frame the next byte belongs, the frame's payload where it must be read whole, an open header
//! block, the HPACK table, and after a loss the buffer in which a boundary is looked for. Frames that lie within
//! one segment are read where they are; DATA is counted, never kept.
//!
//! ```text
//!        its beginning is known                             it was joined late
//!                 │                                            │        │
//!             Preface ──24 octets──▶ Header ◀──── the preface ─ Unread   │
//!                                    │    ▲                       │      │
//!   no frame begins so ◀─────────────┤    │ all of the payload    │ other octets, or a gap
//!           │                        ▼    │                       ▼      ▼
//!        Foreign                    Payload ── a gap ───────────▶ Lost ◀─┘
//!                                                                 │ a frame boundary is found
//!   Header ◀──────────────────────────────────────────────────────┘ (and lost again, where what
//!                                                                    follows cannot be a frame)
//! ```
//!
//! A gap within the payload of DATA is no loss: the frame's length tells where the next one begins.

mod assembly;
mod block;
mod foreign;
mod loss;
mod openings;
mod segment;
mod whole;
mod worse;

use super::anomaly::Anomaly;
use super::block::FrameSpot;
use super::event::{EventContext, EventSink, SettingsChange};
use super::foreign::FirstLine;
use super::frame::{self, Flags, FrameHeader, FrameType, FrameView, Goaway, Ping, RstStream, Settings};
use super::hpack;
use super::ledger::Ledger;
use super::resync::SearchBuffer;
use super::side::Side;
use crate::base::limits;
use crate::base::time::Moment;
use crate::flow::{Arrival, GapCause};
use assembly::Assembly;
use openings::Openings;
use segment::Segment;

/// The client connection preface (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug)]
pub(super) struct Half {
    from: Side,
    state: ParseState,
    /// A frame header that has not wholly arrived.
    head: Vec<u8>,
    head_at: Moment,
    frame: Frame,
    payload: Vec<u8>,
    cuts: Vec<u32>,
    /// A header block whose end is still to come.
    assembly: Assembly,
    /// The last header block is not whole, or its beginning was not seen: CONTINUATIONs of it may follow.
    block_lost: bool,
    decoder: hpack::Decoder,
    openings: Openings,
    buffer: SearchBuffer,
    /// Framing was found again after a loss: what is not believable means another loss.
    recovered: bool,
    last_gap: GapCause,
    segment: Segment,
    first_frame: bool,
    /// The first bytes that were seen may not be the side's first.
    unsure: bool,
    /// Frames of which the cap left a part alone.
    payloads_limited: u64,
    /// Of a side that does not speak HTTP/2.
    first_line: FirstLine,
    /// The bytes in hand have a wrong checksum.
    tainted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParseState {
    /// So many octets of the preface are still to come.
    Preface(usize),
    /// Nothing was read but so many octets of the preface: if all of it comes, the side is read from its first octet.
    Unread(usize),
    Header,
    Payload,
    Lost,
    /// The side does not speak HTTP/2.
    Foreign,
}

/// The frame being read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: FrameHeader,
    at: Moment,
    /// Segment that its header ended in.
    segment: u64,
    /// The header was not within one segment.
    header_split: bool,
    /// Packet with the payload's first octet.
    body_at: Option<Moment>,
    /// Payload octets still to come.
    left: u32,
    /// Of DATA: padding octets, once known.
    padding: Option<u32>,
    /// Octets of the payload are lost, from the end of what was kept.
    lossy: Option<GapCause>,
    /// No octet follows in the capture.
    unfinished: bool,
    /// Octets of it, or of its header, had a wrong checksum.
    tainted: bool,
    begun_tainted: bool,
}

impl Half {
    pub(super) fn new(from: Side, preface: bool) -> Self {
        let state = if preface { ParseState::Preface(PREFACE.len()) } else { ParseState::Header };
        Self { openings: Openings::of_all(), ..Self::with(from, state, hpack::Decoder::new()) }
    }

    /// A direction whose first bytes that were seen may not be its first.
    pub(super) fn unsure(from: Side) -> Self {
        Self { unsure: true, openings: Openings::default(), ..Self::new(from, false) }
    }

    /// A client's direction of which nothing was read: it begins with the preface, or is joined at an unknown place.
    pub(super) fn unread(from: Side) -> Self {
        Self { state: ParseState::Unread(0), ..Self::joined_late(from) }
    }

    /// A side that is known not to speak HTTP/2.
    pub(super) fn foreign(from: Side) -> Self {
        Self { state: ParseState::Foreign, ..Self::new(from, false) }
    }

    /// A direction that is joined at an unknown place.
    pub(super) fn joined_late(from: Side) -> Self {
        Self {
            recovered: true,
            first_frame: false,
            block_lost: true,
            ..Self::with(from, ParseState::Lost, hpack::Decoder::without_past())
        }
    }

    fn with(from: Side, state: ParseState, decoder: hpack::Decoder) -> Self {
        Self {
            from,
            state,
            head: Vec::new(),
            head_at: Moment::default(),
            frame: Frame::EMPTY,
            payload: Vec::new(),
            cuts: Vec::new(),
            assembly: Assembly::default(),
            block_lost: false,
            decoder,
            openings: Openings::default(),
            buffer: SearchBuffer::default(),
            recovered: false,
            last_gap: GapCause::Lost,
            segment: Segment::default(),
            first_frame: true,
            unsure: false,
            payloads_limited: 0,
            first_line: FirstLine::default(),
            tainted: false,
        }
    }

    /// A request in HTTP/1.1 has opened the client's stream 1, and ended it (RFC 7540 section 3.2).
    pub(super) fn upgraded(&mut self) {
        self.openings.note(1, true);
    }

    /// The next bytes: all from one segment.
    pub(super) fn data(
        &mut self,
        arrival: &Arrival,
        bytes: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        let bytes = match self.state {
            ParseState::Unread(known) => self.begin(known, arrival, bytes, ledger, sink),
            _ => bytes,
        };
        if self.state == ParseState::Lost {
            self.buffer.push_data(arrival, bytes);
            return self.search(ledger, false, sink);
        }
        let read = self.read(arrival, bytes, ledger, sink);
        if self.state == ParseState::Lost {
            self.buffer.push_data(arrival, bytes.get(read..).unwrap_or_default());
            self.search(ledger, false, sink);
        }
    }

    /// No byte follows: what is unfinished is reported as far as it goes.
    pub(super) fn finish(&mut self, arrival: &Arrival, ledger: &mut Ledger, sink: &mut impl EventSink) {
        self.join(arrival, ledger);
        self.finish_foreign(arrival, ledger, sink);
        if self.state == ParseState::Lost {
            self.search(ledger, true, sink);
            let skipped = self.buffer.skipped() + self.buffer.len() as u64;
            if self.state == ParseState::Lost && skipped > 0 {
                ledger.counters.skipped_bytes += skipped;
                sink.skipped(&self.context(arrival, ledger), skipped);
            }
        }
        if self.state == ParseState::Payload {
            self.frame.lossy.get_or_insert(self.last_gap);
            self.frame.unfinished = true;
            let payload = std::mem::take(&mut self.payload);
            self.close_frame(arrival, &payload, ledger, sink);
        }
        self.cut_block(arrival, self.last_gap, ledger, sink);
        self.state = ParseState::Lost;
        self.buffer.clear();
    }

    /// What comes with an event whose last byte came so.
    const fn context<'a>(&self, arrival: &'a Arrival, ledger: &'a Ledger) -> EventContext<'a> {
        EventContext { from: self.from, arrival, ledger }
    }

    /// The frame in hand breaks the protocol, at this moment.
    fn anomaly(
        &self,
        arrival: &Arrival,
        anomaly: Anomaly,
        at: Moment,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        ledger.counters.count(anomaly);
        sink.anomaly(&self.context(arrival, ledger), self.frame.header.stream, anomaly, at);
    }

    /// Frames beside DATA and header blocks that were longer than is kept.
    pub(super) const fn payloads_limited(&self) -> u64 {
        self.payloads_limited
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.payload.capacity()
            + self.cuts.capacity() * size_of::<u32>()
            + self.assembly.memory()
            + self.decoder.memory()
            + self.openings.memory()
            + self.buffer.memory()
            + self.first_line.memory()
    }

    /// Reads bytes of one segment, until framing is lost; returns how many were read.
    fn read(
        &mut self,
        arrival: &Arrival,
        bytes: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) -> usize {
        self.segment.begin();
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.state {
                ParseState::Preface(left) => {
                    let (_, after) = rest.split_at(left.min(rest.len()));
                    self.state = match left - (rest.len() - after.len()) {
                        0 => ParseState::Header,
                        left => ParseState::Preface(left),
                    };
                    rest = after;
                }
                ParseState::Header => {
                    rest = match self.read_whole_data(arrival, rest, ledger, sink) {
                        Some(after) => after,
                        None => self.read_header(arrival, rest, ledger, sink),
                    };
                }
                ParseState::Payload => {
                    let (part, after) = rest.split_at((self.frame.left as usize).min(rest.len()));
                    self.read_payload(arrival, part, ledger, sink);
                    rest = after;
                }
                ParseState::Foreign => {
                    self.read_foreign(rest, arrival, ledger, sink);
                    rest = &[];
                }
                ParseState::Unread(_) | ParseState::Lost => break,
            }
        }
        bytes.len() - rest.len()
    }

    /// The first bytes of a direction, or the next ones of its preface; returns those after it.
    fn begin<'a>(
        &mut self,
        known: usize,
        arrival: &Arrival,
        bytes: &'a [u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) -> &'a [u8] {
        let expected = PREFACE.get(known..).unwrap_or_default();
        let (part, rest) = bytes.split_at(expected.len().min(bytes.len()));
        if !expected.starts_with(part) {
            self.join(arrival, ledger);
            return bytes;
        }
        self.state = ParseState::Unread(known + part.len());
        if part.len() == expected.len() {
            *self = Self::new(self.from, false);
            sink.begins(self.from);
        }
        rest
    }

    /// Reads a frame header, or the part of it that is here; returns the bytes after it.
    fn read_header<'a>(
        &mut self,
        arrival: &Arrival,
        rest: &'a [u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) -> &'a [u8] {
        let split = !self.head.is_empty();
        let (header, after) = if split {
            let (part, after) = rest.split_at((frame::LEN - self.head.len()).min(rest.len()));
            self.head.extend_from_slice(part);
            let Some(header) = FrameHeader::read(&self.head) else { return after };
            (header, after)
        } else {
            let Some((header, after)) = rest.split_first_chunk() else {
                self.head.extend_from_slice(rest);
                self.head_at = arrival.at;
                return &[];
            };
            (FrameHeader::parse(header), after)
        };
        let began = if split { self.head_at } else { arrival.at };
        if self.first_frame {
            let begin =
                if split { self.head.clone() } else { rest.get(..frame::LEN).unwrap_or_default().to_vec() };
            if self.begins_foreign(&begin, ledger) {
                self.turn_foreign(&begin, arrival, ledger, sink);
                return after;
            }
        }
        self.head.clear();
        let first = header.kind == FrameType::SETTINGS
            && header.stream == 0
            && header.length.is_multiple_of(6)
            && !header.flags.has(Flags::ACK);
        if std::mem::take(&mut self.unsure) && !first {
            self.lose(arrival, self.last_gap, ledger, sink);
            self.lose_past();
            return rest;
        }
        if self.recovered && super::plausibility::header_bits(&header, &ledger.expect(self.from)).is_none() {
            // Not a frame header after all, or a frame that no rule allows: framing is lost again.
            self.lose(arrival, self.last_gap, ledger, sink);
            self.lose_past();
            return rest;
        }
        self.open_frame(header, began, (!split).then_some(after.len()), arrival, ledger, sink);
        after
    }

    /// A frame begins. `here`: so many bytes are here behind its header, if that came in one piece.
    fn open_frame(
        &mut self,
        header: FrameHeader,
        began: Moment,
        here: Option<usize>,
        arrival: &Arrival,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.frame = Frame {
            header,
            at: began,
            segment: self.segment.number(),
            header_split: here.is_none(),
            body_at: None,
            left: header.length,
            padding: None,
            lossy: None,
            unfinished: false,
            tainted: self.tainted,
            begun_tainted: self.tainted,
        };
        ledger.credit.earn(frame::LEN as u64);
        ledger.saw_stream(self.from, header.stream);
        self.segment.count(&header, &mut ledger.counters);
        if here.is_some_and(|here| self.is_whole_block(&header, here)) {
            sink.block_header(&self.context(arrival, ledger), &header);
        } else {
            sink.frame_header(&self.context(arrival, ledger), &header, began);
        }
        if std::mem::take(&mut self.first_frame) && header.kind != FrameType::SETTINGS {
            self.anomaly(arrival, Anomaly::SettingsFirst, began, ledger, sink);
        }
        if header.reserved {
            self.anomaly(arrival, Anomaly::ReservedBit, began, ledger, sink);
        }
        // Every receiver takes 2^14 octets (RFC 9113 section 6.5.2).
        if header.length > 1 << 14 && ledger.longest_frame(self.from).is_some_and(|most| header.length > most)
        {
            self.anomaly(arrival, Anomaly::FrameSize, began, ledger, sink);
        }
        if let Some(stream) = self.assembly.stream()
            && (header.kind != FrameType::CONTINUATION || header.stream != stream)
        {
            self.anomaly(arrival, Anomaly::ContinuationExpected, began, ledger, sink);
            self.cut_block(arrival, self.last_gap, ledger, sink);
        }
        self.payload.clear();
        self.cuts.clear();
        self.state = ParseState::Payload;
        if header.length == 0 {
            self.close_frame(arrival, &[], ledger, sink);
        }
    }

    fn read_payload(
        &mut self,
        arrival: &Arrival,
        part: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        let first = self.frame.body_at.is_none();
        self.frame.body_at.get_or_insert(arrival.at);
        self.frame.tainted |= self.tainted;
        let whole = part.len() == self.frame.header.length as usize;
        if !is_block(self.frame.header.kind) {
            ledger.credit.earn(part.len() as u64);
        } else if !whole || self.frame.at.packet != arrival.at.packet {
            sink.frame_part(&self.context(arrival, ledger), &self.frame.header, first);
        }
        self.frame.left -= part.len() as u32;
        let last = self.frame.left == 0;
        match self.frame.header.kind {
            FrameType::DATA => self.read_data(arrival, part, ledger, sink),
            // A longer one is cut at its cap, however it came.
            _ if whole && part.len() <= limits::FRAME_PAYLOAD => {
                return self.close_frame(arrival, part, ledger, sink);
            }
            _ if self.frame.lossy.is_none() => self.keep(part),
            _ => {}
        }
        if last {
            let payload = std::mem::take(&mut self.payload);
            self.close_frame(arrival, &payload, ledger, sink);
            self.payload = payload;
        } else if self.frame.lossy.is_none() && is_block(self.frame.header.kind) {
            // No more than octets that are kept.
            self.cuts.push(self.payload.len() as u32);
        }
    }

    /// Keeps payload octets of a frame that must be read whole, up to the cap of its kind.
    fn keep(&mut self, part: &[u8]) {
        let is_block = is_block(self.frame.header.kind);
        let cap = if is_block { limits::HEADER_BLOCK } else { limits::FRAME_PAYLOAD };
        let room = cap.saturating_sub(self.payload.len()).min(part.len());
        self.payload.extend_from_slice(part.get(..room).unwrap_or_default());
        if room < part.len() {
            self.frame.lossy = Some(GapCause::Limit);
            self.payloads_limited += u64::from(!is_block);
        }
    }

    /// DATA (section 6.1): pad length, data, padding.
    fn read_data(&mut self, arrival: &Arrival, part: &[u8], ledger: &mut Ledger, sink: &mut impl EventSink) {
        let mut part = part;
        if self.frame.padding.is_none() {
            self.frame.padding = Some(0);
            if self.frame.header.flags.has(Flags::PADDED) {
                let Some((&padding, rest)) = part.split_first() else { return };
                if u32::from(padding) >= self.frame.header.length {
                    self.anomaly(arrival, Anomaly::DataPadding, arrival.at, ledger, sink);
                }
                self.frame.padding = Some(u32::from(padding));
                self.payload.push(padding);
                part = rest;
            }
        }
        // What remains of the frame after this part is padding, in part or wholly.
        let padding = self.frame.padding.unwrap_or(0).saturating_sub(self.frame.left) as usize;
        let data = part.get(..part.len().saturating_sub(padding)).unwrap_or_default();
        let cx = self.context(arrival, ledger);
        if data.is_empty() {
            sink.frame_part(&cx, &self.frame.header, false);
        } else if self.tainted {
            sink.data_lost(&cx, self.frame.header.stream, data.len() as u64, GapCause::Damaged);
        } else {
            sink.data(&cx, self.frame.header.stream, data);
        }
    }

    fn close_frame(
        &mut self,
        arrival: &Arrival,
        payload: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.state = ParseState::Header;
        let header = self.frame.header;
        if self.frame.tainted && header.kind != FrameType::DATA && !is_block(header.kind) {
            // What it says of the connection is not to be relied on.
            return;
        }
        // What the snaplen has cut was in the packet.
        let lost = self.frame.lossy.is_some_and(|cause| cause != GapCause::Snaplen);
        let payload_split = self.frame.segment < self.segment.number() || lost;
        let spot =
            FrameSpot { packet: self.frame.at.packet, split: payload_split || self.frame.header_split };
        if payload_split {
            segment::count_split(&header, &mut ledger.counters);
        }
        if sink.wants_frames() {
            let from_client = self.from.is_client();
            let frame = FrameView { at: self.frame.at, from_client, header, payload };
            sink.frame(&self.context(arrival, ledger), &frame);
        }
        if self.frame.lossy.is_none() {
            super::rules::violations(self.from, &header, payload, &mut |anomaly| {
                self.anomaly(arrival, anomaly, self.frame.at, ledger, sink);
            });
        } else if header.kind != FrameType::DATA && !is_block(header.kind) {
            sink.frame_cut(&self.context(arrival, ledger), &header);
        }
        match header.kind {
            FrameType::DATA => {
                let ends = header.flags.has(Flags::END_STREAM);
                ledger.counters.ends_of_stream += u64::from(ends);
                let ends = ends && !self.frame.unfinished;
                self.openings.heard_of(header.stream, ends);
                sink.data_end(&self.context(arrival, ledger), header.stream, ends, spot);
            }
            FrameType::HEADERS | FrameType::PUSH_PROMISE => {
                self.open_block(arrival, payload, spot, ledger, sink);
            }
            FrameType::CONTINUATION => self.continue_block(arrival, payload, ledger, sink),
            FrameType::RST_STREAM => {
                ledger.counters.resets += 1;
                let code = RstStream::parse(&header, payload).map(|frame| frame.code);
                if header.stream != 0 {
                    self.openings.heard_of(header.stream, true);
                    sink.reset(&self.context(arrival, ledger), header.stream, code, spot);
                }
            }
            FrameType::PING => {
                if let Some(Ping { ack, opaque }) = Ping::parse(&header, payload) {
                    sink.ping(&self.context(arrival, ledger), ack, opaque);
                }
            }
            FrameType::SETTINGS => self.settings(arrival, &header, payload, ledger, sink),
            FrameType::GOAWAY => {
                if let Some(Goaway { last_stream, code, debug }) = Goaway::parse(&header, payload) {
                    // A part of the text may say something else.
                    let debug = if self.frame.lossy.is_some() { &[] } else { debug };
                    sink.goaway(&self.context(arrival, ledger), last_stream, code, debug);
                }
            }
            _ => {}
        }
        if let Some(change) = ledger.apply(self.from, &header, payload) {
            sink.window_changed(&self.context(arrival, ledger), change);
        }
    }

    /// SETTINGS (section 6.5).
    fn settings(
        &mut self,
        arrival: &Arrival,
        header: &FrameHeader,
        payload: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        if self.frame.lossy.is_some() {
            return ledger.lost(self.from);
        }
        let Some(settings) = Settings::parse(header, payload) else { return };
        if settings.ack {
            if let Some(before) = ledger.settings_acknowledged(self.from, self.frame.at) {
                sink.settings_changed(
                    &self.context(arrival, ledger),
                    &SettingsChange::Acknowledged { before },
                );
            }
            return;
        }
        for (id, value) in settings.iter() {
            if let Some(anomaly) = super::rules::setting_violation(self.from, id, value) {
                ledger.counters.count(anomaly);
                sink.anomaly(&self.context(arrival, ledger), 0, anomaly, self.frame.at);
            }
            sink.setting(self.from, id, value);
        }
        let before = ledger.latest_settings(self.from);
        let early = ledger.announced(self.from, self.frame.at, settings.iter());
        let change = SettingsChange::Announced { before, early };
        sink.settings_changed(&self.context(arrival, ledger), &change);
    }
}

/// A frame of this type has a part of a header block.
const fn is_block(kind: FrameType) -> bool {
    matches!(kind, FrameType::HEADERS | FrameType::PUSH_PROMISE | FrameType::CONTINUATION)
}

impl Frame {
    const EMPTY: Self = Self {
        header: FrameHeader { length: 0, kind: FrameType::DATA, flags: Flags(0), stream: 0, reserved: false },
        at: Moment { packet: 0, time: crate::base::time::Timestamp::from_nanos(0) },
        segment: 0,
        header_split: false,
        body_at: None,
        left: 0,
        padding: None,
        lossy: None,
        unfinished: false,
        tainted: false,
        begun_tainted: false,
    };
}
