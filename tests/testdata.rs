//! The captures in `testdata/`, made by real clients and servers: what the program tells of them.

use crate::support::outcome::utf8;
use crate::support::{Analyze, Call};
use h2lens::base::verdict::{MissReason, Verdict};
use h2lens::record::Recognition;
use std::fs;
use std::path::{Path, PathBuf};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Method, path with query, and status of each transaction, in order.
fn calls(path: impl Into<PathBuf>) -> Vec<String> {
    let outcome = Analyze::file(path).run();
    assert!(outcome.complete(), "nothing is missing");
    let call = |call: Call<'_>| {
        let [method, path, query] =
            [call.method(), call.path(), call.query()].map(|part| part.unwrap_or("-"));
        format!("{method} {path} {query} {}", call.status().unwrap())
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
    assert_eq!(outcome.connections().next().unwrap().how, Some(Recognition::Upgrade));
}

#[test]
fn nghttp_with_push_and_trailers() {
    let outcome = Analyze::file(testdata("nghttp-push.pcap")).run();
    let told: Vec<_> = outcome
        .transactions()
        .map(|call| {
            let trailer = call.transaction.response.trailers.iter().next().unwrap();
            (call.path().unwrap(), call.pushed, utf8(trailer.value.unwrap()))
        })
        .collect();
    assert_eq!(told, [("/app.js", true, "1f"), ("/index.html", false, "1f")]);
}

#[test]
fn the_two_views_differ_for_reasons_that_add_up() {
    let outcome = Analyze::file(testdata("agent-differs.pcap")).run();
    let missed: Vec<_> = outcome
        .transactions()
        .filter_map(|call| match call.annotation.agent.unwrap() {
            Verdict::Missed(reason) => Some(reason),
            Verdict::Seen(_) => None,
        })
        .collect();
    assert_eq!(missed, [MissReason::PathTooLong, MissReason::Method, MissReason::Padded]);
    assert_eq!(outcome.coverage().transactions_complete, 6);
    assert_eq!(outcome.report.agent.unwrap().transactions, 3);
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
        .map(|call| {
            let (view, grpc) = (call.view(), call.grpc.as_ref().unwrap());
            let method = utf8(view.rpc_method().unwrap());
            let messages = [grpc.request_messages, grpc.response_messages].map(Option::unwrap);
            format!("{method} {} {}/{}", view.grpc_status().unwrap().name(), messages[0], messages[1])
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
