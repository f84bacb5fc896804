//! A packet's events, as they come to a connection's exchanges.

use super::block_state::{BlockState, kept};
use super::pairing::Pairing;
use super::stats::Stats;
use super::stream::StreamPool;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::telemetry_counters::Counters;
use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::http2::frame::{Flags, FrameHeader, FrameView};
use crate::http2::{Block, BlockEnd, EventContext, EventSink, FrameSpot, Side, UpgradeRequest, hpack};
use crate::record::Goaway;

/// A connection's exchanges, for the time that one packet is worked on.
#[derive(Debug)]
pub struct PairingInput<'a> {
    /// The exchanges.
    pub pairing: &'a mut Pairing,
    /// What they add up to.
    pub stats: &'a mut Stats,
    /// Memory of ended streams, to be used again.
    pub pool: &'a mut StreamPool,
}

impl PairingInput<'_> {
    /// The counters of the exact view, for this connection's kind of transport.
    pub(super) const fn counters(&mut self) -> &mut Counters {
        if self.pairing.encrypted { &mut self.stats.tls } else { &mut self.stats.plaintext }
    }

    /// A digest is made of what this side's bodies hold.
    const fn digests(&self, from: Side) -> bool {
        from.is_client() && self.pairing.wanted.attempts()
    }
}

impl EventSink for PairingInput<'_> {
    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, _: Moment) {
        let frames = &mut self.pairing.side_mut(cx.from).frames;
        match frames.by_type.get_mut(usize::from(header.kind.0)) {
            Some(count) if header.kind.name().is_some() => *count += 1,
            _ => frames.unknown += 1,
        }
    }

    fn block_start(&mut self, _: &EventContext<'_>, block: &Block) {
        self.pairing.scratch.clear();
        // Trailers are always shown whole; what a block is may be known only once it is over.
        let seen = self.pairing.streams.get(block.stream).is_some_and(|stream| match block.from {
            Side::Client => stream.record.request.seen,
            Side::Server => stream.record.response.seen,
        });
        let keep_all = self.pairing.wanted.headers || (seen && block.promised.is_none());
        self.pairing.block = BlockState::start(keep_all);
    }

    #[inline]
    fn wanted_fields(&self) -> hpack::NameSet {
        if self.pairing.block.wants_all() { hpack::NameSet::ALL } else { self.pairing.names }
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        let pairing = &mut *self.pairing;
        let (known, keep) = pairing.block.field(field, pairing.each);
        if keep {
            pairing.scratch.push_that(field.plain, kept(field, known));
        }
    }

    fn pass_field(&mut self) {
        self.pairing.block.pass();
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let hpack = &mut self.pairing.side_mut(block.from).hpack;
        hpack.wire_bytes += end.wire_bytes;
        hpack.decoded_bytes += end.decoded_bytes;
        self.end_block(cx, block, end);
        self.pairing.scratch.trim();
        self.weigh(block.promised.unwrap_or(block.stream), cx.at().time);
        if block.end_stream && self.is_open_for(cx, block) {
            self.end_side(cx, block.from, block.stream, block.spot);
        }
    }

    fn whole_data(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>, bytes: &[u8], spot: FrameSpot) {
        let FrameHeader { stream: id, flags, .. } = frame.header;
        self.frame_header(cx, &frame.header, frame.at);
        let (from, losses, digested) = (cx.from, self.pairing.server.losses.count, self.digests(cx.from));
        let end_stream = flags.has(Flags::END_STREAM);
        let Some(open) = self.stream(cx, id, from, cx.at()) else { return };
        if bytes.is_empty() {
            return self.data_end(cx, id, end_stream, spot);
        }
        open.take_data(cx, bytes, digested);
        if open.is_web() {
            self.weigh(id, cx.at().time);
            return self.data_end(cx, id, end_stream, spot);
        }
        if from == Side::Server && open.settle_response(losses) {
            self.counters().responses += 1;
        }
        if end_stream {
            self.end_side(cx, from, id, spot);
        }
    }

    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {
        let digested = self.digests(cx.from);
        if let Some(open) = self.stream(cx, stream, cx.from, cx.at()) {
            open.take_data(cx, bytes, digested);
            if open.is_web() {
                self.weigh(stream, cx.at().time);
            }
        }
    }

    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {
        if let Some(stream) = self.stream(cx, stream, cx.from, cx.at()) {
            stream.data_lost(cx.from, cx.came(), len, cause);
        }
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, spot: FrameSpot) {
        let from = cx.from;
        let losses = self.pairing.server.losses.count;
        if let Some(open) = self.stream(cx, stream, from, cx.at()) {
            // Where a hole has ended the frame, nothing came now; only that there is an end may be known since.
            if end_stream || !open.lost_now(from, cx.came()) {
                open.touch(from, cx.came());
            }
            // DATA follows the final response's header section only.
            if from == Side::Server && open.settle_response(losses) {
                self.counters().responses += 1;
            }
            if end_stream {
                self.end_side(cx, from, stream, spot);
            }
        }
    }

    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, code: Option<u32>, spot: FrameSpot) {
        self.reset_stream(cx, stream, code, spot);
    }

    fn goaway(&mut self, cx: &EventContext<'_>, last_stream: u32, code: u32, debug: &[u8]) {
        let (from, at) = (cx.from, cx.at());
        let side = self.pairing.side_mut(from);
        side.goaway = Some((last_stream, code, at));
        let room = self.pairing.goaways.len() < limits::GOAWAY_KEPT;
        let limited = !room || debug.len() > limits::GOAWAY_DEBUG;
        if room {
            let debug = debug.get(..debug.len().min(limits::GOAWAY_DEBUG)).unwrap_or_default().to_vec();
            self.pairing.goaways.push(Goaway { by: from.into(), at: at.time, last_stream, code, debug });
        }
        self.pairing.limited |= limited;
        self.stats.limits.add(Limit::Goaway, limited.into());
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
            Err(_) => {
                self.pairing.limited = true;
                self.stats.limits.strike(Limit::Settings);
            }
        }
    }

    fn begins(&mut self, from: Side) {
        self.pairing.begins(from);
    }

    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {
        let losses = &mut self.pairing.side_mut(cx.from).losses;
        losses.cause = Some(cause);
        losses.add(cx.arrival.span.end);
    }

    fn skipped(&mut self, cx: &EventContext<'_>, bytes: u64) {
        // The frames that were found came before those that were read of the other side meanwhile.
        self.pairing.disordered |= cx.latest(cx.from.peer()).at.packet > cx.at().packet;
        let losses = &mut self.pairing.side_mut(cx.from).losses;
        if bytes > 0 {
            losses.add(cx.arrival.span.end);
        } else {
            losses.end_at(cx.arrival.span.end);
        }
    }

    fn upgraded(&mut self, cx: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        self.take_upgrade(cx, request);
    }
}
