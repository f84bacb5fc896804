//! One input, a batch at a time.

use super::batch::Batch;
use super::damage::{DamageKind, DamageLog};
use super::file::{Decoder, FILE_HEADER, GIVE_UP, MOST_NEEDED, Out};
use super::progress::Progress;
use super::source::{Input, OpenErrorKind, Source};
use crate::base::{limits, tuning};
use std::io;

/// How inputs are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Bytes at a time.
    pub(super) bytes: usize,
    /// The largest zstd window that is accepted, as a power of two.
    pub(super) window: u32,
}

impl Reading {
    /// To look at an input's beginning: no window is ever filled then.
    pub(super) const fn peek(bytes: usize) -> Self {
        Self { bytes, window: limits::ZSTD_WINDOW_LOG }
    }
}

/// Reads one input. Whole packets stay in the buffer that they were read into; what is left behind the last
/// one moves to the front of the next batch.
pub(super) struct Reader {
    source: Source,
    decoder: Decoder,
    /// Bytes read and not decoded yet, which begin the next batch.
    carry: Vec<u8>,
    /// Bytes that the decoder must see to get further.
    needed: usize,
    /// Bytes to read at a time.
    read_bytes: usize,
    /// Offset in the input of the first byte in `carry`.
    offset: u64,
    /// Packets delivered.
    packets: u64,
    ended: bool,
}

impl Reader {
    /// Opens an input and checks that it is a capture.
    pub(super) fn open(input: &Input, reading: Reading, progress: Progress) -> Result<Self, OpenErrorKind> {
        let (source, head) = Source::open(input, FILE_HEADER, reading.window, progress)?;
        Self::new(source, head, reading.bytes)
    }

    /// Reads from a source that begins with `head`.
    pub(super) fn new(source: Source, mut head: Vec<u8>, read_bytes: usize) -> Result<Self, OpenErrorKind> {
        let (decoder, done) = Decoder::detect(&head).map_err(|error| match (error, source.compression) {
            (OpenErrorKind::NotACapture, Some(kind)) => OpenErrorKind::NotACaptureWithin(kind),
            (error, _) => error,
        })?;
        head.drain(..done);
        Ok(Self {
            source,
            decoder,
            carry: head,
            needed: 0,
            read_bytes,
            offset: done as u64,
            packets: 0,
            ended: false,
        })
    }

    /// Size of the input, if it is a regular file.
    pub(super) fn file_size(&self) -> Option<u64> {
        self.source.file_size
    }

    /// Packets that were dropped while the capture was made, as far as it tells.
    pub(super) fn dropped(&self) -> u64 {
        self.decoder.dropped()
    }

    /// Whether its format can hold TLS key logs.
    pub(super) fn may_hold_secrets(&self) -> bool {
        self.decoder.may_hold_secrets()
    }

    /// Leaves the next TLS key logs out, so many: they were taken already.
    pub(super) fn skip_secrets(&mut self, blocks: usize) {
        self.decoder.skip_secrets(blocks);
    }

    /// Fills the batch with packets or secrets; `false` if there are no more. A file fills it whole. From a
    /// pipe it is returned as soon as a read gave a whole packet.
    pub(super) fn fill(&mut self, batch: &mut Batch, damage: &mut DamageLog) -> bool {
        batch.clear();
        if self.ended {
            return false;
        }
        let bytes = &mut batch.bytes;
        let mut filled = self.carry.len();
        fit(bytes, self.room(filled));
        if let Some(front) = bytes.get_mut(..filled) {
            front.copy_from_slice(&self.carry);
        }
        let mut at = 0;
        // What was sniffed to tell the format may hold packets already, and a pipe may give no more for long.
        let mut look_first = self.packets == 0 && filled > 0;
        loop {
            let mut broken = None;
            if !std::mem::take(&mut look_first) {
                match self.source.read(bytes.get_mut(filled..).unwrap_or_default()) {
                    Ok(0) => self.ended = true,
                    Ok(read) => filled += read,
                    Err(error) => {
                        self.ended = true;
                        broken = Some(self.broken(&error));
                        damage.breaks_off();
                    }
                }
            }
            let mut out = Out {
                packets: &mut batch.packets,
                secrets: &mut batch.secrets,
                damage,
                packets_before: self.packets,
                base: self.offset,
            };
            let here = bytes.get(..filled).unwrap_or_default();
            let decoded = self.decoder.decode(here, at, self.ended, &mut out);
            (at, self.needed) = (decoded.at, decoded.needed.min(MOST_NEEDED));
            self.ended |= decoded.needed == GIVE_UP;
            if let Some(kind) = broken {
                let packets = self.packets + batch.packets.len() as u64;
                damage.add(kind, packets, self.offset + filled as u64);
            }
            let something = !batch.packets.is_empty() || !batch.secrets.is_empty();
            if self.ended || something && (self.source.file_size.is_none() || filled == bytes.len()) {
                break;
            }
            if filled == bytes.len() {
                bytes.copy_within(at.., 0);
                self.offset += at as u64;
                filled -= at;
                at = 0;
                fit(bytes, self.room(filled));
            }
        }
        self.carry.clear();
        self.carry.extend_from_slice(bytes.get(at..filled).unwrap_or_default());
        self.offset += at as u64;
        self.packets += batch.packets.len() as u64;
        !batch.packets.is_empty() || !batch.secrets.is_empty()
    }

    /// Bytes that the buffer should have when `filled` of them are in use: room for what the decoder must see,
    /// and for a read behind it. It grows with what is there, so that a length that lies costs no memory, and what is moved
    /// to the front stays cheap for each byte read.
    fn room(&self, filled: usize) -> usize {
        let wanted = self.needed + self.read_bytes;
        wanted.min(2 * filled + self.read_bytes).max(self.read_bytes).max(filled + self.read_bytes / 2)
    }

    /// What a failed read means.
    fn broken(&self, error: &io::Error) -> DamageKind {
        match (self.source.compression, error.kind()) {
            (Some(_), io::ErrorKind::UnexpectedEof) => DamageKind::CompressedCut,
            (Some(_), _) => DamageKind::Decompress(error.to_string()),
            (None, _) => DamageKind::Read(error.to_string()),
        }
    }
}

/// Makes the buffer so long: behind a large block no more is read at one time than before it. Gives memory back when it is very
/// much longer.
fn fit(bytes: &mut Vec<u8>, length: usize) {
    bytes.resize(length, 0);
    if bytes.capacity() > 8 * length.max(tuning::READ_BYTES) {
        bytes.shrink_to_fit();
    }
}
