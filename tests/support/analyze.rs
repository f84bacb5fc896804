//! Runs the program on captures, in this process.

use super::exchange::{dig, text};
use super::{Capture, Exchange};
use h2lens::agent::Params;
use h2lens::aggregate::Templates;
use h2lens::base::partition::Partition;
use h2lens::capture::{Input, Timeline};
use h2lens::engine::{Analysis, captures};
use h2lens::export::{Exporter, Format, Options};
use h2lens::filter::Filter;
use h2lens::record::{PartOf, Wanted};
use h2lens::tls::KeyStore;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Analyze {
    inputs: Vec<Input>,
    wanted: Wanted,
    threads: usize,
    keys: String,
    bodies: Option<Arc<h2lens::body::Options>>,
    matching: Option<Arc<Filter>>,
    summary: Option<std::time::Duration>,
    idle: Option<std::time::Duration>,
    templates: Arc<Templates>,
    part: Option<Partition>,
    /// Kept until the run is over.
    files: Vec<std::rc::Rc<tempfile::NamedTempFile>>,
}

impl Default for Analyze {
    /// Transactions with all headers, connections and telemetry; secrets shown; one thread.
    fn default() -> Self {
        let wanted = Wanted {
            transactions: true,
            connections: true,
            telemetry: true,
            headers: true,
            ..Wanted::default()
        };
        Self {
            inputs: Vec::new(),
            wanted,
            threads: 1,
            keys: String::new(),
            bodies: None,
            matching: None,
            summary: None,
            idle: None,
            templates: Arc::default(),
            part: None,
            files: Vec::new(),
        }
    }
}

impl Analyze {
    /// One capture.
    pub(crate) fn capture(capture: &Capture) -> Self {
        Self::bytes(&capture.pcap())
    }

    /// One capture file with these bytes.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::default().and_bytes(bytes)
    }

    /// A file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { inputs: vec![Input::File(path.into())], ..Self::default() }
    }

    /// One capture file more.
    pub(crate) fn and_bytes(mut self, bytes: &[u8]) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        self.inputs.push(Input::File(file.path().to_owned()));
        self.files.push(std::rc::Rc::new(file));
        self
    }

    /// Transactions alone, without the agent's model.
    pub(crate) fn transactions_alone(mut self) -> Self {
        self.wanted = Wanted { transactions: true, headers: true, ..Wanted::default() };
        self
    }

    pub(crate) fn wanted(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Contents are looked into.
    pub(crate) fn bodies(mut self, options: Arc<h2lens::body::Options>) -> Self {
        self.bodies = Some(options);
        self
    }

    pub(crate) fn keys(mut self, text: &str) -> Self {
        self.keys.push_str(text);
        self
    }

    /// `--summary`
    pub(crate) fn summary(mut self, every: std::time::Duration) -> Self {
        self.summary = Some(every);
        self
    }

    /// `--idle-timeout`
    pub(crate) fn idle(mut self, timeout: std::time::Duration) -> Self {
        self.idle = Some(timeout);
        self
    }

    /// `--where`
    pub(crate) fn matching(mut self, filter: &str) -> Self {
        self.matching = Some(Arc::new(filter.parse().unwrap_or_else(|error| panic!("{error}"))));
        self
    }

    /// `--partition`
    pub(crate) fn part(mut self, index: usize, of: usize) -> Self {
        self.part = Partition::new(index, of);
        self
    }

    /// `--path-templates`
    pub(crate) fn templates(mut self, templates: Templates) -> Self {
        self.templates = Arc::new(templates);
        self
    }

    /// The output as NDJSON.
    pub(crate) fn run(&self) -> Outcome {
        let mut timeline = Timeline::open(&self.inputs).unwrap();
        let mut keys = KeyStore::default();
        keys.add_text(self.keys.as_bytes());
        keys.set_complete();
        let output = Options {
            format: Format::Ndjson,
            wanted: self.wanted,
            show_secrets: true,
            part: self.part.is_some(),
            ..Options::default()
        };
        let analysis = Analysis {
            wanted: self.wanted,
            threads: self.threads,
            agent: Params { statistics: self.wanted.endpoints, ..Params::default() },
            keys,
            bodies: self.bodies.clone(),
            filter: self.matching.clone(),
            summary: self.summary,
            idle_timeout: self.idle,
            templates: Arc::clone(&self.templates),
            part: self.part.map(|partition| PartOf {
                partition,
                inputs: vec!["capture.pcap".to_owned()],
                settings: String::new(),
            }),
            ..Analysis::default()
        };
        let mut ndjson = Vec::new();
        captures(&mut timeline, analysis, None, Exporter::new([(&mut ndjson, output)])).unwrap();
        let damage = timeline.damage().iter().map(ToString::to_string).collect();
        Outcome::new(ndjson, damage)
    }
}

/// What the program said.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) ndjson: String,
    pub(crate) records: Vec<Value>,
    pub(crate) damage: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(ndjson: Vec<u8>, damage: Vec<String>) -> Self {
        let ndjson = String::from_utf8(ndjson).unwrap();
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let records = ndjson.lines().map(parse).collect();
        Self { ndjson, records, damage }
    }

    fn kind<'a>(&'a self, kind: &'static str) -> impl Iterator<Item = &'a Value> {
        self.records.iter().filter(move |record| text(record, "record") == Some(kind))
    }

    pub(crate) fn transactions(&self) -> impl Iterator<Item = &Value> {
        self.kind("transaction")
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Value> {
        self.kind("endpoint")
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Value> {
        self.kind("connection")
    }

    /// The telemetry record.
    pub(crate) fn telemetry(&self) -> &Value {
        self.kind("telemetry").next().unwrap()
    }

    /// A number of the telemetry record; 0 where it is absent.
    pub(crate) fn count(&self, path: &str) -> u64 {
        dig(self.telemetry(), path).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Whether nothing is known to be missing.
    pub(crate) fn complete(&self) -> bool {
        dig(self.telemetry(), "coverage.complete").and_then(Value::as_bool).unwrap()
    }

    /// The transactions in the endpoints' words. Those of undamaged captures only.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.transactions().map(Exchange::of_record).collect()
    }
}
