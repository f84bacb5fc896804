//! One direction of a connection at its sender's place and at its receiver's: which bytes took how long, and which were
//! lost.
//!
//! Segments may be cut in one way here and in another there, as hosts with offload see larger ones than the wire. So bytes
//! are compared: the stream is divided where any segment begins or ends, and of each piece the copies are counted at both
//! places.

use super::connection::Segment;
use super::numbers::unwrap;
use crate::base::direction::Direction;
use std::collections::{BTreeSet, HashMap};

/// What a segment holds where nothing tells: as much as Ethernet takes.
const FULL: u64 = 1460;
/// Copies of one byte that are told apart.
const COPIES: usize = 16;

/// What happened to one direction.
#[derive(Debug, Default)]
pub(super) struct Transit {
    /// When bytes were first seen at the sender's place and at the receiver's: each by its own clock.
    pub(super) points: Vec<(u64, u64)>,
    /// Transmissions that did not arrive, or not wholly: when they were sent, by the sender's clock.
    pub(super) lost: Vec<Loss>,
    /// Transmissions of bytes that the receiver's place never saw, and that the receiver acknowledged: when they were sent.
    pub(super) not_captured: Vec<u64>,
    /// When bytes were first seen at the receiver's place that had come before, as the receiver had acknowledged them: by that
    /// place's clock.
    pub(super) seen_late: Vec<u64>,
    /// Bytes of the largest segment that arrived.
    largest: u64,
}

/// A transmission that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// When it was sent.
    pub(super) sent: u64,
    /// Bytes of it that did not arrive.
    pub(super) bytes: u64,
    /// Segments that carried them.
    pub(super) segments: u64,
    /// No other copy of some of them arrived either.
    pub(super) forever: bool,
    /// Where it ends in its stream.
    pub(super) end: i64,
}

/// A direction at one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    /// All segments of the connection there.
    pub(super) segments: &'a [Segment],
    /// As the place calls the direction.
    pub(super) from: Direction,
    /// The number of a byte that is the same one at both places.
    pub(super) base: u32,
    /// The bytes before this one, counted from there, have been compared.
    pub(super) floor: i64,
}

impl End<'_> {
    /// The pieces of the direction, with their place in its stream.
    fn pieces(&self) -> Vec<Piece> {
        let mut last = None;
        let own = self.segments.iter().filter(|segment| segment.from() == self.from && segment.len > 0);
        let pieces = own.map(|segment| {
            let start = unwrap(&mut last, segment.first_byte(), self.base);
            let (start, end) = (start.max(self.floor), start + i64::from(segment.len));
            Piece { start, end, time: segment.time, ip_id: segment.ip_id() }
        });
        pieces.filter(|piece| piece.start < piece.end).collect()
    }

    /// Up to where the direction was seen before an instant; at least up to the floor.
    pub(super) fn furthest(&self, before: u64) -> i64 {
        let pieces = self.pieces();
        let seen = pieces.iter().filter(|piece| piece.time < before).map(|piece| piece.end);
        seen.max().map_or(self.floor, |end| end.max(self.floor))
    }

    /// What of the direction was acknowledged: each time further than before.
    fn acknowledgments(&self) -> Vec<(i64, u64)> {
        let mut last = None;
        let mut steps: Vec<(i64, u64)> = Vec::new();
        for segment in self.segments.iter().filter(|segment| segment.from() != self.from) {
            let Some(ack) = segment.acknowledges() else { continue };
            let place = unwrap(&mut last, ack, self.base);
            if steps.last().is_none_or(|&(furthest, _)| place > furthest) {
                steps.push((place, segment.time));
            }
        }
        steps
    }
}

/// A part of the stream that was sent, or that arrived.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: i64,
    end: i64,
    time: u64,
    ip_id: Option<u16>,
}

/// Copies of one byte: when, the number of their piece, and the identification of their packet.
type Copies = BTreeSet<(u64, usize, Option<u16>)>;

impl Transit {
    /// Of the segments that were sent, and of those that arrived.
    pub(super) fn of(sender: &End<'_>, receiver: &End<'_>) -> Self {
        let (sent, arrived) = (sender.pieces(), receiver.pieces());
        let largest = arrived.iter().map(|piece| piece.end.abs_diff(piece.start)).max().unwrap_or_default();
        let mut transit = Self { largest: largest.max(FULL), ..Self::default() };
        if have_common(&sent, &arrived) {
            transit.sweep(&sent, &arrived, &Acknowledged::of(receiver, sender));
        }
        transit
    }

    /// Passes all places where a piece begins or ends.
    fn sweep(&mut self, sent: &[Piece], arrived: &[Piece], acknowledged: &Acknowledged) {
        let mut edges = Vec::with_capacity(2 * (sent.len() + arrived.len()));
        for (pieces, is_arrival) in [(sent, false), (arrived, true)] {
            for (number, piece) in pieces.iter().enumerate() {
                edges.push((piece.start, true, is_arrival, number));
                edges.push((piece.end, false, is_arrival, number));
            }
        }
        edges.sort_unstable();
        // Copies of the byte at hand, by time.
        let (mut here, mut there) = (Copies::new(), Copies::new());
        let mut missing: HashMap<usize, (u64, bool)> = HashMap::new();
        let mut at = i64::MIN;
        for (edge, begins, is_arrival, number) in edges {
            if edge > at && !here.is_empty() {
                self.stretch(at, edge, &here, &there, acknowledged, &mut missing);
            }
            at = edge;
            let (pieces, copies) = if is_arrival { (arrived, &mut there) } else { (sent, &mut here) };
            let Some(piece) = pieces.get(number) else { continue };
            let copy = (piece.time, number, piece.ip_id);
            if begins {
                copies.insert(copy);
            } else {
                copies.remove(&copy);
            }
        }
        self.points.sort_unstable();
        self.points.dedup();
        self.not_captured.sort_unstable();
        self.not_captured.dedup();
        self.seen_late.sort_unstable();
        self.seen_late.dedup();
        self.lost = missing
            .into_iter()
            .filter_map(|(number, missing)| self.loss(sent.get(number)?, missing))
            .collect();
        self.lost.sort_unstable_by_key(|loss| loss.sent);
    }

    /// Bytes that were sent and arrived as often, all of them.
    fn stretch(
        &mut self,
        from: i64,
        to: i64,
        sent: &Copies,
        arrived: &Copies,
        acknowledged: &Acknowledged,
        missing: &mut HashMap<usize, (u64, bool)>,
    ) {
        let Some(&(first_sent, ..)) = sent.first() else { return };
        let first_arrived = arrived.first().map(|&(time, ..)| time);
        if let Some(first_arrived) = first_arrived
            && sent.len() == arrived.len()
            && self.points.last() != Some(&(first_sent, first_arrived))
        {
            self.points.push((first_sent, first_arrived));
        }
        let uncaptured = acknowledged.before(from, first_arrived);
        let (list, time) = match first_arrived {
            Some(arrived) => (&mut self.seen_late, arrived),
            None => (&mut self.not_captured, first_sent),
        };
        if uncaptured && list.last() != Some(&time) {
            list.push(time);
        }
        // Where the receiver's place has missed one copy, it may have missed the others.
        let came = if uncaptured { sent.len() } else { arrived.len() };
        for number in lost(sent, arrived, came) {
            let (bytes, forever) = missing.entry(number).or_default();
            *bytes += to.abs_diff(from);
            *forever |= came == 0;
        }
    }

    fn loss(&self, piece: &Piece, (bytes, forever): (u64, bool)) -> Option<Loss> {
        let len = piece.end.abs_diff(piece.start);
        // One that is larger than any that arrived was cut on its way.
        let segments = if len <= self.largest { 1 } else { bytes.div_ceil(self.largest) };
        (bytes > 0).then_some(Loss { sent: piece.time, bytes, segments, forever, end: piece.end })
    }
}

/// Which copies of a byte did not arrive, if `came` of them did: by the numbers of their pieces.
fn lost(sent: &Copies, arrived: &Copies, came: usize) -> Vec<usize> {
    let missing = sent.len().saturating_sub(came).min(COPIES);
    if missing == 0 {
        return Vec::new();
    }
    let seen =
        |id: Option<u16>| id.is_some_and(|id| id != 0 && arrived.iter().any(|copy| copy.2 == Some(id)));
    let absent = sent.iter().take(COPIES).filter(|copy| !seen(copy.2));
    // Where packets do not say which is which: it is the first ones that are sent again.
    absent.take(missing).map(|&(_, number, _)| number).collect()
}

/// What a receiver has acknowledged: up to where, and when, of its own clock.
struct Acknowledged {
    /// Each further than the one before.
    steps: Vec<(i64, u64)>,
    /// Up to where, as any place saw.
    ever: i64,
}

impl Acknowledged {
    fn of(receiver: &End<'_>, sender: &End<'_>) -> Self {
        let (steps, seen) = (receiver.acknowledgments(), sender.acknowledgments());
        let ever = steps.last().max(seen.last()).map_or(i64::MIN, |&(place, _)| place);
        Self { steps, ever }
    }

    /// The byte was acknowledged, and at the receiver's place before this time, if it is one.
    fn before(&self, byte: i64, time: Option<u64>) -> bool {
        let Some(time) = time else { return self.ever > byte };
        let at = self.steps.partition_point(|&(place, _)| place <= byte);
        self.steps.get(at).is_some_and(|&(_, when)| when < time)
    }
}

/// The two may be of one stream: they have bytes in common, or one of them has none.
fn have_common(sent: &[Piece], arrived: &[Piece]) -> bool {
    let span = |pieces: &[Piece]| {
        let start = pieces.iter().map(|piece| piece.start).min()?;
        Some((start, pieces.iter().map(|piece| piece.end).max()?))
    };
    match (span(sent), span(arrived)) {
        (Some((start, end)), Some((other_start, other_end))) => start < other_end && other_start < end,
        _ => true,
    }
}
