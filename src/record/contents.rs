//! What is in the bodies of an exchange, where that was asked for.

use crate::base::time::Timestamp;
use std::time::Duration;

/// The contents of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The request's body.
    pub request: Option<Body>,
    /// The response's body.
    pub response: Option<Body>,
    /// The messages of both sides, in the order of their last bytes.
    pub messages: Vec<BodyMessage>,
    /// Messages that came after those.
    pub messages_omitted: u64,
    /// The GraphQL operation that is called.
    pub graphql: Option<GraphQl>,
    /// `grpc-status-details-bin`, as JSON.
    pub grpc_details: Option<String>,
    /// The events of a `text/event-stream`.
    pub events: Option<Events>,
    /// How a WebSocket ended.
    pub websocket: Option<WebSocketEnd>,
}

/// A body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The decoded content, or its beginning; bytes that do not decode as they are.
    pub content: Option<Content>,
    /// Bytes of the whole decoded body.
    pub decoded_size: Option<u64>,
    /// SHA-256 of it, before any conversion to UTF-8. Where secrets are masked, only of what is shown whole and unmasked: a
    /// hash tells which of the possible values it was.
    pub sha256: Option<[u8; 32]>,
    /// All that was sent is in the capture, up to the end of the stream.
    pub complete: bool,
    /// There is more than `content` shows.
    pub truncated: bool,
    /// Something in it was masked, or left out because it cannot be.
    pub redacted: bool,
    /// What does not decode.
    pub error: Option<BodyError>,
    /// The file that it was written to.
    pub file: Option<String>,
}

/// A body that was written to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyFile {
    /// The file's name.
    pub name: String,
    /// The connection.
    pub connection: u64,
    /// The stream.
    pub stream: u32,
    /// It is the request's.
    pub from_client: bool,
    /// `:path` of the request.
    pub path: Option<String>,
    /// `content-type`.
    pub content_type: String,
    /// Bytes of DATA that are in the capture.
    pub encoded: u64,
    /// Bytes in the file.
    pub written: u64,
    /// SHA-256 of the whole decoded body.
    pub sha256: Option<[u8; 32]>,
    /// It is the whole body, as it was asked for: decoded, or as sent.
    pub complete: bool,
    /// What does not decode.
    pub error: Option<&'static str>,
    /// It could not be written.
    pub failed: bool,
}

/// Decoded content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, converted to UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// Why a body does not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyError {
    /// The reason: stable, `snake_case`.
    pub reason: &'static str,
    /// The coding that it happened in.
    pub coding: Option<String>,
    /// Bytes that were decoded until then.
    pub at: u64,
}

/// A message within a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyMessage {
    /// The client sent it.
    pub from_client: bool,
    /// The packet with its last byte.
    pub at: Timestamp,
    /// Bytes, decompressed.
    pub size: Option<u64>,
    /// Bytes as sent, where they are others.
    pub wire_size: Option<u64>,
    /// It is compressed on its own.
    pub compressed: Option<bool>,
    /// Its type in the schema.
    pub kind: Option<String>,
    /// What it is in a WebSocket.
    pub opcode: Option<&'static str>,
    /// Frames that it came in.
    pub fragments: Option<u32>,
    /// The close code.
    pub code: Option<u16>,
    /// The name of a part.
    pub name: Option<String>,
    /// The file name of a part.
    pub filename: Option<String>,
    /// The media type of a part.
    pub content_type: Option<String>,
    /// Its value, as JSON.
    pub value: Option<String>,
    /// Of a protobuf message without a schema: its fields, as JSON.
    pub fields: Option<String>,
    /// Its text, where it is no JSON.
    pub text: Option<String>,
    /// Its bytes, where it is no text.
    pub bytes: Option<Vec<u8>>,
    /// There is more than is shown.
    pub truncated: bool,
    /// These are the trailers of gRPC-Web.
    pub trailers: bool,
    /// This is the end of a Connect stream.
    pub end: bool,
    /// Why its content is not shown: stable, `snake_case`.
    pub error: Option<&'static str>,
}

/// A message that is told of for itself, as it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageRecord {
    /// The stream.
    pub stream: u32,
    /// `:path`, where it is known.
    pub path: Option<String>,
    /// When the exchange began: with its request's header section, or what was seen first.
    pub start: Timestamp,
    /// The message.
    pub message: BodyMessage,
}

/// A GraphQL operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphQl {
    /// Its name.
    pub name: Option<String>,
    /// `query`, `mutation` or `subscription`.
    pub kind: Option<&'static str>,
}

/// The events of a stream of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// How many.
    pub count: u64,
    /// When the first one was there.
    pub first: Timestamp,
    /// When the last one was.
    pub last: Timestamp,
    /// The longest time between two that follow each other.
    pub longest_gap: Duration,
}

/// How a WebSocket was closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocketEnd {
    /// The client closed it first.
    pub by_client: bool,
    /// The status code (RFC 6455 section 7.4).
    pub code: Option<u16>,
    /// The reason.
    pub reason: Option<String>,
}

impl Content {
    /// Its bytes; of text, as UTF-8.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Contents {
    /// There is something in it.
    pub fn is_some(&self) -> bool {
        self.request.is_some()
            || self.response.is_some()
            || !self.messages.is_empty()
            || self.messages_omitted > 0
            || self.graphql.is_some()
            || self.grpc_details.is_some()
    }
}

impl BodyMessage {
    /// What it says, as text: its value, its fields, or what it is.
    pub fn shown(&self) -> Option<&str> {
        self.value.as_deref().or(self.fields.as_deref()).or(self.text.as_deref())
    }

    /// Its texts and bytes.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let Self { kind, name, filename, content_type, value, fields, text, .. } = self;
        let texts = [kind, name, filename, content_type, value, fields, text];
        texts.into_iter().flatten().map(String::as_bytes).chain(self.bytes.as_deref())
    }

    /// About so many bytes of memory are filled.
    pub fn filled(&self) -> usize {
        size_of::<Self>() + self.texts().map(<[u8]>::len).sum::<usize>()
    }

    /// Bytes of memory beside its own.
    pub fn memory(&self) -> usize {
        let Self { kind, name, filename, content_type, value, fields, text, .. } = self;
        let texts = [kind, name, filename, content_type, value, fields, text];
        let texts: usize = texts.into_iter().flatten().map(String::capacity).sum();
        size_of::<Self>() + texts + self.bytes.as_ref().map_or(0, Vec::capacity)
    }
}

impl Contents {
    /// About so many bytes of memory are filled with messages.
    pub fn filled(&self) -> usize {
        self.messages.iter().map(BodyMessage::filled).sum()
    }
}

impl Events {
    /// Takes note of one more.
    pub fn note(&mut self, at: Timestamp) {
        if self.count == 0 {
            self.first = at;
        } else {
            self.longest_gap = self.longest_gap.max(at.since(self.last));
        }
        self.count += 1;
        self.last = at;
    }
}
