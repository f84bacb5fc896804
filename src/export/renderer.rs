//! The worker's half: records → bytes, as they end.

#[cfg(feature = "parquet")]
use super::columns::tape;
use super::repeated::Repeated;
use super::{AnnotationSlot, Format, Item, Options, Rendered, csv, curl, har, json, otlp, table, trace};
use crate::base::memory::Memory;
use crate::base::origin::InReach;
use crate::base::time::{Moment, Timestamp};
use crate::http2::frame::{FrameView, Payload};
use crate::record::schema::{
    ConnectionObject, FindingObject, FrameObject, MessageRecordObject, TransactionObject,
};
use crate::record::visit::Record;
use crate::record::{
    ConnectionMeta, ConnectionRecord, ConnectionState, Finding, Kind, MessageRecord, Order, Part, Places,
    RecordSink, Transaction, TransactionView,
};

/// Bytes behind the place of a transaction's annotation in its JSON: the ends of `h2` and of the record, and the line end.
const JSON_TAIL: usize = b"}}\n".len();
/// And in its row of CSV: the cells that stand for no annotation.
const CSV_TAIL: usize = b",,,,,\n".len();

/// Renders the records of one worker.
#[derive(Debug)]
pub struct Renderer {
    options: Options,
    rendered: Rendered,
    scratch: Scratch,
    places: Places,
    /// Where packets came from, with several inputs.
    origins: Option<InReach>,
}

impl Renderer {
    /// A renderer of records as the options say.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            rendered: Rendered::default(),
            scratch: Scratch::default(),
            places: Places::default(),
            origins: None,
        }
    }

    /// What was rendered since the last [`Part::clear`].
    pub const fn rendered(&self) -> &Rendered {
        &self.rendered
    }

    /// What writes a connection's trace events.
    const fn events(&self, connection: u64) -> trace::Events {
        trace::Events { start: self.rendered.start, connection }
    }

    /// Notes a record whose text begins at `start` and ends here.
    fn add(&mut self, start: usize, now: Moment, connection: u64, kind: Kind) {
        let order = self.places.next(now, connection, kind);
        self.add_at(start, order, None, None);
    }

    fn add_at(&mut self, start: usize, order: Order, annotation: Option<AnnotationSlot>, rank: Option<u64>) {
        let range = start as u32..self.rendered.bytes.len() as u32;
        self.rendered.items.push(Item { order, range, annotation, rank });
    }
}

/// What formats use again from record to record.
#[derive(Debug, Default)]
struct Scratch {
    /// For cells of CSV that are not plain.
    cell: Vec<u8>,
    /// What JSON need not write anew.
    repeated: Repeated,
}

/// Renders a record in a format that is not the table.
fn push(rendered: &mut Rendered, scratch: &mut Scratch, format: Format, record: &impl Record) {
    let out = &mut rendered.bytes;
    match format {
        Format::Csv => csv::row(out, &mut scratch.cell, record),
        #[cfg(feature = "parquet")]
        Format::Parquet | Format::Arrow => tape::write(out, record),
        _ => {
            json::write_record(out, &mut scratch.repeated, record);
            out.push(b'\n');
        }
    }
}

impl Part for Renderer {
    fn exchange(&mut self, now: Moment, view: &TransactionView<'_>) {
        if !self.options.wanted.transactions {
            return;
        }
        let start = self.rendered.bytes.len();
        let TransactionView { connection, transaction, .. } = *view;
        let origin = self.origins.as_ref().and_then(|origins| origins.find(transaction.first.packet));
        let view = TransactionView { origin, ..*view };
        let mut tail = 0;
        let (bytes, options) = (&mut self.rendered.bytes, &self.options);
        match options.format {
            Format::Table => table::transaction(bytes, &view, options),
            Format::Har => {
                json::write(bytes, &har::Entry::new(&view, options.show_secrets));
                bytes.push(b'\n');
                // `_h2` stands where a record's `h2` does.
                tail = JSON_TAIL;
            }
            Format::Otlp => otlp::span(bytes, &view, options),
            Format::Curl => curl::command(bytes, &view, options),
            Format::Trace => {
                let events = trace::Events { start: self.rendered.start, connection: connection.id };
                events.exchange(bytes, &view);
            }
            format @ (Format::Csv
            | Format::Ndjson
            | Format::Json
            | Format::Parquet
            | Format::Arrow
            | Format::Html) => {
                let record = TransactionObject::new(&view, options.shown());
                push(&mut self.rendered, &mut self.scratch, format, &record);
                tail = match format {
                    Format::Csv => CSV_TAIL,
                    #[cfg(feature = "parquet")]
                    Format::Parquet | Format::Arrow => tape::TAIL,
                    _ => JSON_TAIL,
                };
            }
        }
        let slot = (tail > 0).then(|| AnnotationSlot { at: (self.rendered.bytes.len() - tail) as u32 });
        let rank = self.options.sort.map(|sort| sort.rank(&view));
        let order = self.places.of(now, connection.id, Kind::Transaction, transaction.stream.into());
        self.add_at(start, order, slot, rank);
    }

    fn begin(&mut self, origins: Option<&InReach>, start: Timestamp) {
        self.origins = origins.cloned();
        self.rendered.start = start;
    }

    fn at_end(&mut self) {
        self.places.at_end();
    }

    fn len(&self) -> usize {
        self.rendered.items.len()
    }

    fn order(&self, index: usize) -> Order {
        self.rendered.items.get(index).map_or(Order::FIRST, |item| item.order)
    }

    fn bytes(&self) -> usize {
        self.rendered.bytes.capacity() + self.rendered.items.capacity() * size_of::<Item>()
    }

    fn clear(&mut self, memory: Memory) {
        self.rendered.clear(memory);
    }
}

/// Appends the header row of CSV.
pub(super) fn csv_header(out: &mut Vec<u8>, options: &Options) {
    match csv_kind(options) {
        Kind::Transaction => csv::header::<TransactionObject<'_>>(out),
        Kind::Connection => csv::header::<ConnectionObject<'_>>(out),
        Kind::Frame => csv::header::<FrameObject<'_>>(out),
        Kind::Message => csv::header::<MessageRecordObject<'_>>(out),
        Kind::Finding => csv::header::<FindingObject<'_>>(out),
    }
}

/// The one kind of record that CSV shows.
const fn csv_kind(options: &Options) -> Kind {
    let wanted = &options.wanted;
    if wanted.transactions {
        Kind::Transaction
    } else if wanted.connections {
        Kind::Connection
    } else if wanted.frames {
        Kind::Frame
    } else if wanted.messages {
        Kind::Message
    } else {
        Kind::Finding
    }
}

impl RecordSink for Renderer {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.exchange(now, &TransactionView::new(connection, transaction));
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        if !self.options.wanted.connections {
            return;
        }
        let start = self.rendered.bytes.len();
        if self.options.format == Format::Table {
            table::connection(&mut self.rendered.bytes, connection, &self.options);
        } else if self.options.format == Format::Trace {
            trace::process_name(&mut self.rendered.bytes, connection);
        } else {
            let origin = self.origins.as_ref().and_then(|origins| origins.find(connection.meta.id));
            let record = ConnectionObject::new(connection, origin);
            push(&mut self.rendered, &mut self.scratch, self.options.format, &record);
        }
        self.add(start, now, connection.meta.id, Kind::Connection);
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        if !self.options.wanted.frames {
            return;
        }
        let start = self.rendered.bytes.len();
        let payload = Payload::parse(&frame.header, frame.payload);
        if self.options.format == Format::Table {
            table::frame(&mut self.rendered.bytes, connection, frame, payload.as_ref(), &self.options);
        } else if self.options.format == Format::Trace {
            let events = self.events(connection.id);
            if !events.frame(&mut self.rendered.bytes, connection, frame, payload.as_ref()) {
                return;
            }
        } else {
            let record = FrameObject::new(connection, frame, payload.as_ref());
            push(&mut self.rendered, &mut self.scratch, self.options.format, &record);
        }
        self.add(start, now, connection.id, Kind::Frame);
    }

    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        if !self.options.wanted.messages {
            return;
        }
        let start = self.rendered.bytes.len();
        if self.options.format == Format::Table {
            table::message(&mut self.rendered.bytes, connection, message, &self.options);
        } else {
            let record = MessageRecordObject::new(connection, message);
            push(&mut self.rendered, &mut self.scratch, self.options.format, &record);
        }
        self.add(start, now, connection.id, Kind::Message);
    }

    fn state(&mut self, now: Moment, connection: &ConnectionMeta, state: &ConnectionState) {
        if self.options.format == Format::Trace {
            let start = self.rendered.bytes.len();
            self.events(connection.id).state(&mut self.rendered.bytes, now.time, state);
            self.add(start, now, connection.id, Kind::Frame);
        }
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        if !self.options.wanted.findings {
            return;
        }
        let start = self.rendered.bytes.len();
        if self.options.format == Format::Table {
            table::finding(&mut self.rendered.bytes, connection, finding, &self.options);
        } else {
            let record = FindingObject::new(connection, finding);
            push(&mut self.rendered, &mut self.scratch, self.options.format, &record);
        }
        self.add(start, now, connection.id, Kind::Finding);
    }
}
