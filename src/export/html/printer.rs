//! The output's half: what comes is held or added up, and the page is written when all is known.

use super::data;
use super::held::Held;
use super::maker::{Fact, Made, Maker};
use super::page::Page;
use super::waiting::{Causes, Connections, Findings, Period};
use crate::export::{Options, PrintError, json};
use crate::record::endpoint::Endpoints;
use crate::record::{Annotation, Consumer, Report};
use std::borrow::Cow;
use std::io::Write;

/// Writes the report.
#[derive(Debug)]
pub(in crate::export) struct Printer<W: Write> {
    writer: W,
    options: Options,
    /// The captures' names.
    inputs: Vec<String>,
    held: Held,
    causes: Causes,
    findings: Findings,
    connections: Connections,
    period: Period,
    endpoints: Endpoints,
    written: u64,
}

impl<W: Write> Printer<W> {
    /// A report on what makers with the same options make. Nothing is written before all has come.
    pub(in crate::export) fn new(writer: W, options: &Options) -> Self {
        Self {
            writer,
            options: *options,
            inputs: Vec::new(),
            held: Held::new(options.memory),
            causes: Causes::default(),
            findings: Findings::default(),
            connections: Connections::default(),
            period: Period::default(),
            endpoints: Endpoints::default(),
            written: 0,
        }
    }

    /// Says what the records come from.
    pub(in crate::export) fn name_inputs(&mut self, names: &[String]) {
        self.inputs = names.to_vec();
    }

    /// Records that the writer has been given so far.
    pub(in crate::export) const fn written(&self) -> u64 {
        self.written
    }

    /// What the report is written to.
    pub(in crate::export) const fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }
}

impl<W: Write> Consumer for Printer<W> {
    type Part = Maker;
    type Error = PrintError;

    fn part(&self) -> Maker {
        Maker::new(&self.options)
    }

    fn record(&mut self, part: &Maker, index: usize, annotation: Annotation) -> Result<(), PrintError> {
        let Some(Made { fact, json, annotation_at, steps }) = part.get(index) else { return Ok(()) };
        let place = annotation_at.filter(|_| annotation != Annotation::default());
        let json = match place.and_then(|at| json.split_at_checked(at)) {
            Some((head, tail)) => {
                let mut whole = head.to_vec();
                json::push_annotation(&mut whole, annotation);
                whole.extend_from_slice(tail);
                Cow::Owned(whole)
            }
            None => Cow::Borrowed(json),
        };
        match fact {
            Fact::Call(call) => {
                self.causes.push(&call, &json);
                self.period.push(&call);
                self.held.push(&call, &json, steps);
            }
            Fact::Connection => self.connections.push(&json),
            Fact::Finding => self.findings.push(&json),
        }
        Ok(())
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), PrintError> {
        self.endpoints.clone_from(endpoints);
        Ok(())
    }

    fn finish(&mut self, report: &Report) -> Result<(), PrintError> {
        let (calls, seen) = std::mem::replace(&mut self.held, Held::new(self.options.memory)).finish();
        let (inputs, endpoints) = (std::mem::take(&mut self.inputs), std::mem::take(&mut self.endpoints));
        let (causes, findings) = (std::mem::take(&mut self.causes), std::mem::take(&mut self.findings));
        let connections = std::mem::take(&mut self.connections);
        let page = Page {
            inputs: &inputs,
            period: self.period,
            calls: &calls,
            seen,
            endpoints: &endpoints,
            causes: &causes,
            findings: &findings,
            connections: &connections,
            report,
        };
        let (before, behind) = page.around_data();
        self.writer.write_all(before.as_bytes())?;
        for calls in calls.chunks(data::CHUNK) {
            self.writer.write_all(data::calls(calls).into_string().as_bytes())?;
        }
        self.writer.write_all(behind.as_bytes())?;
        self.written = seen;
        Ok(self.writer.flush()?)
    }
}
