//! Bytes of records that are not whole yet.

use crate::base::time::Timestamp;
use crate::base::tuning::TLS_SPARE_BUFFERS;
use crate::flow::Arrival;

/// A queue of bytes, with the packet that brought the last of them. Its memory comes from a pool and goes back
/// there when it is empty.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    /// The packet of the last byte.
    pub(crate) at: Arrival,
    /// When the first byte came; of what is left of a queue, when the last one came.
    since: Timestamp,
    /// When all up to the last byte had come.
    until: Timestamp,
}

impl Buffer {
    /// Bytes of memory taken.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// No bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.bytes.len()
    }

    /// The bytes.
    pub(crate) fn view(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The bytes, to be decrypted in place.
    pub(crate) fn view_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// How the last byte came, since when there are some, and when they were all there.
    pub(crate) fn arrival(&self) -> Arrival {
        Arrival { record_since: Some(self.since), record_until: Some(self.until), ..self.at }
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, at: Arrival, bytes: &[u8], pool: &mut Pool) {
        if self.bytes.capacity() == 0 {
            self.bytes = pool.0.pop().unwrap_or_default();
        }
        if self.is_empty() {
            self.since = at.at.time;
        }
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
        self.at = at;
        self.until = self.until.max(at.at.time);
    }

    /// Removes bytes at the front.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        self.since = self.at.at.time;
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Removes all.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }

    /// Gives the memory back when there are no bytes in it.
    pub(crate) fn recycle(&mut self, pool: &mut Pool) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            self.clear();
            let bytes = std::mem::take(&mut self.bytes);
            if pool.0.len() < TLS_SPARE_BUFFERS {
                pool.0.push(bytes);
            }
        }
    }
}

/// Memory of buffers that are not in use.
#[derive(Debug, Default)]
pub(crate) struct Pool(Vec<Vec<u8>>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;

    #[test]
    fn is_a_queue_and_its_memory_is_reused() {
        let (mut buffer, mut pool) = (Buffer::default(), Pool::default());
        let mut sent = 0..u8::MAX;
        let mut expected = 0..u8::MAX;
        for _ in 0..50 {
            let bytes: Vec<u8> = sent.by_ref().take(5).collect();
            buffer.append(Arrival::default(), &bytes, &mut pool);
            for &byte in buffer.view().iter().take(4) {
                assert_eq!(Some(byte), expected.next());
            }
            buffer.consume(4);
        }
        assert_eq!(buffer.view().len(), 50);
        assert!(buffer.bytes.len() < 120);
        buffer.consume(50);
        buffer.recycle(&mut pool);
        assert_eq!((buffer.bytes.capacity(), pool.0.len()), (0, 1));
        buffer.append(Arrival::default(), &[1], &mut pool);
        assert!(pool.0.is_empty());
    }

    #[test]
    fn knows_since_when_there_are_bytes() {
        let (mut buffer, mut pool) = (Buffer::default(), Pool::default());
        let at = |nanos| {
            let time = Timestamp::from_nanos(nanos);
            Arrival { at: Moment { packet: nanos, time }, ..Arrival::default() }
        };
        let since = |buffer: &Buffer| buffer.arrival().record_since.map(Timestamp::as_nanos);
        for first in [10, 20] {
            for nanos in first..first + 3 {
                buffer.append(at(nanos), &[1, 2], &mut pool);
            }
            assert_eq!((since(&buffer), buffer.arrival().at.packet), (Some(first), first + 2));
            buffer.consume(5);
            assert_eq!(since(&buffer), Some(first + 2), "the rest came last");
            buffer.consume(1);
        }
        for nanos in [30, 40, 35] {
            buffer.append(at(nanos), &[1], &mut pool);
        }
        let until = buffer.arrival().record_until.map(Timestamp::as_nanos);
        assert_eq!((since(&buffer), until, buffer.arrival().at.packet), (Some(30), Some(40), 35));
    }
}
