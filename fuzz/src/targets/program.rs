//! The whole program on a capture, in all formats: valid output, without anything that acts on a terminal or a
//! spreadsheet; the same for any number of threads and any pieces; bounded memory and time.

use super::capture_file::Pipe;
use crate::cost::Cost;
use crate::random::Random;
use h2lens::body::Redactor;
use h2lens::capture::Timeline;
use h2lens::engine::{Analysis, captures};
use h2lens::export::{Exporter, Format, Options};
use h2lens::record::Wanted;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of memory that an analysis may take.
const MEMORY: usize = 256 << 20;
/// How long it may take.
const TIME: Duration = Duration::from_secs(10);

/// The input is the capture.
pub fn run(data: &[u8]) {
    let bytes: Arc<[u8]> = data.into();
    let seed =
        data.iter().fold(data.len() as u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let all = Wanted {
        transactions: true,
        connections: true,
        frames: true,
        findings: true,
        telemetry: true,
        headers: true,
        ..Wanted::default()
    };
    let none = Wanted::default();
    let one_kind = match seed % 5 {
        0 => Wanted { transactions: true, headers: true, ..none },
        1 => Wanted { connections: true, ..none },
        2 => Wanted { frames: true, ..none },
        3 => Wanted { findings: true, ..none },
        _ => Wanted { telemetry: true, ..none },
    };
    let Some(ndjson) = analyze(&bytes, Format::Ndjson, all, 1, None) else { return };
    for line in ndjson.lines() {
        let keys = serde_json::from_str::<Checked>(line).unwrap_or_else(|error| panic!("{error}: {line}")).0;
        assert!(keys > 0, "not an object: {line}");
    }
    assert!(!ndjson.chars().any(|char| char.is_control() && char != '\n'));
    let json = analyze(&bytes, Format::Json, all, 1, None).expect("a capture");
    let array: Vec<Checked> = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(array.len(), ndjson.lines().count(), "other records in JSON than in NDJSON");

    let wanted = if seed % 2 == 0 { all } else { one_kind };
    let table = analyze(&bytes, Format::Table, wanted, 1, None).expect("a capture");
    for char in table.chars() {
        let acts = char.is_control() && char != '\n'
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        assert!(!acts, "{char:?} in a table");
    }

    let csv = analyze(&bytes, Format::Csv, one_kind, 1, None).expect("a capture");
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    for row in reader.records() {
        let row = row.unwrap_or_else(|error| panic!("{error}: {csv}"));
        for cell in &row {
            let formula =
                cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && cell.parse::<f64>().is_err();
            assert!(!formula, "{cell:?} in a CSV cell");
        }
    }

    contents(&bytes, seed);

    if seed % 16 == 0 {
        let threads = [2, 3, 8][(seed / 16 % 3) as usize];
        let pieces = Some(Random::new(seed));
        let other = analyze(&bytes, Format::Ndjson, all, threads, pieces).expect("a capture");
        assert_eq!(ndjson, other, "{threads} threads and odd pieces change the output");
    }
}

/// A format that shows contents, masked or not.
fn contents(bytes: &Arc<[u8]>, seed: u64) {
    let formats = [Format::Ndjson, Format::Har, Format::Otlp, Format::Trace, Format::Curl, Format::Html];
    let format = formats[(seed / 5 % 6) as usize];
    let many = Wanted {
        transactions: true,
        endpoints: true,
        connections: true,
        findings: true,
        headers: true,
        messages: true,
        ..Wanted::default()
    };
    let wanted = format.fixed().unwrap_or(many);
    let redactor = (seed / 30).is_multiple_of(2).then(Redactor::default);
    let bodies = h2lens::body::Options {
        limit: 4096,
        redactor,
        contents: true,
        messages: wanted.messages,
        ..h2lens::body::Options::default()
    };
    let analysis = Analysis { wanted, threads: 1, bodies: Some(Arc::new(bodies)), ..Analysis::default() };
    let text = analyze_as(bytes, format, analysis, None).expect("a capture");
    let may_be = |char| char == '\n' || char == '\t' && format == Format::Curl;
    assert!(!text.chars().any(|char: char| char.is_control() && !may_be(char)), "{format:?}");
    let json = match format {
        Format::Ndjson | Format::Otlp => text.lines().collect(),
        Format::Har | Format::Trace => vec![&*text],
        _ => return,
    };
    for text in json {
        // Contents may be JSON of any shape, and deeper than that reader goes.
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
            assert!(error.to_string().contains("recursion"), "{format:?}: {error}: {text}");
        }
    }
}

/// The output; `None` when the input is no capture.
fn analyze(
    bytes: &Arc<[u8]>,
    format: Format,
    wanted: Wanted,
    threads: usize,
    pieces: Option<Random>,
) -> Option<String> {
    analyze_as(bytes, format, Analysis { wanted, threads, ..Analysis::default() }, pieces)
}

/// The same, of any analysis.
fn analyze_as(
    bytes: &Arc<[u8]>,
    format: Format,
    analysis: Analysis,
    pieces: Option<Random>,
) -> Option<String> {
    let cost = Cost::start();
    let mut timeline = Timeline::of_reader(Pipe::new(bytes, pieces)).ok()?;
    let output = Options { format, wanted: analysis.wanted, width: Some(120), ..Options::default() };
    let mut out = Vec::new();
    captures(&mut timeline, analysis, None, Exporter::new([(&mut out, output)]))
        .expect("memory can be written to");
    let (memory, time) = (cost.memory(), cost.time());
    assert!(memory <= MEMORY + 2 * out.len(), "{memory} bytes of memory");
    assert!(time <= TIME, "{time:?}");
    Some(String::from_utf8(out).expect("UTF-8"))
}

/// JSON of any shape, without a key twice in one object; how many keys there are.
struct Checked(usize);

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Checked;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON without null")
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Checked, E> {
                Ok(Checked(0))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Checked, E> {
                Ok(Checked(0))
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Checked, E> {
                Ok(Checked(0))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Checked, E> {
                Ok(Checked(0))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Checked, E> {
                Ok(Checked(0))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Checked, A::Error> {
                while seq.next_element::<Checked>()?.is_some() {}
                Ok(Checked(0))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Checked, A::Error> {
                let mut keys = HashSet::new();
                while let Some((key, _)) = map.next_entry::<String, Checked>()? {
                    if keys.contains(&key) {
                        return Err(A::Error::custom(format!("{key} twice")));
                    }
                    keys.insert(key);
                }
                Ok(Checked(keys.len()))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}
