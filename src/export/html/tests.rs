//! The page: what is in it, and what no value can do to it.

use super::*;
use crate::base::time::Moment;
use crate::export::sanitize::is_hidden;
use crate::export::tests::print;
use crate::export::{Format, Options};
use crate::http2::frame::{Flags, FrameHeader, FrameType};
use crate::record::endpoint::Endpoints;
use crate::record::samples::{
    at, connection, endpoints, everything, fields, finding, get, meta, nothing, report, tls_meta,
};
use crate::record::{
    Annotation, Consumer, ExchangeRef, Part, RecordSink, Step, StepKind, Steps, Transaction, Wanted,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

fn wanted() -> Wanted {
    Format::Html.fixed().unwrap()
}

/// The frames of an exchange: one of the client, and content that is missing.
fn steps() -> Steps {
    let header =
        FrameHeader { length: 9, kind: FrameType::HEADERS, flags: Flags(5), stream: 1, reserved: false };
    let loss = StepKind::Loss { bytes: Some(70), cause: "tcp_gap" };
    let mut steps = Steps::default();
    for (packet, from_client, what) in [(1, true, StepKind::Frame(header, Vec::new())), (4, false, loss)] {
        let (at, first) = (Duration::from_millis(packet - 1), Moment { packet, ..Moment::default() });
        steps.push(Step { at, first, last: first, from_client, what, ..Step::default() });
    }
    steps
}

/// The report on what `fill` pushes.
fn page(fill: impl FnOnce(&mut Maker)) -> String {
    page_of("a<b.pcap", &endpoints(), fill)
}

/// The report on a capture of that name, with these endpoints and what `fill` pushes.
fn page_of(name: &str, endpoints: &Endpoints, fill: impl FnOnce(&mut Maker)) -> String {
    let options = Options { format: Format::Html, wanted: wanted(), ..Options::default() };
    let mut maker = Maker::new(&options);
    fill(&mut maker);
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, &options);
    printer.name_inputs(&[name.to_owned()]);
    for index in 0..maker.len() {
        printer.record(&maker, index, Annotation::default()).unwrap();
    }
    printer.endpoints(endpoints).unwrap();
    printer.finish(&report()).unwrap();
    drop(printer);
    String::from_utf8(out).unwrap()
}

fn samples(maker: &mut Maker) {
    maker.transaction(at(20, 0), &meta(), &get());
    maker.transaction(at(20, 0), &tls_meta(), &everything());
    maker.transaction(at(20, 0), &meta(), &nothing());
    maker.connection(at(99, 0), &connection());
    maker.finding(at(20, 0), &meta(), &finding());
}

/// What stands in elements of that name whose start has `mark` in it.
fn elements<'p>(page: &'p str, name: &str, mark: &str) -> Vec<&'p str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let starts = page.split(open.as_str()).skip(1).filter_map(|rest| rest.split_once('>'));
    starts
        .filter(|(start, _)| start.contains(mark))
        .filter_map(|(_, rest)| Some(rest.split_once(&close)?.0))
        .collect()
}

#[test]
fn every_table_has_its_rows_without_a_script() {
    let page = page(samples);
    for (table, word) in [
        ("endpoints", "GET"),
        ("failures", "First of them"),
        ("slowest", "data-call=\"1/"),
        ("connections", "[2001:db8::1]:50000"),
        ("findings", "9113#"),
        ("coverage", "complete"),
    ] {
        let found = elements(&page, "table", &format!("data-h2lens=\"{table}\""));
        assert_eq!(found.len(), 1, "{table}");
        assert!(found[0].contains(word), "{table}: {}", found[0]);
    }
    assert!(page.contains("aria-rowcount=\"4\"") && page.contains("a&lt;b.pcap"));
}

#[test]
fn the_policy_allows_this_script_and_style_alone() {
    let page = page(samples);
    let policy = page.split_once("content=\"default-src 'none'; ").unwrap().1.split_once('"').unwrap().0;
    for (element, text) in [("script", SCRIPT), ("style", STYLE)] {
        let hash = STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{element}-src 'sha256-{hash}'")), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(elements(&page, "style", ""), [STYLE]);
    let scripts: Vec<_> =
        elements(&page, "script", "").into_iter().filter(|text| !text.starts_with(['[', '{'])).collect();
    assert_eq!(scripts, [SCRIPT]);
    // Neither of them asks for anything, or makes markup of text.
    for word in [
        "http:",
        "https:",
        "fetch(",
        "XMLHttpRequest",
        "innerHTML",
        "outerHTML",
        "document.write",
        "eval(",
        "url(",
        "@import",
    ] {
        assert!(!SCRIPT.contains(word) && !STYLE.contains(word), "{word}");
    }
}

#[test]
fn data_are_the_records_of_ndjson() {
    let options =
        Options { wanted: Wanted { transactions: true, ..Wanted::default() }, ..Options::default() };
    let lines = print(
        options,
        None,
        |renderer| {
            renderer.transaction(at(20, 0), &meta(), &get());
            renderer.transaction(at(20, 0), &tls_meta(), &everything());
            renderer.transaction(at(20, 0), &meta(), &nothing());
        },
        None,
    );
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let page = page(samples);
    let data = elements(&page, "script", "calls-data");
    let read: Vec<Value> =
        data.iter().flat_map(|chunk| serde_json::from_str::<Vec<Value>>(chunk).unwrap()).collect();
    assert_eq!(read, records);
}

#[test]
fn beside_the_records_stand_their_frames() {
    let page = page(|maker| {
        maker.transaction(at(20, 0), &meta(), &Transaction { steps: Some(Box::new(steps())), ..get() });
        maker.transaction(at(20, 0), &tls_meta(), &everything());
    });
    let data: Value = serde_json::from_str(elements(&page, "script", "steps-data")[0]).unwrap();
    let expected = serde_json::json!([
        [
            [0, 1, 1, "HEADERS", 9, "END_STREAM END_HEADERS"],
            [3_000_000, 4, 0, "", 70, "70 B of content are missing (tcp_gap)"],
        ],
        null,
    ]);
    assert_eq!(data, expected);
}

#[test]
fn what_is_an_attempt_says_so() {
    let options = Options { format: Format::Html, wanted: wanted(), ..Options::default() };
    let mut maker = Maker::new(&options);
    maker.transaction(at(20, 0), &meta(), &get());
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, &options);
    let retry_of = Some(ExchangeRef { connection: 7, stream: 9 });
    printer.record(&maker, 0, Annotation { retry_of, ..Annotation::default() }).unwrap();
    printer.finish(&report()).unwrap();
    drop(printer);
    let page = String::from_utf8(out).unwrap();
    let data: Value = serde_json::from_str(elements(&page, "script", "calls-data")[0]).unwrap();
    assert_eq!(data[0]["h2"]["retry_of"]["stream"], 9);
}

#[test]
fn no_value_is_markup() {
    let hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${alert(3)}<!--\u{202e}\x1b\n";
    let mut transaction = get();
    transaction.request.headers =
        fields(&[(":method", hostile), (":path", hostile), (":authority", hostile), ("user-agent", hostile)]);
    let mut endpoints = endpoints();
    let row = &mut endpoints.rows[0];
    for text in [&mut row.method, &mut row.rpc, &mut row.authority] {
        *text = Some(hostile.to_owned());
    }
    let page = page_of(hostile, &endpoints, |maker| maker.transaction(at(20, 0), &meta(), &transaction));
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains("<!--"));
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("\\u003cscript>alert(1)"));
    assert!(!page.chars().any(|char| is_hidden(char) && char != '\n'));
    assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
}

#[test]
fn a_report_on_nothing_is_a_page() {
    let page = page(|_| ());
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("no calls") && page.contains("No call failed."));
    assert!(elements(&page, "script", "calls-data").is_empty());
}

#[test]
fn the_script_knows_the_words_of_where() {
    // The names are those of the filter, which tests of the whole program compare.
    let page = page(samples);
    let meta: Value = serde_json::from_str(elements(&page, "script", "id=\"meta\"")[0]).unwrap();
    assert_eq!(meta["fields"]["http.response.status_code"], "integer");
    assert_eq!(meta["fields"]["duration"], "seconds");
    assert_eq!(meta["fields"]["client.address"], "address");
    assert!(meta["fields"]["h2.stream.end.how"].as_array().unwrap().iter().any(|word| word == "rst_stream"));
    assert_eq!(meta["held"], 3);
}
