//! Ports used again: does a SYN inside a connection begin the next one? (RFC 9293 section 3.10.7.4, RFC 5961 section 4)
//!
//! A receiver that has the connection answers a SYN with a challenge and goes on. Only a SYN that the peer acknowledges
//! begins a new connection, or one that comes when the old connection is over.

use super::Reassembly;
use crate::base::direction::Direction;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::flow::beginning::Beginning;
use crate::packet::Segment;

/// Which connection a segment belongs to, of those with its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// The one that there is.
    Here,
    /// A new one.
    ToNew,
    /// A new one, which this earlier SYN has begun.
    ToBegun(Beginning),
}

impl Reassembly {
    /// Which connection the segment belongs to, of those between its endpoints.
    #[inline]
    pub fn place_of(&mut self, from: Direction, segment: &Segment<'_>) -> Belongs {
        if !segment.flags.syn() && self.beginning.is_none() && !self.closed() {
            return Belongs::Here;
        }
        self.place_of_unusual(from, segment)
    }

    #[cold]
    fn place_of_unusual(&mut self, from: Direction, segment: &Segment<'_>) -> Belongs {
        if segment.flags.rst() {
            return Belongs::Here;
        }
        // What fits the old connection is no answer: an acknowledgment may have the number by chance.
        let fits = !segment.flags.syn() && self.fits_numbers(from, segment);
        if let Some(beginning) = self.beginning.filter(|_| !fits)
            && (beginning.is_answered_by(from, segment)
                || (self.is_silent(from.reverse(), segment.at) && beginning.is_continued_by(from, segment)))
        {
            return Belongs::ToBegun(beginning);
        }
        if segment.flags.syn() {
            return self.place_of_syn(from, segment);
        }
        let far = !self.halves[from].is_near(segment.seq);
        if self.closed() && !segment.payload.is_empty() && far { Belongs::ToNew } else { Belongs::Here }
    }

    fn place_of_syn(&mut self, from: Direction, segment: &Segment<'_>) -> Belongs {
        if self.is_awaited_syn(from, segment) {
            return Belongs::Here;
        }
        if self.is_over() && !self.may_be_late(from, segment) {
            return Belongs::ToNew;
        }
        if !self.is_own_syn(from, segment) || self.may_be_reused(from, segment) {
            self.beginning = Some(Beginning::of(from, segment));
        }
        Belongs::Here
    }

    /// The SYN is a copy of the one that has begun the connection, or is that one, captured late.
    pub fn is_own_syn(&self, from: Direction, segment: &Segment<'_>) -> bool {
        self.halves[from].begins_with(segment.seq.wrapping_add(1))
    }

    /// The peer has acknowledged this SYN, which is captured late.
    fn is_awaited_syn(&self, from: Direction, segment: &Segment<'_>) -> bool {
        let half = &self.halves[from];
        !half.started && half.base.is_some() && self.is_own_syn(from, segment)
    }

    /// Nothing of the side was seen, and the peer has acknowledged a little more than this SYN: what follows tells whether
    /// the SYN is the connection's own, captured late.
    fn may_be_late(&self, from: Direction, segment: &Segment<'_>) -> bool {
        self.halves[from].may_begin_at(segment.seq.wrapping_add(1))
    }

    /// The side has ended its stream, or the connection is silent for long: a SYN with the same number may be a new one.
    fn may_be_reused(&self, from: Direction, segment: &Segment<'_>) -> bool {
        let used = self.halves[from].next > 0;
        self.halves[from].fin.is_some() || (used && self.is_silent(from, segment.at))
    }

    /// Nothing was heard of a side for so long that the connection may be over.
    fn is_silent(&self, from: Direction, now: Moment) -> bool {
        let half = &self.halves[from];
        half.stats.segments == 0 || now.time.since(half.heard) >= tuning::CLOSED_LINGER
    }

    /// Both directions have ended, or the only one that is in the capture, or the connection was reset.
    fn is_over(&self) -> bool {
        let ended = |from: Direction| self.halves[from].ended || self.halves[from].stats.segments == 0;
        let both = ended(Direction::Forward) && ended(Direction::Backward);
        let any = self.halves.forward.ended || self.halves.backward.ended;
        self.reset.is_some() || (both && any)
    }

    /// Begins with a SYN that was seen earlier.
    pub fn begin(&mut self, from: Direction, beginning: &Beginning) {
        self.halves[from].begin(beginning);
        self.negotiate_windows();
        self.halves[from.reverse()].window.offer(beginning.window, true);
    }
}
