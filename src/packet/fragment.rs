//! One IP datagram that comes in fragments (RFC 791 section 3.2, RFC 8200 section 4.5).

use super::ip::FragmentOffset;
use super::layer::Layer;
use crate::base::limits::FRAGMENTS_PER_DATAGRAM;

/// The largest datagram: IP lengths have 16 bits.
const MAX_DATAGRAM: usize = 65_535;

/// A range of the datagram that was on the wire, and where its captured bytes stand.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Offset in the datagram.
    start: u32,
    /// Offset behind the last byte on the wire.
    end: u32,
    /// Offset of the captured bytes in the buffer.
    at: u32,
    /// How many of the bytes were captured.
    captured: u32,
}

/// The part of a fragment that can be placed: all but the last have a multiple of eight bytes, and what is beyond
/// is dropped. `None` if nothing is left, or it ends beyond the largest datagram.
pub(super) fn placeable(place: FragmentOffset, body: Layer<'_>) -> Option<Layer<'_>> {
    let body = if place.more { body.limit(body.wire() & !7) } else { body };
    (body.wire() > 0 && place.offset + body.wire() <= MAX_DATAGRAM).then_some(body)
}

/// What a fragment did to its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It brought bytes, some of them in the place of bytes that were there (`overlapped`); those are dropped.
    New {
        /// Whether some were there.
        overlapped: bool,
    },
    /// All of it was there.
    Known,
    /// It contradicts what is known of the datagram's length.
    Contradicts,
    /// The datagram has too many pieces.
    TooMany,
}

/// The fragments of one datagram. Bytes are kept as they come and put in order at the end, so that memory follows
/// what was captured and not what offsets claim.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// In order, without overlap; their count is bounded by [`FRAGMENTS_PER_DATAGRAM`].
    sorted: Vec<Piece>,
    /// The captured bytes in the order of arrival.
    bytes: Vec<u8>,
    /// Bytes of the datagram that the pieces cover.
    covered: usize,
    /// Its length, once the last fragment has come.
    total: Option<usize>,
    /// The protocol that the fragment at offset 0 names.
    protocol: u8,
}

impl Pieces {
    /// An empty datagram that uses the memory of `spare`.
    pub(super) fn with_buffer(mut spare: Vec<u8>) -> Self {
        spare.clear();
        Self { bytes: spare, ..Self::default() }
    }

    /// Memory that is held, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.sorted.capacity() * size_of::<Piece>()
    }

    /// The protocol of the datagram; 0 until the fragment at offset 0 has come.
    pub(super) fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Adds a fragment, which [`placeable`] has cut to size: `more` follow it unless it is the last. Of bytes that
    /// come twice the first copy stays.
    pub(super) fn add(&mut self, place: FragmentOffset, protocol: u8, body: Layer<'_>) -> Added {
        let FragmentOffset { offset, more, .. } = place;
        let end = offset + body.wire();
        if !self.agrees(end, more) {
            return Added::Contradicts;
        }
        let before = self.covered;
        let had_first = self.sorted.first().is_some_and(|first| first.start == 0);
        let overlapped = match self.place(offset, end, body.bytes()) {
            Ok(overlapped) => overlapped,
            Err(added) => return added,
        };
        if !more {
            self.total = Some(end);
        }
        if before == self.covered {
            return Added::Known;
        }
        if offset == 0 && !had_first {
            self.protocol = protocol;
        }
        Added::New { overlapped }
    }

    /// Whether a fragment that ends at `end` fits the datagram's length as far as it is known.
    fn agrees(&self, end: usize, more: bool) -> bool {
        match self.total {
            Some(total) if more => end < total,
            Some(total) => end == total,
            None => more || self.sorted.last().is_none_or(|last| last.end as usize <= end),
        }
    }

    /// Puts `bytes` in the places from `start` to `end` that are free; true if some were not.
    fn place(&mut self, start: usize, end: usize, bytes: &[u8]) -> Result<bool, Added> {
        let first = self.sorted.partition_point(|piece| piece.end as usize <= start);
        if self.sorted.get(first).is_none_or(|next| end <= next.start as usize) {
            if self.sorted.len() >= FRAGMENTS_PER_DATAGRAM {
                return Err(Added::TooMany);
            }
            let piece = self.store(start, end, start, bytes);
            self.sorted.insert(first, piece);
            return Ok(false);
        }
        let known = self.sorted.len();
        let mut free = start;
        for index in first..=known {
            // The gap before each piece that overlaps, and the one behind the last of them.
            let next = self.sorted.get(index).filter(|piece| index < known && (piece.start as usize) < end);
            let (gap_end, resume) =
                next.map_or((end, None), |piece| (piece.start as usize, Some(piece.end as usize)));
            if free < gap_end {
                if self.sorted.len() >= FRAGMENTS_PER_DATAGRAM {
                    return Err(Added::TooMany);
                }
                let piece = self.store(free, gap_end, start, bytes);
                self.sorted.push(piece);
            }
            match resume {
                Some(behind) => free = behind,
                None => break,
            }
        }
        if self.sorted.len() > known {
            self.sorted.sort_by_key(|piece| piece.start); // two sorted runs: linear
        }
        Ok(true)
    }

    /// Keeps what was captured of the range from `from` to `to` of a fragment that begins at `start`.
    fn store(&mut self, from: usize, to: usize, start: usize, bytes: &[u8]) -> Piece {
        let captured = bytes.get(from - start..).unwrap_or_default();
        let captured = captured.get(..to - from).unwrap_or(captured);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(captured);
        self.covered += to - from;
        Piece { start: from as u32, end: to as u32, at: at as u32, captured: captured.len() as u32 }
    }

    /// The datagram's length if all of it has been on the wire.
    pub(super) fn complete(&self) -> Option<usize> {
        self.total.filter(|&total| total == self.covered)
    }

    /// The bytes of the complete datagram, in order, up to the first that was not captured, and the memory that is
    /// left over. `spare` is used when the fragments were not in order.
    pub(super) fn assemble(self, mut spare: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        if self.sorted.iter().all(|piece| piece.at == piece.start) {
            return (self.bytes, spare);
        }
        spare.clear();
        spare.reserve(self.bytes.len());
        for piece in &self.sorted {
            let (at, len) = (piece.at as usize, piece.captured as usize);
            spare.extend_from_slice(self.bytes.get(at..at + len).unwrap_or_default());
            if piece.captured < piece.end - piece.start {
                break;
            }
        }
        (spare, self.bytes)
    }
}
