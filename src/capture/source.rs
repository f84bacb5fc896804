//! The bytes of one input: a file or standard input, decompressed.

use super::decompress::Compression;
use super::progress::Progress;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

/// Bytes read at first, to see what the input is.
const SNIFF: usize = 4 << 10;

/// Where packets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input, a pipe or a redirected file.
    Stdin,
    /// A file, or something that can be opened like one.
    File(PathBuf),
}

impl Input {
    /// The input that a command line argument names: `-` is standard input.
    pub fn from_argument(argument: &OsStr) -> Self {
        if argument == "-" { Self::Stdin } else { Self::File(argument.into()) }
    }

    /// The name for messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// A regular file: it gives the same bytes each time it is opened, and at once.
    pub(super) fn can_be_reopened(&self) -> bool {
        match self {
            Self::Stdin => false,
            Self::File(path) => std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()),
        }
    }
}

/// An input that cannot be analyzed.
#[derive(Debug, thiserror::Error)]
#[error("{input}: {kind}")]
pub struct OpenError {
    /// The input's name.
    pub input: String,
    /// Why.
    pub kind: OpenErrorKind,
}

/// Why an input cannot be analyzed.
#[derive(Debug, thiserror::Error)]
pub enum OpenErrorKind {
    /// It cannot be opened or read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a directory in which no capture is.
    #[error("no capture in this directory")]
    NoCaptures,
    /// It holds nothing.
    #[error("empty")]
    Empty,
    /// It does not begin like a pcap or pcapng file.
    #[error("no capture file (pcap or pcapng, plain or compressed with gzip, zstd or lz4)")]
    NotACapture,
    /// It is compressed, and what is in it does not begin like a pcap or pcapng file.
    #[error("{0} data, but no capture file in it")]
    NotACaptureWithin(Compression),
    /// It is compressed, and the compressed data is bad from the start.
    #[error("bad {0} data: {1}")]
    Decompress(Compression, io::Error),
    /// It ends within the file header.
    #[error("cut off in the file header")]
    CutHeader,
}

/// The decompressed bytes of an input.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    /// How it is compressed.
    pub(super) compression: Option<Compression>,
    /// Its size on disk, if it is a regular file, which never lets a reader wait.
    pub(super) file_size: Option<u64>,
}

impl Source {
    /// Opens an input, and gives with it its first bytes, decompressed: at least `wanted` of them unless it is
    /// shorter. The source goes on after them. `window`: the largest zstd window, as a power of two.
    pub(super) fn open(
        input: &Input,
        wanted: usize,
        window: u32,
        progress: Progress,
    ) -> Result<(Self, Vec<u8>), OpenErrorKind> {
        let file = match input {
            Input::File(path) => File::open(path)?,
            Input::Stdin => stdin()?,
        };
        let metadata = file.metadata()?;
        let file_size = metadata.is_file().then_some(metadata.len());
        Self::with_window(Counted { inner: file, progress }, file_size, wanted, window)
    }

    /// The same for any reader.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn new(
        raw: impl Read + Send + 'static,
        file_size: Option<u64>,
        wanted: usize,
    ) -> Result<(Self, Vec<u8>), OpenErrorKind> {
        Self::with_window(raw, file_size, wanted, crate::base::limits::ZSTD_WINDOW_LOG)
    }

    fn with_window(
        mut raw: impl Read + Send + 'static,
        file_size: Option<u64>,
        wanted: usize,
        window: u32,
    ) -> Result<(Self, Vec<u8>), OpenErrorKind> {
        let head = first_bytes(&mut raw, 4)?;
        if head.is_empty() {
            return Err(OpenErrorKind::Empty);
        }
        let compression = Compression::of_magic(&head);
        let mut joined = Cursor::new(head).chain(raw);
        let Some(kind) = compression else {
            let head = first_bytes(&mut joined, wanted)?;
            return Ok((Self { reader: Box::new(joined), compression, file_size }, head));
        };
        let bad = |error| OpenErrorKind::Decompress(kind, error);
        let mut reader = kind.decoder(joined, window).map_err(bad)?;
        let head = first_bytes(&mut reader, wanted).map_err(bad)?;
        if head.is_empty() {
            return Err(OpenErrorKind::Empty);
        }
        Ok((Self { reader, compression, file_size }, head))
    }

    /// Reads what there is, waiting only if there is nothing; zero at the end. An error of kind
    /// [`io::ErrorKind::UnexpectedEof`] is a compressed stream that ends early.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// Reads until there are `wanted` bytes, or the end; more if they come at once.
fn first_bytes(reader: &mut impl Read, wanted: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; SNIFF.max(wanted)];
    let mut filled = 0;
    while filled < wanted {
        match reader.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}

/// Standard input as a file, past the small buffer of [`io::stdin`].
#[cfg(unix)]
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Standard input as a file, past the small buffer of [`io::stdin`].
#[cfg(windows)]
fn stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.add(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
