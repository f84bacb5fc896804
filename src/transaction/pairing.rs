//! Pairs requests with responses: the streams of one connection, from their first frame to their end.
//!
//! State: the open streams (at most [`limits::STREAMS_CONNECTION`]), a window of the ended ones, and what the
//! connection record needs. Records are lent to the sink and their memory is used again.

use super::closed::ClosedStreams;
use super::fields::{Field, Fields, Known};
use super::record::{
    ConnectionMeta, EndBy, EndHow, Goaway, Interim, Partial, SideFrames, SideHpack, SideSettings, StreamEnd,
};
use super::sink::{RecordSink, Wanted};
use super::stream::{Losses, Reset, Stream, reason};
use crate::counters::Counters;
use crate::flow::GapCause;
use crate::http2::frame::{FrameHeader, FrameView};
use crate::http2::{Anomaly, Block, BlockEnd, EventSink, FrameSpot, Severity, Side, hpack};
use crate::limits;
use crate::time::Moment;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

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
    }
}

/// The exchanges of one connection.
#[derive(Debug)]
pub struct Pairing {
    /// Who and where.
    pub meta: ConnectionMeta,
    streams: HashMap<u32, Box<Stream>, foldhash::fast::RandomState>,
    /// Bytes of memory that the open streams take.
    held: usize,
    closed: ClosedStreams,
    client: SideState,
    server: SideState,
    /// Streams whose response has ended and whose request was not seen: it may be lost, or only late. The lowest comes
    /// first.
    orphans: BinaryHeap<Reverse<u32>>,
    /// Streams that were reset while the other direction was waiting for a hole to fill.
    resets: Vec<u32>,
    /// Streams that the one side has ended of which segments were seen.
    alone: VecDeque<u32>,
    goaways: Vec<Goaway>,
    scratch: Fields,
    block: BlockState,
    wanted: Wanted,
    encrypted: bool,
    opened: u64,
    max_concurrent: u64,
    transactions: u64,
}

#[derive(Debug, Default)]
struct SideState {
    losses: Losses,
    /// No segment of this side is in the capture.
    unseen: bool,
    /// The direction waits for a hole to fill.
    stalled: bool,
    /// Highest stream that a header block of this side was on.
    highest: u32,
    settings: SideSettings,
    frames: SideFrames,
    hpack: SideHpack,
    goaway: Option<(u32, u32)>,
}

/// What is known of the header block being read.
#[derive(Debug, Default)]
struct BlockState {
    fields: u32,
    keep_all: bool,
    request: bool,
    /// `:status` is there.
    response: bool,
    /// Its value, where that is known and a number.
    status: Option<u16>,
    regular: bool,
    unknown_pseudo: bool,
    path_len: Option<u64>,
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
        let side = |late| SideState { losses: Losses { late, ..Losses::default() }, ..SideState::default() };
        Self {
            meta,
            streams: HashMap::default(),
            held: 0,
            closed: ClosedStreams::default(),
            client: side(late.0),
            server: side(late.1),
            orphans: BinaryHeap::new(),
            resets: Vec::new(),
            alone: VecDeque::new(),
            goaways: Vec::new(),
            scratch: Fields::default(),
            block: BlockState::default(),
            wanted,
            encrypted,
            opened: 0,
            max_concurrent: 0,
            transactions: 0,
        }
    }

    /// Exchanges under way.
    pub fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let ids = self.orphans.capacity() + self.resets.capacity() + self.alone.capacity();
        self.held
            + self.streams.capacity() * size_of::<(u32, Box<Stream>)>()
            + self.closed.memory()
            + self.scratch.memory()
            + ids * size_of::<u32>()
    }

    /// A side's segments are, or are not, in the capture.
    pub fn set_unseen(&mut self, side: Side, unseen: bool) {
        self.side_mut(side).unseen = unseen;
        if !unseen {
            self.alone.clear();
        }
    }

    /// Something of the connection is known to be missing.
    pub fn damaged(&self) -> bool {
        [&self.client, &self.server]
            .iter()
            .any(|side| side.losses.count > 0 || side.losses.late || side.unseen)
    }

    /// Fills the connection record in.
    pub fn describe(&mut self, record: &mut super::ConnectionRecord) {
        record.transactions = self.transactions;
        record.streams_opened = self.opened;
        record.max_concurrent = self.max_concurrent;
        record.goaway = std::mem::take(&mut self.goaways);
        record.client_settings = std::mem::take(&mut self.client.settings);
        record.server_settings = std::mem::take(&mut self.server.settings);
        (record.client_frames, record.server_frames) = (self.client.frames, self.server.frames);
        (record.client_hpack, record.server_hpack) = (self.client.hpack, self.server.hpack);
    }

    fn side(&self, side: Side) -> &SideState {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl<R: RecordSink> Session<'_, R> {
    /// The stream, opened if it is new; `None` if it had ended for what `from` sent in this packet.
    fn stream(&mut self, id: u32, from: Side, at: Moment) -> Option<&mut Stream> {
        if !self.pairing.streams.contains_key(&id) {
            self.open_stream(id, at)?;
        }
        let stream = self.pairing.streams.get_mut(&id).map(Box::as_mut)?;
        (!stream.is_over(from, at)).then_some(stream)
    }

    /// Opens a stream; `None` if it has been open before.
    fn open_stream(&mut self, id: u32, at: Moment) -> Option<()> {
        let late = self.pairing.client.losses.late || self.pairing.server.losses.late;
        if id == 0 || self.pairing.closed.contains(id, !late) {
            return None;
        }
        if self.pairing.streams.len() >= limits::STREAMS_CONNECTION {
            self.stats.streams_evicted += self.evict();
        }
        let pairing = &mut *self.pairing;
        let mut stream = self.pool.0.pop().unwrap_or_default();
        stream.reset(id, at, &pairing.client.losses, &pairing.server.losses);
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
            self.finish_stream(id, StreamEnd { by: EndBy::Capture, how: EndHow::Idle, code: None });
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

    fn finish_stream(&mut self, id: u32, end: StreamEnd) {
        let pairing = &mut *self.pairing;
        let Some(mut stream) = pairing.streams.remove(&id) else { return };
        pairing.held = pairing.held.saturating_sub(stream.weight);
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
        if self.pool.0.len() < limits::STREAM_POOL && stream.weight <= limits::FIELDS_SPARE {
            self.pool.0.push(stream);
        }
    }

    fn end_side(&mut self, from: Side, id: u32, spot: FrameSpot) {
        let losses = self.pairing.side(from).losses.count;
        let Some(stream) = self.pairing.streams.get_mut(&id) else { return };
        let again = stream.side(from).0.ended;
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
        } else if orphan && !again {
            self.pairing.orphans.push(Reverse(id));
        }
    }

    /// A side has ended the stream, and of the other no segment was ever seen. It may only be late; when many such
    /// streams have come together, the other direction is not in the capture.
    fn wait_alone(&mut self, id: u32, by: EndBy) {
        self.pairing.alone.push_back(id);
        if self.pairing.alone.len() > limits::ONE_SIDED_STREAMS
            && let Some(oldest) = self.pairing.alone.pop_front()
        {
            self.finish_stream(oldest, StreamEnd { by, how: EndHow::EndStream, code: None });
        }
    }

    /// The client has sent the header block of a later stream, so this one's is not still to come.
    fn request_is_lost(&self, id: u32) -> bool {
        self.pairing.client.highest > id
    }

    /// A direction waits for a hole to fill, or does not: streams that were reset meanwhile end once it has caught
    /// up.
    pub fn set_stalled(&mut self, client: bool, server: bool) {
        (self.pairing.client.stalled, self.pairing.server.stalled) = (client, server);
        if self.pairing.resets.is_empty() || client || server {
            return;
        }
        for id in std::mem::take(&mut self.pairing.resets) {
            if let Some(reset) = self.pairing.streams.get(&id).and_then(|stream| stream.reset) {
                self.finish_stream(id, reset.end);
            }
        }
    }

    /// Ends the streams whose response has ended and whose request cannot come any more.
    fn finish_orphans(&mut self) {
        while let Some(&Reverse(id)) = self.pairing.orphans.peek()
            && self.request_is_lost(id)
        {
            self.pairing.orphans.pop();
            let stream = self.pairing.streams.get(&id);
            if stream.is_some_and(|stream| stream.record.request.first.is_none()) {
                self.finish_stream(id, StreamEnd { by: EndBy::Server, how: EndHow::EndStream, code: None });
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
        let Some(stream) = self.stream(1, Side::Client, first) else { return };
        stream.touch(Side::Client, first);
        stream.touch(Side::Client, last);
        stream.record.request.body = body;
        stream.take_headers(Side::Client, &mut headers, &BlockEnd::default(), false);
        self.end_side(Side::Client, 1, FrameSpot::default());
    }

    fn end_request_block(&mut self, block: &Block, end: &BlockEnd) {
        let state = std::mem::take(&mut self.pairing.block);
        self.pairing.client.highest = self.pairing.client.highest.max(block.stream);
        let mut scratch = std::mem::take(&mut self.pairing.scratch);
        let Some(stream) = self.stream(block.stream, block.from, block.first) else {
            self.pairing.scratch = scratch;
            return;
        };
        let new = !stream.record.request.seen;
        if new && stream.record.request.first.is_none() {
            stream.record.first = block.first;
        }
        stream.touch(Side::Client, block.first);
        stream.touch(Side::Client, block.last);
        // A section that begins with a known regular field is a trailer section.
        let uncertain = state.unknown_pseudo || ((end.cut.is_some() || end.broken) && state.fields == 0);
        let is_request = new && (state.request || uncertain);
        if is_request {
            stream.record.wire.request = block.spot;
            stream.take_headers(Side::Client, &mut scratch, end, state.unknown_pseudo);
            let counters = self.counters();
            counters.requests += 1;
            if let Some(len) = state.path_len {
                counters.record_path(len);
            }
        } else if !state.request {
            stream.take_trailers(Side::Client, &mut scratch, end);
        }
        self.pairing.scratch = scratch;
        self.finish_orphans();
    }

    fn end_response_block(&mut self, block: &Block, end: &BlockEnd) {
        let state = std::mem::take(&mut self.pairing.block);
        let mut scratch = std::mem::take(&mut self.pairing.scratch);
        let side = &mut self.pairing.server;
        side.highest = side.highest.max(block.stream);
        let Some(stream) = self.stream(block.stream, block.from, block.first) else {
            // The stream was reset while the response was under way: it is on the wire all the same.
            self.counters().responses += u64::from(matches!(state.status, Some(200..)));
            self.pairing.scratch = scratch;
            return;
        };
        let interim = matches!(state.status, Some(100..=199)) && !block.end_stream;
        let (new, had_data) = (!stream.record.response.seen, stream.record.response.body > 0);
        stream.touch(Side::Server, block.first);
        stream.touch(Side::Server, block.last);
        let uncertain = state.unknown_pseudo || ((end.cut.is_some() || end.broken) && state.fields == 0);
        if interim {
            if let (Some(status), true) = (state.status, stream.record.interim.len() < limits::INTERIM_KEPT) {
                stream.record.interim.push(Interim { status, time: block.first.time });
            }
            // The response has not begun.
            if new {
                stream.record.response.first = None;
            }
        } else if new && (state.response || (uncertain && !had_data)) {
            stream.record.wire.response = block.spot;
            stream.record.response.first = Some(block.first.time);
            stream.take_headers(Side::Server, &mut scratch, end, state.unknown_pseudo);
            self.counters().responses += 1;
        } else if !state.response {
            stream.take_trailers(Side::Server, &mut scratch, end);
        }
        self.pairing.scratch = scratch;
    }

    fn end_promise(&mut self, block: &Block, end: &BlockEnd, promised: u32) {
        let state = std::mem::take(&mut self.pairing.block);
        let mut scratch = std::mem::take(&mut self.pairing.scratch);
        let losses = self.pairing.client.losses.count;
        if let Some(stream) = self.stream(promised, Side::Client, block.first) {
            stream.record.pushed = true;
            stream.record.parent = Some(block.stream);
            stream.record.wire.request = block.spot;
            stream.record.first = block.first;
            stream.touch(Side::Client, block.first);
            stream.touch(Side::Client, block.last);
            stream.take_headers(Side::Client, &mut scratch, end, state.unknown_pseudo);
            stream.end_side(Side::Client, losses, block.spot);
        }
        self.pairing.scratch = scratch;
    }

    fn lose_in_block(&mut self, block: &Block, end: &BlockEnd) {
        let cause = end.cut.map(reason).or((end.limited).then_some(Partial::LIMIT));
        let id = block.promised.unwrap_or(block.stream);
        if let (Some(reason), Some(stream)) = (cause, self.pairing.streams.get_mut(&id)) {
            stream.record.partial.insert(reason);
        }
        self.stats.headers_limited += u64::from(end.limited || end.cut == Some(GapCause::Limit));
        let damaged = end.cut.is_some() || end.broken;
        if !damaged && end.unknown == 0 {
            self.stats.blocks_decoded += 1;
        } else if damaged && end.fields == end.unknown {
            self.stats.blocks_lost += 1;
        } else {
            self.stats.blocks_partial += 1;
        }
    }
}

impl<R: RecordSink> EventSink for Session<'_, R> {
    fn counters(&mut self) -> &mut Counters {
        if self.pairing.encrypted { &mut self.stats.tls } else { &mut self.stats.plaintext }
    }

    fn wants_frames(&self) -> bool {
        self.pairing.wanted.frames
    }

    fn frame_header(&mut self, from: Side, header: &FrameHeader, _: Moment) {
        let frames = &mut self.pairing.side_mut(from).frames;
        match frames.by_type.get_mut(usize::from(header.kind.0)) {
            Some(count) if header.kind.name().is_some() => *count += 1,
            _ => frames.unknown += 1,
        }
    }

    fn frame(&mut self, frame: &FrameView<'_>) {
        self.records.frame(self.now, &self.pairing.meta, frame);
    }

    fn block_start(&mut self, block: &Block) {
        self.pairing.scratch.clear();
        // Trailers are always shown whole; what a block is may be known only once it is over.
        let seen = self.pairing.streams.get(&block.stream).is_some_and(|stream| match block.from {
            Side::Client => stream.record.request.seen,
            Side::Server => stream.record.response.seen,
        });
        let keep_all = self.pairing.wanted.headers || (seen && block.promised.is_none());
        self.pairing.block = BlockState { keep_all, ..BlockState::default() };
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        let pairing = &mut *self.pairing;
        let state = &mut pairing.block;
        state.fields += 1;
        let known = Known::from_id(field.id);
        match known {
            Known::Method | Known::Scheme | Known::Authority | Known::Protocol => state.request = true,
            Known::Path => {
                state.request = true;
                state.path_len = field.value.map(|path| path.len() as u64);
            }
            Known::Status => {
                if !std::mem::replace(&mut state.response, true) {
                    state.status = field.value.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
                }
            }
            _ if field.name.is_none() => state.unknown_pseudo |= !state.regular,
            _ => {
                state.regular = true;
                // A section that begins with a regular field is a trailer section.
                state.keep_all |= state.fields == 1;
            }
        }
        if state.keep_all || known != Known::Other || field.name.is_none() {
            pairing.scratch.push(Field {
                name: field.name,
                value: field.value,
                known,
                source: field.source,
                reference: field.reference,
            });
        }
    }

    fn block_end(&mut self, block: &Block, end: &BlockEnd) {
        let hpack = &mut self.pairing.side_mut(block.from).hpack;
        hpack.wire_bytes += end.wire_bytes;
        hpack.decoded_bytes += end.decoded_bytes;
        match (block.promised, block.from) {
            (Some(promised), _) => self.end_promise(block, end, promised),
            (None, Side::Client) => self.end_request_block(block, end),
            (None, Side::Server) => self.end_response_block(block, end),
        }
        self.lose_in_block(block, end);
        self.pairing.scratch.clear();
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
        if let Some(open) = self.stream(stream, from, at) {
            open.touch(from, at);
            if end_stream {
                self.end_side(from, stream, spot);
            }
        }
    }

    fn reset(&mut self, from: Side, stream: u32, code: Option<u32>, at: Moment, spot: FrameSpot) {
        let losses = self.pairing.side(from).losses.count;
        let peer_stalled = self.pairing.side(from.peer()).stalled;
        if let Some(open) = self.pairing.streams.get_mut(&stream) {
            if open.is_over(from, at) {
                return;
            }
            open.record.last = open.record.last.max(at);
            open.end_side(from, losses, spot);
            if code.is_none() {
                open.record.partial.insert(Partial::TCP_GAP);
            }
            let end = StreamEnd { by: by(from), how: EndHow::RstStream, code };
            if peer_stalled {
                // What the peer sent before is still to be read.
                open.reset = Some(Reset { from, at, end });
                self.pairing.resets.push(stream);
            } else {
                self.finish_stream(stream, end);
            }
        }
    }

    fn goaway(&mut self, from: Side, last_stream: u32, code: u32, debug: &[u8], _: Moment) {
        let side = self.pairing.side_mut(from);
        side.goaway = Some((last_stream, code));
        if self.pairing.goaways.len() < limits::GOAWAY_KEPT {
            let debug = debug.get(..debug.len().min(limits::GOAWAY_DEBUG)).unwrap_or_default().to_vec();
            self.pairing.goaways.push(Goaway { by: by(from), last_stream, code, debug });
        }
    }

    fn setting(&mut self, from: Side, id: u16, value: u32) {
        let settings = &mut self.pairing.side_mut(from).settings.0;
        match settings.binary_search_by_key(&id, |&(id, _)| id) {
            Ok(at) => {
                if let Some(setting) = settings.get_mut(at) {
                    setting.1 = value;
                }
            }
            Err(at) if settings.len() < limits::SETTINGS_KEPT => settings.insert(at, (id, value)),
            Err(_) => {}
        }
    }

    fn lost(&mut self, from: Side, cause: GapCause, _: Moment) {
        self.stats.losses += 1;
        let losses = &mut self.pairing.side_mut(from).losses;
        losses.count += 1;
        losses.cause = Some(cause);
    }

    fn resynchronized(&mut self, _: Side, skipped: u64, _: Moment) {
        self.stats.skipped_bytes += skipped;
    }

    fn anomaly(&mut self, _: Side, _: u32, anomaly: Anomaly, _: Moment) {
        self.stats.errors += u64::from(anomaly.describe().severity == Severity::Error);
    }
}

const fn by(side: Side) -> EndBy {
    match side {
        Side::Client => EndBy::Client,
        Side::Server => EndBy::Server,
    }
}
