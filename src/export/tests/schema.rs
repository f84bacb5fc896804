//! The schema is a promise: no field may appear, vanish, or change its type unnoticed.

use super::*;
use serde_json::Value;
use std::collections::BTreeMap;

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
fn finding() {
    let options = Options { wanted: ALL, ..Options::default() };
    let lines =
        print(options, None, |renderer| renderer.finding(at(20, 0), &meta(), &super::finding()), None);
    insta::assert_snapshot!(shape_of(&lines));
}

#[test]
fn telemetry() {
    let options = Options { wanted: ALL, ..Options::default() };
    insta::assert_snapshot!(shape_of(&print(options, None, |_| (), Some(&report()))));
}

/// Durations are floats even when they are whole, so that a column of them has one type.
#[test]
fn a_whole_second_is_a_float() {
    let mut transaction = get();
    transaction.last.time = transaction.first.time.after(std::time::Duration::from_secs(2));
    assert!(line(ALL, &meta(), &transaction).contains("\"duration\":2.0,"));
}
