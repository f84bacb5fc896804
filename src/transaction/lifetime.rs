//! The streams of a connection, from their first frame to their end (RFC 9113 section 5.1).

use super::reset::Reset;
use super::session::PairingInput;
use super::stream::{OpenStream, SideEnd};
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::time::{Moment, Timestamp};
use crate::http2::{Block, BlockEnd, EventContext, FrameSpot, ResetPlace, Side, UpgradeRequest};
use crate::record::{EndBy, EndHow, Field, FieldName, Fields, Partial, StreamEnd};

impl PairingInput<'_> {
    /// The stream, opened if it is new; `None` if it had ended for what `from` sent in this packet.
    pub(super) fn stream(
        &mut self,
        cx: &EventContext<'_>,
        id: u32,
        from: Side,
        at: Moment,
    ) -> Option<&mut OpenStream> {
        if !self.pairing.streams.contains(id) {
            self.open_stream(cx, id, from, at)?;
        }
        let stream = self.pairing.streams.get_mut(id).map(Box::as_mut)?;
        (!stream.is_over(cx, from)).then_some(stream)
    }

    /// The block's stream is open, and was not reset before the block came.
    pub(super) fn is_open_for(&self, cx: &EventContext<'_>, block: &Block) -> bool {
        let stream = self.pairing.streams.get(block.stream);
        stream.is_some_and(|stream| !stream.is_over(cx, block.from))
    }

    /// Opens a stream; `None` if it has been open before.
    fn open_stream(&mut self, cx: &EventContext<'_>, id: u32, from: Side, at: Moment) -> Option<()> {
        let late = self.pairing.client.losses.late || self.pairing.server.losses.late;
        self.stats.limits.add(Limit::EndedStreams, self.pairing.closed.is_forgotten(id).into());
        if id == 0 || self.pairing.closed.contains(id, !late) {
            return None;
        }
        if self.pairing.streams.len() >= self.pairing.most_open {
            let evicted = self.evict(at.time);
            self.stats.limits.add(Limit::Streams, evicted);
        }
        let pairing = &mut *self.pairing;
        let mut stream = self.pool.take();
        stream.start_over(id, at);
        pairing.first.note(at.time, id);
        stream.client.losses_at_start = pairing.client.losses.count;
        stream.server.losses_at_start = match from {
            // A push begins with its promise.
            _ if id.is_multiple_of(2) => pairing.server.losses.count,
            Side::Client => pairing.server.losses.before(cx.latest(from).acknowledged_in(at)),
            Side::Server if pairing.client.unseen || late => pairing.server.losses.count,
            // The request was not seen: it came after those before it.
            Side::Server => {
                let earlier = pairing.client.asked.filter(|&(stream, _)| stream < id);
                pairing.server.losses.before(earlier.map(|(_, received)| received))
            }
        };
        stream.reset = pairing.early_resets.take(id);
        pairing.reset_early += usize::from(stream.reset_early());
        stream.weight = stream.memory();
        pairing.held += stream.weight;
        pairing.streams.get_or_insert_with(id, || stream);
        pairing.opened += 1;
        self.stats.opened += 1;
        if !id.is_multiple_of(2) {
            pairing.asked = (pairing.asked.0 + 1, pairing.asked.1.max(id));
        }
        pairing.max_concurrent = pairing.max_concurrent.max(pairing.open_streams());
        pairing.note_concurrency();
        Some(())
    }

    /// The open streams are too many: the lowest quarter goes, so that room is made seldom. How many went.
    fn evict(&mut self, at: Timestamp) -> u64 {
        // Those that wait for what the other side sent before go first, where they are so many that room is made seldom.
        if self.pairing.ended_early > self.pairing.streams.len() / 4 {
            self.finish_ended();
            return 0;
        }
        let mut open = self.pairing.streams.ids();
        open.truncate(open.len() / 4 + 1);
        self.pairing.evicted = true;
        for &id in &open {
            if let Some(stream) = self.pairing.streams.get_mut(id)
                && stream.ended_early().is_none()
            {
                stream.record.partial.insert(Partial::LIMIT);
            }
            if let Some(reset) = self.pairing.streams.get(id).and_then(|stream| stream.reset) {
                self.finish_reset(id, reset);
            } else {
                let idle = StreamEnd { by: EndBy::Capture, how: EndHow::Idle, code: None };
                self.finish_stream_at(id, idle, at);
            }
        }
        open.len() as u64
    }

    /// Ends the streams that both sides have ended, whatever is still to be read.
    fn finish_ended(&mut self) {
        for id in self.pairing.streams.ids() {
            let ended = self.pairing.streams.get(id).and_then(|stream| stream.ended_early());
            if let Some(reset) = ended {
                self.finish_reset(id, reset);
            }
        }
        self.pairing.ended_early = 0;
    }

    /// A stream has taken fields in: the connection's streams are kept within their memory.
    pub(super) fn weigh(&mut self, id: u32, at: Timestamp) {
        let pairing = &mut *self.pairing;
        let Some(stream) = pairing.streams.get_mut(id) else { return };
        let memory = stream.memory();
        let before = std::mem::replace(&mut stream.weight, memory);
        pairing.held = pairing.held.saturating_sub(before) + memory;
        while self.pairing.held > self.pairing.most_held && !self.pairing.streams.is_empty() {
            let evicted = self.evict(at);
            self.stats.limits.add(Limit::StreamMemory, evicted);
        }
    }

    /// A stream ends with the last frame that was read of it.
    pub(super) fn finish_stream(&mut self, id: u32, end: StreamEnd) {
        self.finish_stream_at(id, end, Timestamp::default());
    }

    /// A stream ends as it was reset, or with what stands in the place of a reset.
    pub(super) fn finish_reset(&mut self, id: u32, Reset { end, place }: Reset) {
        if let Some(stream) = self.pairing.streams.get_mut(id)
            && end.how == EndHow::RstStream
        {
            stream.record.last = stream.record.last.max(place.at);
        }
        self.finish_stream_at(id, end, place.at.time);
    }

    /// A stream ends; `at` is when what ended it came, where that is no frame of the stream.
    pub(super) fn finish_stream_at(&mut self, id: u32, end: StreamEnd, at: Timestamp) {
        let pairing = &mut *self.pairing;
        let Some(mut stream) = pairing.streams.remove(id) else { return };
        pairing.held = pairing.held.saturating_sub(stream.weight);
        if !pairing.orphans.is_empty() {
            pairing.orphans.remove(&id);
        }
        let early = usize::from(stream.ended_early().is_some());
        pairing.ended_early = pairing.ended_early.saturating_sub(early);
        pairing.reset_early = pairing.reset_early.saturating_sub(usize::from(stream.reset_early()));
        pairing.closed.insert(id);
        pairing.transactions += 1;
        if pairing.wanted.telemetry {
            pairing.authorities.add(&stream.record.request.headers);
        }
        // A reset stream needs no response; but there may have been one.
        if pairing.server.unseen && !stream.record.response.seen {
            stream.record.partial.insert(Partial::NO_RESPONSE);
        }
        stream.record.server_unseen = pairing.server.unseen;
        let disclaimed = pairing.server.goaway.filter(|&(last, ..)| id % 2 == 1 && id > last);
        // Whose request the server had disclaimed did not wait for it to close the connection.
        let (end, at) = match disclaimed {
            Some((_, code, goaway)) if end.how == EndHow::Fin => {
                (StreamEnd { by: EndBy::Server, how: EndHow::Goaway, code: Some(code) }, goaway.time)
            }
            _ => (end, at),
        };
        stream.record.disclaimed = disclaimed.is_some();
        stream.record.disclaimed_at = disclaimed.map(|(.., at)| at.time).unwrap_or_default();
        stream.finish(end, at, &pairing.client.losses, &pairing.server.losses);
        if end.by == EndBy::Tcp {
            let unsure = stream.record.may_have_ended();
            pairing.cut_off |= !unsure;
            pairing.may_have_cut_off |= unsure;
        }
        self.stats.limits.add(Limit::Headers, stream.is_web_limited().into());
        stream.record.digest = pairing.wanted.attempts().then(|| stream.digest.value()).flatten();
        let record = &stream.record;
        if record.partial.is_empty() {
            self.stats.complete += 1;
        } else if end.how == EndHow::Eof && record.partial.only_unfinished() {
            self.stats.open += 1;
        } else {
            self.stats.incomplete += 1;
        }
        self.stats.missed_requests += u64::from(!record.request.seen && record.response.seen);
        pairing.ended.push(stream);
    }

    pub(super) fn end_side(&mut self, cx: &EventContext<'_>, from: Side, id: u32, spot: FrameSpot) {
        let losses = self.pairing.side(from).losses.count;
        self.pairing.note_concurrency();
        let Some(stream) = self.pairing.streams.get_mut(id) else { return };
        stream.end_side(from, losses, spot, true);
        stream.side(from).1.end = Some(SideEnd::of(cx));
        let read_first = stream.side(from.peer()).1.end;
        let by = EndBy::from(from);
        let whole = stream.ended();
        let request = &stream.record.request;
        let (client, server) = (stream.client.over, stream.server.over);
        let alone = (server && self.pairing.client.unseen) || (client && self.pairing.server.unseen);
        let orphan = server && !request.seen && request.first.is_none() && id % 2 == 1;
        // Who reset the stream without an end of its own ended it: that was read before, and came after.
        let reset = stream
            .reset
            .filter(|reset| reset.end.how == EndHow::RstStream && !stream.message(reset.place.from).ended);
        let end = StreamEnd { by, how: EndHow::EndStream, code: None };
        if whole && stream.reset.is_none() && stream.record.request.seen && self.pairing.behind[from.peer()] {
            // What the other side had sent before may be a reset, and is still to be read.
            stream.reset = Some(Reset { place: ResetPlace::of(cx), end });
            self.pairing.ended_early += 1;
            self.pairing.await_side(from.peer(), id);
            return;
        }
        // That the server has closed ends no stream that has ended.
        if whole
            && stream.reset.is_none_or(|reset| reset.end.how == EndHow::Fin)
            && stream.record.request.seen
            && let Some(end) = read_first.and_then(|end| end.behind(from.peer(), cx.arrival.span.end))
        {
            // The other side ended it when it had received more than is read of this one: a reset, perhaps.
            stream.reset = Some(end);
            self.pairing.ended_early += 1;
            self.pairing.await_side(from, id);
            return;
        }
        if whole || (orphan && self.request_is_lost(id)) {
            match reset {
                Some(reset) => self.finish_reset(id, reset),
                None => self.finish_stream(id, end),
            }
            return;
        }
        if orphan {
            self.pairing.orphans.insert(id);
        }
        if alone {
            self.wait_alone(id, end);
        }
    }

    /// A side has ended the stream so, and of the other no segment was ever seen. It may only be late; when many such
    /// streams have come together, the other direction is not in the capture.
    pub(super) fn wait_alone(&mut self, id: u32, end: StreamEnd) {
        self.pairing.alone.push_back(id);
        if self.pairing.alone.len() > limits::ONE_SIDED_STREAMS
            && let Some(oldest) = self.pairing.alone.pop_front()
        {
            let Some(stream) = self.pairing.streams.get(oldest) else { return };
            let reset = stream.reset;
            self.pairing.alone_ended += 1;
            match reset {
                Some(reset) => self.finish_reset(oldest, reset),
                None => self.finish_stream(oldest, end),
            }
        }
    }

    /// The client has sent the header block of a later stream, so this one's is not still to come.
    pub(super) fn request_is_lost(&self, id: u32) -> bool {
        self.pairing.client.highest > id
    }

    /// Ends the streams whose response has ended and whose request cannot come any more.
    pub(super) fn finish_orphans(&mut self) {
        while let Some(&id) = self.pairing.orphans.first()
            && self.request_is_lost(id)
        {
            self.pairing.orphans.remove(&id);
            let Some(stream) = self.pairing.streams.get(id) else { continue };
            let ended = StreamEnd { by: EndBy::Server, how: EndHow::EndStream, code: None };
            match stream.reset.filter(|reset| reset.end.how == EndHow::RstStream) {
                Some(reset) => self.finish_reset(id, reset),
                None if stream.record.request.first.is_none() => self.finish_stream(id, ended),
                None => {}
            }
        }
    }

    /// The connection is over, since `at`: its open streams end, in order.
    pub fn finish(&mut self, by: EndBy, how: EndHow, at: Timestamp) {
        for id in self.pairing.streams.ids() {
            if let Some(reset) = self.pairing.streams.get(id).and_then(|stream| stream.reset) {
                self.finish_reset(id, reset);
            } else {
                let (end, at) = self.disclaimed(id).unwrap_or((StreamEnd { by, how, code: None }, at));
                self.finish_stream_at(id, end, at);
            }
        }
    }

    /// The GOAWAY that ended a stream which is still open when the connection is over, and when; `None` where it was the
    /// connection's end.
    fn disclaimed(&self, id: u32) -> Option<(StreamEnd, Timestamp)> {
        let opener = if id % 2 == 1 { Side::Client } else { Side::Server };
        let (last, code, at) = self.pairing.side(opener.peer()).goaway?;
        let end = StreamEnd { by: opener.peer().into(), how: EndHow::Goaway, code: Some(code) };
        (id > last).then_some((end, at.time))
    }

    /// The request of stream 1, made with HTTP/1.1 (RFC 7540 section 3.2), whole with its body.
    pub(super) fn take_upgrade(&mut self, cx: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        let UpgradeRequest { fields, body, first, last, .. } = *request;
        let keep_all = self.pairing.wanted.headers;
        let mut headers = Fields::default();
        for &(name, value) in fields {
            let field = Field::exact(name, value);
            if keep_all || field.known != FieldName::Other {
                headers.push(field);
            }
            if field.known == FieldName::Path {
                self.counters().record_path(value.len() as u64);
            }
        }
        self.counters().requests += 1;
        self.pairing.client.opened(1);
        let Some(stream) = self.stream(cx, 1, Side::Client, first) else { return };
        stream.touch(Side::Client, first);
        stream.touch(Side::Client, last);
        stream.record.request.body = body;
        if body > 0 {
            stream.digest.lose();
        }
        stream.take_headers(Side::Client, &mut headers, &BlockEnd::default(), false);
        self.end_side(cx, Side::Client, 1, FrameSpot::default());
    }
}
