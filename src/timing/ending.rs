//! Why a connection ended: what it said last, and what it left unanswered.

use crate::base::time::Timestamp;
use crate::http2::{PerSide, Side};
use crate::record::{EndBy, EndCause, EndHow, Ending, StreamEnd};
use std::time::Duration;

/// GOAWAY with this last stream lets all streams that are on their way end (RFC 9113 section 6.8).
const ALL_STREAMS: u32 = u32::MAX >> 1;

/// What a connection says of its end.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    goaway: PerSide<Option<Goaway>>,
    /// PING of each side that has no acknowledgment yet, and when it was sent.
    pings: PerSide<Option<([u8; 8], Timestamp)>>,
    /// When anything was read last.
    spoken: Option<Timestamp>,
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

impl LastWords {
    /// Something was read.
    pub(super) fn speak(&mut self, at: Timestamp) {
        self.spoken = self.spoken.max(Some(at));
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

    /// PING.
    pub(super) fn ping(&mut self, from: Side, opaque: [u8; 8], at: Timestamp) {
        self.pings[from].get_or_insert((opaque, at));
    }

    /// An acknowledgment of PING; since when the side that is answered has waited for it, where it was for that.
    pub(super) fn pong(&mut self, by: Side, opaque: [u8; 8]) -> Option<Timestamp> {
        let (_, at) = self.pings[by.peer()].take_if(|(sent, _)| *sent == opaque)?;
        Some(at)
    }

    /// Why the connection ended, in this way and at this time, with exchanges under way or not. `patience`: for so long an
    /// acknowledgment may take. Who named an error, and which.
    pub(super) fn ending(
        &self,
        end: StreamEnd,
        at: Timestamp,
        in_flight: bool,
        patience: Duration,
    ) -> (Ending, Option<(Side, u32)>) {
        let sides = [Side::Server, Side::Client];
        let goaway = |wanted: fn(&Goaway) -> bool| {
            sides.into_iter().find_map(|side| Some((side, self.goaway[side].filter(wanted)?)))
        };
        let unanswered =
            sides.into_iter().any(|side| self.pings[side].is_some_and(|(_, sent)| at.since(sent) > patience));
        let closed = end.by != EndBy::Capture && matches!(end.how, EndHow::Fin | EndHow::Rst);
        let error = goaway(|goaway| goaway.code != 0);
        let graceful = goaway(|goaway| goaway.code == 0);
        let reset = end.how == EndHow::Rst;
        let cause = match (closed, in_flight) {
            _ if error.is_some() => EndCause::GoawayError,
            (false, _) => EndCause::CaptureEnd,
            (true, _) if unanswered => EndCause::KeepaliveTimeout,
            _ if graceful.is_some() => EndCause::GoawayGraceful,
            (true, true) if reset => EndCause::ResetInFlight,
            (true, false) if reset => EndCause::Reset,
            (true, true) => EndCause::FinInFlight,
            (true, false) => EndCause::IdleClose,
        };
        let ending = Ending {
            cause: Some(cause),
            two_step: graceful.is_some_and(|(_, goaway)| goaway.two_step),
            idle: (cause == EndCause::IdleClose)
                .then(|| self.spoken.map(|spoken| at.since(spoken)))
                .flatten(),
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

    fn cause(words: &LastWords, end: StreamEnd, in_flight: bool) -> Option<EndCause> {
        words.ending(end, at(1000), in_flight, Duration::from_millis(10)).0.cause
    }

    #[test]
    fn tcp_alone_tells_little() {
        let silent = LastWords::default();
        assert_eq!(cause(&silent, FIN, false), Some(EndCause::IdleClose));
        assert_eq!(cause(&silent, FIN, true), Some(EndCause::FinInFlight));
        assert_eq!(cause(&silent, RST, false), Some(EndCause::Reset));
        assert_eq!(cause(&silent, RST, true), Some(EndCause::ResetInFlight));
        assert_eq!(cause(&silent, EOF, true), Some(EndCause::CaptureEnd));
    }

    #[test]
    fn goaway_says_more_and_an_error_most() {
        let mut words = LastWords::default();
        words.goaway(Side::Server, ALL_STREAMS, 0, at(0));
        words.goaway(Side::Server, 3, 0, at(0));
        let (ending, accused) = words.ending(FIN, at(1), false, Duration::ZERO);
        assert_eq!((ending.cause, ending.two_step, accused), (Some(EndCause::GoawayGraceful), true, None));
        assert_eq!(cause(&words, EOF, false), Some(EndCause::CaptureEnd));
        words.goaway(Side::Client, 0, 3, at(0));
        words.goaway(Side::Client, 0, 0, at(0));
        let (ending, accused) = words.ending(RST, at(1), true, Duration::ZERO);
        assert_eq!((ending.cause, accused), (Some(EndCause::GoawayError), Some((Side::Client, 3))));
    }

    #[test]
    fn a_ping_without_its_acknowledgment_is_a_timeout() {
        let mut words = LastWords::default();
        words.ping(Side::Client, [1; 8], at(0));
        assert_eq!(words.pong(Side::Client, [1; 8]), None, "one does not acknowledge oneself");
        assert_eq!(cause(&words, RST, true), Some(EndCause::KeepaliveTimeout));
        assert_eq!(words.pong(Side::Server, [1; 8]), Some(at(0)));
        assert_eq!(cause(&words, RST, true), Some(EndCause::ResetInFlight));
    }
}
