//! The course of one exchange: its steps in the order of the packets, then its record where a format holds several kinds.

#[cfg(feature = "parquet")]
use super::columns::{self, Stream, tape};
use super::print_error::PrintError;
use super::{Format, Options, csv, json, table};
use crate::base::memory::Memory;
use crate::base::origin::InReach;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning::{OUTPUT_BUFFER, STEPS_HELD};
use crate::http2::frame::{FrameView, Payload};
use crate::record::schema::{StepObject, TransactionObject};
use crate::record::visit::Object;
use crate::record::{
    Annotation, ConnectionMeta, ConnectionRecord, Consumer, Finding, Kind, Order, Part, Places, RecordSink,
    Report, Step, StepKind, Transaction, TransactionView,
};
use std::collections::BTreeMap;
use std::io::Write;

/// Prints the course of an exchange: a text for people ([`Format::Table`]), JSON, CSV or columns.
#[derive(Debug)]
pub struct CoursePrinter<W: Write> {
    writer: W,
    options: Options,
    exchange: (u64, u32),
    /// Steps that may have to let earlier ones pass, as one direction is read ahead of the other where a hole waits; by
    /// packet, then in their order.
    held: BTreeMap<(u64, u64), Vec<u8>>,
    count: u64,
    buffer: Vec<u8>,
    /// Of a format of columns.
    #[cfg(feature = "parquet")]
    stream: Option<Stream>,
    /// A record was printed.
    begun: bool,
    /// The heading of the text was.
    headed: bool,
}

/// What a worker makes of the exchange, if it is its own.
#[derive(Debug)]
pub struct CoursePart {
    options: Options,
    exchange: (u64, u32),
    origins: Option<InReach>,
    places: Places,
    /// In their order: the packet in which it began, and its text.
    records: Vec<(Order, u64, Vec<u8>)>,
    /// The heading of a text, once it can be told.
    heading: Vec<u8>,
}

impl<W: Write> CoursePrinter<W> {
    /// A printer of the exchange on this connection and stream.
    pub fn new(writer: W, options: &Options, exchange: (u64, u32)) -> Self {
        let mut buffer = Vec::new();
        if options.format == Format::Csv {
            csv::header::<StepObject<'_>>(&mut buffer);
        }
        Self {
            writer,
            options: *options,
            exchange,
            held: BTreeMap::new(),
            count: 0,
            buffer,
            #[cfg(feature = "parquet")]
            stream: None,
            begun: false,
            headed: false,
        }
    }

    /// There was such an exchange.
    pub const fn found(&self) -> bool {
        self.begun
    }

    /// Prints a record.
    fn print(&mut self, text: &[u8]) -> Result<(), PrintError> {
        match self.options.format {
            Format::Json => {
                self.buffer.extend_from_slice(if self.begun { b",\n" } else { b"[\n" });
                self.buffer.extend_from_slice(text.strip_suffix(b"\n").unwrap_or(text));
            }
            #[cfg(feature = "parquet")]
            Format::Parquet | Format::Arrow => self.with_stream(|stream, out| stream.push(text, out))?,
            _ => self.buffer.extend_from_slice(text),
        }
        self.begun = true;
        if self.buffer.len() >= OUTPUT_BUFFER { self.write_out() } else { Ok(()) }
    }

    /// Does something with the columns; what they have ready is in the buffer.
    #[cfg(feature = "parquet")]
    fn with_stream(
        &mut self,
        act: impl FnOnce(&mut Stream, &mut Vec<u8>) -> Result<(), columns::ColumnsError>,
    ) -> Result<(), PrintError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(columns::begin(
                self.options.format,
                self.options.memory,
                &super::parquet::Footers::new(self.options.memory),
                StepObject::<'static>::MEMBERS,
            )?),
        };
        Ok(act(stream, &mut self.buffer)?)
    }

    fn write_out(&mut self) -> Result<(), PrintError> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Prints the first steps until no more than so many are held.
    fn let_go(&mut self, most: usize) -> Result<(), PrintError> {
        while self.held.len() > most
            && let Some((_, text)) = self.held.pop_first()
        {
            self.print(&text)?;
        }
        Ok(())
    }
}

impl<W: Write> Consumer for &mut CoursePrinter<W> {
    type Part = CoursePart;
    type Error = PrintError;

    fn part(&self) -> CoursePart {
        CoursePart {
            options: self.options,
            exchange: self.exchange,
            origins: None,
            places: Places::default(),
            records: Vec::new(),
            heading: Vec::new(),
        }
    }

    fn record(&mut self, part: &CoursePart, index: usize, _: Annotation) -> Result<(), PrintError> {
        let Some((order, packet, text)) = part.records.get(index) else { return Ok(()) };
        self.count += 1;
        if !self.headed && !part.heading.is_empty() {
            self.buffer.extend_from_slice(&part.heading);
            self.headed = true;
        }
        // The record of the exchange comes when all of it was heard.
        let packet = if order.kind == Kind::Transaction { u64::MAX } else { *packet };
        self.held.insert((packet, self.count), text.clone());
        self.let_go(STEPS_HELD)
    }

    fn flush(&mut self) -> Result<(), PrintError> {
        self.write_out()?;
        Ok(self.writer.flush()?)
    }

    fn finish(&mut self, report: &Report) -> Result<(), PrintError> {
        self.let_go(0)?;
        #[cfg(feature = "parquet")]
        if matches!(self.options.format, Format::Parquet | Format::Arrow) {
            let coverage = columns::coverage(report);
            self.with_stream(|stream, out| stream.finish(coverage.as_deref(), out))?;
        }
        #[cfg(not(feature = "parquet"))]
        let _ = report;
        if self.options.format == Format::Json && self.begun {
            self.buffer.extend_from_slice(b"\n]\n");
        }
        self.flush()
    }
}

impl CoursePart {
    fn add(&mut self, now: Moment, kind: Kind, packet: u64, text: Vec<u8>) {
        let order = self.places.next(now, self.exchange.0, kind);
        self.records.push((order, packet, text));
    }
}

/// A step in a format that is not for people.
fn step_in(format: Format, record: &StepObject<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Csv => csv::row(&mut out, &mut Vec::new(), record),
        #[cfg(feature = "parquet")]
        Format::Parquet | Format::Arrow => tape::write(&mut out, record),
        _ => out = line(record),
    }
    out
}

/// A record as a line of JSON.
fn line(record: &impl Object) -> Vec<u8> {
    let mut text = Vec::new();
    json::write(&mut text, record);
    text.push(b'\n');
    text
}

impl Part for CoursePart {
    fn begin(&mut self, origins: Option<&InReach>, _: Timestamp) {
        self.origins = origins.cloned();
    }

    fn at_end(&mut self) {
        self.places.at_end();
    }

    fn len(&self) -> usize {
        self.records.len()
    }

    fn order(&self, index: usize) -> Order {
        self.records.get(index).map_or(Order::FIRST, |(order, ..)| *order)
    }

    fn clear(&mut self, _: Memory) {
        self.records.clear();
        self.heading.clear();
    }
}

impl RecordSink for CoursePart {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        if (connection.id, transaction.stream) != self.exchange || self.options.format.holds_one_kind() {
            return;
        }
        let mut view = TransactionView::new(connection, transaction);
        view.origin = self.origins.as_ref().and_then(|origins| origins.find(transaction.first.packet));
        let text = match self.options.format {
            Format::Table => table::course::outcome(&view, &self.options),
            _ => line(&TransactionObject::new(&view, self.options.shown())),
        };
        self.add(now, Kind::Transaction, transaction.last.packet, text);
    }

    fn step(&mut self, now: Moment, connection: &ConnectionMeta, step: &Step) {
        let payload = match &step.what {
            StepKind::Frame(header, payload) => Payload::parse(header, payload),
            _ => None,
        };
        if self.options.format == Format::Table && self.heading.is_empty() {
            self.heading = table::course::heading(connection, step, &self.options);
        }
        let text = match self.options.format {
            Format::Table => table::course::step(step, payload.as_ref(), &self.options),
            format => {
                let record = StepObject::new(connection, step, payload.as_ref(), self.options.show_secrets);
                step_in(format, &record)
            }
        };
        self.add(now, Kind::Frame, step.first.packet, text);
    }

    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}

    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}

    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}
