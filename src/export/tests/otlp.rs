//! OTLP/JSON.

use super::*;
use crate::record::{Failure, Transaction};
use serde_json::Value;

fn lines(transactions: &[Transaction]) -> String {
    let fill = |renderer: &mut Renderer| {
        for transaction in transactions {
            renderer.transaction(at(1, 0), &meta(), transaction);
        }
    };
    print(options(Format::Otlp, false), None, fill, None)
}

fn span(transaction: &Transaction) -> Value {
    let line: Value = serde_json::from_str(&lines(std::slice::from_ref(transaction))).unwrap();
    line["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
}

#[test]
fn no_exchanges_are_no_output() {
    assert_eq!(lines(&[]), "");
}

#[test]
fn spans_of_one_service_share_a_resource_and_lines_are_bounded() {
    let mut calls: Vec<_> = (0..600).map(|stream| Transaction { stream: 2 * stream + 1, ..get() }).collect();
    calls[7].request.headers = fields(&[(":authority", "other.example")]);
    let text = lines(&calls);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spans = |line: &Value| -> usize {
        let resources = line["resourceSpans"].as_array().unwrap();
        let spans = |resource: &Value| resource["scopeSpans"][0]["spans"].as_array().unwrap().len();
        resources.iter().map(spans).sum()
    };
    assert_eq!(lines.iter().map(spans).collect::<Vec<_>>(), [512, 88]);
    assert_eq!(lines[0]["resourceSpans"].as_array().unwrap().len(), 2);
}

#[test]
fn the_callers_context_is_taken_over() {
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let with = |lines: &[(&str, &str)]| {
        let mut call = get();
        call.request.headers = fields(lines);
        span(&call)
    };
    let standard = format!("00-{trace}-{parent}-01");
    let own = with(&[("traceparent", &standard), ("tracestate", "a=1"), ("tracestate", "b=2")]);
    assert_eq!((&own["traceId"], &own["parentSpanId"]), (&trace.into(), &parent.into()));
    assert_eq!((&own["flags"], &own["traceState"]), (&0x301.into(), &"a=1,b=2".into()));
    let short = with(&[("x-b3-traceid", &trace[..16]), ("x-b3-spanid", parent), ("tracestate", "a=1")]);
    assert_eq!(short["traceId"], format!("{:0>32}", &trace[..16]));
    assert_eq!((&short["parentSpanId"], &short["traceState"]), (&parent.into(), &Value::Null));
    for none in
        [&[("x-b3-traceid", trace)][..], &[("traceparent", &standard), ("traceparent", &standard)], &[]]
    {
        let span = with(none);
        assert_eq!(span["parentSpanId"], Value::Null);
        assert_eq!(
            (span["traceId"].as_str().unwrap().len(), span["spanId"].as_str().unwrap().len()),
            (32, 16)
        );
    }
}

#[test]
fn a_mistake_of_the_clients_is_no_error_of_the_server() {
    for (status, code) in [("200", Value::Null), ("404", Value::Null), ("503", 2.into())] {
        let mut call = get();
        call.response.headers = fields(&[(":status", status)]);
        let span = span(&call);
        assert_eq!(span["status"]["code"], code, "{status}");
        let named = |key: &str| {
            let all = span["attributes"].as_array().unwrap();
            all.iter().find(|attribute| attribute["key"] == key).map(|attribute| attribute["value"].clone())
        };
        let failure = call.failure().map(|failure: Failure| failure.name().into_owned());
        assert_eq!(named("error.type").map(|value| value["stringValue"].clone()), failure.map(Value::from));
        assert_eq!(named("http.response.status_code").unwrap()["intValue"], status);
    }
}

#[test]
fn hostile_values_stay_values() {
    let mut call = get();
    call.request.headers = hostile();
    let text = lines(&[call]);
    assert!(!text.chars().any(|char| char != '\n' && is_hidden(char)));
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str::<Value>(&text).unwrap();
}

/// Names of the user's.
#[derive(Debug)]
struct OneRoute;

impl crate::record::Routes for OneRoute {
    fn route(&self, path: &[u8]) -> Option<&str> {
        path.starts_with(b"/users/").then_some("/users/{id}")
    }
}

#[test]
fn a_span_is_named_by_the_route_that_the_user_has_named() {
    let named = |path, routes| {
        let mut call = get();
        call.request.headers = fields(&[(":method", "GET"), (":path", path)]);
        let options = Options { routes, ..options(Format::Otlp, false) };
        let text = print(options, None, |renderer| renderer.transaction(at(1, 0), &meta(), &call), None);
        let line: Value = serde_json::from_str(&text).unwrap();
        let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        let attributes = span["attributes"].as_array().unwrap();
        let route = attributes.iter().find(|attribute| attribute["key"] == "http.route");
        (
            span["name"].as_str().unwrap().to_owned(),
            route.map(|route| route["value"]["stringValue"].to_string()),
        )
    };
    let route = Some("\"/users/{id}\"".to_owned());
    assert_eq!(named("/users/7?a=b", Some(&OneRoute)), ("GET /users/{id}".to_owned(), route));
    assert_eq!(named("/other", Some(&OneRoute)), ("GET".to_owned(), None));
    assert_eq!(named("/users/7", None), ("GET".to_owned(), None));
}
