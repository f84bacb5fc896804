//! The records and segments of one place, kept as far as joining needs them.

use super::connection::Connection;
use super::exchange::{Calls, Exchange, Id, ids};
use crate::base::direction::Direction;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits;
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::http2::frame::FrameView;
use crate::record::pair::Call;
use crate::record::{
    ConnectionMeta, ConnectionRecord, Failure, Finding, Order, Part, RecordSink, SegmentView, Transaction,
    TransactionView, Wanted,
};
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// What one place has seen.
#[derive(Debug)]
pub struct Side {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) ids: Vec<Id>,
    pub(super) calls: Calls,
    errors: Vec<String>,
    pub(super) connections: Vec<Connection>,
    /// The times of the first and of the last segment.
    pub(super) span: Option<(u64, u64)>,
    /// Times are multiples of so many nanoseconds.
    pub(super) unit: u64,
    pub(super) struck: Struck,
    pub(super) segments: usize,
    /// When what was not seen of connections that were let go may have passed: after the first instant, before the second.
    pub(super) forgotten: Option<(u64, u64)>,
    /// Blocks that are kept of its connections' bytes.
    pub(super) blocks: usize,
    pub(super) room: Room,
    /// Places of connections by their id, of errors by their name.
    pub(super) numbers: HashMap<u64, u32, RandomState>,
    error_numbers: HashMap<String, u32, RandomState>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) exchanges: usize,
    pub(super) segments: usize,
    pub(super) connections: usize,
    pub(super) text: usize,
    pub(super) blocks: usize,
}

impl Room {
    /// That of a place, where so much memory is for the analysis of each.
    fn of(memory: Memory) -> Self {
        Self {
            exchanges: memory.share(limits::JOIN_EXCHANGES),
            segments: memory.share(limits::JOIN_SEGMENTS),
            connections: memory.share(limits::JOIN_CONNECTIONS),
            text: memory.share(limits::JOIN_TEXT),
            blocks: memory.share(limits::JOIN_BLOCKS),
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::of(Memory::default())
    }
}

impl Default for Side {
    fn default() -> Self {
        Self::with_room(Room::default())
    }
}

impl Side {
    /// The records that joining needs; `all_fields` where ids are looked for that h2lens has no name for.
    pub fn wanted(all_fields: bool) -> Wanted {
        Wanted { transactions: true, headers: all_fields, segments: true, ..Wanted::default() }
    }

    /// Nothing yet, and room for what so much memory allows.
    pub fn with_memory(memory: Memory) -> Self {
        Self::with_room(Room::of(memory))
    }

    pub(super) fn with_room(room: Room) -> Self {
        Self {
            exchanges: Vec::new(),
            ids: Vec::new(),
            calls: Calls::default(),
            errors: Vec::new(),
            connections: Vec::new(),
            span: None,
            unit: 1_000_000_000,
            struck: Struck::default(),
            forgotten: None,
            segments: 0,
            blocks: 0,
            room,
            numbers: HashMap::default(),
            error_numbers: HashMap::default(),
        }
    }

    /// Takes what a worker made of a batch.
    pub(super) fn take(&mut self, part: &Batch) {
        for (view, range) in &part.segments {
            let payload = part.payload.get(range.clone()).unwrap_or_default();
            self.segment(&SegmentView { payload, ..*view });
        }
        for taken in &part.taken {
            self.exchange(taken);
        }
    }

    /// Brings the ids in the order in which they are looked for.
    pub(super) fn sort_ids(&mut self) {
        self.ids.sort_unstable();
    }

    /// Calls of an exchange's connection reached the server on another one.
    pub(super) fn note_passed_on(&mut self, exchange: u32) {
        let connection = self.exchanges.get(exchange as usize).map(|exchange| exchange.connection);
        let own = connection.and_then(|place| self.connections.get_mut(place as usize));
        if let Some(own) = own {
            own.is_passed_on = true;
        }
    }

    /// `error.type` of an exchange.
    pub(super) fn error(&self, exchange: &Exchange) -> Option<&str> {
        self.errors.get(exchange.error? as usize).map(String::as_str)
    }

    /// The connection of an exchange.
    pub(super) fn connection(&self, exchange: &Exchange) -> Option<&Connection> {
        self.connections.get(exchange.connection as usize)
    }

    /// When calls may have passed that were not seen, as bytes were not: after the first instant, before the second.
    pub(super) fn missed(&self) -> impl Iterator<Item = (u64, u64)> {
        self.connections.iter().flat_map(Connection::missed).chain(self.forgotten)
    }

    pub(super) fn segment(&mut self, view: &SegmentView<'_>) {
        let time = view.at.time.as_nanos();
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
        while !time.is_multiple_of(self.unit) {
            self.unit /= 10;
        }
        let Some(number) = self.number(view.connection, || Connection::new(view)) else {
            return self.struck.strike(Limit::JoinConnections);
        };
        let keep = self.segments < self.room.segments;
        let Some(connection) = self.connections.get_mut(number as usize) else { return };
        let (sample, before) = (self.blocks < self.room.blocks, connection.blocks());
        let is_new = connection.push(view, keep, sample);
        self.blocks = self.blocks.saturating_sub(before) + connection.blocks();
        if !sample && is_new && !view.payload.is_empty() {
            self.struck.strike(Limit::JoinConnections);
        }
        match (is_new, keep) {
            (false, _) => {}
            (true, true) => self.segments += 1,
            (true, false) => self.struck.strike(Limit::JoinSegments),
        }
    }

    fn exchange(&mut self, taken: &Taken) {
        let room = self.room.text;
        let Some(&connection) = self.numbers.get(&taken.connection) else {
            return self.struck.strike(Limit::JoinExchanges);
        };
        if self.exchanges.len() >= self.room.exchanges {
            return self.struck.strike(Limit::JoinExchanges);
        }
        let Some(call) = self.calls.number(&taken.call, room) else {
            return self.struck.strike(Limit::JoinExchanges);
        };
        let error = taken.error.as_ref().map(|name| self.error_number(name));
        if let Some(own) = self.connections.get_mut(connection as usize) {
            own.client = Some(taken.client);
        }
        let place = self.exchanges.len() as u32;
        let mut exchange = taken.exchange.clone();
        (exchange.connection, exchange.call, exchange.error) = (connection, call, error);
        self.exchanges.push(exchange);
        self.ids.extend(taken.ids.iter().map(|id| Id { exchange: place, ..*id }));
    }

    fn error_number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.error_numbers.get(name) {
            return number;
        }
        let number = self.errors.len() as u32;
        self.errors.push(name.to_owned());
        self.error_numbers.insert(name.to_owned(), number);
        number
    }

    fn number(&mut self, id: u64, new: impl FnOnce() -> Connection) -> Option<u32> {
        if let Some(&number) = self.numbers.get(&id) {
            return Some(number);
        }
        if self.connections.len() >= self.room.connections {
            return None;
        }
        let number = self.connections.len() as u32;
        self.connections.push(new());
        self.numbers.insert(id, number);
        Some(number)
    }
}

/// What one worker took from one batch.
#[derive(Debug)]
pub struct Batch {
    asked: Arc<[String]>,
    taken: Vec<Taken>,
    segments: Vec<(SegmentView<'static>, Range<usize>)>,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Taken {
    connection: u64,
    client: Direction,
    call: Call,
    error: Option<String>,
    exchange: Exchange,
    ids: Vec<Id>,
}

impl Batch {
    /// Nothing yet. `asked`: names of fields with ids, in small letters.
    pub(super) fn new(asked: Arc<[String]>) -> Self {
        Self { asked, taken: Vec::new(), segments: Vec::new(), payload: Vec::new() }
    }
}

impl RecordSink for Batch {
    fn transaction(&mut self, _: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let view = TransactionView::new(connection, transaction);
        let client = if connection.client_is_forward { Direction::Forward } else { Direction::Backward };
        self.taken.push(Taken {
            connection: connection.id,
            client,
            call: super::exchange::call(&view),
            error: view.failure().map(Failure::name).map(String::from),
            exchange: Exchange::of(&view),
            ids: ids(&view, &self.asked).collect(),
        });
    }

    fn segment(&mut self, segment: &SegmentView<'_>) {
        let start = self.payload.len();
        self.payload.extend_from_slice(segment.payload);
        self.segments.push((SegmentView { payload: &[], ..*segment }, start..self.payload.len()));
    }

    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}

    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}

    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Part for Batch {
    fn at_end(&mut self) {}

    /// All is taken at once, by [`Side::take`].
    fn len(&self) -> usize {
        0
    }

    fn order(&self, _: usize) -> Order {
        Order::FIRST
    }

    fn bytes(&self) -> usize {
        let segments = self.segments.capacity() * size_of::<(SegmentView<'static>, Range<usize>)>();
        let taken = self.taken.capacity() * size_of::<Taken>();
        let own = |taken: &Taken| taken.call.memory() + taken.ids.capacity() * size_of::<Id>();
        self.payload.capacity() + segments + taken + self.taken.iter().map(own).sum::<usize>()
    }

    fn clear(&mut self, _: Memory) {
        self.taken.clear();
        self.segments.clear();
        self.payload.clear();
    }
}
