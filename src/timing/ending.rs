//! Why a connection ended: what it said last, and what it left unanswered.

use crate::base::time::{Moment, Timestamp};
use crate::http2::{PerSide, Side};
use crate::record::{EndBy, EndCause, EndHow, Ending, StreamEnd};
use std::time::Duration;

/// GOAWAY with this last stream lets all streams that are on their way end (RFC 9113 section 6.8).
const ALL_STREAMS: u32 = u32::MAX >> 1;

/// What a connection says of its end.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    goaway: PerSide<Option<Goaway>>,
    /// PING of each side that has no acknowledgment yet.
    pings: PerSide<Option<Ping>>,
    /// When bytes were read last; the earliest moment where none were.
    heard: Timestamp,
    /// Bytes of this side are missing behind all that was read of it.
    unheard: PerSide<bool>,
    /// Frames of this side are missing before this packet, the latest of such; 0 where none are.
    lost: PerSide<u64>,
    /// The latest packet that opened a stream.
    asked: u64,
    /// The last packet of each side that was read.
    read: PerSide<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Goaway {
    code: u32,
    /// It was announced by one with the highest stream there is.
    two_step: bool,
    last_stream: u32,
    /// When the first of them came.
    at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    opaque: [u8; 8],
    at: Timestamp,
    /// Its acknowledgment may have been read before it.
    doubtful: bool,
}

impl LastWords {
    /// A frame of a side was read, or some of it.
    pub(super) fn speak(&mut self, from: Side, at: Moment) {
        self.read[from] = self.read[from].max(at.packet);
    }

    /// The last packet of a side that was read; 0 where none was.
    pub(super) fn last_read(&self, side: Side) -> u64 {
        self.read[side]
    }

    /// Bytes of a side were read, whatever they say.
    pub(super) fn hear(&mut self, from: Side, at: Timestamp) {
        self.heard = self.heard.max(at);
        self.unheard[from] = false;
    }

    /// Bytes of a side are missing: when they came is not known.
    pub(super) const fn miss(&mut self, from: Side) {
        match from {
            Side::Client => self.unheard.client = true,
            Side::Server => self.unheard.server = true,
        }
    }

    /// GOAWAY.
    pub(super) fn goaway(&mut self, from: Side, last_stream: u32, code: u32, at: Timestamp) {
        let before = self.goaway[from];
        let announced = before.is_some_and(|before| before.two_step || before.last_stream == ALL_STREAMS);
        let two_step = announced && last_stream != ALL_STREAMS;
        // An error is not taken back.
        if before.is_none_or(|before| before.code == 0) || code != 0 {
            let at = before.map_or(at, |before| before.at);
            self.goaway[from] = Some(Goaway { code, two_step, last_stream, at });
        }
    }

    /// When a side sent its first GOAWAY.
    pub(super) fn goaway_at(&self, from: Side) -> Option<Timestamp> {
        Some(self.goaway[from]?.at)
    }

    /// A side has named an error.
    pub(super) fn names_error(&self, side: Side) -> bool {
        self.goaway[side].is_some_and(|goaway| goaway.code != 0)
    }

    /// PING. Where its direction waited for a hole to fill, or was captured later, the other one was read ahead of it, with the
    /// acknowledgment: what was read of it was sent when the PING had been `received`.
    pub(super) fn ping(&mut self, from: Side, opaque: [u8; 8], at: Moment, received: bool) {
        let doubtful = received || self.read[from.peer()] > at.packet;
        let pending = &mut self.pings[from];
        if pending.is_none_or(|before| before.doubtful && !doubtful) {
            *pending = Some(Ping { opaque, at: at.time, doubtful });
        }
    }

    /// An acknowledgment of PING; since when the side that is answered has waited for it, where it was for that.
    pub(super) fn pong(&mut self, by: Side, opaque: [u8; 8]) -> Option<Timestamp> {
        let sent = self.pings[by.peer()].take_if(|ping| ping.opaque == opaque)?;
        Some(sent.at).filter(|_| !sent.doubtful)
    }

    /// Frames of a side are missing, before this packet: it may have acknowledged something with them, or sent GOAWAY.
    pub(super) fn lose(&mut self, from: Side, packet: u64) {
        self.lose_pong(from);
        self.lose_goaway(from, packet);
    }

    /// An acknowledgment of a side may be missing.
    pub(super) fn lose_pong(&mut self, from: Side) {
        self.pings[from.peer()] = None;
    }

    /// A GOAWAY of a side may be missing, before this packet.
    pub(super) fn lose_goaway(&mut self, from: Side, packet: u64) {
        self.lost[from] = self.lost[from].max(packet);
    }

    /// What a side sent before the capture begins is missing, or is not after all.
    pub(super) fn join_late(&mut self, from: Side, late: bool) {
        if self.lost[from] <= 1 {
            self.lost[from] = late.into();
        }
    }

    /// The client opens a stream: nobody had sent GOAWAY before (RFC 9113 section 6.8).
    pub(super) fn ask(&mut self, at: Moment) {
        self.asked = self.asked.max(at.packet);
    }

    /// A GOAWAY of the side may be missing.
    fn may_have_left(&self, side: Side) -> bool {
        self.unheard[side] || self.lost[side] > self.asked
    }

    /// Why the connection ended, in this way and at this time, with exchanges under way or not, where that is known.
    /// `patience`: for so long an acknowledgment may take. Who named an error, and which.
    pub(super) fn ending(
        &self,
        end: StreamEnd,
        at: Timestamp,
        in_flight: Option<bool>,
        patience: Duration,
    ) -> (Ending, Option<(Side, u32)>) {
        let sides = [Side::Server, Side::Client];
        let goaway = |wanted: fn(&Goaway) -> bool| {
            sides.into_iter().find_map(|side| Some((side, self.goaway[side].filter(wanted)?)))
        };
        // Who waits for an acknowledgment in vain closes the connection; its peer closes it for other reasons.
        let may_wait = |side: Side| end.by == EndBy::Tcp || end.by == side.into();
        let waited = |doubtful: bool| {
            let overdue = |ping: Ping| ping.doubtful == doubtful && at.since(ping.at) > patience;
            sides.into_iter().any(|side| may_wait(side) && self.pings[side].is_some_and(overdue))
        };
        let closed = end.by != EndBy::Capture && matches!(end.how, EndHow::Fin | EndHow::Rst);
        let error = goaway(|goaway| goaway.code != 0);
        let graceful = goaway(|goaway| goaway.code == 0);
        let reset = end.how == EndHow::Rst;
        let cause = match (closed, in_flight) {
            _ if error.is_some() => Some(EndCause::GoawayError),
            (false, _) => Some(EndCause::CaptureEnd),
            (true, _) if waited(false) => Some(EndCause::KeepaliveTimeout),
            (true, _) if waited(true) => None,
            _ if graceful.is_some() => Some(EndCause::GoawayGraceful),
            _ if sides.into_iter().any(|side| self.may_have_left(side)) => None,
            (true, Some(true)) if reset => Some(EndCause::ResetInFlight),
            (true, Some(false)) if reset => Some(EndCause::Reset),
            (true, Some(true)) => Some(EndCause::FinInFlight),
            (true, Some(false)) => Some(EndCause::IdleClose),
            (true, None) => None,
        };
        let ending = Ending {
            cause,
            two_step: graceful.map(|(_, goaway)| goaway.two_step),
            idle: Some(self.heard)
                .filter(|&heard| cause == Some(EndCause::IdleClose) && heard > Timestamp::default())
                .map(|heard| at.since(heard)),
            alert: None,
            evidence: None,
        };
        (ending, error.map(|(side, goaway)| (side, goaway.code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIN: StreamEnd = StreamEnd { by: EndBy::Tcp, how: EndHow::Fin, code: None };
    const RST: StreamEnd = StreamEnd { by: EndBy::Tcp, how: EndHow::Rst, code: None };
    const EOF: StreamEnd = StreamEnd { by: EndBy::Capture, how: EndHow::Eof, code: None };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn moment(packet: u64) -> Moment {
        Moment { packet, time: at(0) }
    }

    fn cause(words: &LastWords, end: StreamEnd, in_flight: Option<bool>) -> Option<EndCause> {
        words.ending(end, at(1000), in_flight, Duration::from_millis(10)).0.cause
    }

    #[test]
    fn tcp_alone_tells_little() {
        let silent = LastWords::default();
        assert_eq!(cause(&silent, FIN, Some(false)), Some(EndCause::IdleClose));
        assert_eq!(cause(&silent, FIN, Some(true)), Some(EndCause::FinInFlight));
        assert_eq!(cause(&silent, RST, Some(false)), Some(EndCause::Reset));
        assert_eq!(cause(&silent, RST, Some(true)), Some(EndCause::ResetInFlight));
        assert_eq!(cause(&silent, EOF, Some(true)), Some(EndCause::CaptureEnd));
        for end in [FIN, RST] {
            assert_eq!(cause(&silent, end, None), None, "the exchanges may have ended unseen");
        }
    }

    #[test]
    fn goaway_says_more_and_an_error_most() {
        let mut words = LastWords::default();
        words.goaway(Side::Server, ALL_STREAMS, 0, at(0));
        words.goaway(Side::Server, 3, 0, at(0));
        let (ending, accused) = words.ending(FIN, at(1), Some(false), Duration::ZERO);
        assert_eq!(
            (ending.cause, ending.two_step, accused),
            (Some(EndCause::GoawayGraceful), Some(true), None)
        );
        assert_eq!(cause(&words, EOF, Some(false)), Some(EndCause::CaptureEnd));
        words.goaway(Side::Client, 0, 3, at(0));
        words.goaway(Side::Client, 0, 0, at(0));
        let (ending, accused) = words.ending(RST, at(1), Some(true), Duration::ZERO);
        assert_eq!((ending.cause, accused), (Some(EndCause::GoawayError), Some((Side::Client, 3))));
    }

    #[test]
    fn a_ping_without_its_acknowledgment_is_a_timeout() {
        let mut words = LastWords::default();
        words.ping(Side::Client, [1; 8], moment(1), false);
        assert_eq!(words.pong(Side::Client, [1; 8]), None, "one does not acknowledge oneself");
        assert_eq!(cause(&words, RST, Some(true)), Some(EndCause::KeepaliveTimeout));
        assert_eq!(words.pong(Side::Server, [1; 8]), Some(at(0)));
        assert_eq!(cause(&words, RST, Some(true)), Some(EndCause::ResetInFlight));
    }

    #[test]
    fn what_is_missing_may_have_held_the_acknowledgment() {
        let mut words = LastWords::default();
        words.speak(Side::Client, moment(1));
        words.ping(Side::Client, [1; 8], moment(2), false);
        words.lose(Side::Client, 3);
        assert_eq!(
            cause(&words, RST, Some(false)),
            Some(EndCause::KeepaliveTimeout),
            "the other side sends it"
        );
        words.lose(Side::Server, 3);
        assert_eq!(cause(&words, RST, Some(false)), None);
        words.ping(Side::Client, [2; 8], moment(4), false);
        assert_eq!(
            cause(&words, RST, Some(false)),
            Some(EndCause::KeepaliveTimeout),
            "it was sent behind the hole"
        );
    }

    #[test]
    fn what_is_missing_may_have_been_a_goaway_until_a_stream_is_opened() {
        for side in [Side::Client, Side::Server] {
            let mut words = LastWords::default();
            words.join_late(side, true);
            assert_eq!(cause(&words, FIN, Some(false)), None, "it was joined late, and nothing came");
            words.ask(moment(5));
            assert_eq!(cause(&words, FIN, Some(false)), Some(EndCause::IdleClose));
            words.lose(side, 6);
            assert_eq!(cause(&words, RST, Some(true)), None);
            words.ask(moment(7));
            assert_eq!(cause(&words, RST, Some(true)), Some(EndCause::ResetInFlight));
            words.miss(side);
            assert_eq!(cause(&words, FIN, Some(false)), None);
            words.goaway(side, 0, 0, at(8));
            assert_eq!(cause(&words, FIN, Some(false)), Some(EndCause::GoawayGraceful));
        }
        let mut words = LastWords::default();
        words.join_late(Side::Client, true);
        words.join_late(Side::Client, false);
        assert_eq!(cause(&words, FIN, Some(false)), Some(EndCause::IdleClose));
    }

    #[test]
    fn nothing_was_sent_since_bytes_were_read_last_and_none_are_missing_behind() {
        let idle = |words: &LastWords| {
            let (ending, _) = words.ending(FIN, at(10), Some(false), Duration::ZERO);
            (ending.cause, ending.idle.map(|idle| idle.as_millis()))
        };
        let closed = |idle| (Some(EndCause::IdleClose), idle);
        let mut words = LastWords::default();
        assert_eq!(idle(&words), closed(None));
        words.hear(Side::Client, at(3));
        words.hear(Side::Server, at(2));
        assert_eq!(idle(&words), closed(Some(7)));
        words.miss(Side::Server);
        words.hear(Side::Client, at(4));
        assert_eq!(idle(&words), (None, None), "those may have come later");
        words.hear(Side::Server, at(3));
        assert_eq!(idle(&words), closed(Some(6)), "they came before");
    }

    #[test]
    fn an_acknowledgment_may_be_read_before_its_ping() {
        let mut words = LastWords::default();
        words.speak(Side::Server, moment(7));
        assert_eq!(words.pong(Side::Server, [1; 8]), None);
        words.ping(Side::Client, [1; 8], moment(6), false);
        assert_eq!(cause(&words, RST, Some(false)), None);
        words.ping(Side::Client, [2; 8], moment(8), true);
        assert_eq!(cause(&words, RST, Some(false)), None, "what was read was sent when it had come");
        words.ping(Side::Client, [3; 8], moment(8), false);
        assert_eq!(cause(&words, RST, Some(false)), Some(EndCause::KeepaliveTimeout));
        assert_eq!(words.pong(Side::Server, [3; 8]), Some(at(0)));
        assert_eq!(cause(&words, RST, Some(false)), Some(EndCause::Reset));
    }

    #[test]
    fn who_closes_has_waited_for_its_own_ping() {
        let mut words = LastWords::default();
        words.ping(Side::Server, [1; 8], moment(1), false);
        for (by, expected) in
            [(EndBy::Client, EndCause::IdleClose), (EndBy::Server, EndCause::KeepaliveTimeout)]
        {
            assert_eq!(cause(&words, StreamEnd { by, ..FIN }, Some(false)), Some(expected));
        }
    }
}
