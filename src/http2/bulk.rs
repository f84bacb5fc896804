//! A transfer that was joined in its middle: DATA frames in a row on one side, credit for them on the other, and no header
//! block to tell that this is HTTP/2. Each side alone may be a coincidence of another protocol; both are none.
//!
//! State: the last octets of a segment, and at most [`limits::RESYNC_CANDIDATES`] rows. Payloads are not kept.

use super::frame::{self, FrameHeader, FrameType};
use super::plausibility::{self, Expect};
use crate::base::limits;

/// DATA frames that make a row: 108 bits at the least, far beyond what a boundary takes.
const ROW: u32 = 4;
/// What may be left of a header at a segment's end.
const EDGE: usize = frame::LEN - 1;

/// What one direction shows of a transfer.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    /// Octets of the direction so far.
    at: u64,
    edge: Vec<u8>,
    rows: Vec<Row>,
    /// There was a row of DATA frames.
    sends: bool,
    /// There was a segment of whole frames that give credit.
    grants: bool,
}

/// Frames that follow one another.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where the next header stands.
    next: u64,
    frames: u32,
}

impl Bulk {
    /// The direction sends DATA frames in a row.
    pub(super) const fn sends(&self) -> bool {
        self.sends
    }

    /// The direction gives credit, in segments of their own.
    pub(super) const fn grants(&self) -> bool {
        self.grants
    }

    /// The next octets: all from one segment. `anywhere`: a row may begin at each of them, else only at the first.
    pub(super) fn data(&mut self, bytes: &[u8], expect: &Expect, anywhere: bool) {
        self.grants |= is_credit(bytes);
        let start = self.at - self.edge.len() as u64;
        let mut ahead = std::mem::take(&mut self.edge);
        // A header that began in an earlier segment, then those of this one.
        let old = ahead.len();
        ahead.extend_from_slice(bytes.get(..EDGE.min(bytes.len())).unwrap_or_default());
        let header = |place: u64| {
            let offset = usize::try_from(place.checked_sub(start)?).ok()?;
            let octets = match offset.checked_sub(old) {
                Some(own) => bytes.get(own..),
                None => ahead.get(offset..),
            };
            octets.and_then(FrameHeader::read)
        };
        let end = self.at + bytes.len() as u64;
        // Follows a row no further than is needed, so that the work stays linear in the octets; whether it may go on.
        let follow = |row: &mut Row| {
            while row.frames < ROW && row.next + frame::LEN as u64 <= end {
                let Some(header) = header(row.next).filter(|header| is_data(header, expect)) else {
                    return false;
                };
                row.frames += 1;
                row.next += frame::LEN as u64 + u64::from(header.length);
            }
            true
        };
        self.rows.retain_mut(follow);
        let scanned = if anywhere { start } else { self.at };
        let mut place = scanned;
        while self.rows.len() < limits::RESYNC_CANDIDATES && place + frame::LEN as u64 <= end {
            if let Some(first) = header(place).filter(|header| is_data(header, expect)) {
                let next = place + frame::LEN as u64 + u64::from(first.length);
                let mut row = Row { next, frames: 1 };
                if follow(&mut row) {
                    self.rows.push(row);
                }
            }
            if !anywhere {
                break;
            }
            place = match (place + 1).checked_sub(self.at).and_then(|own| usize::try_from(own).ok()) {
                // A frame of the usual size begins with a zero.
                Some(own) => {
                    let rest = bytes.get(own..).unwrap_or_default();
                    memchr::memchr(0, rest).map_or(end, |zero| self.at + (own + zero) as u64)
                }
                None => place + 1,
            };
        }
        self.sends |= self.rows.iter().any(|row| row.frames >= ROW);
        let kept = bytes.get(bytes.len().saturating_sub(EDGE)..).unwrap_or_default();
        ahead.truncate(old);
        ahead.extend_from_slice(kept);
        let surplus = ahead.len().saturating_sub(EDGE);
        ahead.drain(..surplus);
        (self.edge, self.at) = (ahead, end);
    }

    /// Octets are missing. Those of a payload are not needed.
    pub(super) fn gap(&mut self, len: u64) {
        self.at = self.at.saturating_add(len);
        self.edge.clear();
        let at = self.at;
        self.rows.retain(|row| row.next >= at);
    }

    /// So many octets are missing that nothing follows from what was before.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.edge.clear();
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.edge.capacity() + self.rows.capacity() * size_of::<Row>()
    }
}

fn is_data(header: &FrameHeader, expect: &Expect) -> bool {
    // Empty DATA that ends nothing counts for none: zeros look like it.
    header.kind == FrameType::DATA && plausibility::header_bits(header, expect).is_some_and(|bits| bits > 0)
}

/// The segment is whole `WINDOW_UPDATE` frames that give credit, and nothing else.
fn is_credit(bytes: &[u8]) -> bool {
    const WHOLE: usize = frame::LEN + 4;
    !bytes.is_empty()
        && bytes.len().is_multiple_of(WHOLE)
        && bytes.chunks_exact(WHOLE).all(|frame| {
            let (header, increment) = frame.split_at(frame::LEN);
            FrameHeader::read(header).is_some_and(|header| {
                header.kind == FrameType::WINDOW_UPDATE
                    && (header.length, header.flags.0, header.reserved) == (4, 0, false)
            }) && increment.first().is_some_and(|&first| first < 0x80)
                && increment.iter().any(|&octet| octet != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many DATA frames of 3,000 octets on stream 5.
    fn frames(count: usize) -> Vec<u8> {
        let frame = [&[0, 0x0b, 0xb8, 0, 0, 0, 0, 0, 5][..], &[7; 3000]].concat();
        frame.repeat(count)
    }

    #[test]
    fn a_row_is_found_wherever_it_begins_and_however_it_is_cut() {
        for (before, cut) in [(0, 1448), (1, 1448), (100, 7), (2999, 1), (1000, 100_000)] {
            let mut bulk = Bulk::default();
            let bytes = [vec![9; before], frames(4)].concat();
            for piece in bytes[..before + 3 * 3009 + 8].chunks(cut) {
                bulk.data(piece, &Expect::ANY, true);
            }
            assert!(!bulk.sends(), "three frames and eight octets");
            for piece in bytes[before + 3 * 3009 + 8..].chunks(cut) {
                bulk.data(piece, &Expect::ANY, true);
            }
            assert!(bulk.sends(), "{before} {cut}");
            assert!(!bulk.grants() && bulk.edge.len() <= EDGE);
        }
    }

    #[test]
    fn payloads_may_be_missing_and_headers_may_not() {
        let mut bulk = Bulk::default();
        let bytes = frames(4);
        bulk.data(&bytes[..20], &Expect::ANY, true);
        bulk.gap(2900);
        bulk.data(&bytes[2920..], &Expect::ANY, true);
        assert!(bulk.sends());
        let mut bulk = Bulk::default();
        bulk.data(&bytes[..3000], &Expect::ANY, false);
        bulk.gap(20);
        bulk.data(&bytes[3020..], &Expect::ANY, false);
        assert!(!bulk.sends());
    }

    #[test]
    fn credit_stands_in_segments_of_its_own() {
        let update = [0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 1, 0, 0];
        assert!(is_credit(&update) && is_credit(&update.repeat(3)));
        assert!(!is_credit(&[]) && !is_credit(&update[1..]) && !is_credit(&update.repeat(2)[..20]));
        assert!(!is_credit(&[0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 0]), "credit of nothing");
        assert!(!is_credit(&[0; 13]));
    }

    #[test]
    fn empty_frames_make_no_row() {
        let mut bulk = Bulk::default();
        bulk.data(&[0, 0, 0, 0, 0, 0, 0, 0, 1].repeat(1000), &Expect::ANY, true);
        assert!(!bulk.sends());
    }

    #[test]
    fn places_that_may_begin_a_row_are_few() {
        let mut bulk = Bulk::default();
        bulk.data(&[0, 0x30, 0, 0, 0, 0, 0, 0, 1].repeat(1000), &Expect::ANY, true);
        assert!(bulk.rows.len() <= limits::RESYNC_CANDIDATES && bulk.memory() < 1024);
    }
}
