//! `h2lens diff`: two runs, of which it is known what changed between them (`testdata/runs.py`).

use super::cli::h2lens;
use crate::support::json_lines;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

const BEFORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/before.pcap");
const AFTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/after.pcap");

/// By method and template: state, what changed, calls before and after.
type Told = BTreeMap<String, (String, Vec<String>, [u64; 2])>;

fn diff(args: &[&str]) -> Output {
    h2lens(&[&["diff"], args].concat()).output().unwrap()
}

fn told(output: &Output) -> Told {
    let records = json_lines(std::str::from_utf8(&output.stdout).unwrap()).into_iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |record: Value| {
        let own = &record["h2"]["diff"];
        let name =
            text(&record["http"]["request"]["method"]) + " " + record["url"]["template"].as_str().unwrap();
        let changed = own["changed"].as_array().unwrap().iter().map(text).collect();
        let calls = ["before", "after"].map(|run| own[run]["calls"].as_u64().unwrap());
        (name, (text(&own["state"]), changed, calls))
    };
    records.map(row).collect()
}

fn expected(fields: bool) -> Told {
    let rows: [(&str, &str, &[&str], [u64; 2]); 6] = [
        ("GET /users/{int}", "changed", &["duration"], [45, 45]),
        ("POST /orders", "changed", &["failed"], [30, 30]),
        (
            "GET /prices",
            if fields { "changed" } else { "same" },
            if fields { &["headers"] } else { &[] },
            [40, 40],
        ),
        ("GET /report", "same", &[], [5, 5]),
        ("GET /health", "vanished", &[], [4, 0]),
        ("GET /ready", "new", &[], [0, 4]),
    ];
    let rows = rows.map(|(name, state, changed, calls)| {
        let changed = changed.iter().map(|&measure| measure.to_owned()).collect();
        (name.to_owned(), (state.to_owned(), changed, calls))
    });
    rows.into()
}

#[test]
fn what_changed_is_told_and_nothing_else() {
    let output = diff(&[BEFORE, AFTER, "--json"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(told(&output), expected(true));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r#""headers":{"appeared":["x-cache"]}"#), "{text}");
    // No thread makes a difference, nor does the order of the arguments but to the direction.
    assert_eq!(text.as_bytes(), diff(&[BEFORE, AFTER, "--json", "--threads", "1"]).stdout);
    let back = told(&diff(&[AFTER, BEFORE, "--json"]));
    assert_eq!(back["GET /ready"].0, "vanished");
    assert_eq!(back["GET /prices"].1, ["headers"]);
}

#[test]
fn a_run_is_the_same_as_itself() {
    let rows = told(&diff(&[BEFORE, BEFORE, "--json"]));
    assert!(rows.values().all(|(state, changed, _)| state == "same" && changed.is_empty()), "{rows:?}");
}

#[test]
fn a_baseline_needs_no_packets() {
    let home = tempfile::tempdir().unwrap();
    let stored = |capture: &str, format: &str| {
        let path = home
            .path()
            .join(format!("{}.{format}", Path::new(capture).file_stem().unwrap().to_str().unwrap()));
        let records = h2lens(&[capture, "-S", "endpoints", "-o", format]).output().unwrap().stdout;
        fs::write(&path, records).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut formats = vec!["ndjson", "json"];
    if cfg!(feature = "parquet") {
        formats.push("parquet");
    }
    for format in formats {
        let (before, after) = (stored(BEFORE, format), stored(AFTER, format));
        for runs in [[&*before, &*after], [&*before, AFTER], [BEFORE, &*after]] {
            let output = diff(&[runs[0], runs[1], "--json"]);
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert_eq!(told(&output), expected(false), "{format}");
        }
        // Records of one run that were made in two parts add up.
        let twice = format!("{before},{before}");
        assert_eq!(told(&diff(&[&twice, &after, "--json"]))["GET /users/{int}"].2, [90, 45]);
    }
}

#[test]
fn a_bound_that_is_broken_is_the_exit_status() {
    for (bound, before, status) in [
        ("p50>10%", BEFORE, 1),
        ("p99>10000%", BEFORE, 0),
        ("errors>0", BEFORE, 1),
        ("errors>50", BEFORE, 0),
        ("p99>10000%,errors>3", BEFORE, 1),
        ("p50>0%", AFTER, 0),
    ] {
        let output = diff(&[before, AFTER, "--fail-on", bound]);
        assert_eq!(output.status.code(), Some(status), "{bound}: {output:?}");
        assert_eq!(output.stderr.is_empty(), status == 0, "{bound}");
    }
    assert_eq!(diff(&[BEFORE, AFTER, "--fail-on", "p98>1%"]).status.code(), Some(2));
}

#[test]
fn what_holds_no_endpoints_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let transactions = h2lens(&[BEFORE, "-S", "transactions", "--json"]).output().unwrap().stdout;
    for path in [
        write("transactions.ndjson", &transactions),
        write("text.json", b"{ no JSON"),
        write("cut.parquet", b"PAR1PAR1"),
        write("text.txt", b"text"),
        home.path().join("missing").to_str().unwrap().to_owned(),
    ] {
        let output = diff(&[&path, AFTER, "--json"]);
        assert_eq!(output.status.code(), Some(2), "{path}: {output:?}");
        assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains(&path));
    }
}

#[test]
fn every_format_has_the_endpoints() {
    let rows =
        |format: &str| String::from_utf8_lossy(&diff(&[BEFORE, AFTER, "-o", format]).stdout).into_owned();
    let array: Vec<Value> = serde_json::from_str(&rows("json")).unwrap();
    assert_eq!(array.len(), 6);
    assert_eq!(csv::Reader::from_reader(rows("csv").as_bytes()).records().map(Result::unwrap).count(), 6);
    assert_eq!(rows("table").lines().take_while(|line| !line.is_empty()).count(), 7);
    if cfg!(feature = "parquet") {
        let file = diff(&[BEFORE, AFTER, "-o", "parquet"]).stdout;
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
    }
}
