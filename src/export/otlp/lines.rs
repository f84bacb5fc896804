//! Spans of one resource together, in lines of so many.

use crate::base::tuning::{OTLP_LINE_BYTES, OTLP_LINE_SPANS};

/// The scope that spans stand in, up to the first of them.
const SCOPE: &str =
    concat!(r#"{"scope":{"name":"h2lens","version":""#, env!("CARGO_PKG_VERSION"), r#""},"spans":["#);

/// The line that is being filled.
#[derive(Debug, Default)]
pub(in crate::export) struct Lines {
    /// Attributes of a resource, and its spans with commas between them; in the order in which they first came.
    resources: Vec<(Vec<u8>, Vec<u8>)>,
    spans: usize,
    bytes: usize,
}

impl Lines {
    /// Takes what [`super::span`] has written. A line that is full is appended to `out`.
    pub(in crate::export) fn take(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        let text = text.trim_ascii_end();
        let Some((resource, span)) = memchr::memchr(b'\n', text).and_then(|at| text.split_at_checked(at))
        else {
            return;
        };
        let span = span.trim_ascii_start();
        match self.resources.iter_mut().find(|(known, _)| known == resource) {
            Some((_, spans)) => {
                spans.push(b',');
                spans.extend_from_slice(span);
            }
            None => self.resources.push((resource.to_vec(), span.to_vec())),
        }
        self.spans += 1;
        self.bytes += text.len();
        if self.spans >= OTLP_LINE_SPANS || self.bytes >= OTLP_LINE_BYTES {
            self.end(out);
        }
    }

    /// Appends the line as far as it is filled, if there is anything in it.
    pub(in crate::export) fn end(&mut self, out: &mut Vec<u8>) {
        if self.spans == 0 {
            return;
        }
        out.extend_from_slice(b"{\"resourceSpans\":[");
        for (at, (resource, spans)) in self.resources.drain(..).enumerate() {
            out.extend_from_slice(if at == 0 { b"" } else { b"," });
            out.extend_from_slice(b"{\"resource\":{\"attributes\":");
            out.extend_from_slice(&resource);
            out.extend_from_slice(b"},\"scopeSpans\":[");
            out.extend_from_slice(SCOPE.as_bytes());
            out.extend_from_slice(&spans);
            out.extend_from_slice(b"]}]}");
        }
        out.extend_from_slice(b"]}\n");
        (self.spans, self.bytes) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_one_resource_stand_together_and_lines_are_bounded() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for count in 0..OTLP_LINE_SPANS + 3 {
            let text = format!("[{}]\n{{\"spanId\":{count}}}\n", count % 2);
            lines.take(&mut out, text.as_bytes());
        }
        lines.end(&mut out);
        lines.end(&mut out);
        let text = String::from_utf8(out).unwrap();
        let counts: Vec<_> = text.lines().map(|line| line.matches("spanId").count()).collect();
        assert_eq!(counts, [OTLP_LINE_SPANS, 3]);
        assert!(text.lines().all(|line| line.matches("\"resource\"").count() == 2));
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"], 514);
    }

    #[test]
    fn long_spans_end_a_line_early() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        let text = format!("[]\n\"{}\"\n", "x".repeat(OTLP_LINE_BYTES));
        lines.take(&mut out, text.as_bytes());
        assert!(out.ends_with(b"\n") && out.len() > OTLP_LINE_BYTES);
    }
}
