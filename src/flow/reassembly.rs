//! One connection's segments → its two byte streams, in order (RFC 9293 section 3).
//!
//! Each segment is judged first ([`super::acceptance`]); what its receiver did not accept is only counted. Of the others,
//! those in order are handed on as they are. A hole is given up, and reported with its exact size, once the peer has
//! acknowledged past it and a grace has gone by (captures reorder packets), or when a cap or a time limit is
//! reached; until then the direction waits, and the other one goes on.

mod reuse;
mod stray;

pub use reuse::Belongs;

use super::acceptance::{ResetVerdict, Verdict};
use super::beginning::Beginning;
use super::half::{Half, Out, distance};
use super::{Budget, ByteSink, GapCause};
use crate::base::direction::{Direction, PerDirection};
use crate::base::tcp::DirectionStats;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::packet::Segment;
use stray::Stray;

/// The two byte streams of a connection.
#[derive(Debug, Default)]
pub struct Reassembly {
    pub(super) halves: PerDirection<Half>,
    segments: u64,
    pub(super) reset: Option<Reset>,
    /// A reset that its receiver did not expect, and that nothing has followed.
    pub(super) doubtful_reset: Option<Reset>,
    /// A SYN that may begin the next connection between the same ports.
    pub(super) beginning: Option<Beginning>,
    /// The last segment of each direction that did not fit the window.
    strays: PerDirection<Option<Stray>>,
}

/// A reset, and who sent it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reset {
    from: Direction,
    at: Moment,
    /// Segments of the connection by then.
    segments: u64,
    /// Its number.
    seq: u32,
    /// What it acknowledges.
    ack: Option<u32>,
}

impl Reset {
    /// The segment is one of those that its sender had sent before, as was captured later.
    fn stands_behind(&self, segment: &Segment<'_>) -> bool {
        let sent = segment.payload_octets() + u32::from(segment.flags.fin());
        sent > 0 && distance(segment.seq.wrapping_add(sent), self.seq) >= 0
    }

    /// What the other side had sent when it came has arrived too.
    fn is_settled(&self, segments: u64, now: Moment) -> bool {
        segments.saturating_sub(self.segments) >= tuning::HOLE_GRACE_SEGMENTS
            || now.time.since(self.at.time) >= tuning::HOLE_GRACE
    }
}

impl Reassembly {
    /// Takes one segment, and pushes what it completes.
    pub fn segment(
        &mut self,
        from: Direction,
        segment: &Segment<'_>,
        budget: &mut Budget,
        sink: &mut impl ByteSink,
    ) -> Verdict {
        let now = segment.at;
        self.segments += 1;
        let half = &mut self.halves[from];
        half.stats.segments += 1;
        half.stats.data_segments += u64::from(!segment.payload.is_empty());
        let verdict = if half.checksums.is_damaged(segment) {
            half.keep_worse(segment, budget);
            Verdict::BadChecksum
        } else if segment.flags.rst() {
            self.judge_reset(from, segment)
        } else {
            self.judge(from, segment)
        };
        let verdict = match verdict {
            Verdict::Accepted if !segment.flags.rst() => self.accept(from, segment, budget, sink),
            verdict => verdict,
        };
        self.settle(now, budget, sink);
        verdict
    }

    /// Judges a segment that is no reset.
    fn judge(&mut self, from: Direction, segment: &Segment<'_>) -> Verdict {
        let flags = segment.flags;
        let fits = if flags.syn() {
            self.is_own_syn(from, segment) && self.answers_to(from, segment)
        } else {
            self.fits_numbers(from, segment) || self.resumes(from, segment)
        };
        if fits { Verdict::Accepted } else { Verdict::Unaccepted }
    }

    /// What the segment acknowledges, if anything, may have been sent.
    fn answers_to(&self, from: Direction, segment: &Segment<'_>) -> bool {
        !segment.flags.ack() || self.halves[from.reverse()].may_have_received(segment.ack)
    }

    /// Both numbers of the segment are such that its receiver accepts it (RFC 9293 section 3.10.7.4, RFC 5961 section 5.2).
    #[inline]
    pub(super) fn fits_numbers(&self, from: Direction, segment: &Segment<'_>) -> bool {
        self.halves[from].takes(segment.seq) && self.answers_to(from, segment)
    }

    /// Judges a reset, and ends the connection if it is accepted.
    fn judge_reset(&mut self, from: Direction, segment: &Segment<'_>) -> Verdict {
        let ack = segment.flags.ack().then_some(segment.ack);
        let reset = Reset { from, at: segment.at, segments: self.segments, seq: segment.seq, ack };
        if self.reset.is_some() || self.closed() {
            return Verdict::Accepted;
        }
        let expected = self.refuses(from, segment)
            || self.halves[from].judge_reset(segment.seq) == ResetVerdict::Expected;
        if expected {
            self.set_reset(reset);
            return Verdict::Accepted;
        }
        self.doubtful_reset.get_or_insert(reset);
        Verdict::Unaccepted
    }

    /// The reset answers the SYN of a side whose peer has sent nothing (RFC 9293 section 3.10.7.3).
    fn refuses(&self, from: Direction, reset: &Segment<'_>) -> bool {
        let asked = self.halves[from.reverse()].initial.map(|seq| seq.wrapping_add(1));
        !self.halves[from].started && reset.flags.ack() && asked == Some(reset.ack)
    }

    /// The reset ends the connection. Its numbers say how far both sides had gone.
    fn set_reset(&mut self, reset: Reset) {
        let Reset { from, at, seq, ack, .. } = reset;
        self.halves[from].note_sent(seq);
        let other = &mut self.halves[from.reverse()];
        if let Some(ack) = ack.filter(|&ack| other.may_have_received(ack)) {
            other.acknowledge(ack, at);
        }
        self.reset = Some(reset);
        (self.halves.forward.reset, self.halves.backward.reset) = (true, true);
        self.halves[reset.from].cut_off = true;
    }

    /// Takes a segment that its receiver has accepted.
    fn accept(
        &mut self,
        from: Direction,
        segment: &Segment<'_>,
        budget: &mut Budget,
        sink: &mut impl ByteSink,
    ) -> Verdict {
        let flags = segment.flags;
        self.doubtful_reset =
            self.doubtful_reset.filter(|reset| reset.from == from && reset.stands_behind(segment));
        // What a SYN says that comes again was true once (RFC 5961 section 4.2).
        let is_outdated = flags.syn() && self.halves[from].next > 0;
        let other = &mut self.halves[from.reverse()];
        if !is_outdated {
            other.window.offer(segment.window, flags.syn());
        }
        let acknowledged = (flags.ack() && !is_outdated).then(|| {
            other.acknowledge(segment.ack, segment.at);
            other.place_of(segment.ack)
        });
        let half = &mut self.halves[from];
        half.heard = segment.at.time;
        if half.ended {
            return half.judge_late(segment);
        }
        let verdict = half.take(segment, acknowledged, &mut Out { budget, sink, from });
        if flags.syn() {
            self.negotiate_windows();
        }
        verdict
    }

    /// Judges a segment of a connection that is over.
    pub fn judge_late(&self, from: Direction, segment: &Segment<'_>) -> Verdict {
        let new = !segment.flags.rst() && self.halves[from].is_new(segment);
        match new {
            true if self.fits_numbers(from, segment) => Verdict::BehindEnd,
            true => Verdict::Unaccepted,
            false => Verdict::Accepted,
        }
    }

    /// A SYN was seen: windows are shifted as the two SYNs say.
    pub(super) fn negotiate_windows(&mut self) {
        let PerDirection { forward, backward } = &mut self.halves;
        forward.window.negotiate(backward.scale, forward.scale);
        backward.window.negotiate(forward.scale, backward.scale);
    }

    /// Gives up the holes that are due; call when packet time has gone on without a segment.
    pub fn tick(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        self.settle(now, budget, sink);
    }

    /// Nothing follows: gives up holes and hands on what waited, as much as is wanted; whether that was all.
    pub fn hand_on_rest(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) -> bool {
        self.believe_reset();
        [Direction::Forward, Direction::Backward]
            .into_iter()
            .all(|from| self.halves[from].hand_on_rest(now, &mut Out { budget, sink, from }))
    }

    /// Bytes of memory of what waits to be handed on.
    pub fn held(&self) -> usize {
        self.halves.forward.held() + self.halves.backward.held()
    }

    /// The capture or the connection is over: gives up all holes and hands on what waited; what is not wanted by now counts as
    /// missing. No other end is reported that was not seen.
    pub fn finish(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        self.believe_reset();
        for from in [Direction::Forward, Direction::Backward] {
            self.halves[from].finish(now, &mut Out { budget, sink, from });
        }
        self.settle(now, budget, sink);
        self.settle_reset(budget, sink);
    }

    /// A reset that nothing has followed was the end after all.
    fn believe_reset(&mut self) {
        if let (Some(reset), None) = (self.doubtful_reset, self.reset) {
            self.set_reset(reset);
        }
    }

    /// Something is waited for: bytes that are missing, or what was under way when a reset came.
    pub fn waits(&self) -> bool {
        self.has_hole() || (self.reset.is_some() && !self.closed())
    }

    /// A direction waits for bytes, or has them and is not done with them.
    pub fn has_hole(&self) -> bool {
        self.halves.forward.waits() || self.halves.backward.waits()
    }

    /// Bytes that have come wait to be handed on, and no hole is before them.
    pub fn lags(&self) -> bool {
        self.halves.forward.lags() || self.halves.backward.lags()
    }

    /// Whether the forward and the backward direction wait for bytes, or have them and are not done with them.
    pub fn holes(&self) -> [bool; 2] {
        [self.halves.forward.waits(), self.halves.backward.waits()]
    }

    /// All that the direction is known to have sent has been handed on, so far as the sequence and acknowledgment
    /// numbers tell.
    pub fn caught_up(&self, from: Direction) -> bool {
        let half = &self.halves[from];
        half.ended || (!half.waits() && half.lost_at_end() == 0)
    }

    /// The direction has sent bytes behind the last one seen, by what its own segments tell, and as the other side has
    /// received so much.
    pub fn lacks_end(&self, from: Direction, received: u64) -> bool {
        let half = &self.halves[from];
        !half.ended && half.lacks(received)
    }

    /// Bytes of the direction's stream that were handed on, those in holes too.
    pub fn handed_on(&self, from: Direction) -> u64 {
        self.halves[from].next
    }

    /// Bytes of the direction's stream that the other side is known to have received.
    pub fn acknowledged(&self, from: Direction) -> u64 {
        self.halves[from].acked
    }

    /// The same, when the other side has sent this segment too: what a receiver refuses says nothing.
    pub fn acknowledged_with(&self, from: Direction, segment: &Segment<'_>) -> u64 {
        let half = &self.halves[from];
        let sender = from.reverse();
        let says = segment.flags.ack() && !segment.flags.syn();
        if says && self.fits_numbers(sender, segment) && !self.halves[sender].checksums.doubts(segment) {
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

    /// Gives up what is due, and tells of the ends that are reached: of a reset, its sender's first.
    fn settle(&mut self, now: Moment, budget: &mut Budget, sink: &mut impl ByteSink) {
        for from in [Direction::Forward, Direction::Backward] {
            let half = &mut self.halves[from];
            let mut out = Out { budget, sink, from };
            half.catch_up(now, &mut out);
            while !out.sink.is_sated() && half.is_due(self.segments, now.time) {
                half.give_up(now, GapCause::Lost, &mut out);
            }
            half.end_at_fin(&mut out);
        }
        if self.reset.is_some_and(|reset| reset.is_settled(self.segments, now)) {
            self.settle_reset(budget, sink);
        }
    }

    /// The reset ends what has not ended and waits for nothing, its sender's direction first. The other side may have sent
    /// more before it came: that was read until now, as calls that nobody answers.
    fn settle_reset(&mut self, budget: &mut Budget, sink: &mut impl ByteSink) {
        let Some(reset) = self.reset.filter(|_| !self.has_hole()) else { return };
        // What its sender had sent came before, even where it was captured later.
        let at = reset.at.max(self.halves[reset.from].fin_at());
        let received = reset.ack.map(|ack| self.halves[reset.from.reverse()].place_of(ack));
        for from in [reset.from, reset.from.reverse()] {
            let half = &mut self.halves[from];
            if !half.ended {
                let acknowledged = received.filter(|_| from == reset.from);
                half.end_at_reset(at, acknowledged, &mut Out { budget, sink, from });
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
