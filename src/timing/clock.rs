//! The clock of one direction: how long its sender could not send, and for what reason; how long it could and did not.
//!
//! Time is added up for the direction as a whole. What a stream has of it is the difference between two readings, so
//! that the work does not grow with the number of streams.

use crate::base::memory::of_block;
use crate::base::time::Timestamp;
use crate::record::Blocked;
use std::time::Duration;

/// A reading of the clock: nanoseconds since it began, by reason.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// When.
    pub(super) at: Timestamp,
    /// Bytes were missing.
    pub(super) loss: u64,
    /// No credit was left on the connection.
    pub(super) connection: u64,
    /// The receiver's TCP window was full.
    pub(super) tcp: u64,
    /// Nothing stopped the sender.
    pub(super) free: u64,
    /// The part of `free` in which its application was silent, up to the latest segment with data.
    pub(super) silent: u64,
    /// The part of `connection` in which the receiver gave no credit.
    pub(super) held: u64,
}

/// A wait between two segments that bear data.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    /// When it began.
    start: Timestamp,
    /// What the clock read of free time then.
    free: u64,
    /// Free time in it that was silence.
    silent: u64,
}

/// When a sender that may have been silent began to send.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opening {
    /// The first bytes came: of the segment's TLS record, or of what jumped over others that were lost.
    begin: Timestamp,
    /// What the clock read of free time then.
    free: u64,
    /// When the sender had been let go on last.
    freed: Timestamp,
    /// Something stopped it then.
    stopped: bool,
}

impl Opening {
    /// Whether the sender's application had been silent till then, when it could have sent since that time.
    pub(super) fn ends_silence(&self, since: Timestamp, patience: u64) -> bool {
        !self.stopped && self.begin.nanos_since(since.max(self.freed)) > patience
    }

    /// How much of the free time up to `at` was silence, if some was, where the clock read so much at its start.
    pub(super) fn silence(&self, at: Timestamp, free: u64) -> u64 {
        if self.begin < at { self.free.saturating_sub(free) } else { u64::MAX }
    }
}

/// What stops the sender of a direction, whatever the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stops {
    /// Bytes are missing that a later segment has jumped over.
    pub(super) loss: bool,
    /// No credit is left on the connection.
    pub(super) connection: bool,
    /// The receiver's TCP window is full.
    pub(super) tcp: bool,
}

impl Stops {
    const fn any(self) -> bool {
        self.loss || self.connection || self.tcp
    }
}

/// What few directions need: when the sender began to send, where that was before its bytes could be read.
#[derive(Debug, Default)]
struct Openings {
    /// How the wait ended that the latest segment with data ended, if it had begun to come before.
    wait: Option<Opening>,
    /// What jumped first over missing bytes since that segment, if something did.
    jump: Option<Opening>,
    /// The reading when the latest header block began that did not come in one piece.
    block: Reading,
    /// The part of the clock's `loss` in which they were missing in the capture alone, and up to when that is known.
    missed: u64,
    missed_until: Timestamp,
}

/// The clock of one direction.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: Reading,
    stops: Stops,
    /// Since when bytes are missing.
    loss_since: Timestamp,
    /// Since when no credit is left on the connection.
    connection_since: Timestamp,
    /// The latest segment with data, and what the clock read of free time then.
    latest: Timestamp,
    latest_free: u64,
    /// The wait that the latest segment ended.
    wait: Wait,
    /// When the sender was last let go on.
    freed: Timestamp,
    /// Where records come in parts, or bytes are missing.
    openings: Option<Box<Openings>>,
    /// Streams whose turn it is and that have no credit of their own, and nanoseconds in which there were some and no bytes
    /// were missing. It is no stop: other streams may go on.
    blocked_streams: u32,
    stream: u64,
    started: bool,
}

impl Clock {
    /// Time has come to this. It never goes back.
    pub(super) fn advance(&mut self, at: Timestamp) {
        if !std::mem::replace(&mut self.started, true) {
            self.now.at = at;
            (self.latest, self.freed) = (at, at);
        }
        let passed = at.nanos_since(self.now.at);
        let reason = match self.stops {
            Stops { loss: true, .. } => &mut self.now.loss,
            Stops { connection: true, .. } => &mut self.now.connection,
            Stops { tcp: true, .. } => &mut self.now.tcp,
            _ => &mut self.now.free,
        };
        *reason = reason.saturating_add(passed);
        if self.blocked_streams > 0 && !self.stops.loss {
            self.stream = self.stream.saturating_add(passed);
        }
        self.now.at = self.now.at.max(at);
    }

    /// The same for a clock that has begun: a look at it begins none.
    pub(super) fn catch_up(&mut self, at: Timestamp) {
        if self.started {
            self.advance(at);
        }
    }

    /// What the clock reads at a time. One that has gone by is that of a [mark](Self::mark), or in a stretch of missing bytes: what
    /// stood behind them is read later than it came.
    #[inline]
    pub(super) fn read(&mut self, at: Timestamp) -> Reading {
        // Many exchanges go on with one segment.
        if at == self.now.at && self.started { self.now } else { self.move_to(at) }
    }

    /// A header block begins now, whose end comes later: only then is it known what it was.
    pub(super) fn mark(&mut self, at: Timestamp) {
        let now = self.read(at);
        self.openings.get_or_insert_default().block = now;
    }

    fn move_to(&mut self, at: Timestamp) -> Reading {
        self.advance(at);
        if let Some(openings) = self.openings.as_ref().filter(|openings| openings.block.at == at) {
            return openings.block;
        }
        let back = self.now.at.nanos_since(at);
        let missing = if self.stops.loss { self.now.at.nanos_since(self.loss_since) } else { 0 };
        Reading { at, loss: self.now.loss.saturating_sub(back.min(missing)), ..self.now }
    }

    /// Time so far in which the sender, or a stream of it, could not send.
    pub(super) fn blocked(&self) -> Blocked {
        Blocked {
            stream_window: self.stream,
            connection_window: self.now.connection,
            tcp_loss: self
                .now
                .loss
                .saturating_sub(self.openings.as_ref().map_or(0, |openings| openings.missed)),
            tcp_window: self.now.tcp,
        }
    }

    /// A stream whose turn it is has no credit any more, or has some again, or it is not its turn any more.
    pub(super) fn set_stream_blocked(&mut self, at: Timestamp, blocked: bool) {
        self.advance(at);
        self.blocked_streams = if blocked {
            self.blocked_streams.saturating_add(1)
        } else {
            self.blocked_streams.saturating_sub(1)
        };
    }

    /// The bytes that are missing now had come to their receiver: the network has not lost them.
    pub(super) fn miss(&mut self, at: Timestamp) {
        self.advance(at);
        if self.stops.loss {
            let Openings { missed, missed_until, .. } = &mut **self.openings.get_or_insert_default();
            *missed = missed.saturating_add(at.nanos_since(self.loss_since.max(*missed_until)));
            *missed_until = at.max(*missed_until);
        }
    }

    /// Bytes of memory held beside itself.
    pub(super) fn memory(&self) -> usize {
        self.openings.as_ref().map_or(0, |openings| of_block(size_of_val(&**openings)))
    }

    /// What stops the sender now.
    pub(super) const fn stops(&self) -> Stops {
        self.stops
    }

    /// What stops the sender has changed. `round_trip`: nanoseconds from the place of capture to the receiver and back.
    pub(super) fn set_stops(&mut self, at: Timestamp, stops: Stops, round_trip: u64) {
        if stops == self.stops {
            return;
        }
        self.advance(at);
        let before = std::mem::replace(&mut self.stops, stops);
        if stops.loss && !before.loss {
            self.loss_since = at;
            let now = Opening { begin: at, free: self.now.free, freed: self.freed, stopped: before.any() };
            self.openings.get_or_insert_default().jump.get_or_insert(now);
        }
        if stops.connection && !before.connection {
            self.connection_since = at;
        }
        if before.connection && !stops.connection {
            let held = at.nanos_since(self.connection_since).saturating_sub(round_trip);
            self.now.held = self.now.held.saturating_add(held);
        }
        if before.any() && !stops.any() {
            self.freed = self.now.at;
        }
    }

    /// A segment with data came, which began to come at `began`: the wait since the one before is over. It was silence,
    /// up to then, if longer than so many nanoseconds, counted from when nothing stopped the sender any more. Whether it
    /// is a later segment than the latest.
    pub(super) fn data(&mut self, at: Timestamp, began: Timestamp, patience: u64) -> bool {
        self.advance(at);
        if at <= self.latest {
            return false;
        }
        let opening = self.opening(at, began);
        let wait = (opening.begin < at).then_some(opening);
        if wait.is_some() || self.openings.is_some() {
            let openings = self.openings.get_or_insert_default();
            (openings.wait, openings.jump) = (wait, None);
        }
        let silent = if opening.ends_silence(self.latest, patience) {
            opening.free.saturating_sub(self.latest_free)
        } else {
            0
        };
        self.wait = Wait { start: self.latest, free: self.latest_free, silent };
        self.now.silent = self.now.silent.saturating_add(silent);
        (self.latest, self.latest_free) = (at, self.now.free);
        true
    }

    /// The latest segment with data.
    pub(super) const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The wait that ends at this time: when it began, what the clock read of free time then, and of silence.
    pub(super) fn wait_until(&self, at: Timestamp) -> (Timestamp, u64, u64) {
        if at == self.latest {
            (self.wait.start, self.wait.free, self.now.silent - self.wait.silent)
        } else {
            (self.latest, self.latest_free, self.now.silent)
        }
    }

    /// Whether something has stopped the sender after this time.
    pub(super) fn stopped_since(&self, at: Timestamp) -> bool {
        self.stops.any() || self.freed > at
    }

    /// How the wait goes on that ends at this time.
    pub(super) fn opening_until(&self, at: Timestamp) -> Opening {
        let ended = self.openings.as_ref().and_then(|openings| openings.wait).filter(|_| at == self.latest);
        ended.unwrap_or_else(|| self.opening(at, at))
    }

    /// The same of the wait since the latest segment with data, where what ends it began to come at `began`.
    fn opening(&self, at: Timestamp, began: Timestamp) -> Opening {
        let now = Opening { begin: at, free: self.now.free, freed: self.freed, stopped: self.stops.any() };
        let began = began.max(self.latest).min(at);
        // What began to come when nothing was missing any more is not what had jumped over it.
        let jump = self.openings.as_ref().and_then(|openings| openings.jump);
        let known = jump.filter(|_| self.stops.loss || began <= self.freed).unwrap_or(now);
        let begin = began.min(known.begin);
        Opening { begin, free: known.free.saturating_sub(known.begin.nanos_since(begin)), ..known }
    }
}

/// Nanoseconds of a duration; saturates.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
