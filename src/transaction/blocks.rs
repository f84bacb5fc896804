//! Header blocks that have ended: which part of which message they turn out to be.

use super::section::{self, Before, Section};
use super::session::PairingInput;
use super::stream::reason;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::http2::{Block, BlockEnd, EventContext, Side};
use crate::record::{Fields, Interim, Partial};

impl PairingInput<'_> {
    pub(super) fn end_block(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let mut scratch = std::mem::take(&mut self.pairing.scratch);
        match (block.promised, block.from) {
            (Some(promised), _) => self.end_promise(cx, block, end, promised, &mut scratch),
            (None, Side::Client) => self.end_request_block(cx, block, end, &mut scratch),
            (None, Side::Server) => self.end_response_block(cx, block, end, &mut scratch),
        }
        self.pairing.scratch = scratch;
        self.lose_in_block(block, end);
    }

    fn end_request_block(
        &mut self,
        cx: &EventContext<'_>,
        block: &Block,
        end: &BlockEnd,
        fields: &mut Fields,
    ) {
        let state = std::mem::take(&mut self.pairing.block);
        let client = &mut self.pairing.client;
        client.highest = client.highest.max(block.stream);
        let (nothing_missed, headers_missed) = client.opening(block.stream);
        // A response comes after its request: nothing that the client had received by then was of it.
        let received = cx.arrival.acknowledged_in(block.last);
        let losses = &self.pairing.server.losses;
        let (lost_before, all_before) = (losses.before(received), losses.are_before(received));
        // What was sent of the response before its side was joined is not in the capture.
        let answer_cut = losses.late && received == Some(0) && cx.latest(Side::Server).span.end > 0;
        let Some(stream) = self.stream(cx, block.stream, block.from, block.first) else { return };
        let before = Before {
            headers: stream.record.request.seen,
            data: stream.record.request.body > 0,
            nothing_missed,
            headers_missed,
            ..Before::default()
        };
        if !before.headers && stream.record.request.first.is_none() {
            stream.record.first = block.first;
        }
        stream.touch(Side::Client, block.first);
        stream.touch(Side::Client, block.last);
        stream.client.grpc_fields |= state.grpc;
        match section::of_request(state.shape(state.request, block.end_stream), before) {
            Section::Headers => {
                stream.record.wire.request = block.spot;
                stream.take_headers(Side::Client, fields, end, state.unknown_pseudo);
                stream.asked = received;
                // The response may have been read first.
                let start = &mut stream.server.losses_at_start;
                *start = if all_before { lost_before } else { lost_before.min(*start) };
                if answer_cut {
                    stream.record.partial.insert(Partial::MID_STREAM);
                }
                let reset = stream.reset.is_some();
                self.pairing.client.opened(block.stream);
                if self.pairing.wanted.openings {
                    self.pairing.begun.push(block.stream);
                }
                if let Some(received) = received {
                    self.pairing.client.asked = Some((block.stream, received));
                }
                if reset {
                    self.pairing.await_side(Side::Client, block.stream);
                }
                let counters = self.counters();
                counters.requests += 1;
                if let Some(len) = state.path_len {
                    counters.record_path(len);
                }
            }
            Section::Trailers => stream.take_trailers(Side::Client, fields, end),
            Section::Unclear => stream.set_unclear(Side::Client),
            Section::MaybeInterim | Section::Interim | Section::Extra => {}
        }
        self.finish_orphans();
    }

    fn end_response_block(
        &mut self,
        cx: &EventContext<'_>,
        block: &Block,
        end: &BlockEnd,
        fields: &mut Fields,
    ) {
        let state = std::mem::take(&mut self.pairing.block);
        let side = &mut self.pairing.server;
        side.highest = side.highest.max(block.stream);
        let losses = side.losses;
        let Some(stream) = self.stream(cx, block.stream, block.from, block.first) else {
            // The stream was reset while the response was under way: it is on the wire all the same.
            self.counters().responses += u64::from(matches!(state.status, Some(200..)));
            return;
        };
        stream.touch(Side::Server, block.first);
        stream.touch(Side::Server, block.last);
        stream.reach(cx);
        stream.server.grpc_fields |= state.grpc;
        let before = Before {
            headers: stream.record.response.seen,
            maybe_interim: stream.server.maybe_interim.is_some(),
            data: stream.record.response.body > 0,
            nothing_missed: losses.none() || losses.are_before(stream.asked),
            headers_missed: false,
        };
        let section = section::of_response(state.shape(state.response, block.end_stream), before);
        match section {
            Section::Interim => {
                let room = stream.record.interim.len() < limits::INTERIM_KEPT;
                match state.status {
                    Some(status) if room => {
                        stream.record.interim.push(Interim { status, time: block.first.time });
                    }
                    Some(_) => stream.record.partial.insert(Partial::LIMIT),
                    None => {}
                }
                // The response has not begun.
                if !before.headers {
                    stream.record.response.first = None;
                }
                self.stats.limits.add(Limit::Interim, (!room).into());
            }
            Section::Headers | Section::MaybeInterim => {
                stream.record.wire.response = block.spot;
                stream.record.response.first = Some(block.first.time);
                stream.take_headers(Side::Server, fields, end, state.unknown_pseudo);
                if before.maybe_interim {
                    // An interim response, then, of which the status is unknown.
                    stream.set_unclear(Side::Server);
                }
                let certain = section == Section::Headers;
                stream.server.maybe_interim = (!certain).then_some(losses.count);
                self.counters().responses += u64::from(certain);
            }
            Section::Trailers => {
                let settled = stream.settle_response(losses.count);
                stream.take_trailers(Side::Server, fields, end);
                self.counters().responses += u64::from(settled);
            }
            Section::Unclear => stream.set_unclear(Side::Server),
            Section::Extra => {}
        }
    }

    fn end_promise(
        &mut self,
        cx: &EventContext<'_>,
        block: &Block,
        end: &BlockEnd,
        promised: u32,
        fields: &mut Fields,
    ) {
        let state = std::mem::take(&mut self.pairing.block);
        let losses = self.pairing.client.losses.count;
        let promised_at = cx.latest(Side::Server).span.start;
        let Some(stream) = self.stream(cx, promised, Side::Client, block.first) else { return };
        stream.record.pushed = true;
        stream.record.parent = Some(block.stream);
        stream.asked = Some(promised_at);
        stream.record.wire.request = block.spot;
        stream.record.first = block.first;
        stream.touch(Side::Client, block.first);
        stream.touch(Side::Client, block.last);
        stream.take_headers(Side::Client, fields, end, state.unknown_pseudo);
        stream.end_side(Side::Client, losses, block.spot, true);
        if stream.reset.is_some() {
            self.pairing.await_side(Side::Server, promised);
        }
    }

    fn lose_in_block(&mut self, block: &Block, end: &BlockEnd) {
        let limited = end.limited || end.given_up > 0;
        let tainted = end.tainted.then_some(Partial::BAD_CHECKSUM);
        let cause = tainted.or(end.cut.map(reason)).or(limited.then_some(Partial::LIMIT));
        if let Some(reason) = cause
            && let Some(stream) = self.pairing.streams.get_mut(block.promised.unwrap_or(block.stream))
        {
            stream.record.partial.insert(reason);
            if end.cut.is_some() {
                stream.block_cut(block.from, block.last);
            }
        }
    }
}
