//! Multipart bodies (RFC 2046 section 5.1): forms with files (RFC 7578), byte ranges, incremental GraphQL.

use super::media_type::MediaType;
use crate::base::tuning::BODY_PART_HEADERS;
use memchr::memmem::Finder;

/// A part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// `name` of its `content-disposition`.
    pub name: Option<String>,
    /// `filename` of it.
    pub filename: Option<String>,
    /// Its `content-type`.
    pub content_type: Option<String>,
    /// Octets of its content.
    pub size: u64,
    /// The content, up to the limit; what is before a hole.
    pub content: &'a [u8],
    /// There was more of it.
    pub truncated: bool,
    /// Some of it is not in the capture.
    pub lost: bool,
}

/// Finds the parts in a body.
pub struct Multipart {
    limit: usize,
    /// CRLF, two dashes, the boundary.
    delimiter: Finder<'static>,
    /// What may be the beginning of a delimiter.
    tail: Vec<u8>,
    state: PartState,
    head: Vec<u8>,
    content: Vec<u8>,
    size: u64,
    lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartState {
    /// Before the first delimiter, or after a hole in a part's head.
    Preamble,
    /// On a delimiter's line; octets of it that were read.
    Delimiter,
    /// In the header fields of a part.
    Head,
    /// In its content.
    Content,
    /// After the last delimiter.
    Epilogue,
}

/// What begins with a line.
enum Line<'b> {
    /// The line with its end, and what follows.
    Whole(&'b [u8], &'b [u8]),
    /// It has not ended.
    Open,
    /// It takes more room than there is: what stands behind that.
    TooLong(&'b [u8]),
}

impl<'b> Line<'b> {
    /// Where a line is too long does not depend on where the bytes are cut.
    fn of(bytes: &'b [u8], room: usize) -> Self {
        let (within, beyond) = bytes.split_at(room.min(bytes.len()));
        match memchr::memchr(b'\n', within) {
            Some(end) => {
                let (line, rest) = bytes.split_at(end + 1);
                Self::Whole(line, rest)
            }
            None if beyond.is_empty() => Self::Open,
            None => Self::TooLong(beyond),
        }
    }
}

impl Multipart {
    /// Parts divided by the boundary; contents of up to `limit` bytes are kept.
    pub fn new(boundary: &str, limit: usize) -> Self {
        let delimiter = Finder::new(&[b"\r\n--", boundary.as_bytes()].concat()).into_owned();
        Self {
            limit,
            delimiter,
            // The first delimiter may stand at the very beginning.
            tail: b"\r\n".to_vec(),
            state: PartState::Preamble,
            head: Vec::new(),
            content: Vec::new(),
            size: 0,
            lost: false,
        }
    }

    /// The next bytes of the body.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Part<'_>)) {
        let mut joined = std::mem::take(&mut self.tail);
        // Only what may be the beginning of a delimiter is copied; a piece joins it once.
        let mut rest = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            joined.as_slice()
        };
        while !rest.is_empty() {
            rest = match self.state {
                PartState::Epilogue => return,
                PartState::Delimiter => self.delimiter_line(rest),
                PartState::Head => self.head(rest),
                PartState::Preamble | PartState::Content => self.content(rest, sink),
            };
        }
    }

    /// What follows the boundary: two dashes end the body, a line break begins a part.
    fn delimiter_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if bytes.starts_with(b"--") {
            self.state = PartState::Epilogue;
            return &[];
        }
        self.head.clear();
        let (line, rest) = match Line::of(bytes, BODY_PART_HEADERS) {
            Line::Whole(line, rest) => (line, rest),
            Line::Open => return self.wait(bytes),
            Line::TooLong(rest) => return self.give_up(rest),
        };
        // Or else the boundary is the beginning of something longer.
        let ends = line.iter().all(u8::is_ascii_whitespace);
        self.state = if ends { PartState::Head } else { PartState::Preamble };
        rest
    }

    fn head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (line, rest) = match Line::of(bytes, BODY_PART_HEADERS.saturating_sub(self.head.len())) {
            Line::Whole(line, rest) => (line, rest),
            Line::Open => return self.wait(bytes),
            Line::TooLong(rest) => return self.give_up(rest),
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            // What follows may be a delimiter at once: the break before it is this line's.
            self.state = PartState::Content;
            (self.size, self.lost, self.content) = (0, false, Vec::new());
        } else {
            self.head.extend_from_slice(line);
        }
        rest
    }

    /// The line goes on in what comes next.
    fn wait<'b>(&mut self, line: &[u8]) -> &'b [u8] {
        self.tail = line.to_vec();
        &[]
    }

    /// The line is no part's.
    fn give_up<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        self.state = PartState::Preamble;
        rest
    }

    fn content<'b>(&mut self, bytes: &'b [u8], sink: &mut dyn FnMut(Part<'_>)) -> &'b [u8] {
        if let Some(at) = self.delimiter.find(bytes) {
            let (content, rest) = bytes.split_at(at);
            self.take(content);
            self.emit(sink);
            self.state = PartState::Delimiter;
            return rest.get(self.delimiter.needle().len()..).unwrap_or_default();
        }
        // The end may be the beginning of a delimiter.
        let from = bytes.len().saturating_sub(self.delimiter.needle().len() - 1);
        let (sure, unsure) = bytes.split_at(from);
        let open = memchr::memchr(b'\r', unsure).unwrap_or(unsure.len());
        let (more, unsure) = unsure.split_at(open);
        self.take(sure);
        self.take(more);
        self.tail = unsure.to_vec();
        &[]
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.state == PartState::Content {
            self.size = self.size.saturating_add(bytes.len() as u64);
            if !self.lost {
                let room = self.limit.saturating_sub(self.content.len());
                self.content.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
        }
    }

    fn emit(&mut self, sink: &mut dyn FnMut(Part<'_>)) {
        if self.state != PartState::Content {
            return;
        }
        let head = String::from_utf8_lossy(&self.head);
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(field, _)| field.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let disposition = field("content-disposition").unwrap_or_default();
        sink(Part {
            name: parameter(disposition, "name"),
            filename: parameter(disposition, "filename"),
            content_type: field("content-type").map(str::to_owned),
            size: self.size,
            content: &self.content,
            truncated: !self.lost && self.size > self.content.len() as u64,
            lost: self.lost,
        });
        self.content = Vec::new();
    }

    /// Bytes that are not in the capture: the part that they are in ends before them.
    pub fn gap(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        match self.state {
            PartState::Content => {
                self.take(&tail);
                self.lost = true;
            }
            PartState::Epilogue => {}
            _ => self.state = PartState::Preamble,
        }
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.tail.capacity() + self.head.capacity() + self.content.capacity()
    }
}

/// A parameter of `content-disposition`.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    // Its syntax is that of a media type's.
    let at = disposition.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = disposition.get(..*at).unwrap_or_default().trim_end();
        let after = disposition.get(at + name.len()..).unwrap_or_default().trim_start();
        before.ends_with(';') && after.starts_with('=')
    })?;
    let value = disposition.get(at + name.len()..)?.trim_start().strip_prefix('=')?;
    MediaType::parse(format!("x/x; charset={value}").as_bytes()).charset
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = "preamble\r\n--b\r\nContent-Disposition: form-data; filename=\"n;ame.txt\"; name=\"a\"\r\n\
        Content-Type: text/plain\r\n\r\none\r\n--bee\r\n\r\n--b \r\n\r\n\r\n--b\r\ncontent-type:application/json\r\n\r\n\
        {}\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno part\r\n--b--";

    type Told = (Option<String>, Option<String>, Option<String>, Vec<u8>, u64);

    fn told(part: Part<'_>) -> Told {
        (part.name, part.filename, part.content_type, part.content.to_vec(), part.size)
    }

    fn parts(body: &[u8], piece: usize) -> Vec<Told> {
        let (mut multipart, mut found) = (Multipart::new("b", 1000), Vec::new());
        body.chunks(piece.max(1)).for_each(|piece| multipart.push(piece, &mut |part| found.push(told(part))));
        found
    }

    #[test]
    fn parts_are_found_however_they_are_cut() {
        let some = |text: &str| Some(text.to_owned());
        let whole = parts(BODY.as_bytes(), BODY.len());
        assert_eq!(whole[0], (some("a"), some("n;ame.txt"), some("text/plain"), b"one".to_vec(), 3));
        for piece in 1..BODY.len() {
            assert_eq!(parts(BODY.as_bytes(), piece), whole, "pieces of {piece}");
        }
        assert_eq!(parts(b"--b\r\n\r\nx\r\n--b--", 3), [(None, None, None, b"x".to_vec(), 1)]);
    }

    #[test]
    fn cap_body_part_headers() {
        for (length, expected) in [(BODY_PART_HEADERS - 4, 1), (BODY_PART_HEADERS + 1, 0)] {
            let body = format!("--b\r\nx: {}\r\n\r\ncontent\r\n--b--", "y".repeat(length - 5));
            assert_eq!(parts(body.as_bytes(), body.len()).len(), expected, "{length}");
            assert_eq!(parts(body.as_bytes(), 1000).len(), expected, "{length}");
        }
    }

    #[test]
    fn long_lines_are_the_same_however_they_are_cut() {
        for length in BODY_PART_HEADERS - 4..BODY_PART_HEADERS + 4 {
            for filler in [" ", "x", "\r"] {
                let long = filler.repeat(length);
                for body in [
                    format!("--b{long}\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--"),
                    format!("--b\r\n{long}\r\none\r\n--b\r\n\r\ntwo\r\n--b--"),
                    format!("--b\r\nx: y\r\n{long}\n--b\r\n\r\ntwo\r\n--b--"),
                ] {
                    let whole = parts(body.as_bytes(), body.len());
                    for piece in [1, 2, 7, 1000] {
                        assert_eq!(
                            parts(body.as_bytes(), piece),
                            whole,
                            "{length} {filler:?}, pieces of {piece}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_behind_a_hole_joins_what_is_before_it() {
        let (mut multipart, mut found) = (Multipart::new("b", 3), Vec::new());
        let mut sink = |part: Part<'_>| found.push((part.content.to_vec(), part.lost, part.truncated));
        multipart.push(b"--b\r\n\r\nab", &mut sink);
        multipart.gap();
        multipart.push(b"cd\r\n--b\r\n\r\nabcd\r\n--b\r\nx: y", &mut sink);
        multipart.gap();
        multipart.push(b"\r\n\r\nno\r\n--b\r\n\r\nz\r\n--b", &mut sink);
        let expected =
            [(b"ab".to_vec(), true, false), (b"abc".to_vec(), false, true), (b"z".to_vec(), false, false)];
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn a_body_cut_anywhere_gives_a_prefix(
            body in "(\r\n|--b|--|\r|x|\n|\r\n--b\r\n\r\n|a: b){0,30}",
            cut in 0.0_f64..1.0,
            piece in 1_usize..9,
        ) {
            let whole = parts(body.as_bytes(), body.len());
            prop_assert_eq!(&parts(body.as_bytes(), piece), &whole);
            let cut = (body.len() as f64 * cut) as usize;
            prop_assert!(whole.starts_with(&parts(&body.as_bytes()[..cut], piece)));
        }
    }
}
