//! JSON and CSV of sample records.

use super::*;
use crate::base::certainty::Certainty;
use crate::record::Report;
use crate::record::{Field, FieldName, Fields, Kind, Partial, Unknown};
use serde_json::Value;
use std::time::Duration;

const TRANSACTIONS: Wanted = Wanted { transactions: true, ..NONE };
const NONE: Wanted = Wanted {
    transactions: false,
    endpoints: false,
    connections: false,
    frames: false,
    findings: false,
    telemetry: false,
    headers: false,
    messages: false,
    timeline: false,
    steps: false,
    segments: false,
    openings: false,
    filtered: false,
};

fn json(wanted: Wanted, meta: &ConnectionMeta, transaction: &Transaction) -> Value {
    serde_json::from_str(&line(wanted, meta, transaction)).unwrap()
}

pub(super) fn all_records(renderer: &mut Renderer) {
    renderer.transaction(at(20, 0), &meta(), &get());
    renderer.transaction(at(20, 0), &tls_meta(), &everything());
    renderer.transaction(at(20, 0), &meta(), &nothing());
    renderer.connection(at(99, 0), &connection());
    renderer.connection(at(99, 0), &undecrypted());
    each_frame(|frame| renderer.frame(at(12, 0), &meta(), frame));
    renderer.message(at(13, 0), &meta(), &message_record());
    renderer.finding(at(20, 0), &meta(), &finding());
}

#[test]
fn ndjson_of_every_record() {
    let options = Options { wanted: ALL, ..Options::default() };
    let verdict = Verdict::Seen(Duration::ZERO);
    insta::assert_snapshot!(print(options, Some(verdict), all_records, Some(&report())));
}

#[test]
fn json_is_one_array_of_the_same_records() {
    let verdict = Verdict::Missed(MissReason::Padded);
    let options = |format| Options { wanted: ALL, format, ..Options::default() };
    let lines = print(options(Format::Ndjson), Some(verdict), all_records, Some(&report()));
    let array = print(options(Format::Json), Some(verdict), all_records, Some(&report()));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap(), lines);
    let empty = print(options(Format::Json), None, |_| (), None);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&empty).unwrap(), Vec::<Value>::new());
}

#[test]
fn secrets_are_shown_on_demand_only() {
    for format in [Format::Ndjson, Format::Json, Format::Table] {
        let options = Options { wanted: ALL, format, ..Options::default() };
        let hidden = print(options, None, all_records, None);
        assert!(hidden.contains("[redacted]") && !hidden.contains("secret"), "{format:?}: {hidden}");
        let shown = print(Options { show_secrets: true, ..options }, None, all_records, None);
        assert!(!shown.contains("[redacted]") && shown.contains("Bearer secret"), "{format:?}");
    }
}

#[test]
fn what_was_not_observed_is_absent() {
    let record = json(TRANSACTIONS, &meta(), &nothing());
    for absent in ["http", "url", "user_agent", "rpc", "tls", "error"] {
        assert_eq!(record.get(absent), None, "{absent}");
    }
    let h2: Vec<&String> = record["h2"].as_object().unwrap().keys().collect();
    assert_eq!(h2, ["complete", "connection", "packets", "partial_reason", "stream"]);
}

#[test]
fn a_path_is_split_at_its_first_question_mark() {
    for (path, shown, query) in [
        ("/a", "/a", None),
        ("/a?", "/a", Some("")),
        ("/a?b?c", "/a", Some("b?c")),
        ("*", "*", None),
        ("", "", None),
    ] {
        let mut transaction = get();
        transaction.request.headers = fields(&[(":method", "GET"), (":path", path)]);
        let record = json(TRANSACTIONS, &meta(), &transaction);
        assert_eq!(record["url"]["path"], shown);
        assert_eq!(record["url"].get("query").and_then(Value::as_str), query, "{path}");
    }
}

#[test]
fn connect_has_no_path_and_extended_connect_has() {
    let mut transaction = get();
    transaction.request.headers = fields(&[(":method", "CONNECT"), (":authority", "a:1"), (":path", "/x")]);
    assert_eq!(json(TRANSACTIONS, &meta(), &transaction).get("url"), None);
    transaction.request.headers =
        fields(&[(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/chat")]);
    let record = json(TRANSACTIONS, &meta(), &transaction);
    assert_eq!(
        (&record["url"]["path"], &record["h2"]["request"]["protocol"]),
        (&"/chat".into(), &"websocket".into())
    );
}

#[test]
fn authority_falls_back_to_host() {
    let mut transaction = get();
    transaction.request.headers = fields(&[("host", "h.example")]);
    assert_eq!(json(TRANSACTIONS, &meta(), &transaction)["h2"]["request"]["authority"], "h.example");
}

#[test]
fn unknown_fields_are_listed_by_their_attribute() {
    let mut transaction = get();
    let mut headers = Fields::default();
    headers.push(unknown(Some(":path"), 0));
    headers.push(unknown(Some(":authority"), 0));
    headers.push(unknown(None, 0));
    transaction.request.headers = headers;
    transaction.unknown = Unknown::PATH;
    transaction.unknown.insert(Unknown::AUTHORITY);
    let record = json(ALL, &meta(), &transaction);
    assert_eq!(record["h2"]["unknown"], serde_json::json!(["url.path", "h2.request.authority"]));
    assert_eq!(record.get("url"), None);
    let headers = &record["h2"]["request"]["headers"];
    assert_eq!(headers[0], serde_json::json!({"name": ":path", "src": "unknown", "ref": "?7"}));
    assert_eq!(headers[2], serde_json::json!({"src": "unknown", "ref": "?7"}));
}

#[test]
fn a_failure_is_shown() {
    let mut transaction = get();
    assert_eq!(json(TRANSACTIONS, &meta(), &transaction).get("error"), None);
    transaction.response.headers = fields(&[(":status", "404")]);
    assert_eq!(json(TRANSACTIONS, &meta(), &transaction)["error"]["type"], "404");
}

#[test]
fn text_that_is_not_utf8_is_marked() {
    let mut transaction = get();
    assert_eq!(json(ALL, &meta(), &transaction)["h2"].get("lossy_text"), None);
    transaction.request.headers.push(Field {
        name: Some(b"x-raw"),
        value: Some(b"\xff"),
        known: FieldName::Other,
        source: Certainty::Exact,
        reference: None,
    });
    assert_eq!(json(TRANSACTIONS, &meta(), &transaction)["h2"].get("lossy_text"), None, "it is not shown");
    let record = json(ALL, &meta(), &transaction);
    assert_eq!(record["h2"]["lossy_text"], true);
    assert_eq!(record["h2"]["request"]["headers"][6]["value"], "\u{fffd}");
    assert_eq!(record["h2"]["request"]["headers"][6]["value_base64"], "/w==");
    assert_eq!(record["h2"]["request"]["headers"][5].get("value_base64"), None);
}

#[test]
fn status_must_be_three_digits() {
    for (status, shown) in [("204", Some(204)), ("99", None), ("20x", None), ("0200", None), ("", None)] {
        let mut transaction = get();
        transaction.response.headers = fields(&[(":status", status)]);
        let record = json(TRANSACTIONS, &meta(), &transaction);
        assert_eq!(record["http"]["response"].get("status_code").and_then(Value::as_u64), shown, "{status}");
    }
}

#[test]
fn time_that_goes_backwards_gives_no_negative_duration() {
    let mut transaction = get();
    transaction.ended_at = crate::base::time::Timestamp::from_nanos(5);
    transaction.response.first = Some(crate::base::time::Timestamp::from_nanos(5));
    let record = json(TRANSACTIONS, &meta(), &transaction);
    assert_eq!((&record["duration"], &record["h2"]["timing"]["ttfb"]), (&0.0.into(), &0.0.into()));
}

#[test]
fn every_verdict_gets_its_place() {
    let options = Options { wanted: Wanted { telemetry: true, ..TRANSACTIONS }, ..Options::default() };
    for (verdict, shown) in [
        (Verdict::Seen(Duration::ZERO), r#"{"seen":true}"#),
        (Verdict::Missed(MissReason::Ttl), r#"{"reason":"ttl","seen":false}"#),
    ] {
        let lines = print(options, Some(verdict), all_records, None);
        for line in lines.lines() {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap()["h2"]["agent"].to_string(), shown);
        }
    }
    for (verdict, cells) in [
        (Some(Verdict::Seen(Duration::ZERO)), ",,,,true,"),
        (Some(Verdict::Missed(MissReason::Ttl)), ",,,,false,ttl"),
        (None, ",,,,,"),
    ] {
        let table = print(Options { format: Format::Csv, ..options }, verdict, all_records, None);
        let mut lines = table.lines();
        assert!(lines.next().unwrap().ends_with(",h2.agent.seen,h2.agent.reason"));
        assert!(lines.all(|line| line.ends_with(&format!(",{cells}"))), "{table}");
    }
}

#[test]
fn records_are_ordered_by_packet_then_connection_kind_and_stream() {
    let mut renderer = Renderer::new(Options { wanted: ALL, ..Options::default() });
    let stream = |stream| Transaction { stream, ..get() };
    renderer.transaction(at(20, 0), &meta(), &stream(9));
    renderer.transaction(at(20, 0), &meta(), &stream(3));
    renderer.finding(at(20, 0), &meta(), &finding());
    each_frame(|frame| renderer.frame(at(20, 0), &meta(), frame));
    renderer.at_end();
    renderer.connection(at(20, 0), &connection());
    renderer.transaction(at(20, 0), &meta(), &stream(1));
    let mut items = renderer.rendered().items.clone();
    items.sort_by_key(|item| item.order);
    let order: Vec<_> = items
        .iter()
        .filter(|item| item.order.kind != Kind::Frame)
        .map(|item| (item.order.kind, item.order.sequence))
        .collect();
    assert_eq!(items[0].order.kind, Kind::Frame);
    assert_eq!(order[..2], [(Kind::Transaction, 3), (Kind::Transaction, 9)]);
    assert_eq!(order[2].0, Kind::Finding);
    assert_eq!((order[3], order[4].0), ((Kind::Transaction, 1), Kind::Connection));
}

#[test]
fn nothing_is_rendered_that_was_not_asked_for() {
    let mut renderer = Renderer::new(Options { wanted: NONE, ..Options::default() });
    all_records(&mut renderer);
    let rendered = renderer.rendered();
    assert!(rendered.items.is_empty() && rendered.bytes.is_empty());
}

fn csv(wanted: Wanted, fill: impl FnOnce(&mut Renderer), report: Option<&Report>) -> String {
    print(Options { format: Format::Csv, wanted, ..Options::default() }, None, fill, report)
}

#[test]
fn csv_of_every_record() {
    let mut out = csv(Wanted { headers: true, ..TRANSACTIONS }, all_records, None);
    out += &csv(Wanted { connections: true, ..NONE }, all_records, None);
    out += &csv(Wanted { frames: true, ..NONE }, all_records, None);
    out += &csv(Wanted { findings: true, ..NONE }, all_records, None);
    out += &csv(Wanted { telemetry: true, ..NONE }, |_| (), Some(&report()));
    insta::assert_snapshot!(out);
}

/// Whatever the JSON record has, CSV has in a column.
#[test]
fn csv_leaves_no_field_out() {
    fn leaves(path: &str, value: &Value, columns: &[&str], missing: &mut Vec<String>) {
        if columns.contains(&path) {
            return;
        }
        match value.as_object() {
            Some(members) => {
                for (key, member) in members {
                    leaves(
                        &format!("{path}{}{key}", if path.is_empty() { "" } else { "." }),
                        member,
                        columns,
                        missing,
                    );
                }
            }
            None => missing.push(path.to_owned()),
        }
    }
    for wanted in [
        Wanted { headers: true, ..TRANSACTIONS },
        Wanted { connections: true, ..NONE },
        Wanted { frames: true, ..NONE },
        Wanted { findings: true, ..NONE },
        Wanted { telemetry: true, ..NONE },
    ] {
        let report = wanted.telemetry.then(report);
        let table = csv(wanted, all_records, report.as_ref());
        let columns: Vec<&str> = table.lines().next().unwrap().split(',').collect();
        let lines = print(Options { wanted, ..Options::default() }, None, all_records, report.as_ref());
        for line in lines.lines() {
            let mut missing = Vec::new();
            leaves("", &serde_json::from_str(line).unwrap(), &columns, &mut missing);
            assert_eq!(missing, ["record"]);
        }
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.records().map(|row| row.unwrap().len()).min(), Some(columns.len()));
    }
}

#[test]
fn csv_cells_read_back_and_are_no_formulas() {
    for (path, cell) in [
        ("/a,b", "/a,b"),
        ("/a\"b", "/a\"b"),
        ("/a\nb\\", "/a\nb\\"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\\r=1"),
        ("/a\r\nb", "/a\\r\nb"),
        (" =1", "' =1"),
        ("  \u{a0}@x", "'  \u{a0}@x"),
        (" \n-1", "' \n-1"),
        ("\u{ff1d}1", "'\u{ff1d}1"),
        (" x", " x"),
        ("é=", "é="),
        ("'x", "'x"),
    ] {
        let mut transaction = get();
        transaction.request.headers = fields(&[(":path", path)]);
        let table = csv(TRANSACTIONS, |renderer| renderer.transaction(at(1, 0), &meta(), &transaction), None);
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        let column = reader.headers().unwrap().iter().position(|name| name == "url.path").unwrap();
        assert_eq!(&reader.records().next().unwrap().unwrap()[column], cell);
    }
}

#[test]
fn a_closed_pipe_is_told_from_other_errors() {
    struct Fails(std::io::ErrorKind);
    impl std::io::Write for Fails {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let finish = |kind| {
        let mut printer = Printer::new(Fails(kind), &Options { wanted: ALL, ..Options::default() });
        printer.telemetry(&report()).and_then(|()| printer.finish(&report()))
    };
    assert!(matches!(finish(std::io::ErrorKind::BrokenPipe), Err(PrintError::Closed)));
    assert!(matches!(finish(std::io::ErrorKind::StorageFull), Err(PrintError::Io(_))));
}

#[test]
fn partial_reasons_are_listed() {
    let mut transaction = get();
    transaction.partial.insert(Partial::SNAPLEN);
    transaction.partial.insert(Partial::NO_RESPONSE);
    let record = json(TRANSACTIONS, &meta(), &transaction);
    assert_eq!(record["h2"]["partial_reason"], serde_json::json!(["no_response", "snaplen"]));
    assert_eq!(record["h2"]["complete"], false);
}
