//! Records as the library hands them out: owned copies, in order.

use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::http2::frame::{FrameHeader, FrameView};
use crate::record::endpoint::{Endpoint, Endpoints};
use crate::record::{
    Annotation, ConnectionMeta, ConnectionRecord, Consumer, Finding, Kind, MessageRecord, Order, Part,
    Places, RecordSink, Transaction, Wanted,
};
use std::collections::VecDeque;
use std::convert::Infallible;

/// A record of what was found in the packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An exchange on one stream.
    Transaction {
        /// The connection it was on.
        connection: ConnectionMeta,
        /// The exchange.
        transaction: Box<Transaction>,
        /// What is known of it only when all records before it are.
        annotation: Annotation,
    },
    /// A frame.
    Frame {
        /// The connection it was on.
        connection: ConnectionMeta,
        /// The frame.
        frame: Frame,
    },
    /// What a side did that it may not do, or a flood.
    Finding {
        /// The connection it was on.
        connection: ConnectionMeta,
        /// What was found.
        finding: Finding,
    },
    /// A message of a body.
    Message {
        /// The connection it was on.
        connection: ConnectionMeta,
        /// The message.
        message: Box<MessageRecord>,
    },
    /// A connection that has ended.
    Connection(Box<ConnectionRecord>),
    /// What the exchanges of an endpoint add up to; at the end, those first whose calls took most time together.
    Endpoint(Box<Endpoint>),
}

/// A frame (RFC 9113 section 4.1), with its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The packet with its header.
    pub at: Moment,
    /// The client sent it.
    pub from_client: bool,
    /// Length, type, flags and stream.
    pub header: FrameHeader,
    /// The payload; of DATA, and where bytes are missing, less than the header's length.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The frame as the views of [`crate::http2::frame`] take it.
    pub fn view(&self) -> FrameView<'_> {
        FrameView { at: self.at, from_client: self.from_client, header: self.header, payload: &self.payload }
    }
}

/// Copies of the records that a worker was lent.
#[derive(Debug)]
pub struct Copies {
    wanted: Wanted,
    places: Places,
    records: Vec<(Order, Record)>,
}

impl Copies {
    /// None yet, and which are to be copied.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, places: Places::default(), records: Vec::new() }
    }

    /// The record at an index, with what is known of it now that its turn has come.
    pub fn record(&self, index: usize, known: Annotation) -> Option<Record> {
        let (_, record) = self.records.get(index)?;
        let mut record = record.clone();
        if let Record::Transaction { annotation, .. } = &mut record {
            *annotation = known;
        }
        Some(record)
    }

    fn add(&mut self, now: Moment, connection: u64, kind: Kind, record: Record) {
        let order = match &record {
            Record::Transaction { transaction, .. } => {
                self.places.of(now, connection, kind, transaction.stream.into())
            }
            _ => self.places.next(now, connection, kind),
        };
        self.records.push((order, record));
    }
}

impl RecordSink for Copies {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        if self.wanted.transactions {
            let (id, transaction) = (connection.id, Box::new(transaction.clone()));
            let (connection, annotation) = (connection.clone(), Annotation::default());
            let record = Record::Transaction { connection, transaction, annotation };
            self.add(now, id, Kind::Transaction, record);
        }
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        if self.wanted.connections {
            let record = Record::Connection(Box::new(connection.clone()));
            self.add(now, connection.meta.id, Kind::Connection, record);
        }
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        if self.wanted.frames {
            let FrameView { at, from_client, header, payload } = *frame;
            let frame = Frame { at, from_client, header, payload: payload.to_vec() };
            let record = Record::Frame { connection: connection.clone(), frame };
            self.add(now, connection.id, Kind::Frame, record);
        }
    }

    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        if self.wanted.messages {
            let record =
                Record::Message { connection: connection.clone(), message: Box::new(message.clone()) };
            self.add(now, connection.id, Kind::Message, record);
        }
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        if self.wanted.findings {
            let record = Record::Finding { connection: connection.clone(), finding: finding.clone() };
            self.add(now, connection.id, Kind::Finding, record);
        }
    }
}

impl Part for Copies {
    fn at_end(&mut self) {
        self.places.at_end();
    }

    fn len(&self) -> usize {
        self.records.len()
    }

    fn order(&self, index: usize) -> Order {
        self.records.get(index).map_or(Order::FIRST, |&(order, _)| order)
    }

    fn clear(&mut self, _: Memory) {
        self.records.clear();
    }
}

/// Records that wait to be handed out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) wanted: Wanted,
    pub(super) records: VecDeque<Record>,
}

impl Consumer for Queue {
    type Part = Copies;
    type Error = Infallible;

    fn part(&self) -> Copies {
        Copies::new(self.wanted)
    }

    fn record(&mut self, part: &Copies, index: usize, known: Annotation) -> Result<(), Infallible> {
        self.records.extend(part.record(index, known));
        Ok(())
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), Infallible> {
        self.records.extend(endpoints.rows.iter().map(|row| Record::Endpoint(Box::new(row.clone()))));
        Ok(())
    }
}
