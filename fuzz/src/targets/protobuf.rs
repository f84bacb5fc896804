//! Protocol Buffers: with a schema and without, any bytes give valid JSON or a reason, of bounded size, in linear time.

use crate::cost::Cost;
use h2lens::body::protobuf::schema::Schema;
use h2lens::body::protobuf::{guess, reflection, value};
use std::sync::OnceLock;

const LIMIT: usize = 1 << 20;

/// The bytes are a message; the last one says whether its type is that of file descriptors, whose fields are of all kinds.
pub fn run(data: &[u8]) {
    let cost = Cost::start();
    check(guess::json(data, None, LIMIT).ok());
    for name in ["google.protobuf.FileDescriptorProto", "google.protobuf.Struct", "google.protobuf.Any"] {
        if let Some(descriptor) = schema().message(name) {
            check(value::json(data, &descriptor, None, LIMIT).ok());
        }
    }
    let (mut learned, mut held) = (Schema::default(), 0);
    reflection::learn(data, &mut learned, &mut held);
    assert!(held <= data.len().max(1));
    cost.assert(data.len(), 64 << 20, 20_000);
}

fn check(text: Option<String>) {
    let Some(text) = text else { return };
    assert!(text.len() <= 2 * LIMIT);
    let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
    // Deeper than that reader goes.
    assert!(read.is_ok() || read.is_err_and(|error| error.to_string().contains("recursion")), "{text}");
}

/// The types that every schema has.
fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(Schema::well_known)
}

/// Messages of several kinds of fields.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![0x0a, 1, b'a', 0x22, 6, 0x0a, 1, b'M', 0x12, 1, 0],
        vec![0x08, 0x96, 1, 0x12, 2, 0x08, 1, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2b, 0x2c],
        b"\x0a\x09\x0a\x01k\x12\x04\x1a\x02hi".to_vec(),
        b"\x0a\x21x/google.protobuf.FieldDescriptorSet\x12\x00".to_vec(),
        vec![0x0a; 60],
    ]
}
