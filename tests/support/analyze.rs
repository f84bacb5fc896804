//! Runs the program on captures, in this process.

use super::outcome::Keep;
use super::{Capture, Outcome, Text};
use h2lens::agent::Params;
use h2lens::aggregate::Templates;
use h2lens::base::partition::Partition;
use h2lens::capture::{Input, Timeline};
use h2lens::engine::{Analysis, captures};
use h2lens::export::{Exporter, Format, Options};
use h2lens::filter::Filter;
use h2lens::record::{Consumer, PartOf, Wanted};
use h2lens::tls::KeyStore;
use std::fmt::Debug;
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

    /// What is told, as records.
    pub(crate) fn run(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let timeline = self.analyze(Keep { wanted: self.wanted, outcome: &mut outcome });
        outcome.damage = timeline.damage().iter().map(ToString::to_string).collect();
        outcome
    }

    /// The same as NDJSON.
    pub(crate) fn run_text(&self) -> Text {
        let output = Options {
            format: Format::Ndjson,
            wanted: self.wanted,
            show_secrets: true,
            part: self.part.is_some(),
            ..Options::default()
        };
        let mut ndjson = Vec::new();
        self.analyze(Exporter::new([(&mut ndjson, output)]));
        Text::new(ndjson)
    }

    fn analyze<C: Consumer<Error: Debug>>(&self, consumer: C) -> Timeline {
        let mut timeline = Timeline::open(&self.inputs).unwrap();
        let mut keys = KeyStore::default();
        keys.add_text(self.keys.as_bytes());
        keys.set_complete();
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
        captures(&mut timeline, analysis, None, consumer).unwrap();
        timeline
    }
}
