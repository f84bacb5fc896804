//! A side that does not speak HTTP/2 (RFC 9113 section 3.4): what it speaks in its place.

use crate::base::limits;

/// What a side said that is no HTTP/2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// The protocol, where it is known: `http/1.1`, `http/1.0`, `tls`.
    pub protocol: Option<&'static str>,
    /// Its first line, where that is text; at most [`limits::FOREIGN_LINE`] octets of it.
    pub first_line: Option<Vec<u8>>,
}

/// The first octets of a side that may be none of HTTP/2, as they come.
#[derive(Debug, Default)]
pub(super) struct FirstLine {
    bytes: Vec<u8>,
    told: bool,
}

impl FirstLine {
    /// The next octets; what the side speaks, once that is known.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Option<Foreign> {
        if self.told {
            return None;
        }
        let room = limits::FOREIGN_LINE.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let whole = self.bytes.contains(&b'\n') || self.bytes.len() >= limits::FOREIGN_LINE;
        if whole { self.finish() } else { None }
    }

    /// No octet follows: what the side speaks, if that was not told.
    pub(super) fn finish(&mut self) -> Option<Foreign> {
        if self.bytes.is_empty() || std::mem::replace(&mut self.told, true) {
            return None;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(Foreign { protocol: protocol(&bytes), first_line: shown(line) })
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}

/// The line as it is shown; `None` where it is no text.
fn shown(line: &[u8]) -> Option<Vec<u8>> {
    let is_cut = line.len() >= limits::FOREIGN_LINE;
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(line.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_text = !text.is_empty() && !text.contains(char::is_control);
    is_text.then(|| format!("{text}{}", if is_cut { "…" } else { "" }).into_bytes())
}

/// What protocol begins so.
fn protocol(bytes: &[u8]) -> Option<&'static str> {
    let line = bytes.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    match bytes {
        _ if bytes.starts_with(b"HTTP/1.1 ") || line.ends_with(b" HTTP/1.1") => Some("http/1.1"),
        _ if bytes.starts_with(b"HTTP/1.0 ") || line.ends_with(b" HTTP/1.0") => Some("http/1.0"),
        [20..=23, 3, 0..=4, ..] => Some("tls"),
        _ => None,
    }
}

/// Octets that no first frame begins with, when its receiver takes frames of this length: it is no SETTINGS, and longer.
/// `None` while that cannot be told.
pub(super) fn is_foreign(begin: &[u8], longest: u32) -> Option<bool> {
    const SETTINGS: u8 = 4;
    let &[high, middle, low, kind] = begin.first_chunk()?;
    let length = u32::from_be_bytes([0, high, middle, low]);
    Some(length > longest.max(1 << 14) && kind != SETTINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&[u8]]) -> Foreign {
        let mut line = FirstLine::default();
        let found = pieces.iter().find_map(|piece| line.data(piece));
        let foreign = found.or_else(|| line.finish()).unwrap();
        assert_eq!((line.data(b"more\n"), line.finish()), (None, None), "it is told once");
        foreign
    }

    #[test]
    fn what_is_spoken_is_named() {
        let foreign = told(&[b"HTTP/1.1 400 Bad", b" Request\r\nServer: x\r\n\r\n"]);
        assert_eq!(foreign.protocol, Some("http/1.1"));
        assert_eq!(foreign.first_line.unwrap(), b"HTTP/1.1 400 Bad Request");
        assert_eq!(
            told(&[b"\x15\x03\x03\0\x02\x02\x46"]),
            Foreign { protocol: Some("tls"), first_line: None }
        );
        let banner = told(&[b"220 mail.example ESMTP\r\n"]);
        assert_eq!(
            (banner.protocol, banner.first_line.unwrap().as_slice()),
            (None, &b"220 mail.example ESMTP"[..])
        );
        assert_eq!(told(&[b"GET / HTTP/1.0\r\n"]).protocol, Some("http/1.0"));
        assert_eq!(told(&[b"\x4a\0\0\0\x0a5.7\0"]), Foreign::default(), "nothing is guessed");
    }

    #[test]
    fn cap_foreign_line() {
        let line = vec![b'x'; 2 * limits::FOREIGN_LINE];
        let told = told(&[&line]).first_line.unwrap();
        assert_eq!(told.len(), limits::FOREIGN_LINE + "…".len());
        assert!(told.ends_with("…".as_bytes()));
    }

    #[test]
    fn what_may_be_a_frame_is_not_foreign() {
        assert_eq!(is_foreign(b"HTT", 1 << 14), None);
        assert_eq!(is_foreign(b"HTTP", 1 << 14), Some(true));
        assert_eq!(is_foreign(b"\x15\x03\x03\0", 1 << 14), Some(true));
        assert_eq!(is_foreign(b"\0\0\x12\x04", 1 << 14), Some(false));
        assert_eq!(is_foreign(b"\x48\0\0\x04", 1 << 14), Some(false), "SETTINGS that are too long");
        assert_eq!(is_foreign(b"\x48\0\0\0", (1 << 24) - 1), Some(false), "the peer takes as much");
    }
}
