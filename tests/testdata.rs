//! The captures in `testdata/`, made by real clients and servers: what the program tells of them.

use crate::support::Analyze;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Method, path with query, and status of each transaction, in order.
fn calls(path: impl Into<PathBuf>) -> Vec<String> {
    let outcome = Analyze::file(path).run();
    assert!(outcome.complete(), "nothing is missing");
    let text = |record: &Value, path: &str| match record.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let call = |record: &Value| {
        let fields = ["/http/request/method", "/url/path", "/url/query", "/http/response/status_code"];
        fields.map(|field| text(record, field)).join(" ")
    };
    outcome.transactions().map(call).collect()
}

#[test]
fn curl_with_prior_knowledge() {
    let told = calls(testdata("curl-h2c.pcap"));
    assert_eq!(
        told,
        [
            "GET /users.json - 200",
            "GET /missing - 404",
            "POST /users.json create=1 200",
            "HEAD /users.json - 200",
        ]
    );
}

#[test]
fn curl_with_an_upgrade() {
    let path = testdata("curl-upgrade.pcap");
    assert_eq!(calls(path.clone()), ["GET /users.json - 200"]);
    let outcome = Analyze::file(path).run();
    let how = outcome.connections().next().and_then(|record| record.pointer("/h2/how"));
    assert_eq!(how, Some(&Value::from("upgrade")));
}

#[test]
fn nghttp_with_push_and_trailers() {
    let outcome = Analyze::file(testdata("nghttp-push.pcap")).run();
    let told: Vec<_> = outcome
        .transactions()
        .map(|record| {
            let at = |path| record.pointer(path).cloned().unwrap_or_default();
            (at("/url/path"), at("/h2/stream/pushed"), at("/h2/response/trailers/0/value"))
        })
        .collect();
    let row = |path: &str, pushed: bool| (Value::from(path), Value::from(pushed), Value::from("1f"));
    assert_eq!(told, [row("/app.js", true), row("/index.html", false)]);
}

#[test]
fn the_two_views_differ_for_reasons_that_add_up() {
    let outcome = Analyze::file(testdata("agent-differs.pcap")).run();
    let missed: Vec<_> = outcome
        .transactions()
        .filter_map(|record| record.pointer("/h2/agent/reason").and_then(Value::as_str))
        .collect();
    assert_eq!(missed, ["path_too_long", "method", "padded"]);
    let complete = outcome.count("coverage.transactions.complete");
    assert_eq!((complete, outcome.count("agent.transactions")), (6, 3));
}

/// Suites and handshakes that rustls does not have, by openssl; the keys are in the captures.
#[test]
fn openssl_suites_are_decrypted() {
    let mut seen = 0;
    for entry in fs::read_dir(testdata("tls")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pcapng") {
            assert_eq!(calls(path.clone()), ["GET / - 200"], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 17);
}

#[test]
fn grpcio_calls() {
    let outcome = Analyze::file(testdata("grpcio.pcap")).run();
    let told: Vec<_> = outcome
        .transactions()
        .map(|record| {
            let at = |path| record.pointer(path).map(ToString::to_string).unwrap_or_default();
            let messages = [at("/h2/grpc/request_messages"), at("/h2/grpc/response_messages")].join("/");
            [at("/rpc/method"), at("/rpc/response/status_code"), messages].join(" ").replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "test.Lens/Echo OK 1/1",
            "test.Lens/Count OK 1/3",
            "test.Lens/Total OK 2/1",
            "test.Lens/Fail NOT_FOUND 1/0",
            "test.Lens/Missing UNIMPLEMENTED 1/0",
        ]
    );
}
