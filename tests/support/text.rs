//! The program's output as text: NDJSON, and the JSON of its lines. For tests of the text itself.

use serde_json::Value;

/// What the program said.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) ndjson: String,
    pub(crate) records: Vec<Value>,
}

/// A text that is JSON, as a value.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The same of each line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// Looks a value up by its jq path.
pub(crate) fn dig<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(record, |value, key| value.get(key))
}

/// A text by its jq path.
pub(crate) fn text<'a>(record: &'a Value, path: &str) -> Option<&'a str> {
    dig(record, path).and_then(Value::as_str)
}

impl Text {
    pub(crate) fn new(ndjson: Vec<u8>) -> Self {
        let ndjson = String::from_utf8(ndjson).unwrap();
        Self { records: json_lines(&ndjson), ndjson }
    }

    fn kind<'a>(&'a self, kind: &'static str) -> impl Iterator<Item = &'a Value> {
        self.records.iter().filter(move |record| text(record, "record") == Some(kind))
    }

    pub(crate) fn transactions(&self) -> impl Iterator<Item = &Value> {
        self.kind("transaction")
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Value> {
        self.kind("connection")
    }

    /// The telemetry record.
    pub(crate) fn telemetry(&self) -> &Value {
        self.kind("telemetry").next().unwrap()
    }
}
