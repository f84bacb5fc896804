//! The output's half: rendered records, in order, to a writer.

use super::print_error::PrintError;
use super::renderer::{Renderer, csv_header};
use super::sort::Sorter;
use super::table::{self, TablePrinter};
use super::{Format, Options, csv, har, json, otlp, part, trace};
use crate::base::time::Timestamp;
use crate::base::tuning::OUTPUT_BUFFER;
use crate::record::endpoint::Endpoints;
use crate::record::schema::{EndpointObject, TelemetryObject};
use crate::record::visit::Object;
use crate::record::{Annotation, AttemptWords, Consumer, Kind, Order, PartReport, Report};
use std::io::Write;

/// Prints records in the order in which it is given them.
#[derive(Debug)]
pub struct Printer<W: Write> {
    writer: W,
    buffer: Vec<u8>,
    options: Options,
    table: Option<TablePrinter>,
    /// When the first packet of all was captured.
    start: Option<Timestamp>,
    /// The line of OTLP that is being filled.
    spans: Option<otlp::Lines>,
    /// Transactions that wait for their turn in the order that was asked for.
    sorter: Option<Box<Sorter>>,
    /// CSV of telemetry.
    telemetry: bool,
    /// Something was printed (JSON: an element of the array).
    begun: bool,
    /// Records printed, and those of them that the writer has been given.
    records: u64,
    written: u64,
    /// Bytes that the writer has been given.
    written_bytes: u64,
    /// Of a part: where the record printed last belongs.
    place: Option<(u64, u64)>,
    /// And what is to be told of the exchange that the next record is of, and whether a finding follows it.
    attempt: Option<(AttemptWords, bool)>,
    /// The next record belongs where the one before does.
    pinned: bool,
}

impl<W: Write> Printer<W> {
    /// A printer of what renderers with the same options made. Nothing is written yet.
    pub fn new(writer: W, options: &Options) -> Self {
        let mut buffer = Vec::with_capacity(OUTPUT_BUFFER + OUTPUT_BUFFER / 4);
        let table = (options.format == Format::Table).then(|| TablePrinter::new(*options));
        let telemetry = options.format == Format::Csv && options.only_telemetry();
        match options.format {
            Format::Json => buffer.push(b'['),
            Format::Har => buffer.extend_from_slice(har::OPENING.as_bytes()),
            Format::Trace => buffer.extend_from_slice(trace::OPENING.as_bytes()),
            Format::Csv if telemetry => csv::header::<TelemetryObject<'_>>(&mut buffer),
            Format::Csv if options.wanted.endpoints => csv::header::<EndpointObject<'_>>(&mut buffer),
            Format::Csv => csv_header(&mut buffer, options),
            _ => (),
        }
        Self {
            writer,
            buffer,
            options: *options,
            table,
            start: None,
            spans: (options.format == Format::Otlp).then(otlp::Lines::default),
            sorter: options.sort.map(|sort| Box::new(Sorter::new(sort.top, options.memory))),
            telemetry,
            begun: false,
            records: 0,
            written: 0,
            written_bytes: 0,
            place: None,
            attempt: None,
            pinned: false,
        }
    }

    /// Records that the writer has been given so far, telemetry included. It is only ever given whole ones.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// What the records are written to.
    pub const fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// A record as a worker rendered it, in pieces.
    fn print(&mut self, kind: Kind, pieces: &[&[u8]]) -> Result<(), PrintError> {
        self.records += 1;
        if let Some(table) = &mut self.table {
            let row = pieces.first().copied().unwrap_or_default();
            table.row(&mut self.buffer, kind, std::str::from_utf8(row).unwrap_or_default());
        } else if let Some(spans) = &mut self.spans {
            spans.take(&mut self.buffer, &pieces.concat());
        } else {
            self.separate();
            for piece in pieces {
                self.buffer.extend_from_slice(piece);
            }
            self.unterminate();
        }
        self.flush_full()
    }

    /// Prints the transactions that were kept to be sorted: all are there.
    fn print_sorted(&mut self) -> Result<(), PrintError> {
        let Some(mut sorter) = self.sorter.take() else { return Ok(()) };
        sorter.drain(|text| self.print(Kind::Transaction, &[text]))
    }

    /// A record that is made here, in a format that is not the table.
    fn push(&mut self, record: &impl Object) -> Result<(), PrintError> {
        self.records += 1;
        if self.options.format == Format::Csv {
            csv::row(&mut self.buffer, &mut Vec::new(), record);
        } else {
            self.separate();
            json::write(&mut self.buffer, record);
            self.buffer.push(b'\n');
            self.unterminate();
        }
        self.flush_full()
    }

    /// What ends the array that the records are elements of, in formats that have one.
    const fn array_end(&self) -> Option<&'static str> {
        match self.options.format {
            Format::Json => Some("]\n"),
            Format::Har => Some(har::CLOSING),
            Format::Trace => Some(trace::CLOSING),
            _ => None,
        }
    }

    /// Before a record of a part.
    fn put_in_place(&mut self, order: Order) {
        let place = Some((order.packet, order.connection));
        if std::mem::take(&mut self.pinned) {
            return;
        }
        if self.is_part() && std::mem::replace(&mut self.place, place) != place {
            self.records += 1;
            part::order(&mut self.buffer, order);
        }
    }

    /// Of a part: tells what makes an exchange an attempt, with its record, once that comes.
    pub(super) fn attempt(
        &mut self,
        order: Order,
        attempt: AttemptWords,
        record: bool,
        finding: bool,
    ) -> Result<(), PrintError> {
        let wanted = self.options.wanted;
        if !self.is_part() || !(wanted.attempts() || wanted.telemetry) {
            return Ok(());
        }
        self.put_in_place(order);
        if record {
            self.attempt = Some((attempt, finding));
            return Ok(());
        }
        self.pinned = finding;
        self.records += 1;
        part::attempt(&mut self.buffer, attempt, None, finding);
        self.flush_full()
    }

    /// Behind the records of a part: what is needed to add it to the others.
    fn finish_part(&mut self, part: &PartReport) -> Result<(), PrintError> {
        if !self.is_part() {
            return Ok(());
        }
        let paths = if self.options.wanted.endpoints { part.paths.as_slice() } else { &[] };
        for path in paths {
            self.records += 1;
            part::path(&mut self.buffer, path);
            self.flush_full()?;
        }
        let bytes = self.written_bytes + self.buffer.len() as u64;
        part::last(&mut self.buffer, part, self.records, bytes);
        Ok(())
    }

    /// What is printed is merged with other parts.
    const fn is_part(&self) -> bool {
        self.options.part && matches!(self.options.format, Format::Ndjson)
    }

    /// Before an element of a JSON array.
    fn separate(&mut self) {
        if self.array_end().is_some() {
            self.buffer.extend_from_slice(if self.begun { b",\n" } else { b"\n" });
        }
        self.begun = true;
    }

    /// After an element of a JSON array: the line end waits until it is known whether a comma precedes it.
    fn unterminate(&mut self) {
        if self.array_end().is_some() && self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        }
    }

    fn flush_full(&mut self) -> Result<(), PrintError> {
        if self.buffer.len() >= OUTPUT_BUFFER { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<(), PrintError> {
        let result = self.writer.write_all(&self.buffer);
        self.written_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        self.written = self.records;
        Ok(result?)
    }
}

impl<W: Write> Consumer for Printer<W> {
    type Part = Renderer;
    type Error = PrintError;

    fn part(&self) -> Renderer {
        Renderer::new(self.options)
    }

    fn record(&mut self, part: &Renderer, index: usize, annotation: Annotation) -> Result<(), PrintError> {
        let rendered = part.rendered();
        let Some((item, text)) = rendered.record(index) else { return Ok(()) };
        self.start = Some(rendered.start);
        self.put_in_place(item.order);
        let mut added = Vec::new();
        let mut pieces = [text, &[], &[]];
        if annotation == Annotation::default() {
        } else if let Some(at) = item.annotation_at() {
            let (head, tail) = text.split_at_checked(at).unwrap_or((text, &[]));
            if self.options.format == Format::Csv {
                csv::push_annotation(&mut added, annotation);
                pieces = [head, &added, &[]];
            } else {
                json::push_annotation(&mut added, annotation);
                pieces = [head, &added, tail];
            }
        } else if let Some(verdict) = annotation.agent.filter(|_| self.table.is_some()) {
            let row = std::str::from_utf8(text).unwrap_or_default();
            if let Some(row) = table::with_verdict(row, verdict) {
                added = row.into_bytes();
                pieces = [&added, &[], &[]];
            }
        }
        if let Some((attempt, finding)) = self.attempt.take() {
            // From the place of what is not known yet to the line's end.
            let behind = item.annotation_at().map(|at| added.len() + text.len() - at);
            self.records += 1;
            part::attempt(&mut self.buffer, attempt, behind, finding);
            self.pinned = finding;
        }
        match (&mut self.sorter, item.rank) {
            (Some(sorter), Some(rank)) => sorter.push(rank, &pieces),
            _ => self.print(item.order.kind, &pieces),
        }
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), PrintError> {
        self.print_sorted()?;
        if let Some(table) = &mut self.table {
            table.endpoints(&mut self.buffer, endpoints);
        } else if self.options.wanted.endpoints {
            for endpoint in endpoints.rows.iter().take(self.options.top()) {
                self.push(&EndpointObject::new(endpoint))?;
            }
        }
        self.flush_full()
    }

    /// In a table the rows held are printed before it, and CSV of other records has no place for it.
    fn telemetry(&mut self, report: &Report) -> Result<(), PrintError> {
        if !self.options.wanted.telemetry {
            return Ok(());
        }
        self.print_sorted()?;
        if let Some(table) = &mut self.table {
            self.records += 1;
            table.telemetry(&mut self.buffer, report);
        } else if self.telemetry || self.options.format != Format::Csv {
            return self.push(&TelemetryObject::new(report));
        }
        self.flush_full()
    }

    fn flush(&mut self) -> Result<(), PrintError> {
        if let Some(spans) = self.spans.as_mut().filter(|_| self.options.live) {
            spans.end(&mut self.buffer);
        }
        self.write_out()?;
        Ok(self.writer.flush()?)
    }

    fn finish(&mut self, report: &Report) -> Result<(), PrintError> {
        self.print_sorted()?;
        if let Some(part) = &report.part {
            self.finish_part(part)?;
        }
        if let Some(table) = &mut self.table {
            table.finish(&mut self.buffer);
        }
        if let Some(spans) = &mut self.spans {
            spans.end(&mut self.buffer);
        }
        if let Some(end) = self.array_end() {
            self.buffer.extend_from_slice(if self.begun { b"\n" } else { b"" });
            if self.options.format == Format::Trace {
                trace::other_data(&mut self.buffer, self.start);
            }
            self.buffer.extend_from_slice(end.as_bytes());
        }
        self.flush()
    }
}
