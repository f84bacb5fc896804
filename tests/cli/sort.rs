//! `--sort` and `--top`: the order of the transactions.

use super::{printed, refused};
use crate::support::json_lines;
use serde_json::Value;

/// What a transaction is sorted by.
type Key = fn(&Value) -> f64;

fn number(record: &Value, pointer: &str) -> f64 {
    record.pointer(pointer).and_then(Value::as_f64).unwrap()
}

const CAPTURE: &str = "testdata/curl-h2c.pcap";

fn transactions(arguments: &[&str]) -> Vec<Value> {
    json_lines(&printed(&[&[CAPTURE, "--json", "--show", "transactions"], arguments].concat()))
}

#[test]
fn transactions_stand_in_the_order_that_is_asked_for() {
    let all = transactions(&[]);
    let keys: [(&str, Key); 3] = [
        ("duration", |record| number(record, "/duration")),
        ("ttfb", |record| number(record, "/h2/timing/ttfb")),
        ("bytes", |record| {
            number(record, "/http/request/body/size") + number(record, "/http/response/body/size")
        }),
    ];
    for (name, key) in keys {
        let mut sorted = all.clone();
        sorted.sort_by(|one, other| key(one).total_cmp(&key(other)));
        assert_eq!(transactions(&["--sort", name]), sorted, "{name}");
        sorted.sort_by(|one, other| key(other).total_cmp(&key(one)));
        let descending = format!("-{name}");
        for top in 0..=sorted.len() + 1 {
            let first = &sorted[..top.min(sorted.len())];
            assert_eq!(transactions(&["--sort", &descending, "--top", &top.to_string()]), first);
        }
    }
}

#[test]
fn the_order_is_the_same_for_any_number_of_threads_and_in_all_formats() {
    for format in ["ndjson", "json", "csv", "table"] {
        let run = |threads: &str| {
            printed(&[CAPTURE, "-o", format, "--sort=-duration", "--top", "3", "--threads", threads])
        };
        let one = run("1");
        assert_eq!((run("2"), run("8")), (one.clone(), one), "{format}");
    }
    let json: Vec<Value> =
        serde_json::from_str(&printed(&[CAPTURE, "-o", "json", "--sort", "ttfb"])).unwrap();
    assert_eq!(json.last().unwrap()["record"], "telemetry");
}

#[test]
fn a_table_is_in_order_of_start_and_endpoints_can_be_cut() {
    let table = printed(&[CAPTURE, "-o", "table", "--show", "transactions"]);
    let times: Vec<_> = table.lines().skip(1).take(4).map(|line| &line[..15]).collect();
    assert!(times.is_sorted() && times.len() == 4, "{table}");
    let endpoints = |arguments: &[&str]| {
        printed(&[&[CAPTURE, "--json", "--show", "endpoints"], arguments].concat()).lines().count()
    };
    assert_eq!((endpoints(&[]), endpoints(&["--top", "2"])), (4, 2));
}

#[test]
fn what_cannot_be_sorted_is_said() {
    assert!(refused(&[CAPTURE, "--sort", "size"]).contains("give start, duration, ttfb or bytes"));
    assert!(refused(&[CAPTURE, "--show", "frames", "--sort", "start"]).contains("is for transactions"));
}
