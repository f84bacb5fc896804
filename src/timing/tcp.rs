//! What TCP lets a sender do, and how long its bytes take: windows and acknowledgments (RFC 9293 section 3.8).

use crate::base::direction::{Direction, PerDirection};
use crate::base::tcp::WindowScale;
use crate::base::time::Timestamp;
use crate::flow::SegmentFacts;
use crate::record::RoundTrips;
use std::time::Duration;

/// Holes of a direction that are remembered.
const HOLES: usize = 16;

/// What a connection's segments tell of time.
#[derive(Debug, Default)]
pub struct Transport {
    sides: PerDirection<TcpSide>,
    /// Who opened the connection, and when.
    syn: Option<(Direction, Timestamp)>,
    syn_ack: Option<Timestamp>,
    /// The number that acknowledges it.
    expected: u32,
    ack: Option<Timestamp>,
    /// What follows is not of the handshake.
    is_over: bool,
    earlier: EarlierStops,
}

/// What stopped a connection's senders while its HTTP/2 was not read yet, or was read later than it came.
#[derive(Debug, Default)]
struct EarlierStops {
    /// Since when bytes of a direction are waited for, where they are.
    missing: PerDirection<Option<Timestamp>>,
    /// When the last of all that is over was over, or bytes were sent again.
    until: Timestamp,
}

impl EarlierStops {
    /// The forward and the backward direction wait for bytes now, or do not.
    fn note(&mut self, at: Timestamp, holes: [bool; 2]) {
        for (from, missing) in [Direction::Forward, Direction::Backward].into_iter().zip(holes) {
            let since = &mut self.missing[from];
            if missing {
                since.get_or_insert(at);
            } else if since.take().is_some() {
                self.until = at;
            }
        }
    }
}

impl Transport {
    /// A segment was seen.
    pub fn segment(&mut self, from: Direction, facts: &SegmentFacts) {
        if !self.is_over {
            self.shake_hands(from, facts);
        }
        if self.sides[from].fills(facts) {
            let trips = self.half_trip(from).zip(self.half_trip(from.reverse()));
            self.sides[from].fill(facts, trips.map(|(one, other)| one + other));
        }
        self.sides[from].send(facts);
        self.sides[from.reverse()].receive(facts);
    }

    /// What is read now, if anything, came earlier. The forward and the backward direction wait for bytes, or do not.
    pub fn note_holes(&mut self, at: Timestamp, holes: [bool; 2]) {
        self.earlier.note(at, holes);
    }

    /// The same after a segment was seen.
    pub fn note_stops(&mut self, facts: &SegmentFacts, holes: [bool; 2]) {
        let at = facts.at.time;
        self.earlier.note(at, holes);
        if facts.repeated || self.is_full(Direction::Forward) || self.is_full(Direction::Backward) {
            self.earlier.until = at;
        }
    }

    /// What is read of a direction came at its time `first`, or later: since when bytes of it are waited for, where that is no
    /// later. They are told of once.
    pub fn take_missing(&mut self, first: &PerDirection<Timestamp>) -> PerDirection<Option<Timestamp>> {
        let mut take = |from: Direction| self.earlier.missing[from].take_if(|since| *since <= first[from]);
        PerDirection { forward: take(Direction::Forward), backward: take(Direction::Backward) }
    }

    /// Up to when the senders may have been stopped of which nothing was told, where they are stopped no more.
    #[inline]
    pub fn stopped_until(&mut self, now: Timestamp) -> Timestamp {
        let EarlierStops { missing, until } = &self.earlier;
        if missing.forward.is_none() && missing.backward.is_none() {
            return *until;
        }
        self.earlier.note(now, [false; 2]);
        now
    }

    fn shake_hands(&mut self, from: Direction, facts: &SegmentFacts) {
        let at = facts.at.time;
        match (facts.syn, facts.ack.is_some(), self.syn) {
            (true, false, _) if self.syn_ack.is_none() => self.syn = Some((from, at)),
            (true, true, Some((opener, _))) if opener != from => {
                (self.syn_ack, self.expected) = (Some(at), facts.end);
            }
            (false, true, Some((opener, _))) if opener == from && self.syn_ack.is_some() => {
                // Otherwise it may have been acknowledged before, by a segment that was not captured.
                let is_first = facts.len == 0 && facts.ack == Some(self.expected);
                self.ack = is_first.then_some(at);
                self.is_over = true;
            }
            _ => {}
        }
    }

    /// The receiver of what a direction sends has no room for a full segment.
    pub fn is_full(&self, from: Direction) -> bool {
        self.sides[from].is_full(&self.sides[from.reverse()])
    }

    /// Bytes that a direction has sent again.
    pub fn retransmitted(&self, from: Direction) -> u64 {
        self.sides[from].retransmitted
    }

    /// From the place of capture to the sender of a direction and back: the handshake's, else the smallest that was seen.
    pub fn half_trip(&self, to: Direction) -> Option<Duration> {
        let shaken = match self.syn {
            Some((opener, _)) if opener == to => {
                self.ack.zip(self.syn_ack).map(|(ack, syn_ack)| ack.since(syn_ack))
            }
            Some((_, syn)) => self.syn_ack.map(|syn_ack| syn_ack.since(syn)),
            None => None,
        };
        shaken.or(self.sides[to.reverse()].round_trips.smallest)
    }

    /// The SYN that opened the connection was seen.
    pub const fn is_opened(&self) -> bool {
        self.syn.is_some()
    }

    /// When the connection was established (RFC 9293 section 3.5), and how long that took.
    pub fn handshake(&self) -> Option<(Timestamp, Duration)> {
        let (ack, (_, syn)) = (self.ack?, self.syn?);
        Some((ack, ack.since(syn)))
    }
}

/// One direction, as its sender and its receiver tell of it.
#[derive(Debug, Default)]
pub(super) struct TcpSide {
    /// Sequence number behind the last byte that was sent.
    sent: Option<u32>,
    /// And behind the last one that was acknowledged.
    acknowledged: Option<u32>,
    /// The window that the receiver offers, not scaled.
    window: Option<u16>,
    /// By how many bits its windows are to be shifted, if both SYNs say so.
    scale: WindowScale,
    /// The longest segment.
    largest: u32,
    /// A segment whose acknowledgment is waited for: the number behind it, and when it came.
    sample: Option<(u32, Timestamp)>,
    /// Bytes that are missing, those of which it was known last: from where to where, and when a segment jumped over them.
    holes: Vec<(u32, u32, Timestamp)>,
    /// Bytes that were sent again.
    retransmitted: u64,
    /// From a segment to its acknowledgment, seen from the place of capture.
    pub(super) round_trips: RoundTrips,
}

impl TcpSide {
    /// The segment brings bytes that others were sent behind.
    fn fills(&self, facts: &SegmentFacts) -> bool {
        facts.len > 0 && !facts.repeated && self.sent.is_some_and(|sent| !is_after(facts.end, sent))
    }

    /// Such a segment was sent again if its sender can have learnt that it was missed: no sooner than a round trip after it was
    /// jumped over. One that comes sooner was overtaken.
    fn fill(&mut self, facts: &SegmentFacts, round_trip: Option<Duration>) {
        let (start, end) = (facts.end.wrapping_sub(facts.len), facts.end);
        let place =
            self.holes.iter().position(|&(from, to, _)| !is_after(from, start) && is_after(to, start));
        let Some((at, hole)) = place.and_then(|at| Some((at, self.holes.get_mut(at)?))) else { return };
        let waited = facts.at.time.since(hole.2);
        if hole.0 == start {
            hole.0 = end;
        } else if !is_after(hole.1, end) {
            hole.1 = start;
        }
        if !is_after(hole.1, hole.0) {
            self.holes.remove(at);
        }
        if round_trip.is_some_and(|round_trip| waited >= round_trip) {
            self.retransmitted += u64::from(facts.len);
        }
    }

    /// The sender sends a segment.
    pub(super) fn send(&mut self, facts: &SegmentFacts) {
        self.largest = self.largest.max(facts.len);
        let start = facts.end.wrapping_sub(facts.len);
        if let Some(sent) = self.sent.filter(|&sent| facts.len > 0 && is_after(start, sent)) {
            if self.holes.len() >= HOLES {
                self.holes.remove(0);
            }
            self.holes.push((sent, start, facts.at.time));
        }
        let new = self.sent.is_none_or(|sent| is_after(facts.end, sent));
        if new {
            self.sent = Some(facts.end);
        }
        if facts.len == 0 {
            return;
        }
        if facts.repeated {
            self.retransmitted += u64::from(facts.len);
        }
        match self.sample {
            None if new => self.sample = Some((facts.end, facts.at.time)),
            // It is sent again: whose acknowledgment comes cannot be known.
            Some((end, _)) if !new && !is_after(facts.end, end) => self.sample = None,
            _ => {}
        }
    }

    /// The receiver acknowledges, and offers a window. `syn`: its windows are not scaled yet.
    pub(super) fn receive(&mut self, facts: &SegmentFacts) {
        if facts.syn {
            self.scale = facts.window_scale;
        } else {
            self.window = Some(facts.window);
        }
        let Some(ack) = facts.ack else { return };
        if self.acknowledged.is_none_or(|acknowledged| is_after(ack, acknowledged)) {
            self.acknowledged = Some(ack);
        }
        if let Some((end, at)) = self.sample
            && !is_after(end, ack)
        {
            self.round_trips.add(facts.at.time.since(at));
            self.sample = None;
        }
    }

    /// The receiver has no room for a full segment. `peer`: the other direction, whose sender has to offer scaling too.
    pub(super) fn is_full(&self, peer: &Self) -> bool {
        let (Some(sent), Some(acknowledged), Some(window)) = (self.sent, self.acknowledged, self.window)
        else {
            return false;
        };
        if window == 0 {
            return true;
        }
        // Both SYNs must have the option for either to count.
        let shift = match (self.scale, peer.scale) {
            (WindowScale::Unknown, _) | (_, WindowScale::Unknown) => return false,
            (WindowScale::Shift(shift), WindowScale::Shift(_)) => shift.min(14),
            _ => 0,
        };
        let flight = sent.wrapping_sub(acknowledged) as i32;
        let room = (u64::from(window) << shift).saturating_sub(u64::from(flight.max(0).unsigned_abs()));
        flight > 0 && self.largest > 0 && room < u64::from(self.largest)
    }
}

/// `a` comes after `b`, as sequence numbers that are less than 2^31 apart (RFC 9293 section 3.4).
const fn is_after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;

    fn facts(millis: u64, end: u32, len: u32, ack: u32, window: u16) -> SegmentFacts {
        let at = Moment { packet: 1, time: Timestamp::from_nanos(millis * 1_000_000) };
        SegmentFacts {
            at,
            end,
            len,
            repeated: false,
            ack: Some(ack),
            window,
            syn: false,
            window_scale: WindowScale::Unknown,
        }
    }

    fn syn(scale: WindowScale) -> SegmentFacts {
        SegmentFacts { syn: true, window_scale: scale, ..facts(0, 1, 0, 0, 1000) }
    }

    #[test]
    fn a_window_is_full_when_no_full_segment_has_room() {
        let (mut server, mut client) = (TcpSide::default(), TcpSide::default());
        server.receive(&syn(WindowScale::Shift(2)));
        client.receive(&syn(WindowScale::Shift(7)));
        server.send(&facts(1, 1001, 1000, 0, 0));
        server.receive(&facts(2, 1, 0, 1, 500));
        assert!(!server.is_full(&client), "1000 of 2000 are in flight");
        server.send(&facts(3, 1502, 501, 0, 0));
        assert!(server.is_full(&client));
        server.receive(&facts(4, 1, 0, 1502, 500));
        assert!(!server.is_full(&client));
    }

    #[test]
    fn without_the_syns_a_zero_window_alone_counts() {
        // Of a SYN that is cut the options are as good as not seen.
        for seen in [[].as_slice(), &[WindowScale::Shift(7)], &[WindowScale::Shift(7), WindowScale::Unknown]]
        {
            let mut sides = [TcpSide::default(), TcpSide::default()];
            for (side, &scale) in sides.iter_mut().zip(seen) {
                side.receive(&syn(scale));
            }
            let [mut server, client] = sides;
            server.send(&facts(1, 60_000, 60_000, 0, 0));
            server.receive(&facts(2, 1, 0, 1, 10));
            assert!(!server.is_full(&client));
            server.receive(&facts(2, 1, 0, 1, 0));
            assert!(server.is_full(&client));
        }
    }

    #[test]
    fn numbers_wrap_around() {
        let mut side = TcpSide::default();
        side.send(&facts(1, u32::MAX - 10, 100, 0, 0));
        side.send(&facts(2, 89, 100, 0, 0));
        side.receive(&facts(31, 1, 0, 89, 10));
        assert_eq!(side.round_trips.smallest, Some(Duration::from_millis(30)));
        assert_eq!(side.sent, Some(89));
    }

    #[test]
    fn what_was_sent_twice_is_no_sample() {
        let mut side = TcpSide::default();
        side.send(&facts(1, 100, 100, 0, 0));
        side.send(&SegmentFacts { repeated: true, ..facts(300, 100, 100, 0, 0) });
        side.receive(&facts(301, 1, 0, 100, 10));
        assert_eq!((side.round_trips.count, side.retransmitted), (0, 100));
    }

    #[test]
    fn what_was_overtaken_was_not_sent_again() {
        let talk = |late: u64| {
            let mut transport = Transport::default();
            let ends = [Direction::Forward, Direction::Backward];
            // Ten milliseconds to each side and back.
            for (from, millis, end, len, ack) in
                [(0, 1, 100, 100, 100), (1, 11, 200, 100, 100), (0, 21, 200, 100, 200)]
            {
                transport.segment(ends[from], &facts(millis, end, len, ack, 1000));
            }
            transport.segment(ends[0], &facts(30, 400, 100, 200, 1000));
            transport.segment(ends[0], &facts(30 + late, 300, 100, 200, 1000));
            // Another hole stays one, and what jumps over a third comes later.
            transport.segment(ends[0], &facts(300, 600, 100, 200, 1000));
            transport.segment(ends[0], &facts(400, 800, 100, 200, 1000));
            transport.segment(ends[0], &facts(401, 700, 100, 200, 1000));
            transport.retransmitted(ends[0])
        };
        assert_eq!([0, 19, 20, 200].map(talk), [0, 0, 100, 100]);
    }

    #[test]
    fn a_handshake_without_its_last_segment_has_no_length() {
        let shake = |third: SegmentFacts| {
            let mut transport = Transport::default();
            let ends = [Direction::Forward, Direction::Backward];
            transport.segment(ends[0], &SegmentFacts { syn: true, ack: None, ..facts(0, 101, 0, 0, 1000) });
            transport.segment(ends[1], &SegmentFacts { syn: true, ..facts(10, 501, 0, 101, 1000) });
            transport.segment(ends[0], &third);
            transport.segment(ends[0], &facts(90, 101, 0, 501, 1000));
            (transport.handshake().map(|(_, took)| took.as_millis()), transport.half_trip(ends[1]))
        };
        let server = Some(Duration::from_millis(10));
        assert_eq!(shake(facts(15, 101, 0, 501, 1000)), (Some(15), server));
        assert_eq!(shake(facts(80, 201, 100, 501, 1000)), (None, server), "a request");
        assert_eq!(
            shake(facts(80, 101, 0, 600, 1000)),
            (None, server),
            "what the server has said since is acknowledged"
        );
    }
}
