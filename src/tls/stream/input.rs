//! The bytes that a call works on: those kept of a record that is not whole, and those that came now.

use crate::flow::Arrival;
use crate::tls::buffer::{Buffer, Pool};
use crate::tls::record::{HEADER_LEN, Header};

/// A stretch of the stream. A record that came whole is read where it is; only one that comes in parts is put together
/// in the buffer, so that the bytes at hand are those of the buffer, or those that came when it is empty.
pub(super) struct Input<'a> {
    /// The bytes kept.
    pub(super) buffer: Buffer,
    /// What came now and was not read.
    pub(super) rest: &'a [u8],
    /// How that came.
    at: Arrival,
}

/// A record's fragment.
pub(super) enum Fragment<'a> {
    /// Where it came.
    Borrowed(&'a [u8]),
    /// In the buffer: it may be decrypted in place.
    Owned(&'a mut [u8]),
}

impl Fragment<'_> {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl<'a> Input<'a> {
    /// What was kept, followed by what came so.
    pub(super) fn new(buffer: Buffer, at: Arrival, bytes: &'a [u8]) -> Self {
        Self { buffer, rest: bytes, at }
    }

    /// The bytes at hand.
    pub(super) fn view(&self) -> &[u8] {
        if self.buffer.is_empty() { self.rest } else { self.buffer.view() }
    }

    /// The record at the start of the bytes at hand, which must be there whole: how its last byte came, and its
    /// fragment.
    pub(super) fn record(&mut self, header: Header) -> (Arrival, Fragment<'_>) {
        let range = HEADER_LEN..header.total();
        if self.buffer.is_empty() {
            return (self.at, Fragment::Borrowed(self.rest.get(range).unwrap_or_default()));
        }
        let at = self.buffer.arrival();
        (at, Fragment::Owned(self.buffer.view_mut().get_mut(range).unwrap_or_default()))
    }

    /// Goes past so many of the bytes at hand.
    pub(super) fn consume(&mut self, len: usize) {
        if self.buffer.is_empty() {
            self.skip(len);
        } else {
            self.buffer.consume(len);
        }
    }

    /// Goes past so many of the bytes that came now.
    pub(super) fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    /// Gathers bytes until `len` are at hand; false when none came that could be added.
    pub(super) fn gather(&mut self, len: usize, pool: &mut Pool) -> bool {
        let more = if self.buffer.is_empty() {
            self.rest.len() // fewer than needed, else they would not be asked for
        } else {
            len.saturating_sub(self.buffer.view().len()).min(self.rest.len())
        };
        let (now, later) = self.rest.split_at_checked(more).unwrap_or((self.rest, &[]));
        self.buffer.append(self.at, now, pool);
        self.rest = later;
        !now.is_empty()
    }
}
