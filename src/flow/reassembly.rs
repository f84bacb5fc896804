//! One connection's segments → its two byte streams, in order (RFC 9293 section 3).
//!
//! State: for each direction the offset and sequence number of the next byte, and what came too early. In-order
//! segments are handed on as they are. A hole is given up, and reported with its exact size, once the peer has
//! acknowledged past it and a grace has gone by (captures reorder packets), or when a cap or a time limit is
//! reached; until then the direction waits, and the other one goes on.

use super::grace::Grace;
use super::pending::{Pending, Source};
use super::{Arrival, Budget, ByteSink, End, Gap, GapCause, Span};
use crate::base::direction::{Direction, PerDirection};
use crate::base::tcp::DirectionStats;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::packet::Segment;

/// How far ahead of the next byte a segment may lie: the largest window that TCP can have (RFC 7323).
const MAX_AHEAD: i32 = 1 << 30;
/// How far from the last byte of a closed connection a segment still belongs to it.
const NEAR: i32 = 1 << 20;

/// The two byte streams of a connection.
#[derive(Debug, Default)]
pub struct Reassembly {
    halves: PerDirection<Half>,
    segments: u64,
    reset: bool,
}

#[derive(Debug, Default)]
struct Half {
    /// A byte or a SYN was seen: `seq` means something.
    started: bool,
    /// The lowest sequence number that was mentioned before a byte or a SYN was seen.
    base: Option<u32>,
    /// Sequence number of the SYN.
    initial: Option<u32>,
    /// Sequence number of the first byte seen.
    first: u32,
    /// Sequence number of the byte at `next`.
    seq: u32,
    /// Offset in the stream of the next byte to hand on.
    next: u64,
    /// Offset up to which the peer has acknowledged; before a byte or a SYN was seen, from `base`.
    acked: u64,
    /// Offset up to which the side has sent: there its last segment without payload stood.
    sent: u64,
    last_ack: Option<Timestamp>,
    /// Offset at which the stream ends.
    fin: Option<u64>,
    ended: bool,
    /// The connection was reset: what was acknowledged is still awaited, and nothing behind that.
    reset: bool,
    pending: Pending,
    /// Since when the byte at `next` is awaited.
    hole_since: Option<Timestamp>,
    grace: Grace,
    stats: DirectionStats,
}

/// Whether a segment belongs to the connection known by its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It does.
    Same,
    /// It begins a new connection between the same ports.
    New,
}

impl Reassembly {
    /// Whether this segment begins a new connection: a SYN that is not a copy of ours, or data that is nowhere
    /// near what a closed connection sent.
    pub fn restart(&self, from: Direction, segment: &Segment<'_>) -> Restart {
        let half = &self.halves[from];
        let flags = segment.flags;
        if flags.syn() && !flags.rst() {
            let first_byte = segment.seq.wrapping_add(1);
            let known =
                !half.started || half.initial.map_or(half.first, |seq| seq.wrapping_add(1)) == first_byte;
            // A new SYN from a side that we never heard, on a connection that is over, is new as well.
            let silent = self.closed() && !half.started;
            return if known && !silent { Restart::Same } else { Restart::New };
        }
        let far = !half.started || distance(half.seq, segment.seq).unsigned_abs() > NEAR as u32;
        if self.closed() && !segment.payload.is_empty() && !flags.rst() && far {
            return Restart::New;
        }
        Restart::Same
    }

    /// Takes one segment, and pushes what it completes.
    pub fn segment(
        &mut self,
        from: Direction,
        segment: &Segment<'_>,
        budget: &mut Budget,
        sink: &mut impl ByteSink,
    ) {
        let (flags, now) = (segment.flags, segment.at);
        self.segments += 1;
        let other = &mut self.halves[from.reverse()];
        if flags.ack() {
            other.acknowledge(segment.ack, now.time);
        }
        let acknowledged = (flags.ack() && other.started).then(|| other.place_of(segment.ack));
        let half = &mut self.halves[from];
        half.stats.segments += 1;
        half.stats.data_segments += u64::from(!segment.payload.is_empty());
        if half.ended {
            half.stats.retransmitted += u64::from(!segment.payload.is_empty());
        } else if flags.rst() {
            self.reset = true;
            (self.halves.forward.reset, self.halves.backward.reset) = (true, true);
        } else {
            half.take(segment, acknowledged, budget, sink, from);
        }
        self.settle(now, budget, sink);
    }

    /// Gives up the holes that are due; call when packet time has gone on without a segment.
    pub fn tick(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        self.settle(now, budget, sink);
    }

    /// The capture or the connection is over: gives up all holes and hands on what waited. No end is reported
    /// that was not seen.
    pub fn finish(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        for from in [Direction::Forward, Direction::Backward] {
            let half = &mut self.halves[from];
            while !half.ended && half.open_hole() {
                half.give_up(now, GapCause::Lost, budget, sink, from);
            }
            let lost = half.lost_at_end();
            if !half.ended && lost > 0 {
                half.skip_to(half.next + lost, now, GapCause::Lost, sink, from);
            }
        }
        self.settle(now, budget, sink);
    }

    /// A direction waits for bytes.
    pub fn has_hole(&self) -> bool {
        self.halves.forward.open_hole() || self.halves.backward.open_hole()
    }

    /// Whether the forward and the backward direction wait for bytes.
    pub fn holes(&self) -> [bool; 2] {
        [self.halves.forward.open_hole(), self.halves.backward.open_hole()]
    }

    /// All that the direction is known to have sent has been handed on, so far as the sequence and acknowledgment
    /// numbers tell.
    pub fn caught_up(&self, from: Direction) -> bool {
        let half = &self.halves[from];
        half.ended || (!half.open_hole() && half.lost_at_end() == 0)
    }

    /// Bytes of the direction's stream that were handed on, those in holes too.
    pub fn handed_on(&self, from: Direction) -> u64 {
        self.halves[from].next
    }

    /// Bytes of the direction's stream that the other side is known to have received.
    pub fn acknowledged(&self, from: Direction) -> u64 {
        self.halves[from].acked
    }

    /// The same, when the other side has sent this segment too.
    pub fn acknowledged_with(&self, from: Direction, segment: &Segment<'_>) -> u64 {
        let half = &self.halves[from];
        if segment.flags.ack() && half.started {
            half.acked.max(half.place_of(segment.ack))
        } else {
            half.acked
        }
    }

    /// Both directions have ended.
    pub fn closed(&self) -> bool {
        self.halves.forward.ended && self.halves.backward.ended
    }

    /// A segment of this direction was seen, even one without payload.
    pub fn seen(&self, from: Direction) -> bool {
        self.halves[from].stats.segments > 0
    }

    /// The SYN of this direction was seen, so that its stream is known from the first byte.
    pub fn from_start(&self, from: Direction) -> bool {
        self.halves[from].initial.is_some()
    }

    /// Counters of one direction.
    pub fn stats(&self, from: Direction) -> &DirectionStats {
        &self.halves[from].stats
    }

    fn settle(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        for from in [Direction::Forward, Direction::Backward] {
            let half = &mut self.halves[from];
            while half.is_due(self.segments, now.time) {
                half.give_up(now, GapCause::Lost, budget, sink, from);
            }
            if half.fin.is_some_and(|fin| fin <= half.next) && !half.ended {
                half.ended = true;
                half.pending.clear(budget);
                sink.end(from, now, End::Fin);
            }
        }
        if self.reset && !self.has_hole() {
            for from in [Direction::Forward, Direction::Backward] {
                if !std::mem::replace(&mut self.halves[from].ended, true) {
                    sink.end(from, now, End::Rst);
                }
            }
        }
    }
}

impl Half {
    fn acknowledge(&mut self, ack: u32, now: Timestamp) {
        self.last_ack = Some(now);
        if !self.started {
            self.note_number(ack);
        }
        let place = match self.base {
            _ if self.started => self.place_of(ack),
            Some(base) => u64::from(u32::try_from(distance(base, ack)).unwrap_or_default()),
            None => 0,
        };
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

    /// The place in the stream of this sequence number, or 0 where it would be before the first byte.
    fn place_of(&self, seq: u32) -> u64 {
        self.next.saturating_add_signed(distance(self.seq, seq).into())
    }

    fn start(&mut self, seq: u32) {
        self.move_acked(self.base.map_or(0, |base| distance(base, seq)));
        (self.started, self.seq, self.first) = (true, seq, seq);
    }

    fn take(
        &mut self,
        segment: &Segment<'_>,
        acknowledged: Option<u64>,
        budget: &mut Budget,
        sink: &mut impl ByteSink,
        from: Direction,
    ) {
        let flags = segment.flags;
        let source = Source { at: segment.at, acknowledged };
        let seq = segment.seq.wrapping_add(u32::from(flags.syn()));
        if flags.syn() {
            self.initial.get_or_insert(segment.seq);
        }
        if !self.started && (flags.syn() || flags.fin() || !segment.payload.is_empty() || segment.cut > 0) {
            let lost = self.base.filter(|&base| !flags.syn() && is_beyond(seq, base));
            self.start(lost.unwrap_or(seq));
        } else if !self.started {
            self.note_number(seq);
        }
        if !self.started {
            return;
        }
        let ahead = distance(self.seq, seq);
        if ahead > MAX_AHEAD {
            self.stats.out_of_window += 1;
            return;
        }
        let whole = segment.payload.len() as u64 + u64::from(segment.cut);
        let (old, offset) = if ahead < 0 {
            (u64::from(ahead.unsigned_abs()), self.next)
        } else {
            (0, self.next + ahead as u64)
        };
        if flags.fin() && whole >= old {
            self.fin.get_or_insert(offset + whole - old);
        }
        if whole == 0 {
            self.sent = self.sent.max(offset);
            self.note_hole(segment.at.time);
            return;
        }
        let over = self.reset && offset >= self.acked.max(self.sent);
        if whole <= old || over || self.fin.is_some_and(|fin| offset >= fin) {
            self.stats.retransmitted += 1;
            return;
        }
        let known = old.min(segment.payload.len() as u64) as usize;
        let (_, payload) = segment.payload.split_at(known);
        let cut = segment.cut - (old - known as u64) as u32;
        if offset == self.next && self.pending.is_empty() {
            self.stats.bytes += payload.len() as u64;
            self.hand_on(payload, cut, source, sink, from);
            return;
        }
        // What fills a hole, or begins to, need not be held, even if there is no room for it.
        let end = offset + payload.len() as u64 + u64::from(cut);
        if offset == self.next && self.pending.first().is_none_or(|first| end <= first) {
            self.stats.bytes += payload.len() as u64;
            self.hand_on(payload, cut, source, sink, from);
            self.hand_on_pending(budget, sink, from);
            self.note_hole(segment.at.time);
            return;
        }
        if offset > self.next {
            self.stats.out_of_order += 1;
        }
        if payload.is_empty() {
            return; // a cut packet that came early: its bytes stay a hole
        }
        let mut inserted = self.pending.insert(offset, payload, cut, source, budget);
        while inserted.refused && self.open_hole() {
            // Full: the hole is given up, what waited goes on, and then there is room.
            self.stats.limited += u64::from(inserted.full);
            self.give_up(segment.at, GapCause::Limit, budget, sink, from);
            let old = self.next.saturating_sub(offset).min(payload.len() as u64) as usize;
            let (_, rest) = payload.split_at(old);
            let more = self.pending.insert(offset + old as u64, rest, cut, source, budget);
            inserted = super::pending::Inserted { new: inserted.new + more.new, ..more };
        }
        if inserted.refused {
            // Nothing waits here, and the shard's budget is spent by others.
            self.stats.limited += u64::from(inserted.full);
            self.skip_to(offset, segment.at, GapCause::Limit, sink, from);
            let old = (self.next.saturating_sub(offset) as usize).min(payload.len());
            self.hand_on(payload.get(old..).unwrap_or_default(), cut, source, sink, from);
        }
        self.stats.bytes += inserted.new;
        self.stats.differing_bytes += inserted.differing;
        self.stats.retransmitted += u64::from(inserted.new == 0 && !inserted.refused);
        self.hand_on_pending(budget, sink, from);
        self.note_hole(segment.at.time);
    }

    /// Hands on bytes at `next`, and the hole that the snaplen left after them.
    fn hand_on(&mut self, bytes: &[u8], cut: u32, source: Source, sink: &mut impl ByteSink, from: Direction) {
        let Source { at, acknowledged } = source;
        if !bytes.is_empty() {
            let span = self.advance(bytes.len() as u64);
            sink.data(from, &Arrival { at, span, acknowledged }, bytes);
        }
        if cut > 0 {
            let span = self.advance(u64::from(cut));
            self.stats.gap_bytes += u64::from(cut);
            let gap = Gap { len: Some(u64::from(cut)), cause: GapCause::Snaplen };
            sink.gap(from, &Arrival { at, span, acknowledged: None }, gap);
        }
    }

    fn hand_on_pending(&mut self, budget: &mut Budget, sink: &mut impl ByteSink, from: Direction) {
        while let Some((start, piece)) = self.pending.pop_at(self.next, budget) {
            let old = (self.next - start).min(piece.bytes.len() as u64) as usize;
            let follows = self.pending.first().unwrap_or(u64::MAX);
            let end = start + piece.bytes.len() as u64;
            let cut = u64::from(piece.cut).min(follows.saturating_sub(end)) as u32;
            self.hand_on(piece.bytes.get(old..).unwrap_or_default(), cut, piece.source, sink, from);
        }
    }

    /// Goes on by so much, and says where that stands.
    fn advance(&mut self, by: u64) -> Span {
        let start = self.next;
        self.next += by;
        self.seq = self.seq.wrapping_add(by as u32);
        self.hole_since = None;
        Span { start, end: self.next }
    }

    fn open_hole(&self) -> bool {
        self.hole_end().is_some()
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
    fn lost_at_end(&self) -> u64 {
        let known = self.acked.max(self.sent).saturating_sub(self.next);
        if known > 1 && self.fin.is_none() && self.started { known } else { 0 }
    }

    fn note_hole(&mut self, now: Timestamp) {
        if self.open_hole() {
            self.hole_since.get_or_insert(self.pending.first_at().map_or(now, |at| at.time));
        }
    }

    /// The hole is to be given up now. A reset ends the wait for acknowledgments.
    fn is_due(&mut self, segments: u64, now: Timestamp) -> bool {
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

    fn give_up(
        &mut self,
        now: Moment,
        cause: GapCause,
        budget: &mut Budget,
        sink: &mut impl ByteSink,
        from: Direction,
    ) {
        let Some(end) = self.hole_end() else { return };
        self.skip_to(end, now, cause, sink, from);
        self.hand_on_pending(budget, sink, from);
        self.note_hole(now.time);
    }

    fn skip_to(&mut self, end: u64, now: Moment, cause: GapCause, sink: &mut impl ByteSink, from: Direction) {
        let len = end.saturating_sub(self.next);
        if len > 0 {
            self.stats.gaps += 1;
            self.stats.gap_bytes += len;
            let span = self.advance(len);
            sink.gap(from, &Arrival { at: now, span, acknowledged: None }, Gap { len: Some(len), cause });
        }
    }
}

/// A number that shows that bytes from `base` on were sent: more than the one that a SYN, a FIN or a keep-alive makes.
fn is_beyond(number: u32, base: u32) -> bool {
    (2..=MAX_AHEAD).contains(&distance(base, number))
}

/// From one sequence number to another, which is less than 2^31 away (RFC 9293 section 3.4).
const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

#[cfg(test)]
pub(super) mod tests;
