//! Bytes among which a frame boundary is looked for, with the segments that they came in and the holes between.
//!
//! Places are counted from the first byte that was ever put in, so that they stay valid when the buffer's beginning goes.

use crate::base::limits;
use crate::flow::{Arrival, GapCause};
use crate::http2::frame;

/// What stands where bytes are missing: an octet that begins no frame of the usual size.
const HOLE: u8 = 0xff;

/// The bytes, of which at most [`limits::RESYNC_BUFFER`] are still to be looked at or read.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// The place of the first of `bytes`.
    base: usize,
    marks: Vec<Mark>,
    /// What is before this place was skipped or read.
    head: usize,
    /// The mark that `head` lies in.
    head_mark: usize,
    skipped: u64,
}

/// Where a piece starts, and what it is.
#[derive(Clone, Copy, Debug)]
struct Mark {
    start: usize,
    arrival: Arrival,
    gap: Option<GapCause>,
}

/// A piece of the buffer, to be read again.
#[derive(Clone, Copy, Debug)]
pub(in crate::http2) enum Piece<'a> {
    Data(Arrival, &'a [u8]),
    Gap(Arrival, u64, GapCause),
}

impl Buffer {
    /// Adds bytes of one segment.
    pub(super) fn push_data(&mut self, arrival: &Arrival, bytes: &[u8]) {
        self.compact();
        self.marks.push(Mark { start: self.end(), arrival: *arrival, gap: None });
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a hole; one that is longer than the buffer empties it, and after many the older half is given up.
    pub(super) fn push_gap(&mut self, arrival: &Arrival, len: u64, cause: GapCause) {
        if len > limits::RESYNC_BUFFER as u64 {
            self.skip_to(self.end());
            return;
        }
        self.compact();
        self.marks.push(Mark { start: self.end(), arrival: *arrival, gap: Some(cause) });
        self.bytes.resize(self.bytes.len() + len as usize, HOLE);
        self.bound();
    }

    /// Gives up the older half of what is more than the cap.
    pub(super) fn bound(&mut self) {
        if self.len() > limits::RESYNC_BUFFER {
            self.skip_to(self.end() - limits::RESYNC_BUFFER / 2);
        }
    }

    /// The place of the first byte that was neither skipped nor read.
    pub(super) const fn head(&self) -> usize {
        self.head
    }

    /// The place behind the last byte.
    pub(super) const fn end(&self) -> usize {
        self.base + self.bytes.len()
    }

    /// Bytes that were neither skipped nor read.
    pub(super) const fn len(&self) -> usize {
        self.end() - self.head
    }

    /// All bytes from a place on, holes too.
    pub(super) fn tail(&self, at: usize) -> &[u8] {
        at.checked_sub(self.base).and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }

    /// Bytes that are there and not in a hole.
    pub(super) fn data(&self, at: usize, len: usize) -> Option<&[u8]> {
        let bytes = self.tail(at).get(..len)?;
        (!self.has_hole(at, len)).then_some(bytes)
    }

    /// Some of so many bytes, or of one, are missing.
    pub(super) fn has_hole(&self, at: usize, len: usize) -> bool {
        let first = self.marks.partition_point(|mark| mark.start <= at).saturating_sub(1);
        let touched = self.marks.get(first..).unwrap_or_default();
        touched.iter().take_while(|mark| mark.start < at + len.max(1)).any(|mark| mark.gap.is_some())
    }

    /// The parts that are neither skipped nor read: where each begins, from `head` on, and whether it is a hole.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, bool)> {
        let marks = self.marks.get(self.head_mark..).unwrap_or_default();
        marks.iter().map(|mark| (mark.start.saturating_sub(self.head), mark.gap.is_some()))
    }

    /// A segment or a hole begins here, or the bytes end.
    pub(super) fn is_edge(&self, at: usize) -> bool {
        at == self.end() || self.mark_at(at).is_some()
    }

    /// A segment begins here. Where segments are shorter than a frame header, their ends tell nothing.
    pub(super) fn is_aligned(&self, at: usize) -> bool {
        self.mark_at(at).is_some_and(|mark| self.mark_end(mark) - at >= frame::LEN)
    }

    /// The first piece; it stays there until [`consume`](Self::consume)d.
    pub(super) fn next_piece(&self) -> Option<Piece<'_>> {
        let mark = self.marks.get(self.head_mark)?;
        let len = self.mark_end(self.head_mark) - self.head;
        Some(match mark.gap {
            Some(cause) => Piece::Gap(mark.arrival, len as u64, cause),
            None => Piece::Data(mark.arrival, self.tail(self.head).get(..len).unwrap_or_default()),
        })
    }

    /// Takes bytes, or a part of a hole, off the beginning: they were read.
    pub(super) fn consume(&mut self, len: usize) {
        self.head = (self.head + len).min(self.end());
        self.settle();
    }

    /// Skips all before a place, and counts what was data.
    pub(super) fn skip_to(&mut self, to: usize) {
        while self.head < to {
            let Some(mark) = self.marks.get(self.head_mark) else { break };
            let end = self.mark_end(self.head_mark).min(to);
            self.skipped += if mark.gap.is_none() { (end - self.head) as u64 } else { 0 };
            self.head = end;
            self.settle();
        }
    }

    /// Bytes seen and skipped since the loss, or since they were last taken.
    pub(super) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The same, to be told of once: what is skipped from here on counts anew.
    pub(super) const fn take_skipped(&mut self) -> u64 {
        std::mem::replace(&mut self.skipped, 0)
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// Forgets all, and keeps a little memory for the next loss.
    pub(super) fn clear(&mut self) {
        let (mut bytes, mut marks) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.marks));
        bytes.clear();
        marks.clear();
        bytes.shrink_to(4096);
        marks.shrink_to(16);
        *self = Self { bytes, marks, ..Self::default() };
    }

    /// The mark that begins here.
    fn mark_at(&self, at: usize) -> Option<usize> {
        self.marks.binary_search_by_key(&at, |mark| mark.start).ok()
    }

    fn mark_end(&self, index: usize) -> usize {
        self.marks.get(index + 1).map_or(self.end(), |next| next.start)
    }

    /// Passes by the marks before `head`.
    fn settle(&mut self) {
        while self.head_mark < self.marks.len() && self.mark_end(self.head_mark) <= self.head {
            self.head_mark += 1;
        }
    }

    /// Frees the memory of what was skipped or read, once it is the larger part.
    fn compact(&mut self) {
        let gone = self.head - self.base;
        if gone < limits::RESYNC_BUFFER / 2 && self.len() > 0 {
            return;
        }
        self.bytes.drain(..gone);
        self.marks.drain(..self.head_mark);
        (self.base, self.head_mark) = (self.head, 0);
    }
}
