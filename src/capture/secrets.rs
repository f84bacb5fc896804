//! All TLS secrets of a pcapng file, without its packets.

use super::decompress::Compression;
use super::file::{BlockHead, Order, SECTION_HEADER, SHORTEST_BLOCK, tls_key_log};
use super::source::Input;
use crate::base::limits;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at once: little after a jump, as the next block will be jumped over too, else much.
const READ: (usize, usize) = (4 << 10, 256 << 10);

/// Bytes that are rather read than jumped over.
const JUMP: usize = 16 << 10;

/// Opens an input to be looked through; `None` if it is a pipe, as opening one would take bytes from it, or wait for them.
pub(super) fn open(input: &Input) -> io::Result<Option<File>> {
    match input {
        Input::File(path) if input.can_be_reopened() => File::open(path).map(Some),
        _ => Ok(None),
    }
}

/// Hands on the TLS key logs in the Decryption Secrets Blocks of a plain pcapng file, in order, as many as
/// [`limits::SECRETS_BYTES`] and [`limits::SECRETS_BLOCKS`] allow; none of a plain classic pcap file. Ends at the first
/// damaged place. How many there were; `None` if it is compressed.
pub(super) fn scan(file: File, take: &mut dyn FnMut(&[u8])) -> io::Result<Option<usize>> {
    Window { file, bytes: Vec::new(), at: 0, filled: 0, read: READ.0 }.scan(take)
}

/// The part of a file that is in memory.
struct Window<F> {
    file: F,
    bytes: Vec<u8>,
    /// Index of the next block.
    at: usize,
    /// Bytes in use.
    filled: usize,
    /// Bytes to read next.
    read: usize,
}

impl<F: Read + Seek> Window<F> {
    fn scan(mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<Option<usize>> {
        match self.show(SECTION_HEADER.len())? {
            Some(magic) if *magic == SECTION_HEADER => {}
            Some(magic) if Compression::of_magic(magic).is_none() => return Ok(Some(0)),
            _ => return Ok(None),
        }
        let (mut found, mut bytes) = (0, 0);
        let mut order = Order::Little;
        while let Some(head) = self.show(SHORTEST_BLOCK)?.and_then(|head| BlockHead::read(head, order)) {
            let Some(size) = head.size() else { break };
            order = head.order;
            if head.is_secrets() {
                let Some(block) = self.show(size)? else { break };
                if order.u32_at(block, size - 4) != Some(head.length) {
                    break; // Whether it is one is for the reader of the packets to judge.
                }
                let body = block.get(8..size - 4).unwrap_or_default();
                if let Ok(Some(secrets)) = tls_key_log(body, order) {
                    bytes += secrets.len();
                    if bytes > limits::SECRETS_BYTES || found >= limits::SECRETS_BLOCKS {
                        break;
                    }
                    found += 1;
                    take(secrets);
                }
            }
            // Where the lengths at both ends differ, the next block may be anywhere.
            self.skip(size - 4)?;
            if self.show(4)?.and_then(|end| order.u32_at(end, 0)) != Some(head.length) {
                break;
            }
            self.skip(4)?;
        }
        Ok(Some(found))
    }

    /// The next bytes, so many; `None` if the file ends before.
    fn show(&mut self, length: usize) -> io::Result<Option<&[u8]>> {
        if self.filled - self.at < length {
            self.bytes.copy_within(self.at..self.filled, 0);
            (self.at, self.filled) = (0, self.filled - self.at);
            let wanted = self.read.max(length);
            if self.bytes.len() < wanted {
                self.bytes.resize(wanted, 0);
            }
            while self.filled < length {
                let room = self.bytes.get_mut(self.filled..wanted).unwrap_or_default();
                match self.file.read(room) {
                    Ok(0) => return Ok(None),
                    Ok(read) => self.filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.read = (self.read * 2).min(READ.1);
        }
        Ok(self.bytes.get(self.at..self.at + length))
    }

    /// Goes on behind the next bytes, so many.
    fn skip(&mut self, length: usize) -> io::Result<()> {
        self.at += length;
        if let Some(beyond) = self.at.checked_sub(self.filled).filter(|&beyond| beyond > 0) {
            self.file.seek(SeekFrom::Current(beyond as i64))?;
            (self.at, self.filled) = (0, 0);
            if beyond > JUMP {
                self.read = READ.0;
            }
        }
        Ok(())
    }
}
