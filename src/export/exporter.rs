//! The one consumer: what workers make for each output, and the outputs.

#[cfg(feature = "parquet")]
use super::columns;
use super::print_error::PrintError;
use super::printer::Printer;
use super::renderer::Renderer;
use super::{Format, Options, html};
use crate::base::memory::Memory;
use crate::base::origin::InReach;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::http2::frame::FrameView;
use crate::record::endpoint::Endpoints;
use crate::record::{
    Annotation, AttemptWords, ConnectionMeta, ConnectionRecord, ConnectionState, Consumer, Finding,
    MessageRecord, Order, Part, RecordSink, Report, Transaction, TransactionView,
};
use std::io::Write;

/// What a worker makes of records for one output.
#[derive(Debug)]
pub enum Maker {
    /// Text, one piece a record.
    Text(Renderer),
    /// Records of the report.
    Html(html::Maker),
}

impl Maker {
    fn part(&self) -> &dyn Part {
        match self {
            Self::Text(renderer) => renderer,
            Self::Html(maker) => maker,
        }
    }

    fn part_mut(&mut self) -> &mut dyn Part {
        match self {
            Self::Text(renderer) => renderer,
            Self::Html(maker) => maker,
        }
    }
}

/// Puts in order what makers have made, and writes it.
#[derive(Debug)]
enum Output<W: Write> {
    Text(Box<Printer<W>>),
    #[cfg(feature = "parquet")]
    Columns(Box<columns::Printer<W>>),
    Html(Box<html::Printer<W>>),
}

impl<W: Write> Output<W> {
    fn new(writer: W, options: &Options) -> Self {
        #[cfg(feature = "parquet")]
        if options.format.is_binary() {
            return Self::Columns(Box::new(columns::Printer::new(writer, options)));
        }
        if options.format == Format::Html {
            return Self::Html(Box::new(html::Printer::new(writer, options)));
        }
        Self::Text(Box::new(Printer::new(writer, options)))
    }
}

/// What a worker makes of records for all outputs.
#[derive(Debug)]
pub struct Makers {
    makers: Vec<Maker>,
    /// For each record that was made, the maker and its place there.
    made: Vec<(usize, usize)>,
}

impl Makers {
    fn each(&mut self, make: impl Fn(&mut dyn Part)) {
        for (output, maker) in self.makers.iter_mut().enumerate() {
            let part = maker.part_mut();
            let before = part.len();
            make(part);
            self.made.extend((before..part.len()).map(|index| (output, index)));
        }
    }
}

impl RecordSink for Makers {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.each(|part| part.transaction(now, connection, transaction));
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        self.each(|part| part.connection(now, connection));
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        self.each(|part| part.frame(now, connection, frame));
    }

    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        self.each(|part| part.message(now, connection, message));
    }

    fn state(&mut self, now: Moment, connection: &ConnectionMeta, state: &ConnectionState) {
        self.each(|part| part.state(now, connection, state));
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        self.each(|part| part.finding(now, connection, finding));
    }
}

impl Part for Makers {
    fn exchange(&mut self, now: Moment, view: &TransactionView<'_>) {
        self.each(|part| part.exchange(now, view));
    }

    fn begin(&mut self, origins: Option<&InReach>, start: Timestamp) {
        for maker in &mut self.makers {
            maker.part_mut().begin(origins, start);
        }
    }

    fn at_end(&mut self) {
        for maker in &mut self.makers {
            maker.part_mut().at_end();
        }
    }

    fn len(&self) -> usize {
        self.made.len()
    }

    fn order(&self, index: usize) -> Order {
        let made = self.made.get(index).and_then(|&(output, index)| Some((self.makers.get(output)?, index)));
        made.map_or(Order::FIRST, |(maker, index)| maker.part().order(index))
    }

    fn bytes(&self) -> usize {
        self.makers.iter().map(|maker| maker.part().bytes()).sum()
    }

    fn clear(&mut self, memory: Memory) {
        for maker in &mut self.makers {
            maker.part_mut().clear(memory);
        }
        self.made.clear();
        self.made.shrink_to(memory.kept(tuning::LIST_KEPT) / size_of::<(usize, usize)>());
    }
}

/// Writes records: each output those kinds that its options want.
#[derive(Debug)]
pub struct Exporter<W: Write> {
    outputs: Vec<Output<W>>,
    options: Vec<Options>,
}

impl<W: Write> Exporter<W> {
    /// Writes to these. Nothing is written yet.
    pub fn new(outputs: impl IntoIterator<Item = (W, Options)>) -> Self {
        let outputs: Vec<_> = outputs.into_iter().collect();
        #[cfg(feature = "parquet")]
        let footers = outputs.first().map(|(_, options)| super::parquet::Footers::new(options.memory));
        let among = outputs.iter().filter(|(_, options)| options.holds()).count();
        let outputs = outputs.into_iter().map(|(writer, options)| {
            let options = Options { memory: options.memory.divided(among), ..options };
            (Output::new(writer, &options), options)
        });
        #[cfg_attr(not(feature = "parquet"), expect(unused_mut))]
        let (mut outputs, options): (Vec<_>, _) = outputs.unzip();
        #[cfg(feature = "parquet")]
        for output in &mut outputs {
            if let (Output::Columns(printer), Some(footers)) = (output, &footers) {
                printer.share(footers);
            }
        }
        Self { outputs, options }
    }

    /// Records that the writers have been given so far, telemetry included. They are only ever given whole ones.
    pub fn written(&self) -> u64 {
        let written = self.outputs.iter().map(|output| match output {
            Output::Text(printer) => printer.written(),
            Output::Html(printer) => printer.written(),
            #[cfg(feature = "parquet")]
            Output::Columns(printer) => printer.written(),
        });
        written.sum()
    }

    /// Says what the records come from, to those outputs that tell it.
    pub fn name_inputs(&mut self, names: &[String]) {
        for output in &mut self.outputs {
            if let Output::Html(printer) = output {
                printer.name_inputs(names);
            }
        }
    }

    /// What the records are written to.
    pub fn writers_mut(&mut self) -> impl Iterator<Item = &mut W> {
        self.outputs.iter_mut().map(|output| match output {
            Output::Text(printer) => printer.writer_mut(),
            Output::Html(printer) => printer.writer_mut(),
            #[cfg(feature = "parquet")]
            Output::Columns(printer) => printer.writer_mut(),
        })
    }
}

/// Does the same with each output, whatever its format.
macro_rules! each {
    ($outputs:expr, $output:ident => $what:expr) => {
        for output in &mut $outputs {
            match output {
                Output::Text($output) => $what?,
                Output::Html($output) => $what?,
                #[cfg(feature = "parquet")]
                Output::Columns($output) => $what?,
            }
        }
    };
}

impl<W: Write> Consumer for Exporter<W> {
    type Part = Makers;
    type Error = PrintError;

    fn part(&self) -> Makers {
        let makers = self.options.iter().map(|options| match options.format {
            Format::Html => Maker::Html(html::Maker::new(options)),
            _ => Maker::Text(Renderer::new(*options)),
        });
        Makers { makers: makers.collect(), made: Vec::new() }
    }

    fn record(&mut self, part: &Makers, index: usize, annotation: Annotation) -> Result<(), PrintError> {
        let Some(&(output, index)) = part.made.get(index) else { return Ok(()) };
        match (self.outputs.get_mut(output), part.makers.get(output)) {
            (Some(Output::Text(printer)), Some(Maker::Text(text))) => printer.record(text, index, annotation),
            #[cfg(feature = "parquet")]
            (Some(Output::Columns(printer)), Some(Maker::Text(tapes))) => {
                printer.record(tapes, index, annotation)
            }
            (Some(Output::Html(printer)), Some(Maker::Html(maker))) => {
                printer.record(maker, index, annotation)
            }
            _ => Ok(()),
        }
    }

    fn attempt(
        &mut self,
        order: Order,
        attempt: AttemptWords,
        record: Option<(&Makers, usize)>,
        finding: Option<(&Makers, usize)>,
    ) -> Result<(), PrintError> {
        let output_of = |made: Option<(&Makers, usize)>| {
            made.and_then(|(part, index)| part.made.get(index)).map(|&(output, _)| output)
        };
        let (record, finding) = (output_of(record), output_of(finding));
        for (at, output) in self.outputs.iter_mut().enumerate() {
            if let Output::Text(printer) = output {
                printer.attempt(order, attempt, record == Some(at), finding == Some(at))?;
            }
        }
        Ok(())
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), PrintError> {
        each!(self.outputs, output => output.endpoints(endpoints));
        Ok(())
    }

    fn telemetry(&mut self, report: &Report) -> Result<(), PrintError> {
        each!(self.outputs, output => output.telemetry(report));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PrintError> {
        each!(self.outputs, output => output.flush());
        Ok(())
    }

    fn finish(&mut self, report: &Report) -> Result<(), PrintError> {
        each!(self.outputs, output => output.finish(report));
        Ok(())
    }
}
