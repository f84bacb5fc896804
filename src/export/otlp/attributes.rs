//! Attributes: what a record says, under the names that it has there.

use super::json;
use crate::record::schema::TransactionObject;
use crate::record::visit::{Member, Object, Scalar, Value, Visitor};
use std::borrow::Cow;
use std::io::Write;

/// Appends the attributes of a transaction's record, and its route.
pub(super) fn push(out: &mut Vec<u8>, record: &TransactionObject<'_>, route: Option<&str>) {
    let mut attributes = Attributes::new(out);
    attributes.object(record);
    if let Some(route) = route {
        attributes.add("http.route", Scalar::Text(route.as_bytes()));
    }
    attributes.close();
}

/// Whether what has this name is an attribute, or holds some. The span has its times; contents are too long. Of `h2` only
/// what tells the call from others and where its time went.
fn is_attribute(path: &str) -> bool {
    match path {
        "record"
        | "@timestamp"
        | "duration"
        | "http.request.body.content"
        | "http.request.body.content_base64"
        | "http.response.body.content"
        | "http.response.body.content_base64" => false,
        "h2" | "h2.connection" | "h2.connection.id" | "h2.stream" | "h2.stream.id" | "h2.time" => true,
        _ => path.starts_with("h2.time.") || !path.starts_with("h2."),
    }
}

/// Writes a list of attributes.
pub(super) struct Attributes<'a> {
    out: &'a mut Vec<u8>,
    path: String,
    begun: bool,
}

impl<'a> Attributes<'a> {
    /// Begins the list.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, path: String::new(), begun: false }
    }

    /// Ends it.
    pub(super) fn close(self) {
        self.out.push(b']');
    }

    /// Adds one.
    pub(super) fn add(&mut self, name: &str, value: Scalar<'_>) {
        name.clone_into(&mut self.path);
        self.scalar(value);
        self.path.clear();
    }

    /// What stands before a value.
    fn key(&mut self) {
        self.out.extend_from_slice(if self.begun { b",{\"key\":" } else { b"{\"key\":" });
        self.begun = true;
        json::push_text(self.out, self.path.as_bytes());
        self.out.extend_from_slice(b",\"value\":");
    }

    fn below(&mut self, name: &str, value: &impl Value) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        if is_attribute(&self.path) {
            value.visit(self);
        }
        self.path.truncate(length);
    }
}

impl Visitor for Attributes<'_> {
    fn scalar(&mut self, value: Scalar<'_>) {
        self.key();
        any_value(self.out, value);
        self.out.push(b'}');
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        self.key();
        AnyValue { out: self.out }.list(elements);
        self.out.push(b'}');
    }

    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        for (name, value) in entries {
            self.below(&name, &value);
        }
    }

    fn member(&mut self, member: &'static Member, value: &impl Value) {
        if !value.is_absent() {
            self.below(member.key, value);
        }
    }
}

/// Writes an `AnyValue`.
struct AnyValue<'a> {
    out: &'a mut Vec<u8>,
}

impl AnyValue<'_> {
    /// What has no scalar type: JSON, as text.
    fn text_of(&mut self, write: impl FnOnce(&mut json::JsonWriter)) {
        let mut text = Vec::new();
        json::with_writer(&mut text, write);
        any_value(self.out, Scalar::Text(&text));
    }
}

impl Visitor for AnyValue<'_> {
    fn scalar(&mut self, value: Scalar<'_>) {
        any_value(self.out, value);
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        self.out.extend_from_slice(b"{\"arrayValue\":{\"values\":[");
        for (at, element) in elements.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            element.visit(self);
        }
        self.out.extend_from_slice(b"]}}");
    }

    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        self.text_of(|writer| writer.map(entries));
    }

    fn object(&mut self, object: &impl Object) {
        self.text_of(|writer| writer.object(object));
    }
}

fn any_value(out: &mut Vec<u8>, value: Scalar<'_>) {
    match value {
        Scalar::Bool(value) => {
            let _ = write!(out, "{{\"boolValue\":{value}}}");
        }
        // 64-bit integers are strings in JSON.
        Scalar::Integer(value) => {
            let _ = write!(out, "{{\"intValue\":\"{value}\"}}");
        }
        Scalar::Float(_) | Scalar::Seconds(_) | Scalar::Difference(_) | Scalar::Decimal(_) => {
            out.extend_from_slice(b"{\"doubleValue\":");
            json::push_scalar(out, value);
            out.push(b'}');
        }
        Scalar::Time(_) | Scalar::Address(_) | Scalar::Text(_) | Scalar::Word(_) => {
            out.extend_from_slice(b"{\"stringValue\":");
            json::push_scalar(out, value);
            out.push(b'}');
        }
        Scalar::Json(text) => any_value(out, Scalar::Text(text.as_bytes())),
    }
}
