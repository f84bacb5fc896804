//! From what a reader found to the message that a record holds.

use super::coding::{MessageCoding, NotDecompressed};
use super::credit::Credit;
use super::envelope::{COMPRESSED, CONNECT_END, Envelope, Payload, Protocol, WEB_TRAILERS};
use super::lines::Line;
use super::media_type::MediaType;
use super::multipart::Part;
use super::protobuf::{Reading, Type};
use super::redact::Redactor;
use super::websocket::{Message, Missing, Opcode};
use super::{charset, dns, json, sse};
use crate::record::BodyMessage;
use std::fmt::Write;

/// What all messages are told with.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// Masks secrets.
    pub redactor: Option<&'c Redactor>,
    /// Bytes that are shown of a message.
    pub limit: usize,
    /// What pays for what is decoded, and shown.
    pub credit: &'c Credit,
}

/// How a message is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Protocol Buffers.
    Protobuf,
    /// JSON.
    Json,
    /// A DNS message.
    Dns,
    /// Anything else.
    Other,
}

impl Context<'_> {
    fn text(&self, text: &str) -> String {
        self.redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text).into_owned())
    }

    /// A JSON text on one line, or `None` where it is none.
    fn json(&self, text: &str) -> Option<String> {
        let text = json::compact(text)?;
        Some(self.redactor.map_or_else(|| text.clone(), |redactor| redactor.json(&text)))
    }

    /// Bytes, unless there is a secret in them.
    fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (!self.redactor.is_some_and(|redactor| redactor.finds_in(bytes))).then(|| bytes.to_vec())
    }

    /// How much longer than its message a value's text may be: bytes become numbers and names.
    const fn expanded(&self) -> usize {
        self.limit.saturating_mul(4).saturating_add(4096)
    }
}

/// A whole message.
pub(super) fn message(bytes: &[u8], codec: Codec, kind: &Type, context: &Context<'_>) -> BodyMessage {
    let mut told = BodyMessage { kind: kind.name(), ..BodyMessage::default() };
    match codec {
        Codec::Protobuf => match kind.json(bytes, context.redactor, context.expanded()) {
            Ok(reading) => {
                match reading {
                    Reading::Value(value) => told.value = Some(value),
                    Reading::Fields(fields) => told.fields = Some(fields),
                }
                told.bytes = kind.keep_bytes.then(|| bytes.to_vec());
            }
            Err(reason) => {
                told.error = Some(reason.code());
                told.bytes = context.bytes(bytes);
            }
        },
        Codec::Json => content(bytes, true, context, &mut told),
        Codec::Dns => {
            if let Some(value) = dns::json(bytes) {
                told.value = Some(value);
            } else {
                told.error = Some("not_dns");
                told.bytes = context.bytes(bytes);
            }
        }
        Codec::Other => content(bytes, false, context, &mut told),
    }
    told
}

/// A text or bytes; where it should be JSON, its value.
fn content(bytes: &[u8], as_json: bool, context: &Context<'_>, told: &mut BodyMessage) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        told.bytes = context.bytes(bytes);
        return;
    };
    if as_json {
        told.value = context.json(text);
        if told.value.is_some() {
            return;
        }
        told.error = Some("not_json");
    }
    told.text = Some(match context.redactor {
        Some(redactor) if as_json => redactor.json(text),
        _ => context.text(text),
    });
}

/// A length-prefixed message.
pub(super) fn envelope(
    envelope: Envelope<'_>,
    protocol: Protocol,
    codec: Codec,
    coding: &MessageCoding,
    kind: &Type,
    context: &Context<'_>,
) -> BodyMessage {
    let compressed = envelope.flags & COMPRESSED != 0;
    let trailers = protocol == Protocol::GrpcWeb && envelope.flags & WEB_TRAILERS != 0;
    let end = protocol == Protocol::Connect && envelope.flags & CONNECT_END != 0;
    let wire_size = u64::from(envelope.length);
    let decompressed = match envelope.payload {
        Payload::Lost => Err("gap"),
        // Less is there than its prefix says.
        Payload::Whole(bytes) if bytes.len() as u64 != wire_size => Err("gap"),
        Payload::TooLong => Err("too_long"),
        Payload::Whole(bytes) if compressed => coding
            .decompress(bytes, context.limit, context.credit)
            .map(Into::into)
            .map_err(|error| match error {
                NotDecompressed::Unknown => "unknown_coding",
                NotDecompressed::Damaged => "damaged",
                NotDecompressed::TooLong => "too_long",
                NotDecompressed::Expansion => "expansion",
            }),
        Payload::Whole(bytes) => Ok(std::borrow::Cow::Borrowed(bytes)),
    };
    let mut told = match &decompressed {
        Ok(bytes) if trailers => {
            BodyMessage { text: Some(trailer_text(bytes, context)), ..BodyMessage::default() }
        }
        Ok(bytes) if end => message(bytes, Codec::Json, &Type::default(), context),
        Ok(bytes) => message(bytes, codec, kind, context),
        Err(error) => {
            let bytes = match envelope.payload {
                Payload::Whole(bytes) => context.bytes(bytes),
                _ => None,
            };
            BodyMessage { kind: kind.name(), bytes, error: Some(error), ..BodyMessage::default() }
        }
    };
    told.size =
        decompressed.as_ref().ok().map(|bytes| bytes.len() as u64).or((!compressed).then_some(wire_size));
    told.wire_size = (told.size != Some(wire_size)).then_some(wire_size);
    told.compressed = Some(compressed);
    (told.trailers, told.end) = (trailers, end);
    told
}

/// The trailers of gRPC-Web are a header section as in HTTP/1.1.
fn trailer_text(bytes: &[u8], context: &Context<'_>) -> String {
    context.text(&String::from_utf8_lossy(bytes))
}

/// An event, as an object with its fields.
pub(super) fn event(event: &sse::Event, context: &Context<'_>) -> BodyMessage {
    let mut value = String::from("{\"data\":");
    let data = context.redactor.map_or_else(|| event.data.clone(), |redactor| redactor.json(&event.data));
    json::push_string(&mut value, &data);
    for (name, text) in [("id", &event.id), ("event", &event.kind)] {
        if let Some(text) = text {
            let _ = write!(value, ",\"{name}\":");
            json::push_string(&mut value, &context.text(text));
        }
    }
    if let Some(retry) = event.retry {
        let _ = write!(value, ",\"retry\":{retry}");
    }
    value.push('}');
    BodyMessage {
        size: Some(event.data.len() as u64).filter(|_| !event.truncated),
        value: Some(value),
        truncated: event.truncated,
        ..BodyMessage::default()
    }
}

/// A JSON text of several.
pub(super) fn line(line: Line<'_>, context: &Context<'_>) -> BodyMessage {
    let mut told = BodyMessage { truncated: line.truncated, ..BodyMessage::default() };
    if line.truncated {
        told.text = charset::text(line.bytes, &MediaType::default(), true).map(|text| context.text(&text));
    } else {
        told.size = Some(line.bytes.len() as u64);
        content(line.bytes, true, context, &mut told);
    }
    told
}

/// A part of a multipart body.
pub(super) fn part(part: Part<'_>, context: &Context<'_>) -> BodyMessage {
    let media_type =
        part.content_type.as_deref().map(|value| MediaType::parse(value.as_bytes())).unwrap_or_default();
    let mut told = BodyMessage {
        size: Some(part.size).filter(|_| !part.lost),
        truncated: part.truncated,
        error: part.lost.then_some("gap"),
        ..BodyMessage::default()
    };
    let secret =
        context.redactor.zip(part.name.as_deref()).is_some_and(|(redactor, name)| redactor.is_secret(name));
    let cut = part.truncated || part.lost;
    if secret {
        told.text = Some(super::redact::REDACTED.to_owned());
    } else if media_type.is_json() && !cut {
        content(part.content, true, context, &mut told);
    } else if let Some(text) = charset::text(part.content, &media_type, cut) {
        let as_form = context.redactor.filter(|_| media_type.is_form());
        told.text = Some(as_form.map_or_else(|| context.text(&text), |redactor| redactor.form(&text)));
    } else {
        told.bytes = context.bytes(part.content);
    }
    (told.name, told.filename, told.content_type) = (part.name, part.filename, part.content_type);
    told
}

/// A message of a WebSocket.
pub(super) fn websocket(message: Message<'_>, context: &Context<'_>) -> BodyMessage {
    let mut told = BodyMessage {
        wire_size: Some(message.wire_size),
        compressed: Some(message.compressed),
        opcode: Some(message.opcode.name()),
        fragments: Some(message.fragments).filter(|fragments| *fragments > 1),
        ..BodyMessage::default()
    };
    match message.content {
        Ok(bytes) => {
            told.size = Some(bytes.len() as u64);
            told.wire_size = told.wire_size.filter(|size| *size != bytes.len() as u64);
            match message.opcode {
                Opcode::Close => close(bytes, context, &mut told),
                Opcode::Text => {
                    content(bytes, false, context, &mut told);
                    mask_json(context, &mut told);
                }
                Opcode::Ping | Opcode::Pong if bytes.is_empty() => {}
                Opcode::Ping | Opcode::Pong => content(bytes, false, context, &mut told),
                Opcode::Binary | Opcode::Other(_) => told.bytes = context.bytes(bytes),
            }
        }
        Err(missing) => {
            told.error = Some(match missing {
                Missing::TooLong => "too_long",
                Missing::Expansion => "expansion",
                Missing::Lost => "gap",
                Missing::Context => "context_lost",
                Missing::Damaged => "damaged",
                Missing::Unknown => "unknown_coding",
            });
        }
    }
    told
}

/// Texts are JSON more often than not.
fn mask_json(context: &Context<'_>, told: &mut BodyMessage) {
    if let (Some(redactor), Some(text)) = (context.redactor, &told.text) {
        told.text = Some(redactor.json(text));
    }
}

/// RFC 6455 section 5.5.1.
fn close(bytes: &[u8], context: &Context<'_>, told: &mut BodyMessage) {
    if let Some((code, reason)) = bytes.split_first_chunk() {
        told.code = Some(u16::from_be_bytes(*code));
        let reason = String::from_utf8_lossy(reason);
        told.text = (!reason.is_empty()).then(|| context.text(&reason));
    }
}

/// A body that is text, with its secrets masked in the way that fits it.
pub(super) fn masked(text: String, media_type: &MediaType, redactor: Option<&Redactor>) -> String {
    let Some(redactor) = redactor else { return text };
    if media_type.is_form() { redactor.form(&text) } else { redactor.json(&text) }
}
