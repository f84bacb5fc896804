//! Contents below the rows, and messages as rows.

use super::rows::{Row, Size, Span};
use super::{Class, EXTRA};
use crate::base::limits::TABLE_LINE_CHARS;
use crate::base::time::Timestamp;
use crate::base::tuning::{TABLE_EXCERPT_CHARS, TABLE_EXCERPT_LINES};
use crate::export::Options;
use crate::export::sanitize::push_visible;
use crate::record::{Body, BodyMessage, ConnectionMeta, Content, Contents, MessageRecord};
use std::fmt::Write;

/// Adds lines below a row: messages where there are any, else an excerpt of each body.
pub(super) fn excerpts(row: &mut String, contents: &Contents, start: Timestamp) {
    for (mark, from_client, body) in [('>', true, &contents.request), ('<', false, &contents.response)] {
        let told = contents.messages.iter().any(|message| message.from_client == from_client);
        if let Some(body) = body.as_ref().filter(|_| !told) {
            excerpt(row, mark, body);
        }
    }
    for message in contents.messages.iter().take(TABLE_EXCERPT_LINES) {
        let mark = if message.from_client { '>' } else { '<' };
        let at = Span(message.at.since(start).as_nanos() as u64);
        let _ = write!(row, "{EXTRA}  {mark} {at} ");
        if let Some(size) = message.size {
            let _ = write!(row, "{} ", Size(size));
        }
        push_visible(row, kind(message).as_bytes(), TABLE_EXCERPT_CHARS);
        row.push(' ');
        push_visible(row, shown(message).as_bytes(), TABLE_EXCERPT_CHARS);
    }
    let left = contents.messages.len().saturating_sub(TABLE_EXCERPT_LINES) as u64 + contents.messages_omitted;
    if left > 0 {
        let _ = write!(row, "{EXTRA}    … {left} more");
    }
}

fn excerpt(row: &mut String, mark: char, body: &Body) {
    if let Some(error) = &body.error {
        let coding = error.coding.as_deref().unwrap_or_default();
        let _ = write!(row, "{EXTRA}  {mark} ({}", error.reason);
        if !coding.is_empty() {
            row.push_str(": ");
            push_visible(row, coding.as_bytes(), TABLE_EXCERPT_CHARS);
        }
        row.push(')');
    }
    match &body.content {
        Some(Content::Text(text)) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            for line in lines.clone().take(TABLE_EXCERPT_LINES) {
                let _ = write!(row, "{EXTRA}  {mark} ");
                push_visible(row, line.as_bytes(), TABLE_EXCERPT_CHARS);
            }
            if lines.count() > TABLE_EXCERPT_LINES || body.truncated {
                let _ = write!(row, "{EXTRA}  {mark} …");
            }
        }
        Some(Content::Bytes(bytes)) => {
            let _ = write!(row, "{EXTRA}  {mark} {} of bytes:", Size(bytes.len() as u64));
            for byte in bytes.iter().take(16) {
                let _ = write!(row, " {byte:02x}");
            }
        }
        None if body.redacted => {
            let _ = write!(row, "{EXTRA}  {mark} [redacted]");
        }
        None => {}
    }
}

/// What a message is, in a word.
pub(super) fn kind(message: &BodyMessage) -> &str {
    let named = message.kind.as_deref().or(message.opcode).or(message.name.as_deref());
    match named {
        Some(named) => named,
        None if message.trailers => "trailers",
        None if message.end => "end",
        None => message.content_type.as_deref().unwrap_or("message"),
    }
}

/// What is in it.
fn shown(message: &BodyMessage) -> String {
    if let Some(error) = message.error {
        return format!("({error})");
    }
    match (message.shown(), &message.bytes, message.code) {
        (Some(text), ..) => text.to_owned(),
        (None, Some(bytes), _) => bytes.iter().take(32).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x} ");
            text
        }),
        (None, None, Some(code)) => code.to_string(),
        (None, None, None) => String::new(),
    }
}

/// Appends a message's row.
pub(in crate::export) fn message(
    out: &mut Vec<u8>,
    connection: &ConnectionMeta,
    record: &MessageRecord,
    options: &Options,
) {
    let message = &record.message;
    let mut row = Row::new(if message.error.is_some() { Class::Error } else { Class::Plain });
    row.cell(options.zone.at(message.at));
    row.cell(connection.id);
    row.cell(record.stream);
    row.cell(if message.from_client { "client" } else { "server" });
    row.cell(Span(message.at.since(record.start).as_nanos() as u64));
    row.optional(message.size.map(Size));
    row.visible([kind(message).as_bytes()]);
    let shown = shown(message);
    push_visible(&mut row.text, shown.as_bytes(), TABLE_LINE_CHARS);
    row.finish(out);
}
