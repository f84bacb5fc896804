//! A key log's bytes → its lines.

use super::store::KeyStore;
use crate::base::limits::MAX_KEY_LOG_LINE;
use std::fmt;
use zeroize::Zeroizing;

impl KeyStore {
    /// Takes the lines of a whole key log, or of a pcapng Decryption Secrets Block: comments, blank lines, CRLF,
    /// either case, repeated spaces and unknown labels are accepted, a last line may lack its end, bad lines are
    /// counted. A later secret for the same random and label replaces an earlier one.
    pub fn add_text(&mut self, text: &[u8]) {
        let mut reader = KeyLogReader::default();
        reader.push(text, self);
        reader.finish(self);
    }
}

/// Reads a key log that comes in pieces, as a file does that is followed while it grows: a line counts when its
/// end is there.
#[derive(Default)]
pub struct KeyLogReader {
    encoding: Encoding,
    pub(super) partial: Zeroizing<Vec<u8>>,
    /// The line in hand is too long and is skipped to its end.
    overlong: bool,
}

/// How the characters of a log are written: its first two bytes tell. Windows' shells write UTF-16.
#[derive(Clone, Copy, Default)]
enum Encoding {
    /// Nothing was read.
    #[default]
    Unknown,
    /// The first byte is that of a byte order mark of UTF-16.
    Mark(u8),
    /// ASCII, or what contains it.
    Bytes,
    /// UTF-16, with the first byte of a character that is not whole yet.
    Utf16 { big_endian: bool, odd: Option<u8> },
}

impl fmt::Debug for KeyLogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLogReader").finish_non_exhaustive()
    }
}

impl KeyLogReader {
    /// Takes the next piece.
    pub fn push(&mut self, text: &[u8], keys: &mut KeyStore) {
        let mut text = text;
        loop {
            match (self.encoding, text) {
                (_, []) => return,
                (Encoding::Bytes, _) => return self.lines(text, keys),
                (Encoding::Utf16 { .. }, _) => {
                    let ascii = self.ascii(text);
                    return self.lines(&ascii, keys);
                }
                (Encoding::Unknown, [mark @ (0xff | 0xfe), rest @ ..]) => {
                    (self.encoding, text) = (Encoding::Mark(*mark), rest);
                }
                (Encoding::Unknown, _) => self.encoding = Encoding::Bytes,
                (Encoding::Mark(first), [second, rest @ ..]) if first ^ second == 1 => {
                    (self.encoding, text) = (Encoding::Utf16 { big_endian: first == 0xfe, odd: None }, rest);
                }
                (Encoding::Mark(first), _) => {
                    self.encoding = Encoding::Bytes;
                    self.keep(&[first], keys);
                }
            }
        }
    }

    /// The log ends: its last line counts even without an end.
    pub fn finish(&mut self, keys: &mut KeyStore) {
        if let Encoding::Mark(first) = self.encoding {
            self.keep(&[first], keys);
        }
        self.end_line(keys);
        self.encoding = Encoding::Unknown;
    }

    fn lines(&mut self, text: &[u8], keys: &mut KeyStore) {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.partial.is_empty() && !self.overlong && line.len() <= MAX_KEY_LOG_LINE {
                keys.add_line(line);
            } else {
                self.keep(line, keys);
                self.end_line(keys);
            }
        }
        self.keep(rest, keys);
    }

    fn end_line(&mut self, keys: &mut KeyStore) {
        keys.add_line(&self.partial);
        self.partial.clear();
        self.overlong = false;
    }

    /// UTF-16 as ASCII, with `?` for every other character.
    fn ascii(&mut self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut ascii = Zeroizing::new(Vec::with_capacity(text.len() / 2 + 1));
        let Encoding::Utf16 { big_endian, odd } = &mut self.encoding else { return ascii };
        for &byte in text {
            let Some(first) = odd.take() else {
                *odd = Some(byte);
                continue;
            };
            let (high, low) = if *big_endian { (first, byte) } else { (byte, first) };
            ascii.push(if high == 0 && low.is_ascii() { low } else { b'?' });
        }
        ascii
    }

    fn keep(&mut self, bytes: &[u8], keys: &mut KeyStore) {
        if self.overlong || bytes.is_empty() {
            return;
        }
        if self.partial.len() + bytes.len() > MAX_KEY_LOG_LINE {
            self.overlong = true;
            self.partial.clear();
            keys.count_overlong_line();
            return;
        }
        if self.partial.capacity() == 0 {
            self.partial = Zeroizing::new(Vec::with_capacity(MAX_KEY_LOG_LINE)); // never moved: no copies stay
        }
        self.partial.extend_from_slice(bytes);
    }
}
