//! Compares what is told of a damaged capture with what is told of the whole one.

use crate::support::exchange::{dig, path, text};
use crate::support::{Outcome, dig as find};
use serde_json::Value;
use std::collections::BTreeMap;

/// A stream: ports of client and server, stream identifier.
type Key = (u64, u64, u64);

fn key(record: &Value) -> Key {
    let number = |path| dig(record, path).and_then(Value::as_u64).unwrap();
    (number("client.port"), number("server.port"), number("h2.stream.id"))
}

/// All that the damaged run tells and that the whole one does not, or tells otherwise.
pub(crate) fn contradictions(whole: &Outcome, damaged: &Outcome) -> Vec<String> {
    contradictions_but(whole, damaged, |record| record)
}

/// The same, when what of complete transactions can be compared is left.
pub(crate) fn contradictions_but(
    whole: &Outcome,
    damaged: &Outcome,
    left: impl Fn(Value) -> Value,
) -> Vec<String> {
    let truth: BTreeMap<Key, &Value> = whole.transactions().map(|record| (key(record), record)).collect();
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for told in damaged.transactions() {
        let key = key(told);
        let Some(truth) = truth.get(&key) else {
            wrong.push(format!("{key:?} is no stream of the capture: {told}"));
            continue;
        };
        if !seen.insert(key) {
            wrong.push(format!("{key:?} is told twice"));
        }
        compare(told, truth, &left, &mut |what| {
            wrong.push(format!("{key:?}: {what}\n told {told}\ntruth {truth}"))
        });
    }
    for told in damaged.connections().filter(|told| dig(told, "h2.how").is_some()) {
        let ends = |record: &Value| {
            let number = |path| dig(record, path).and_then(Value::as_u64).unwrap();
            (number("client.port"), number("server.port"))
        };
        if !whole.connections().any(|truth| ends(truth) == ends(told)) {
            wrong.push(format!("no such connection: {told}"));
        }
    }
    wrong
}

fn compare(told: &Value, truth: &Value, left: &impl Fn(Value) -> Value, wrong: &mut impl FnMut(String)) {
    const VALUES: [&str; 9] = [
        "http.request.method",
        "http.response.status_code",
        "url.scheme",
        "url.path",
        "h2.request.authority",
        "h2.request.protocol",
        "user_agent.original",
        "h2.stream.parent",
        "h2.stream.pushed",
    ];
    for name in VALUES {
        if let Some(value) = dig(told, name).filter(|value| dig(truth, name) != Some(value)) {
            wrong(format!("{name} is {value}, not {:?}", dig(truth, name)));
        }
    }
    if path(told).is_some_and(|told| Some(told) != path(truth)) {
        wrong("the query is another".to_owned());
    }
    for section in
        ["h2.request.headers", "h2.request.trailers", "h2.response.headers", "h2.response.trailers"]
    {
        if let Some(field) = invented(told, truth, section) {
            wrong(format!("{section}: {field} was not sent, or not there"));
        }
    }
    let interim = |record| {
        let list = find(record, "h2.response.interim").and_then(Value::as_array).cloned();
        list.unwrap_or_default().into_iter().map(|answer| answer["status_code"].clone()).collect::<Vec<_>>()
    };
    let (told_interim, true_interim) = (interim(told), interim(truth));
    let mut rest = true_interim.iter();
    if !told_interim.iter().all(|status| rest.any(|other| other == status)) {
        wrong(format!("interim responses {told_interim:?}, not {true_interim:?}"));
    }
    let complete = |record| dig(record, "h2.complete").and_then(Value::as_bool).unwrap();
    if complete(told) {
        if !complete(truth) {
            wrong("complete, and the truth is not".to_owned());
        }
        let (told, truth) = (left(timeless(told)), left(timeless(truth)));
        if told != truth {
            wrong(format!("complete, but not the same: {}", difference(&told, &truth)));
        }
    }
}

/// The first place where two values differ, and what is there.
pub(crate) fn difference(told: &Value, truth: &Value) -> String {
    if let (Some(told), Some(truth)) = (told.as_object(), truth.as_object()) {
        let mut keys = told.keys().chain(truth.keys());
        if let Some(key) = keys.find(|key| told.get(*key) != truth.get(*key)) {
            let at = |object: &serde_json::Map<_, _>| object.get(key).cloned().unwrap_or_default();
            return format!("{key}: {}", difference(&at(told), &at(truth)));
        }
    }
    format!("{told}, not {truth}")
}

/// The first field told as known that does not stand in the section, or not in this order.
fn invented(told: &Value, truth: &Value, section: &str) -> Option<Value> {
    let list = |record| find(record, section).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut rest = list(truth).iter();
    list(told).iter().find_map(|field| {
        // Of an unknown field the name may be known, or the value alone.
        let same =
            |key: &str, other: &Value| dig(field, key).is_none_or(|value| dig(other, key) == Some(value));
        let whole = text(field, "src") == Some("unknown")
            || (dig(field, "name").is_some() && dig(field, "value").is_some());
        let there = whole && rest.any(|other| same("name", other) && same("value", other));
        (!there).then(|| field.clone())
    })
}

/// What the other side sent before it knew of a reset may come before or after it: it is left out.
pub(crate) fn until_reset(mut record: Value) -> Value {
    if record["h2"]["stream"]["end"]["how"] == "rst_stream" {
        record["http"]["response"].take();
        record["h2"]["response"].take();
    }
    record
}

/// A transaction without what a loss or a delay may change: times, packets, the agent's verdict, what it was to others.
pub(crate) fn timeless(record: &Value) -> Value {
    let mut record = record.clone();
    let strip = |object: &mut Value, keys: &[&str]| {
        if let Some(object) = object.as_object_mut() {
            for key in keys {
                object.remove(*key);
            }
        }
    };
    // Bytes that come again, or late, count as sent again.
    strip(&mut record, &["@timestamp", "duration", "tcp"]);
    if let Some(h2) = record.get_mut("h2") {
        strip(h2, &["timing", "time", "packets", "agent", "connection", "retry_of", "retried_by"]);
        if let Some(unknown) = h2.get_mut("unknown").and_then(Value::as_array_mut) {
            unknown.retain(|name| name != "h2.time");
            if unknown.is_empty() {
                strip(h2, &["unknown"]);
            }
        }
        // Whether an accusation is just is told only where nothing was lost.
        if let Some(end) = h2.pointer_mut("/stream/end") {
            strip(end, &["evidence"]);
        }
        // Of two sides that end a stream either may be the last that is seen.
        if let Some(end) = h2.pointer_mut("/stream/end").filter(|end| end["how"] == "end_stream") {
            strip(end, &["by"]);
        }
        if let Some(interim) = h2.pointer_mut("/response/interim").and_then(Value::as_array_mut) {
            interim.iter_mut().for_each(|answer| strip(answer, &["at"]));
        }
    }
    record
}
