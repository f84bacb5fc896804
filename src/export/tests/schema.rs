//! The schema is a promise: no field may appear, vanish, or change its type unnoticed.

use super::*;
use crate::agent::Params;
use crate::body;
use crate::capture::{Input, Timeline};
use crate::engine::{self, Analysis};
use crate::export::Exporter;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Path and JSON type of everything in a value; array elements as `[]`.
fn shape(path: &str, value: &Value, into: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Object(members) => {
            for (key, member) in members {
                shape(&format!("{path}.{key}"), member, into);
            }
            return;
        }
        Value::Array(elements) => {
            for element in elements {
                shape(&format!("{path}[]"), element, into);
            }
            if elements.is_empty() { "empty" } else { return }
        }
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "float",
        Value::String(_) => "string",
    };
    let before = into.insert(path.to_owned(), kind);
    assert!(before.is_none_or(|before| before == kind), "{path} is {before:?} and {kind}");
}

fn shape_of(lines: &str) -> String {
    let mut into = BTreeMap::new();
    for line in lines.lines() {
        shape("", &serde_json::from_str(line).unwrap(), &mut into);
    }
    into.iter().map(|(path, kind)| format!("{path}: {kind}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn transaction() {
    let seen = Verdict::Missed(MissReason::Continuation);
    let options = Options { wanted: ALL, ..Options::default() };
    let lines = print(
        options,
        Some(seen),
        |renderer| {
            renderer.transaction(at(20, 0), &tls_meta(), &everything());
            renderer.transaction(at(20, 0), &meta(), &get());
        },
        None,
    );
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn connection() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines = print(options, None, |renderer| renderer.connection(at(20, 0), &super::connection()), None);
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn frame() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines =
        print(options, None, |renderer| each_frame(|frame| renderer.frame(at(12, 0), &meta(), frame)), None);
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn message() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines =
        print(options, None, |renderer| renderer.message(at(13, 0), &meta(), &message_record()), None);
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn finding() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines =
        print(options, None, |renderer| renderer.finding(at(20, 0), &meta(), &super::finding()), None);
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn endpoint() {
    let options = Options { wanted: Wanted { endpoints: true, ..Wanted::default() }, ..Options::default() };
    let lines = print(options, None, |_| (), Some(&report()));
    let endpoints: Vec<_> = lines.lines().filter(|line| line.contains("\"endpoint\"")).collect();
    insta::assert_snapshot!(shape_of(&endpoints.join("\n")));
}

#[test]
fn telemetry() {
    let options = Options { wanted: ALL, ..Options::default() };
    let options = Options { wanted: Wanted { endpoints: false, ..options.wanted }, ..options };
    insta::assert_snapshot!(shape_of(&print(options, None, |_| (), Some(&report()))));
}

/// What `value` has that `schema`, as [`json_schema`] makes it, does not allow.
fn violations(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let kind = schema["type"].as_str().unwrap_or_default();
    if schema.get("type").is_none() && schema.get("const").is_none() {
        // Any JSON.
        return;
    }
    let fits = match kind {
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_f64(),
        "string" => value.is_string() && schema["enum"].as_array().is_none_or(|words| words.contains(value)),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => schema["const"] == *value,
    };
    if !fits {
        found.push(format!("{path} is no {kind}: {value}"));
    }
    for element in value.as_array().into_iter().flatten() {
        violations(&schema["items"], element, &format!("{path}[]"), found);
    }
    let Some(members) = value.as_object() else { return };
    for (key, member) in members {
        let path = format!("{path}.{key}");
        match schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]) {
            Value::Bool(false) => found.push(format!("{path} is not in the schema")),
            schema => violations(schema, member, &path, found),
        }
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if members.get(key.as_str().unwrap()).is_none() {
            found.push(format!("{path} has no {key}"));
        }
    }
}

/// What the lines have that the schema does not allow; and how many lines there were.
fn invalid(lines: &str) -> (usize, Vec<String>) {
    let schema: Value = serde_json::from_str(&super::super::schema::json_schema()).unwrap();
    let kinds = schema["oneOf"].as_array().unwrap();
    let mut found = Vec::new();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let kind = kinds.iter().find(|kind| kind["properties"]["record"]["const"] == record["record"]);
        violations(kind.unwrap(), &record, record["record"].as_str().unwrap(), &mut found);
    }
    (lines.lines().count(), found)
}

#[test]
fn the_json_schema_allows_the_samples_and_nothing_else() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines = print(options, None, super::formats::all_records, Some(&report()));
    assert_eq!(invalid(&lines), (24, Vec::new()));
    for (from, to) in [
        ("\"stream\":{\"id\":1", "\"stream\":{\"other\":1"),
        ("\"complete\":true", "\"complete\":1"),
        ("\"@timestamp\":", "\"time\":"),
        ("\"how\":\"end_stream\"", "\"how\":\"finished\""),
    ] {
        let line = lines.lines().next().unwrap().replacen(from, to, 1);
        assert_ne!(invalid(&line).1, Vec::<String>::new(), "{to}");
    }
}

/// All that the captures in `testdata/` give.
#[test]
fn the_json_schema_allows_what_real_captures_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let files = ["", "tls"].into_iter().flat_map(|dir| std::fs::read_dir(root.join(dir)).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    let captures: Vec<_> = paths.filter(|path| path.to_str().unwrap().contains(".pcap")).collect();
    assert!(captures.len() > 20, "the captures are not where they were");
    for path in captures {
        let mut timeline = Timeline::open(&[Input::File(path.clone())]).unwrap();
        let options = Options { format: Format::Ndjson, wanted: ALL, ..Options::default() };
        let analysis = Analysis {
            wanted: ALL,
            agent: Params { statistics: true, ..Params::default() },
            bodies: Some(Arc::new(body::Options {
                limit: 1 << 16,
                contents: true,
                ..body::Options::default()
            })),
            ..Analysis::default()
        };
        let mut lines = Vec::new();
        engine::captures(&mut timeline, analysis, None, Exporter::new([(&mut lines, options)])).unwrap();
        let (count, found) = invalid(str::from_utf8(&lines).unwrap());
        assert!(count > 1, "{}", path.display());
        assert_eq!(found, Vec::<String>::new(), "{}", path.display());
    }
}

/// Durations are floats even when they are whole, so that a column of them has one type.
#[test]
fn a_whole_second_is_a_float() {
    let mut transaction = get();
    transaction.ended_at = transaction.first.time.after(std::time::Duration::from_secs(2));
    assert!(line(ALL, &meta(), &transaction).contains("\"duration\":2.0,"));
}
