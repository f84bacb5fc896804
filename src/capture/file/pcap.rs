//! Classic pcap (draft-ietf-opsawg-pcap), with microseconds or nanoseconds, in either byte order, and A.
//! Kuznetzov's "modified" format, whose packet headers are eight bytes longer.
//!
//! ```text
//! file:    magic 4 · version 2+2 · zone 4 · accuracy 4 · snaplen 4 · FCS length and link type 4
//! packet:  seconds 4 · fraction 4 · captured length 4 · original length 4 · [interface 4 · protocol 2 ·
//!          type 1 · padding 1] · captured bytes
//! ```
//!
//! Packets have no mark and no checksum, so a length that lies takes the reader to a place that is no packet
//! header. It is noticed there, and the next place is looked for from which several believable headers follow
//! each other.

use super::{Decoded, FILE_HEADER, Order, Out, Search};
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::capture::batch::{LinkType, PacketHead};
use crate::capture::damage::DamageKind;

/// Packet headers that must follow each other for a place to be believed.
pub(super) const LOOK_AHEAD: usize = 3;

/// Seconds by which the times of neighbours differ at most, if there is any other doubt.
const BELIEVABLE_SECONDS: u32 = 24 * 60 * 60;

/// What the magic number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    order: Order,
    /// Nanoseconds in a unit of the time stamps' fraction.
    unit: u32,
    /// Bytes of a packet header.
    header: usize,
}

impl Kind {
    /// `None` if it is no pcap file.
    pub(super) fn of(magic: [u8; 4]) -> Option<Self> {
        [Order::Little, Order::Big].into_iter().find_map(|order| match order.u32(magic) {
            0xa1b2_c3d4 => Some(Self { order, unit: 1000, header: 16 }),
            0xa1b2_3c4d => Some(Self { order, unit: 1, header: 16 }),
            0xa1b2_cd34 => Some(Self { order, unit: 1000, header: 24 }),
            _ => None,
        })
    }
}

/// How versions before 2.4 wrote the two lengths of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// Captured, original.
    Usual,
    /// Original, captured (before 2.3).
    Swapped,
    /// Either (2.3): the greater is the original one.
    Either,
}

/// The header of a packet.
#[derive(Clone, Copy, Debug)]
struct Head {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

/// The decoder.
#[derive(Debug)]
pub(in crate::capture) struct Pcap {
    kind: Kind,
    lengths: Lengths,
    link: LinkType,
    /// The longest packet that is believed.
    longest: u32,
    /// Seconds of the last packet.
    last: Option<u32>,
    /// Offset in the input from which on nothing was believable.
    lost: Option<u64>,
}

impl Pcap {
    /// The decoder for a file with this header.
    pub(super) fn new(kind: Kind, header: &[u8; FILE_HEADER]) -> Self {
        let [_, version, _, _, snaplen, network] = kind.order.words(header).unwrap_or_default();
        let version = match kind.order {
            Order::Little => (version as u16, (version >> 16) as u16),
            Order::Big => ((version >> 16) as u16, version as u16),
        };
        let lengths = match version {
            (2, 0..=2) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            _ => Lengths::Usual,
        };
        // A snaplen of zero or of 4 GB says nothing about the packets.
        let longest = if snaplen <= limits::BLOCK_BYTES { snaplen.max(limits::PACKET_BYTES) } else { 0 };
        let longest = longest.max(limits::PACKET_BYTES);
        // The upper half holds the length of the frame check sequence, which nothing here needs: IP says where
        // its packet ends.
        Self { kind, lengths, link: LinkType(network as u16), longest, last: None, lost: None }
    }

    /// Decodes what it can; see [`super::Decoder::decode`].
    pub(super) fn decode(&mut self, bytes: &[u8], mut at: usize, end: bool, out: &mut Out<'_>) -> Decoded {
        loop {
            if let Some(lost) = self.lost {
                match self.search(bytes, at, end).settle(lost, bytes, out) {
                    Ok(found) => at = found,
                    Err(decoded) => return decoded,
                }
                self.lost = None;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(head) = self.head(rest) else {
                if end && !rest.is_empty() {
                    out.damage(DamageKind::CutHeader, at);
                    at = bytes.len();
                }
                return Decoded { at, needed: self.kind.header };
            };
            let start = at + self.kind.header;
            let stop = start + head.captured as usize;
            match self.doubt(&head, bytes, stop, end) {
                Doubt::None => {}
                Doubt::More(needed) => return Decoded { at, needed: needed - at },
                Doubt::Certain => {
                    self.lost = Some(out.base + at as u64);
                    at += 1;
                    continue;
                }
            }
            if stop > bytes.len() {
                if !end {
                    return Decoded { at, needed: stop - at };
                }
                let present = (bytes.len() - start) as u64;
                out.damage(DamageKind::CutPacket { present, captured: u64::from(head.captured) }, at);
                self.push(&head, start, bytes.len(), out);
                return Decoded { at: bytes.len(), needed: 0 };
            }
            self.push(&head, start, stop, out);
            at = stop;
        }
    }

    /// The packet header at the start of `bytes`.
    #[inline]
    fn head(&self, bytes: &[u8]) -> Option<Head> {
        bytes.get(..self.kind.header)?;
        let [seconds, fraction, mut captured, mut original] = self.kind.order.words(bytes)?;
        if self.lengths == Lengths::Swapped || self.lengths == Lengths::Either && captured > original {
            std::mem::swap(&mut captured, &mut original);
        }
        Some(Head { seconds, fraction, captured, original })
    }

    /// Whether this is a packet at all. A header that claims more than the longest packet is none, nor are
    /// zeros (a file that was given its size before its content). One that claims more bytes than there were
    /// on the wire is an oddity of some writers, and one with quite another time a clock that was set, if a
    /// header follows that is believable, or as odd and of about the same time; else a length has lied, this
    /// one or the one before.
    #[inline]
    fn doubt(&self, head: &Head, bytes: &[u8], stop: usize, end: bool) -> Doubt {
        if head.captured > self.longest || head.seconds | head.captured | head.original == 0 {
            return Doubt::Certain;
        }
        let usual_time = self.last.is_none_or(|last| last.abs_diff(head.seconds) <= BELIEVABLE_SECONDS);
        if head.captured <= head.original && usual_time {
            return Doubt::None;
        }
        match bytes.get(stop..).and_then(|rest| self.head(rest)) {
            Some(next) if self.believable(&next, None) || self.is_odd_neighbour(head, &next) => Doubt::None,
            None if !end => Doubt::More(stop + self.kind.header),
            None if stop == bytes.len() || self.believable(head, None) => Doubt::None,
            _ => Doubt::Certain,
        }
    }

    /// Both claim more bytes than there were, at about the same time.
    fn is_odd_neighbour(&self, head: &Head, next: &Head) -> bool {
        head.captured > head.original
            && next.captured > next.original
            && next.captured <= self.longest
            && head.seconds.abs_diff(next.seconds) <= BELIEVABLE_SECONDS
    }

    /// Pushes the packet whose bytes these are.
    #[inline]
    fn push(&mut self, head: &Head, start: usize, stop: usize, out: &mut Out<'_>) {
        self.last = Some(head.seconds);
        out.packets.push(PacketHead {
            number: 0,
            time: Timestamp::from_parts(
                u64::from(head.seconds),
                u64::from(head.fraction) * u64::from(self.kind.unit),
            ),
            link: self.link,
            original_len: head.original.max(head.captured),
            range: start as u32..stop as u32,
        });
    }

    /// This could well be a packet near to the time `near`: stricter than what is asked of a packet that
    /// stands where one is expected.
    fn believable(&self, head: &Head, near: Option<u32>) -> bool {
        let unit = 1_000_000_000 / self.kind.unit;
        head.fraction < unit
            && head.captured <= head.original
            && head.captured <= limits::PACKET_BYTES
            && (1..=limits::BLOCK_BYTES).contains(&head.original)
            && near.is_none_or(|near| near.abs_diff(head.seconds) <= BELIEVABLE_SECONDS)
    }

    /// Looks for the next place from which [`LOOK_AHEAD`] believable headers follow each other, or as many as
    /// there are up to the end. Their times must be near each other, not near to the last one before, which may
    /// have been none. Linear: every place is tried once, in a bounded number of steps.
    fn search(&self, bytes: &[u8], from: usize, end: bool) -> Search {
        let rest = bytes.get(from..).unwrap_or_default();
        for (at, window) in (from..).zip(rest.windows(self.kind.header)) {
            // Most places are told from packets by this alone.
            let lengths = self.kind.order.words(window).map_or((0, 0), |[_, _, a, b]| (a, b));
            if lengths.0.min(lengths.1) > limits::PACKET_BYTES || lengths.0.max(lengths.1) == 0 {
                continue;
            }
            match self.chain(bytes, at, end) {
                Ok(true) => return Search::Found(at),
                Ok(false) => {}
                Err(needed) => return Search::More(Decoded { at, needed }),
            }
        }
        let tail = (bytes.len() + 1).saturating_sub(self.kind.header).max(from);
        if end { Search::Nothing } else { Search::More(Decoded { at: tail, needed: self.kind.header }) }
    }

    /// Whether believable headers follow each other from here on; or how many bytes must be seen to say.
    fn chain(&self, bytes: &[u8], at: usize, end: bool) -> Result<bool, usize> {
        let (mut next, mut near) = (at, None);
        for links in 0..LOOK_AHEAD {
            let Some(head) = bytes.get(next..).and_then(|rest| self.head(rest)) else {
                let enough = links > 1 || links == 1 && next == bytes.len();
                return if end { Ok(enough) } else { Err(next + self.kind.header - at) };
            };
            if !self.believable(&head, near) {
                return Ok(false);
            }
            near = Some(head.seconds);
            next += self.kind.header + head.captured as usize;
        }
        Ok(true)
    }
}

/// Whether a packet header is one.
enum Doubt {
    /// It is.
    None,
    /// Bytes up to this index must be seen to say.
    More(usize),
    /// It is not.
    Certain,
}
