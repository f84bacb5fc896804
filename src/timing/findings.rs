//! What an operator should know of a connection's time: windows too small for the path, slow readers, deadlocks, races with
//! a close, PINGs that the server does not bear, streams that had to wait.

use super::Timing;
use crate::base::time::{Moment, Timestamp};
use crate::http2::{EventContext, PerSide, Side, error_code};
use crate::record::{EndBy, EndHow, Time, TimePart, Transaction};
use std::time::Duration;

/// Windows are told of when an exchange has waited for credit for so long, and for a tenth of its time.
const WORTH_TELLING: u64 = 10_000_000;
/// Both sides are at a standstill when neither has sent DATA for so long.
const STANDSTILL: Duration = Duration::from_secs(1);
/// PINGs of which an interval can be told.
const PINGS: u64 = 3;
/// Nanoseconds between PINGs that are frequent, whatever is said of them.
const FREQUENT: u64 = 10_000_000_000;
/// The largest window (RFC 9113 section 6.9.1).
const MAX_WINDOW: u64 = (1 << 31) - 1;

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The side's window is too small for the path: credit was on its way for the most part. One of so many octets would
    /// suffice, where that is known.
    WindowSmall(Option<u64>),
    /// The side gave no credit for the most part of the time that was waited for it.
    SlowReader,
    /// Both sides waited for credit until the exchange was given up.
    WindowDeadlock,
    /// The side closed the connection as a request was on its way, within a round trip.
    IdleCloseRace,
    /// The side sent PINGs at this interval, in nanoseconds, and was sent away for it.
    KeepaliveExcess(u64),
    /// All the streams that the side lets be open were: a request had to wait for a place.
    StreamLimit,
}

/// A remark on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Of whom.
    pub from: Side,
    /// The stream, 0 for the connection.
    pub stream: u32,
    /// What.
    pub remark: Remark,
    /// Where.
    pub at: Moment,
}

/// The PINGs that a side has sent, acknowledgments not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keepalive {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Keepalive {
    /// One more.
    pub(super) fn add(&mut self, at: Timestamp) {
        if self.count == 0 {
            self.first = at;
        }
        (self.count, self.last) = (self.count + 1, self.last.max(at));
    }

    /// Nanoseconds between two of them, in the mean.
    fn interval(&self) -> Option<u64> {
        (self.count >= PINGS).then(|| self.last.nanos_since(self.first) / (self.count - 1))
    }
}

impl Timing {
    /// What there is to say since this was last called: no more than there were events.
    pub fn take_notes(&mut self) -> impl Iterator<Item = Note> + use<> {
        self.notes.as_mut().map(std::mem::take).unwrap_or_default().into_iter()
    }

    pub(super) fn note(&mut self, from: Side, stream: u32, remark: Remark, at: Moment) {
        if let Some(notes) = &mut self.notes {
            notes.push(Note { from, stream, remark, at });
        }
    }

    /// A side sends its peer away with this code: for its PINGs, as it says, or as they were many.
    pub(super) fn judge_keepalive(&mut self, cx: &EventContext<'_>, code: u32, debug: &[u8]) {
        let by = cx.from.peer();
        let Some(interval) = self.keepalive[by].interval() else { return };
        let says_so = memchr::memmem::find(debug, b"ping").is_some();
        if code == error_code::ENHANCE_YOUR_CALM && (says_so || interval <= FREQUENT) {
            self.note(by, 0, Remark::KeepaliveExcess(interval), cx.at());
        }
    }

    /// What there is to say of an exchange that has ended, with no credit left on the stream for a side, or some.
    pub(super) fn judge(&mut self, record: &Transaction, empty: PerSide<bool>) {
        let (stream, at) = (record.stream, record.last);
        if let Some((receiver, remark)) = record.time.as_ref().and_then(|time| self.windows(record, time)) {
            self.note(receiver, stream, remark, at);
        }
        if self.is_deadlock(record, empty) {
            for side in [Side::Client, Side::Server] {
                self.note(side, stream, Remark::WindowDeadlock, at);
            }
        }
        if self.is_race(record) {
            self.note(Side::Server, stream, Remark::IdleCloseRace, at);
        }
    }

    /// Who gave too little credit, and in which way.
    fn windows(&self, record: &Transaction, time: &Time) -> Option<(Side, Remark)> {
        let Time { parts, stream_window_held, connection_window_held, request_blocked, .. } = time;
        let waited = parts.get(TimePart::StreamWindow) + parts.get(TimePart::ConnectionWindow);
        if waited < WORTH_TELLING || waited < parts.sum() / 10 {
            return None;
        }
        let receiver = if request_blocked * 2 >= waited { Side::Server } else { Side::Client };
        let message = if receiver.is_client() { &record.response } else { &record.request };
        if (stream_window_held + connection_window_held) * 2 >= waited {
            return Some((receiver, Remark::SlowReader));
        }
        Some((receiver, Remark::WindowSmall(self.sufficient(message.body, parts.get(TimePart::Transfer)))))
    }

    /// Octets that are under way when these are sent in so many nanoseconds: the bandwidth-delay product.
    fn sufficient(&self, octets: u64, transfer: u64) -> Option<u64> {
        let round_trip = self.measured.then_some(self.round_trip)?;
        let product = (u128::from(octets) * u128::from(round_trip)).checked_div(transfer.into())?;
        Some(u64::try_from(product).unwrap_or(MAX_WINDOW).min(MAX_WINDOW)).filter(|&octets| octets > 0)
    }

    fn is_deadlock(&self, record: &Transaction, empty: PerSide<bool>) -> bool {
        let stopped = |side: Side| empty[side] || self.clocks[side].stops().connection;
        let latest = self.clocks.client.latest().max(self.clocks.server.latest());
        record.time.is_some()
            && record.end.how != EndHow::EndStream
            && stopped(Side::Client)
            && stopped(Side::Server)
            && record.ended_at.since(latest) >= STANDSTILL
    }

    /// The request and the server's close have crossed: within a round trip, where that was measured. A server that names an error
    /// closes because of what it was sent, and so does one that does not speak HTTP/2.
    fn is_race(&self, record: &Transaction) -> bool {
        if self.foreign || self.words.names_error(Side::Server) || record.may_have_ended() || !self.measured {
            return false;
        }
        let begun = record.first.time;
        let near =
            |close: Timestamp| begun.nanos_since(close).max(close.nanos_since(begun)) <= self.round_trip;
        let closed = record.end.by == EndBy::Tcp && record.end.how == EndHow::Fin;
        let sent_away = record.disclaimed.then(|| self.words.goaway_at(Side::Server)).flatten();
        record.response.first.is_none() && (sent_away.is_some_and(near) || (closed && near(record.ended_at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_takes_three_pings() {
        let mut pings = Keepalive::default();
        for (second, interval) in [(1, None), (3, None), (7, Some(3_000_000_000))] {
            pings.add(Timestamp::from_nanos(second * 1_000_000_000));
            assert_eq!(pings.interval(), interval);
        }
    }
}
