//! The contents that are sent.

use base64::Engine;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;

/// The types of the gRPC messages.
pub(super) const SCHEMA: &str = "syntax = \"proto3\"; package t;
    message Item { string name = 1; int64 amount = 2; repeated Item parts = 3; }
    service Store { rpc Swap(stream Item) returns (stream Item); }";

/// What each side of a call sends.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) fields: &'static [(&'static str, &'static str)],
    /// The DATA frames.
    pub(super) pieces: Vec<Vec<u8>>,
    /// What they decode to.
    pub(super) content: Vec<u8>,
    /// The messages in it.
    pub(super) messages: Vec<Value>,
}

impl Plan {
    pub(super) fn sha256(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        Sha256::digest(&self.content).into()
    }

    fn of(path: &'static str, content_type: &'static str, content: &[u8]) -> Self {
        let content = content.to_vec();
        Self { path, content_type, pieces: cut(&content), content, ..Self::default() }
    }

    fn coded(self, fields: &'static [(&'static str, &'static str)], coded: &[u8]) -> Self {
        Self { fields, pieces: cut(coded), ..self }
    }

    fn with(self, messages: Vec<Value>) -> Self {
        Self { messages, ..self }
    }
}

/// In pieces of some hundred bytes.
fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.chunks(700).map(<[u8]>::to_vec).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A text that does not compress to nothing.
fn text(seed: u64, lines: usize) -> String {
    let mut random = crate::support::Random::new(seed);
    (0..lines).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{n}: größe {} amber {}", random.next(), random.below(1000));
        text
    })
}

fn envelope(flags: u8, message: &[u8]) -> Vec<u8> {
    [&[flags][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

/// An encoded `Item`, and its JSON.
fn item(name: &str, amount: u8) -> (Vec<u8>, Value) {
    let part = [&[0x0a, 1, b'p'][..], &[0x10, amount & 0x7f]].concat();
    let length = [0x80 | (name.len() & 0x7f) as u8, (name.len() >> 7) as u8];
    let bytes =
        [&[0x0a][..], &length, name.as_bytes(), &[0x10, amount & 0x7f, 0x1a, part.len() as u8], &part]
            .concat();
    let amount = (amount & 0x7f).to_string();
    (bytes, json!({"name": name, "amount": amount, "parts": [{"name": "p", "amount": amount}]}))
}

fn items(count: usize) -> Vec<(Vec<u8>, Value)> {
    (0..count).map(|n| item(&text(n as u64, 1 + n % 7), 1 + n as u8)).collect()
}

pub(super) fn plans() -> Vec<Plan> {
    let page = text(1, 400);
    let gzipped = gzip(page.as_bytes());
    let both = gzip(&zlib(page.as_bytes()));
    let events: String = (0..60).fold(String::new(), |mut events, n| {
        let _ = write!(events, "id: {n}\ndata: {{\"token\": \"t{n}\"}}\n\n");
        events
    });
    let event = |n: usize| json!({"data": format!("{{\"token\": \"t{n}\"}}"), "id": n.to_string()});
    let lines: String = (0..80).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "{{\"n\": {n}, \"s\": \"größe\"}}");
        lines
    });
    let form = (0..12).fold(String::new(), |mut form, n| {
        let _ =
            write!(form, "--b\r\ncontent-disposition: form-data; name=\"f{n}\"\r\n\r\n{}\r\n", text(n, 5));
        form
    }) + "--b--\r\n";
    let sent = items(40);
    let values: Vec<Value> = sent.iter().map(|(_, value)| value.clone()).collect();
    let plain: Vec<u8> = sent.iter().flat_map(|(bytes, _)| envelope(0, bytes)).collect();
    let coded: Vec<u8> = sent.iter().flat_map(|(bytes, _)| envelope(1, &gzip(bytes))).collect();
    let web = base64::engine::general_purpose::STANDARD.encode(&plain);
    const GRPC: &str = "/t.Store/Swap";
    vec![
        Plan::of("/text", "text/plain; charset=utf-8", page.as_bytes()),
        Plan::of("/gzip", "text/plain", page.as_bytes()).coded(&[("content-encoding", "gzip")], &gzipped),
        Plan::of("/both", "text/plain", page.as_bytes())
            .coded(&[("content-encoding", "deflate, gzip")], &both),
        Plan::of("/bytes", "application/octet-stream", &crate::support::Random::new(3).bytes(9000)),
        Plan::of("/events", "text/event-stream", events.as_bytes()).with((0..60).map(event).collect()),
        Plan::of("/lines", "application/x-ndjson", lines.as_bytes())
            .with((0..80).map(|n| json!({"n": n, "s": "größe"})).collect()),
        Plan::of("/form", "multipart/form-data; boundary=b", form.as_bytes())
            .with((0..12).map(|n| text(n, 5).into()).collect()),
        Plan::of(GRPC, "application/grpc", &plain).with(values.clone()),
        Plan {
            fields: &[("grpc-encoding", "gzip")],
            ..Plan::of(GRPC, "application/grpc", &coded).with(values.clone())
        },
        Plan::of(GRPC, "application/grpc-web-text", web.as_bytes()).with(values),
    ]
}
