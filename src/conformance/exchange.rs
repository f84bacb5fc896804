//! Streams: what opens one, what may come on it and when (RFC 9113 sections 5.1, 6.1, 6.2, 6.4, 6.6).

use super::Judge;
use super::ended_streams::EndedBy;
use super::streams::{Sent, Sighting, StreamState};
use super::suspicion::{Excuse, Suspicion};
use crate::base::time::Moment;
use crate::base::tuning;
use crate::http2::error_code;
use crate::http2::frame::{Data, Flags, FrameView, PushPromise, RstStream};
use crate::http2::{Anomaly, EventContext, PerSide, Side, opener};

impl Judge {
    /// What any frame but PRIORITY breaks on a stream in this state, if its sender has left it. Whether it broke something.
    pub(super) fn after_end(
        &mut self,
        from: Side,
        (id, state): (u32, StreamState),
        sends: bool,
        at: Moment,
    ) -> bool {
        let (ended, reset) = match state {
            StreamState::Never => return false,
            StreamState::Open { ended } => (ended, false),
            StreamState::Over(left) if from.is_client() => {
                (left.has(EndedBy::CLIENT_ENDED), left.has(EndedBy::CLIENT_RESET))
            }
            StreamState::Over(left) => (left.has(EndedBy::SERVER_ENDED), left.has(EndedBy::SERVER_RESET)),
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
    pub(super) fn headers(&mut self, cx: &EventContext<'_>, id: u32, at: Moment) {
        let from = cx.from;
        if self.is_answer(from, id) {
            return;
        }
        if id == 1 && from.is_client() && self.sides[from].whole && self.streams.highest[from] == 0 {
            // An upgrade would have ended its request.
            self.set_upgrade_known();
        }
        let state = self.state(id, from);
        if from.is_client() && opener(id) == Side::Server {
            let promised = matches!(state, StreamState::Open { .. });
            let anomaly = if promised { Anomaly::StreamReserved } else { Anomaly::StreamParity };
            self.findings.add(from, id, anomaly, at);
            return;
        }
        if self.after_end(from, (id, state), true, at) {
            return;
        }
        let never = state == StreamState::Never;
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
            self.unopened(cx, id, Anomaly::StreamIdle, at);
        }
        let whole = self.wholeness();
        if matches!(state, StreamState::Never | StreamState::Open { .. }) {
            let stream = self.streams.open(id, at.time, whole);
            if id == 1 && std::mem::take(&mut self.early_answer) {
                stream.sides[Side::Server] = Sent::default();
                self.swapped = true;
            }
            if opener(id) == from && stream.counted.is_none() {
                stream.counted = Some(from);
                self.streams.active[from] += 1;
                self.concurrency(cx, id, at);
            }
        }
    }

    /// The server answers a request, on a stream that is open: nothing changes, and nothing can be wrong.
    fn is_answer(&mut self, from: Side, id: u32) -> bool {
        let open = self.streams.get_mut(id).is_some_and(|stream| !stream.sides[from].ended);
        open && !from.is_client() && opener(id) == Side::Client && !self.early_answer
    }

    /// A frame of `from` on a stream of its peer that was never open.
    fn unopened(&mut self, cx: &EventContext<'_>, id: u32, anomaly: Anomaly, at: Moment) {
        let from = cx.from;
        if id > self.streams.highest[from.peer()] {
            self.suspect_idle(cx, id, anomaly, at);
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

    fn concurrency(&mut self, cx: &EventContext<'_>, stream: u32, at: Moment) {
        let from = cx.from;
        let most = self.most(cx.ledger, from.peer(), |values| values.max_concurrent_streams);
        let active = self.streams.active[from];
        if let Some(most) = most.filter(|&most| active > most && self.both_known()) {
            let (anomaly, needs) = (Anomaly::StreamConcurrency, u64::from(active - most));
            self.suspect(cx, Suspicion { from, anomaly, stream, at, excuse: Excuse::Closed, needs });
        }
    }

    fn wholeness(&self) -> PerSide<bool> {
        let mut whole = PerSide::default();
        for side in [Side::Client, Side::Server] {
            whole[side] = self.sides[side].whole;
        }
        whole
    }

    /// DATA (section 6.1).
    pub(super) fn data(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let from = cx.from;
        let (header, at) = (&frame.header, frame.at);
        let (id, ends) = (header.stream, header.flags.has(Flags::END_STREAM));
        self.use_window(cx, id, header.length, at);
        let content = Data::parse(header, frame.payload)
            .filter(|data| data.padding.is_none_or(|padding| u32::from(padding) < header.length))
            .map(|data| data.data_length);
        if content == Some(0) && !ends {
            self.count(from, id, Anomaly::EmptyDataFlood, at);
        }
        let whole = self.sides[from].whole;
        let reserved = from.is_client() && opener(id) == Side::Server;
        match self.streams.get_mut(id) {
            Some(stream) if !reserved && !stream.sides[from].ended => {
                let sent = &mut stream.sides[from];
                sent.body = sent.body.zip(content).map(|(body, more)| body.saturating_add(more.into()));
                let forbidden = sent.bare && content.is_some_and(|content| content > 0);
                if forbidden {
                    self.findings.add(from, id, Anomaly::ContentForbidden, at);
                }
                if sent.headers == Sighting::No && whole {
                    self.findings.add(from, id, Anomaly::DataBeforeHeaders, at);
                }
            }
            _ => {
                if self.stray_data(cx, id, at) {
                    return;
                }
            }
        }
        if ends {
            self.end(from, id, at);
        }
    }

    /// DATA on a stream that is not open, or not for `from`. Whether that is all there is to say of the frame.
    #[cold]
    fn stray_data(&mut self, cx: &EventContext<'_>, id: u32, at: Moment) -> bool {
        let from = cx.from;
        let state = self.state(id, from);
        if from.is_client() && opener(id) == Side::Server && matches!(state, StreamState::Open { .. }) {
            self.findings.add(from, id, Anomaly::StreamReserved, at);
            return true;
        }
        if self.after_end(from, (id, state), true, at) {
            return true;
        }
        if state == StreamState::Never && opener(id) == from && self.sides[from].whole {
            let idle = id > self.streams.highest[from];
            let anomaly = if idle { Anomaly::StreamIdle } else { Anomaly::StreamClosed };
            self.findings.add(from, id, anomaly, at);
        } else if state == StreamState::Never && opener(id) != from {
            self.unopened(cx, id, Anomaly::StreamIdle, at);
        }
        false
    }

    /// `from` ends the stream.
    pub(super) fn end(&mut self, from: Side, id: u32, at: Moment) {
        let losses = self.sides[from].losses;
        let ended = if from.is_client() { EndedBy::CLIENT_ENDED } else { EndedBy::SERVER_ENDED };
        let Some(stream) = self.streams.get_mut(id) else {
            if let StreamState::Over(_) = self.state(id, from) {
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

    fn close(&mut self, by: Side, id: u32, left: EndedBy, at: Moment) {
        if self.streams.close(id, left) == Some(by.peer()) {
            self.suspicions.excuse(by, at, 1, |excuse| excuse == Excuse::Closed);
        }
    }

    /// The error that `RST_STREAM` names, if any.
    pub(super) fn reset_code(&mut self, from: Side, frame: &FrameView<'_>) {
        let code = RstStream::parse(&frame.header, frame.payload).map(|reset| reset.code);
        if code.is_some_and(|code| !matches!(code, error_code::NO_ERROR | error_code::CANCEL)) {
            self.findings.add(from, frame.header.stream, Anomaly::RstStreamError, frame.at);
        }
    }

    /// `RST_STREAM` (section 6.4).
    pub(super) fn reset(&mut self, cx: &EventContext<'_>, id: u32, at: Moment) {
        let from = cx.from;
        let reset = if from.is_client() { EndedBy::CLIENT_RESET } else { EndedBy::SERVER_RESET };
        match self.state(id, from) {
            StreamState::Never if opener(id) == from => {
                if id > self.streams.highest[from] && self.sides[from].whole {
                    self.findings.add(from, id, Anomaly::RstStreamIdle, at);
                }
                return;
            }
            StreamState::Never => {
                if id > self.streams.highest[from.peer()] {
                    self.suspect_idle(cx, id, Anomaly::RstStreamIdle, at);
                }
                return;
            }
            StreamState::Open { .. } => {}
            StreamState::Over(_) => {
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
    pub(super) fn push_promise(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let from = cx.from;
        let (id, at) = (frame.header.stream, frame.at);
        let Some(promise) = PushPromise::parse(&frame.header, frame.payload) else { return };
        if from.is_client() {
            return;
        }
        let allowed = self.most(cx.ledger, Side::Client, |values| values.enable_push);
        if allowed == Some(0) && self.sides[Side::Client].whole {
            self.findings.add(from, id, Anomaly::PushPromiseDisabled, at);
        }
        if opener(id) == Side::Server {
            self.findings.add(from, id, Anomaly::PushPromiseStream, at);
        } else {
            let state = self.state(id, from);
            if !self.after_end(from, (id, state), true, at) && state == StreamState::Never {
                self.unopened(cx, id, Anomaly::StreamIdle, at);
            }
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
}
