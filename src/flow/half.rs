//! One direction of a connection: its segments → its bytes, in order.
//!
//! ```text
//!                 next          hole          first piece that waits
//!                  ▼                            ▼
//!  handed on ······│                            │██████│   │███│
//!            ▲                                                    ▲
//!          acked (by the peer; may be ahead of what was captured) fin
//! ```
//!
//! What begins at `next` is handed on at once. What begins behind it waits in `pending` until the hole before it is
//! filled or given up. What ends before it was seen already.
//!
//! Where so much has waited that who takes it is sated, what is left stays in `pending` though no hole is before it, and is
//! handed on by and by: the direction lags.

use super::abandoned::Abandoned;
use super::acceptance::{Receiver, ResetVerdict, Verdict};
use super::beginning::Beginning;
use super::checksums::Checksums;
use super::grace::Grace;
use super::pending::{Inserted, Pending, SegmentOrigin};
use super::receipts::Receipts;
use super::window::Window;
use super::{Arrival, Budget, ByteSink, End, Gap, GapCause, Span};
use crate::base::direction::Direction;
use crate::base::tcp::{DirectionStats, WindowScale};
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::packet::Segment;

/// How far from the last byte of a closed connection a segment still belongs to it.
const NEAR: i32 = 1 << 20;
/// How far one number may be from another for the second to come after the first (RFC 7323 section 2.3).
const MAX_AHEAD: i32 = 1 << 30;

/// One direction of a connection. Offsets count from the first byte seen.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// A byte or a SYN was seen: `seq` means something.
    pub(super) started: bool,
    /// The lowest sequence number that was mentioned before a byte or a SYN was seen.
    pub(super) base: Option<u32>,
    /// Sequence number of the SYN.
    pub(super) initial: Option<u32>,
    /// The window scale option of the SYN.
    pub(super) scale: WindowScale,
    /// Sequence number of the first byte seen.
    first: u32,
    /// Sequence number of the byte at `next`.
    seq: u32,
    /// Offset of the next byte to hand on.
    pub(super) next: u64,
    /// Offset up to which the peer has acknowledged; before a byte or a SYN was seen, from `base`.
    pub(super) acked: u64,
    /// Offset up to which the side has sent: there its last segment without payload stood.
    sent: u64,
    /// When the peer acknowledged bytes that were not seen by then.
    receipts: Receipts,
    /// What the peer lets it send.
    pub(super) window: Window,
    pub(super) last_ack: Option<Timestamp>,
    /// The last segment.
    pub(super) heard: Timestamp,
    /// Offset at which the stream ends, and the segment that told it.
    pub(super) fin: Option<u64>,
    fin_source: SegmentOrigin,
    pub(super) ended: bool,
    /// The connection was reset: what was acknowledged is still awaited, and nothing behind that.
    pub(super) reset: bool,
    /// The side itself has reset it: it has sent nothing after that.
    pub(super) cut_off: bool,
    pub(super) pending: Pending,
    /// Copies whose checksum is wrong: used where a hole is given up and nothing else is known of it.
    pub(super) worse: Pending,
    /// When the last bytes came that were handed on at once.
    progress: Timestamp,
    /// Since when the byte at `next` is awaited.
    hole_since: Option<Timestamp>,
    grace: Grace,
    /// The newest packet of those whose bytes were handed on.
    newest: u64,
    /// The last packet that was counted as out of order.
    disordered: u64,
    abandoned: Abandoned,
    pub(super) checksums: Checksums,
    pub(super) stats: DirectionStats,
}

/// Where a segment's bytes belong.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Offset of the first byte that was not handed on.
    offset: u64,
    /// Bytes before that.
    old: u64,
    /// All its bytes, captured or not.
    len: u64,
}

/// Where the bytes of an accepted segment go.
pub(super) struct Out<'a, S> {
    pub(super) budget: &'a mut Budget,
    pub(super) sink: &'a mut S,
    /// The direction that this is.
    pub(super) from: Direction,
}

impl Half {
    /// What the receiver of this direction expects; `None` where nothing of it is known.
    pub(super) fn receiver(&self) -> Option<Receiver> {
        if !self.started && self.base.is_none() {
            return None;
        }
        let fin = self.fin.filter(|&fin| fin <= self.next.max(self.acked)).map(|fin| fin as i64);
        let sent = self.sent.max(self.pending.last().unwrap_or_default()) as i64;
        Some(Receiver {
            next: self.next.max(self.acked) as i64,
            acknowledged: self.acked as i64,
            fin,
            reach: self.window.reach(),
            sent,
        })
    }

    /// The offset of a number, which is negative before the first byte seen.
    pub(super) fn offset_of(&self, number: u32) -> i64 {
        let origin = if self.started { self.seq } else { self.base.unwrap_or(number) };
        self.next as i64 + i64::from(distance(origin, number))
    }

    /// The place in the stream of this sequence number, or 0 where it would be before the first byte. Before a byte or a SYN was
    /// seen that is taken to be the first one of which there was word.
    pub(super) fn place_of(&self, seq: u32) -> u64 {
        u64::try_from(self.offset_of(seq)).unwrap_or_default()
    }

    /// The number is one that the receiver of this direction takes data from, for all that is known.
    pub(super) fn takes(&self, seq: u32) -> bool {
        self.receiver().is_none_or(|receiver| receiver.takes(self.offset_of(seq)))
    }

    /// The number is behind the window.
    pub(super) fn has_passed(&self, number: u32) -> bool {
        self.receiver().is_some_and(|receiver| receiver.has_passed(self.offset_of(number)))
    }

    /// The receiver of this direction may have acknowledged so much.
    pub(super) fn may_have_received(&self, ack: u32) -> bool {
        self.receiver().is_none_or(|receiver| receiver.may_have_received(self.offset_of(ack)))
    }

    /// Judges a reset of this direction.
    pub(super) fn judge_reset(&self, seq: u32) -> ResetVerdict {
        let receiver = self.receiver();
        receiver.map_or(ResetVerdict::Doubtful, |receiver| receiver.judge_reset(self.offset_of(seq)))
    }

    /// The first byte has this number, for all that is known.
    pub(super) fn begins_with(&self, first: u32) -> bool {
        match (self.started, self.base) {
            (true, _) => self.initial.map_or(self.first, |seq| seq.wrapping_add(1)) == first,
            (false, Some(base)) => base == first,
            (false, None) => true,
        }
    }

    /// Nothing of the side was seen, and its first byte may have this number: the first one mentioned is a little further.
    pub(super) fn may_begin_at(&self, first: u32) -> bool {
        !self.started && self.base.is_some_and(|base| (0..=NEAR).contains(&distance(first, base)))
    }

    /// The number is near the end of what was seen.
    pub(super) fn is_near(&self, seq: u32) -> bool {
        self.started && distance(self.seq, seq).unsigned_abs() <= NEAR as u32
    }

    /// Both sides tell that the capture has lost more than a window: the stream has gone on at this number.
    pub(super) fn jump(&mut self, number: u32) {
        if self.started {
            self.sent = self.sent.max(self.place_of(number));
        } else {
            (self.base, self.acked) = (Some(number), 0);
        }
    }

    /// All before this number has been sent, if its receiver would take it.
    pub(super) fn note_sent(&mut self, number: u32) {
        if self.started && self.takes(number) {
            self.sent = self.sent.max(self.place_of(number));
        }
    }

    /// Begins with a SYN that was seen earlier.
    pub(super) fn begin(&mut self, syn: &Beginning) {
        (self.initial, self.scale) = (Some(syn.seq), syn.scale);
        self.stats.segments += 1;
        self.heard = syn.at.time;
        self.start(syn.first());
    }

    pub(super) fn acknowledge(&mut self, ack: u32, now: Moment) {
        self.last_ack = Some(now.time);
        if !self.started {
            self.note_number(ack);
        }
        let place = self.place_of(ack);
        if place > self.acked && place > self.next && self.started {
            self.receipts.note(place, now);
        }
        self.acked = self.acked.max(place);
    }

    /// Before the first byte was seen: the side has sent up to this number, says one of the two. If that is beyond
    /// what was said before, bytes between are missing, and those are the first.
    fn note_number(&mut self, number: u32) {
        let base = match self.base {
            Some(base) if distance(base, number) > 0 => base,
            Some(base) => {
                self.move_acked(distance(base, number));
                number
            }
            None => number,
        };
        self.base = Some(base);
        if self.stats.segments > 0 && is_beyond(number, base) {
            self.start(base);
        }
    }

    /// The first byte is so many bytes later than it was thought.
    fn move_acked(&mut self, by: i32) {
        self.acked = self.acked.saturating_add_signed(-i64::from(by));
    }

    fn start(&mut self, seq: u32) {
        self.move_acked(self.base.map_or(0, |base| distance(base, seq)));
        (self.started, self.seq, self.first) = (true, seq, seq);
    }

    /// Takes an accepted segment, which acknowledges so much of the other direction.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        acknowledged: Option<u64>,
        out: &mut Out<'_, impl ByteSink>,
    ) -> Verdict {
        let Some(piece) = self.locate(segment) else { return Verdict::Accepted };
        let Piece { offset, old, len } = piece;
        if segment.flags.fin() && len >= old && self.fin.is_none() {
            self.fin = Some(offset + len - old);
            self.fin_source = SegmentOrigin { at: segment.at, acknowledged };
        }
        if len == 0 {
            self.sent = self.sent.max(offset);
            self.note_hole(segment.at.time);
            return Verdict::Accepted;
        }
        if len <= old {
            self.count_old(offset.saturating_sub(old), len);
            return Verdict::Accepted;
        }
        let cut_off = self.cut_off && offset >= self.acked.max(self.sent);
        if cut_off || self.fin.is_some_and(|fin| offset >= fin) {
            return Verdict::BehindEnd;
        }
        let known = old.min(segment.payload.len() as u64) as usize;
        let (_, payload) = segment.payload.split_at(known);
        let cut = segment.cut - (old - known as u64) as u32;
        self.place(offset, payload, cut, SegmentOrigin { at: segment.at, acknowledged }, out);
        Verdict::Accepted
    }

    /// Keeps what a segment brings whose checksum is wrong, for the case that no better copy comes.
    pub(super) fn keep_worse(&mut self, segment: &Segment<'_>, budget: &mut Budget) {
        if !self.started || self.ended || segment.payload.is_empty() || !self.takes(segment.seq) {
            return;
        }
        while self.worse.first().is_some_and(|first| first < self.next) {
            self.worse.pop_at(self.next, budget);
        }
        let ahead = i64::from(distance(self.seq, segment.seq));
        let old = ahead.min(0).unsigned_abs().min(segment.payload.len() as u64) as usize;
        let bytes = segment.payload.get(old..).unwrap_or_default();
        let source = SegmentOrigin { at: segment.at, acknowledged: None };
        if !bytes.is_empty() {
            self.worse.insert(self.next + ahead.max(0) as u64, bytes, 0, source, budget);
        }
    }

    /// Judges a segment of a direction that has ended.
    pub(super) fn judge_late(&mut self, segment: &Segment<'_>) -> Verdict {
        let new = self.is_new(segment);
        if !new && !segment.payload.is_empty() {
            self.count_old(self.place_of(segment.seq), segment.payload.len() as u64);
        }
        if new { Verdict::BehindEnd } else { Verdict::Accepted }
    }

    /// So many bytes come that were passed: sent again, but where they fill a hole that was given up.
    fn count_old(&mut self, start: u64, len: u64) {
        let fills = self.abandoned.fill(Span { start, end: start + len });
        self.stats.retransmitted += u64::from(!fills);
    }

    /// The segment has payload that was not handed on.
    pub(super) fn is_new(&self, segment: &Segment<'_>) -> bool {
        let end = segment.seq.wrapping_add(segment.payload.len() as u32);
        !segment.payload.is_empty() && (!self.started || distance(self.seq, end) > 0)
    }

    /// Where the segment's bytes belong. Starts the stream at the first byte or SYN seen; before that, numbers are noted.
    fn locate(&mut self, segment: &Segment<'_>) -> Option<Piece> {
        let flags = segment.flags;
        let seq = segment.seq.wrapping_add(u32::from(flags.syn()));
        if flags.syn() && self.initial.is_none() {
            (self.initial, self.scale) = (Some(segment.seq), segment.window_scale);
        }
        if !self.started && (flags.syn() || flags.fin() || !segment.payload.is_empty() || segment.cut > 0) {
            let lost = self.base.filter(|&base| !flags.syn() && is_beyond(seq, base));
            self.start(lost.unwrap_or(seq));
        } else if !self.started {
            self.note_number(seq);
        }
        if !self.started {
            return None;
        }
        let ahead = i64::from(distance(self.seq, seq));
        let old = ahead.min(0).unsigned_abs();
        let len = segment.payload.len() as u64 + u64::from(segment.cut);
        Some(Piece { offset: self.next + ahead.max(0) as u64, old, len })
    }

    /// Hands new bytes on, or keeps them until the hole before them is filled.
    fn place(
        &mut self,
        offset: u64,
        payload: &[u8],
        cut: u32,
        source: SegmentOrigin,
        out: &mut Out<'_, impl ByteSink>,
    ) {
        let end = offset + payload.len() as u64 + u64::from(cut);
        let in_order = offset == self.next;
        // What fills a hole, or begins to, need not be kept, even if there is no room for it.
        if in_order && self.pending.first().is_none_or(|first| end <= first) {
            self.stats.bytes += payload.len() as u64;
            self.progress = source.at.time;
            self.hand_on(payload, cut, source, out);
            if !self.pending.is_empty() {
                self.hand_on_pending(out);
                self.note_hole(source.at.time);
            }
        } else if !payload.is_empty() {
            // Of a cut packet that came early without a byte, the bytes stay a hole.
            self.keep(offset, payload, cut, source, out);
            if in_order {
                self.progress = source.at.time;
            }
            self.hand_on_pending(out);
            self.note_hole(source.at.time);
        }
    }

    /// Keeps bytes until the hole before them is filled. Where there is no room, holes are given up until there is.
    fn keep(
        &mut self,
        offset: u64,
        payload: &[u8],
        cut: u32,
        source: SegmentOrigin,
        out: &mut Out<'_, impl ByteSink>,
    ) {
        let mut inserted = self.pending.insert(offset, payload, cut, source, out.budget);
        while inserted.refused && self.waits() {
            if !self.hand_on_piece(out) {
                self.stats.limited += u64::from(inserted.full);
                self.give_up(source.at, GapCause::Limit, out);
            }
            let old = self.next.saturating_sub(offset).min(payload.len() as u64) as usize;
            let (_, rest) = payload.split_at(old);
            let more = self.pending.insert(offset + old as u64, rest, cut, source, out.budget);
            inserted = Inserted { new: inserted.new + more.new, ..more };
        }
        if inserted.refused {
            // Nothing waits here, and the shard's budget is spent by others.
            self.stats.limited += u64::from(inserted.full);
            while self.next < offset {
                self.skip_to(offset, source.at, GapCause::Limit, out);
            }
            let old = (self.next.saturating_sub(offset) as usize).min(payload.len());
            self.hand_on(payload.get(old..).unwrap_or_default(), cut, source, out);
        }
        self.stats.bytes += inserted.new;
        self.stats.differing_bytes += inserted.differing;
        self.stats.retransmitted += u64::from(inserted.new == 0 && !inserted.refused);
    }

    /// Hands on bytes at `next`, and the hole that the snaplen left after them.
    fn hand_on(&mut self, bytes: &[u8], cut: u32, source: SegmentOrigin, out: &mut Out<'_, impl ByteSink>) {
        let SegmentOrigin { at, acknowledged } = source;
        self.newest = self.newest.max(at.packet);
        if !bytes.is_empty() {
            let span = self.advance(bytes.len() as u64);
            out.sink.data(out.from, &Arrival { at, span, acknowledged, ..Arrival::default() }, bytes);
        }
        if cut > 0 {
            let span = self.advance(u64::from(cut));
            self.stats.gap_bytes += u64::from(cut);
            let gap = Gap::new(Some(u64::from(cut)), GapCause::Snaplen);
            out.sink.gap(out.from, &Arrival { at, span, ..Arrival::default() }, gap);
        }
    }

    /// Hands on what has waited and is in order now, as much as is wanted.
    fn hand_on_pending(&mut self, out: &mut Out<'_, impl ByteSink>) {
        while !out.sink.is_sated() && self.hand_on_piece(out) {}
    }

    /// Hands on the first piece that has waited, if it is in order; whether it was.
    fn hand_on_piece(&mut self, out: &mut Out<'_, impl ByteSink>) -> bool {
        let Some((start, piece)) = self.pending.pop_at(self.next, out.budget) else { return false };
        self.note_order(piece.source.at.packet);
        let old = (self.next - start).min(piece.bytes.len() as u64) as usize;
        let follows = self.pending.first().unwrap_or(u64::MAX);
        let end = start + piece.bytes.len() as u64;
        let cut = u64::from(piece.cut).min(follows.saturating_sub(end)) as u32;
        self.hand_on(piece.bytes.get(old..).unwrap_or_default(), cut, piece.source, out);
        true
    }

    /// Goes on where it lags.
    #[inline]
    pub(super) fn catch_up(&mut self, now: Moment, out: &mut Out<'_, impl ByteSink>) {
        if self.lags() {
            self.hand_on_pending(out);
            self.note_hole(now.time);
        }
    }

    /// Bytes that waited are handed on: if earlier ones came in a later packet, theirs came out of order.
    fn note_order(&mut self, packet: u64) {
        if packet < self.newest && packet != self.disordered {
            self.disordered = packet;
            self.stats.out_of_order += 1;
        }
    }

    /// Goes on by so much, and says where that stands.
    fn advance(&mut self, by: u64) -> Span {
        let start = self.next;
        self.next += by;
        self.seq = self.seq.wrapping_add(by as u32);
        self.hole_since = None;
        self.receipts.forget(self.next);
        Span { start, end: self.next }
    }

    pub(super) fn open_hole(&self) -> bool {
        self.hole_end().is_some()
    }

    /// Bytes wait before which no hole is.
    #[inline]
    pub(super) fn lags(&self) -> bool {
        !self.pending.is_empty() && self.pending.first().is_some_and(|first| first <= self.next)
    }

    /// Bytes are to be handed on before the direction's stream can go on: those of a hole, or such as have come.
    pub(super) fn waits(&self) -> bool {
        !self.pending.is_empty() || self.open_hole()
    }

    /// Bytes of memory of what waits, and of what may stand for what is missing.
    pub(super) const fn held(&self) -> usize {
        self.pending.bytes() + self.worse.bytes()
    }

    /// The offset of the first byte seen after the hole, or of the FIN; after a reset, of the end.
    fn hole_end(&self) -> Option<u64> {
        if self.ended {
            return None;
        }
        let end =
            self.pending.first().or(self.fin).or_else(|| self.reset.then(|| self.next + self.lost_at_end()));
        end.filter(|&end| end > self.next)
    }

    /// Bytes after the last one seen that were sent for certain, as the peer has acknowledged them, or as segments
    /// without payload stand behind them. A single one is taken for a FIN, which counts as one (RFC 9293 section 3.4).
    pub(super) fn lost_at_end(&self) -> u64 {
        self.lost_before(self.acked)
    }

    /// The same, where the peer has received so much.
    pub(super) fn lost_before(&self, received: u64) -> u64 {
        if self.started && self.lacks(received) { received.max(self.sent) - self.next } else { 0 }
    }

    /// The side has sent more than was handed on, where the peer has received so much: more than a FIN.
    pub(super) fn lacks(&self, received: u64) -> bool {
        self.fin.is_none() && received.max(self.sent).saturating_sub(self.next) > 1
    }

    /// A hole is as old as the first bytes behind it, but bytes that came in order since have not found it in their way.
    fn note_hole(&mut self, now: Timestamp) {
        if self.hole_since.is_none() && self.open_hole() {
            let behind = self.pending.first_at().map_or(now, |at| at.time);
            self.hole_since = Some(behind.max(self.progress));
        }
    }

    /// The hole is to be given up now. A reset ends the wait for acknowledgments.
    pub(super) fn is_due(&mut self, segments: u64, now: Timestamp) -> bool {
        let Some(hole) = self.hole_end() else {
            self.grace.clear();
            return false;
        };
        let seen = self.pending.last().max(self.fin).unwrap_or_default();
        let overdue = if self.reset { seen.max(hole) } else { seen.min(self.acked) };
        if self.grace.is_over(hole, overdue, segments, now) {
            return true;
        }
        let deaf = self.last_ack.is_none_or(|ack| now.since(ack) >= tuning::HOLE_UNACKNOWLEDGED);
        let limit = tuning::HOLE_UNACKNOWLEDGED * if deaf { 1 } else { 10 };
        self.hole_since.is_some_and(|since| now.since(since) >= limit)
    }

    pub(super) fn give_up(&mut self, now: Moment, cause: GapCause, out: &mut Out<'_, impl ByteSink>) {
        let Some(end) = self.hole_end() else { return };
        self.skip_to(end, now, cause, out);
        self.hand_on_pending(out);
        self.note_hole(now.time);
    }

    /// Nothing follows: holes are given up, and what waited is handed on, as much as is wanted; whether that was all.
    pub(super) fn hand_on_rest(&mut self, now: Moment, out: &mut Out<'_, impl ByteSink>) -> bool {
        self.hand_on_pending(out);
        while !self.ended && self.open_hole() && !self.is_kept_back(out) {
            self.give_up(now, GapCause::Lost, out);
        }
        let lost = self.lost_at_end();
        if !self.ended && lost > 0 && !self.is_kept_back(out) {
            self.skip_to(self.next + lost, now, GapCause::Lost, out);
        }
        self.ended || !(self.waits() || self.lost_at_end() > 0)
    }

    /// There are bytes that would be handed on if they were wanted.
    fn is_kept_back(&self, out: &Out<'_, impl ByteSink>) -> bool {
        !(self.pending.is_empty() && self.worse.is_empty()) && out.sink.is_sated()
    }

    /// Nothing follows, and nothing is asked for again: what is not wanted is missing.
    pub(super) fn finish(&mut self, now: Moment, out: &mut Out<'_, impl ByteSink>) {
        if !self.hand_on_rest(now, out) {
            out.budget.strike();
            let end = self.pending.end().max(self.fin).unwrap_or(self.next);
            self.pending.clear(out.budget);
            self.worse.clear(out.budget);
            self.skip_to(end.max(self.next + self.lost_at_end()), now, GapCause::Limit, out);
        }
        self.worse.clear(out.budget);
    }

    /// All up to the FIN was handed on: the stream ends.
    pub(super) fn end_at_fin(&mut self, out: &mut Out<'_, impl ByteSink>) {
        if !self.ended
            && let Some(fin) = self.fin.filter(|&fin| fin <= self.next)
        {
            let SegmentOrigin { at, acknowledged } = self.fin_source;
            let span = Span { start: fin, end: fin + 1 };
            self.end(&Arrival { at, span, acknowledged, ..Arrival::default() }, End::Fin, out);
        }
    }

    /// The segment that bore the FIN; the earliest moment where none has come.
    pub(super) const fn fin_at(&self) -> Moment {
        self.fin_source.at
    }

    /// A reset ends the stream, of whichever side; its sender had received so much of the other direction's.
    pub(super) fn end_at_reset(
        &mut self,
        at: Moment,
        acknowledged: Option<u64>,
        out: &mut Out<'_, impl ByteSink>,
    ) {
        let span = Span { start: self.next, end: self.next };
        self.end(&Arrival { at, span, acknowledged, ..Arrival::default() }, End::Rst, out);
    }

    fn end(&mut self, arrival: &Arrival, how: End, out: &mut Out<'_, impl ByteSink>) {
        self.ended = true;
        self.pending.clear(out.budget);
        self.worse.clear(out.budget);
        out.sink.end(out.from, arrival, how);
    }

    /// Hands on the copies with wrong checksums that lie before `end`, and the gaps before them: one, and more as long as more is
    /// wanted.
    fn use_worse(&mut self, end: u64, now: Moment, cause: GapCause, out: &mut Out<'_, impl ByteSink>) {
        while let Some((start, piece)) = self.worse.pop_at(end - 1, out.budget) {
            let stop = end.min(start + piece.bytes.len() as u64);
            if stop <= self.next {
                continue;
            }
            if start > self.next {
                self.skip(start, now, cause, out);
            }
            let bytes = piece.bytes.get((self.next - start) as usize..(stop - start) as usize);
            let span = self.advance(stop - self.next);
            let arrival = Arrival { at: piece.source.at, span, ..Arrival::default() };
            out.sink.worse(out.from, &arrival, bytes.unwrap_or_default());
            if out.sink.is_sated() {
                return;
            }
        }
    }

    /// Gives up the bytes before `end`. Where copies with wrong checksums stand for them, and no more is wanted, a part of them.
    fn skip_to(&mut self, end: u64, now: Moment, cause: GapCause, out: &mut Out<'_, impl ByteSink>) {
        let start = self.next;
        if end > start {
            self.use_worse(end, now, cause, out);
        }
        if end > self.next && !(self.next > start && out.sink.is_sated()) {
            self.skip(end, now, cause, out);
        }
        if self.next > start {
            self.stats.gaps += u64::from(self.next >= end);
            self.stats.gap_bytes += self.next - start;
            self.abandoned.note(Span { start, end: self.next });
        }
    }

    /// Nothing is known of the bytes before `end`.
    fn skip(&mut self, end: u64, now: Moment, cause: GapCause, out: &mut Out<'_, impl ByteSink>) {
        let (len, received) = (end - self.next, end <= self.acked);
        let by = self.receipts.of(end);
        let arrival = Arrival { at: now, span: self.advance(len), received: by, ..Arrival::default() };
        out.sink.gap(out.from, &arrival, Gap { len: Some(len), cause, received });
    }
}

/// A number that shows that bytes from `base` on were sent: more than the one that a SYN, a FIN or a keep-alive makes.
fn is_beyond(number: u32, base: u32) -> bool {
    (2..=MAX_AHEAD).contains(&distance(base, number))
}

/// From one sequence number to another, which is less than 2^31 away (RFC 9293 section 3.4).
pub(super) const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}
