//! Frames that break no rule, as nearly all do: a short look proves it, and notes what follows from them. Where it proves
//! nothing, nothing is noted, and the frame goes through the rules (`exchange`, `flow`), which come to the same.

use super::Judge;
use super::block::list_size;
use super::section::{Method, Role};
use super::streams::{RuledStream, Sighting};
use crate::base::time::Moment;
use crate::http2::frame::{Flags, FrameHeader, FrameView};
use crate::http2::{Block, BlockEnd, EventContext, Side};

impl Judge {
    /// DATA breaks no rule, and is dealt with.
    #[inline]
    pub(super) fn is_ordinary_data(&mut self, cx: &EventContext<'_>, header: &FrameHeader) -> bool {
        let is_ordinary = self.is_calm(cx.from, header.stream) && self.has_data(cx, header);
        self.pass_if(is_ordinary)
    }

    /// HEADERS, before its header block, breaks no rule, and is dealt with.
    #[inline]
    pub(super) fn is_ordinary_headers(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) -> bool {
        let id = frame.header.stream;
        let is_ordinary = self.is_calm(cx.from, id)
            && match cx.from {
                Side::Client => self.opens_next(cx, id, frame.at),
                // Nothing changes, whatever part of the response it is.
                Side::Server => self.streams.get_mut(id).is_some_and(|stream| !stream.sides.server.ended),
            };
        self.pass_if(is_ordinary)
    }

    /// Counts a frame that is dealt with.
    const fn pass_if(&mut self, is_ordinary: bool) -> bool {
        if is_ordinary {
            self.credit = self.credit.saturating_add(1);
            self.block_malformed = false;
        }
        is_ordinary
    }

    /// All that both sides sent is known and was read in its order, and nobody is suspected of anything. The stream is one that
    /// a client opens, and not the first: that may have been opened by an upgrade.
    fn is_calm(&self, from: Side, id: u32) -> bool {
        #[cfg(test)]
        if self.thorough {
            return false;
        }
        id > 1 && id % 2 == 1 && self.both_known() && !self.sides[from].unjudged && self.suspicions.is_empty()
    }

    /// A client opens a stream, beyond all others, that the server lets it open.
    fn opens_next(&mut self, cx: &EventContext<'_>, id: u32, at: Moment) -> bool {
        let most = cx.ledger.settings(Side::Server).max_concurrent_streams;
        let is_next = id > self.streams.highest.client
            && self.streams.active.client < most
            && self.sides.server.goaway.is_none()
            && self.streams.open_next(id, at.time);
        if is_next {
            self.streams.highest.client = id;
        }
        is_next
    }

    /// DATA without padding that the stream may have, within its windows and within what `content-length` says.
    fn has_data(&mut self, cx: &EventContext<'_>, header: &FrameHeader) -> bool {
        let FrameHeader { length, stream: id, flags, .. } = *header;
        let from = cx.from;
        let ends = flags.has(Flags::END_STREAM);
        if flags.has(Flags::PADDED) || (length == 0 && !ends) || !cx.ledger.has_room(from, id, length) {
            return false;
        }
        let Some(stream) = self.streams.get_mut(id) else { return false };
        if !takes_data(stream, from, length, ends) {
            return false;
        }
        if ends && stream.sides[from.peer()].ended {
            self.streams.close_answered(id);
        }
        true
    }

    /// The header section of a request, or of the final response to one, breaks no rule, and is dealt with.
    pub(super) fn is_ordinary_section(
        &mut self,
        cx: &EventContext<'_>,
        block: &Block,
        end: &BlockEnd,
    ) -> bool {
        #[cfg(test)]
        if self.thorough {
            return false;
        }
        let most = cx.ledger.settings(block.from.peer()).max_header_list_size;
        let is_whole = end.cut.is_none() && !end.broken && !end.limited;
        if !is_whole || list_size(end) > most.into() || block.promised.is_some() || !self.section.is_sound() {
            return false;
        }
        match self.section.role() {
            Role::Request => self.asks(block),
            _ => !block.end_stream && self.answers(block.stream),
        }
    }

    /// A client's request, which may be all that it sends on the stream.
    fn asks(&mut self, block: &Block) -> bool {
        let (length, losses) = (self.section.length, self.sides.client.losses);
        let Some(stream) = self.streams.get_mut(block.stream) else { return false };
        let sent = &mut stream.sides.client;
        let is_short = length.is_some_and(|length| sent.body != Some(length));
        if block.end_stream && (is_short || stream.sides.server.ended) {
            return false;
        }
        (sent.headers, sent.losses, sent.length) = (Sighting::Yes, losses, length);
        sent.ended |= block.end_stream;
        stream.method = Method::Other;
        true
    }

    /// A server's response to such a request, which goes on.
    fn answers(&mut self, id: u32) -> bool {
        let (length, losses) = (self.section.length, self.sides.server.losses);
        let known = self.streams.get_mut(id).filter(|stream| stream.method == Method::Other);
        let Some(stream) = known else { return false };
        let sent = &mut stream.sides.server;
        (sent.headers, sent.losses, sent.length, sent.bare) = (Sighting::Yes, losses, length, false);
        true
    }
}

/// Notes so much content of a side, if nothing speaks against it.
fn takes_data(stream: &mut RuledStream, from: Side, length: u32, ends: bool) -> bool {
    let sent = &mut stream.sides[from];
    let Some(body) = sent.body else { return false };
    let body = body.saturating_add(length.into());
    let takes = sent.headers == Sighting::Yes
        && !sent.ended
        && !sent.bare
        && (!ends || sent.length.is_none_or(|length| length == body));
    if takes {
        (sent.body, sent.ended) = (Some(body), ends);
    }
    takes
}
