//! Saving packets: pcapng, little-endian, with nanoseconds, in one file or in several that follow each other.

use super::batch::{LinkType, PacketHead};
use crate::base::limits;
use crate::base::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes collected before they are written.
const BUFFER: usize = 128 << 10;

/// When to begin a new file. All `None`: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Before the file would get larger than so many bytes; a file has one packet at least.
    pub size: Option<u64>,
    /// When so much packet time has passed since the file's first packet.
    pub time: Option<Duration>,
    /// Files kept; the oldest is removed when there would be more. Without `size` and `time` it does nothing.
    pub files: Option<usize>,
}

impl Rotation {
    fn is_on(&self) -> bool {
        self.size.is_some() || self.time.is_some()
    }
}

/// Saving failed.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong.
    pub source: io::Error,
}

impl WriteError {
    /// Whoever read what was written has gone away.
    pub fn is_closed(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes packets to a file, or to a series of files.
///
/// Each file stands alone: it has a section header, a description of each link type before its first packet,
/// and the TLS secrets, if any, before all packets. A file with secrets can be read by its owner only. The
/// files of a series are named as dumpcap does: `base_00001_20261122041700.pcapng` for the path
/// `base.pcapng`, with the time of the file's first packet in UTC.
///
/// What is buffered is written by [`Writer::flush`] and [`Writer::finish`]; a writer that is only dropped
/// writes it too, but cannot say if that failed.
pub struct Writer {
    path: PathBuf,
    rotation: Rotation,
    secrets: Vec<u8>,
    current: Option<Current>,
    /// Files written so far.
    count: u64,
    /// Files of the series that are still there, oldest first.
    kept: VecDeque<PathBuf>,
}

/// The file being written.
struct Current {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    first: Option<Timestamp>,
    /// The number of each link type's interface.
    links: HashMap<LinkType, usize>,
}

impl Writer {
    /// Begins to write to `path`. Without rotation the file is created at once, so that what stands in the way
    /// is known before the capture begins; with it, the first file is created with the first packet, whose time
    /// is in its name. A file that exists is replaced.
    ///
    /// # Errors
    /// The file cannot be created or written; with rotation: its directory does not exist.
    pub fn create(path: impl Into<PathBuf>, rotation: Rotation) -> Result<Self, WriteError> {
        let path = path.into();
        let mut writer =
            Self { path, rotation, secrets: Vec::new(), current: None, count: 0, kept: VecDeque::new() };
        if rotation.is_on() {
            Self::check_directory(&writer.path)?;
        } else {
            writer.current = Some(writer.open(writer.path.clone())?);
        }
        Ok(writer)
    }

    /// The directory that `path` is to be created in is there.
    ///
    /// # Errors
    /// It is not.
    pub fn check_directory(path: &Path) -> Result<(), WriteError> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::metadata(directory).map_err(|source| WriteError { path: directory.to_owned(), source })?;
        Ok(())
    }

    /// Begins to write to standard output.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn stdout() -> Result<Self, WriteError> {
        let path = PathBuf::from("standard output");
        let (rotation, secrets) = (Rotation::default(), Vec::new());
        let mut writer = Self { path, rotation, secrets, current: None, count: 0, kept: VecDeque::new() };
        let file = stdout().map_err(|source| WriteError { path: writer.path.clone(), source })?;
        writer.current = Some(writer.begin(writer.path.clone(), file)?);
        Ok(writer)
    }

    /// Embeds a TLS key log (RFC 9850) in front of the packets that follow, and of all packets of the files that
    /// follow; of these only up to [`limits::SECRETS_BYTES`] altogether.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn secrets(&mut self, key_log: &[u8]) -> Result<(), WriteError> {
        if self.secrets.len() + key_log.len() < limits::SECRETS_BYTES {
            self.secrets.extend_from_slice(key_log);
            if !key_log.ends_with(b"\n") {
                self.secrets.push(b'\n');
            }
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        current.with_path(|current| current.secrets(key_log))
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// It cannot be written, or the next file of a series not created.
    pub fn packet(&mut self, head: &PacketHead, bytes: &[u8]) -> Result<(), WriteError> {
        let size = packet_block_size(bytes.len());
        if self.current.as_ref().is_some_and(|current| self.is_full(current, head.time, size as u64)) {
            self.close()?;
        }
        if self.current.is_none() {
            let path = self.next_path(head.time);
            self.current = Some(self.open(path)?);
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        current.with_path(|current| current.packet(head, bytes))
    }

    /// Hands everything on to the system.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        match &mut self.current {
            Some(current) => current.with_path(|current| current.file.flush()),
            None => Ok(()),
        }
    }

    /// Ends the last file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.close()
    }

    /// It is time for another file than `current`.
    fn is_full(&self, current: &Current, time: Timestamp, size: u64) -> bool {
        let Some(first) = current.first else { return false };
        self.rotation.size.is_some_and(|limit| current.written + size > limit)
            || self.rotation.time.is_some_and(|limit| time.since(first) >= limit)
    }

    fn close(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        self.current = None;
        Ok(())
    }

    /// The name of the next file in a series; makes room for it.
    fn next_path(&mut self, time: Timestamp) -> PathBuf {
        self.count += 1;
        let digits: String = time.to_string().chars().take(19).filter(char::is_ascii_digit).collect();
        let mut name = self.path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("_{:05}_{digits}", self.count));
        if let Some(extension) = self.path.extension() {
            name.push(".");
            name.push(extension);
        }
        let path = self.path.with_file_name(name);
        if let Some(files) = self.rotation.files {
            while self.kept.len() >= files.max(1) {
                // If it is gone already, or cannot be removed, capturing goes on.
                let _ = self.kept.pop_front().map(std::fs::remove_file);
            }
            self.kept.push_back(path.clone());
        }
        path
    }

    fn open(&self, path: PathBuf) -> Result<Current, WriteError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        owner_only(&mut options);
        match options.open(&path).or_else(|error| open_through_link(&path).unwrap_or(Err(error))) {
            Ok(file) => self.begin(path, file),
            Err(source) => Err(WriteError { path, source }),
        }
    }

    /// Begins a file that is open, with what stands in front of the packets.
    fn begin(&self, path: PathBuf, file: File) -> Result<Current, WriteError> {
        let file = BufWriter::with_capacity(BUFFER, file);
        let mut current = Current { path, file, written: 0, first: None, links: HashMap::new() };
        current.with_path(|current| {
            current.section()?;
            if self.secrets.is_empty() { Ok(()) } else { current.secrets(&self.secrets) }
        })?;
        Ok(current)
    }
}

impl Current {
    /// Does something and, if it fails, says with which file.
    fn with_path(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<(), WriteError> {
        write(self).map_err(|source| WriteError { path: self.path.clone(), source })
    }

    /// Writes a block of fixed parts, then bytes that are padded, then options.
    fn block(&mut self, kind: u32, parts: &[&[u8]], bytes: &[u8], options: &[u8]) -> io::Result<()> {
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        let parts_length: usize = parts.iter().map(|part| part.len()).sum();
        let length = 12 + parts_length + bytes.len() + padding + options.len();
        let length_field = u32::try_from(length).map_err(io::Error::other)?.to_le_bytes();
        self.file.write_all(&kind.to_le_bytes())?;
        self.file.write_all(&length_field)?;
        for part in parts {
            self.file.write_all(part)?;
        }
        self.file.write_all(bytes)?;
        self.file.write_all([0; 3].get(..padding).unwrap_or_default())?;
        self.file.write_all(options)?;
        self.file.write_all(&length_field)?;
        self.written += length as u64;
        Ok(())
    }

    /// Section Header Block: byte-order mark, version 1.0, length of the section not given, the program.
    fn section(&mut self) -> io::Result<()> {
        let program = concat!("h2lens ", env!("CARGO_PKG_VERSION")).as_bytes();
        let mut options = Vec::new();
        option(&mut options, 4, program);
        option(&mut options, 0, &[]);
        self.block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes(), &[1, 0, 0, 0], &[0xff; 8]], &[], &options)
    }

    /// Decryption Secrets Block of type TLS key log, for the owner's eyes only. Key logs longer than a block
    /// may be become several blocks, each of whole lines.
    fn secrets(&mut self, key_log: &[u8]) -> io::Result<()> {
        restrict_to_owner(self.file.get_ref())?;
        let most = limits::BLOCK_BYTES as usize / 2;
        let mut rest = key_log;
        while !rest.is_empty() {
            let piece = match rest.get(..most) {
                None => rest,
                Some(piece) => {
                    let line_end = memchr::memrchr(b'\n', piece).map_or(most, |at| at + 1);
                    piece.get(..line_end).unwrap_or(piece)
                }
            };
            let length = (piece.len() as u32).to_le_bytes();
            self.block(10, &[&0x544c_534b_u32.to_le_bytes(), &length], piece, &[])?;
            rest = rest.get(piece.len()..).unwrap_or_default();
        }
        Ok(())
    }

    /// Enhanced Packet Block, after an Interface Description Block if the link type is new.
    fn packet(&mut self, head: &PacketHead, bytes: &[u8]) -> io::Result<()> {
        let next = self.links.len();
        let interface = *self.links.entry(head.link).or_insert(next);
        if interface == next {
            let mut options = Vec::new();
            option(&mut options, 9, &[9]); // nanoseconds
            option(&mut options, 0, &[]);
            self.block(1, &[&head.link.0.to_le_bytes(), &[0; 2], &[0; 4]], &[], &options)?;
        }
        let nanos = head.time.as_nanos();
        let mut fixed = [0; 20];
        let fields = [
            interface as u32,
            (nanos >> 32) as u32,
            nanos as u32,
            bytes.len() as u32,
            head.original_len.max(bytes.len() as u32),
        ];
        for (place, field) in fixed.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        self.block(6, &[&fixed], bytes, &[])?;
        self.first.get_or_insert(head.time);
        Ok(())
    }
}

/// Bytes of a packet's block.
fn packet_block_size(captured: usize) -> usize {
    32 + captured.next_multiple_of(4)
}

/// Appends an option.
fn option(options: &mut Vec<u8>, code: u16, value: &[u8]) {
    options.extend(code.to_le_bytes());
    options.extend((value.len() as u16).to_le_bytes());
    options.extend(value);
    options.resize(options.len().next_multiple_of(4), 0);
}

/// Standard output as a file.
#[cfg(unix)]
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Standard output as a file.
#[cfg(windows)]
fn stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// Creates the file for its owner only, and at no place that a link names: who may write to the directory is not to choose where
/// packets go.
#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
    not_through_links(options);
}

/// Lets no link at the path name another one. Where the system cannot, nothing is asked.
pub fn not_through_links(options: &mut OpenOptions) {
    #[cfg(target_os = "linux")]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, nix::fcntl::OFlag::O_NOFOLLOW.bits());
    #[cfg(not(target_os = "linux"))]
    let _ = options;
}

/// What a link names that is no file and is there, as a pipe of the shell's in `/dev/fd`: nothing is created or cut there.
fn open_through_link(path: &Path) -> Option<io::Result<File>> {
    let named = path.is_symlink().then(|| std::fs::metadata(path).ok()).flatten()?;
    (!named.is_file() && !named.is_dir()).then(|| OpenOptions::new().write(true).open(path))
}

/// Creates the file for its owner only.
#[cfg(not(unix))]
fn owner_only(_options: &mut OpenOptions) {}

/// Takes the file from everyone but its owner, if it was there before.
#[cfg(unix)]
fn restrict_to_owner(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Takes the file from everyone but its owner, if it was there before.
#[cfg(not(unix))]
fn restrict_to_owner(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
