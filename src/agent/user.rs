//! The agent's user space: what it makes of an emitted stream (docs/agent.md, "User space").

use super::captured::{Captured, Literal, MAX_VALUE, METHOD_MAX, STATUS_MAX};
use super::huffman;

/// Size of the buffer that takes a path (`HTTP_BUFFER_SIZE`).
pub(super) const PATH_BUFFER: usize = 208;

/// The methods that the agent knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// PATCH
    Patch,
}

impl Method {
    /// The method's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
        }
    }

    /// The method with that name in any case; TRACE, CONNECT and all others are unknown to the agent.
    pub fn of(name: &[u8]) -> Option<Self> {
        const ALL: [Method; 7] = [
            Method::Get,
            Method::Post,
            Method::Put,
            Method::Delete,
            Method::Head,
            Method::Options,
            Method::Patch,
        ];
        ALL.into_iter().find(|method| method.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Of a stream: the static entry wins, 2 or 3; else the literal, at most seven bytes as stored.
    pub(super) fn captured(captured: &Captured<METHOD_MAX>) -> Option<Self> {
        match captured.static_entry {
            2 => return Some(Self::Get),
            3 => return Some(Self::Post),
            _ => {}
        }
        // Seven bytes of code stand for eleven letters at the most.
        let mut decoded = [0; 12];
        Self::of(text(&captured.literal, &mut decoded)?)
    }
}

/// The literal's text: decoded into `buffer` (cut to its size) where it is Huffman-encoded.
fn text<'a>(literal: &'a Literal<METHOD_MAX>, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    if !literal.huffman {
        return Some(literal.bytes());
    }
    let len = huffman::decode(literal.bytes(), buffer)?;
    Some(buffer.get(..len).unwrap_or(buffer))
}

/// The status of a stream, 0 when it is none: the static entry, else two bytes of Huffman code, or three raw ones.
pub(super) fn status(captured: Captured<STATUS_MAX>) -> u16 {
    const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    if let Some(&status) = captured.static_entry.checked_sub(8).and_then(|at| STATIC.get(usize::from(at))) {
        return status;
    }
    let mut decoded = [0; 3];
    let bytes = captured.literal.bytes();
    let digits = if captured.literal.huffman {
        let Some(len) = bytes.get(..2).and_then(|code| huffman::decode(code, &mut decoded)) else { return 0 };
        decoded.get(..len).unwrap_or_default()
    } else {
        bytes.get(..3).unwrap_or_default()
    };
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The path of a stream as the agent shows it, in `buffer`: decoded, not empty, starting with `/`, cut to the
/// buffer, then at the first `?`.
pub(super) fn path<'a>(captured: &Captured<MAX_VALUE>, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    match captured.static_entry {
        4 => Some(b"/"),
        5 => Some(b"/index.html"),
        _ => {
            let literal = &captured.literal;
            let len = if literal.huffman {
                huffman::decode(literal.bytes(), buffer)?.min(buffer.len())
            } else {
                let bytes = literal.bytes();
                let len = bytes.len().min(buffer.len()).min(MAX_VALUE);
                buffer.get_mut(..len)?.copy_from_slice(bytes.get(..len)?);
                len
            };
            let path: &'a [u8] = buffer.get(..len)?;
            path.starts_with(b"/").then(|| without_query(path))
        }
    }
}

/// A path from the wire as the agent would show it, had it captured it.
pub(super) fn shown_path(path: &[u8]) -> &[u8] {
    without_query(path.get(..PATH_BUFFER).unwrap_or(path))
}

fn without_query(path: &[u8]) -> &[u8] {
    memchr::memchr(b'?', path).and_then(|at| path.get(..at)).unwrap_or(path)
}

/// Whether Go's `strconv.IsPrint` takes each byte, as a Latin-1 code point, for printable.
pub(super) fn is_printable(path: &[u8]) -> bool {
    // Without an early end, so that the compiler takes many bytes at a time.
    let graphic = path.iter().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic());
    graphic || !path.iter().any(|byte| matches!(byte, ..0x20 | 0x7f..=0xa0 | 0xad))
}

/// What the agent shows of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The method.
    pub(super) method: Method,
    /// A hash of the path.
    pub(super) path: u64,
    /// The status.
    pub(super) status: u16,
    /// The latency, in nanoseconds.
    pub(super) latency: u64,
}

/// `NSTimestampToFloat`: a duration in nanoseconds with the mantissa cut to its top nine bits, toward zero.
pub(super) fn latency(nanos: u64) -> f64 {
    f64::from_bits((nanos as f64).to_bits() & 0xffff_f800_0000_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal<const SIZE: usize>(bytes: &[u8], huffman: bool) -> Captured<SIZE> {
        let mut captured = Captured { finalized: true, ..Captured::default() };
        captured.literal.set(bytes, huffman);
        captured
    }

    fn shown(captured: &Captured<MAX_VALUE>, size: usize) -> Option<Vec<u8>> {
        path(captured, &mut vec![0; size]).map(<[u8]>::to_vec)
    }

    // Named after the tests that the agent has for this.

    #[test]
    fn huffman_path_of_161_bytes_is_decoded_whole_or_cut_to_the_buffer() {
        let mut text = vec![b'a'; 161];
        text[0] = b'/';
        let captured = literal(&huffman::encode(&text), true);
        assert_eq!(shown(&captured, PATH_BUFFER).unwrap(), text);
        assert_eq!(shown(&captured, 20).unwrap(), text[..20]);
    }

    #[test]
    fn raw_path_is_at_most_160_bytes() {
        let text = [b"/".as_slice(), &[b'a'; 159]].concat();
        assert_eq!(shown(&literal(&text, false), PATH_BUFFER).unwrap(), text);
        // The kernel captures no 161 bytes; were they cut to 160, they would show as those.
        assert_eq!(shown(&literal(&[b'/'; 161], false), PATH_BUFFER), None);
    }

    #[test]
    fn path_not_starting_with_a_slash_or_empty_is_an_error() {
        for (bytes, huffman) in
            [(b"*".as_slice(), false), (b"", false), (b"", true), (b"aaa", false), (b"\xff", true)]
        {
            assert_eq!(shown(&literal(bytes, huffman), PATH_BUFFER), None);
        }
        assert_eq!(shown(&literal(&huffman::encode(b"aaa"), true), PATH_BUFFER), None);
    }

    #[test]
    fn path_is_cut_at_the_question_mark() {
        assert_eq!(shown(&literal(b"/foo/bar?a=1&b=2", false), PATH_BUFFER).unwrap(), b"/foo/bar");
        assert_eq!(shown_path(b"/foo?x?y"), b"/foo");
        let long = [b"/".as_slice(), &[b'a'; 300], b"?q"].concat();
        assert_eq!(shown_path(&long).len(), PATH_BUFFER);
    }

    #[test]
    fn methods_by_static_entry_raw_and_huffman() {
        assert_eq!(Method::captured(&literal(b"PUT", false)), Some(Method::Put));
        assert_eq!(Method::captured(&literal(b"put", false)), Some(Method::Put));
        assert_eq!(Method::captured(&literal(&huffman::encode(b"OPTIONS"), true)), Some(Method::Options));
        assert_eq!(Method::captured(&literal(b"OPTIONSX", false)), None, "eight bytes");
        assert_eq!(Method::captured(&literal(b"", false)), None);
        for unknown in [b"TRACE".as_slice(), b"CONNECT"] {
            assert_eq!(Method::captured(&literal(unknown, false)), None);
        }
        let first = Captured { static_entry: 2, ..literal(b"PUT", false) };
        assert_eq!(Method::captured(&first), Some(Method::Get), "the static entry wins");
    }

    #[test]
    fn statuses_by_static_entry_raw_and_huffman() {
        for (entry, code) in (8..).zip([200, 204, 206, 304, 400, 404, 500]) {
            assert_eq!(status(Captured { static_entry: entry, ..Captured::default() }), code);
        }
        assert_eq!(status(literal(b"504", false)), 504);
        assert_eq!(status(literal(&huffman::encode(b"201"), true)), 201);
        assert_eq!(huffman::encode(b"504").len(), 3);
        assert_eq!(status(literal(&huffman::encode(b"504"), true)), 0, "two bytes of it are no code");
        for bad in [b"20".as_slice(), b"", b"abc"] {
            assert_eq!(status(literal(bad, false)), 0);
        }
    }

    #[test]
    fn latency_is_cut_toward_zero_by_less_than_a_fifth_of_a_percent() {
        for nanos in [1, 2, 511, 1_000_003, 123_456_789_123] {
            let cut = latency(nanos);
            assert!(cut <= nanos as f64 && cut > nanos as f64 * 0.998, "{nanos} {cut}");
        }
        assert_eq!(latency(0).to_bits(), 0);
    }
}
