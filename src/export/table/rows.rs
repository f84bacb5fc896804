//! Records → rows.

use super::{CELL, Class, EXTRA, REPEATS};
use crate::base::direction::PerDirection;
use crate::base::endpoint::Endpoint;
use crate::base::limits::{TABLE_CELL_CHARS, TABLE_LINE_CHARS};
use crate::export::Options;
use crate::export::sanitize::push_visible;
use crate::http2::frame::{self, FrameHeader, FrameView, Payload, flag_name, settings};
use crate::record::value::ErrorCode;
use crate::record::{
    Blocked, ConnectionMeta, ConnectionRecord, ConnectionTiming, EndBy, EndHow, Failure, Field, Fields,
    Finding, REDACTED, Recognition, StreamEnd, TimePart, TimeParts, TransactionView, is_secret,
};
use std::fmt::{Display, Write};

/// A row that is being made.
pub(super) struct Row {
    pub(super) text: String,
}

impl Row {
    pub(super) fn new(class: Class) -> Self {
        let mut text = String::with_capacity(256);
        text.push(class.code());
        Self { text }
    }

    /// Our own words and numbers.
    pub(super) fn cell(&mut self, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{value}");
        self.text.push(CELL);
    }

    pub(super) fn optional(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.cell(value),
            None => self.text.push(CELL),
        }
    }

    /// Text from the wire, in pieces that make up one cell.
    pub(super) fn visible<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        for piece in pieces {
            push_visible(&mut self.text, piece, TABLE_CELL_CHARS);
        }
        self.text.push(CELL);
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if self.text.ends_with(CELL) {
            self.text.pop();
        }
        self.text.push('\n');
        out.extend_from_slice(self.text.as_bytes());
    }
}

/// Appends a transaction's row; the agent's verdict is put in when it is printed.
pub(in crate::export) fn transaction(out: &mut Vec<u8>, view: &TransactionView<'_>, options: &Options) {
    let transaction = view.transaction;
    let mut row = Row::new(class(view));
    row.cell(options.zone.at(transaction.first.time));
    row.cell(Socket(view.connection.client));
    row.cell(Socket(view.connection.server));
    row.cell(view.connection.id);
    row.cell(transaction.stream);
    row.visible(view.method);
    row.optional(view.status);
    row.cell(Span(transaction.duration().as_nanos() as u64));
    row.optional(transaction.time.as_ref().and_then(|time| Where::of(&time.parts)));
    row.optional(transaction.request.seen.then_some(Size(transaction.request.body)));
    row.optional(transaction.response.seen.then_some(Size(transaction.response.body)));
    row.cell(note(view));
    row.cell(""); // agent
    if let Some(authority) = view.authority {
        push_visible(&mut row.text, authority, TABLE_CELL_CHARS);
        if is_server(authority, view.scheme, view.connection.server) && view.path.is_some() {
            row.text.push(REPEATS);
        }
    }
    let mark = view.query.map(|_| &b"?"[..]);
    row.visible([view.path, mark, view.query].into_iter().flatten());
    if options.wanted.headers {
        row.text.pop();
        fields(&mut row, '>', &transaction.request.headers, options);
        fields(&mut row, '>', &transaction.request.trailers, options);
        fields(&mut row, '<', &transaction.response.headers, options);
        fields(&mut row, '<', &transaction.response.trailers, options);
    }
    if let Some(contents) = &transaction.contents {
        if row.text.ends_with(CELL) {
            row.text.pop();
        }
        super::contents::excerpts(&mut row.text, contents, transaction.first.time);
    }
    row.finish(out);
}

/// Adds header fields, each on a line below the row.
fn fields(row: &mut Row, mark: char, fields: &Fields, options: &Options) {
    for one in fields.iter() {
        let _ = write!(row.text, "{EXTRA}  {mark} ");
        field(&mut row.text, &one, options);
    }
}

/// Appends a field line as it may be shown.
pub(super) fn field(text: &mut String, field: &Field<'_>, options: &Options) {
    push_visible(text, field.name.unwrap_or(b"?"), TABLE_CELL_CHARS);
    text.push_str(": ");
    let value = match field.value {
        Some(_) if !options.show_secrets && is_secret(field.name) => REDACTED.as_bytes(),
        value => value.unwrap_or(b"?"),
    };
    push_visible(text, value, TABLE_LINE_CHARS);
}

/// The authority is the server's address and port; the port may be left out where it is the scheme's own.
fn is_server(authority: &[u8], scheme: Option<&[u8]>, server: Endpoint) -> bool {
    let Ok(authority) = std::str::from_utf8(authority) else { return false };
    let is_default = matches!((scheme, server.port), (Some(b"http"), 80) | (Some(b"https"), 443));
    let socket = Socket(server).to_string();
    let host = socket.rsplit_once(':').map(|(host, _)| host);
    authority == socket || (is_default && host == Some(authority))
}

/// What is not known wholly is not shown as if all were well.
pub(super) fn class(view: &TransactionView<'_>) -> Class {
    match (view.failure(), view.status) {
        (Some(_), Some(400..=499)) => Class::ClientError,
        (Some(_), _) => Class::Error,
        (None, Some(200..=299)) if view.transaction.partial.is_empty() => Class::Success,
        (None, Some(200..=299) | None) => Class::Plain,
        (None, Some(_)) => Class::Other,
    }
}

/// What is worth saying beside the status: an error, an end that is not END_STREAM, what is missing.
fn note(view: &TransactionView<'_>) -> String {
    let transaction = view.transaction;
    let mut note = String::new();
    let mut add = |text: &str| {
        if !note.is_empty() {
            note.push_str(", ");
        }
        note.push_str(text);
    };
    if transaction.pushed {
        add("pushed");
    }
    let failure = view.failure();
    match failure {
        // Its own column, and the end below, say the others.
        None | Some(Failure::Status(_) | Failure::Code(_)) => (),
        Some(failure) => add(&failure.name()),
    }
    let told = matches!(failure, Some(Failure::ConnectionReset | Failure::ConnectionClosed));
    if let Some(end) = end(transaction.end).filter(|_| !told) {
        add(&end);
    }
    for reason in transaction.partial.names() {
        add(reason);
    }
    note
}

/// An end that is not the usual one, in words.
pub(super) fn end(end: StreamEnd) -> Option<String> {
    let by = match end.by {
        EndBy::Client | EndBy::Server => format!(" by {}", end.by.name()),
        EndBy::Tcp | EndBy::Capture => String::new(),
    };
    Some(match (end.how, end.code) {
        (EndHow::EndStream, _) => return None,
        (EndHow::RstStream, Some(code)) => format!("{}{by}", ErrorCode(code).name()),
        (EndHow::Goaway, Some(code)) => format!("goaway {}{by}", ErrorCode(code).name()),
        (EndHow::Eof, _) => "open at the end".to_owned(),
        (how, _) => format!("{}{by}", how.name()),
    })
}

/// Appends a connection's row.
pub(in crate::export) fn connection(out: &mut Vec<u8>, connection: &ConnectionRecord, options: &Options) {
    let meta = &connection.meta;
    let tcp = connection.tcp.as_ref().map(|PerDirection { forward, backward }| {
        if meta.client_is_forward { (forward, backward) } else { (backward, forward) }
    });
    let gaps = tcp.map(|(sent, received)| sent.gaps + received.gaps);
    let is_error = connection.end.how == EndHow::Rst || gaps.is_some_and(|gaps| gaps > 0);
    let mut row = Row::new(if is_error { Class::Error } else { Class::Plain });
    row.cell(options.zone.at(connection.first.time));
    row.cell(meta.id);
    row.cell(Socket(meta.client));
    row.cell(Socket(meta.server));
    row.cell(match (connection.is_http2, &meta.tls, connection.upgrade_declined) {
        (true, Some(_), _) => "h2",
        (true, None, _) => "h2c",
        (false, Some(_), _) => "tls",
        (false, None, true) => "http/1.1",
        (false, None, false) => "",
    });
    row.optional(connection.how.map(Recognition::name));
    row.optional(connection.how.map(|_| connection.streams_opened));
    row.optional(tcp.map(|(sent, _)| Size(sent.bytes)));
    row.optional(tcp.map(|(_, received)| Size(received.bytes)));
    row.optional(gaps);
    row.cell(Span(connection.last.time.since(connection.first.time).as_nanos() as u64));
    let timing = &connection.timing;
    let round_trip = timing.rtt_client.zip(timing.rtt_server).map(|(client, server)| client + server);
    row.optional(round_trip.map(|time| Span(time.as_nanos() as u64)));
    row.optional(blocked(timing));
    row.cell(match connection.end.how {
        EndHow::Eof => "open at the end".to_owned(),
        how => format!("{} by {}", how.name(), connection.end.by.name()),
    });
    let tls = meta.tls.as_deref();
    let word = |word: Option<&'static str>| word.map(str::as_bytes);
    let name = tls.and_then(|tls| tls.server_name.as_deref()).map(str::as_bytes);
    let parts = [word(tls.and_then(|tls| tls.version)), name, word(tls.and_then(|tls| tls.cipher))];
    row.visible(parts.into_iter().flatten().flat_map(|part| [part, b" "]));
    row.finish(out);
}

/// What most kept a side from sending, and for how long.
fn blocked(timing: &ConnectionTiming) -> Option<String> {
    let sides = [("client", timing.client_blocked), ("server", timing.server_blocked)];
    let all = sides.into_iter().flat_map(|(side, blocked)| {
        let Blocked { stream_window, connection_window, tcp_loss, tcp_window } = blocked;
        [
            (side, TimePart::StreamWindow, stream_window),
            (side, TimePart::ConnectionWindow, connection_window),
            (side, TimePart::TcpLoss, tcp_loss),
            (side, TimePart::TcpWindow, tcp_window),
        ]
    });
    let (side, part, nanos) = all.max_by_key(|&(_, _, nanos)| nanos).filter(|&(_, _, nanos)| nanos > 0)?;
    Some(format!("{side}: {} {}", part.called(), Span(nanos)))
}

/// Appends a frame's row.
pub(in crate::export) fn frame(
    out: &mut Vec<u8>,
    connection: &ConnectionMeta,
    frame: &FrameView<'_>,
    payload: Option<&Payload<'_>>,
    options: &Options,
) {
    let header = &frame.header;
    let class = match header.kind {
        frame::FrameType::RST_STREAM | frame::FrameType::GOAWAY => Class::Error,
        frame::FrameType::HEADERS | frame::FrameType::PUSH_PROMISE => Class::Other,
        _ => Class::Plain,
    };
    let mut row = Row::new(class);
    row.cell(options.zone.at(frame.at.time));
    row.cell(frame.at.packet);
    row.cell(connection.id);
    row.cell(header.stream);
    row.cell(if frame.from_client { "client" } else { "server" });
    match header.kind.name() {
        Some(name) => row.cell(name),
        None => row.cell(format_args!("{:#04x}", header.kind.0)),
    }
    row.cell(header.length);
    row.cell(flags(header));
    if let Some(payload) = payload {
        carries(&mut row, payload);
    }
    row.finish(out);
}

/// The flags that are set.
pub(super) fn flags(header: &FrameHeader) -> String {
    let mut flags = String::new();
    for bit in (0..8).filter(|&bit| header.flags.has(1 << bit)) {
        let space = if flags.is_empty() { "" } else { " " };
        let _ = match flag_name(header.kind, bit) {
            Some(name) => write!(flags, "{space}{name}"),
            None => write!(flags, "{space}{:#x}", 1 << bit),
        };
    }
    flags
}

/// The cell that says what a frame carries.
pub(super) fn carries(row: &mut Row, payload: &Payload<'_>) {
    let padding =
        |padding: Option<u8>| padding.map_or(String::new(), |padding| format!(" padding={padding}"));
    let priority = |priority: &frame::Priority| {
        let exclusive = if priority.exclusive { " exclusive" } else { "" };
        format!("weight={} depends_on={}{exclusive}", priority.weight, priority.dependency)
    };
    match payload {
        Payload::Data(data) => row.cell(format_args!("data={}{}", data.data_length, padding(data.padding))),
        Payload::Headers(headers) => {
            let priority =
                headers.priority.as_ref().map_or(String::new(), |own| format!(" {}", priority(own)));
            row.cell(format_args!(
                "fragment={}{}{priority}",
                headers.fragment_length,
                padding(headers.padding)
            ));
        }
        Payload::Priority(own) => row.cell(priority(own)),
        Payload::RstStream(rst) => row.cell(ErrorCode(rst.code).name()),
        Payload::Settings(list) => {
            let mut text = String::new();
            for (identifier, value) in list.iter().take(usize::from(u8::MAX)) {
                let space = if text.is_empty() { "" } else { " " };
                let _ = match settings::name(identifier) {
                    Some(name) => write!(text, "{space}{name}={value}"),
                    None => write!(text, "{space}{identifier:#x}={value}"),
                };
            }
            row.visible([text.as_bytes()]);
        }
        Payload::PushPromise(push) => row.cell(format_args!(
            "promised={} fragment={}{}",
            push.promised_stream,
            push.fragment_length,
            padding(push.padding)
        )),
        Payload::Ping(ping) => row.cell(format_args!("{:016x}", u64::from_be_bytes(ping.opaque))),
        Payload::Goaway(goaway) => {
            let text = format!("last_stream={} {} ", goaway.last_stream, ErrorCode(goaway.code).name());
            row.visible([text.as_bytes(), goaway.debug]);
        }
        Payload::WindowUpdate(update) => row.cell(format_args!("increment={}", update.increment)),
        Payload::Continuation(own) => row.cell(format_args!("fragment={}", own.fragment_length)),
        Payload::AltSvc(altsvc) => row.visible([altsvc.origin, b" ", altsvc.value]),
        Payload::Origin(origins) => {
            row.visible(origins.iter().take(usize::from(u8::MAX)).flat_map(|origin| [origin, b" "]));
        }
        Payload::PriorityUpdate(update) => {
            let text = format!("stream={} ", update.prioritized_stream);
            row.visible([text.as_bytes(), update.value]);
        }
    }
}

/// Appends a finding's row.
pub(in crate::export) fn finding(
    out: &mut Vec<u8>,
    connection: &ConnectionMeta,
    finding: &Finding,
    options: &Options,
) {
    let class = match finding.severity {
        "error" => Class::Error,
        "warning" => Class::ClientError,
        _ => Class::Plain,
    };
    let mut row = Row::new(class);
    row.cell(options.zone.at(finding.first.time));
    row.cell(finding.first.packet);
    row.cell(connection.id);
    row.cell(finding.stream);
    row.cell(if finding.from_client { "client" } else { "server" });
    row.cell(finding.severity);
    row.cell(finding.rfc);
    row.cell(finding.count);
    let said = finding.first_line.as_deref().or(finding.protocol.map(str::as_bytes)).unwrap_or_default();
    row.visible([finding.code.as_bytes(), if said.is_empty() { b"" } else { b" " }, said]);
    row.finish(out);
}

/// The part that most time was spent in: `stream window 71 %`
pub(super) struct Where(TimePart, u64);

impl Where {
    pub(super) fn of(parts: &TimeParts) -> Option<Self> {
        parts.largest().map(|(part, share)| Self(part, share))
    }
}

impl Display for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} %", self.0.called(), self.1)
    }
}

/// `10.0.0.1:80`, `[::1]:80`
pub(super) struct Socket(pub(super) Endpoint);

impl Display for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.0.ip, self.0.port).fmt(f)
    }
}

/// A duration in nanoseconds, with three digits: `1.23 ms`.
pub struct Span(pub u64);

impl Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0..1_000 => write!(f, "{} ns", self.0),
            1_000..59_950_000_000 => scaled(f, self.0, &["ns", "µs", "ms", "s"]),
            nanos => {
                let seconds = nanos / 1_000_000_000 + u64::from(nanos % 1_000_000_000 >= 500_000_000);
                match (seconds / 60, seconds % 60) {
                    (minutes @ ..60, seconds) => write!(f, "{minutes} min {seconds:02} s"),
                    (minutes, _) => write!(f, "{} h {:02} min", minutes / 60, minutes % 60),
                }
            }
        }
    }
}

/// A number of bytes, with three digits: `1.23 kB`.
pub(in crate::export) struct Size(pub(in crate::export) u64);

impl Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        scaled(f, self.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
    }
}

/// Three digits, rounded, and the unit that fits; each unit is a thousand of the one before.
fn scaled(f: &mut std::fmt::Formatter<'_>, value: u64, units: &[&str]) -> std::fmt::Result {
    let (mut scale, mut index) = (1_u128, 0);
    // What would be rounded up to a thousand has the next unit.
    while index + 1 < units.len() && (u128::from(value) * 2 + scale) / (2 * scale) >= 1000 {
        (scale, index) = (scale * 1000, index + 1);
    }
    let unit = units.get(index).copied().unwrap_or_default();
    let rounded = |decimals: u32| (u128::from(value) * 10_u128.pow(decimals) * 2 + scale) / (2 * scale);
    match (index, rounded(2), rounded(1)) {
        (0, ..) => write!(f, "{value} {unit}"),
        (_, hundredths @ ..1000, _) => write!(f, "{}.{:02} {unit}", hundredths / 100, hundredths % 100),
        (_, _, tenths @ ..1000) => write!(f, "{}.{} {unit}", tenths / 10, tenths % 10),
        _ => write!(f, "{} {unit}", rounded(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_the_server_is_recognised() {
        let v4 = |port| Endpoint { ip: [10, 0, 0, 2].into(), port };
        let v6 = |port| Endpoint { ip: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2].into(), port };
        for (authority, scheme, server, same) in [
            ("10.0.0.2:8080", "http", v4(8080), true),
            ("10.0.0.2", "http", v4(80), true),
            ("10.0.0.2", "https", v4(443), true),
            ("10.0.0.2", "https", v4(80), false),
            ("10.0.0.2", "http", v4(8080), false),
            ("[2001:db8::2]:8080", "http", v6(8080), true),
            ("[2001:db8::2]", "https", v6(443), true),
            ("users.example", "https", v4(443), false),
        ] {
            let found = is_server(authority.as_bytes(), Some(scheme.as_bytes()), server);
            assert_eq!(found, same, "{authority} {scheme} {server:?}");
        }
    }

    #[test]
    fn sizes_and_spans_have_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (1234, "1.23 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (9_995, "10.0 kB"),
            (9_994, "9.99 kB"),
            (99_950, "100 kB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
        for (nanos, text) in [
            (0, "0 ns"),
            (1_500, "1.50 µs"),
            (12_300_000, "12.3 ms"),
            (59_949_000_000, "59.9 s"),
            (60_000_000_000, "1 min 00 s"),
            (59_999_999_999, "1 min 00 s"),
            (3_725_000_000_000, "1 h 02 min"),
        ] {
            assert_eq!(Span(nanos).to_string(), text);
        }
    }

    #[test]
    fn the_largest_part_of_the_time_is_named() {
        let mut parts = TimeParts::default();
        assert!(Where::of(&parts).is_none(), "no time, or not known");
        parts.add(TimePart::StreamWindow, 71);
        parts.add(TimePart::Wait, 29);
        assert_eq!(Where::of(&parts).unwrap().to_string(), "stream window 71 %");
    }

    #[test]
    fn addresses_carry_their_port() {
        let socket = |ip: &str| Socket(Endpoint { ip: ip.parse().unwrap(), port: 443 }).to_string();
        assert_eq!((socket("10.0.0.1").as_str(), socket("::1").as_str()), ("10.0.0.1:443", "[::1]:443"));
    }
}
