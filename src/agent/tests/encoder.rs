//! A header block encoder that writes what Go's does, and frames.

use super::super::huffman;

/// The static table entries that the tests need: index, name, value. Go takes the last of a name.
const STATIC: [(u8, &str, &str); 19] = [
    (1, ":authority", ""),
    (2, ":method", "GET"),
    (3, ":method", "POST"),
    (4, ":path", "/"),
    (5, ":path", "/index.html"),
    (6, ":scheme", "http"),
    (7, ":scheme", "https"),
    (8, ":status", "200"),
    (9, ":status", "204"),
    (10, ":status", "206"),
    (11, ":status", "304"),
    (12, ":status", "400"),
    (13, ":status", "404"),
    (14, ":status", "500"),
    (16, "accept-encoding", "gzip, deflate"),
    (28, "content-length", ""),
    (31, "content-type", ""),
    (58, "user-agent", ""),
    (19, "accept", ""),
];

/// Go's HPACK encoder: Huffman code where it is shorter, everything indexed that fits the table and is not
/// sensitive.
#[derive(Clone)]
pub(super) struct Encoder {
    table: Vec<(String, String)>,
    max_size: usize,
    update: Option<usize>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { table: Vec::new(), max_size: 4096, update: None }
    }

    /// An encoder whose first block starts with a size update.
    pub(super) fn with_table_size(size: usize) -> Self {
        Self { max_size: size, update: Some(size), ..Self::new() }
    }

    pub(super) fn block(&mut self, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in fields {
            self.field(&mut out, name, value, false);
        }
        out
    }

    pub(super) fn field(&mut self, out: &mut Vec<u8>, name: &str, value: &str, sensitive: bool) {
        if let Some(size) = self.update.take() {
            integer(out, 0x20, 5, size);
        }
        let exact =
            STATIC.iter().find(|entry| entry.1 == name && entry.2 == value).map(|entry| usize::from(entry.0));
        let newest = |matches: &dyn Fn(&(String, String)) -> bool| {
            self.table.iter().rev().position(matches).map(|at| at + 62)
        };
        if let Some(index) = exact.or_else(|| newest(&|entry| entry.0 == name && entry.1 == value)) {
            return integer(out, 0x80, 7, index);
        }
        let known = STATIC.iter().rev().find(|entry| entry.1 == name).map(|entry| usize::from(entry.0));
        let known = known.or_else(|| newest(&|entry| entry.0 == name)).unwrap_or(0);
        let size = name.len() + value.len() + 32;
        if sensitive {
            integer(out, 0x10, 4, known);
        } else if size <= self.max_size {
            integer(out, 0x40, 6, known);
            self.table.push((name.into(), value.into()));
            while self.table.iter().map(|entry| entry.0.len() + entry.1.len() + 32).sum::<usize>()
                > self.max_size
            {
                self.table.remove(0);
            }
        } else {
            integer(out, 0, 4, known);
        }
        if known == 0 {
            string(out, name);
        }
        string(out, value);
    }
}

fn integer(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
    let max = (1 << bits) - 1;
    if value < max {
        return out.push(first | value as u8);
    }
    out.push(first | max as u8);
    let mut rest = value - max;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn string(out: &mut Vec<u8>, text: &str) {
    let code = huffman::encode(text.as_bytes());
    if code.len() < text.len() {
        integer(out, 0x80, 7, code.len());
        out.extend(code);
    } else {
        raw_string(out, text);
    }
}

/// A string literal without Huffman code.
pub(super) fn raw_string(out: &mut Vec<u8>, text: &str) {
    integer(out, 0, 7, text.len());
    out.extend(text.as_bytes());
}

/// A string literal in Huffman code, shorter or not.
pub(super) fn huffman_string(out: &mut Vec<u8>, text: &str) {
    let code = huffman::encode(text.as_bytes());
    integer(out, 0x80, 7, code.len());
    out.extend(code);
}

/// `testHeaders` of the agent's tests.
pub(super) const TEST_HEADERS: [(&str, &str); 8] = [
    (":authority", "127.0.0.1:8082"),
    (":method", "POST"),
    (":path", "/aaa"),
    (":scheme", "http"),
    ("content-type", "application/json"),
    ("content-length", "4"),
    ("accept-encoding", "gzip"),
    ("user-agent", "Go-http-client/2.0"),
];

/// `testHeaders` with other values for some names.
pub(super) fn test_headers<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name, value| other.iter().find(|field| field.0 == name).map_or(value, |field| field.1);
    TEST_HEADERS.iter().map(|&(name, own)| (name, value(name, own))).collect()
}

/// `testHeaders` without one of them.
pub(super) fn test_headers_without(name: &str) -> Vec<(&'static str, &'static str)> {
    TEST_HEADERS.into_iter().filter(|field| field.0 != name).collect()
}

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// HEADERS with `END_HEADERS` and without `END_STREAM`.
pub(super) fn headers(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, 0x4, stream, block)
}

/// H of the agent's tests: a fresh encoder's `testHeaders`.
pub(super) fn h(stream: u32) -> Vec<u8> {
    headers(stream, &Encoder::new().block(&TEST_HEADERS))
}

/// D of the agent's tests: empty DATA with `END_STREAM`.
pub(super) fn d(stream: u32) -> Vec<u8> {
    frame(DATA, 0x1, stream, &[])
}

/// R of the agent's tests: `RST_STREAM`.
pub(super) fn r(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

/// S of the agent's tests: SETTINGS.
pub(super) fn s() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0; 6])
}

/// P of the agent's tests: PING.
pub(super) fn p() -> Vec<u8> {
    frame(PING, 1, 0, &[0; 8])
}

/// The stream id of exchange `i`.
pub(super) fn id(i: u32) -> u32 {
    2 * i + 1
}

/// `/` and letters, of that length in Huffman code.
pub(super) fn path_of_huffman_len(len: usize) -> String {
    let letters = (len * 8 - 6) / 5;
    let path = format!("/{}", "a".repeat(letters));
    assert_eq!(huffman::encoded_len(path.as_bytes()), len);
    path
}

#[test]
fn test_headers_are_those_of_section_5_0_byte_for_byte() {
    let block = Encoder::new().block(&TEST_HEADERS);
    let hex = "418a089d5c0b8170dc780f0b83458360631f865f8b1d75d0620d263d4c7441ea5c013450839bd9ab\
               7a8dc475a74a6b589418b525812e0f";
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    assert_eq!(block, bytes.collect::<Vec<_>>());
    assert_eq!(block.len(), 55);
}
