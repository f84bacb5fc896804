//! Whether frame headers that follow from one another are believable, in bits ([`plausibility`]).
//!
//! A chain begins at a place and goes from header to header by their lengths. Each legal header adds to the evidence, and so
//! does a header block that decodes; one that is not legal ends it. Where it comes to the end of what is there, or to a hole, it
//! waits for more, or is judged by what was seen.

use super::buffer::Buffer;
use crate::base::limits;
use crate::http2::Side;
use crate::http2::frame::{self, Flags, FrameHeader, FrameType, Goaway, Headers};
use crate::http2::ledger::opener;
use crate::http2::plausibility::{self, Expect};

/// Frame headers of a chain that are looked at.
const MAX_CHAIN: u32 = 8;

/// How much evidence a frame boundary needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::http2) struct RequiredEvidence {
    /// Bits that suffice anywhere.
    anywhere: u32,
    /// Bits that suffice for frames that begin where a segment begins, with a whole header in it, and end where one ends.
    aligned: u32,
    /// A header block with a pseudo-header field must be in the chain, or the chain be of full length and have
    /// frames of two kinds.
    telling: bool,
    /// It must tell who sends it.
    sender: bool,
}

impl RequiredEvidence {
    /// The connection is known to be HTTP/2.
    pub(in crate::http2) const BOUNDARY: Self =
        Self { anywhere: 64, aligned: 36, telling: false, sender: false };
    /// The connection is known to be HTTP/2, and not who is the client.
    pub(in crate::http2) const SENDER: Self = Self { sender: true, ..Self::BOUNDARY };
    /// The connection may be anything.
    pub(in crate::http2) const PROTOCOL: Self =
        Self { anywhere: 84, aligned: 60, telling: true, sender: false };

    /// The same where something else tells that the bytes are HTTP/2.
    pub(super) const fn untold(self) -> Self {
        Self { telling: false, ..self }
    }
}

/// What the chain at a boundary tells of its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::http2) struct Chain {
    /// Only a client sends this.
    pub(in crate::http2) client: bool,
    /// Only a server sends this.
    pub(in crate::http2) server: bool,
    /// It has a GOAWAY whose last stream is one that the peer of this side has opened (RFC 9113 section 6.8); some clients put one
    /// of their own there.
    pub(in crate::http2) goaway: Option<Side>,
    /// Frame headers that follow from one another.
    pub(in crate::http2) frames: u32,
    /// Of their places, and the one behind them, those where a segment begins or the bytes end.
    pub(in crate::http2) aligned: u32,
}

impl Chain {
    /// Who alone sends this.
    pub(in crate::http2) const fn sender(&self) -> Option<Side> {
        match (self.client, self.server) {
            (true, false) => Some(Side::Client),
            (false, true) => Some(Side::Server),
            _ => None,
        }
    }

    /// The same, or who probably does.
    pub(in crate::http2) fn likely_sender(&self) -> Option<Side> {
        self.sender().or(self.goaway)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes(Chain),
    No,
    /// It depends on bytes that are not here before the buffer's end is at this place.
    More(usize),
}

/// Octets of header blocks that may be decoded to see whether they are some: bytes that look like long blocks again and again
/// must not cost more than others. It outlasts the search, as framing can be lost and found at will.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DecodeCredit {
    pub(super) searched: u64,
    pub(super) decoded: u64,
}

impl DecodeCredit {
    /// Takes what a block costs; false where too much was decoded already. Where what is granted is used up, as much again is for
    /// blocks that are the likeliest: whose chain begins with a segment, and which a believable frame follows.
    pub(super) fn pay(&mut self, octets: usize, is_likely: impl FnOnce() -> bool) -> bool {
        let granted = limits::RESYNC_START + limits::RESYNC_DECODE * self.searched;
        let cost = self.decoded + octets as u64;
        let pays = cost <= granted || (cost <= 2 * granted && is_likely());
        if pays {
            self.decoded = cost;
        }
        pays
    }
}

/// What is asked of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) buffer: &'a Buffer,
    pub(super) expect: &'a Expect,
    pub(super) required: RequiredEvidence,
    /// No more bytes will come: what is undecided is decided.
    pub(super) last: bool,
}

impl Question<'_> {
    /// Whether a boundary is at this place.
    pub(super) fn ask(&self, start: usize, credit: &mut DecodeCredit) -> Verdict {
        let mut walk = Walk {
            question: self,
            credit,
            aligned: self.buffer.is_aligned(start),
            told: !self.required.telling,
            bits: 0,
            open_block: false,
            kinds: 0,
            chain: Chain::default(),
        };
        let mut at = start;
        for frames in 0..MAX_CHAIN {
            let ends = self.buffer.is_edge(at);
            walk.chain.frames = frames;
            walk.chain.aligned += u32::from(ends);
            if frames > 0 && walk.suffices(ends) {
                return Verdict::Yes(walk.chain);
            }
            match walk.step(at, ends) {
                Ok(next) => at = next,
                Err(verdict) => return verdict,
            }
        }
        walk.finish()
    }

    /// A believable frame header stands here.
    fn is_header(&self, at: usize) -> bool {
        let header = self.buffer.data(at, frame::LEN).and_then(FrameHeader::read);
        header.is_some_and(|header| plausibility::header_bits(&header, self.expect).is_some())
    }
}

/// A chain as far as it was followed.
struct Walk<'a> {
    question: &'a Question<'a>,
    credit: &'a mut DecodeCredit,
    /// It began with a segment.
    aligned: bool,
    /// What must be in it was.
    told: bool,
    bits: u32,
    /// The last frame leaves a header block open.
    open_block: bool,
    /// The types of its frames: a set.
    kinds: u32,
    chain: Chain,
}

impl Walk<'_> {
    /// What was seen so far suffices, at a place where a segment ends or not.
    fn suffices(&self, ends: bool) -> bool {
        let RequiredEvidence { anywhere, aligned, .. } = self.question.required;
        self.told && self.tells_sender() && self.bits >= if self.aligned && ends { aligned } else { anywhere }
    }

    fn tells_sender(&self) -> bool {
        !self.question.required.sender || self.chain.likely_sender().is_some()
    }

    /// The frame at a place; where the next one is.
    fn step(&mut self, at: usize, ends: bool) -> Result<usize, Verdict> {
        let Question { buffer, expect, .. } = *self.question;
        let Some(header) = buffer.data(at, frame::LEN).and_then(FrameHeader::read) else {
            return Err(self.judge_at_end(at, ends));
        };
        self.bits += plausibility::header_bits(&header, expect).ok_or(Verdict::No)?;
        if self.open_block != (header.kind == FrameType::CONTINUATION) {
            return Err(Verdict::No);
        }
        self.kinds |= 1 << header.kind.0.min(31);
        self.chain.client |= matches!(header.kind, FrameType::PRIORITY | FrameType::PRIORITY_UPDATE);
        self.chain.server |= header.kind == FrameType::PUSH_PROMISE;
        let body = at + frame::LEN;
        let goaway = buffer.data(body, header.length as usize).filter(|_| header.kind == FrameType::GOAWAY);
        self.chain.goaway = self.chain.goaway.or(goaway.and_then(|payload| sender_of(&header, payload)));
        if matches!(header.kind, FrameType::HEADERS | FrameType::CONTINUATION) {
            self.open_block = !header.flags.has(Flags::END_HEADERS);
        }
        if header.kind == FrameType::HEADERS && !self.open_block {
            self.look_at_block(&header, body)?;
        }
        let Chain { client, server, .. } = self.chain;
        if (client && !expect.client) || (server && !expect.server) || (client && server) {
            return Err(Verdict::No);
        }
        Ok(body + header.length as usize)
    }

    /// Past the end, or in a hole: what was seen so far decides when nothing more can come.
    fn judge_at_end(&self, at: usize, ends: bool) -> Verdict {
        let Question { buffer, last, .. } = *self.question;
        let hole = at < buffer.end() && buffer.has_hole(at, frame::LEN);
        match (last || hole, self.suffices(ends)) {
            (true, true) => Verdict::Yes(self.chain),
            (true, false) => Verdict::No,
            (false, _) => Verdict::More(at + frame::LEN),
        }
    }

    /// A header block that stands in one frame.
    fn look_at_block(&mut self, header: &FrameHeader, body: usize) -> Result<(), Verdict> {
        let question = self.question;
        let end = body + header.length as usize;
        if end > question.buffer.end() {
            return if question.last { Ok(()) } else { Err(Verdict::More(end)) };
        }
        let is_likely = || self.aligned && question.is_header(end);
        if !self.credit.pay(end - body, is_likely) {
            return Err(Verdict::No);
        }
        // In a hole it tells nothing.
        let Some(payload) = question.buffer.data(body, end - body) else { return Ok(()) };
        let frame = Headers::parse(header, payload);
        let look = frame.and_then(|frame| plausibility::block(frame.fragment)).ok_or(Verdict::No)?;
        self.chain.client |= look.request;
        self.chain.server |= look.response;
        self.told |= look.request || look.response;
        self.bits += look.bits;
        Ok(())
    }

    /// No more headers are looked at.
    fn finish(mut self) -> Verdict {
        self.chain.frames = MAX_CHAIN;
        let several = self.kinds.count_ones() > 1;
        let enough = self.bits >= self.question.required.anywhere && self.tells_sender();
        let believed = enough && (self.told || several);
        if believed { Verdict::Yes(self.chain) } else { Verdict::No }
    }
}

/// Who sends a GOAWAY, by the last stream that it names, which the other side has opened (RFC 9113 sections 5.1.1, 6.8).
fn sender_of(header: &FrameHeader, payload: &[u8]) -> Option<Side> {
    /// No stream: a warning.
    const ALL: u32 = 0x7fff_ffff;
    match Goaway::parse(header, payload)?.last_stream {
        0 | ALL => None,
        stream => Some(opener(stream).peer()),
    }
}
