//! What is kept of a TCP connection at one place: who, its numbers, its segments, a sample of its bytes.

use super::holes::Holes;
use super::numbers::{earlier, later};
use super::stream::{Blocks, Whole};
use crate::base::direction::{Direction, PerDirection};
use crate::base::endpoint::Endpoint;
use crate::record::SegmentView;

/// Two copies of a packet in one capture are no further apart, in nanoseconds.
const SAME_PACKET: u64 = 1_000_000;
/// Segments that are looked at for another copy.
const COPIES: usize = 32;

/// A TCP connection at one place.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// `h2.connection.id`
    pub(super) id: u64,
    /// The senders of the forward and the backward direction.
    pub(super) ends: [Endpoint; 2],
    pub(super) streams: PerDirection<Stream>,
    pub(super) segments: Vec<Segment>,
    /// Who sends the requests, once an exchange says so.
    pub(super) client: Option<Direction>,
    /// A FIN was seen.
    pub(super) is_closing: bool,
    /// Exchanges of the client's reached the server on another connection.
    pub(super) is_passed_on: bool,
    /// When what it asked was first not captured at the server's place, where that was told.
    pub(super) hole: Option<u64>,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Initial sequence number, where the SYN was seen.
    pub(super) isn: Option<u32>,
    /// The least and the greatest sequence number, of what was seen in order.
    range: Option<(u32, u32)>,
    /// Counted by sequence number.
    pub(super) blocks: Blocks,
    /// All of it, where the SYN was seen.
    pub(super) whole: Whole,
    /// From the first byte, where the SYN was seen.
    pub(super) from_start: Blocks,
    /// Bytes unwrapped: number and place of the last segment.
    last: Option<(u32, u64)>,
    /// The first byte of which nothing was let go.
    pub(super) floor: Option<u32>,
    /// What was not seen of it.
    holes: Holes,
}

/// A segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) time: u64,
    pub(super) seq: u32,
    pub(super) len: u32,
    pub(super) ack: u32,
    ip_id: u16,
    flags: u8,
}

impl Segment {
    const BACKWARD: u8 = 1;
    const ACK: u8 = 2;
    const ID: u8 = 4;
    const SYN: u8 = 8;
    const FIN: u8 = 16;

    fn new(view: &SegmentView<'_>) -> Self {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        Self {
            time: view.at.time.as_nanos(),
            seq: view.seq,
            len: view.len,
            ack: view.ack.unwrap_or_default(),
            ip_id: view.ip_id.unwrap_or_default(),
            flags: flag(view.from == Direction::Backward, Self::BACKWARD)
                | flag(view.ack.is_some(), Self::ACK)
                | flag(view.ip_id.is_some(), Self::ID)
                | flag(view.syn, Self::SYN)
                | flag(view.fin, Self::FIN),
        }
    }

    pub(super) const fn from(&self) -> Direction {
        if self.flags & Self::BACKWARD == 0 { Direction::Forward } else { Direction::Backward }
    }

    /// The acknowledgment number, if it is one.
    pub(super) const fn acknowledges(&self) -> Option<u32> {
        if self.flags & Self::ACK == 0 { None } else { Some(self.ack) }
    }

    /// The number of its first payload byte.
    pub(super) const fn first_byte(&self) -> u32 {
        if self.flags & Self::SYN == 0 { self.seq } else { self.seq.wrapping_add(1) }
    }

    /// The identification of its IPv4 datagram, if it has one.
    pub(super) fn ip_id(&self) -> Option<u16> {
        (self.flags & Self::ID != 0).then_some(self.ip_id)
    }

    /// Another copy of the same packet: equal but for the time.
    fn is_copy_of(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.seq, it.len, it.ack, it.ip_id, it.flags);
        key(self) == key(other)
    }
}

impl Connection {
    pub(super) fn new(view: &SegmentView<'_>) -> Self {
        Self {
            id: view.connection,
            ends: view.senders,
            streams: PerDirection::default(),
            segments: Vec::new(),
            client: None,
            is_closing: false,
            is_passed_on: false,
            hole: None,
        }
    }

    /// The next segment; false when it is another copy of a packet that was seen just now. `keep`: there is room for it;
    /// `sample`: and for blocks of its bytes.
    pub(super) fn push(&mut self, view: &SegmentView<'_>, keep: bool, sample: bool) -> bool {
        let segment = Segment::new(view);
        let recent = self.segments.iter().rev().take(COPIES);
        let near = |other: &&Segment| segment.time.saturating_sub(other.time) <= SAME_PACKET;
        if recent.take_while(near).any(|other| segment.is_copy_of(other)) {
            return false;
        }
        if keep {
            self.segments.push(segment);
        }
        self.is_closing |= view.fin;
        self.streams[view.from].push(view, sample);
        self.streams[view.from].holes.push(view);
        if let Some(ack) = view.ack {
            self.streams[view.from.reverse()].holes.reach(ack, view.at.time.as_nanos());
        }
        true
    }

    /// When what was not seen of it may have passed: after the first instant, before the second.
    pub(super) fn missed(&self) -> impl Iterator<Item = (u64, u64)> {
        self.streams.forward.holes.times().chain(self.streams.backward.holes.times())
    }

    /// Blocks that are kept of its bytes.
    pub(super) fn blocks(&self) -> usize {
        let of = |stream: &Stream| stream.blocks.kept().len() + stream.from_start.kept().len();
        of(&self.streams.forward) + of(&self.streams.backward)
    }

    /// The side that sends the requests; without any, the opener, or who was seen first.
    pub(super) fn client(&self) -> Direction {
        self.client.unwrap_or(Direction::Forward)
    }
}

impl Stream {
    fn push(&mut self, view: &SegmentView<'_>, sample: bool) {
        if view.syn {
            self.isn = Some(view.seq);
        }
        let seq = if view.syn { view.seq.wrapping_add(1) } else { view.seq };
        let end = seq.wrapping_add(view.len);
        self.range = Some(match self.range {
            None => (seq, end),
            Some((low, high)) => (earlier(low, seq), later(high, end)),
        });
        if view.payload.is_empty() {
            return;
        }
        if sample {
            self.blocks.push(seq, view.payload);
        } else {
            self.blocks.pass(seq, view.payload.len());
        }
        let Some(isn) = self.isn else { return };
        let offset = self.unwrap(seq.wrapping_sub(isn.wrapping_add(1)));
        self.whole.push(offset, view.payload);
        self.whole.holed |= view.len as usize > view.payload.len();
        // Blocks are counted in 32 bits: what follows is not needed.
        match u32::try_from(offset) {
            Ok(offset) if sample => self.from_start.push(offset, view.payload),
            Ok(offset) => self.from_start.pass(offset, view.payload.len()),
            Err(_) => {}
        }
    }

    /// The place of a number, which wraps around, by the last one.
    fn unwrap(&mut self, number: u32) -> u64 {
        let place = match self.last {
            None => u64::from(number),
            Some((last, place)) => place.saturating_add_signed(i64::from(number.wrapping_sub(last) as i32)),
        };
        self.last = Some((number, place));
        place
    }

    /// Both have seen a part of the same numbers; or of one nothing is known.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (Some((low, high)), Some((other_low, other_high))) = (self.range, other.range) else {
            return true;
        };
        let within = |number: u32, low: u32, high: u32| number.wrapping_sub(low) <= high.wrapping_sub(low);
        within(low, other_low, other_high) || within(other_low, low, high)
    }
}
