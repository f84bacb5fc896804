//! `--follow`: one exchange, all of it.

use super::{h2lens, printed, refused};
use crate::support::json_lines;
use serde_json::Value;

fn records(arguments: &[&str]) -> Vec<Value> {
    json_lines(&printed(arguments))
}

#[test]
fn an_exchange_is_told_from_its_start_to_its_end() {
    let shown = printed(&["testdata/curl-h2c.pcap", "--follow", "30:1", "--body", "-o", "table"]);
    let mut rest = shown.as_str();
    for piece in [
        "connection 30, stream 1: 127.0.0.1:36100 → 127.0.0.1:8301, 2026-11-22 15:44:48.451839 UTC",
        "0 ns        35  →  HEADERS            76 B  END_HEADERS",
        "POST http://127.0.0.1:8301/users.json?create=1",
        "content-length: 6",
        "27.0 µs        37  →  DATA                6 B  END_STREAM; data=6; credit left: 65529, connection 65529",
        "←  SETTINGS",
        "197 µs        42  ←  HEADERS           114 B  END_HEADERS",
        ":status: 200",
        "←  DATA               18 B",
        "trailers",
        "x-checksum: 1f",
        "200 after 197 µs, sent 6 B, received 18 B",
        "time spent: waiting 170 µs, transfer 27.0 µs",
        "REQUEST CONTENT  6 B\nname=x",
        "RESPONSE CONTENT  18 B\n{\n  \"users\": [\n    1,",
    ] {
        let at = rest.find(piece).unwrap_or_else(|| panic!("{piece:?} is not in\n{rest}"));
        rest = &rest[at + piece.len()..];
    }
}

#[test]
fn formats_of_one_kind_of_record_hold_the_steps() {
    let arguments = |format| ["testdata/grpcio.pcap", "--follow", "1:1", "-o", format];
    let steps = records(&arguments("ndjson")).len() - 1;
    let table = printed(&arguments("csv"));
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let packet = rows.headers().unwrap().iter().position(|name| name == "packet").unwrap();
    let packets: Vec<u64> = rows.records().map(|row| row.unwrap()[packet].parse().unwrap()).collect();
    assert_eq!(packets.len(), steps);
    assert!(packets.is_sorted());
    if cfg!(feature = "parquet") {
        for (format, begin) in [("parquet", b"PAR1"), ("arrow", b"\xff\xff\xff\xff")] {
            let output = h2lens(&arguments(format)).output().unwrap();
            assert!(output.status.success() && output.stdout.starts_with(begin), "{format}");
        }
    }
    for format in ["har", "html"] {
        assert!(refused(&arguments(format)).contains("leave out --output"));
    }
}

#[test]
fn steps_are_records_and_the_transaction_comes_last() {
    let all = records(&["testdata/grpcio.pcap", "--follow", "1:1"]);
    let (last, steps) = all.split_last().unwrap();
    assert_eq!((&last["record"], &last["url"]["path"]), (&"transaction".into(), &"/test.Lens/Echo".into()));
    assert!(steps.iter().all(|step| step["record"] == "step" && step["h2"]["stream"]["id"] == 1));
    let packets: Vec<_> = steps.iter().map(|step| step["packet"].as_u64().unwrap()).collect();
    assert!(packets.is_sorted());
    let parts: Vec<_> =
        steps.iter().filter_map(|step| step.pointer("/h2/step/section/part")?.as_str()).collect();
    assert_eq!(parts, ["request", "response", "trailers"]);
    let data = |from: &str| -> u64 {
        let own = steps.iter().filter(|step| step["h2"]["step"]["from"] == from);
        own.filter_map(|step| step.pointer("/h2/step/frame/data_length")?.as_u64()).sum()
    };
    assert_eq!(last["http"]["request"]["body"]["size"], data("client"));
    assert_eq!(last["http"]["response"]["body"]["size"], data("server"));
}

#[test]
fn a_packet_tells_which_exchange() {
    let by_stream = printed(&["testdata/grpcio.pcap", "--follow", "1:3"]);
    assert_eq!(printed(&["testdata/grpcio.pcap", "--follow", ":15"]), by_stream);
    for threads in ["1", "2", "8"] {
        let arguments = ["testdata/grpcio.pcap", "--follow", "1:3", "--threads", threads];
        assert_eq!(printed(&arguments), by_stream);
    }
    let all: Vec<Value> =
        serde_json::from_str(&printed(&["testdata/grpcio.pcap", "--follow", "1:3", "-o", "json"])).unwrap();
    assert_eq!(all.len(), by_stream.lines().count());
}

#[test]
fn pushed_exchanges_begin_with_their_promise() {
    let all = records(&["testdata/nghttp-push.pcap", "--follow", "1:2"]);
    assert_eq!(all[0]["h2"]["step"]["frame"]["type"], "PUSH_PROMISE");
    assert_eq!(all[1]["h2"]["step"]["section"]["part"], "promise");
}

#[test]
fn an_upgraded_request_is_told_as_one() {
    let connections = records(&["testdata/curl-upgrade.pcap", "--show", "transactions"]);
    let upgraded = connections.iter().find(|record| record["h2"]["stream"]["id"] == 1).unwrap();
    let name = format!("{}:1", upgraded["h2"]["connection"]["id"]);
    let all = records(&["testdata/curl-upgrade.pcap", "--follow", &name]);
    assert_eq!(all[0]["h2"]["step"]["section"]["part"], "request");
}

#[test]
fn what_is_not_there_is_an_error() {
    assert!(refused(&["testdata/grpcio.pcap", "--follow", "1:99"]).contains("no such exchange"));
    assert!(refused(&["testdata/grpcio.pcap", "--follow", ":1"]).contains("as CONNECTION:STREAM"));
    assert!(refused(&["testdata/grpcio.pcap", "--follow", "x"]).contains("as 30:1"));
}
