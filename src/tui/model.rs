//! What the window knows: the last exchanges, and sums.

use super::call::{Call, OpenCall};
use super::collector::Event;
use super::endpoints::Endpoints;
use crate::aggregate::Templates;
use crate::base::endpoint::Endpoint;
use crate::base::limits::{WINDOW_BYTES, WINDOW_CALLS, WINDOW_CONNECTIONS, WINDOW_OPEN};
use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::filter::{Filter, Truth};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// All that is shown. A copy is cheap, and is what stands still while the window is frozen.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    templates: Arc<Templates>,
    filter: Option<Arc<Filter>>,
    memory: Memory,
    /// The last exchanges, whether they match or not.
    calls: VecDeque<Arc<Call>>,
    /// Bytes that they take.
    bytes: usize,
    /// Those of them that match.
    matching: VecDeque<Arc<Call>>,
    pub(super) endpoints: Endpoints,
    /// By connection and stream.
    pub(super) open: BTreeMap<(u64, u32), Arc<OpenCall>>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) counts: Counts,
    /// The latest packet that anything was told of.
    pub(super) now: Timestamp,
}

/// How much there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Exchanges that ended.
    pub(super) calls: u64,
    /// Those that failed.
    pub(super) failed: u64,
    /// Exchanges that are no longer held.
    pub(super) forgotten: u64,
    /// Exchanges under way, and connections, that are not shown, as there are too many.
    pub(super) left_out: u64,
    /// What came faster than it could be taken.
    pub(super) missed: u64,
    /// Packets that the kernel or the interface dropped.
    pub(super) dropped: u64,
}

/// A connection, and what its exchanges add up to.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) calls: u64,
    pub(super) failed: u64,
    /// Exchanges under way.
    pub(super) open: u64,
    /// Nanoseconds in which its exchanges waited for credit, of HTTP/2 or of TCP.
    pub(super) blocked: u64,
    pub(super) closed: bool,
}

impl Model {
    pub(super) fn new(templates: Arc<Templates>, filter: Option<Arc<Filter>>, memory: Memory) -> Self {
        Self { templates, filter, memory, ..Self::default() }
    }

    /// Something happened.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Opened(call) => self.open(&call),
            Event::Ended(call) => self.end(call),
            Event::Closed(id, at) => {
                self.now = self.now.max(at);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.closed = true;
                }
            }
        }
    }

    fn open(&mut self, call: &Arc<OpenCall>) {
        self.now = self.now.max(call.first);
        if self.open.len() >= WINDOW_OPEN {
            self.counts.left_out += 1;
            return;
        }
        let (id, stream) = (call.connection, call.stream);
        if self.open.insert((id, stream), Arc::clone(call)).is_none()
            && let Some(connection) = self.connection(id, call.client, call.server)
        {
            connection.open += 1;
        }
    }

    fn end(&mut self, call: Arc<Call>) {
        let view = call.view();
        let (id, failed) = (call.connection.id, view.failure().is_some());
        let was_open = self.open.remove(&(id, call.transaction.stream)).is_some();
        self.now = self.now.max(call.end());
        self.counts.calls += 1;
        self.counts.failed += u64::from(failed);
        if let Some(connection) = self.connection(id, call.connection.client, call.connection.server) {
            connection.open = connection.open.saturating_sub(u64::from(was_open));
            connection.calls += 1;
            connection.failed += u64::from(failed);
            connection.blocked = connection.blocked.saturating_add(call.blocked());
        }
        self.bytes += call.memory();
        self.calls.push_back(Arc::clone(&call));
        self.show(call);
        let room = self.memory.share(WINDOW_BYTES);
        while self.calls.len() > WINDOW_CALLS || (self.bytes > room && self.calls.len() > 1) {
            self.forget_oldest();
        }
    }

    /// The connection of that number; `None` where there are too many, none of which has ended.
    fn connection(&mut self, id: u64, client: Endpoint, server: Endpoint) -> Option<&mut Connection> {
        if !self.connections.contains_key(&id) && self.connections.len() >= WINDOW_CONNECTIONS {
            let oldest = self.connections.iter().find(|(_, connection)| connection.closed).map(|(id, _)| *id);
            self.counts.left_out += 1;
            self.connections.remove(&oldest?);
        }
        Some(self.connections.entry(id).or_insert(Connection {
            client,
            server,
            calls: 0,
            failed: 0,
            open: 0,
            blocked: 0,
            closed: false,
        }))
    }

    /// Adds an exchange to what is shown, if it is asked for.
    fn show(&mut self, call: Arc<Call>) {
        let view = call.view();
        if self.filter.as_ref().is_some_and(|filter| filter.evaluate(&view) != Truth::True) {
            return;
        }
        let failed = view.failure().is_some();
        self.endpoints.add(call.endpoint(&self.templates), call.end(), call.nanos(), failed);
        self.matching.push_back(call);
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.calls.pop_front() else { return };
        self.bytes = self.bytes.saturating_sub(oldest.memory());
        self.counts.forgotten += 1;
        if self.matching.front().is_some_and(|first| Arc::ptr_eq(first, &oldest)) {
            self.matching.pop_front();
        }
    }

    /// Shows those alone that match; of the exchanges that are held.
    pub(super) fn set_filter(&mut self, filter: Option<Arc<Filter>>) {
        self.filter = filter;
        self.endpoints = Endpoints::default();
        self.matching.clear();
        for call in self.calls.clone() {
            self.show(call);
        }
    }

    /// The exchanges that match, the latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Arc<Call>> {
        self.matching.iter().rev()
    }

    /// The same in their order.
    pub(super) fn matching(&self) -> impl ExactSizeIterator<Item = &Arc<Call>> {
        self.matching.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;
    use crate::record::samples::{get, meta};

    fn call(stream: u32) -> Arc<Call> {
        let mut transaction = get();
        transaction.stream = stream;
        Arc::new(Call { connection: meta(), transaction })
    }

    fn open(stream: u32) -> Event {
        let call = call(stream);
        Event::Opened(Arc::new(OpenCall::new(&call.connection, &call.transaction)))
    }

    #[test]
    fn an_exchange_is_under_way_until_it_ends() {
        let mut model = Model::default();
        model.take(open(1));
        model.take(open(3));
        model.take(Event::Ended(call(1)));
        assert_eq!(model.open.keys().map(|&(_, stream)| stream).collect::<Vec<_>>(), [3]);
        let connection = model.connections.values().next().map(|of| (of.open, of.calls));
        assert_eq!(connection, Some((1, 1)));
    }

    #[test]
    fn a_filter_holds_for_what_is_there_and_for_what_comes() {
        let mut model = Model::default();
        for stream in [1, 3] {
            model.take(Event::Ended(call(stream)));
        }
        model.set_filter("stream >= 3".parse().ok().map(Arc::new));
        model.take(Event::Ended(call(5)));
        let shown: Vec<_> = model.latest().map(|call| call.transaction.stream).collect();
        assert_eq!(shown, [5, 3]);
        assert_eq!(model.endpoints.rows(model.now).iter().map(|row| row.all.calls).sum::<u64>(), 2);
        model.set_filter(None);
        assert_eq!(model.latest().count(), 3);
    }

    #[test]
    fn cap_window_calls() {
        let mut model = Model::default();
        for stream in 0..WINDOW_CALLS as u32 + 2 {
            model.take(Event::Ended(call(stream)));
        }
        assert_eq!((model.calls.len(), model.matching.len()), (WINDOW_CALLS, WINDOW_CALLS));
        assert_eq!((model.counts.forgotten, model.counts.calls), (2, WINDOW_CALLS as u64 + 2));
    }

    #[test]
    fn cap_window_bytes() {
        let mut model = Model::default();
        let mut long = (*call(1)).clone();
        long.transaction.pieces = vec![(crate::record::TimePart::Wait, 1); WINDOW_BYTES / 40];
        let long = Arc::new(long);
        for _ in 0..20 {
            model.take(Event::Ended(Arc::clone(&long)));
            assert!(model.bytes <= WINDOW_BYTES);
        }
        assert!(model.counts.forgotten > 0 && model.calls.len() == model.matching.len());
    }

    #[test]
    fn cap_window_open() {
        let mut model = Model::default();
        for stream in 0..WINDOW_OPEN as u32 + 2 {
            model.take(open(stream));
        }
        assert_eq!((model.open.len(), model.counts.left_out), (WINDOW_OPEN, 2));
    }

    #[test]
    fn cap_window_connections() {
        let mut model = Model::default();
        for id in 0..WINDOW_CONNECTIONS as u64 + 2 {
            let mut call = (*call(1)).clone();
            call.connection.id = id;
            model.take(Event::Ended(Arc::new(call)));
            model.take(Event::Closed(id, Moment::default().time));
        }
        assert_eq!((model.connections.len(), model.counts.left_out), (WINDOW_CONNECTIONS, 2));
        assert!(!model.connections.contains_key(&0), "those that have ended longest go");
    }
}
