//! The contents of one exchange, while it lasts.

use super::exchange_context::{ExchangeContext, Losses};
use super::files::BodyWriter;
use super::graphql::Operation;
use super::head::Head;
use super::protobuf::{Schema, Type};
#[cfg(feature = "proto")]
use super::protobuf::{reflection, status};
use super::reader::Reader;
use super::side::Side;
use super::tell::Context;
use super::{dns, form};
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits::{BODY_MESSAGE_BYTES, BODY_MESSAGES};
use crate::base::time::Timestamp;
use crate::base::tuning::BODY_WAIT;
use crate::http2::ResetPlace;
use crate::record::{BodyFile, BodyMessage, Contents, Events, GraphQl, MessageRecord, WebSocketEnd};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Both sides of an exchange.
#[derive(Default)]
pub(super) struct Exchange {
    request: Side,
    response: Side,
    told: Told,
    /// Losses that it has been told of.
    losses: Losses,
    /// Where the stream was reset: what came after that is of no body.
    pub(super) reset: Option<ResetPlace>,
    /// Bytes of memory that the budget counts for it.
    pub(super) weight: usize,
}

/// What was found in both bodies.
#[derive(Default)]
struct Told {
    messages: Vec<BodyMessage>,
    bytes: usize,
    omitted: u64,
    /// Messages were not told, as they were not paid for.
    unpaid: bool,
    events: Option<Events>,
    /// The first close frame of each side, and when it was there.
    closes: Vec<(Timestamp, WebSocketEnd)>,
    graphql: Option<Operation>,
    /// The response tells of the server's services.
    reflection: bool,
    /// `:path` up to the query, and when the first of the exchange was seen.
    path: Option<String>,
    start: Option<Timestamp>,
    /// When the last messages of the client and of the server were there.
    last: (Timestamp, Timestamp),
}

impl Told {
    fn take(
        &mut self,
        mut message: BodyMessage,
        from_client: bool,
        at: Timestamp,
        cx: &mut ExchangeContext<'_>,
    ) {
        // A message is there when all before it are: a packet that came late holds up those behind it.
        let last = if from_client { &mut self.last.0 } else { &mut self.last.1 };
        *last = at.max(*last);
        (message.from_client, message.at) = (from_client, *last);
        let at = *last;
        #[cfg(feature = "proto")]
        if self.reflection
            && !from_client
            && let Some(response) = message.bytes.take()
            && !reflection::learn(&response, cx.schema, cx.learned)
        {
            cx.limits.strike(Limit::BodyDecoding);
        }
        if message.opcode == Some("close")
            && self.closes.iter().all(|(_, close)| close.by_client != from_client)
        {
            let reason = message.text.clone();
            self.closes.push((at, WebSocketEnd { by_client: from_client, code: message.code, reason }));
        }
        if let Some(events) = &mut self.events {
            events.note(at);
        }
        if matches!(message.error, Some("too_deep" | "expansion")) {
            cx.limits.strike(Limit::BodyDecoding);
        }
        if !cx.credit.show_message(message.texts()) {
            (self.omitted, self.unpaid) = (self.omitted + 1, true);
            return cx.limits.strike(Limit::BodyShown);
        }
        if let Some(ended) = &mut cx.ended {
            let (stream, path) = (cx.stream, self.path.clone());
            ended.push(MessageRecord {
                stream,
                path,
                start: self.start.unwrap_or(at),
                message: message.clone(),
            });
        }
        let bytes = message.memory();
        let full = self.messages.len() >= BODY_MESSAGES || self.bytes + bytes > BODY_MESSAGE_BYTES;
        // A smaller one that would fit must not stand behind a hole.
        if full || self.omitted > 0 {
            self.omitted += 1;
            cx.limits.add(Limit::BodyMessages, u64::from(self.omitted == 1));
            return;
        }
        self.bytes += bytes;
        self.messages.push(message);
    }
}

impl Exchange {
    /// One that begins after so many losses.
    pub(super) fn new(losses: Losses) -> Self {
        Self { losses, ..Self::default() }
    }

    /// One that is over, so that what comes late is known to be of it.
    pub(super) fn over(losses: Losses, reset: ResetPlace) -> Self {
        Self { losses, reset: Some(reset), ..Self::default() }
    }

    /// What was lost since it was last looked at may have been of it.
    pub(super) fn note_losses(&mut self, cx: &mut ExchangeContext<'_>) {
        let before = std::mem::replace(&mut self.losses, cx.losses);
        let at = self.told.start.unwrap_or_default();
        if before.client != cx.losses.client {
            self.gap(None, true, at, cx);
        }
        if before.server != cx.losses.server {
            self.gap(None, false, at, cx);
        }
    }

    /// A header block of a side is over.
    pub(super) fn block(
        &mut self,
        head: Head,
        from_client: bool,
        end: bool,
        at: Timestamp,
        cx: &mut ExchangeContext<'_>,
    ) {
        self.told.start.get_or_insert(at);
        let interim = head.status.is_some_and(|status| status < 200);
        let side = if from_client { &mut self.request } else { &mut self.response };
        if side.head.seen || (head.method.is_none() && head.status.is_none()) {
            // Trailers; or after a loss, what may be anything.
            side.head.details = head.details.or(side.head.details.take());
            side.head.unknown |= !side.head.seen;
        } else if !interim {
            side.head = Head { seen: true, ..head };
            if from_client {
                self.asked(at, cx);
            }
            self.settle(false, cx);
        }
        if end && !interim {
            self.end(from_client, at, cx);
        }
    }

    /// The request's header section is there: a query may carry what else a body does.
    fn asked(&mut self, at: Timestamp, cx: &mut ExchangeContext<'_>) {
        let Self { request, told, .. } = self;
        let Some((path, query)) =
            request.head.path.as_deref().map(|path| path.split_once('?').unwrap_or((path, "")))
        else {
            return;
        };
        told.path = Some(path.to_owned());
        #[cfg(feature = "proto")]
        {
            told.reflection = reflection::is_reflection(path);
        }
        if request.head.method.as_deref() != Some(b"GET") || query.is_empty() {
            return;
        }
        if is_graphql(path) {
            told.graphql = Operation::from_query(query);
        }
        let asked = form::pairs(query).find(|(name, _)| name == "dns").and_then(|(_, value)| {
            let bytes = URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).ok()?;
            Some(BodyMessage {
                size: Some(bytes.len() as u64),
                value: Some(dns::json(&bytes)?),
                ..BodyMessage::default()
            })
        });
        if let Some(message) = asked {
            told.take(message, true, at, cx);
        }
    }

    /// Reads what waited until it was known how, or `whatever` is known.
    fn settle(&mut self, whatever: bool, cx: &mut ExchangeContext<'_>) {
        for from_client in [true, false] {
            let side = if from_client { &self.request } else { &self.response };
            if side.waits_since().is_none() || !(whatever || self.is_known(from_client)) {
                continue;
            }
            let reader = self.reader(from_client, cx);
            let Self { request, response, told, .. } = self;
            let side = if from_client { request } else { response };
            let context = cx.context();
            side.read_with(reader, &context, &mut |message, at| {
                told.take(message, from_client, at, cx);
            });
        }
    }

    /// It is known how to read a side's body: a response by what was asked, a WebSocket by how it was answered.
    fn is_known(&self, from_client: bool) -> bool {
        let head = &self.request.head;
        head.seen && (!from_client || head.protocol.is_none() || self.response.head.seen)
    }

    /// What reads a side's body.
    fn reader(&mut self, from_client: bool, cx: &ExchangeContext<'_>) -> Reader {
        let Self { request, response, told, .. } = self;
        let limit = cx.options.limit;
        let accepted = response.head.status.is_some_and(|status| (200..300).contains(&status));
        if request.head.protocol.as_deref() == Some(b"websocket") && accepted {
            return Reader::websocket(&response.head, from_client, limit);
        }
        let path = request.head.path.as_deref().unwrap_or_default();
        let kind = Type::of(cx.schema, path, from_client).keeping(told.reflection && !from_client);
        let head = if from_client { &request.head } else { &response.head };
        let reader = Reader::new(head, &request.head, kind, limit);
        if reader.is_event_stream() {
            told.events.get_or_insert_default();
        }
        reader
    }

    /// DATA of a side.
    pub(super) fn data(
        &mut self,
        bytes: &[u8],
        from_client: bool,
        at: Timestamp,
        cx: &mut ExchangeContext<'_>,
    ) {
        self.begin(from_client, cx);
        let Self { request, response, told, .. } = self;
        let side = if from_client { request } else { response };
        let context = cx.context();
        side.data(bytes, at, &context, &mut |message| told.take(message, from_client, at, cx));
        if side.waits_since().is_some_and(|since| at.since(since) > BODY_WAIT) {
            self.settle(true, cx);
        }
    }

    /// Some of a side's DATA is not in the capture.
    pub(super) fn gap(
        &mut self,
        length: Option<u64>,
        from_client: bool,
        at: Timestamp,
        cx: &mut ExchangeContext<'_>,
    ) {
        if length.is_some_and(|length| length > 0) {
            self.begin(from_client, cx);
        }
        let Self { request, response, told, .. } = self;
        let side = if from_client { request } else { response };
        let context = cx.context();
        side.gap(length, &context, &mut |message| told.take(message, from_client, at, cx));
    }

    /// END_STREAM of a side.
    pub(super) fn end(&mut self, from_client: bool, at: Timestamp, cx: &mut ExchangeContext<'_>) {
        let Self { request, response, told, .. } = self;
        let side = if from_client { &mut *request } else { response };
        let context = cx.context();
        side.end(&context, &mut |message| told.take(message, from_client, at, cx));
        if from_client && told.graphql.is_none() {
            told.graphql = graphql(request, &told.messages);
        }
    }

    /// DATA is about to come: how it is read, and where it is written.
    fn begin(&mut self, from_client: bool, cx: &ExchangeContext<'_>) {
        let begun = if from_client { self.request.has_begun() } else { self.response.has_begun() };
        if begun {
            return;
        }
        let reader = if self.is_known(from_client) { Some(self.reader(from_client, cx)) } else { None };
        let side = if from_client { &mut self.request } else { &mut self.response };
        side.begin(reader, &cx.context());
        if let Some((store, as_sent)) = &cx.options.store {
            let what = if from_client { "request" } else { "response" };
            let coded = *as_sent && !side.head.codings.is_empty();
            let extension = if coded { "coded" } else { side.head.media_type.extension() };
            let name = format!("{}-{}-{what}.{extension}", cx.connection, cx.stream);
            side.write_to(BodyWriter::new(store, name), *as_sent);
        }
    }

    /// Nothing more is kept of it.
    pub(super) fn starve(&mut self) {
        self.request.starve();
        self.response.starve();
    }

    /// Bytes of memory that it takes beside its own.
    pub(super) fn memory(&self) -> usize {
        self.request.memory() + self.response.memory() + self.told.bytes
    }

    /// The exchange is over, whatever came of it.
    pub(super) fn close(&mut self, cx: &mut ExchangeContext<'_>) {
        self.note_losses(cx);
        self.settle(true, cx);
    }

    /// Who closed the WebSocket first, before the exchange ended, whichever side was read first. Not known where the other
    /// side's frame may be missing.
    fn websocket(&mut self, last: Timestamp) -> Option<WebSocketEnd> {
        let closes = std::mem::take(&mut self.told.closes);
        let alone = closes.len() == 1;
        let (_, close) = closes.into_iter().filter(|&(at, _)| at <= last).min_by_key(|&(at, _)| at)?;
        let other = if close.by_client { &self.response } else { &self.request };
        (!alone || !other.has_hole()).then_some(close)
    }

    /// What it held, at its end; `None` where there was nothing.
    pub(super) fn finish(
        mut self,
        of: BodyFile,
        last: Timestamp,
        context: &Context<'_>,
        schema: &Schema,
        limits: &mut Struck,
    ) -> Option<Box<Contents>> {
        let of = BodyFile { path: self.told.path.take(), ..of };
        let limited = u64::from(self.request.was_limited()) + u64::from(self.response.was_limited());
        limits.add(Limit::BodyDecoding, limited);
        let unread = u64::from(self.request.is_unpaid()) + u64::from(self.response.is_unpaid());
        limits.add(Limit::BodyShown, unread);
        // Not all messages were seen: how many there were, and which was the first, is not known.
        let unpaid = self.told.unpaid || unread > 0;
        #[cfg(feature = "proto")]
        let grpc_details = self
            .response
            .head
            .details
            .as_deref()
            .and_then(|value| status::details(value, schema, context.redactor, context.limit));
        #[cfg(not(feature = "proto"))]
        let (grpc_details, _) = (None, schema);
        let websocket = self.websocket(last).filter(|_| !unpaid);
        let mut messages = self.told.messages;
        // What came behind the stream's end is not of the exchange.
        messages.retain(|message| message.at <= last);
        messages.sort_by_key(|message| message.at);
        let contents = Contents {
            request: self.request.finish(context, BodyFile { from_client: true, ..of.clone() }),
            response: self.response.finish(context, of),
            messages,
            messages_omitted: if unread > 0 { 0 } else { self.told.omitted },
            graphql: self.told.graphql.map(|Operation { name, kind }| GraphQl { name, kind }),
            grpc_details,
            events: self.told.events.filter(|events| events.count > 0 && !unpaid),
            websocket,
        };
        contents.is_some().then(|| Box::new(contents))
    }
}

fn is_graphql(path: &str) -> bool {
    path.to_ascii_lowercase().contains("graphql")
}

/// The operation that a request's body calls; `messages` are what it carries.
fn graphql(request: &Side, messages: &[BodyMessage]) -> Option<Operation> {
    let head = &request.head;
    if head.media_type.essence == "application/graphql" {
        return Operation::from_document(request.whole_text()?);
    }
    let path = head.path.as_deref()?;
    if !is_graphql(path.split_once('?').map_or(path, |(path, _)| path)) {
        None
    } else if head.media_type.essence == "multipart/form-data" {
        Operation::from_json(operations(messages)?)
    } else if head.media_type.is_json() {
        Operation::from_json(request.whole_text()?)
    } else {
        None
    }
}

/// A form that uploads files has what a JSON body would be in one field (GraphQL multipart request specification).
fn operations(messages: &[BodyMessage]) -> Option<&str> {
    let is_field = |part: &&BodyMessage| part.from_client && part.name.as_deref() == Some("operations");
    let mut fields = messages.iter().filter(is_field);
    let field = fields.next().filter(|part| !part.truncated && part.error.is_none())?;
    // Of two, servers read one or the other.
    if fields.next().is_some() { None } else { field.value.as_deref().or(field.text.as_deref()) }
}
