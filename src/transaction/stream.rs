//! An open stream: the record that it will become, and what is needed until then.
//!
//! ```text
//!    HEADERS of the client, PUSH_PROMISE, or, its request not seen, a frame of the server
//!                     │
//!                     ▼           END_STREAM of one side
//!                   open ───────────────────────────────▶ half-closed ── END_STREAM of the other ──▶ ended
//!                     │                                        │                                        ▲
//!                     ├──────────── RST_STREAM ────────────────┤                                        │
//!                     ▼                                        ▼                                        │
//!               reset: what the other side had sent before it knew is read ── all of it was read ───────┤
//!                     │                                                                                 │
//!    any of them ─────┴── GOAWAY, the connection's end, idle, the capture's end, a cap ──────────────────┘
//! ```
//!
//! RFC 9113 section 5.1 as seen from the middle: the sides' views differ while frames are under way. What ended is
//! remembered ([`ClosedStreams`](super::closed::ClosedStreams)), so that what comes late opens nothing.

use super::digest::Digest;
use super::grpc::MessageCounter;
use super::grpc_web::WebBody;
use super::reset::Reset;
use super::side::Losses;
use crate::base::percent;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::flow::GapCause;
use crate::http2::{BlockEnd, EventContext, FrameSpot, PerSide, ResetPlace, Side};
use crate::record::grpc::{number, timeout};
use crate::record::{
    EndBy, EndHow, FieldName, Fields, Grpc, GrpcBody, HeaderBytes, Interim, Message, Partial, StreamEnd,
    Transaction, Unknown, WireShape,
};

#[derive(Debug, Default)]
pub(super) struct OpenStream {
    pub(super) record: Transaction,
    pub(super) client: Progress,
    pub(super) server: Progress,
    /// It was reset, and what the other side sent before that is still to be read.
    pub(super) reset: Option<Reset>,
    /// The response begins behind this place of the server's TCP stream, where that is known.
    pub(super) asked: Option<u64>,
    /// Of the request's body, where that is asked for.
    pub(super) digest: Digest,
    /// Bytes of memory that its connection counts for it.
    pub(super) weight: usize,
}

/// How far a side is on a stream.
#[derive(Debug, Default)]
pub(super) struct Progress {
    messages: MessageCounter,
    /// How messages lie in its body, once that has begun.
    body: Option<BodyKind>,
    /// Of gRPC-Web.
    web: Option<Box<WebBody>>,
    /// A field whose name begins with `grpc-` was in a section of this side.
    pub(super) grpc_fields: bool,
    /// It has ended its part of the stream, or reset it.
    pub(super) over: bool,
    /// END_STREAM.
    pub(super) end: Option<SideEnd>,
    /// How far in its TCP stream it was read, of fields and DATA, and the packet with the last of them.
    pub(super) reached: (u64, u64),
    /// How often the side had lost frames when the stream was first seen.
    pub(super) losses_at_start: u64,
    /// And when the side ended the stream.
    losses_at_end: Option<u64>,
    /// Its header section is not whole: fields may be missing.
    headers_cut: bool,
    /// Fields with unknown names stood where pseudo-header fields stand.
    unknown_pseudo: bool,
    /// Fields with unknown names stood in the section that holds the gRPC status.
    unknown_trailers: bool,
    /// Its trailer section is not whole.
    cut_trailers: bool,
    /// A header block came of which cannot be told what it is, or what it says.
    unclear: bool,
    /// When it was certain that bytes of a frame on the stream are missing, the last time.
    lost_at: Option<Timestamp>,
    /// Its header section may be an interim response's, as the status is unknown; how often the side had lost frames
    /// when it came.
    pub(super) maybe_interim: Option<u64>,
}

impl Progress {
    /// When the side ended its part it had received the end of the other's.
    fn knows_end(&self, other: &Self) -> bool {
        self.end.zip(other.end).is_some_and(|(own, other)| own.has_received(other.place))
    }
}

/// Where a side ended its part of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideEnd {
    at: Moment,
    /// In its TCP stream.
    place: u64,
    /// So much of the other side's TCP stream it had received.
    received: Option<u64>,
}

impl SideEnd {
    /// Of END_STREAM that is told now.
    pub(super) fn of(cx: &EventContext<'_>) -> Self {
        Self { at: cx.at(), place: cx.arrival.span.end, received: cx.arrival.acknowledged }
    }

    /// By then the other side's TCP stream had come up to this place.
    pub(super) fn has_received(self, place: u64) -> bool {
        self.received.is_some_and(|received| received >= place)
    }

    /// The end of the stream, where `from` had received more of its peer by then than this place.
    pub(super) fn behind(self, from: Side, place: u64) -> Option<Reset> {
        let acknowledged = self.received.filter(|&received| received > place)?;
        let end = StreamEnd { by: from.into(), how: EndHow::EndStream, code: None };
        Some(Reset { place: ResetPlace { from, at: self.at, acknowledged }, end })
    }
}

/// What a side's content type says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyKind {
    /// gRPC messages, in that layout.
    Grpc(GrpcBody),
    /// The content type is not known: perhaps gRPC messages.
    Maybe,
    /// Anything else.
    Other,
}

/// Memory of ended streams, to be used again.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "streams move between here and the maps of connections, and are large")]
pub struct StreamPool(Vec<Box<OpenStream>>);

impl StreamPool {
    /// A new stream, which is still to be [started over](Stream::start_over).
    pub(super) fn take(&mut self) -> Box<OpenStream> {
        self.0.pop().unwrap_or_default()
    }

    /// The stream has ended; no more than [`tuning::STREAM_POOL`] are kept.
    pub(super) fn give(&mut self, mut stream: Box<OpenStream>) {
        if self.0.len() < tuning::STREAM_POOL {
            stream.trim();
            self.0.push(stream);
        }
    }
}

impl OpenStream {
    /// The stream has ended, and waits to be used again: its sections are emptied.
    fn trim(&mut self) {
        for message in [&mut self.record.request, &mut self.record.response] {
            message.headers.trim();
            message.trailers.trim();
        }
    }

    /// Starts over for another stream; the memory is kept.
    pub(super) fn start_over(&mut self, id: u32, at: Moment) {
        let record = &mut self.record;
        for message in [&mut record.request, &mut record.response] {
            (message.seen, message.ended, message.body) = (false, false, 0);
            message.last_lost = false;
            message.header_bytes = HeaderBytes::default();
            (message.first, message.last) = (None, None);
        }
        record.interim.clear();
        (record.stream, record.first, record.last) = (id, at, at);
        // Servers open streams with even numbers, and only by pushing (RFC 9113 section 5.1.1).
        (record.pushed, record.parent, record.grpc) = (id.is_multiple_of(2), None, None);
        record.end = StreamEnd::default();
        record.partial = Partial::default();
        record.unknown = Unknown::default();
        record.retransmitted = PerSide::default();
        (record.time, record.evidence, record.wire) = (None, None, WireShape::default());
        (record.server_unseen, record.disclaimed) = (false, false);
        record.pieces.clear();
        (record.digest, record.priority) = (None, None);
        self.digest = Digest::default();
        self.reset = None;
        (self.client, self.server) = (Progress::default(), Progress::default());
        self.asked = None;
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        let Transaction { request, response, interim, .. } = &self.record;
        let fields = [&request.headers, &request.trailers, &response.headers, &response.trailers];
        size_of::<Self>()
            + self.digest.memory()
            + interim.capacity() * size_of::<Interim>()
            + self.record.pieces.capacity() * size_of::<(crate::record::TimePart, u64)>()
            + fields.iter().map(|fields| fields.memory()).sum::<usize>()
            + [&self.client, &self.server]
                .iter()
                .filter_map(|side| side.web.as_ref())
                .map(|web| web.memory())
                .sum::<usize>()
    }

    /// What `from` has sent now came after the stream was reset. The request came before.
    pub(super) fn is_over(&self, cx: &EventContext<'_>, from: Side) -> bool {
        let asked = self.record.request.seen || !from.is_client();
        self.reset.is_some_and(|reset| (reset.place.from == from || asked) && reset.place.is_before(cx, from))
    }

    pub(super) fn side(&mut self, side: Side) -> (&mut Message, &mut Progress) {
        match side {
            Side::Client => (&mut self.record.request, &mut self.client),
            Side::Server => (&mut self.record.response, &mut self.server),
        }
    }

    /// What a side has sent.
    pub(super) const fn message(&self, side: Side) -> &Message {
        match side {
            Side::Client => &self.record.request,
            Side::Server => &self.record.response,
        }
    }

    /// Something of the stream was read.
    pub(super) fn touch(&mut self, from: Side, at: Moment) {
        if at.packet > self.record.last.packet {
            self.record.last = at;
        }
        let (message, _) = self.side(from);
        message.first.get_or_insert(at.time);
        message.last = message.last.max(Some(at.time));
    }

    /// Fields or DATA of a side were read.
    pub(super) fn reach(&mut self, cx: &EventContext<'_>) {
        self.side(cx.from).1.reached = (cx.arrival.span.end, cx.at().packet);
    }

    /// Both sides have ended.
    pub(super) const fn ended(&self) -> bool {
        self.client.over && self.server.over
    }

    /// The server has sent a whole response.
    pub(super) const fn is_answered(&self) -> bool {
        self.record.response.seen && self.record.response.ended
    }

    /// Takes a header section over from `scratch`, which gets the old memory.
    pub(super) fn take_headers(
        &mut self,
        from: Side,
        scratch: &mut Fields,
        end: &BlockEnd,
        unknown_pseudo: bool,
    ) {
        let (message, progress) = self.side(from);
        std::mem::swap(&mut message.headers, scratch);
        message.headers.fit();
        message.seen = true;
        message.header_bytes = HeaderBytes::default();
        count_block(&mut message.header_bytes, end);
        progress.headers_cut |= end.cut.is_some() || end.broken || end.limited;
        progress.unknown_pseudo |= unknown_pseudo;
        progress.unknown_trailers |= end.unknown > 0;
    }

    /// A header block came of which cannot be told what it is.
    pub(super) fn set_unclear(&mut self, from: Side) {
        self.side(from).1.unclear = true;
    }

    /// The server sends what only a final response is followed by: was its header section in doubt until now? If
    /// frames were lost since, an interim response is in its place, for all that is known.
    pub(super) fn settle_response(&mut self, losses: u64) -> bool {
        match self.server.maybe_interim.take() {
            Some(before) if before == losses => true,
            Some(_) => {
                self.forget_response();
                false
            }
            None => false,
        }
    }

    /// What was taken for the response's header section is not known to be that.
    fn forget_response(&mut self) {
        let response = &mut self.record.response;
        response.headers.clear();
        (response.seen, response.header_bytes) = (false, HeaderBytes::default());
        self.server.unclear = true;
    }

    /// Takes a trailer section over from `scratch`.
    pub(super) fn take_trailers(&mut self, from: Side, scratch: &mut Fields, end: &BlockEnd) {
        let (message, progress) = self.side(from);
        if message.trailers.is_empty() {
            std::mem::swap(&mut message.trailers, scratch);
            message.trailers.fit();
        }
        count_block(&mut message.header_bytes, end);
        progress.cut_trailers |= end.cut.is_some() || end.broken;
        progress.unknown_trailers = end.unknown > 0 || progress.cut_trailers;
    }

    /// DATA payload.
    pub(super) fn data(&mut self, from: Side, at: Moment, bytes: &[u8]) {
        self.touch(from, at);
        let (message, progress) = self.side(from);
        message.body += bytes.len() as u64;
        let kind = *progress.body.get_or_insert_with(|| body_kind(message, progress.headers_cut));
        match kind {
            BodyKind::Grpc(GrpcBody::Plain) => progress.messages.data(bytes),
            BodyKind::Maybe => progress.messages.unsure_data(bytes),
            BodyKind::Grpc(web) => {
                progress.web.get_or_insert_default().data(web, bytes, &mut progress.messages);
            }
            BodyKind::Other => {}
        }
    }

    /// The same of the event's packet, with a digest of it where that is made.
    #[inline]
    pub(super) fn take_data(&mut self, cx: &EventContext<'_>, bytes: &[u8], digested: bool) {
        self.data(cx.from, cx.at(), bytes);
        self.reach(cx);
        if digested {
            self.digest.add(bytes);
        }
    }

    /// Both sides have ended it, and of one of them not all is read that it had sent before: when that was, which stands in the
    /// place of a reset.
    pub(super) fn ended_early(&self) -> Option<Reset> {
        self.reset.filter(|reset| reset.end.how == EndHow::EndStream)
    }

    /// It was reset, and of the other side not all is read that it had sent before.
    pub(super) fn reset_early(&self) -> bool {
        self.reset.is_some_and(|reset| reset.end.how == EndHow::RstStream)
    }

    /// A cap kept trailers of a gRPC-Web body from being read.
    pub(super) fn is_web_limited(&self) -> bool {
        [&self.client, &self.server].iter().any(|side| side.web.as_ref().is_some_and(|web| web.is_limited()))
    }

    /// A side's body is gRPC-Web.
    pub(super) const fn is_web(&self) -> bool {
        self.client.web.is_some() || self.server.web.is_some()
    }

    /// That bytes of a side's frame on the stream are missing is certain since now.
    pub(super) fn lost_now(&mut self, from: Side, at: Moment) -> bool {
        self.side(from).1.lost_at == Some(at.time)
    }

    /// A header block is not whole, which was certain then.
    pub(super) fn block_cut(&mut self, from: Side, at: Moment) {
        self.side(from).1.lost_at = Some(at.time);
    }

    /// DATA payload that is not in the capture.
    pub(super) fn data_lost(&mut self, from: Side, at: Moment, len: u64, cause: GapCause) {
        let (message, progress) = self.side(from);
        message.first.get_or_insert(at.time);
        progress.lost_at = Some(at.time);
        if from.is_client() {
            self.digest.lose();
        }
        self.record.partial.insert(reason(cause));
        let (message, progress) = self.side(from);
        message.body += len;
        progress.body.get_or_insert_with(|| body_kind(message, progress.headers_cut));
        match progress.body {
            // Characters of Base64 are no octets.
            Some(BodyKind::Grpc(GrpcBody::WebText)) => progress.messages.lose_place(),
            _ => progress.messages.lose(len),
        }
    }

    /// The side ended its part of the stream (END_STREAM), or reset it.
    pub(super) fn end_side(&mut self, from: Side, losses: u64, spot: FrameSpot, end_stream: bool) {
        match from {
            Side::Client => self.record.wire.request_end = spot,
            Side::Server => self.record.wire.response_end = spot,
        }
        let (message, progress) = self.side(from);
        message.ended |= end_stream;
        progress.over = true;
        progress.losses_at_end.get_or_insert(losses);
    }

    /// Completes the record: what is missing, what is unknown, what gRPC said.
    ///
    /// `at` is when what ended it came, where that is no frame of the stream.
    pub(super) fn finish(&mut self, end: StreamEnd, at: Timestamp, client: &Losses, server: &Losses) {
        if self.server.maybe_interim.take().is_some() {
            self.forget_response();
        }
        let reset = end.code.is_some() || end.how == EndHow::RstStream;
        self.record.end = end;
        // Of two ends the later one counts, whichever was read first.
        let [request, response] = [&self.record.request, &self.record.response].map(|message| message.last);
        self.record.ended_at =
            [request, response].into_iter().flatten().fold(self.record.last.time.max(at), Ord::max);
        if end.how == EndHow::RstStream {
            // What the other side sent behind that was read too, perhaps.
            self.record.ended_at = at;
        }
        if end.how == EndHow::EndStream && self.ended() {
            let known = match (self.client.knows_end(&self.server), self.server.knows_end(&self.client)) {
                (true, false) => Some((EndBy::Client, request)),
                (false, true) => Some((EndBy::Server, response)),
                _ => None,
            };
            self.record.end.by = match known {
                Some((by, _)) => by,
                None if request > response => EndBy::Client,
                None if request < response => EndBy::Server,
                None => end.by,
            };
            // When the other end came may not be known so well, as bytes are missing there.
            if let Some((_, Some(last))) = known {
                self.record.ended_at = last;
            }
        }
        let mut partial = self.record.partial;
        for (side, losses, missing, cut) in [
            (Side::Client, client, Partial::NO_REQUEST, Partial::REQUEST_CUT),
            (Side::Server, server, Partial::NO_RESPONSE, Partial::RESPONSE_CUT),
        ] {
            let (message, progress) = self.side(side);
            let lost = progress.losses_at_end.unwrap_or(losses.count) > progress.losses_at_start;
            // Bytes behind the missing ones came at another time.
            message.last_lost = progress.lost_at.is_some() && message.last == progress.lost_at;
            if progress.web.as_ref().is_some_and(|web| web.is_limited()) {
                partial.insert(Partial::LIMIT);
            }
            if lost {
                partial.insert(losses.cause.map_or(Partial::TCP_GAP, reason));
                progress.messages.lose_place();
            } else if matches!(end.by, EndBy::Tcp | EndBy::Capture) && losses.count > progress.losses_at_start
            {
                // The side had ended its part, and may have reset the stream since.
                partial.insert(losses.cause.map_or(Partial::TCP_GAP, reason));
            }
            if !message.seen && (side.is_client() || !reset) {
                partial.insert(missing);
                if losses.late {
                    partial.insert(Partial::MID_STREAM);
                } else if losses.count > 0 {
                    partial.insert(losses.cause.map_or(Partial::TCP_GAP, reason));
                }
            } else if message.seen && !progress.over && !reset {
                partial.insert(cut);
            }
        }
        let unknown = self.unknown();
        let unknown_header = [&self.record.request, &self.record.response]
            .into_iter()
            .any(|message| message.headers.has_unknown() || message.trailers.has_unknown());
        if !unknown.is_empty()
            || unknown_header
            || [&self.client, &self.server].iter().any(|side| side.unknown_trailers || side.unclear)
        {
            partial.insert(Partial::UNKNOWN_HEADER);
            if client.late || server.late {
                partial.insert(Partial::MID_STREAM);
            }
        }
        self.record.unknown = unknown;
        self.record.partial = partial;
        self.record.grpc = self.grpc();
    }

    /// The fields that are there, or may be, and whose value is not known.
    fn unknown(&self) -> Unknown {
        let mut unknown = Unknown::default();
        let Transaction { request, response, .. } = &self.record;
        let whole = |side: &Progress| {
            !side.unknown_pseudo && !side.headers_cut && !side.unknown_trailers && !side.unclear
        };
        let known = |message: &Message| !message.headers.has_unknown() && !message.trailers.has_unknown();
        let Progress { web, messages, .. } = &self.server;
        let web_lost = web.as_ref().is_some_and(|web| {
            web.is_limited() || messages.has_hidden_trailers() || messages.count().is_none()
        });
        if whole(&self.client) && whole(&self.server) && known(request) && known(response) && !web_lost {
            return unknown;
        }
        let absent = |message: &Message, progress: &Progress, known| match message.headers.get(known) {
            Some(field) => field.value.is_none(),
            None => message.seen && (progress.unknown_pseudo || progress.headers_cut),
        };
        let connect = request.headers.value(FieldName::Method) == Some(b"CONNECT");
        for (known, name) in [
            (FieldName::Method, Unknown::METHOD),
            (FieldName::Scheme, Unknown::SCHEME),
            (FieldName::Path, Unknown::PATH),
            (FieldName::Authority, Unknown::AUTHORITY),
        ] {
            let expected = !(connect && matches!(known, FieldName::Scheme | FieldName::Path));
            if expected && absent(request, &self.client, known) {
                unknown.insert(name);
            }
        }
        if absent(response, &self.server, FieldName::Status) {
            unknown.insert(Unknown::STATUS);
        }
        for (message, progress, name) in [
            (request, &self.client, Unknown::REQUEST_TRAILERS),
            (response, &self.server, Unknown::RESPONSE_TRAILERS),
        ] {
            if progress.cut_trailers || message.trailers.has_unknown() {
                unknown.insert(name);
            }
        }
        if self.is_grpc()
            && (self.server.unknown_trailers || self.server.unclear || web_lost)
            && self.status_field().is_none()
        {
            unknown.insert(Unknown::GRPC_STATUS);
        }
        unknown
    }

    /// What the client's and the server's body are.
    fn bodies(&self) -> [BodyKind; 2] {
        let Transaction { request, response, .. } = &self.record;
        [body_kind(request, self.client.headers_cut), body_kind(response, self.server.headers_cut)]
    }

    /// A content type says so or, where one is not known, the name of any field.
    fn is_grpc(&self) -> bool {
        let bodies = self.bodies();
        let [request, response] = bodies.map(|body| body == BodyKind::Maybe);
        bodies.iter().any(|body| matches!(body, BodyKind::Grpc(_)))
            || (self.client.grpc_fields && request)
            || (self.server.grpc_fields && response)
    }

    /// A gRPC field: of the trailers, in a Trailers-Only answer of the header section, or of gRPC-Web's trailers.
    fn grpc_field(&self, known: FieldName, name: &str) -> Option<&[u8]> {
        let Message { headers, trailers, .. } = &self.record.response;
        let web = || self.server.web.as_ref()?.trailer(name);
        trailers.value(known).or_else(|| headers.value(known)).or_else(web)
    }

    /// `grpc-status`
    fn status_field(&self) -> Option<&[u8]> {
        self.grpc_field(FieldName::GrpcStatus, "grpc-status")
    }

    fn grpc(&self) -> Option<Grpc> {
        if !self.is_grpc() {
            return None;
        }
        let [request_body, response_body] = self.bodies();
        let messages = |message: &Message, body, progress: &Progress| match body {
            _ if !message.seen => None,
            BodyKind::Other => Some(0),
            BodyKind::Grpc(_) | BodyKind::Maybe => progress.messages.count(),
        };
        let Transaction { request, response, .. } = &self.record;
        let asked = |known| request.headers.value(known);
        let is_web = |body| matches!(body, BodyKind::Grpc(GrpcBody::Web | GrpcBody::WebText));
        Some(Grpc {
            web: is_web(request_body) || is_web(response_body),
            status: self.status_field().and_then(number).and_then(|status| status.try_into().ok()),
            message: self.grpc_field(FieldName::GrpcMessage, "grpc-message").map(percent::decode),
            request_messages: messages(request, request_body, &self.client),
            response_messages: messages(response, response_body, &self.server),
            timeout: asked(FieldName::GrpcTimeout).and_then(timeout),
            attempt: asked(FieldName::GrpcAttempts).and_then(number),
        })
    }
}

/// Adds a header block's octets.
const fn count_block(octets: &mut HeaderBytes, end: &BlockEnd) {
    octets.wire += end.wire_bytes;
    octets.decoded += end.decoded_bytes;
    octets.unknown |= end.unknown > 0 || end.broken || end.limited;
    octets.cut |= end.cut.is_some();
}

/// What the content type says of a message's body. It is not known where the section was not seen, or not all of it.
fn body_kind(message: &Message, headers_cut: bool) -> BodyKind {
    let headers = &message.headers;
    match headers.get(FieldName::ContentType).map(|field| field.value) {
        Some(Some(content_type)) => GrpcBody::of(content_type).map_or(BodyKind::Other, BodyKind::Grpc),
        None if message.seen && !headers_cut && !headers.has_unknown() => BodyKind::Other,
        None | Some(None) => BodyKind::Maybe,
    }
}

/// Why something is missing, as the record says it.
pub(super) const fn reason(cause: GapCause) -> Partial {
    match cause {
        GapCause::Lost => Partial::TCP_GAP,
        GapCause::Snaplen => Partial::SNAPLEN,
        GapCause::NotDecrypted => Partial::NOT_DECRYPTED,
        GapCause::Limit => Partial::LIMIT,
        GapCause::Damaged => Partial::BAD_CHECKSUM,
    }
}
