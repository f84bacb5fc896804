//! The workers' half: copies of what the window shows.

use super::call::{Call, OpenCall};
use crate::base::memory::Memory;
use crate::base::time::{Moment, Timestamp};
use crate::http2::frame::FrameView;
use crate::record::{
    ConnectionMeta, ConnectionRecord, Finding, Kind, MessageRecord, Order, Part, Places, RecordSink,
    Transaction,
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
    places: Places,
}

impl Collector {
    pub(super) fn event(&self, index: usize) -> Option<&Event> {
        self.events.get(index).map(|(_, event)| event)
    }
}

impl RecordSink for Collector {
    fn opened(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let event = Event::Opened(Arc::new(OpenCall::new(connection, transaction)));
        let order = self.places.next(now, connection.id, Kind::Frame);
        self.events.push((order, event));
    }

    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let call = Call { connection: connection.clone(), transaction: transaction.clone() };
        let order = self.places.of(now, connection.id, Kind::Transaction, transaction.stream.into());
        self.events.push((order, Event::Ended(Arc::new(call))));
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        let id = connection.meta.id;
        let order = self.places.next(now, id, Kind::Connection);
        self.events.push((order, Event::Closed(id, now.time)));
    }

    // Not in the window.
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn message(&mut self, _: Moment, _: &ConnectionMeta, _: &MessageRecord) {}
    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Part for Collector {
    fn at_end(&mut self) {
        self.places.at_end();
    }

    fn len(&self) -> usize {
        self.events.len()
    }

    fn order(&self, index: usize) -> Order {
        self.events.get(index).map_or(Order::FIRST, |(order, _)| *order)
    }

    fn clear(&mut self, _: Memory) {
        self.events.clear();
    }
}
