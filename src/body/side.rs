//! One side's body: its codings undone, its content kept up to a limit, its messages told.

use super::chain::Chain;
use super::charset;
use super::files::BodyWriter;
use super::head::Head;
use super::reader::Reader;
use super::tell::{self, Context};
use crate::base::time::Timestamp;
use crate::record::{Body, BodyError, BodyFile, BodyMessage, Content};
use sha2::{Digest, Sha256};

/// Decoded bytes that are read for messages before it is asked whether more can be shown.
const READ: usize = 1 << 10;

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
    /// It is not known how to read it: up to where `kept` was filled at what time.
    waiting: Option<Vec<(usize, Timestamp)>>,
    /// A budget does not allow that more is kept.
    starved: bool,
    /// More than is kept, or than was read for messages, is not paid for.
    unpaid: bool,
    /// Why a message did not end.
    message_error: Option<&'static str>,
    /// Bytes of DATA seen.
    encoded: u64,
    /// Where it is written, and whether as it was sent.
    file: Option<(BodyWriter, bool)>,
}

impl Side {
    /// DATA has come, or is about to. Without a reader it is kept until it is known how to read it.
    pub fn begin(&mut self, mut reader: Option<Reader>, context: &Context<'_>) {
        let (codings, limit) = (&self.head.codings, context.limit);
        if let Some(reader) = reader.as_mut().filter(|_| self.hole) {
            // What was lost may have been the beginning. Nothing was read yet, so nothing is told.
            reader.gap(None, context, &mut |_| {});
        }
        self.flow.get_or_insert_with(|| {
            Box::new(Flow {
                chain: Chain::new(codings, limit),
                hash: Sha256::new(),
                decoded: 0,
                kept: Vec::new(),
                waiting: reader.is_none().then(Vec::new),
                reader: reader.unwrap_or_default(),
                starved: false,
                unpaid: false,
                message_error: None,
                encoded: 0,
                file: None,
            })
        });
    }

    /// It is written to a file, too: decoded, or as it was sent.
    pub(super) fn write_to(&mut self, writer: BodyWriter, as_sent: bool) {
        if let Some(flow) = &mut self.flow {
            flow.file = Some((writer, as_sent));
        }
    }

    /// Some of it has come.
    pub const fn has_begun(&self) -> bool {
        self.flow.is_some()
    }

    /// It is not known how to read it; since when.
    pub fn waits_since(&self) -> Option<Timestamp> {
        let waiting = self.flow.as_ref()?.waiting.as_ref()?;
        Some(waiting.first().map_or(Timestamp::default(), |(_, at)| *at))
    }

    /// How it is to be read is known now: what has come already is read, as far as it was kept, with the times at which it
    /// came.
    pub fn read_with(
        &mut self,
        mut reader: Reader,
        context: &Context<'_>,
        sink: &mut dyn FnMut(BodyMessage, Timestamp),
    ) {
        let Some(flow) = &mut self.flow else { return };
        let Some(waiting) = flow.waiting.take() else { return };
        let (mut from, mut last) = (0, Timestamp::default());
        for (to, at) in waiting {
            let piece = flow.kept.get(from..to).unwrap_or_default();
            reader.push(piece, context, &mut |message| sink(message, at));
            (from, last) = (to, at);
        }
        if self.hole || flow.decoded > from as u64 {
            reader.gap(None, context, &mut |message| sink(message, last));
        }
        flow.reader = reader;
        if self.ended && !self.hole {
            flow.finish(context, &mut |message| sink(message, last));
        }
    }

    /// The next bytes of DATA.
    pub fn data(
        &mut self,
        bytes: &[u8],
        at: Timestamp,
        context: &Context<'_>,
        sink: &mut dyn FnMut(BodyMessage),
    ) {
        let Some(flow) = &mut self.flow else { return };
        flow.encoded = flow.encoded.saturating_add(bytes.len() as u64);
        context.credit.earn(bytes.len());
        if flow.starved {
            return;
        }
        if !self.hole {
            flow.decode(bytes, context, sink);
            flow.note(at);
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
        let Some(flow) = self.flow.as_mut().filter(|flow| !self.hole && !flow.starved) else { return };
        flow.chain.finish();
        if flow.waiting.is_none() {
            flow.finish(context, sink);
        }
    }

    /// Nothing more is kept of it.
    pub fn starve(&mut self) {
        if let Some(flow) = &mut self.flow {
            flow.starve();
        }
    }

    /// Some of it is not in the capture.
    pub(super) const fn has_hole(&self) -> bool {
        self.hole
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

    /// Less of it is shown, and read for messages, than is asked for, as that was not paid for.
    pub fn is_unpaid(&self) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.unpaid)
    }

    /// What is known of the body at its end; `None` where there was none.
    /// Where it was written to a file, `of` says what that is told with.
    pub fn finish(&mut self, context: &Context<'_>, of: BodyFile) -> Option<Body> {
        let complete = self.ended && !self.hole && self.head.seen;
        let Some(flow) = self.flow.take() else {
            return self.hole.then(Body::default);
        };
        let known = !self.head.unknown && self.head.seen;
        Some(flow.body(&self.head, known, complete, context, of))
    }

    /// Bytes of memory that it takes beside its own.
    pub fn memory(&self) -> usize {
        self.head.memory() + self.flow.as_ref().map_or(0, |flow| flow.memory())
    }
}

impl Flow {
    fn decode(&mut self, bytes: &[u8], context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let Self { chain, hash, decoded, kept, unpaid, reader, file, .. } = self;
        let Context { limit, credit, .. } = *context;
        if let Some((writer, true)) = file {
            writer.push(bytes);
        }
        chain.push(bytes, credit, &mut |bytes| {
            *decoded = decoded.saturating_add(bytes.len() as u64);
            hash.update(bytes);
            let room = if *unpaid { 0 } else { limit.saturating_sub(kept.len()) };
            let shown = bytes.get(..room).unwrap_or(bytes);
            *unpaid |= !credit.show(shown);
            if !*unpaid {
                kept.extend_from_slice(shown);
            }
            if let Some((writer, false)) = file {
                writer.push(bytes);
            }
            for piece in bytes.chunks(READ) {
                if !*unpaid && credit.is_spent() {
                    *unpaid = true;
                    reader.gap(None, context, sink);
                }
                if !*unpaid {
                    reader.push(piece, context, sink);
                }
            }
        });
    }

    /// What was kept by now had come by then.
    fn note(&mut self, at: Timestamp) {
        let Some(waiting) = &mut self.waiting else { return };
        match waiting.last_mut().filter(|(_, last)| *last == at) {
            Some(last) => last.0 = self.kept.len(),
            None => waiting.push((self.kept.len(), at)),
        }
    }

    /// Its memory is given back, but for what is kept already.
    fn starve(&mut self) {
        self.starved = true;
        self.chain = Chain::default();
        self.reader = Reader::default();
        self.waiting = None;
        self.kept.shrink_to_fit();
    }

    /// All has been read.
    fn finish(&mut self, context: &Context<'_>, sink: &mut dyn FnMut(BodyMessage)) {
        let whole = self.is_whole().then_some(self.kept.as_slice());
        self.message_error = self.reader.finish(whole, context, sink);
    }

    /// All of the decoded body is kept.
    fn is_whole(&self) -> bool {
        !self.starved && self.chain.is_whole() && self.decoded == self.kept.len() as u64
    }

    fn body(mut self, head: &Head, known: bool, complete: bool, context: &Context<'_>, of: BodyFile) -> Body {
        let file = self.file.take();
        let undecoded = if self.chain.is_decoded() { None } else { self.chain.undecoded() };
        let (bytes, more) = undecoded.unwrap_or((&self.kept, self.decoded > self.kept.len() as u64));
        let raw = undecoded.is_some();
        let whole = complete && known && !self.starved && self.chain.is_whole();
        let mut body = Body {
            decoded_size: whole.then_some(self.decoded),
            sha256: whole.then(|| self.hash.clone().finalize().into()),
            complete,
            truncated: more || self.starved,
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
        let digest = body.sha256;
        // The hash of what is not shown tells whoever tries all card numbers which one it was.
        body.sha256 = digest.filter(|_| context.redactor.is_none() || !(body.redacted || body.truncated));
        body.content = body.content.filter(|_| !bytes.is_empty());
        body.file = file.and_then(|(writer, as_sent)| {
            writer.finish(BodyFile {
                content_type: head.media_type.essence.clone(),
                encoded: self.encoded,
                sha256: digest,
                complete: if as_sent { complete } else { whole },
                error: body.error.as_ref().map(|error| error.reason),
                ..of
            })
        });
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
        let reason = match (self.starved, known) {
            (true, _) => "memory",
            (false, false) => "header_unknown",
            (false, true) => self.message_error?,
        };
        Some(BodyError { reason, coding: None, at: self.decoded })
    }

    fn memory(&self) -> usize {
        let file = self.file.as_ref().map_or(0, |(writer, _)| writer.memory());
        let waiting =
            self.waiting.as_ref().map_or(0, |waiting| waiting.capacity() * size_of::<(usize, Timestamp)>());
        size_of::<Self>() + self.chain.memory() + self.kept.capacity() + self.reader.memory() + file + waiting
    }
}

#[cfg(test)]
mod tests;
