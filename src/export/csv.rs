//! CSV (RFC 4180, with `\n` line ends): one kind of record, one column an attribute, named by its jq path.
//!
//! Lists and objects of variable content are JSON text in one cell. A cell whose text begins with `=`, `+`, `-`, `@`, in their wide
//! forms, too, with a tab or a line break, or with spaces before them, would be taken for a formula by a spreadsheet: a `'`
//! is put before it. Numbers and times never begin so.

use super::json;
use super::sanitize::is_hidden;
use crate::record::Annotation;
use crate::record::path::columns;
use crate::record::schema::transaction::AnnotationObject;
use crate::record::visit::{Member, Object, Scalar, Value, Visitor};
use std::borrow::Cow;
use std::io::Write;

/// Appends the header row of a kind of record.
pub(super) fn header<T: Object>(out: &mut Vec<u8>) {
    let names: Vec<String> = columns::<T>().into_iter().map(|column| column.path).collect();
    out.extend_from_slice(names.join(",").as_bytes());
    out.push(b'\n');
}

/// Appends a record's row. `scratch` is used for text that is not plain.
pub(super) fn row<T: Object>(out: &mut Vec<u8>, scratch: &mut Vec<u8>, record: &T) {
    let mut row = Row { out, scratch, nested: false };
    row.object(record);
    if let Some(last) = out.last_mut() {
        *last = b'\n';
    }
}

/// Appends the cells of the last members of `h2`, which are a row's last.
pub(super) fn push_annotation(out: &mut Vec<u8>, annotation: Annotation) {
    row(out, &mut Vec::new(), &AnnotationObject::new(annotation));
}

/// Writes a cell and a comma for each column, in the order of [`columns`].
struct Row<'a> {
    out: &'a mut Vec<u8>,
    scratch: &'a mut Vec<u8>,
    /// Within a member of the record: one named `record` is a column there.
    nested: bool,
}

impl Visitor for Row<'_> {
    fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Text(text) => push_text(self.out, self.scratch, text),
            Scalar::Word(word) => push_quoted(self.out, word.as_bytes()),
            Scalar::Address(ip) => json::push_ip(self.out, ip),
            Scalar::Time(time) => self.out.extend_from_slice(&time.rfc3339()),
            Scalar::Bool(_)
            | Scalar::Integer(_)
            | Scalar::Float(_)
            | Scalar::Seconds(_)
            | Scalar::Difference(_)
            | Scalar::Decimal(_) => {
                json::push_scalar(self.out, value);
            }
            Scalar::Json(_) => {
                self.scratch.clear();
                json::push_scalar(self.scratch, value);
                push_quoted(self.out, self.scratch);
            }
        }
        self.out.push(b',');
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        self.json(|writer| writer.list(elements));
    }

    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        self.json(|writer| writer.map(entries));
    }

    fn member(&mut self, member: &'static Member, value: &impl Value) {
        let nested = std::mem::replace(&mut self.nested, true);
        if !nested && member.key == "record" {
        } else if value.is_absent() {
            self.out.extend(std::iter::repeat_n(b',', member.columns));
        } else {
            value.visit(self);
        }
        self.nested = nested;
    }
}

impl Row<'_> {
    /// A cell that holds JSON.
    fn json(&mut self, write: impl FnOnce(&mut json::JsonWriter)) {
        self.scratch.clear();
        json::with_writer(self.scratch, write);
        push_quoted(self.out, self.scratch);
        self.out.push(b',');
    }
}

/// A spreadsheet would take the text for a formula.
fn begins_formula(text: &[u8]) -> bool {
    match text.first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') => true,
        Some(b' ' | 0x80..) => {
            let text = String::from_utf8_lossy(text);
            let wide = |char| matches!(char, '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}');
            let first = text.chars().find(|char| !char.is_whitespace() || matches!(char, '\t' | '\r' | '\n'));
            first.is_some_and(|char| matches!(char, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n') || wide(char))
        }
        _ => false,
    }
}

/// Appends text as a cell. What would act on a terminal is escaped as in JSON, but for tabs, line feeds and NUL: a carriage return
/// alone ends a row for some readers, and one before a line feed is lost on others.
fn push_text(out: &mut Vec<u8>, scratch: &mut Vec<u8>, text: &[u8]) {
    scratch.clear();
    if begins_formula(text) {
        scratch.push(b'\'');
    }
    if scratch.is_empty() && text.iter().all(|byte| matches!(byte, 0x20..0x7f)) {
        return push_quoted(out, text);
    }
    for char in String::from_utf8_lossy(text).chars() {
        match char {
            '\x08' => scratch.extend_from_slice(b"\\b"),
            '\x0c' => scratch.extend_from_slice(b"\\f"),
            '\r' => scratch.extend_from_slice(b"\\r"),
            '\0' | '\t' | '\n' => scratch.push(char as u8),
            _ if is_hidden(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a vector cannot fail.
                    let _ = write!(scratch, "\\u{unit:04x}");
                }
            }
            _ => scratch.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    push_quoted(out, scratch);
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
