//! Finding a frame boundary, after a loss or on joining late: bytes are kept in a buffer until a chain of frame headers in them
//! is believable.
//!
//! State: at most [`limits::RESYNC_BUFFER`] bytes and [`limits::RESYNC_CANDIDATES`] candidates. Each offset is looked at
//! once, each candidate again when bytes come, for at most [`MAX_CHAIN`] headers, and header blocks are decoded on credit
//! ([`limits::RESYNC_DECODE`]): linear in the bytes skipped.

use super::doubt::{self, Part};
use super::frame::{self, Flags, FrameHeader, FrameType, Headers};
use super::plausibility::{self, Expect};
use crate::base::limits;
use crate::flow::{Arrival, GapCause};

/// Frame headers of a chain that are looked at.
const MAX_CHAIN: usize = 8;
/// What stands in the buffer where bytes are missing: an octet that begins no frame of the usual size.
const HOLE: u8 = 0xff;

/// How much evidence a frame boundary needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequiredEvidence {
    /// Bits that suffice anywhere.
    anywhere: u32,
    /// Bits that suffice for frames that begin where a segment begins, with a whole header in it, and end where one ends.
    aligned: u32,
    /// A header block with a pseudo-header field must be in the chain, or the chain be of full length and have
    /// frames of two kinds.
    telling: bool,
}

impl RequiredEvidence {
    /// The connection is known to be HTTP/2.
    pub(super) const BOUNDARY: Self = Self { anywhere: 64, aligned: 36, telling: false };
    /// The connection may be anything.
    pub(super) const PROTOCOL: Self = Self { anywhere: 84, aligned: 60, telling: true };
}

/// What the chain at a boundary tells of its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Only a client sends this.
    pub(super) client: bool,
    /// Only a server sends this.
    pub(super) server: bool,
    /// Frame headers that follow from one another.
    pub(super) frames: u32,
    /// Of their places, and the one behind them, those where a segment begins or the bytes end.
    pub(super) aligned: u32,
}

/// Bytes in which a frame boundary is looked for, with the segments that they came in and the holes between.
#[derive(Debug, Default)]
pub(super) struct SearchBuffer {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// What is before this was skipped or read.
    head: usize,
    /// The mark that `head` lies in.
    head_mark: usize,
    scanned: usize,
    candidates: Vec<Candidate>,
    skipped: u64,
    credit: DecodeCredit,
}

/// Octets of header blocks that may be decoded to see whether they are some: bytes that look like long blocks again and again
/// must not cost more than others. It outlasts the search, as framing can be lost and found at will.
#[derive(Clone, Copy, Debug, Default)]
struct DecodeCredit {
    searched: u64,
    decoded: u64,
}

impl DecodeCredit {
    /// Takes what a block costs; false where too much was decoded already. Where what is granted is used up, as much again is for
    /// blocks that are the likeliest: whose chain begins with a segment, and which a believable frame follows.
    fn pay(&mut self, octets: usize, is_likely: impl FnOnce() -> bool) -> bool {
        let granted = limits::RESYNC_START + limits::RESYNC_DECODE * self.searched;
        let cost = self.decoded + octets as u64;
        let pays = cost <= granted || (cost <= 2 * granted && is_likely());
        if pays {
            self.decoded = cost;
        }
        pays
    }
}

/// A place that may be a boundary.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    at: usize,
    /// The buffer's length at which more can be said.
    need: usize,
    /// A segment begins here.
    aligned: bool,
    /// It is a boundary, unless an earlier place where a segment begins turns out to be one.
    believed: Option<Chain>,
}

/// Where a piece of the buffer starts, and what it is.
#[derive(Clone, Copy, Debug)]
struct Mark {
    start: usize,
    arrival: Arrival,
    gap: Option<GapCause>,
}

/// A piece of the buffer, to be read again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Data(Arrival, &'a [u8]),
    Gap(Arrival, u64, GapCause),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Yes(Chain),
    No,
    /// It depends on bytes that are not here before the buffer is this long.
    More(usize),
}

impl SearchBuffer {
    /// Adds bytes of one segment.
    pub(super) fn push_data(&mut self, arrival: &Arrival, bytes: &[u8]) {
        self.compact();
        self.credit.searched += bytes.len() as u64;
        self.marks.push(Mark { start: self.bytes.len(), arrival: *arrival, gap: None });
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a hole; one that is longer than the buffer empties it, and after many the older half is given up.
    pub(super) fn push_gap(&mut self, arrival: &Arrival, len: u64, cause: GapCause) {
        if len > limits::RESYNC_BUFFER as u64 {
            self.skip_all();
            return;
        }
        self.compact();
        self.marks.push(Mark { start: self.bytes.len(), arrival: *arrival, gap: Some(cause) });
        self.bytes.resize(self.bytes.len() + len as usize, HOLE);
        if self.len() > limits::RESYNC_BUFFER {
            self.skip_to(self.bytes.len() - limits::RESYNC_BUFFER / 2);
        }
    }

    /// Gives up what is in the buffer.
    pub(super) fn skip_all(&mut self) {
        self.skip_to(self.bytes.len());
    }

    /// Bytes seen and skipped since the loss, or since they were last taken.
    pub(super) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The same, to be told of once: what is skipped from here on counts anew.
    pub(super) const fn take_skipped(&mut self) -> u64 {
        std::mem::replace(&mut self.skipped, 0)
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
            + self.marks.capacity() * size_of::<Mark>()
            + self.candidates.capacity() * size_of::<Candidate>()
    }

    /// Bytes in the buffer.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Empties the buffer for the next loss.
    pub(super) fn clear(&mut self) {
        let (mut bytes, mut marks) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.marks));
        bytes.clear();
        marks.clear();
        bytes.shrink_to(4096);
        marks.shrink_to(16);
        *self = Self { bytes, marks, credit: self.credit, ..Self::default() };
    }

    /// Looks for a boundary. `last`: no more bytes will come, so what is undecided is decided. When there is
    /// one, the buffer starts with it, and [`SearchBuffer::next_piece`] gives it back.
    pub(super) fn search(
        &mut self,
        expect: &Expect,
        required: RequiredEvidence,
        last: bool,
    ) -> Option<Chain> {
        let (mut found, mut credit, mut awaited) = (None, self.credit, false);
        // A frame may hold what looks like frames, as in a tunnel: an earlier place comes first, while there is room to wait for it.
        let patient = !last && self.len() < limits::RESYNC_BUFFER / 2;
        let mut undecided = std::mem::take(&mut self.candidates);
        // That they are HTTP/2 the frames within tell.
        let vouched = undecided.iter().any(|candidate| candidate.believed.is_some());
        let evidence = RequiredEvidence { telling: required.telling && !vouched, ..required };
        undecided.retain_mut(|candidate| {
            if found.is_some() {
                return false;
            }
            if candidate.believed.is_none() && (last || candidate.need <= self.bytes.len()) {
                match self.evaluate(candidate.at, expect, evidence, last, &mut credit) {
                    Verdict::Yes(chain) => candidate.believed = Some(chain),
                    Verdict::No => return false,
                    Verdict::More(need) => candidate.need = need,
                }
            }
            match candidate.believed {
                Some(chain) if !awaited => found = Some((candidate.at, chain)),
                Some(_) => {}
                None => awaited |= patient && candidate.aligned,
            }
            found.is_none()
        });
        let mut held = undecided.iter().any(|candidate| candidate.believed.is_some());
        while found.is_none() && !held && self.scanned + frame::LEN <= self.bytes.len() {
            let at = self.scanned;
            if expect.max_frame < 1 << 16 && self.bytes.get(at).is_none_or(|&byte| byte != 0) {
                // The first octet of the length is 0: go straight to the next zero.
                let rest = self.bytes.get(at..).unwrap_or_default();
                self.scanned = memchr::memchr(0, rest).map_or(self.bytes.len(), |next| at + next);
                continue;
            }
            self.scanned += 1;
            let header = self.bytes.get(at..).and_then(FrameHeader::read);
            if !header.is_some_and(|header| plausibility::may_begin(&header, expect)) {
                continue;
            }
            let room = undecided.len() < limits::RESYNC_CANDIDATES;
            let candidate = Candidate { at, need: 0, aligned: self.is_aligned(at), believed: None };
            match self.evaluate(at, expect, required, last, &mut credit) {
                Verdict::Yes(chain) if awaited && room => {
                    undecided.push(Candidate { believed: Some(chain), ..candidate });
                    held = true;
                }
                Verdict::Yes(chain) => found = Some((at, chain)),
                Verdict::More(need) if room => {
                    awaited |= patient && candidate.aligned;
                    undecided.push(Candidate { need, ..candidate });
                }
                Verdict::More(_) | Verdict::No => {}
            }
        }
        (self.candidates, self.credit) = (undecided, credit);
        if let Some((at, chain)) = found {
            self.skip_to(at);
            self.candidates.clear();
            return Some(chain);
        }
        if self.len() > limits::RESYNC_BUFFER {
            self.skip_to(self.bytes.len() - limits::RESYNC_BUFFER / 2);
        }
        None
    }

    /// Whether what is in the buffer cannot be told from HTTP/2, now that nothing follows.
    pub(super) fn is_doubtful(&self) -> bool {
        let marks = self.marks.get(self.head_mark..).unwrap_or_default();
        let part =
            |mark: &Mark| Part { start: mark.start.saturating_sub(self.head), hole: mark.gap.is_some() };
        let parts: Vec<_> = marks.iter().map(part).collect();
        doubt::is_doubtful(self.bytes.get(self.head..).unwrap_or_default(), &parts)
    }

    /// Some place in the buffer may yet turn out to be a boundary.
    pub(super) fn hopeful(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// The first piece of the buffer; it stays there until [`SearchBuffer::consume`]d.
    pub(super) fn next_piece(&self) -> Option<Piece<'_>> {
        let mark = self.marks.get(self.head_mark)?;
        let end = self.mark_end(self.head_mark);
        Some(match mark.gap {
            Some(cause) => Piece::Gap(mark.arrival, (end - self.head) as u64, cause),
            None => Piece::Data(mark.arrival, self.bytes.get(self.head..end).unwrap_or_default()),
        })
    }

    /// Takes bytes, or a part of a hole, off the buffer's start: they were read.
    pub(super) fn consume(&mut self, len: usize) {
        self.head = (self.head + len).min(self.bytes.len());
        self.settle();
    }

    fn evaluate(
        &self,
        start: usize,
        expect: &Expect,
        required: RequiredEvidence,
        last: bool,
        credit: &mut DecodeCredit,
    ) -> Verdict {
        let aligned = self.is_aligned(start);
        let (mut at, mut bits, mut open_block, mut told) = (start, 0, false, !required.telling);
        let (mut chain, mut kinds) = (Chain::default(), 0_u32);
        for frames in 0..MAX_CHAIN {
            let ends = at == self.bytes.len() || self.mark_at(at).is_some();
            chain.frames = frames as u32;
            chain.aligned += u32::from(ends);
            let enough = if aligned && ends { required.aligned } else { required.anywhere };
            if frames > 0 && bits >= enough && told {
                return Verdict::Yes(chain);
            }
            let Some(header) = self.data(at, frame::LEN).and_then(FrameHeader::read) else {
                // Past the end, or in a hole: what was seen so far decides when nothing more can come.
                let hole = at < self.bytes.len() && self.hole_at(at, frame::LEN);
                return match (last || hole, told && bits >= enough) {
                    (true, true) => Verdict::Yes(chain),
                    (true, false) => Verdict::No,
                    (false, _) => Verdict::More(at + frame::LEN),
                };
            };
            let Some(header_bits) = plausibility::header_bits(&header, expect) else { return Verdict::No };
            if open_block != (header.kind == FrameType::CONTINUATION) {
                return Verdict::No;
            }
            bits += header_bits;
            kinds |= 1 << header.kind.0.min(31);
            chain.client |= matches!(header.kind, FrameType::PRIORITY | FrameType::PRIORITY_UPDATE);
            chain.server |= header.kind == FrameType::PUSH_PROMISE;
            let (body, len) = (at + frame::LEN, header.length as usize);
            if matches!(header.kind, FrameType::HEADERS | FrameType::CONTINUATION) {
                open_block = !header.flags.has(Flags::END_HEADERS);
            }
            if header.kind == FrameType::HEADERS && !open_block {
                let is_here = body + len <= self.bytes.len();
                if is_here && !credit.pay(len, || aligned && self.is_header(body + len, expect)) {
                    return Verdict::No;
                }
                if let Some(payload) = self.data(body, len) {
                    let frame = Headers::parse(&header, payload);
                    let look = frame.and_then(|frame| plausibility::block(frame.fragment));
                    let Some(look) = look else { return Verdict::No };
                    chain.client |= look.request;
                    chain.server |= look.response;
                    told |= look.request || look.response;
                    bits += look.bits;
                } else if !is_here && !last {
                    return Verdict::More(body + len);
                }
            }
            if (chain.client && !expect.client)
                || (chain.server && !expect.server)
                || (chain.client && chain.server)
            {
                return Verdict::No;
            }
            at = body + len;
        }
        chain.frames = MAX_CHAIN as u32;
        let several = kinds.count_ones() > 1;
        if bits >= required.anywhere && (told || several) { Verdict::Yes(chain) } else { Verdict::No }
    }

    /// The mark that begins here.
    fn mark_at(&self, at: usize) -> Option<usize> {
        self.marks.binary_search_by_key(&at, |mark| mark.start).ok()
    }

    /// A segment begins here. Where segments are shorter than a frame header, their ends tell nothing.
    fn is_aligned(&self, at: usize) -> bool {
        self.mark_at(at).is_some_and(|mark| self.mark_end(mark) - at >= frame::LEN)
    }

    /// A believable frame header stands here.
    fn is_header(&self, at: usize, expect: &Expect) -> bool {
        let header = self.data(at, frame::LEN).and_then(FrameHeader::read);
        header.is_some_and(|header| plausibility::header_bits(&header, expect).is_some())
    }

    /// Bytes that are there and not in a hole.
    fn data(&self, at: usize, len: usize) -> Option<&[u8]> {
        let bytes = self.bytes.get(at..at.checked_add(len)?)?;
        (!self.hole_at(at, len)).then_some(bytes)
    }

    fn hole_at(&self, at: usize, len: usize) -> bool {
        let first = self.marks.partition_point(|mark| mark.start <= at).saturating_sub(1);
        let touched = self.marks.get(first..).unwrap_or_default();
        touched.iter().take_while(|mark| mark.start < at + len.max(1)).any(|mark| mark.gap.is_some())
    }

    /// Skips all before `to`, and counts what was data.
    fn skip_to(&mut self, to: usize) {
        while self.head < to {
            let Some(mark) = self.marks.get(self.head_mark) else { break };
            let end = self.mark_end(self.head_mark).min(to);
            self.skipped += if mark.gap.is_none() { (end - self.head) as u64 } else { 0 };
            self.head = end;
            self.settle();
        }
    }

    fn settle(&mut self) {
        while self.head_mark < self.marks.len() && self.mark_end(self.head_mark) <= self.head {
            self.head_mark += 1;
        }
        self.scanned = self.scanned.max(self.head);
        self.candidates.retain(|candidate| candidate.at >= self.head);
    }

    fn mark_end(&self, index: usize) -> usize {
        self.marks.get(index + 1).map_or(self.bytes.len(), |next| next.start)
    }

    /// Frees the memory of what was skipped or read, once it is the larger part.
    fn compact(&mut self) {
        if self.head < limits::RESYNC_BUFFER / 2 && self.head < self.bytes.len() {
            return;
        }
        let by = self.head;
        self.bytes.drain(..by);
        self.marks.drain(..self.head_mark);
        for mark in &mut self.marks {
            mark.start = mark.start.saturating_sub(by);
        }
        for candidate in &mut self.candidates {
            (candidate.at, candidate.need) = (candidate.at - by, candidate.need.saturating_sub(by));
        }
        self.scanned -= by;
        (self.head, self.head_mark) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of which the snaplen left nothing: no byte is searched, and none may be kept.
    #[test]
    fn holes_without_bytes_between_them_take_no_memory() {
        let mut buffer = SearchBuffer::default();
        for _ in 0..10_000 {
            buffer.push_gap(&Arrival::default(), 1400, GapCause::Snaplen);
            assert!(buffer.len() <= limits::RESYNC_BUFFER);
        }
        assert!(buffer.memory() <= 4 * limits::RESYNC_BUFFER, "{} bytes", buffer.memory());
    }

    #[test]
    fn cap_resync_buffer() {
        let expect = Expect { max_stream: 1, ..Expect::ANY };
        let most = limits::RESYNC_BUFFER;
        for (len, kept) in [(most - 1, most - 1), (most, most), (most + 1, most / 2)] {
            let mut buffer = SearchBuffer::default();
            buffer.push_data(&Arrival::default(), &vec![0xff; len]);
            assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
            assert_eq!((buffer.len(), buffer.skipped()), (kept, (len - kept) as u64));
        }
    }

    #[test]
    fn cap_resync_start() {
        for (octets, pays) in [
            (limits::RESYNC_START - 1, true),
            (limits::RESYNC_START, true),
            (limits::RESYNC_START + 1, false),
        ] {
            assert_eq!(DecodeCredit::default().pay(octets as usize, || false), pays, "{octets}");
        }
    }

    #[test]
    fn cap_resync_decode() {
        for more in [0, 1] {
            let mut credit = DecodeCredit { searched: 1000, decoded: limits::RESYNC_START };
            let octets = (limits::RESYNC_DECODE * 1000) as usize + more;
            assert_eq!(credit.pay(octets, || false), more == 0);
            assert_eq!(credit.decoded > limits::RESYNC_START, more == 0);
        }
        let mut credit = DecodeCredit { searched: 0, decoded: limits::RESYNC_START };
        assert!(credit.pay(1000, || true), "what is likely is decoded still");
        assert!(!credit.pay(limits::RESYNC_START as usize, || true), "but not without end");
    }

    /// What was decoded in vain counts on when framing is found and lost again.
    #[test]
    fn decoding_is_in_proportion_to_what_is_searched() {
        let expect = Expect { max_stream: 1, ..Expect::ANY };
        // A field whose value is the header of a frame of 16,000 octets, and then fields of its block.
        let header = [0, 0x3e, 0x80, 1, 4, 0, 0, 0, 1];
        let field = [&[0, 1, b'a', 109][..], &header, &[0x82; 100]].concat();
        let mut buffer = SearchBuffer::default();
        let mut pushed = 0;
        for round in 0..40 {
            let bytes = field.repeat(200);
            buffer.push_data(&Arrival::default(), &bytes);
            pushed += bytes.len() as u64;
            assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
            if round % 3 == 0 {
                buffer.clear();
            }
            let DecodeCredit { searched, decoded } = buffer.credit;
            assert_eq!(searched, pushed);
            assert!(decoded <= 2 * (limits::RESYNC_START + limits::RESYNC_DECODE * pushed));
        }
        assert!(buffer.credit.decoded > limits::RESYNC_DECODE * pushed / 2, "it is what costs");
    }

    /// Headers of long frames, of which none can be told yet whether it is one, and then a frame that is.
    #[test]
    fn cap_resync_candidates() {
        let expect = Expect { max_stream: 1, ..Expect::ANY };
        let frames = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(4);
        for more in [0, 1, 2] {
            let before = limits::RESYNC_CANDIDATES - 2 + more;
            let mut buffer = SearchBuffer::default();
            // DATA on stream 1, of 0x3000 octets, behind an octet of something else: where a segment begins they would be awaited.
            let data = [0, 0x30, 0, 0, 0, 0, 0, 0, 1].repeat(before);
            buffer.push_data(&Arrival::default(), &[&[0xff], &data[..]].concat());
            buffer.push_data(&Arrival::default(), &frames[..11]);
            assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
            assert!(buffer.candidates.len() <= limits::RESYNC_CANDIDATES);
            buffer.push_data(&Arrival::default(), &frames[11..]);
            assert!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false).is_some());
            // Passed over, it costs its own octets.
            let skipped = 1 + before * 9 + if more == 2 { 12 } else { 0 };
            assert_eq!(buffer.skipped(), skipped as u64, "{before}");
        }
    }

    /// Of frames in a frame, as in a tunnel, the outer one is the boundary.
    #[test]
    fn a_frame_that_holds_frames_comes_before_them() {
        let expect = Expect { max_stream: 1, ..Expect::ANY };
        let inner = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(6);
        let outer = [&[0, 0, inner.len() as u8, 0, 0, 0, 0, 0, 1][..], &inner].concat();
        for required in [RequiredEvidence::BOUNDARY, RequiredEvidence::PROTOCOL] {
            let mut buffer = SearchBuffer::default();
            buffer.push_data(&Arrival::default(), &outer);
            let mut found = buffer.search(&expect, required, false);
            assert_eq!(
                found.is_none(),
                required.telling,
                "of one frame it is not known whether it is HTTP/2's"
            );
            for _ in 0..3 {
                buffer.push_data(&Arrival::default(), &outer);
                found = found.or_else(|| buffer.search(&expect, required, false));
            }
            assert!(found.is_some());
            assert_eq!(buffer.skipped(), 0);
        }
    }

    /// What only looks like a frame is waited for no longer than it claims to be, and than there is room.
    #[test]
    fn a_frame_that_is_none_does_not_hide_the_next_one() {
        let expect = Expect { max_stream: 1, ..Expect::ANY };
        let frames = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(6);
        for (claimed, ends) in [(0x20, false), (0x3f, false), (0x3f, true)] {
            let mut buffer = SearchBuffer::default();
            buffer
                .push_data(&Arrival::default(), &[&[0, claimed, 0, 0, 0, 0, 0, 0, 1][..], &frames].concat());
            let mut pushed = 9 + frames.len();
            while buffer.search(&expect, RequiredEvidence::BOUNDARY, ends).is_none() {
                assert!(pushed <= limits::RESYNC_BUFFER / 2 + 1500, "{claimed}");
                buffer.push_data(&Arrival::default(), &[0xff; 1500]);
                pushed += 1500;
            }
            assert_eq!(buffer.skipped(), 9, "{claimed}");
        }
    }
}
