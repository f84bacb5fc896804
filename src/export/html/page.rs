//! The page: its head, the order of its parts, its data.

use super::held::HeldCall;
use super::markup::Markup;
use super::waiting::{Causes, Connections, Findings, Period};
use super::{SCRIPT, STYLE};
use crate::base::time::Timestamp;
use crate::export::json;
use crate::record::Report;
use crate::record::endpoint::Endpoints;
use crate::record::schema::{TelemetryObject, TransactionObject};
use crate::record::visit::{Member, Object, Type};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::iter::Peekable;

/// Calls in one element for data: the script reads one only when it shows a call of it.
const CHUNK: usize = 500;

/// A report as it is written.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) markup: Markup,
    pub(super) inputs: &'a [String],
    pub(super) period: Period,
    /// The calls that are held.
    pub(super) calls: &'a [HeldCall],
    /// All calls.
    pub(super) seen: u64,
    pub(super) endpoints: &'a Endpoints,
    pub(super) causes: &'a Causes,
    pub(super) findings: &'a Findings,
    pub(super) connections: &'a Connections,
    pub(super) report: &'a Report,
}

impl Page<'_> {
    /// The head.
    pub(super) fn begin(&mut self) {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        let title = self.title();
        self.markup
            .raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-")
            .text(hash(SCRIPT))
            .raw("'; style-src 'sha256-")
            .text(hash(STYLE))
            .raw("'; base-uri 'none'; form-action 'none'\">\n")
            .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
            .raw("<meta name=\"generator\" content=\"h2lens ")
            .raw(env!("CARGO_PKG_VERSION"))
            .raw("\">\n<title>")
            .text(title)
            .raw("</title>\n<style>")
            .raw(STYLE)
            .raw("</style>\n</head>\n<body>\n");
    }

    fn title(&self) -> String {
        match self.inputs {
            [] => "HTTP/2 report".to_owned(),
            [only] => format!("HTTP/2 report: {only}"),
            [first, others @ ..] => format!("HTTP/2 report: {first} and {} more", others.len()),
        }
    }

    /// The next calls' records and frames, for the script.
    pub(super) fn data<'c>(&mut self, calls: &mut Peekable<impl Iterator<Item = &'c HeldCall>>) {
        let mut steps: Vec<&[u8]> = Vec::with_capacity(CHUNK);
        self.markup.raw("<script type=\"application/json\" class=\"calls-data\">[");
        for at in 0..CHUNK {
            let Some(call) = calls.next() else { break };
            if at > 0 {
                self.markup.raw(",\n");
            }
            self.markup.json(&call.json);
            steps.push(&call.steps);
        }
        self.markup.raw("]</script>\n<script type=\"application/json\" class=\"steps-data\">[");
        for (at, steps) in steps.into_iter().enumerate() {
            self.markup.raw(if at > 0 { "," } else { "" });
            if steps.is_empty() {
                self.markup.raw("null");
            } else {
                self.markup.json(steps);
            }
        }
        self.markup.raw("]</script>\n");
    }

    /// What the script needs beside the calls, and the script.
    pub(super) fn end(&mut self) {
        let start = self.period.0.map(|(start, _)| Timestamp::from_nanos(start).rfc3339());
        let mut fields = Map::new();
        add_fields(TransactionObject::MEMBERS, "", &mut fields);
        let meta = json!({
            "held": self.calls.len(),
            "chunk": CHUNK,
            "start": start.map(|start| String::from_utf8_lossy(&start).into_owned()),
            "fields": fields,
        });
        self.markup.raw("<script type=\"application/json\" id=\"meta\">").json(meta.to_string().as_bytes());
        self.markup.raw("</script>\n<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    }

    /// How complete the capture is, as JSON; by names with dots.
    pub(super) fn coverage_record(&self) -> Value {
        let mut text = Vec::new();
        json::write(&mut text, &TelemetryObject::new(self.report).coverage);
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// A type's name for the filter, of each member below these.
fn add_fields(members: &'static [Member], prefix: &str, into: &mut Map<String, Value>) {
    for member in members {
        let path = format!("{prefix}{}", member.key);
        into.insert(path.clone(), type_name(&member.r#type));
        if let Type::Object(below) = member.r#type {
            add_fields(below, &format!("{path}."), into);
        }
    }
}

fn type_name(r#type: &Type) -> Value {
    match r#type {
        Type::Bool => "bool".into(),
        Type::Integer => "integer".into(),
        Type::Float | Type::Decimal => "number".into(),
        Type::Seconds | Type::Difference => "seconds".into(),
        Type::Time => "time".into(),
        Type::Address => "address".into(),
        Type::Text | Type::Word([]) => "text".into(),
        Type::Word(words) => json!(words),
        Type::Json | Type::Map(_) => "members".into(),
        Type::Object(_) => "object".into(),
        Type::List(element) => match element {
            Type::Object(_) => "objects".into(),
            other => json!({ "list": type_name(other) }),
        },
    }
}
