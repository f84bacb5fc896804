//! What a worker leaves for the merge: what was made of the records, and what the agent's model needs to be asked.

use super::attempts::{Attempt, Hashing};
use super::job::Job;
use super::product::Product;
use crate::agent::{FrameFact, WireFacts, WireTransaction};
use crate::aggregate::{Call, Target};
use crate::base::endpoint::Endpoint;
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::http2::FrameSpot;
use crate::http2::frame::FrameView;
use crate::pipeline::Output;
use crate::record::{
    ConnectionMeta, ConnectionRecord, ConnectionState, FieldName, Finding, Kind, MessageRecord, Order, Part,
    Places, RecordSink, SegmentView, Step, Tally, Transaction, TransactionView, Wanted,
};
use std::net::SocketAddr;
use std::ops::Range;

/// One worker's product of one job.
#[derive(Debug)]
pub(super) struct Collected<P> {
    /// What was made of the records.
    pub(super) part: P,
    /// Transactions are shown.
    transactions: bool,
    /// The agent's view is wanted.
    agent: bool,
    /// Endpoints show what it says of them.
    endpoints: bool,
    places: Places,
    /// How the exchanges ended, when that is counted.
    pub(super) tally: Option<Box<Tally>>,
    /// What attempts at the same are told by, where they are wanted.
    retries: Option<Hashing>,
    /// Findings are.
    findings: bool,
    /// The exchanges that have ended.
    pub(super) ended: Vec<Ended>,
    /// The same, for the agent's verdict.
    exchanges: Vec<Exchange>,
    /// The same, as attempts.
    attempts: Vec<Option<Attempt>>,
    /// Whose these were.
    metas: Vec<ConnectionMeta>,
    text: Vec<u8>,
    /// TLS records, for the agent's model.
    pub(super) tls: Vec<TlsRecord>,
    tls_bytes: Vec<u8>,
}

/// An exchange that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) order: Order,
    /// The record made of it, by its index in the part.
    pub(super) record: Option<usize>,
    /// Its connection, by its index, where those are kept.
    meta: usize,
}

/// An exchange that the agent's model is asked about.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// It was in a stream of another connection.
    pub(super) tunnelled: bool,
    wire: WireTransaction<'static>,
    method: Option<Range<usize>>,
    path: Option<Range<usize>>,
    /// Whose call it is, where endpoints show what the agent says of them.
    call: Option<Named>,
}

/// What names an exchange's endpoint beside method and path.
#[derive(Clone, Debug)]
struct Named {
    authority: Option<Range<usize>>,
    /// The text of the path within `:path`; of gRPC without its slash.
    path: Option<Range<usize>>,
    is_rpc: bool,
    /// The name of a GraphQL operation.
    operation: Option<Range<usize>>,
    unplaced: bool,
}

/// A decrypted TLS record.
#[derive(Clone, Debug)]
pub(super) struct TlsRecord {
    /// The packet that let it be decrypted.
    pub(super) now: u64,
    pub(super) at: Moment,
    pub(super) src: Endpoint,
    pub(super) dst: Endpoint,
    range: Range<usize>,
}

impl<P: Part> Collected<P> {
    /// Nothing yet. With `agent` what its model needs is kept, with `endpoints` too what
    /// names each exchange's endpoint, with `tally` it is counted how exchanges ended.
    pub(super) fn new(part: P, agent: bool, endpoints: bool, tally: bool) -> Self {
        Self {
            part,
            transactions: true,
            agent,
            endpoints: agent && endpoints,
            places: Places::default(),
            tally: tally.then(Box::default),
            retries: None,
            findings: false,
            ended: Vec::new(),
            exchanges: Vec::new(),
            attempts: Vec::new(),
            metas: Vec::new(),
            text: Vec::new(),
            tls: Vec::new(),
            tls_bytes: Vec::new(),
        }
    }

    /// Of transactions no more is made than is wanted. What tells of attempts at the same is kept, hashed so, where that is
    /// wanted, and with findings whose they were.
    pub(super) fn with_wanted(self, wanted: Wanted, hashing: &Hashing) -> Self {
        let Wanted { transactions, findings, .. } = wanted;
        Self { transactions, retries: wanted.attempts().then(|| hashing.clone()), findings, ..self }
    }

    /// An exchange that has ended, for the agent's verdict.
    pub(super) fn exchange_at(&self, at: usize) -> Option<&Exchange> {
        self.exchanges.get(at)
    }

    /// The same, as an attempt.
    pub(super) fn attempt_at(&self, at: usize) -> Option<&Attempt> {
        self.attempts.get(at)?.as_ref()
    }

    /// The connection of an exchange that has ended.
    pub(super) fn meta_at(&self, at: usize) -> Option<&ConnectionMeta> {
        self.metas.get(self.ended.get(at)?.meta)
    }

    /// The exchange as the agent's model takes it.
    pub(super) fn wire<'a>(&'a self, exchange: &Exchange) -> WireTransaction<'a> {
        let text = |range: &Option<Range<usize>>| self.text.get(range.clone()?);
        WireTransaction { method: text(&exchange.method), path: text(&exchange.path), ..exchange.wire }
    }

    /// The exchange as its endpoint knows it; `None` where that is not asked for.
    pub(super) fn call<'a>(&'a self, exchange: &Exchange) -> Option<Call<'a>> {
        let named = exchange.call.as_ref()?;
        let text = |range: &Option<Range<usize>>| self.text.get(range.clone()?);
        let server = exchange.wire.server;
        Some(Call {
            authority: text(&named.authority),
            server: SocketAddr::new(server.ip, server.port),
            method: text(&exchange.method),
            target: match (text(&named.path), text(&named.operation)) {
                (Some(path), Some(name)) => Target::Operation(path, name),
                (Some(path), None) if named.is_rpc => Target::Rpc(path),
                (Some(path), None) => Target::Path(path),
                (None, _) => Target::None,
            },
            unplaced: named.unplaced,
        })
    }

    /// Takes note of whose call it is.
    fn name(&mut self, connection: &ConnectionMeta, transaction: &Transaction) -> Named {
        let Call { authority, target, unplaced, .. } =
            Call::of(&TransactionView::new(connection, transaction));
        let (path, operation) = match target {
            Target::Path(path) | Target::Rpc(path) => (Some(path), None),
            Target::Operation(path, name) => (Some(path), Some(name)),
            Target::None => (None, None),
        };
        let (is_rpc, operation) = (matches!(target, Target::Rpc(_)), self.keep(operation));
        Named { authority: self.keep(authority), path: self.keep(path), is_rpc, operation, unplaced }
    }

    /// A record's plaintext.
    pub(super) fn plaintext(&self, record: &TlsRecord) -> &[u8] {
        self.tls_bytes.get(record.range.clone()).unwrap_or_default()
    }

    fn keep(&mut self, text: Option<&[u8]>) -> Option<Range<usize>> {
        let start = self.text.len();
        self.text.extend_from_slice(text?);
        Some(start..self.text.len())
    }
}

impl<P: Part> Product for Collected<P> {
    fn begin(&mut self, job: &Job) {
        self.part.begin(job.origins.as_ref(), job.start);
    }

    fn at_end(&mut self) {
        self.places.at_end();
        self.part.at_end();
    }

    fn exchange(
        &mut self,
        now: Moment,
        connection: &ConnectionMeta,
        transaction: &Transaction,
        is_asked_for: bool,
    ) {
        if let Some(tally) = &mut self.tally {
            let (status, failed) = (transaction.status(), transaction.failure().is_some());
            let time = transaction.time.as_ref().map(|time| &time.parts);
            tally.record(connection.is_encrypted(), status, failed, transaction.duration(), time);
        }
        let is_shown = is_asked_for && self.transactions;
        let record = if is_shown || self.retries.is_some() {
            self.look_at(now, &TransactionView::new(connection, transaction), is_shown)
        } else {
            None
        };
        if !self.agent && self.retries.is_none() {
            return;
        }
        let order = self.places.of(now, connection.id, Kind::Transaction, transaction.stream.into());
        self.ended.push(Ended { record, order, meta: self.metas.len().saturating_sub(1) });
        if self.agent {
            self.keep_exchange(connection, transaction, is_asked_for);
        }
    }

    fn bytes(&self) -> usize {
        let ended = self.ended.capacity() * size_of::<Ended>();
        let exchanges = self.exchanges.capacity() * size_of::<Exchange>();
        self.part.bytes() + self.text.capacity() + self.tls_bytes.capacity() + exchanges + ended
    }

    fn clear(&mut self, memory: Memory) {
        let (text, list) = (memory.kept(tuning::TEXT_KEPT), memory.kept(tuning::LIST_KEPT));
        self.part.clear(memory);
        if let Some(tally) = &mut self.tally {
            **tally = Tally::default();
        }
        self.ended.clear();
        self.ended.shrink_to(list / size_of::<Ended>());
        self.exchanges.clear();
        self.exchanges.shrink_to(list / size_of::<Exchange>());
        self.attempts.clear();
        self.attempts.shrink_to(list / size_of::<Attempt>());
        self.metas.clear();
        self.metas.shrink_to(list / size_of::<ConnectionMeta>());
        self.text.clear();
        self.text.shrink_to(list);
        self.tls.clear();
        self.tls.shrink_to(list / size_of::<TlsRecord>());
        self.tls_bytes.clear();
        self.tls_bytes.shrink_to(text);
    }
}

impl<P: Part> Collected<P> {
    /// Makes the record of an exchange that is shown, and keeps what it is as an attempt where that is wanted. The record's index,
    /// if one was made.
    fn look_at(&mut self, now: Moment, view: &TransactionView<'_>, is_shown: bool) -> Option<usize> {
        let before = self.part.len();
        if is_shown {
            self.part.exchange(now, view);
        }
        if let Some(hashing) = &self.retries {
            self.attempts.push(Attempt::of(view, hashing));
            if self.findings && self.metas.last().is_none_or(|last| last.id != view.connection.id) {
                self.metas.push(view.connection.clone());
            }
        }
        (self.part.len() > before).then_some(before)
    }

    /// Keeps what the agent's model is asked about.
    fn keep_exchange(&mut self, connection: &ConnectionMeta, transaction: &Transaction, is_asked_for: bool) {
        let request = &transaction.request.headers;
        let (method, path) =
            (self.keep(request.value(FieldName::Method)), self.keep(request.value(FieldName::Path)));
        let call = (self.endpoints && is_asked_for).then(|| self.name(connection, transaction));
        let fact = |spot: FrameSpot| FrameFact { packet: spot.packet, split: spot.split };
        self.exchanges.push(Exchange {
            tunnelled: connection.parent.is_some(),
            wire: WireTransaction {
                client: connection.client,
                server: connection.server,
                connection: connection.id,
                stream: transaction.stream,
                complete: transaction.partial.is_empty(),
                first: transaction.first,
                last: transaction.last,
                method: None,
                path: None,
                status: transaction.status(),
                facts: WireFacts {
                    request: fact(transaction.wire.request),
                    request_end: fact(transaction.wire.request_end),
                    response: fact(transaction.wire.response),
                    response_end: fact(transaction.wire.response_end),
                },
            },
            method,
            path,
            call,
        });
    }
}

impl<P: Part> Output for Collected<P> {
    fn tls_record(&mut self, now: Moment, at: Moment, src: Endpoint, dst: Endpoint, plaintext: &[u8]) {
        if self.agent {
            let start = self.tls_bytes.len();
            self.tls_bytes.extend_from_slice(plaintext);
            self.tls.push(TlsRecord { now: now.packet, at, src, dst, range: start..self.tls_bytes.len() });
        }
    }
}

impl<P: Part> RecordSink for Collected<P> {
    fn message(&mut self, now: Moment, connection: &ConnectionMeta, message: &MessageRecord) {
        self.part.message(now, connection, message);
    }

    fn step(&mut self, now: Moment, connection: &ConnectionMeta, step: &Step) {
        self.part.step(now, connection, step);
    }

    fn segment(&mut self, segment: &SegmentView<'_>) {
        self.part.segment(segment);
    }

    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.exchange(now, connection, transaction, true);
    }

    fn connection(&mut self, now: Moment, connection: &ConnectionRecord) {
        self.part.connection(now, connection);
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        self.part.frame(now, connection, frame);
    }

    fn opened(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.part.opened(now, connection, transaction);
    }

    fn state(&mut self, now: Moment, connection: &ConnectionMeta, state: &ConnectionState) {
        self.part.state(now, connection, state);
    }

    fn finding(&mut self, now: Moment, connection: &ConnectionMeta, finding: &Finding) {
        self.part.finding(now, connection, finding);
    }
}
