//! The output's half: tapes, in order, to a file or stream of columns.

use super::stream::Stream;
use super::tape;
use crate::base::tuning::OUTPUT_BUFFER;
use crate::export::parquet::Footers;
use crate::export::renderer::Renderer;
use crate::export::sort::Sorter;
use crate::export::{Format, Options, PrintError, json};
use crate::record::endpoint::Endpoints;
use crate::record::schema::{
    ConnectionObject, EndpointObject, FindingObject, FrameObject, MessageRecordObject, TelemetryObject,
    TransactionObject,
};
use crate::record::visit::{Member, Object};
use crate::record::{Annotation, Consumer, Report, Wanted};
use std::io::Write;

/// Writes one kind of record as columns.
#[derive(Debug)]
pub(in crate::export) struct Printer<W: Write> {
    writer: W,
    options: Options,
    /// Begun with the first record, or when there are none.
    stream: Option<Stream>,
    /// Bytes that are ready.
    ready: Vec<u8>,
    /// A record's tape with its annotation.
    scratch: Vec<u8>,
    /// Keeps transactions until all are there, where they are to be sorted.
    sorter: Option<Box<Sorter>>,
    footers: Footers,
    records: u64,
    written: u64,
}

/// How complete the capture is, as JSON.
pub(in crate::export) fn coverage(report: &Report) -> Option<String> {
    let mut coverage = Vec::new();
    json::write(&mut coverage, &TelemetryObject::new(report).coverage);
    String::from_utf8(coverage).ok()
}

/// The members of the one kind of record that is wanted.
const fn members(wanted: Wanted) -> &'static [Member] {
    if wanted.transactions {
        TransactionObject::<'static>::MEMBERS
    } else if wanted.endpoints {
        EndpointObject::<'static>::MEMBERS
    } else if wanted.connections {
        ConnectionObject::<'static>::MEMBERS
    } else if wanted.frames {
        FrameObject::<'static>::MEMBERS
    } else if wanted.messages {
        MessageRecordObject::<'static>::MEMBERS
    } else if wanted.findings {
        FindingObject::MEMBERS
    } else {
        TelemetryObject::<'static>::MEMBERS
    }
}

impl<W: Write> Printer<W> {
    /// A printer of what renderers with the same options made. Nothing is written yet.
    pub(in crate::export) fn new(writer: W, options: &Options) -> Self {
        let (ready, scratch) = (Vec::with_capacity(OUTPUT_BUFFER), Vec::new());
        let sorter = options.sort.map(|sort| Box::new(Sorter::new(sort.top, options.memory)));
        let footers = Footers::new(options.memory);
        Self {
            writer,
            options: *options,
            stream: None,
            ready,
            scratch,
            sorter,
            footers,
            records: 0,
            written: 0,
        }
    }

    /// The file has its end's room with others.
    pub(in crate::export) fn share(&mut self, footers: &Footers) {
        self.footers = footers.clone();
    }

    /// Records that the writer has been given so far.
    pub(in crate::export) const fn written(&self) -> u64 {
        self.written
    }

    /// What the records are written to.
    pub(in crate::export) const fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// Does something with the stream, and writes what it has ready.
    fn with_stream(
        &mut self,
        act: impl FnOnce(&mut Stream, &mut Vec<u8>) -> Result<(), super::ColumnsError>,
    ) -> Result<(), PrintError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(super::begin(
                self.options.format,
                self.options.memory,
                &self.footers,
                members(self.options.wanted),
            )?),
        };
        act(stream, &mut self.ready)?;
        if !self.ready.is_empty() {
            let result = self.writer.write_all(&self.ready);
            self.ready.clear();
            self.ready.shrink_to(OUTPUT_BUFFER);
            self.written = self.records;
            result?;
        }
        Ok(())
    }

    /// A record as a worker wrote it on a tape.
    fn tape(&mut self, tape: &[u8], rank: Option<u64>) -> Result<(), PrintError> {
        if let (Some(sorter), Some(rank)) = (&mut self.sorter, rank) {
            return sorter.push(rank, &[tape]);
        }
        self.records += 1;
        self.with_stream(|stream, out| stream.push(tape, out))
    }

    /// A record that is made here.
    fn push(&mut self, record: &impl Object) -> Result<(), PrintError> {
        self.records += 1;
        let mut tape = std::mem::take(&mut self.scratch);
        tape.clear();
        tape::write(&mut tape, record);
        let result = self.with_stream(|stream, out| stream.push(&tape, out));
        self.scratch = tape;
        result
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
        let Some((item, tape)) = rendered.record(index) else { return Ok(()) };
        let Some(at) = item.annotation_at().filter(|_| annotation != Annotation::default()) else {
            return self.tape(tape, item.rank);
        };
        let mut whole = std::mem::take(&mut self.scratch);
        whole.clear();
        whole.extend_from_slice(tape.get(..at).unwrap_or(tape));
        tape::push_annotation(&mut whole, annotation);
        let result = self.tape(&whole, item.rank);
        self.scratch = whole;
        result
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), PrintError> {
        if self.options.wanted.endpoints {
            for endpoint in endpoints.rows.iter().take(self.options.top()) {
                self.push(&EndpointObject::new(endpoint))?;
            }
        }
        Ok(())
    }

    fn telemetry(&mut self, report: &Report) -> Result<(), PrintError> {
        if self.options.wanted.telemetry { self.push(&TelemetryObject::new(report)) } else { Ok(()) }
    }

    /// A stream's reader sees the rows so far; a file's are not divided more than they must be.
    fn flush(&mut self) -> Result<(), PrintError> {
        if self.options.format == Format::Arrow {
            self.with_stream(Stream::flush)?;
        }
        Ok(self.writer.flush()?)
    }

    fn finish(&mut self, report: &Report) -> Result<(), PrintError> {
        if let Some(mut sorter) = self.sorter.take() {
            sorter.drain(|tape| self.tape(tape, None))?;
        }
        let coverage = coverage(report);
        self.with_stream(|stream, out| stream.finish(coverage.as_deref(), out))?;
        Ok(self.writer.flush()?)
    }
}
