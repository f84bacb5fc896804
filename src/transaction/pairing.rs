//! Pairs requests with responses: the streams of one connection, from their first frame to their end.
//!
//! State: the open streams (at most [`limits::STREAMS_CONNECTION`]), a window of the ended ones, and what the
//! connection record needs. Records are lent to the sink and their memory is used again.

use super::blocks::{BlockState, kept};
use super::closed::ClosedStreams;
use super::fields::{Field, Fields, Known};
use super::record::{
    ConnectionMeta, EndBy, EndHow, Goaway, Partial, SideFrames, SideHpack, SideSettings, StreamEnd,
};
use super::resets::{Awaited, EarlyResets};
use super::rules::Rules;
use super::sink::{RecordSink, Wanted};
use super::stream::{Losses, Stream};
use crate::counters::Counters;
use crate::flow::{GapCause, Place};
use crate::http2::frame::{FrameHeader, FrameView};
use crate::http2::{Anomaly, Block, BlockEnd, EventSink, FrameSpot, Severity, Side, hpack};
use crate::limits;
use crate::time::Moment;
use crate::tuning;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// What the transactions of a shard add up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Exact counters of cleartext connections.
    pub plaintext: Counters,
    /// Exact counters of TLS connections.
    pub tls: Counters,
    /// Transactions with nothing missing.
    pub complete: u64,
    /// Transactions with something missing; those still open at the capture's end are not among them.
    pub incomplete: u64,
    /// Transactions whose exchange was still going on when the capture ended.
    pub open: u64,
    /// Responses whose request was not seen.
    pub missed_requests: u64,
    /// Header blocks decoded whole.
    pub blocks_decoded: u64,
    /// Header blocks with fields unknown, or cut.
    pub blocks_partial: u64,
    /// Header blocks of which no field is known.
    pub blocks_lost: u64,
    /// Violations that the RFC calls errors.
    pub errors: u64,
    /// Bytes skipped in search of a frame boundary.
    pub skipped_bytes: u64,
    /// Times a side lost framing.
    pub losses: u64,
    /// Streams given up because a connection had too many.
    pub streams_evicted: u64,
    /// Streams given up because those of a connection took too much memory.
    pub streams_heavy: u64,
    /// Header sections, blocks or values that were over a cap.
    pub headers_limited: u64,
    /// Times that a cap kept something from being judged for the findings.
    pub findings_limited: u64,
    /// Header blocks with a field that names an entry of the dynamic table which a cap did not let be kept.
    pub table_limited: u64,
    /// Interim responses that were not kept.
    pub interim_limited: u64,
    /// Resets that were forgotten before their stream was opened.
    pub early_resets: u64,
    /// Frames on streams of which it is forgotten whether they have ended.
    pub ended_streams: u64,
    /// Settings that a connection record does not keep.
    pub settings_limited: u64,
    /// GOAWAY frames that a connection record does not keep, or not with all their debug data.
    pub goaways_limited: u64,
}

impl Stats {
    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.plaintext.merge(&other.plaintext);
        self.tls.merge(&other.tls);
        self.complete += other.complete;
        self.incomplete += other.incomplete;
        self.open += other.open;
        self.missed_requests += other.missed_requests;
        self.blocks_decoded += other.blocks_decoded;
        self.blocks_partial += other.blocks_partial;
        self.blocks_lost += other.blocks_lost;
        self.errors += other.errors;
        self.skipped_bytes += other.skipped_bytes;
        self.losses += other.losses;
        self.streams_evicted += other.streams_evicted;
        self.streams_heavy += other.streams_heavy;
        self.headers_limited += other.headers_limited;
        self.findings_limited += other.findings_limited;
        self.table_limited += other.table_limited;
        self.interim_limited += other.interim_limited;
        self.early_resets += other.early_resets;
        self.ended_streams += other.ended_streams;
        self.settings_limited += other.settings_limited;
        self.goaways_limited += other.goaways_limited;
    }
}

/// The exchanges of one connection.
#[derive(Debug)]
pub struct Pairing {
    /// Who and where.
    pub meta: ConnectionMeta,
    pub(super) streams: HashMap<u32, Box<Stream>, foldhash::fast::RandomState>,
    /// Bytes of memory that the open streams take.
    held: usize,
    pub(super) closed: ClosedStreams,
    pub(super) client: SideState,
    pub(super) server: SideState,
    /// Streams whose response has ended and whose request was not seen: it may be lost, or only late.
    pub(super) orphans: BTreeSet<u32>,
    pub(super) early_resets: EarlyResets,
    /// Streams that the one side has ended of which segments were seen.
    alone: VecDeque<u32>,
    /// Streams of which one side alone was told, for want of room; and those whose other side came after all.
    alone_ended: u64,
    alone_limited: u64,
    goaways: Vec<Goaway>,
    pub(super) scratch: Fields,
    pub(super) block: BlockState,
    wanted: Wanted,
    /// Judges both sides, where findings are wanted.
    rules: Option<Box<Rules>>,
    encrypted: bool,
    opened: u64,
    max_concurrent: u64,
    transactions: u64,
    /// The record does not hold all settings and GOAWAY frames.
    limited: bool,
}

/// Where one side is read, in the TCP streams of both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// In its own stream.
    pub place: Place,
    /// So far the other side's stream has been read, in bytes.
    pub peer: u64,
    /// And so far this side is known to have acknowledged that.
    pub acknowledged: u64,
}

impl Reading {
    /// So much of the other side's stream the side had received when it sent what is in this packet; `None` where that
    /// is not known exactly.
    pub(super) fn received(&self, at: Moment) -> Option<u64> {
        self.place.acknowledged.filter(|_| self.place.packet == at.packet)
    }
}

#[derive(Debug, Default)]
pub(super) struct SideState {
    pub(super) losses: Losses,
    /// No segment of this side is in the capture.
    pub(super) unseen: bool,
    /// Where it is read now.
    pub(super) reading: Reading,
    /// Its last request of which is known how much of the server's TCP stream it had received by then.
    pub(super) asked: Option<(u32, u64)>,
    /// Streams that the other side has reset: what this side had sent before is still to be read.
    pub(super) resets: Awaited,
    /// Highest stream that a header block of this side was on.
    pub(super) highest: u32,
    /// Highest stream that this side is known to have opened, and how often it had lost frames by then.
    opened: Option<(u32, u64)>,
    settings: SideSettings,
    frames: SideFrames,
    hpack: SideHpack,
    goaway: Option<(u32, u32)>,
}

/// A connection's exchanges, for the time that one packet is worked on.
#[derive(Debug)]
pub struct Session<'a, R> {
    /// The exchanges.
    pub pairing: &'a mut Pairing,
    /// What they add up to.
    pub stats: &'a mut Stats,
    /// Where the records go.
    pub records: &'a mut R,
    /// The packet.
    pub now: Moment,
    /// Memory of ended streams, to be used again.
    pub pool: &'a mut StreamPool,
}

/// Memory of ended streams.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "streams move between here and the maps of connections, and are large")]
pub struct StreamPool(Vec<Box<Stream>>);

impl Pairing {
    /// The exchanges of a new connection. `late` says for client and server whether it was joined late.
    pub fn new(meta: ConnectionMeta, wanted: Wanted, late: (bool, bool)) -> Self {
        let encrypted = meta.tls.is_some();
        let side = |late: bool| SideState {
            losses: Losses { late, ..Losses::default() },
            opened: (!late).then_some((0, 0)),
            ..SideState::default()
        };
        Self {
            meta,
            streams: HashMap::default(),
            held: 0,
            closed: ClosedStreams::default(),
            client: side(late.0),
            server: side(late.1),
            orphans: BTreeSet::new(),
            early_resets: EarlyResets::default(),
            alone: VecDeque::new(),
            alone_ended: 0,
            alone_limited: 0,
            goaways: Vec::new(),
            scratch: Fields::default(),
            block: BlockState::default(),
            wanted,
            rules: wanted.findings.then(|| Box::new(Rules::new(late))),
            encrypted,
            opened: 0,
            max_concurrent: 0,
            transactions: 0,
            limited: false,
        }
    }

    /// There are streams that end once all that this side has sent so far is read.
    pub fn awaits(&self, side: Side) -> bool {
        !self.side(side).resets.is_empty()
    }

    /// Exchanges under way.
    pub fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let ids = 2 * self.orphans.len() + self.alone.capacity();
        self.held
            + self.streams.capacity() * size_of::<(u32, Box<Stream>)>()
            + self.closed.memory()
            + self.scratch.memory()
            + self.client.resets.memory()
            + self.server.resets.memory()
            + ids * size_of::<u32>()
    }

    /// A side's segments are, or are not, in the capture.
    pub fn set_unseen(&mut self, side: Side, unseen: bool) {
        self.side_mut(side).unseen = unseen;
        if !unseen {
            self.alone.clear();
            self.alone_limited += std::mem::take(&mut self.alone_ended);
        }
    }

    /// Where the side is read now.
    pub fn set_reading(&mut self, side: Side, reading: Reading) {
        self.side_mut(side).reading = reading;
        if let Some(rules) = &mut self.rules {
            // One more is for a FIN.
            rules.set_ahead(side, reading.acknowledged > reading.peer + 1);
        }
    }

    /// Whether the connection was upgraded from HTTP/1.1 is known.
    pub fn set_upgrade_known(&mut self) {
        if let Some(rules) = &mut self.rules {
            rules.set_upgrade_known();
        }
    }

    /// Something of the connection is known to be missing.
    pub fn damaged(&self) -> bool {
        [&self.client, &self.server]
            .iter()
            .any(|side| side.losses.count > 0 || side.losses.late || side.unseen)
    }

    /// Streams that were told of without their other side, which came later.
    pub const fn one_sided_limited(&self) -> u64 {
        self.alone_limited
    }

    /// Fills the connection record in.
    pub fn describe(&mut self, record: &mut super::ConnectionRecord) {
        record.transactions = self.transactions;
        record.streams_opened = self.opened;
        record.max_concurrent = self.max_concurrent;
        record.goaway = std::mem::take(&mut self.goaways);
        record.limited = self.limited;
        record.client_settings = std::mem::take(&mut self.client.settings);
        record.server_settings = std::mem::take(&mut self.server.settings);
        (record.client_frames, record.server_frames) = (self.client.frames, self.server.frames);
        (record.client_hpack, record.server_hpack) = (self.client.hpack, self.server.hpack);
    }

    pub(super) fn side(&self, side: Side) -> &SideState {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    pub(super) fn side_mut(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl SideState {
    /// A header block without known pseudo-header fields comes on a stream. Streams are opened in increasing order
    /// (RFC 9113 section 5.1.1): it opens the stream for certain, or the stream was opened before for certain.
    pub(super) fn opening(&self, stream: u32) -> (bool, bool) {
        match self.opened {
            Some((highest, _)) if stream <= highest => (false, true),
            Some((_, losses)) => (losses == self.losses.count, false),
            None => (false, false),
        }
    }

    /// The side has opened a stream.
    pub(super) fn opened(&mut self, stream: u32) {
        if self.opened.is_none_or(|(highest, _)| stream > highest) {
            self.opened = Some((stream, self.losses.count));
        }
    }
}

impl<R: RecordSink> Session<'_, R> {
    /// The stream, opened if it is new; `None` if it had ended for what `from` sent in this packet.
    pub(super) fn stream(&mut self, id: u32, from: Side, at: Moment) -> Option<&mut Stream> {
        if !self.pairing.streams.contains_key(&id) {
            self.open_stream(id, from, at)?;
        }
        let place = self.pairing.side(from).reading.place.start;
        let stream = self.pairing.streams.get_mut(&id).map(Box::as_mut)?;
        (!stream.is_over(from, at, place)).then_some(stream)
    }

    /// Opens a stream; `None` if it has been open before.
    fn open_stream(&mut self, id: u32, from: Side, at: Moment) -> Option<()> {
        let late = self.pairing.client.losses.late || self.pairing.server.losses.late;
        self.stats.ended_streams += u64::from(self.pairing.closed.is_forgotten(id));
        if id == 0 || self.pairing.closed.contains(id, !late) {
            return None;
        }
        if self.pairing.streams.len() >= limits::STREAMS_CONNECTION {
            self.stats.streams_evicted += self.evict();
        }
        let pairing = &mut *self.pairing;
        let mut stream = self.pool.0.pop().unwrap_or_default();
        stream.start_over(id, at);
        stream.client.losses_at_start = pairing.client.losses.count;
        stream.server.losses_at_start = match from {
            // A push begins with its promise.
            _ if id.is_multiple_of(2) => pairing.server.losses.count,
            Side::Client => pairing.server.losses.before(pairing.client.reading.received(at)),
            Side::Server if pairing.client.unseen || late => pairing.server.losses.count,
            // The request was not seen: it came after those before it.
            Side::Server => {
                let earlier = pairing.client.asked.filter(|&(stream, _)| stream < id);
                pairing.server.losses.before(earlier.map(|(_, received)| received))
            }
        };
        stream.reset = pairing.early_resets.take(id);
        stream.weight = stream.memory();
        pairing.held += stream.weight;
        pairing.streams.insert(id, stream);
        pairing.opened += 1;
        pairing.max_concurrent = pairing.max_concurrent.max(pairing.streams.len() as u64);
        Some(())
    }

    /// The open streams are too many: the lowest quarter goes, so that room is made seldom. How many went.
    fn evict(&mut self) -> u64 {
        let mut open: Vec<u32> = self.pairing.streams.keys().copied().collect();
        open.sort_unstable();
        open.truncate(open.len() / 4 + 1);
        for &id in &open {
            if let Some(stream) = self.pairing.streams.get_mut(&id) {
                stream.record.partial.insert(Partial::LIMIT);
            }
            let reset = self.pairing.streams.get(&id).and_then(|stream| stream.reset);
            let idle = StreamEnd { by: EndBy::Capture, how: EndHow::Idle, code: None };
            self.finish_stream(id, reset.map_or(idle, |reset| reset.end));
        }
        open.len() as u64
    }

    /// A stream has taken fields in: the connection's streams are kept within their memory.
    fn weigh(&mut self, id: u32) {
        let pairing = &mut *self.pairing;
        let Some(stream) = pairing.streams.get_mut(&id) else { return };
        let memory = stream.memory();
        let before = std::mem::replace(&mut stream.weight, memory);
        pairing.held = pairing.held.saturating_sub(before) + memory;
        while self.pairing.held > limits::STREAM_MEMORY_CONNECTION && !self.pairing.streams.is_empty() {
            self.stats.streams_heavy += self.evict();
        }
    }

    pub(super) fn finish_stream(&mut self, id: u32, end: StreamEnd) {
        let pairing = &mut *self.pairing;
        let Some(mut stream) = pairing.streams.remove(&id) else { return };
        pairing.held = pairing.held.saturating_sub(stream.weight);
        if !pairing.orphans.is_empty() {
            pairing.orphans.remove(&id);
        }
        pairing.closed.insert(id);
        pairing.transactions += 1;
        // A reset stream needs no response; but there may have been one.
        if pairing.server.unseen && !stream.record.response.seen {
            stream.record.partial.insert(Partial::NO_RESPONSE);
        }
        stream.conclude(end, &pairing.client.losses, &pairing.server.losses);
        let record = &stream.record;
        if record.partial.is_empty() {
            self.stats.complete += 1;
        } else if end.how == EndHow::Eof && record.partial.only_unfinished() {
            self.stats.open += 1;
        } else {
            self.stats.incomplete += 1;
        }
        self.stats.missed_requests += u64::from(!record.request.seen && record.response.seen);
        if pairing.wanted.transactions || pairing.wanted.telemetry {
            self.records.transaction(self.now, &pairing.meta, record);
        }
        if self.pool.0.len() < tuning::STREAM_POOL {
            stream.trim();
            self.pool.0.push(stream);
        }
    }

    fn end_side(&mut self, from: Side, id: u32, spot: FrameSpot) {
        let losses = self.pairing.side(from).losses.count;
        let Some(stream) = self.pairing.streams.get_mut(&id) else { return };
        stream.end_side(from, losses, spot);
        let by = by(from);
        let whole = stream.ended();
        let (request, response) = (&stream.record.request, &stream.record.response);
        let alone =
            (response.ended && self.pairing.client.unseen) || (request.ended && self.pairing.server.unseen);
        let orphan = response.ended && !request.seen && request.first.is_none() && id % 2 == 1;
        if whole || (orphan && self.request_is_lost(id)) {
            self.finish_stream(id, StreamEnd { by, how: EndHow::EndStream, code: None });
        } else if alone {
            self.wait_alone(id, by);
        } else if orphan {
            self.pairing.orphans.insert(id);
        }
    }

    /// A side has ended the stream, and of the other no segment was ever seen. It may only be late; when many such
    /// streams have come together, the other direction is not in the capture.
    fn wait_alone(&mut self, id: u32, by: EndBy) {
        self.pairing.alone.push_back(id);
        if self.pairing.alone.len() > limits::ONE_SIDED_STREAMS
            && let Some(oldest) = self.pairing.alone.pop_front()
        {
            self.pairing.alone_ended += 1;
            self.finish_stream(oldest, StreamEnd { by, how: EndHow::EndStream, code: None });
        }
    }

    /// The client has sent the header block of a later stream, so this one's is not still to come.
    pub(super) fn request_is_lost(&self, id: u32) -> bool {
        self.pairing.client.highest > id
    }

    /// A direction waits for a hole to fill, or does not.
    pub fn set_holes(&mut self, client: bool, server: bool) {
        if let Some(rules) = &mut self.pairing.rules {
            rules.set_stalled(Side::Client, client);
            rules.set_stalled(Side::Server, server);
        }
    }

    /// Ends the streams whose response has ended and whose request cannot come any more.
    pub(super) fn finish_orphans(&mut self) {
        while let Some(&id) = self.pairing.orphans.first()
            && self.request_is_lost(id)
        {
            self.pairing.orphans.remove(&id);
            let Some(stream) = self.pairing.streams.get(&id) else { continue };
            let ended = StreamEnd { by: EndBy::Server, how: EndHow::EndStream, code: None };
            match stream.reset {
                Some(reset) => self.finish_stream(id, reset.end),
                None if stream.record.request.first.is_none() => self.finish_stream(id, ended),
                None => {}
            }
        }
    }

    /// The connection is over: its open streams end, in order.
    pub fn finish(&mut self, by: EndBy, how: EndHow) {
        let mut open: Vec<u32> = self.pairing.streams.keys().copied().collect();
        open.sort_unstable();
        for id in open {
            let refused = [Side::Client, Side::Server].into_iter().find_map(|side| {
                let (last, code) = self.pairing.side(side).goaway?;
                let opener = if id % 2 == 1 { Side::Client } else { Side::Server };
                (side == opener.peer() && id > last).then_some((side, code))
            });
            let reset = self.pairing.streams.get(&id).and_then(|stream| stream.reset);
            let end = match refused {
                _ if reset.is_some() => reset.map(|reset| reset.end).unwrap_or_default(),
                Some((side, code)) => StreamEnd { by: self::by(side), how: EndHow::Goaway, code: Some(code) },
                None => StreamEnd { by, how, code: None },
            };
            self.finish_stream(id, end);
        }
        if let Some(mut rules) = self.pairing.rules.take() {
            rules.conclude(matches!(how, EndHow::Fin | EndHow::Rst), self.now);
            self.stats.findings_limited += rules.limited();
            for finding in rules.findings.drain() {
                self.records.finding(self.now, &self.pairing.meta, &finding);
            }
        }
    }

    /// The request of stream 1, made with HTTP/1.1 (RFC 7540 section 3.2), whole with its body.
    pub fn upgraded_request(&mut self, fields: &[(&[u8], &[u8])], body: u64, first: Moment, last: Moment) {
        let keep_all = self.pairing.wanted.headers;
        let mut headers = Fields::default();
        for &(name, value) in fields {
            let known = Known::of(name);
            if keep_all || known != Known::Other {
                headers.push(Field {
                    name: Some(name),
                    value: Some(value),
                    known,
                    source: hpack::Source::Exact,
                    reference: None,
                });
            }
            if known == Known::Path {
                self.counters().record_path(value.len() as u64);
            }
        }
        self.counters().requests += 1;
        self.pairing.client.opened(1);
        if let Some(rules) = &mut self.pairing.rules {
            rules.upgraded(headers.value(Known::Method).unwrap_or_default(), first);
        }
        let Some(stream) = self.stream(1, Side::Client, first) else { return };
        stream.touch(Side::Client, first);
        stream.touch(Side::Client, last);
        stream.record.request.body = body;
        stream.take_headers(Side::Client, &mut headers, &BlockEnd::default(), false);
        self.end_side(Side::Client, 1, FrameSpot::default());
    }
}

impl<R: RecordSink> EventSink for Session<'_, R> {
    fn counters(&mut self) -> &mut Counters {
        if self.pairing.encrypted { &mut self.stats.tls } else { &mut self.stats.plaintext }
    }

    fn wants_frames(&self) -> bool {
        self.pairing.wanted.frames || self.pairing.rules.is_some()
    }

    fn frame_header(&mut self, from: Side, header: &FrameHeader, _: Moment) {
        let frames = &mut self.pairing.side_mut(from).frames;
        match frames.by_type.get_mut(usize::from(header.kind.0)) {
            Some(count) if header.kind.name().is_some() => *count += 1,
            _ => frames.unknown += 1,
        }
    }

    fn frame(&mut self, frame: &FrameView<'_>) {
        if let Some(rules) = &mut self.pairing.rules {
            rules.frame(frame);
        }
        if self.pairing.wanted.frames {
            self.records.frame(self.now, &self.pairing.meta, frame);
        }
    }

    fn block_start(&mut self, block: &Block) {
        self.pairing.scratch.clear();
        // Trailers are always shown whole; what a block is may be known only once it is over.
        let seen = self.pairing.streams.get(&block.stream).is_some_and(|stream| match block.from {
            Side::Client => stream.record.request.seen,
            Side::Server => stream.record.response.seen,
        });
        let keep_all = self.pairing.wanted.headers || (seen && block.promised.is_none());
        self.pairing.block = BlockState::start(keep_all);
        if let Some(rules) = &mut self.pairing.rules {
            rules.block_start(block);
        }
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        let pairing = &mut *self.pairing;
        if let Some(rules) = &mut pairing.rules {
            rules.field(field);
        }
        let (known, keep) = pairing.block.field(field);
        if keep {
            pairing.scratch.push(kept(field, known));
        }
    }

    fn block_end(&mut self, block: &Block, end: &BlockEnd) {
        let hpack = &mut self.pairing.side_mut(block.from).hpack;
        hpack.wire_bytes += end.wire_bytes;
        hpack.decoded_bytes += end.decoded_bytes;
        if let Some(rules) = &mut self.pairing.rules {
            rules.block_end(block, end);
        }
        self.end_block(block, end);
        self.pairing.scratch.trim();
        self.weigh(block.promised.unwrap_or(block.stream));
        if block.end_stream {
            self.end_side(block.from, block.stream, block.spot);
        }
    }

    fn data(&mut self, from: Side, stream: u32, at: Moment, bytes: &[u8]) {
        if let Some(stream) = self.stream(stream, from, at) {
            stream.data(from, at, bytes);
        }
    }

    fn data_lost(&mut self, from: Side, stream: u32, at: Moment, len: u64, cause: GapCause) {
        if let Some(stream) = self.stream(stream, from, at) {
            stream.data_lost(from, at, len, cause);
        }
    }

    fn data_end(&mut self, from: Side, stream: u32, at: Moment, end_stream: bool, spot: FrameSpot) {
        let losses = self.pairing.server.losses.count;
        if let Some(open) = self.stream(stream, from, at) {
            open.touch(from, at);
            // DATA follows the final response's header section only.
            if from == Side::Server && open.settle_response(losses) {
                self.counters().responses += 1;
            }
            if end_stream {
                self.end_side(from, stream, spot);
            }
        }
    }

    fn reset(&mut self, from: Side, stream: u32, code: Option<u32>, at: Moment, spot: FrameSpot) {
        self.reset_stream(from, stream, code, at, spot);
    }

    fn goaway(&mut self, from: Side, last_stream: u32, code: u32, debug: &[u8], _: Moment) {
        let side = self.pairing.side_mut(from);
        side.goaway = Some((last_stream, code));
        let room = self.pairing.goaways.len() < limits::GOAWAY_KEPT;
        let limited = !room || debug.len() > limits::GOAWAY_DEBUG;
        if room {
            let debug = debug.get(..debug.len().min(limits::GOAWAY_DEBUG)).unwrap_or_default().to_vec();
            self.pairing.goaways.push(Goaway { by: by(from), last_stream, code, debug });
        }
        self.pairing.limited |= limited;
        self.stats.goaways_limited += u64::from(limited);
    }

    fn setting(&mut self, from: Side, id: u16, value: u32) {
        if let Some(rules) = &mut self.pairing.rules {
            rules.setting(from, id, value);
        }
        let settings = &mut self.pairing.side_mut(from).settings.0;
        match settings.binary_search_by_key(&id, |&(id, _)| id) {
            Ok(at) => {
                if let Some(setting) = settings.get_mut(at) {
                    setting.1 = value;
                }
            }
            Err(at) if settings.len() < limits::SETTINGS_KEPT => settings.insert(at, (id, value)),
            Err(_) => {
                self.pairing.limited = true;
                self.stats.settings_limited += 1;
            }
        }
    }

    fn lost(&mut self, from: Side, cause: GapCause, _: Moment) {
        self.stats.losses += 1;
        let side = self.pairing.side_mut(from);
        let (losses, end) = (&mut side.losses, side.reading.place.end);
        losses.count += 1;
        losses.cause = Some(cause);
        losses.end = end;
        if let Some(rules) = &mut self.pairing.rules {
            rules.lost(from);
        }
    }

    fn skipped(&mut self, from: Side, bytes: u64, _: Moment) {
        self.stats.skipped_bytes += bytes;
        let side = self.pairing.side_mut(from);
        let (losses, end) = (&mut side.losses, side.reading.place.end);
        losses.count += u64::from(bytes > 0);
        losses.end = end;
    }

    fn anomaly(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment) {
        if let Some(rules) = &mut self.pairing.rules {
            rules.anomaly(from, stream, anomaly, at);
        }
        self.stats.errors += u64::from(anomaly.describe().severity == Severity::Error);
    }
}

pub(super) const fn by(side: Side) -> EndBy {
    match side {
        Side::Client => EndBy::Client,
        Side::Server => EndBy::Server,
    }
}
