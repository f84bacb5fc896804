//! One direction's HTTP/1.1 messages: heads read whole, bodies skipped by their framing (RFC 9112 section 6).

use crate::base::limits;

/// Where one direction is between and within messages.
#[derive(Debug)]
pub(super) enum Position {
    /// In a head; what has arrived of it.
    Head(Vec<u8>),
    /// In a body: octets still to come.
    Body(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// Behind a message that may switch the connection over, or behind the last one that can be followed.
    Held(Vec<u8>),
}

impl Position {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Head(bytes) | Self::Held(bytes) => bytes.capacity(),
            Self::Chunked(chunked) => chunked.line.capacity(),
            Self::Body(_) => 0,
        }
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Where in a chunked body the next octet belongs.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    line: Vec<u8>,
    left: u64,
    trailers: bool,
    /// Octets of chunk data so far.
    pub(super) data: u64,
}

impl Chunked {
    /// Reads on, and gives the data of the chunks; returns the bytes after the body once it is over.
    pub(super) fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        data: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<&'a [u8]>, Lost> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.left > 0 {
                let (now, after) =
                    rest.split_at(rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
                data(now);
                self.left -= now.len() as u64;
                rest = after;
                continue;
            }
            let Some((&byte, after)) = rest.split_first() else { break };
            rest = after;
            if byte != b'\n' {
                self.line.push(byte);
                if self.line.len() > limits::CHUNK_LINE {
                    return Err(Lost::Limit);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            match (self.trailers, line.is_empty()) {
                (true, true) => return Ok(Some(rest)),
                // The line end after a chunk's data, or a trailer field.
                (false, true) | (true, false) => {}
                (false, false) => {
                    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
                    let text = std::str::from_utf8(digits).map_err(|_| Lost::Malformed)?;
                    let size = u64::from_str_radix(text, 16).map_err(|_| Lost::Malformed)?;
                    self.trailers = size == 0;
                    self.left = size;
                    self.data = self.data.saturating_add(size);
                }
            }
        }
        Ok(None)
    }
}

/// Why HTTP/1.1 is not followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The bytes are none.
    Malformed,
    /// A cap struck.
    Limit,
}

/// Adds bytes to a head; when it is whole, returns how many of `bytes` belong to it.
pub(super) fn read_head(head: &mut Vec<u8>, bytes: &[u8]) -> Result<Option<usize>, Lost> {
    let before = head.len();
    let room = limits::HTTP1_HEAD.saturating_sub(before).min(bytes.len());
    head.extend_from_slice(bytes.get(..room).unwrap_or_default());
    let from = before.saturating_sub(3);
    let end = memchr::memmem::find(head.get(from..).unwrap_or_default(), b"\r\n\r\n").map(|at| from + at + 4);
    match end {
        Some(end) => {
            head.truncate(end);
            Ok(Some(end - before))
        }
        None if head.len() >= limits::HTTP1_HEAD => Err(Lost::Limit),
        None => Ok(None),
    }
}

/// The framing that a head's fields announce; a request without any has no body.
pub(super) fn framing(headers: &[httparse::Header<'_>]) -> Option<Framing> {
    let value =
        |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|h| h.value);
    if let Some(codings) = value("transfer-encoding") {
        return Some(if codings.to_ascii_lowercase().ends_with(b"chunked") {
            Framing::Chunked
        } else {
            Framing::UntilClose
        });
    }
    let length = std::str::from_utf8(value("content-length")?).ok()?.trim().parse().ok()?;
    Some(Framing::Length(length))
}

/// A field has this token in its comma-separated list.
pub(super) fn has_token(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).any(|header| {
        header
            .value
            .split(|&byte| byte == b',')
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}
