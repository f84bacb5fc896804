//! Which messages a body carries, and the reader for them.

use super::base64_text::Base64Text;
use super::coding::MessageCoding;
use super::envelope::{Envelopes, Protocol};
use super::head::Head;
use super::lines::Lines;
use super::multipart::Multipart;
use super::protobuf::Type;
use super::sse;
use super::tell::{self, Codec, Context};
use super::websocket::WebSocket;
use crate::record::BodyMessage;

/// A multipart boundary longer than RFC 2046 allows is none.
const BOUNDARY: usize = 70;

/// Reads the messages of one side.
#[derive(Default)]
pub struct Reader {
    kind: Kind,
    /// The messages are of this type.
    message_type: Type,
}

#[derive(Default)]
enum Kind {
    /// The body is one content.
    #[default]
    Content,
    /// The body is one message.
    Whole(Codec),
    /// Length-prefixed messages, perhaps in base64.
    Envelopes(Box<EnvelopeReader>),
    Events(Box<sse::Events>),
    Lines(Lines),
    Multipart(Box<Multipart>),
    WebSocket(Box<WebSocket>),
}

struct EnvelopeReader {
    envelopes: Envelopes,
    base64: Option<Base64Text>,
    /// What base64 decoded to, for a moment.
    decoded: Vec<u8>,
    codec: Codec,
    coding: MessageCoding,
    protocol: Protocol,
}

impl Reader {
    /// For a side with this head; of a response, the request's head tells more.
    pub fn new(head: &Head, request: &Head, message_type: Type, limit: usize) -> Self {
        Self { kind: Kind::of(head, request, limit).unwrap_or_default(), message_type }
    }

    /// The reader for an extended CONNECT whose response has come.
    pub fn websocket(response: &Head, from_client: bool, limit: usize) -> Self {
        let socket = WebSocket::new(limit, response.deflate(from_client));
        Self { kind: Kind::WebSocket(Box::new(socket)), message_type: Type::default() }
    }

    /// The body holds messages in a frame of their own, so that its bytes need not be shown to show what is in it.
    pub fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Envelopes(_) | Kind::WebSocket(_) | Kind::Multipart(_))
            || matches!(&self.kind, Kind::Whole(Codec::Protobuf | Codec::Dns))
    }

    /// The body is a stream of events.
    pub fn is_event_stream(&self) -> bool {
        matches!(self.kind, Kind::Events(_))
    }

    /// The next decoded bytes.
    pub fn push(&mut self, bytes: &[u8], context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let message_type = &self.message_type;
        match &mut self.kind {
            Kind::Content | Kind::Whole(_) => {}
            Kind::Envelopes(reader) => reader.push(bytes, message_type, context, sink),
            Kind::Events(events) => events.push(bytes, &mut |event| sink(tell::event(&event, context))),
            Kind::Lines(lines) => lines.push(bytes, &mut |line| sink(tell::line(line, context))),
            Kind::Multipart(parts) => parts.push(bytes, &mut |part| sink(tell::part(part, context))),
            Kind::WebSocket(socket) => {
                socket.push(bytes, context.credit, &mut |message| sink(tell::websocket(message, context)));
            }
        }
    }

    /// Bytes that are not in the capture; `None`: nobody knows how many.
    pub fn gap(&mut self, length: Option<u64>, context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        match &mut self.kind {
            Kind::Content | Kind::Whole(_) => {}
            Kind::Envelopes(reader) => reader.gap(length, &self.message_type, context, sink),
            Kind::Events(events) => events.gap(),
            Kind::Lines(lines) => lines.gap(),
            Kind::Multipart(parts) => parts.gap(),
            Kind::WebSocket(socket) => {
                socket.gap(length, context.credit, &mut |message| sink(tell::websocket(message, context)));
            }
        }
    }

    /// The body is over; `content` is all of it, where all of it was seen and kept.
    pub fn finish(
        &mut self,
        content: Option<&[u8]>,
        context: &Context<'_>,
        sink: &mut dyn FnMut(BodyMessage),
    ) -> Option<&'static str> {
        match &mut self.kind {
            Kind::Whole(codec) => {
                if let Some(content) = content {
                    let mut message = tell::message(content, *codec, &self.message_type, context);
                    message.size = Some(content.len() as u64);
                    sink(message);
                }
                None
            }
            Kind::Lines(lines) => {
                lines.finish(&mut |line| sink(tell::line(line, context)));
                None
            }
            Kind::Envelopes(reader) => (!reader.at_end()).then_some("message_cut"),
            Kind::WebSocket(socket) => (!socket.at_end()).then_some("message_cut"),
            _ => None,
        }
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        match &self.kind {
            Kind::Content | Kind::Whole(_) => 0,
            Kind::Envelopes(reader) => reader.envelopes.memory() + reader.decoded.capacity(),
            Kind::Events(events) => events.memory(),
            Kind::Lines(lines) => lines.memory(),
            Kind::Multipart(parts) => parts.memory(),
            Kind::WebSocket(socket) => socket.memory(),
        }
    }
}

impl Kind {
    fn of(head: &Head, request: &Head, limit: usize) -> Option<Self> {
        let media_type = &head.media_type;
        let (kind, suffix) = media_type.essence.split_once('+').unwrap_or((&media_type.essence, ""));
        Some(match kind {
            "application/grpc" => {
                EnvelopeReader::boxed(Protocol::Grpc, suffix, head.grpc_encoding.clone(), false, limit)
            }
            "application/grpc-web" | "application/grpc-web-text" => {
                let text = kind.ends_with("-text");
                EnvelopeReader::boxed(Protocol::GrpcWeb, suffix, head.grpc_encoding.clone(), text, limit)
            }
            "application/connect" => {
                EnvelopeReader::boxed(Protocol::Connect, suffix, head.connect_encoding.clone(), false, limit)
            }
            "application/proto"
            | "application/protobuf"
            | "application/x-protobuf"
            | "application/vnd.google.protobuf" => Self::Whole(Codec::Protobuf),
            "application/json" if request.connect && head.status.is_none_or(|status| status == 200) => {
                Self::Whole(Codec::Json)
            }
            "application/dns-message" => Self::Whole(Codec::Dns),
            "text/event-stream" => Self::Events(Box::new(sse::Events::new(limit))),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-lines"
            | "application/x-json-stream"
            | "application/stream" => Self::Lines(Lines::new(limit)),
            "application/json-seq" => Self::Lines(Lines::sequence(limit)),
            kind if kind.starts_with("multipart/") => {
                let boundary = media_type.boundary.as_ref().filter(|boundary| boundary.len() <= BOUNDARY)?;
                Self::Multipart(Box::new(Multipart::new(boundary, limit)))
            }
            _ => return None,
        })
    }
}

impl EnvelopeReader {
    fn boxed(protocol: Protocol, suffix: &str, coding: MessageCoding, text: bool, limit: usize) -> Kind {
        let codec = match suffix {
            "" | "proto" => Codec::Protobuf,
            "json" => Codec::Json,
            _ => Codec::Other,
        };
        let base64 = text.then(Base64Text::default);
        let envelopes = Envelopes::new(limit);
        Kind::Envelopes(Box::new(Self { envelopes, base64, decoded: Vec::new(), codec, coding, protocol }))
    }

    fn push(&mut self, bytes: &[u8], kind: &Type, context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let Self { envelopes, base64, decoded, codec, coding, protocol } = self;
        let mut sink = |envelope: super::envelope::Envelope<'_>| {
            sink(tell::envelope(envelope, *protocol, *codec, coding, kind, context));
        };
        let Some(base64) = base64 else { return envelopes.push(bytes, &mut sink) };
        for piece in bytes.chunks(4 << 10) {
            decoded.clear();
            let good = base64.push(piece, decoded);
            envelopes.push(decoded, &mut sink);
            if !good {
                envelopes.gap(None, &mut sink);
            }
        }
    }

    fn gap(
        &mut self,
        length: Option<u64>,
        kind: &Type,
        context: &Context<'_>,
        sink: &mut dyn FnMut(BodyMessage),
    ) {
        let Self { envelopes, base64, codec, coding, protocol, .. } = self;
        let length = if let Some(base64) = base64 {
            base64.gap();
            None
        } else {
            length
        };
        envelopes.gap(length, &mut |envelope| {
            sink(tell::envelope(envelope, *protocol, *codec, coding, kind, context));
        });
    }

    fn at_end(&self) -> bool {
        self.envelopes.at_end() && self.base64.is_none_or(|base64| base64.at_end())
    }
}
