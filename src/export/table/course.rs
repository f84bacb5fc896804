//! The course of one exchange, as a text for people.

use super::contents::kind;
use super::rows::{self, Row, Size, Socket, Span};
use super::{CELL, Class, style};
use crate::base::limits::{TABLE_CELL_CHARS, TABLE_LINE_CHARS};
use crate::base::time::Timestamp;
use crate::export::Options;
use crate::export::pretty;
use crate::export::sanitize::push_visible;
use crate::http2::frame::{FrameHeader, FrameType, Payload};
use crate::record::{
    Body, BodyMessage, ConnectionMeta, Content, Contents, FieldName, Section, SectionPart, Step, StepKind,
    TimePart, TransactionView,
};
use std::fmt::{Display, Write};
use std::time::Duration;

// Writing to a string cannot fail: the results of `write!` are dropped.

/// What lines begin with that belong to the step above.
const INDENT: &str = "                          ";

/// What time is spent on, in the order of [`TimePart::ALL`].
const SPENT: [&str; TimePart::COUNT] = [
    "waiting",
    "the server's pauses",
    "the client's pauses",
    "no credit on the stream",
    "no credit on the connection",
    "TCP loss",
    "TCP window",
    "other streams",
    "transfer",
];

/// A text that grows line by line.
struct Text<'a> {
    text: String,
    options: &'a Options,
}

impl Text<'_> {
    fn new(options: &Options) -> Text<'_> {
        Text { text: String::new(), options }
    }

    /// Ends a line, without blanks at its end.
    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// A line in the colour of a class.
    fn colored(&mut self, class: Class, line: impl Display) {
        self.styled(style::of(class), line);
    }

    fn styled(&mut self, style: style::Style, line: impl Display) {
        let _ = if self.options.color {
            writeln!(self.text, "{}{line}{}", style.render(), style.render_reset())
        } else {
            writeln!(self.text, "{line}")
        };
    }

    /// A line of text from the wire, behind our own.
    fn visible(&mut self, lead: impl Display, bytes: &[u8]) {
        let _ = write!(self.text, "{lead}");
        push_visible(&mut self.text, bytes, TABLE_LINE_CHARS);
        self.end_line();
    }
}

/// Which exchange it is, and the heads of the columns.
pub(in crate::export) fn heading(connection: &ConnectionMeta, first: &Step, options: &Options) -> Vec<u8> {
    let mut out = Text::new(options);
    let (client, server) = (Socket(connection.client), Socket(connection.server));
    let _ = write!(out.text, "connection {}, stream {}: ", connection.id, first.stream);
    let date = options.zone.at(first.first.time).in_words();
    let _ = writeln!(out.text, "{client} → {server}, {date}\n");
    let head = format!(
        "{:>10}  {:>8}     {:<13} {:>9}  FLAGS, AND WHAT IT CARRIES",
        "TIME", "PACKET", "FRAME", "SIZE"
    );
    out.styled(style::HEADING, head);
    out.text.into_bytes()
}

/// A step, on one line or, with its fields, on several.
pub(in crate::export) fn step(step: &Step, payload: Option<&Payload<'_>>, options: &Options) -> Vec<u8> {
    let mut out = Text::new(options);
    match &step.what {
        StepKind::Frame(header, _) => frame(&mut out, step, header, payload),
        StepKind::Section(section) => fields(&mut out, section),
        StepKind::Loss { bytes, cause } => {
            lead(&mut out.text, step);
            out.colored(Class::Error, lost(*bytes, cause));
        }
    }
    out.text.into_bytes()
}

/// What is missing.
pub(in crate::export) fn lost(bytes: Option<u64>, cause: &str) -> String {
    match bytes {
        Some(bytes) => format!("{} of content are missing ({cause})", Size(bytes)),
        None => format!("frames are missing, perhaps of this stream ({cause})"),
    }
}

/// Time, packet and direction.
fn lead(text: &mut String, step: &Step) {
    let arrow = if step.from_client { '→' } else { '←' };
    let _ = write!(text, "{:>10}  {:>8}  {arrow}  ", nanos(step.at).to_string(), step.first.packet);
}

const fn nanos(duration: Duration) -> Span {
    Span(duration.as_nanos() as u64)
}

fn frame(out: &mut Text<'_>, step: &Step, header: &FrameHeader, payload: Option<&Payload<'_>>) {
    lead(&mut out.text, step);
    let name = name_of(header);
    let size = Size(header.length.into()).to_string();
    let _ = write!(out.text, "{name:<13} {size:>9}  {}", details(step, header, payload));
    out.end_line();
}

/// A frame's type: its name, or its number.
pub(in crate::export) fn name_of(header: &FrameHeader) -> String {
    header.kind.name().map_or_else(|| format!("{:#04x}", header.kind.0), str::to_owned)
}

/// A frame's flags, what it carries, and what credit it leaves.
pub(in crate::export) fn details(step: &Step, header: &FrameHeader, payload: Option<&Payload<'_>>) -> String {
    let mut parts = vec![rows::flags(header)];
    if let Some(payload) = payload.filter(|_| header.kind != FrameType::HEADERS || step.credit.is_some()) {
        let mut row = Row::new(Class::Plain);
        rows::carries(&mut row, payload);
        parts.push(row.text.trim_end_matches(CELL).get(1..).unwrap_or_default().to_owned());
    }
    if step.last.packet > step.first.packet {
        let until = nanos(step.at.saturating_add(step.last.time.since(step.first.time)));
        parts.push(format!("until {until} in packet {}", step.last.packet));
    }
    if let Some(credit) = step.credit {
        let left = |credit: i64| if credit > 0 { credit.to_string() } else { "none".to_owned() };
        parts.push(format!("credit left: {}, connection {}", left(credit.stream), left(credit.connection)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

/// The fields of a section; of a request the line that it stands for comes first.
fn fields(out: &mut Text<'_>, section: &Section) {
    let all = &section.fields;
    if let (Some(SectionPart::Request | SectionPart::Promise), Some(method)) =
        (section.part, all.value(FieldName::Method))
    {
        out.text.push_str(INDENT);
        push_visible(&mut out.text, method, TABLE_CELL_CHARS);
        out.text.push(' ');
        if let Some(scheme) = all.value(FieldName::Scheme) {
            push_visible(&mut out.text, scheme, TABLE_CELL_CHARS);
            out.text.push_str("://");
        }
        for part in
            [all.value(FieldName::Authority).or(all.value(FieldName::Host)), all.value(FieldName::Path)]
        {
            push_visible(&mut out.text, part.unwrap_or_default(), TABLE_LINE_CHARS);
        }
        out.end_line();
    }
    match section.part {
        Some(SectionPart::Interim) => out.text.extend([INDENT, "interim response\n"]),
        Some(SectionPart::Trailers) => out.text.extend([INDENT, "trailers\n"]),
        _ => (),
    }
    for field in all.iter() {
        out.text.push_str(INDENT);
        out.text.push_str("  ");
        rows::field(&mut out.text, &field, out.options);
        out.end_line();
    }
    if section.cut {
        out.colored(Class::Error, format!("{INDENT}  part of it is missing"));
    }
}

/// How it came out, and the contents.
pub(in crate::export) fn outcome(view: &TransactionView<'_>, options: &Options) -> Vec<u8> {
    let mut out = Text::new(options);
    out.text.push('\n');
    summary(&mut out, view);
    let transaction = view.transaction;
    if let Some(time) = &transaction.time {
        let parts: Vec<_> = TimePart::ALL
            .into_iter()
            .zip(SPENT)
            .map(|(part, name)| (name, time.parts.get(part)))
            .filter(|(_, nanos)| *nanos > 0)
            .map(|(name, nanos)| format!("{name} {}", Span(nanos)))
            .collect();
        if !parts.is_empty() {
            let _ = writeln!(out.text, "time spent: {}", parts.join(", "));
        }
    }
    if let Some(contents) = &transaction.contents {
        bodies(&mut out, contents, transaction.first.time);
    }
    out.text.into_bytes()
}

fn summary(out: &mut Text<'_>, view: &TransactionView<'_>) {
    let transaction = view.transaction;
    let mut line = match view.status {
        Some(status) => format!("{status} after "),
        None if transaction.response.seen => "response without a status after ".to_owned(),
        None => "no response in ".to_owned(),
    };
    let _ = write!(line, "{}", nanos(transaction.duration()));
    for (what, side) in [("sent", &transaction.request), ("received", &transaction.response)] {
        if side.seen {
            let _ = write!(line, ", {what} {}", Size(side.body));
        }
    }
    if let Some(status) = view.grpc_status() {
        let _ = write!(line, ", gRPC {}", status.name());
    }
    if let Some(failure) = view.failure() {
        let _ = write!(line, "; failed: {}", failure.name());
    }
    if let Some(end) = rows::end(transaction.end) {
        let _ = write!(line, "; ended: {end}");
    }
    out.colored(rows::class(view), line);
    let missing: Vec<_> = transaction.partial.names().collect();
    if !missing.is_empty() {
        out.colored(Class::Error, format!("incomplete: {}", missing.join(", ")));
    }
}

/// The bodies, and the messages in them.
fn bodies(out: &mut Text<'_>, contents: &Contents, start: Timestamp) {
    for (title, from_client, body) in
        [("REQUEST CONTENT", true, &contents.request), ("RESPONSE CONTENT", false, &contents.response)]
    {
        // What consists of messages is told message by message.
        let told = contents.messages.iter().any(|message| message.from_client == from_client);
        if let Some(body) = body.as_ref().filter(|_| !told) {
            content(out, title, body);
        }
    }
    if !contents.messages.is_empty() {
        out.text.push('\n');
        out.styled(style::HEADING, "MESSAGES");
    }
    for one in &contents.messages {
        message(out, one, start);
    }
    if contents.messages_omitted > 0 {
        let _ = writeln!(out.text, "… {} more", contents.messages_omitted);
    }
}

fn content(out: &mut Text<'_>, title: &str, body: &Body) {
    out.text.push('\n');
    let size = body.decoded_size.map_or(String::new(), |size| format!("  {}", Size(size)));
    out.styled(style::HEADING, format!("{title}{size}"));
    match &body.content {
        Some(Content::Text(text)) => prose(out, text),
        Some(Content::Bytes(bytes)) => pretty::hex(&mut out.text, bytes),
        None if body.redacted => out.text.push_str("[redacted]\n"),
        None => (),
    }
    if let Some(error) = &body.error {
        out.colored(Class::Error, format!("does not decode: {}, after {}", error.reason, Size(error.at)));
    }
    if body.truncated {
        out.text.push_str("… (--body=N shows more)\n");
    } else if !body.complete {
        out.colored(Class::Error, "… the rest is not in the capture");
    }
}

fn message(out: &mut Text<'_>, message: &BodyMessage, start: Timestamp) {
    let arrow = if message.from_client { '→' } else { '←' };
    let at = nanos(message.at.since(start)).to_string();
    let size = message.size.map_or(String::new(), |size| Size(size).to_string());
    out.visible(format_args!("{at:>10}  {arrow}  {size:>9}  "), kind(message).as_bytes());
    match (message.shown(), &message.bytes) {
        (Some(text), _) => prose(out, text),
        (None, Some(bytes)) => pretty::hex(&mut out.text, bytes),
        (None, None) => (),
    }
    if let Some(error) = message.error {
        out.colored(Class::Error, format!("({error})"));
    }
    if message.truncated {
        out.text.push_str("…\n");
    }
}

/// Text by its lines; JSON over several of them.
fn prose(out: &mut Text<'_>, text: &str) {
    let json = pretty::json(text);
    for line in json.as_deref().unwrap_or(text).lines() {
        push_visible(&mut out.text, line.as_bytes(), usize::MAX);
        out.end_line();
    }
}
