//! The workers' half: copies of what the window shows.

use super::call::{Call, OpenCall};
use crate::base::time::{Moment, Timestamp};
use crate::http2::frame::FrameView;
use crate::record::{
    ConnectionMeta, ConnectionRecord, Finding, Kind, MessageRecord, Order, Part, RecordSink, Transaction,
};
use std::sync::Arc;

/// What happened. Cheap to copy.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A request's header section is there.
    Opened(Arc<OpenCall>),
    /// An exchange has ended.
    Ended(Arc<Call>),
    /// A connection has ended.
    Closed(u64, Timestamp),
}

/// What one worker leaves for the window.
#[derive(Debug, Default)]
pub struct Collector {
    events: Vec<(Order, Event)>,
    at_end: bool,
    sequence: u64,
}

impl Collector {
    pub(super) fn event(&self, index: usize) -> Option<&Event> {
        self.events.get(index).map(|(_, event)| event)
    }

    fn add(&mut self, now: Moment, connection: u64, kind: Kind, stream: Option<u32>, event: Event) {
        self.sequence += 1;
        let sequence = stream.map_or(self.sequence, u64::from);
        let packet = if self.at_end { u64::MAX } else { now.packet };
        self.events.push((Order { packet, connection, kind, sequence }, event));
    }
}

impl RecordSink for Collector {
    fn opened(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let event = Event::Opened(Arc::new(OpenCall::new(connection, transaction)));
        self.add(now, connection.id, Kind::Frame, None, event);
    }

    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let call = Call { connection: connection.clone(), transaction: transaction.clone() };
        self.add(
            now,
            connection.id,
            Kind::Transaction,
            Some(transaction.stream),
            Event::Ended(Arc::new(call)),
        );
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        let id = connection.meta.id;
        self.add(now, id, Kind::Connection, None, Event::Closed(id, now.time));
    }

    // Not in the window.
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn message(&mut self, _: Moment, _: &ConnectionMeta, _: &MessageRecord) {}
    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Part for Collector {
    fn at_end(&mut self) {
        self.at_end = true;
    }

    fn len(&self) -> usize {
        self.events.len()
    }

    fn order(&self, index: usize) -> Order {
        self.events.get(index).map_or(Order::FIRST, |(order, _)| *order)
    }

    fn clear(&mut self) {
        self.events.clear();
    }
}
