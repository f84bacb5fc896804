//! `h2lens join` and `diff` of calls before and behind a proxy that rewrites them (`testdata/hops.sh`).

use super::cli::h2lens;
use crate::support::{Capture, Random, json_lines};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn records(command: &str, first: &Path, second: &Path) -> Vec<Value> {
    let paths = [first, second].map(|path| path.to_str().unwrap());
    let output = h2lens(&[command, paths[0], paths[1], "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    json_lines(std::str::from_utf8(&output.stdout).unwrap())
}

/// A call: the client's stream, path, how it was paired, the server's stream.
type Told = (u64, String, Option<String>, Option<u64>);

fn told(pair: &Value) -> Told {
    let text = |path| pair.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let number = |path| pair.pointer(path).and_then(Value::as_u64);
    let path = text("/url/path").unwrap_or_default() + "?" + &text("/url/query").unwrap_or_default();
    (number("/client/stream").unwrap_or_default(), path, text("/h2/pair/how"), number("/server/0/stream"))
}

#[test]
fn calls_through_a_proxy_pair_by_ids_and_content() {
    let records = records("join", &testdata("hop-client.pcap"), &testdata("hop-server.pcap"));
    let (join, pairs) = records.split_last().unwrap();
    let mut found: Vec<_> = pairs.iter().map(told).collect();
    found.sort_by_key(|(_, _, _, server)| server.unwrap_or(u64::MAX));
    let row =
        |stream, path: &str, how: &str, server| (stream, path.to_owned(), Some(how.to_owned()), Some(server));
    let mut expected: Vec<Told> =
        [1, 3, 5].map(|server| row(1, "/users.json?", "x-request-id", server)).into();
    expected.extend([7, 9, 11].map(|server| row(1, "/orders.txt?", "traceparent", server)));
    expected.push(row(1, "/missing?", "x-request-id", 13));
    expected.push(row(13, "/users.json?page=1", "content", 15));
    expected.push(row(15, "/users.json?page=2", "content", 17));
    expected.push((17, "/gone?".to_owned(), None, None));
    assert_eq!(found, expected);
    assert_eq!(join["h2"]["join"]["missing"], serde_json::json!({"answered_between": 1}));
    // Both were captured on one host.
    let clock = &join["h2"]["join"]["clock"];
    let [offset, uncertainty] = ["offset", "uncertainty"].map(|name| clock[name].as_f64().unwrap());
    assert!(offset.abs() <= uncertainty && uncertainty < 1e-3, "{clock}");
}

#[test]
fn whatever_packets_are_missing_nothing_else_is_told() {
    let whole = ["hop-client.pcap", "hop-server.pcap"].map(|name| Capture::read(&testdata(name)));
    let pairs = records("join", &testdata("hop-client.pcap"), &testdata("hop-server.pcap"));
    let truth: Vec<_> =
        pairs.iter().filter(|pair| pair.pointer("/server/0").is_some()).map(Partners::of).collect();
    let home = tempfile::tempdir().unwrap();
    let (mut random, mut paired, mut answered) = (Random::new(25), 0, 0);
    for round in 0..30 {
        let files = whole.each_ref().map(|capture| match round % 2 {
            0 => capture.lossy(random.between(5, 80), &mut random),
            _ => capture.late(random.between(1, 40)),
        });
        let paths = ["client", "server"].map(|name| home.path().join(name));
        for (path, file) in paths.iter().zip(&files) {
            std::fs::write(path, file.pcap()).unwrap();
        }
        for pair in records("join", &paths[0], &paths[1]).iter().filter(|pair| pair["record"] == "pair") {
            if pair.get("client").is_some() && pair.pointer("/server/0").is_some() {
                let found = Partners::of(pair);
                assert!(truth.iter().any(|known| found.is(known, &truth)), "{pair}");
                paired += 1;
            } else if pair["h2"]["pair"]["missing"] == "answered_between" {
                // The only call that was: what was not captured is not taken for it.
                assert_eq!(told(pair).1, "/gone?", "{pair}");
                answered += 1;
            }
        }
    }
    assert!(paired > 100 && answered > 5, "{paired} {answered}");
}

/// A pair: what was asked of the proxy and when, and on which stream of the one connection behind it.
#[derive(Debug)]
struct Partners {
    start: String,
    stream: u64,
    server: Option<u64>,
}

impl Partners {
    fn of(pair: &Value) -> Self {
        let (stream, _, _, server) = told(pair);
        Self { start: pair["@timestamp"].as_str().unwrap().to_owned(), stream, server }
    }

    /// The two are one, of which less may have been seen: it begins no earlier, and before the next call on such a stream.
    fn is(&self, known: &Self, all: &[Self]) -> bool {
        let later = |other: &&Self| other.stream == known.stream && other.start > known.start;
        let next = all.iter().filter(later).map(|other| &other.start).min();
        (self.stream, self.server) == (known.stream, known.server)
            && self.start >= known.start
            && next.is_none_or(|next| self.start < *next)
    }
}

#[test]
fn fields_that_a_proxy_adds_are_told() {
    let records = records("diff", &testdata("hop-server.pcap"), &testdata("hop-client.pcap"));
    let called: Vec<_> =
        records.iter().filter(|record| record["h2"]["diff"]["before"]["calls"] != 0).collect();
    assert_eq!(called.len(), 3);
    for record in called {
        let headers = serde_json::json!({"appeared": ["via", "x-served-by"]});
        assert_eq!(record["h2"]["diff"]["headers"], headers, "{record}");
    }
}
