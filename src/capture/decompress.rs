//! Decompression: gzip, zstd, lz4.

use crate::base::limits;
use crate::base::memory::Memory;
use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::raw::{self, DParameter, InBuffer, Operation, OutBuffer, WriteBuf};
use zstd::stream::zio;

/// The zstd window that each of so many inputs may ask for at one time, as a power of two: a share of the memory, but at least
/// what the `zstd` tool asks for at its ordinary levels.
pub(super) fn window_log(memory: Memory, inputs: usize) -> u32 {
    let share = memory.share(1 << limits::ZSTD_WINDOW_LOG) / inputs.max(1);
    share.max(1).ilog2().clamp(ORDINARY_WINDOW_LOG, limits::ZSTD_WINDOW_LOG)
}

/// The largest window that the `zstd` tool makes of itself, up to level 19.
const ORDINARY_WINDOW_LOG: u32 = 23;

/// Bytes of compressed data read at a time.
const COMPRESSED_READ: usize = 128 << 10;

/// Magic number of lz4's format before frames (`lz4 -l`).
const OLD_LZ4: u32 = 0x184c_2102;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
    /// LZ4 frame format, any number of frames.
    Lz4,
}

impl Compression {
    /// By the magic number, never by the name. Skippable frames (RFC 8878 section 3.1.2) are taken for zstd's,
    /// whose parallel writers put one first.
    pub(super) fn of_magic(head: &[u8]) -> Option<Self> {
        let magic = u32::from_le_bytes(*head.first_chunk()?);
        match magic {
            _ if magic & 0xffff == 0x8b1f => Some(Self::Gzip),
            0xfd2f_b528 | 0x184d_2a50..=0x184d_2a5f => Some(Self::Zstd),
            0x184d_2204 | OLD_LZ4 => Some(Self::Lz4),
            _ => None,
        }
    }

    /// A decoder of data of that kind: gives what there is without waiting for more, and everything that stands before a
    /// corrupt place, in whatever pieces the data comes. An error of kind [`io::ErrorKind::UnexpectedEof`] is data that
    /// ends early. `window`: the largest zstd window that is accepted, as a power of two.
    ///
    /// # Errors
    ///
    /// When the decoder cannot be set up, or `compressed` cannot be read.
    pub(super) fn decoder(
        self,
        compressed: impl Read + Send + 'static,
        window: u32,
    ) -> io::Result<Box<dyn Read + Send>> {
        let mut compressed = BufReader::with_capacity(COMPRESSED_READ, compressed);
        Ok(match self {
            Self::Gzip => Box::new(Gzip::new(compressed)),
            Self::Zstd => Box::new(zio::Reader::new(compressed, ZstdStages::new(window)?)),
            // Its old format has no end mark.
            Self::Lz4 if compressed.fill_buf()?.starts_with(&OLD_LZ4.to_le_bytes()) => {
                Box::new(FrameDecoder::new(compressed))
            }
            Self::Lz4 => Box::new(Lz4::new(compressed)),
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

/// A gzip decoder (RFC 1952). Unlike that of `flate2` it keeps what was inflated in the step that met the corrupt place.
struct Gzip<R> {
    reader: R,
    inflate: Decompress,
    /// No member has begun, or the last one has ended.
    between: bool,
    /// The last step filled its buffer: there may be more without further data.
    full: bool,
    /// To be told of when what came before it was given.
    error: Option<io::Error>,
}

impl<R: BufRead> Gzip<R> {
    fn new(reader: R) -> Self {
        // Deflate's largest window, as any may be used.
        Self { reader, inflate: Decompress::new_gzip(15), between: true, full: false, error: None }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            let input = if self.full { &[] } else { self.reader.fill_buf()? };
            if input.is_empty() && !self.full {
                return if self.between { Ok(0) } else { Err(ends_early("gzip member")) };
            }
            if std::mem::take(&mut self.between) {
                self.inflate.reset(true);
            }
            let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, buffer, FlushDecompress::None);
            let taken = (self.inflate.total_in() - taken) as usize;
            let given = (self.inflate.total_out() - given) as usize;
            let stuck = taken == 0 && given == 0 && !input.is_empty();
            self.reader.consume(taken);
            self.full = given == buffer.len();
            match status {
                Ok(Status::StreamEnd) => (self.between, self.full) = (true, false),
                Ok(_) if !stuck => {}
                // The library's own words depend on where its input was cut.
                _ => {
                    let error =
                        io::Error::new(io::ErrorKind::InvalidData, "invalid deflate data or checksum");
                    (self.error, self.full) = (Some(error), false);
                }
            }
            if given > 0 {
                return Ok(given);
            }
        }
    }
}

/// A zstd decoder (RFC 8878) that is given one block or one header at a time: what it gave in a step that fails is lost,
/// and so that must be nothing.
struct ZstdStages {
    decoder: raw::Decoder<'static>,
    /// Bytes to the end of the present block or header.
    step: usize,
}

impl ZstdStages {
    fn new(window: u32) -> io::Result<Self> {
        let mut decoder = raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window))?;
        Ok(Self { decoder, step: 1 })
    }
}

impl Operation for ZstdStages {
    fn run<C: WriteBuf + ?Sized>(
        &mut self,
        input: &mut InBuffer<'_>,
        output: &mut OutBuffer<'_, C>,
    ) -> io::Result<usize> {
        let rest = input.src.get(input.pos()..).unwrap_or_default();
        let mut stage = InBuffer::around(rest.get(..self.step).unwrap_or(rest));
        let hint = self.decoder.run(&mut stage, output)?;
        input.set_pos(input.pos() + stage.pos());
        // Of a block it asks for the next block's header too, but not of the last one: whose last byte is taken alone, as
        // what is wrong with the frame may show there, and of a block that is not compressed all before it is given by then.
        self.step = if hint > BLOCK_HEADER { hint - BLOCK_HEADER } else { 1 };
        Ok(hint)
    }

    fn reinit(&mut self) -> io::Result<()> {
        self.decoder.reinit()
    }

    fn finish<C: WriteBuf + ?Sized>(
        &mut self,
        output: &mut OutBuffer<'_, C>,
        finished_frame: bool,
    ) -> io::Result<usize> {
        self.decoder.finish(output, finished_frame)
    }
}

/// RFC 8878 section 3.1.1.2.
const BLOCK_HEADER: usize = 3;

fn ends_early(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("incomplete {what}"))
}

/// An LZ4 decoder that goes on with the next frame, and that tells a stream that was cut between two blocks
/// from one that has ended: the frame decoder of `lz4_flex` gives a plain end for both. It gets a new decoder
/// for each frame, as that one wants all frames to have blocks of one size.
struct Lz4<R: Read> {
    /// `None` only while it is replaced.
    decoder: Option<FrameDecoder<Watched<R>>>,
}

/// Notes what the frame decoder took of its frame.
struct Watched<R> {
    inner: R,
    taken: bool,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken |= read > 0;
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

impl<R: Read> Lz4<R> {
    fn new(inner: R) -> Self {
        Self { decoder: Some(FrameDecoder::new(Watched { inner, taken: false, ended: false })) }
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match decoder.get_mut() {
                Watched { ended: true, taken: false, .. } => break,
                Watched { ended: true, taken, .. } => {
                    *taken = false;
                    return Err(ends_early("lz4 frame"));
                }
                Watched { ended: false, .. } => {
                    let inner = self.decoder.take().map(|decoder| decoder.into_inner().inner);
                    *self = Self { decoder: inner.and_then(|inner| Self::new(inner).decoder) };
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests;
