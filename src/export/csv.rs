//! CSV (RFC 4180, with `\n` line ends): one kind of record, one column an attribute, named by its jq path.
//!
//! Lists and objects of variable content are JSON text in one cell. A cell whose text begins with `=`, `+`, `-`,
//! `@`, a tab or a line break would be taken for a formula by a spreadsheet: a `'` is put before it. Numbers and
//! times never begin so.

use super::json::Json;
use crate::base::counters::Counters;
use crate::record::Kind;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

const TRANSACTION: &[&str] = &[
    "@timestamp",
    "duration",
    "http.request.method",
    "url.scheme",
    "h2.request.authority",
    "url.path",
    "url.query",
    "http.response.status_code",
    "http.request.body.size",
    "http.response.body.size",
    "client.address",
    "client.port",
    "server.address",
    "server.port",
    "network.protocol.name",
    "network.protocol.version",
    "network.transport",
    "network.type",
    "user_agent.original",
    "rpc.system.name",
    "rpc.method",
    "rpc.response.status_code",
    "h2.grpc.status",
    "h2.grpc.message",
    "h2.grpc.request_messages",
    "h2.grpc.response_messages",
    "tls.protocol.version",
    "tls.cipher",
    "tls.client.server_name",
    "tls.client.alpn",
    "tls.client.ja4",
    "tls.client.ech",
    "tls.next_protocol",
    "tls.resumed",
    "tls.early_data",
    "tls.not_decrypted",
    "error.type",
    "h2.connection.id",
    "h2.stream.id",
    "h2.stream.pushed",
    "h2.stream.parent",
    "h2.stream.end.by",
    "h2.stream.end.how",
    "h2.stream.end.code",
    "h2.timing.ttfb",
    "h2.timing.send",
    "h2.timing.receive",
    "h2.complete",
    "h2.partial_reason",
    "h2.unknown",
    "h2.packets.first",
    "h2.packets.last",
    "h2.packets.input",
    "h2.packets.first_in_input",
    "h2.lossy_text",
    "h2.request.protocol",
    "h2.request.headers",
    "h2.request.trailers",
    "h2.response.headers",
    "h2.response.trailers",
    "h2.response.interim",
];

const CONNECTION: &[&str] = &[
    "@timestamp",
    "duration",
    "client.address",
    "client.port",
    "server.address",
    "server.port",
    "network.community_id",
    "network.protocol.name",
    "network.protocol.version",
    "network.transport",
    "network.type",
    "tls.protocol.version",
    "tls.cipher",
    "tls.client.server_name",
    "tls.client.alpn",
    "tls.client.ja4",
    "tls.client.ech",
    "tls.next_protocol",
    "tls.resumed",
    "tls.early_data",
    "tls.not_decrypted",
    "h2.connection.id",
    "h2.connection.input",
    "h2.how",
    "h2.upgrade_declined",
    "h2.transactions",
    "h2.streams.opened",
    "h2.streams.max_concurrent",
    "h2.settings.client",
    "h2.settings.server",
    "h2.frames.client",
    "h2.frames.server",
    "h2.goaway",
    "h2.limited",
    "h2.hpack.client.wire_bytes",
    "h2.hpack.client.decoded_bytes",
    "h2.hpack.server.wire_bytes",
    "h2.hpack.server.decoded_bytes",
    "h2.end.by",
    "h2.end.how",
    "h2.end.code",
    "h2.lossy_text",
    "tcp.client.segments",
    "tcp.client.bytes",
    "tcp.client.retransmitted",
    "tcp.client.out_of_order",
    "tcp.client.gaps",
    "tcp.client.gap_bytes",
    "tcp.server.segments",
    "tcp.server.bytes",
    "tcp.server.retransmitted",
    "tcp.server.out_of_order",
    "tcp.server.gaps",
    "tcp.server.gap_bytes",
];

const FRAME: &[&str] = &[
    "@timestamp",
    "packet",
    "h2.connection.id",
    "h2.stream.id",
    "h2.frame.from",
    "h2.frame.type",
    "h2.frame.type_id",
    "h2.frame.flags",
    "h2.frame.length",
    "h2.frame.reserved",
    "h2.frame.padding_length",
    "h2.frame.data_length",
    "h2.frame.priority.exclusive",
    "h2.frame.priority.dependency",
    "h2.frame.priority.weight",
    "h2.frame.promised_stream_id",
    "h2.frame.prioritized_stream_id",
    "h2.frame.fragment_length",
    "h2.frame.last_stream_id",
    "h2.frame.code",
    "h2.frame.debug",
    "h2.frame.settings",
    "h2.frame.opaque",
    "h2.frame.increment",
    "h2.frame.origin",
    "h2.frame.origins",
    "h2.frame.value",
    "h2.lossy_text",
];

const FINDING: &[&str] = &[
    "@timestamp",
    "code",
    "severity",
    "rfc",
    "from",
    "count",
    "client.address",
    "client.port",
    "server.address",
    "server.port",
    "h2.connection.id",
    "h2.stream.id",
    "h2.packets.first",
    "h2.packets.last",
];

/// The columns of the agent's view, after its counters.
const AGENT: [&str; 12] = [
    "agent.emitted",
    "agent.transactions",
    "agent.missed",
    "agent.spurious",
    "agent.user.hits",
    "agent.user.hits_by_status",
    "agent.user.aggregations",
    "agent.user.dropped",
    "agent.user.rejected",
    "agent.user.malformed",
    "agent.user.malformed_by_type",
    "agent.user.incomplete",
];

const COVERAGE: &[&str] = &[
    "coverage.packets",
    "coverage.bytes",
    "coverage.payload_bytes",
    "coverage.packets_with_http2",
    "coverage.connections.http2",
    "coverage.connections.one_sided",
    "coverage.connections.tls_undecrypted",
    "coverage.connections.other",
    "coverage.not_decrypted",
    "coverage.bytes_http2",
    "coverage.gap_bytes",
    "coverage.skipped_bytes",
    "coverage.header_blocks.decoded",
    "coverage.header_blocks.partial",
    "coverage.header_blocks.lost",
    "coverage.transactions.complete",
    "coverage.transactions.incomplete",
    "coverage.missed_requests",
    "coverage.parse_errors",
    "coverage.truncated_packets",
    "coverage.damaged_inputs",
    "coverage.skipped_packets",
    "coverage.dropped_by_kernel",
    "coverage.dropped_records",
    "coverage.limits",
    "coverage.complete",
];

/// The columns of one kind of record.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<Cow<'static, str>>,
    by_name: HashMap<Cow<'static, str>, usize>,
    /// The record as JSON, and where in it each column's value stands; used again for every row.
    json: Vec<u8>,
    cells: Vec<Range<usize>>,
}

impl Columns {
    /// The columns of a kind of record.
    pub(super) fn of(kind: Kind) -> Self {
        let names = match kind {
            Kind::Transaction => TRANSACTION,
            Kind::Connection => CONNECTION,
            Kind::Frame => FRAME,
            Kind::Finding => FINDING,
        };
        Self::new(names.iter().copied().map(Cow::Borrowed).collect())
    }

    /// The columns of the telemetry record.
    pub(super) fn of_telemetry() -> Self {
        let counters = |view: &'static str, side: &'static str| {
            Counters::default().entries().map(move |(name, _)| Cow::Owned(format!("{view}.{side}.{name}")))
        };
        let mut names: Vec<Cow<'static, str>> = Vec::new();
        names.extend(counters("exact", "plaintext"));
        names.extend(counters("exact", "tls"));
        names.push(Cow::Borrowed("agent.rules"));
        names.extend(counters("agent", "plaintext"));
        names.extend(counters("agent", "tls"));
        names.extend(AGENT.map(Cow::Borrowed));
        names.extend(COVERAGE.iter().copied().map(Cow::Borrowed));
        Self::new(names)
    }

    fn new(names: Vec<Cow<'static, str>>) -> Self {
        let by_name = names.iter().cloned().zip(0..).collect();
        Self { names, by_name, json: Vec::new(), cells: Vec::new() }
    }

    /// Appends the header row.
    pub(super) fn header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.names.join(",").as_bytes());
        out.push(b'\n');
    }

    /// Appends a record's row.
    pub(super) fn row(&mut self, out: &mut Vec<u8>, record: &impl Json) {
        self.json.clear();
        record.write(&mut self.json);
        self.cells.clear();
        self.cells.resize(self.names.len(), 0..0);
        let (by_name, cells) = (&self.by_name, &mut self.cells);
        let mut scan = Scan { json: &self.json, at: 0, path: String::new() };
        scan.object(&mut |path, range| match by_name.get(path).and_then(|&column| cells.get_mut(column)) {
            Some(cell) => {
                *cell = range;
                true
            }
            None => false,
        });
        for cell in &self.cells {
            push_cell(out, self.json.get(cell.clone()).unwrap_or_default());
            out.push(b',');
        }
        if let Some(last) = out.last_mut() {
            *last = b'\n';
        }
    }
}

/// Finds the members of an object in the compact JSON that [`super::json`] writes: no white space, no escapes in keys.
struct Scan<'a> {
    json: &'a [u8],
    at: usize,
    path: String,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// At `{`: tells `found` the path and the place of each member, and goes into those objects for which it
    /// returns false. Leaves behind the `}`.
    fn object(&mut self, found: &mut impl FnMut(&str, Range<usize>) -> bool) {
        self.at += 1;
        while self.peek() == Some(b'"') {
            let parent = self.path.len();
            if parent > 0 {
                self.path.push('.');
            }
            let key = self.value();
            let key = self.json.get(key.start + 1..key.end - 1).unwrap_or_default();
            self.path.push_str(std::str::from_utf8(key).unwrap_or_default());
            self.at += 1; // the colon
            let start = self.at;
            let value = self.value();
            if !found(&self.path, value) && self.json.get(start) == Some(&b'{') {
                self.at = start;
                self.object(found);
            }
            self.path.truncate(parent);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// Passes a value and returns its place.
    fn value(&mut self) -> Range<usize> {
        let start = self.at;
        let mut depth = 0u32;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 0 => depth -= 1,
                b',' | b'}' | b']' | b':' if depth == 0 => break,
                _ => (),
            }
            self.at += 1;
        }
        start..self.at
    }

    /// At a quote: goes to the quote that ends the string.
    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

/// Appends a JSON value as a cell.
fn push_cell(out: &mut Vec<u8>, value: &[u8]) {
    if value.first() != Some(&b'"') {
        return push_quoted(out, value);
    }
    let text = unescape(value);
    if matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n')) {
        push_quoted(out, &[b"'", text.as_slice()].concat());
    } else {
        push_quoted(out, &text);
    }
}

/// A JSON string's text; [`super::json`] writes no other escapes than these. Control characters but tabs and line ends,
/// and what else would act on a terminal, stay escaped.
fn unescape(value: &[u8]) -> Vec<u8> {
    let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match if byte == b'\\' { bytes.next().copied() } else { None } {
            None => text.push(byte),
            Some(b'n') => text.push(b'\n'),
            Some(b'r') => text.push(b'\r'),
            Some(b't') => text.push(b'\t'),
            Some(escape @ (b'b' | b'f' | b'u')) => text.extend([b'\\', escape]),
            Some(other) => text.push(other),
        }
    }
    text
}

/// Appends text, in quotes where RFC 4180 wants them.
fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
