//! HAR.

use super::*;
use crate::record::{ExchangeRef, Handshakes, Time, Transaction};
use serde_json::Value;
use std::time::Duration;

fn har(meta: &ConnectionMeta, transactions: &[Transaction], show_secrets: bool) -> Value {
    let options = options(Format::Har, show_secrets);
    let fill = |renderer: &mut Renderer| {
        for transaction in transactions {
            renderer.transaction(at(1, 0), meta, transaction);
        }
    };
    serde_json::from_str(&print(options, None, fill, None)).unwrap()
}

fn entry(meta: &ConnectionMeta, transaction: &Transaction) -> Value {
    har(meta, std::slice::from_ref(transaction), false)["log"]["entries"][0].clone()
}

#[test]
fn a_log_without_exchanges_is_whole() {
    let log = har(&meta(), &[], false);
    assert_eq!(log["log"]["entries"].as_array().unwrap().len(), 0);
    assert_eq!(log["log"]["creator"]["name"], "h2lens");
}

#[test]
fn an_attempt_says_of_which_it_is_one() {
    let options = options(Format::Har, false);
    let mut renderer = Renderer::new(options);
    renderer.transaction(at(1, 0), &meta(), &get());
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, &options);
    let retry_of = Some(ExchangeRef { connection: 7, stream: 9 });
    printer.record(&renderer, 0, Annotation { retry_of, ..Annotation::default() }).unwrap();
    printer.finish(&report()).unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        log["log"]["entries"][0]["_h2"]["retry_of"],
        serde_json::json!({"connection": 7, "stream": 9})
    );
}

#[test]
fn timings_are_together_the_duration() {
    let mut call = get();
    call.request.last = Some(at(13, 200_000).time);
    call.time = Some(Time { request_blocked: 50_000, ..Time::default() });
    let (tcp, tls) = (Some(Duration::from_millis(2)), Some(Duration::from_millis(3)));
    call.handshakes = Some(Handshakes { tcp, tls });
    let entry = entry(&tls_meta(), &call);
    let expected = serde_json::json!({
        "blocked": 0.05, "dns": -1, "connect": 5.0, "send": 0.15, "wait": 0.7, "receive": 0.334_567, "ssl": 3.0
    });
    assert_eq!(entry["timings"], expected);
    assert_eq!(entry["time"], 6.234_567);
    assert_eq!(entry["startedDateTime"], "2026-11-22T04:17:00.118456789Z");
}

#[test]
fn an_early_response_takes_nothing_from_the_request() {
    let mut call = get();
    call.request.last = Some(at(18, 1_100_000).time);
    let timings = &entry(&meta(), &call)["timings"];
    assert_eq!((&timings["send"], &timings["wait"]), (&0.9.into(), &0.0.into()));
    call.response = crate::record::Message::default();
    call.request.last = Some(at(99, 9_000_000).time);
    let timings = &entry(&meta(), &call)["timings"];
    assert_eq!((&timings["send"], &timings["receive"]), (&1.234_567.into(), &0.0.into()));
}

#[test]
fn urls_of_requests_that_have_no_path() {
    let url = |lines: &[(&str, &str)]| {
        let mut call = get();
        call.request.headers = fields(lines);
        entry(&tls_meta(), &call)["request"]["url"].as_str().unwrap().to_owned()
    };
    assert_eq!(url(&[(":method", "CONNECT"), (":authority", "a.example:443")]), "https://a.example:443");
    assert_eq!(url(&[(":method", "OPTIONS"), (":authority", "a"), (":path", "*")]), "https://a");
    assert_eq!(url(&[(":scheme", "http"), (":path", "/a b\u{1b}")]), "http://[2001:db8::2]:443/a%20b%1B");
}

#[test]
fn parameters_are_decoded() {
    let mut call = get();
    call.request.headers = fields(&[(":path", "/?a=1+2&b=%C3%BC&&c&d=x=y")]);
    let query = entry(&meta(), &call)["request"]["queryString"].clone();
    let expected = serde_json::json!([
        {"name": "a", "value": "1 2"}, {"name": "b", "value": "ü"}, {"name": "c", "value": ""},
        {"name": "d", "value": "x=y"}
    ]);
    assert_eq!(query, expected);
}

#[test]
fn cookies_are_shown_with_the_secrets_alone() {
    let mut call = get();
    call.request.headers = fields(&[("cookie", "a=1; b=2"), ("Cookie", "c")]);
    call.response.headers = fields(&[
        ("set-cookie", "id=x=y; Path=/; HttpOnly; secure; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
        ("set-cookie", "b=; expires=Session"),
    ]);
    assert_eq!(entry(&meta(), &call)["request"]["cookies"], serde_json::json!([]));
    let shown = har(&meta(), &[call], true)["log"]["entries"][0].clone();
    let names: Vec<_> =
        shown["request"]["cookies"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let expected = serde_json::json!([
        {
            "name": "id", "value": "x=y", "path": "/", "expires": "2026-10-21T07:28:00Z", "httpOnly": true, "secure": true
        },
        {"name": "b", "value": ""}
    ]);
    assert_eq!(shown["response"]["cookies"], expected);
}

#[test]
fn hostile_values_stay_values() {
    let mut call = get();
    call.request.headers = hostile();
    let text = print(options(Format::Har, false), None, |r| r.transaction(at(1, 0), &meta(), &call), None);
    assert!(!text.chars().any(|char| char != '\n' && is_hidden(char)));
    let log: Value = serde_json::from_str(&text).unwrap();
    let headers = log["log"]["entries"][0]["request"]["headers"].as_array().unwrap();
    assert_eq!(headers.len(), hostile().len());
    assert!(headers.iter().any(|field| field["value"].as_str().unwrap().len() == 65_536));
}
