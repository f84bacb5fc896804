//! Chrome trace events.

use super::*;
use crate::record::{ConnectionState, Time, TimePart, TimeParts, Transaction};
use serde_json::Value;

fn events(fill: impl FnOnce(&mut Renderer)) -> Vec<Value> {
    let start = at(0, 0).time;
    let fill = |renderer: &mut Renderer| {
        renderer.begin(None, start);
        fill(renderer);
    };
    let text = print(options(Format::Trace, false), None, fill, None);
    assert!(!text.chars().any(|char| char != '\n' && is_hidden(char)));
    let trace: Value = serde_json::from_str(&text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().clone();
    assert!(events.is_empty() || trace["otherData"]["start"] == start.to_string());
    events
}

/// Phase, name and time of each.
fn told(events: &[Value]) -> Vec<(&str, &str, f64)> {
    events
        .iter()
        .map(|event| {
            (event["ph"].as_str().unwrap(), event["name"].as_str().unwrap(), event["ts"].as_f64().unwrap())
        })
        .collect()
}

#[test]
fn an_exchange_is_a_slice_with_its_pieces_in_it() {
    let mut call = get();
    let mut parts = TimeParts::default();
    parts.add(TimePart::Wait, 900_000);
    parts.add(TimePart::Transfer, 334_567);
    call.time = Some(Time { parts, ..Time::default() });
    call.pieces = vec![(TimePart::Transfer, 100), (TimePart::Wait, 900_000), (TimePart::Transfer, 334_467)];
    let events = events(|renderer| renderer.transaction(at(1, 0), &meta(), &call));
    let expected = [
        ("b", "GET /v1/users", 0.0),
        ("b", "transfer", 0.0),
        ("e", "transfer", 0.1),
        ("b", "wait", 0.1),
        ("e", "wait", 900.1),
        ("b", "transfer", 900.1),
        ("e", "transfer", 1234.567),
        ("e", "GET /v1/users", 1234.567),
    ];
    assert_eq!(told(&events), expected);
    assert!(
        events
            .iter()
            .all(|event| event["id2"]["local"] == "1/1" && event["cat"] == "h2" && event["pid"] == 1)
    );
    assert_eq!(events[0]["args"]["http"]["response"]["status_code"], 200);
}

#[test]
fn resets_and_goaway_are_instants_and_other_frames_are_nothing() {
    let events = events(|renderer| each_frame(|frame| renderer.frame(at(12, 0), &meta(), frame)));
    let names: Vec<_> = told(&events).into_iter().map(|(phase, name, _)| (phase, name)).collect();
    assert_eq!(names, [("i", "RST_STREAM"), ("i", "GOAWAY")]);
    assert_eq!(
        (&events[0]["args"]["stream"], &events[0]["args"]["frame"]["type"]),
        (&1.into(), &"RST_STREAM".into())
    );
}

#[test]
fn open_streams_and_credit_are_counters() {
    let state = ConnectionState { open_streams: 3, client_credit: 65_535, server_credit: -1 };
    let events = events(|renderer| renderer.state(at(12, 1500), &meta(), &state));
    assert_eq!(told(&events), [("C", "open streams", 1.5), ("C", "credit", 1.5)]);
    assert_eq!(events[0]["args"], serde_json::json!({"streams": 3}));
    assert_eq!(events[1]["args"], serde_json::json!({"client": 65_535, "server": -1}));
}

#[test]
fn a_process_is_named_by_whom_it_is_for_and_whose_it_is() {
    let name = |authority: Option<&str>| {
        let mut record = connection();
        record.meta = ConnectionMeta { authority: authority.map(|text| text.as_bytes().into()), ..meta() };
        events(|renderer| renderer.connection(at(20, 0), &record))[0]["args"]["name"].clone()
    };
    assert_eq!(name(Some("a.example")), "a.example #1 10.0.0.1:50000");
    assert_eq!(name(None), "10.0.0.2:8080 #1 10.0.0.1:50000");
}

#[test]
fn time_that_goes_back_has_no_negative_times() {
    let call = Transaction { ended_at: crate::base::time::Timestamp::from_nanos(5), ..get() };
    let events = events(|renderer| renderer.transaction(at(1, 0), &meta(), &call));
    assert!(told(&events).iter().all(|(_, _, time)| *time >= 0.0));
}

#[test]
fn hostile_values_stay_values() {
    let mut call = get();
    call.request.headers = hostile();
    assert_eq!(events(|renderer| renderer.transaction(at(1, 0), &meta(), &call)).len(), 2);
}
