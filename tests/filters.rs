//! `--where`, against a plain reading of the records.

use crate::damage::samples;
use crate::support::{Analyze, Random, Text, dig, text};
use h2lens::record::Wanted;
use serde_json::Value;
use std::path::Path;

/// A random expression.
#[derive(Debug)]
enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Test { field: &'static str, operator: &'static str, values: Vec<String> },
}

/// Fields that are asked about: path, what its values are, short name.
const FIELDS: [(&str, Kind, &str); 24] = [
    ("http.response.status_code", Kind::Number, "status"),
    ("http.request.method", Kind::Text, "method"),
    ("url.path", Kind::Text, "path"),
    ("url.query", Kind::Text, "query"),
    ("url.scheme", Kind::Text, "scheme"),
    ("h2.request.authority", Kind::Text, "host"),
    ("rpc.method", Kind::Text, "rpc"),
    ("rpc.response.status_code", Kind::Text, "grpc"),
    ("error.type", Kind::Text, "error"),
    ("client.address", Kind::Address, "client"),
    ("server.address", Kind::Address, "server"),
    ("server.port", Kind::Number, "server.port"),
    ("h2.connection.id", Kind::Number, "conn"),
    ("h2.stream.id", Kind::Number, "stream"),
    ("http.response.body.size", Kind::Number, "size"),
    ("http.request.body.size", Kind::Number, "http.request.body.size"),
    ("h2.timing.ttfb", Kind::Seconds, "ttfb"),
    ("duration", Kind::Seconds, "duration"),
    ("user_agent.original", Kind::Text, "user_agent"),
    ("h2.complete", Kind::Bool, "h2.complete"),
    ("h2.stream.end.how", Kind::Text, ".h2.stream.end.how"),
    ("h2.stream.parent", Kind::Number, "h2.stream.parent"),
    ("h2.partial_reason", Kind::Words, "h2.partial_reason"),
    ("h2.grpc.message", Kind::Text, "h2.grpc.message"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Number,
    Seconds,
    Text,
    Words,
    Address,
    Bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    False,
    Unknown,
    True,
}

impl Expression {
    fn any(random: &mut Random, records: &[&Value], depth: usize) -> Self {
        let some = |random: &mut Random| {
            let count = random.between(1, 3);
            (0..count).map(|_| Self::any(random, records, depth - 1)).collect::<Vec<_>>()
        };
        match if depth == 0 { 9 } else { random.below(10) } {
            0 | 1 => Self::All(some(random)),
            2 | 3 => Self::Any(some(random)),
            4 => Self::Not(Box::new(Self::any(random, records, depth - 1))),
            _ => Self::test(random, records),
        }
    }

    fn test(random: &mut Random, records: &[&Value]) -> Self {
        let &(field, kind, _) = random.pick(&FIELDS);
        let operators: &[&str] = match kind {
            Kind::Number | Kind::Seconds => &["", "==", "!=", "<", "<=", ">", ">=", "in"],
            Kind::Text => &["", "==", "!=", "~", "in"],
            Kind::Words | Kind::Address => &["", "==", "!=", "in"],
            Kind::Bool => &["", "==", "!="],
        };
        let operator = *random.pick(operators);
        let count = match operator {
            "" => 0,
            "in" => random.between(1, 3),
            _ => 1,
        };
        let values = (0..count).map(|_| value(field, kind, operator, random, records)).collect();
        Self::Test { field, operator, values }
    }

    /// As it is typed.
    fn text(&self, random: &mut Random) -> String {
        let mut list = |list: &[Self], words: &[&str]| {
            let texts: Vec<_> = list.iter().map(|inner| inner.text(random)).collect();
            format!("({})", texts.join(&format!(" {} ", random.pick(words))))
        };
        match self {
            Self::Any(any) => list(any, &["or", "||", "OR"]),
            Self::All(all) => list(all, &["and", "&&"]),
            Self::Not(inner) => format!("{} {}", random.pick(&["not", "!"]), inner.text(random)),
            Self::Test { field, operator, values } => {
                let short = FIELDS.iter().find(|(path, ..)| path == field).unwrap().2;
                let name = *random.pick(&[*field, short]);
                let quoted: Vec<_> = values
                    .iter()
                    .map(|value| {
                        let is_bare = !value.is_empty()
                            && !value.contains(|c: char| c.is_whitespace() || "\"'(),".contains(c));
                        match is_bare && random.chance(500) {
                            true => value.clone(),
                            false if value.contains('\'') => format!("\"{}\"", value.replace('"', "\\\"")),
                            false => format!("'{value}'"),
                        }
                    })
                    .collect();
                match *operator {
                    "in" => format!("{name} in ({})", quoted.join(" , ")),
                    operator => format!("{name} {operator} {}", quoted.join("")),
                }
            }
        }
    }

    /// What it says of a record.
    fn truth(&self, record: &Value) -> Truth {
        match self {
            Self::Any(any) => any.iter().map(|inner| inner.truth(record)).max().unwrap(),
            Self::All(all) => all.iter().map(|inner| inner.truth(record)).min().unwrap(),
            Self::Not(inner) => match inner.truth(record) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Self::Test { field, operator, values } => {
                let kind = FIELDS.iter().find(|(path, ..)| path == field).unwrap().1;
                let Some(found) = dig(record, field) else {
                    return if absent(record, field) { Truth::False } else { Truth::Unknown };
                };
                let found: Vec<&Value> = found.as_array().map_or(vec![found], |list| list.iter().collect());
                let is = |value: &str| found.iter().any(|found| equal(found, kind, value));
                let holds = match *operator {
                    "" => kind != Kind::Bool || *found[0] == Value::Bool(true),
                    "==" | "in" => values.iter().any(|value| is(value)),
                    "!=" => !is(&values[0]),
                    "~" => regex::Regex::new(&values[0]).unwrap().is_match(found[0].as_str().unwrap()),
                    operator => {
                        let (left, right) = (number(found[0], kind), typed(&values[0], kind));
                        match operator {
                            "<" => left < right,
                            "<=" => left <= right,
                            ">" => left > right,
                            _ => left >= right,
                        }
                    }
                };
                if holds { Truth::True } else { Truth::False }
            }
        }
    }
}

/// A value that such a field may have: mostly one that a record has.
fn value(field: &str, kind: Kind, operator: &str, random: &mut Random, records: &[&Value]) -> String {
    let record = records[random.below(records.len())];
    let found = dig(record, field).filter(|_| random.chance(800));
    match kind {
        Kind::Number
            if field.ends_with("status_code")
                && matches!(operator, "==" | "!=" | "in")
                && random.chance(500) =>
        {
            format!("{}xx", random.between(1, 5))
        }
        Kind::Number => found.map_or_else(|| random.below(600).to_string(), ToString::to_string),
        Kind::Seconds => match found.and_then(Value::as_f64) {
            Some(seconds) if random.chance(500) => format!("{}ns", (seconds * 1e9).round()),
            _ => format!("{}ms", random.below(50)),
        },
        Kind::Text if operator == "~" => {
            let text = found.and_then(Value::as_str).unwrap_or("a");
            let letters: String = text.chars().filter(char::is_ascii_alphanumeric).take(4).collect();
            (*random.pick(&["^/", "[0-9]+$", "e|o", "."])).to_owned()
                + if random.chance(300) { &letters } else { "" }
        }
        Kind::Text => match found.and_then(Value::as_str) {
            Some(text) if field != "h2.stream.end.how" && !(text.contains('\'') && text.contains('\\')) => {
                text.to_owned()
            }
            _ if field == "h2.stream.end.how" => {
                (*random.pick(&["end_stream", "rst_stream", "goaway", "fin", "eof"])).to_owned()
            }
            _ => "GET".to_owned(),
        },
        Kind::Words => {
            (*random.pick(&["tcp_gap", "no_request", "no_response", "mid_stream", "unknown_header"]))
                .to_owned()
        }
        Kind::Address => match found.and_then(Value::as_str) {
            Some(address) if random.chance(500) => address.to_owned(),
            _ => (*random.pick(&["10.0.0.0/8", "0.0.0.0/0", "::/0", "192.0.2.0/24"])).to_owned(),
        },
        Kind::Bool => random.chance(500).to_string(),
    }
}

fn equal(found: &Value, kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Number if value.ends_with("xx") => {
            found.as_u64().unwrap() / 100 == value[..1].parse::<u64>().unwrap()
        }
        Kind::Number | Kind::Seconds => number(found, kind) == typed(value, kind),
        Kind::Address => match value.split_once('/') {
            None => found.as_str() == Some(value),
            Some((network, bits)) => {
                let bytes = |text: &str| match text.parse::<std::net::IpAddr>().unwrap() {
                    std::net::IpAddr::V4(address) => address.octets().to_vec(),
                    std::net::IpAddr::V6(address) => address.octets().to_vec(),
                };
                let (one, two, bits) =
                    (bytes(found.as_str().unwrap()), bytes(network), bits.parse::<usize>().unwrap());
                one.len() == two.len()
                    && (0..bits).all(|bit| (one[bit / 8] ^ two[bit / 8]) >> (7 - bit % 8) & 1 == 0)
            }
        },
        Kind::Bool => found.as_bool() == value.parse().ok(),
        Kind::Text | Kind::Words => found.as_str() == Some(value),
    }
}

/// A number of a record; of durations the nanoseconds.
fn number(found: &Value, kind: Kind) -> u64 {
    if kind == Kind::Seconds {
        (found.as_f64().unwrap() * 1e9).round() as u64
    } else {
        found.as_u64().unwrap()
    }
}

fn typed(value: &str, kind: Kind) -> u64 {
    if kind == Kind::Seconds {
        match value.strip_suffix("ns") {
            Some(nanos) => nanos.parse().unwrap(),
            None => value.strip_suffix("ms").unwrap().parse::<u64>().unwrap() * 1_000_000,
        }
    } else {
        value.parse().unwrap()
    }
}

/// Whether it is known that the exchange does not have the field, as the README says it.
fn absent(record: &Value, field: &str) -> bool {
    let reasons: Vec<_> = record["h2"]["partial_reason"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| reason.as_str().unwrap())
        .collect();
    // Where the time went may be unknown though all fields were read.
    let unknown = dig(record, "h2.unknown").and_then(Value::as_array);
    let is_readable =
        unknown.into_iter().flatten().all(|what| what == "h2.time") && !reasons.contains(&"unknown_header");
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| field.starts_with(prefix));
    if reasons.is_empty()
        || begins(&["h2.stream", "h2.partial_reason", "client", "server", "duration", "h2.co"])
    {
        true
    } else if begins(&["http.response"]) {
        is_readable && dig(record, "http.response.body").is_some()
    } else if begins(&["http.request", "url", "user_agent", "h2.request", "rpc.method"]) {
        is_readable && dig(record, "http.request.body").is_some()
    } else {
        field == "error.type"
            && reasons.iter().all(|reason| ["no_response", "response_cut", "request_cut"].contains(reason))
    }
}

/// Captures, whole and damaged.
fn captures() -> Vec<Analyze> {
    let mut random = Random::new(77);
    let mut all = Vec::new();
    for sample in &samples()[..4] {
        all.push(Analyze::capture(&sample.capture));
        all.push(Analyze::capture(&sample.capture.lossy(50, &mut random)));
        all.push(Analyze::capture(&sample.capture.late(sample.capture.packets.len() / 3)));
    }
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    all.extend(
        ["grpcio.pcap", "nghttp-push.pcap", "curl-h2c.pcap"].map(|name| Analyze::file(testdata.join(name))),
    );
    let wanted = Wanted { transactions: true, telemetry: true, ..Wanted::default() };
    all.into_iter().map(|analyze| analyze.wanted(wanted)).collect()
}

fn lines<'a>(outcome: &'a Text, keep: impl Fn(&Value) -> bool + 'a) -> Vec<&'a str> {
    let both = outcome.ndjson.lines().zip(&outcome.records);
    both.filter(|(_, record)| text(record, "record") == Some("transaction") && keep(record))
        .map(|(line, _)| line)
        .collect()
}

#[test]
fn a_filter_leaves_what_a_plain_reading_of_the_records_leaves() {
    let mut random = Random::new(5);
    let (mut kept, mut left) = (0, 0);
    for analyze in captures() {
        let whole = analyze.run_text();
        let records: Vec<_> = whole.transactions().collect();
        for _ in 0..40 {
            let expression = Expression::any(&mut random, &records, 3);
            let typed = expression.text(&mut random);
            let filtered = analyze.clone().matching(&typed).run_text();
            let expected = lines(&whole, |record| expression.truth(record) == Truth::True);
            assert_eq!(lines(&filtered, |_| true), expected, "{typed}");
            let unknown = records.iter().filter(|record| expression.truth(record) == Truth::Unknown).count();
            let told = dig(filtered.telemetry(), "coverage.where_unknown").and_then(Value::as_u64);
            assert_eq!(told.unwrap_or(0), unknown as u64, "{typed}");
            kept += expected.len();
            left += records.len() - expected.len();
        }
    }
    assert!(kept > 500 && left > 500, "{kept} {left}");
}

#[test]
fn telemetry_is_that_of_the_whole() {
    for analyze in captures() {
        let (whole, none) = (analyze.run(), analyze.clone().matching("stream == 0").run());
        assert_eq!(none.transactions().count(), 0);
        assert_eq!(whole.telemetry, none.telemetry);
    }
}

#[test]
fn a_filter_holds_for_endpoints_too() {
    let wanted = Wanted { endpoints: true, ..Wanted::default() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/grpcio.pcap");
    let analyze = Analyze::file(path).wanted(wanted).matching("error");
    let names: Vec<_> = analyze.run().endpoints.rows.into_iter().filter_map(|row| row.rpc).collect();
    assert_eq!(names, ["test.Lens/Fail", "test.Lens/Missing"]);
}

#[test]
fn the_report_has_the_same_short_names() {
    const SCRIPT: &str = include_str!("../src/export/html/script/filter.js");
    for (short, full) in h2lens::filter::SHORT_NAMES {
        assert!(SCRIPT.contains(&format!("  {short}: '{full}',\n")), "{short}");
    }
}
