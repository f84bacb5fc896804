//! What looks like a violation, and is one only if the other side had not done something before.
//!
//! A capture shows each direction in its own order; between the two the order is not certain: packets are captured
//! out of order, and one direction may wait for a hole to fill while the other is read on. So a suspicion waits. It
//! is withdrawn when the other direction turns out to hold, near in time, what makes the suspect's conduct legal, or
//! to have lost something; it is confirmed when that direction has been read well past it, or to its end.

use super::Findings;
use crate::base::limits;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::http2::{Anomaly, Side};
use std::collections::VecDeque;

/// What the other side may have done to make it legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// It opened, or promised, this stream or a later one.
    Opened(u32),
    /// It enlarged the connection's window.
    ConnectionWindow,
    /// It enlarged the window of this stream.
    StreamWindow(u32),
    /// It used the connection's window up, in part.
    ConnectionData,
    /// It used the window of this stream up, in part.
    StreamData(u32),
    /// It announced this setting anew.
    Announced(u16),
    /// It closed a stream that the suspect had opened.
    Closed,
}

/// A violation that is not proved yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspicion {
    /// Whose.
    pub(super) from: Side,
    /// What.
    pub(super) anomaly: Anomaly,
    /// On which stream.
    pub(super) stream: u32,
    /// Where.
    pub(super) at: Moment,
    /// What would excuse it.
    pub(super) excuse: Excuse,
    /// And how much of that.
    pub(super) needs: u64,
}

/// The suspicions of a connection, at most [`limits::SUSPICIONS`] at one time.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    waiting: VecDeque<Suspicion>,
}

impl Suspicions {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<Suspicion>()
    }

    /// There is none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps a suspicion; false when there are too many, and it is dropped.
    pub(super) fn add(&mut self, suspicion: Suspicion) -> bool {
        let room = self.waiting.len() < limits::SUSPICIONS;
        if room {
            self.waiting.push_back(suspicion);
        }
        room
    }

    /// Those of one side.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = &Suspicion> {
        self.waiting.iter().filter(move |suspicion| suspicion.from == side)
    }

    /// `by` did something, so much of it, that `excuses`. Whether that withdrew a suspicion.
    #[inline]
    pub(super) fn excuse(
        &mut self,
        by: Side,
        at: Moment,
        amount: u64,
        excuses: impl Fn(Excuse) -> bool,
    ) -> bool {
        !self.waiting.is_empty() && self.excuse_some(by, at, amount, excuses)
    }

    #[cold]
    fn excuse_some(&mut self, by: Side, at: Moment, amount: u64, excuses: impl Fn(Excuse) -> bool) -> bool {
        let before = self.waiting.len();
        self.waiting.retain_mut(|suspicion| {
            if suspicion.from == by.peer() && excuses(suspicion.excuse) && !is_past(at, suspicion.at) {
                suspicion.needs = suspicion.needs.saturating_sub(amount);
            }
            suspicion.needs > 0
        });
        self.waiting.len() < before
    }

    /// `by` is read up to here: what it has not excused by now is proved.
    #[inline]
    pub(super) fn advance(&mut self, by: Side, at: Moment, findings: &mut Findings) {
        if !self.waiting.is_empty() {
            self.prove(findings, |suspicion| suspicion.from == by.peer() && is_past(at, suspicion.at));
        }
    }

    /// What `by` did is not known any more. Whether its peer was suspected.
    pub(super) fn withdraw(&mut self, by: Side) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|suspicion| suspicion.from == by);
        self.waiting.len() < before
    }

    /// Both sides are read to the end. Where the connection was `closed`, nothing follows; else the capture has
    /// ended at this moment, and what came shortly before may still have been
    /// excused: that stays a suspicion.
    pub(super) fn finish(&mut self, closed: bool, now: Moment, findings: &mut Findings) {
        self.prove(findings, |suspicion| {
            // Settings must be acknowledged before they are used, and no such acknowledgment came.
            let announced = matches!(suspicion.excuse, Excuse::Announced(_));
            closed || announced || now.time.since(suspicion.at.time) > tuning::HOLE_GRACE
        });
    }

    #[cold]
    fn prove(&mut self, findings: &mut Findings, proved: impl Fn(&Suspicion) -> bool) {
        self.waiting.retain(|suspicion| {
            let proved = proved(suspicion);
            if proved {
                findings.add(suspicion.from, suspicion.stream, suspicion.anomaly, suspicion.at);
            }
            !proved
        });
    }
}

/// `at` is so much later than `since` that a capture cannot have swapped the two.
pub(super) fn is_past(at: Moment, since: Moment) -> bool {
    let time = at.time.since(since.time);
    time > tuning::SWAPPED
        || (time > tuning::HOLE_GRACE && at.packet > since.packet.saturating_add(tuning::HOLE_GRACE_SEGMENTS))
}
