//! JSON lines (`application/x-ndjson` and the like) and JSON text sequences (RFC 7464): one text a line or record.

/// Finds the texts in a body.
#[derive(Debug)]
pub struct Lines {
    /// LF, or the record separator.
    separator: u8,
    limit: usize,
    held: Vec<u8>,
    long: bool,
    /// The beginning of what comes now was lost.
    astray: bool,
}

/// A text, or that there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes, up to the limit.
    pub bytes: &'a [u8],
    /// There was more of it.
    pub truncated: bool,
}

impl Lines {
    /// Lines that end with LF. Those of up to `limit` bytes are kept whole.
    pub fn new(limit: usize) -> Self {
        Self { separator: b'\n', limit, held: Vec::new(), long: false, astray: false }
    }

    /// Texts that begin with RS.
    pub fn sequence(limit: usize) -> Self {
        Self { separator: 0x1e, ..Self::new(limit) }
    }

    /// The next bytes of the body.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Line<'_>)) {
        while let Some(at) = memchr::memchr(self.separator, bytes) {
            let (line, rest) = bytes.split_at(at);
            bytes = rest.get(1..).unwrap_or_default();
            if self.held.is_empty() && !self.long && line.len() <= self.limit {
                self.emit(line, sink);
            } else {
                self.extend(line);
                self.end(sink);
            }
        }
        self.extend(bytes);
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.long |= bytes.len() > room;
    }

    fn end(&mut self, sink: &mut dyn FnMut(Line<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.emit(&held, sink);
    }

    fn emit(&mut self, line: &[u8], sink: &mut dyn FnMut(Line<'_>)) {
        let truncated = std::mem::take(&mut self.long);
        let bytes = line.trim_ascii();
        if !std::mem::take(&mut self.astray) && !bytes.is_empty() {
            sink(Line { bytes, truncated });
        }
    }

    /// Bytes that are not in the capture. What stands before the next separator is not told.
    pub fn gap(&mut self) {
        (self.held, self.long, self.astray) = (Vec::new(), false, true);
    }

    /// The body is over, and nothing of its end was missed: the last line need not end with a separator.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Line<'_>)) {
        self.end(sink);
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.held.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(mut lines: Lines, body: &[u8], piece: usize, finish: bool) -> Vec<(Vec<u8>, bool)> {
        let mut found = Vec::new();
        let mut sink = |line: Line<'_>| found.push((line.bytes.to_vec(), line.truncated));
        body.chunks(piece.max(1)).for_each(|piece| lines.push(piece, &mut sink));
        if finish {
            lines.finish(&mut sink);
        }
        found
    }

    #[test]
    fn texts_are_found_by_their_separator() {
        let expected = [(b"1".to_vec(), false), (b"{\"a\":2}".to_vec(), false), (b"3".to_vec(), false)];
        for piece in 1..20 {
            assert_eq!(lines(Lines::new(100), b"1\r\n\n{\"a\":2}\n3", piece, true), expected);
            assert_eq!(lines(Lines::sequence(100), b"\x1e1\n\x1e{\"a\":2}\n\x1e3\n", piece, true), expected);
            assert_eq!(lines(Lines::new(100), b"1\n{\"a\":2}\n3", piece, false), expected[..2]);
        }
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(
            lines(Lines::new(3), b"abcdef\nab\n", 2, true),
            [(b"abc".to_vec(), true), (b"ab".to_vec(), false)]
        );
        assert_eq!(
            lines(Lines::new(3), b"abcdef\nab\n", 20, true),
            [(b"abc".to_vec(), true), (b"ab".to_vec(), false)]
        );
    }

    #[test]
    fn nothing_behind_a_hole_joins_what_is_before_it() {
        let (mut lines, mut found) = (Lines::new(100), Vec::new());
        let mut sink = |line: Line<'_>| found.push(line.bytes.to_vec());
        lines.push(b"1\n2", &mut sink);
        lines.gap();
        lines.push(b"2\n3\n", &mut sink);
        assert_eq!(found, [b"1", b"3"]);
    }

    proptest! {
        #[test]
        fn a_body_cut_anywhere_gives_a_prefix(body in "[a\n\r\x1e]{0,40}", cut in 0_usize..40, piece in 1_usize..9) {
            let whole = lines(Lines::new(7), body.as_bytes(), 100, false);
            prop_assert_eq!(&lines(Lines::new(7), body.as_bytes(), piece, false), &whole);
            let cut = cut.min(body.len());
            prop_assert!(whole.starts_with(&lines(Lines::new(7), &body.as_bytes()[..cut], piece, false)));
        }
    }
}
