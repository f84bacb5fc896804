//! Content codings (RFC 9110 section 8.4.1) and message encodings of gRPC: their names, and one decoder for each.

use super::brotli::Brotli;
use super::credit::Credit;
use super::inflate::{Inflate, Wrapper};
use super::step::{Damage, Progress};
use super::zstandard::Zstandard;
use crate::base::limits::BODY_EXPANSION;

/// A coding that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, also named `x-gzip`.
    Gzip,
    /// RFC 1950; many send bare RFC 1951 under this name.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// What a coding list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A known one.
    Known(Coding),
    /// One that cannot be decoded, in lower case.
    Unknown(String),
}

impl Coding {
    /// The name, as registered.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn decompress(self, mut bytes: &[u8], limit: usize, credit: &Credit) -> Result<Vec<u8>, NotDecompressed> {
        let own = BODY_EXPANSION * bytes.len() as u64;
        let mut decoder = Decoder::new(self);
        let (mut out, mut piece) = (Vec::new(), [0; 8 << 10]);
        loop {
            if !credit.has_room(decoder.ahead()) {
                return Err(NotDecompressed::Expansion);
            }
            let (progress, damage) = decoder.step(bytes, &mut piece);
            bytes = bytes.get(progress.read..).unwrap_or_default();
            let unwritten = if damage.is_some() { decoder.unwritten() } else { 0 };
            let decoded = out.len() + progress.written;
            if !credit.decode(progress.written as u64 + unwritten, decoded as u64 <= own) {
                return Err(NotDecompressed::Expansion);
            }
            if decoded > limit {
                return Err(NotDecompressed::TooLong);
            }
            out.extend_from_slice(piece.get(..progress.written).unwrap_or_default());
            if damage.is_some() {
                return Err(NotDecompressed::Damaged);
            }
            let stuck = progress.read == 0 && progress.written == 0;
            if stuck || (bytes.is_empty() && progress.written < piece.len()) {
                return if decoder.at_end() { Ok(out) } else { Err(NotDecompressed::Damaged) };
            }
        }
    }

    /// Reads one or more field values joined by commas, in the order in which the codings were applied.
    pub fn list(value: &[u8]) -> Vec<Named> {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        let names = text.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity"));
        names
            .map(|name| Self::from_name(name).map_or_else(|| Named::Unknown(name.to_owned()), Named::Known))
            .collect()
    }
}

/// What the messages of a stream are compressed with, each on its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MessageCoding {
    /// Nothing was said.
    #[default]
    None,
    /// A content coding.
    Content(Coding),
    /// Snappy, without a frame around it.
    Snappy,
    /// One that cannot be undone.
    Unknown,
}

/// Why a message is not decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecompressed {
    /// Nobody said with what it was compressed, or it is none that can be undone.
    Unknown,
    /// It is damaged.
    Damaged,
    /// It is longer than what is kept.
    TooLong,
    /// All that is decoded is more than what was sent pays for.
    Expansion,
}

impl MessageCoding {
    /// From `grpc-encoding` or `connect-content-encoding`.
    pub fn of(value: &[u8]) -> Self {
        let name = String::from_utf8_lossy(value).trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" => Self::None,
            "snappy" | "x-snappy-raw" => Self::Snappy,
            name => Coding::from_name(name).map_or(Self::Unknown, Self::Content),
        }
    }

    /// Decompresses a whole message of up to `limit` bytes.
    pub fn decompress(
        &self,
        bytes: &[u8],
        limit: usize,
        credit: &Credit,
    ) -> Result<Vec<u8>, NotDecompressed> {
        match self {
            Self::None | Self::Unknown => Err(NotDecompressed::Unknown),
            Self::Content(coding) => coding.decompress(bytes, limit, credit),
            Self::Snappy => {
                let length = snap::raw::decompress_len(bytes).map_err(|_| NotDecompressed::Damaged)?;
                let own = length as u64 <= BODY_EXPANSION * bytes.len() as u64;
                if length > limit {
                    return Err(NotDecompressed::TooLong);
                }
                if !credit.decode(length as u64, own) {
                    return Err(NotDecompressed::Expansion);
                }
                snap::raw::Decoder::new().decompress_vec(bytes).map_err(|_| NotDecompressed::Damaged)
            }
        }
    }
}

/// Decodes one coding, in pieces of any size.
pub(super) enum Decoder {
    /// gzip, zlib, deflate.
    Inflate(Box<Inflate>),
    /// Brotli.
    Brotli(Box<Brotli>),
    /// Zstandard.
    Zstd(Box<Zstandard>),
}

impl Decoder {
    /// A decoder at the beginning of its input.
    pub(super) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Inflate(Box::new(Inflate::new(Wrapper::Gzip))),
            Coding::Deflate => Self::Inflate(Box::new(Inflate::new(Wrapper::Deflate))),
            Coding::Brotli => Self::Brotli(Box::default()),
            Coding::Zstd => Self::Zstd(Box::default()),
        }
    }

    /// Decodes as much as fits. Nothing read and nothing written means that more input is needed.
    /// On damage `written` bytes of the output are good all the same.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        match self {
            Self::Inflate(decoder) => decoder.step(input, output),
            Self::Brotli(decoder) => decoder.step(input, output),
            Self::Zstd(decoder) => decoder.step(input, output),
        }
    }

    /// So many bytes it may decode before it writes any of them.
    pub(super) fn ahead(&self) -> u64 {
        match self {
            Self::Inflate(_) | Self::Zstd(_) => 0,
            Self::Brotli(decoder) => decoder.window(),
        }
    }

    /// So many bytes it has decoded and not written.
    pub(super) fn unwritten(&self) -> u64 {
        match self {
            Self::Inflate(_) | Self::Zstd(_) => 0,
            Self::Brotli(decoder) => decoder.unwritten(),
        }
    }

    /// The input may end here: what was coded has ended.
    pub(super) fn at_end(&self) -> bool {
        match self {
            Self::Inflate(decoder) => decoder.at_end(),
            Self::Brotli(decoder) => decoder.at_end(),
            Self::Zstd(decoder) => decoder.at_end(),
        }
    }

    /// The format begins with a signature, so that what was decoded at all is what was coded.
    pub(super) fn is_signed(&self) -> bool {
        match self {
            Self::Inflate(decoder) => decoder.is_signed(),
            Self::Brotli(_) => false,
            Self::Zstd(_) => true,
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Inflate(_) => Inflate::MEMORY,
            Self::Brotli(decoder) => decoder.memory(),
            Self::Zstd(decoder) => decoder.memory(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_order_without_identity() {
        let unknown = |name: &str| Named::Unknown(name.to_owned());
        assert_eq!(Coding::list(b" GZIP , br"), [Named::Known(Coding::Gzip), Named::Known(Coding::Brotli)]);
        assert_eq!(Coding::list(b"identity, x-gzip,"), [Named::Known(Coding::Gzip)]);
        assert_eq!(Coding::list(b"X-Rot, zstd"), [unknown("x-rot"), Named::Known(Coding::Zstd)]);
        assert_eq!(Coding::list(b""), []);
    }

    #[test]
    fn messages_are_decompressed_whole() {
        let message = vec![b'a'; 20_000];
        let zstd = zstd::encode_all(message.as_slice(), 3).unwrap();
        let coding = MessageCoding::of(b"zstd");
        assert_eq!(coding.decompress(&zstd, 20_000, &Credit::default()).as_deref(), Ok(message.as_slice()));
        assert_eq!(coding.decompress(&zstd, 19_999, &Credit::default()), Err(NotDecompressed::TooLong));
        assert_eq!(
            coding.decompress(&zstd[..zstd.len() - 1], 20_000, &Credit::default()),
            Err(NotDecompressed::Damaged)
        );
        let snappy = snap::raw::Encoder::new().compress_vec(&message).unwrap();
        let coding = MessageCoding::of(b"snappy");
        assert_eq!(coding.decompress(&snappy, 20_000, &Credit::default()).as_deref(), Ok(message.as_slice()));
        assert_eq!(coding.decompress(&snappy, 100, &Credit::default()), Err(NotDecompressed::TooLong));
        assert_eq!(coding.decompress(b"\xff", 100, &Credit::default()), Err(NotDecompressed::Damaged));
        assert_eq!(
            MessageCoding::of(b"identity").decompress(&zstd, 1, &Credit::default()),
            Err(NotDecompressed::Unknown)
        );
        assert_eq!(
            MessageCoding::of(b"x-rot").decompress(&zstd, 1, &Credit::default()),
            Err(NotDecompressed::Unknown)
        );
    }
}
