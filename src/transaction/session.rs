//! A packet's events, as they come to a connection's exchanges.

use super::blocks::{BlockState, kept};
use super::pairing::Pairing;
use super::stats::Stats;
use super::stream::StreamPool;
use crate::base::counters::Counters;
use crate::base::limit::Limit;
use crate::base::limits;
use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::http2::frame::{FrameHeader, FrameView};
use crate::http2::{Anomaly, Block, BlockEnd, EventSink, FrameSpot, Severity, Side, hpack};
use crate::record::{Goaway, RecordSink};

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
            self.pairing.goaways.push(Goaway { by: from.into(), last_stream, code, debug });
        }
        self.pairing.limited |= limited;
        self.stats.limits.add(Limit::Goaway, limited.into());
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
                self.stats.limits.strike(Limit::Settings);
            }
        }
    }

    fn begins(&mut self, from: Side) {
        self.pairing.begins(from);
    }

    fn lost(&mut self, from: Side, cause: GapCause, _: Moment) {
        self.stats.losses += 1;
        let side = self.pairing.side_mut(from);
        let (losses, end) = (&mut side.losses, side.reading.arrival.span.end);
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
        let (losses, end) = (&mut side.losses, side.reading.arrival.span.end);
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
