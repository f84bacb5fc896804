//! Records → bytes. Worker threads make of the records what a format needs, as they end ([`Maker`]); the thread that owns
//! the output puts that in order ([`Exporter`]), and adds what is known only then: the [annotation](Annotation).
//!
//! Formats of text share a [`Renderer`] and a [`Printer`]. A format that needs more than text adds a variant to [`Maker`],
//! and its counterpart beside it.
//!
//! | format | one record is |
//! |---|---|
//! | `ndjson` | one JSON object on one line ([`schema`](crate::record::schema)) |
//! | `json` | one element of one array |
//! | `csv` | one row (`csv.rs`) |
//! | `parquet`, `arrow` | one row of columns (`columns/`) |
//! | `har` | one entry of the log (`har.rs`) |
//! | `otlp` | one span (`otlp/`) |
//! | `trace` | an exchange's slices, an instant, counters, or a process's name (`trace.rs`) |
//! | `curl` | one command (`curl/`) |
//! | `html` | a row, and JSON for its script (`html/`) |
//! | `table` | one row of text for a terminal (`table/`) |

#[cfg(feature = "parquet")]
mod arrow;
#[cfg(feature = "parquet")]
mod columns;
mod course;
mod csv;
mod curl;
mod diff;
mod exporter;
mod har;
mod html;
mod join;
mod json;
mod otlp;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod pretty;
mod print_error;
mod printer;
mod renderer;
mod repeated;
mod sanitize;
pub mod schema;
mod sequence;
mod sort;
mod table;
mod trace;

#[cfg(test)]
mod tests;

pub use course::{CoursePart, CoursePrinter};
pub use diff::print_diff;
pub use exporter::{Exporter, Maker, Makers};
pub use join::JoinPrinter;
pub use print_error::PrintError;
pub use printer::Printer;
pub use renderer::Renderer;
pub use sanitize::visible;
pub use sort::{Sort, SortKey};
pub use table::{Span, Zone};

use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::base::tuning;
use crate::http2::frame::Payload;
use crate::record::schema::{
    ConnectionObject, EndpointObject, FindingObject, FrameObject, MessageRecordObject, Shown,
    TelemetryObject, TransactionObject,
};
use crate::record::visit::{Object, Record};
use crate::record::{Annotation, Order, Routes, Step, Wanted};
use std::ops::Range;

/// Appends an object as one line of JSON.
pub fn json_line(out: &mut Vec<u8>, object: &impl Object) {
    json::write(out, object);
    out.push(b'\n');
}

/// A step of an exchange as a line of text, as `--follow` shows it.
pub fn step_line(step: &Step) -> String {
    let payload = step.frame().and_then(|frame| Payload::parse(&frame.header, frame.payload));
    let line = table::course::step(step, payload.as_ref(), &Options::default());
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}

/// Appends the last members of a transaction's `h2`, behind another one.
pub fn json_annotation(out: &mut Vec<u8>, annotation: Annotation) {
    json::push_annotation(out, annotation);
}

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Rows for people.
    Table,
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// One JSON array.
    Json,
    /// Comma separated values with a header row; one kind of record.
    Csv,
    /// A Parquet file; one kind of record. With the feature `parquet`.
    Parquet,
    /// An Arrow IPC stream; one kind of record. With the feature `parquet`.
    Arrow,
    /// HAR 1.2.
    Har,
    /// OTLP/JSON traces.
    Otlp,
    /// Chrome trace events.
    Trace,
    /// Commands for a shell that repeat the requests.
    Curl,
    /// The report: one page for people.
    Html,
}

impl Format {
    /// What it holds, where that is not for the user to choose.
    pub fn fixed(self) -> Option<Wanted> {
        match self {
            Self::Har | Self::Otlp | Self::Curl => {
                Some(Wanted { transactions: true, headers: true, ..Wanted::default() })
            }
            Self::Trace => Some(Wanted {
                transactions: true,
                connections: true,
                frames: true,
                timeline: true,
                ..Wanted::default()
            }),
            Self::Table | Self::Ndjson | Self::Json | Self::Csv | Self::Parquet | Self::Arrow => None,
            Self::Html => Some(Wanted {
                transactions: true,
                endpoints: true,
                connections: true,
                findings: true,
                steps: true,
                ..Wanted::default()
            }),
        }
    }

    /// What `--output` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Har => "har",
            Self::Otlp => "otlp",
            Self::Trace => "trace",
            Self::Curl => "curl",
            Self::Html => "html",
        }
    }

    /// A file of it holds one kind of record.
    pub const fn holds_one_kind(self) -> bool {
        matches!(self, Self::Csv | Self::Parquet | Self::Arrow)
    }

    /// It is nothing that a terminal can show.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// What the names of files end with that hold one kind of record each; `None` where it is not made for that.
    pub const fn extension(self) -> Option<&'static str> {
        match self {
            Self::Ndjson => Some("ndjson"),
            Self::Json => Some("json"),
            Self::Csv => Some("csv"),
            Self::Parquet => Some("parquet"),
            Self::Arrow => Some("arrows"),
            Self::Table | Self::Har | Self::Otlp | Self::Trace | Self::Curl | Self::Html => None,
        }
    }
}

/// What is rendered, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The format.
    pub format: Format,
    /// The records to render, and whether transactions show all header fields.
    pub wanted: Wanted,
    /// Telemetry is shown, in a file of its own.
    pub telemetry_apart: bool,
    /// Show the values of secret fields.
    pub show_secrets: bool,
    /// Excerpts of contents are printed below the rows of a table.
    pub excerpts: bool,
    /// Colour the table.
    pub color: bool,
    /// Columns of the terminal; `None` where lines may be as long as they want.
    pub width: Option<u16>,
    /// The zone of a table's times.
    pub zone: Zone,
    /// Print table rows as they come, instead of holding a short table to fit its columns.
    pub live: bool,
    /// Below a table of transactions, say in a few lines what they add up to.
    pub footer: bool,
    /// The order of the transactions; without it that of their ends.
    pub sort: Option<Sort>,
    /// No more endpoints than so many.
    pub top: Option<u64>,
    /// The files with the schemas of protobuf messages, as they were given; they live as long as the program.
    pub schemas: &'static [String],
    /// One part of the connections is shown: with NDJSON, what is needed to merge it with the others.
    pub part: bool,
    /// The routes that the user has named; they live as long as the program.
    pub routes: Option<&'static dyn Routes>,
    /// Memory of the process, of which what is held until it can be written has its share.
    pub memory: Memory,
}

impl Options {
    /// What records show.
    const fn shown(&self) -> Shown {
        Shown { headers: self.wanted.headers, secrets: self.show_secrets }
    }

    /// Records are held before they are written, and take memory.
    fn holds(&self) -> bool {
        self.format.is_binary() || self.format == Format::Html || self.sort.is_some()
    }

    /// Rows of endpoints that are shown.
    fn top(&self) -> usize {
        self.top.map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX))
    }

    /// Whether transactions say what the agent would have made of them.
    pub const fn agent(&self) -> bool {
        self.wanted.transactions && (self.wanted.telemetry || self.telemetry_apart)
    }

    /// The same for each kind of record alone, with what `--show` calls it.
    pub fn by_kind(&self) -> Vec<(&'static str, Self)> {
        let own = self.wanted;
        let none = Wanted { headers: own.headers, ..Wanted::default() };
        let kinds = [
            (own.transactions, TransactionObject::PLURAL, Wanted { transactions: true, ..none }),
            (own.endpoints, EndpointObject::PLURAL, Wanted { endpoints: true, ..none }),
            (own.connections, ConnectionObject::PLURAL, Wanted { connections: true, ..none }),
            (own.frames, FrameObject::PLURAL, Wanted { frames: true, ..none }),
            (own.messages, MessageRecordObject::PLURAL, Wanted { messages: true, ..none }),
            (own.findings, FindingObject::PLURAL, Wanted { findings: true, ..none }),
            (own.telemetry, TelemetryObject::PLURAL, Wanted { telemetry: true, ..none }),
        ];
        let shown = kinds.into_iter().filter(|(shown, ..)| *shown);
        shown
            .map(|(_, name, wanted)| (name, Self { wanted, telemetry_apart: own.telemetry, ..*self }))
            .collect()
    }

    /// Records of more than one kind are shown, telemetry aside.
    const fn several_kinds(&self) -> bool {
        let Wanted { transactions, connections, frames, findings, messages, .. } = self.wanted;
        transactions as u8 + connections as u8 + frames as u8 + findings as u8 + messages as u8 > 1
    }

    /// Telemetry is the only record shown.
    const fn only_telemetry(&self) -> bool {
        let Wanted { transactions, endpoints, connections, frames, findings, telemetry, messages, .. } =
            self.wanted;
        telemetry && !(transactions || endpoints || connections || frames || findings || messages)
    }
}

/// What one worker rendered from one batch: bytes, and which record stands where. Used again and again.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The records' text, one behind the other.
    pub bytes: Vec<u8>,
    /// The records.
    pub items: Vec<Item>,
    /// When the first packet of all was captured.
    pub start: Timestamp,
}

impl Rendered {
    /// A record and its text.
    fn record(&self, index: usize) -> Option<(&Item, &[u8])> {
        let item = self.items.get(index)?;
        Some((item, self.bytes.get(item.range.start as usize..item.range.end as usize)?))
    }

    /// Forgets the records, and keeps as much of their memory as goes with so much for the process.
    pub fn clear(&mut self, memory: Memory) {
        self.bytes.clear();
        self.bytes.shrink_to(memory.kept(tuning::TEXT_KEPT));
        self.items.clear();
        self.items.shrink_to(memory.kept(tuning::LIST_KEPT) / size_of::<Item>());
    }
}

/// A rendered record.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place among all records.
    pub order: Order,
    /// Its text within [`Rendered::bytes`].
    pub range: Range<u32>,
    /// Where its annotation goes; of transactions only.
    pub annotation: Option<AnnotationSlot>,
    /// Its place in the order that was asked for; of transactions only.
    pub rank: Option<u64>,
}

impl Item {
    /// Where in its own text its annotation goes.
    fn annotation_at(&self) -> Option<usize> {
        Some(self.annotation?.at.saturating_sub(self.range.start) as usize)
    }
}

/// Where a transaction's record waits for its annotation.
#[derive(Clone, Copy, Debug)]
pub struct AnnotationSlot {
    /// Offset in [`Rendered::bytes`].
    pub at: u32,
}
