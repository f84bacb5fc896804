//! What was in the bodies of an exchange.

use crate::base::time::Timestamp;
use crate::record::value::{Bytes, Hex, Rate, Raw, Seconds, Sender, Text, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use crate::record::{
    Body as BodyContents, BodyError, BodyFile, BodyMessage, Content, Contents, Events, Message, Transaction,
    WebSocketEnd,
};

object! {
    /// `http.request.body`, `http.response.body`
    pub struct Body<'a>(of: BodyOf<'a>) {
        /// Bytes in DATA frames, without padding. There once that side's HEADERS was seen.
        "size": Option<u64> = of.size,
        /// With `--body`: the decoded content, where it is text, in UTF-8.
        "content": Option<Text<'a>> = of.text(),
        /// With `--body`: the decoded content, where it is no text; what does not decode as it was sent.
        "content_base64": Option<Bytes<'a>> = of.bytes(),
        /// With `--body`: bytes of the whole decoded body.
        "decoded_size": Option<u64> = of.contents.and_then(|body| body.decoded_size),
        /// With `--body`: SHA-256 of it, before any conversion to UTF-8. Without `--no-redact` of a body alone that is shown
        /// whole and unmasked, as a hash tells which of the possible values it was.
        "sha256": Option<Hex<'a>> = of.contents.and_then(|body| body.sha256.as_ref()).map(|digest| Hex(digest)),
        /// With `--body`: all that was sent is in the capture, up to the end of the stream.
        "complete": Option<bool> = of.contents.map(|body| body.complete),
        /// There is more than is shown. There only when so.
        "truncated": Option<bool> = of.truncated(),
        /// Something was masked or left out as a secret. There only when so.
        "redacted": Option<bool> = of.flag(|body| body.redacted),
        /// What does not decode.
        "error": Option<BodyErrorObject<'a>> = of.contents.and_then(|body| body.error.as_ref()).map(BodyErrorObject::new),
        /// With `--bodies`: the file that it was written to.
        "file": Option<Text<'a>> = of.contents.and_then(|body| body.file.as_deref()).map(text),
    }
}

object! {
    /// `http.request.body.error`, `http.response.body.error`
    pub struct BodyErrorObject<'a> {
        /// `unknown_coding`, `too_many_codings`, `damaged`, `checksum`, `trailing_bytes`, `window`, `cut`, `expansion`,
        /// `memory`, `message_cut` or `header_unknown`.
        "reason": reason: Word,
        /// The coding that it happened in.
        "coding": coding: Option<Text<'a>>,
        /// Bytes that were decoded until then.
        "at": at: u64,
    }
}

impl<'a> Body<'a> {
    /// Of the request.
    #[inline]
    pub fn of_request(transaction: &'a Transaction) -> Option<Self> {
        let contents = transaction.contents.as_deref().and_then(|contents| contents.request.as_ref());
        Self::new(&transaction.request, contents)
    }

    /// Of the response.
    #[inline]
    pub fn of_response(transaction: &'a Transaction) -> Option<Self> {
        let contents = transaction.contents.as_deref().and_then(|contents| contents.response.as_ref());
        Self::new(&transaction.response, contents)
    }

    /// What is known of a side's body.
    #[inline]
    fn new(message: &Message, contents: Option<&'a BodyContents>) -> Option<Self> {
        let known = message.seen || contents.is_some();
        known.then(|| Self(BodyOf { size: message.seen.then_some(message.body), contents }))
    }
}

/// What is known of a side's body.
#[derive(Clone, Copy, Debug)]
pub struct BodyOf<'a> {
    /// Octets of DATA, once that side's HEADERS was seen.
    pub size: Option<u64>,
    /// With `--body`: what is in it.
    pub contents: Option<&'a BodyContents>,
}

impl<'a> BodyOf<'a> {
    /// The decoded content, where it is text.
    pub fn text(&self) -> Option<Text<'a>> {
        match self.contents?.content.as_ref()? {
            Content::Text(text) => Some(Text(text.as_bytes())),
            Content::Bytes(_) => None,
        }
    }

    /// The decoded content, where it is no text.
    pub fn bytes(&self) -> Option<Bytes<'a>> {
        match self.contents?.content.as_ref()? {
            Content::Text(_) => None,
            Content::Bytes(bytes) => Some(Bytes(bytes)),
        }
    }

    /// There is more than is shown; there only when so.
    pub fn truncated(&self) -> Option<bool> {
        self.flag(|body| body.truncated)
    }

    fn flag(&self, flag: fn(&BodyContents) -> bool) -> Option<bool> {
        self.contents.map(flag).filter(|set| *set)
    }
}

impl<'a> BodyErrorObject<'a> {
    fn new(error: &'a BodyError) -> Self {
        Self { reason: Word(error.reason), coding: error.coding.as_deref().map(text), at: error.at }
    }
}

object! {
    /// An element of `h2.messages`: a message of gRPC, gRPC-Web or Connect, a server-sent event, a message of a WebSocket, a
    /// line of JSON lines, a part of a multipart body, a DNS message.
    pub struct MessageObject<'a> {
        /// `client` or `server`.
        "from": from: Sender,
        /// When its last byte came, counted from `@timestamp`.
        "at": at: Seconds,
        /// Bytes, decompressed.
        "size": size: Option<u64>,
        /// Bytes as sent, where they are others.
        "wire_size": wire_size: Option<u64>,
        /// It is compressed on its own.
        "compressed": compressed: Option<bool>,
        /// Its type in the schema.
        "type": r#type: Option<Text<'a>>,
        /// What it is in a WebSocket: `text`, `binary`, `ping`, `pong`, `close`.
        "opcode": opcode: Option<Word>,
        /// Frames that it came in, where there is more than one.
        "fragments": fragments: Option<u32>,
        /// The close code.
        "code": code: Option<u16>,
        /// The name of a part.
        "name": name: Option<Text<'a>>,
        /// The file name of a part.
        "filename": filename: Option<Text<'a>>,
        /// The media type of a part.
        "content_type": content_type: Option<Text<'a>>,
        /// Its value: any JSON. What the schema does not name stands under `@unknown`, as in `fields`.
        "value": value: Option<Raw<'a>>,
        /// The fields of a protobuf message that no schema is known for, each with every reading that its bytes allow.
        "fields": fields: Option<Raw<'a>>,
        /// Its text, where it is no JSON.
        "text": text: Option<Text<'a>>,
        /// Its bytes, where it is no text.
        "base64": base64: Option<Bytes<'a>>,
        /// There is more than is shown. There only when so.
        "truncated": truncated: Option<bool>,
        /// These are the trailers of gRPC-Web.
        "trailers": trailers: Option<bool>,
        /// This is the end of a Connect stream.
        "end": end: Option<bool>,
        /// Why its content is not shown: `gap`, `too_long`, `unknown_coding`, `damaged`, `context_lost`, `not_protobuf`,
        /// `too_deep`, `not_json`, `not_dns`.
        "error": error: Option<Word>,
    }
}

impl<'a> MessageObject<'a> {
    /// A message of an exchange that began at `start`.
    pub(super) fn new(message: &'a BodyMessage, start: Timestamp) -> Self {
        let set = |flag: bool| flag.then_some(true);
        Self {
            from: Sender::new(message.from_client),
            at: Seconds::between(start, message.at),
            size: message.size,
            wire_size: message.wire_size,
            compressed: message.compressed,
            r#type: message.kind.as_deref().map(text),
            opcode: message.opcode.map(Word),
            fragments: message.fragments,
            code: message.code,
            name: message.name.as_deref().map(text),
            filename: message.filename.as_deref().map(text),
            content_type: message.content_type.as_deref().map(text),
            value: message.value.as_deref().map(Raw),
            fields: message.fields.as_deref().map(Raw),
            text: message.text.as_deref().map(text),
            base64: message.bytes.as_deref().map(Bytes),
            truncated: set(message.truncated),
            trailers: set(message.trailers),
            end: set(message.end),
            error: message.error.map(Word),
        }
    }
}

/// `h2.messages`
#[derive(Debug)]
pub struct MessageList<'a> {
    messages: &'a [BodyMessage],
    start: Timestamp,
}

impl<'a> MessageList<'a> {
    /// The messages of an exchange that began at `start`.
    pub(super) fn new(contents: Option<&'a Contents>, start: Timestamp) -> Self {
        Self { messages: contents.map_or(&[], |contents| &contents.messages), start }
    }
}

impl<'a> Value for MessageList<'a> {
    const TYPE: Type = Type::List(&MessageObject::<'a>::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.messages.iter().map(|message| MessageObject::new(message, self.start)));
    }

    fn is_absent(&self) -> bool {
        self.messages.is_empty()
    }
}

object! {
    /// `graphql`
    pub struct GraphQlObject<'a> {
        /// The operation that is called.
        "operation": operation: GraphQlOperation<'a>,
    }
}

object! {
    /// `graphql.operation`
    pub struct GraphQlOperation<'a> {
        /// Its name.
        "name": name: Option<Text<'a>>,
        /// `query`, `mutation` or `subscription`.
        "type": r#type: Option<Word>,
    }
}

impl<'a> GraphQlObject<'a> {
    /// The operation that a request calls.
    pub(super) fn new(contents: &'a Contents) -> Option<Self> {
        let operation = contents.graphql.as_ref()?;
        let (name, r#type) = (operation.name.as_deref().map(text), operation.kind.map(Word));
        Some(Self { operation: GraphQlOperation { name, r#type } })
    }
}

object! {
    /// `h2.sse`: server-sent events.
    pub struct EventsObject {
        /// How many.
        "events": events: u64,
        /// When the first one was there, counted from `@timestamp`.
        "first": first: Seconds,
        /// When the last one was.
        "last": last: Seconds,
        /// Events a second from the first to the last.
        "per_second": per_second: Option<Rate>,
        /// The longest time between two that follow each other.
        "longest_gap": longest_gap: Option<Seconds>,
    }
}

impl EventsObject {
    /// The events of an exchange that began at `start`.
    pub(super) fn new(events: &Events, start: Timestamp) -> Self {
        let span = events.last.since(events.first).as_secs_f64();
        let several = events.count > 1;
        Self {
            events: events.count,
            first: Seconds::between(start, events.first),
            last: Seconds::between(start, events.last),
            per_second: (several && span > 0.0).then(|| Rate((events.count - 1) as f64 / span)),
            longest_gap: several
                .then(|| Seconds(u64::try_from(events.longest_gap.as_nanos()).unwrap_or(u64::MAX))),
        }
    }
}

object! {
    /// `h2.websocket`: how it was closed.
    pub struct WebSocketObject<'a> {
        /// `client` or `server`: who sent the first close frame.
        "closed_by": closed_by: Sender,
        /// The status code (RFC 6455 section 7.4).
        "code": code: Option<u16>,
        /// The reason.
        "reason": reason: Option<Text<'a>>,
    }
}

impl<'a> WebSocketObject<'a> {
    /// From a close frame.
    pub(super) fn new(end: &'a WebSocketEnd) -> Self {
        Self {
            closed_by: Sender::new(end.by_client),
            code: end.code,
            reason: end.reason.as_deref().map(text),
        }
    }
}

object! {
    /// A line of the manifest of `--bodies`.
    pub struct FileObject<'a> {
        /// The file.
        "file": file: Option<Text<'a>>,
        /// The number of the packet that the connection was first seen in.
        "connection": connection: u64,
        /// The stream.
        "stream": stream: u32,
        /// `request` or `response`.
        "side": side: Word,
        /// `:path` up to the query.
        "path": path: Option<Text<'a>>,
        /// The media type.
        "content_type": content_type: Option<Text<'a>>,
        /// Bytes in DATA frames.
        "encoded_size": encoded_size: u64,
        /// Bytes in the file.
        "size": size: u64,
        /// SHA-256 of the whole decoded body.
        "sha256": sha256: Option<Hex<'a>>,
        /// The file holds all of the body.
        "complete": complete: bool,
        /// What does not decode.
        "error": error: Option<Word>,
    }
}

impl<'a> FileObject<'a> {
    /// A file that is over.
    pub fn new(file: &'a BodyFile) -> Self {
        Self {
            file: (!file.failed).then(|| text(&file.name)),
            connection: file.connection,
            stream: file.stream,
            side: Word(if file.from_client { "request" } else { "response" }),
            path: file.path.as_deref().map(text),
            content_type: Some(text(&file.content_type)).filter(|kind| !kind.0.is_empty()),
            encoded_size: file.encoded,
            size: file.written,
            sha256: file.sha256.as_ref().map(|digest| Hex(digest)),
            complete: file.complete && !file.failed,
            error: if file.failed { Some(Word("not_written")) } else { file.error.map(Word) },
        }
    }
}

fn text(text: &str) -> Text<'_> {
    Text(text.as_bytes())
}
