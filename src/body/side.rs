//! One side's body: its codings undone, its content kept up to a limit, its messages told.

use super::chain::Chain;
use super::charset;
use super::head::Head;
use super::reader::Reader;
use super::tell::{self, Context};
use crate::record::{Body, BodyError, BodyMessage, Content};
use sha2::{Digest, Sha256};

/// Takes the DATA of one side of a stream.
#[derive(Default)]
pub struct Side {
    /// What its header section says.
    pub head: Head,
    /// How its DATA is read; made when the first of it comes.
    flow: Option<Box<Flow>>,
    /// Something before or in the body is not in the capture.
    hole: bool,
    /// END_STREAM was seen.
    ended: bool,
}

/// A body that has begun.
struct Flow {
    chain: Chain,
    hash: Sha256,
    decoded: u64,
    kept: Vec<u8>,
    reader: Reader,
    /// A budget does not allow that more is kept.
    starved: bool,
    /// Why a message did not end.
    message_error: Option<&'static str>,
}

impl Side {
    /// DATA has come, or is about to: what it will be read with.
    pub fn begin(&mut self, reader: impl FnOnce() -> Reader, limit: usize) {
        if self.flow.is_none() {
            self.flow = Some(Box::new(Flow {
                chain: Chain::new(&self.head.codings, limit),
                hash: Sha256::new(),
                decoded: 0,
                kept: Vec::new(),
                reader: reader(),
                starved: false,
                message_error: None,
            }));
        }
    }

    /// The next bytes of DATA.
    pub fn data(&mut self, bytes: &[u8], context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let Some(flow) = &mut self.flow else { return };
        if !self.hole {
            flow.decode(bytes, context, sink);
        } else if flow.chain.is_plain() {
            // The content ends at the hole; messages behind it may still be found.
            flow.reader.push(bytes, context, sink);
        }
    }

    /// Bytes of DATA that are not in the capture; `None`: nobody knows how many, or whether any.
    pub fn gap(&mut self, length: Option<u64>, context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        if length == Some(0) || self.ended {
            return;
        }
        self.hole = true;
        if let Some(flow) = &mut self.flow {
            let length = length.filter(|_| flow.chain.is_plain());
            flow.reader.gap(length, context, sink);
        }
    }

    /// END_STREAM.
    pub fn end(&mut self, context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let Some(flow) = self.flow.as_mut().filter(|_| !self.hole) else { return };
        flow.chain.finish();
        let whole = flow.is_whole().then_some(flow.kept.as_slice());
        flow.message_error = flow.reader.finish(whole, context, sink);
    }

    /// Nothing more is kept of it.
    pub fn starve(&mut self) {
        if let Some(flow) = &mut self.flow {
            flow.starved = true;
        }
    }

    /// It is a stream of events.
    pub fn is_event_stream(&self) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.reader.is_event_stream())
    }

    /// The body as text, where all of it is.
    pub fn whole_text(&self) -> Option<&str> {
        let flow = self.flow.as_ref().filter(|flow| self.ended && !self.hole && flow.is_whole())?;
        std::str::from_utf8(&flow.kept).ok()
    }

    /// A cap kept it from being decoded.
    pub fn was_limited(&self) -> bool {
        let failure = self.flow.as_ref().and_then(|flow| flow.chain.failure());
        failure.is_some_and(|failure| {
            matches!(failure.reason.code(), "too_many_codings" | "expansion" | "window")
        })
    }

    /// What is known of the body at its end; `None` where there was none.
    pub fn conclude(&mut self, context: &Context<'_>) -> Option<Body> {
        let complete = self.ended && !self.hole && self.head.seen;
        let Some(flow) = self.flow.take() else {
            return self.hole.then(Body::default);
        };
        let known = !self.head.unknown && self.head.seen;
        Some(flow.conclude(&self.head, known, complete, context))
    }

    /// Bytes of memory that it takes beside its own.
    pub fn memory(&self) -> usize {
        self.head.memory() + self.flow.as_ref().map_or(0, |flow| flow.memory())
    }
}

impl Flow {
    fn decode(&mut self, bytes: &[u8], context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let Self { chain, hash, decoded, kept, reader, starved, .. } = self;
        let limit = if *starved { 0 } else { context.limit };
        chain.push(bytes, &mut |bytes| {
            *decoded = decoded.saturating_add(bytes.len() as u64);
            hash.update(bytes);
            let room = limit.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            reader.push(bytes, context, sink);
        });
    }

    /// All of the decoded body is kept.
    fn is_whole(&self) -> bool {
        self.chain.is_whole() && self.decoded == self.kept.len() as u64
    }

    fn conclude(self, head: &Head, known: bool, complete: bool, context: &Context<'_>) -> Body {
        let undecoded = if self.chain.is_decoded() { None } else { self.chain.undecoded() };
        let (bytes, more) = undecoded.unwrap_or((&self.kept, self.decoded > self.kept.len() as u64));
        let raw = undecoded.is_some();
        let whole = complete && known && self.chain.is_whole();
        let mut body = Body {
            decoded_size: whole.then_some(self.decoded),
            sha256: whole.then(|| self.hash.clone().finalize().into()),
            complete,
            truncated: more,
            error: self.error(known),
            ..Body::default()
        };
        // The charset is that of the decoded content; what did not decode is no text but by chance.
        let cut = more || !complete;
        let text =
            charset::text(bytes, &head.media_type, cut).filter(|_| !raw || head.media_type.charset.is_none());
        let container = self.reader.is_container();
        body.content = match (text, context.redactor) {
            (Some(text), redactor) if !container || redactor.is_none() => {
                let masked = tell::masked(text.clone(), &head.media_type, redactor);
                body.redacted = masked != text;
                Some(Content::Text(masked))
            }
            (_, None) => Some(Content::Bytes(bytes.to_vec())),
            (_, Some(redactor)) => {
                body.redacted = container || redactor.finds_in(bytes);
                (!body.redacted).then(|| Content::Bytes(bytes.to_vec()))
            }
        };
        body.content = body.content.filter(|_| !bytes.is_empty());
        body
    }

    fn error(&self, known: bool) -> Option<BodyError> {
        if let Some(failure) = self.chain.failure() {
            return Some(BodyError {
                reason: failure.reason.code(),
                coding: failure.reason.coding().map(str::to_owned),
                at: failure.at,
            });
        }
        let reason = if known { self.message_error? } else { "header_unknown" };
        Some(BodyError { reason, coding: None, at: self.decoded })
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.chain.memory() + self.kept.capacity() + self.reader.memory()
    }
}

#[cfg(test)]
mod tests;
