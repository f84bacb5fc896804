//! An exchange at one place, as far as pairing needs it.

use super::stream::hash;
use crate::base::time::Timestamp;
use crate::record::pair::Call;
use crate::record::trace::TraceContext;
use crate::record::{FieldName, Transaction, TransactionView};
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// A time that is not known.
const NEVER: u64 = u64::MAX;

/// An exchange. Times are nanoseconds of its own place's clock.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// `h2.packets.first`
    pub(super) packet: u64,
    /// The request's first byte.
    pub(super) start: u64,
    sent: u64,
    answered: u64,
    /// What ended it.
    pub(super) end: u64,
    content: Option<u64>,
    /// Its connection's place in the side's list.
    pub(super) connection: u32,
    /// `h2.stream.id`
    pub(super) stream: u32,
    /// Of its side's calls, and of its errors.
    pub(super) call: u32,
    pub(super) error: Option<u32>,
    pub(super) status: Option<u16>,
    pub(super) grpc_status: Option<u32>,
    /// There were interim responses.
    interim: bool,
    /// Something of it is missing.
    pub(super) is_partial: bool,
    /// Octets of the contents, of what was seen from its beginning.
    pub(super) request_bytes: Option<u64>,
    pub(super) response_bytes: Option<u64>,
}

impl Exchange {
    /// When the last byte of the request was seen.
    pub(super) fn sent(&self) -> Option<u64> {
        Some(self.sent).filter(|&at| at != NEVER)
    }

    /// When the first byte of the response was seen.
    pub(super) fn answered(&self) -> Option<u64> {
        Some(self.answered).filter(|&at| at != NEVER)
    }

    /// The same, where that byte is one of the final response: an interim one may be somebody else's.
    pub(super) fn first_answer(&self) -> Option<u64> {
        self.answered().filter(|_| !self.interim)
    }

    /// From the request's first byte to the response's first.
    pub(super) fn ttfb(&self) -> Option<u64> {
        self.answered()?.checked_sub(self.start)
    }

    pub(super) fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// What is equal at both places, as a hash: method, path and query, sizes, status, contents where they were asked for.
    pub(super) fn content(&self) -> Option<u64> {
        self.content
    }

    /// Of a record. Its connection, call and error are numbered by who keeps it.
    pub(super) fn of(view: &TransactionView<'_>) -> Self {
        let Transaction { request, response, .. } = view.transaction;
        let nanos = |time: Option<Timestamp>| time.map_or(NEVER, Timestamp::as_nanos);
        Self {
            packet: view.transaction.first.packet,
            start: view.transaction.first.time.as_nanos(),
            sent: nanos(request.last.filter(|_| request.ended && request.seen && !request.last_lost)),
            answered: nanos(response.first.filter(|_| response.seen && request.seen)),
            end: view.transaction.ended_at.as_nanos(),
            content: content(view),
            connection: 0,
            stream: view.transaction.stream,
            call: 0,
            error: None,
            status: view.status,
            grpc_status: view.grpc_status().map(|status| status.0),
            interim: !view.transaction.interim.is_empty(),
            is_partial: !view.transaction.partial.is_empty(),
            request_bytes: request.seen.then_some(request.body),
            response_bytes: response.seen.then_some(response.body),
        }
    }
}

/// What both places must see alike; `None` where something of it is not known.
fn content(view: &TransactionView<'_>) -> Option<u64> {
    let transaction = view.transaction;
    if !transaction.partial.is_empty() || !transaction.request.ended || !transaction.response.ended {
        return None;
    }
    let mut text = Vec::with_capacity(128);
    for part in [view.method?, view.path?, view.query.unwrap_or_default()] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part);
    }
    let sizes = [transaction.request.body, transaction.response.body, u64::from(view.status?)];
    for size in sizes {
        text.extend_from_slice(&size.to_le_bytes());
    }
    text.extend_from_slice(&view.grpc_status().map_or(u64::MAX, |status| u64::from(status.0)).to_le_bytes());
    if let Some(contents) = &transaction.contents {
        for body in [&contents.request, &contents.response] {
            let digest = body.as_ref().and_then(|body| body.sha256);
            text.extend_from_slice(&digest.unwrap_or_default());
        }
    }
    Some(hash(&text))
}

/// Each text once, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    list: Vec<Call>,
    numbers: HashMap<Call, u32, RandomState>,
    /// Bytes of text.
    memory: usize,
}

impl Calls {
    /// The number of a call; `None` where there is no room for one more.
    pub(super) fn number(&mut self, call: &Call, room: usize) -> Option<u32> {
        if let Some(&number) = self.numbers.get(call) {
            return Some(number);
        }
        let size = 2 * (call.memory() + size_of::<Call>());
        if self.memory + size > room {
            return None;
        }
        self.memory += size;
        let number = self.list.len() as u32;
        self.list.push(call.clone());
        self.numbers.insert(call.clone(), number);
        Some(number)
    }

    pub(super) fn get(&self, number: u32) -> Option<&Call> {
        self.list.get(number as usize)
    }

    /// Bytes of memory.
    pub(super) const fn memory(&self) -> usize {
        self.memory
    }
}

/// What is called.
pub(super) fn call(view: &TransactionView<'_>) -> Call {
    let owned = |text: Option<&[u8]>| text.map(Box::from);
    Call {
        method: owned(view.method),
        scheme: owned(view.scheme),
        authority: owned(view.authority),
        path: owned(view.path),
        query: owned(view.query),
        grpc: view.transaction.grpc.is_some(),
    }
}

/// A request id, in the order in which they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum IdKind {
    /// The field of `--join-by` with this place.
    Asked(u8),
    /// The whole `traceparent`.
    Traceparent,
    /// `x-request-id`
    RequestId,
    /// `x-b3-traceid` and `x-b3-spanid`, or `b3`.
    B3,
    /// The trace of a `traceparent` alone, with method and path.
    Trace,
    /// The same of B3.
    B3Trace,
}

/// An exchange's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) kind: IdKind,
    pub(super) value: u64,
    /// Its place in the side's list.
    pub(super) exchange: u32,
}

/// The ids in a request; `asked` are the names of `--join-by`, in small letters. Whose they are is noted by who keeps them.
pub(super) fn ids<'a>(
    view: &'a TransactionView<'_>,
    asked: &'a [String],
) -> impl Iterator<Item = Id> + use<'a> {
    let fields = &view.transaction.request.headers;
    let asked = asked.iter().enumerate().filter_map(move |(at, name)| {
        let mut named = fields.iter().filter(|field| field.name == Some(name.as_bytes()));
        let value = named.next()?.value.filter(|_| named.next().is_none())?;
        Some((IdKind::Asked(at as u8), hash(value)))
    });
    let context = TraceContext::of(fields);
    let standard = fields.value(FieldName::Traceparent).and(context);
    let traceparent = standard.and_then(|context| {
        Some((IdKind::Traceparent, hash(&[context.trace, b"-", context.span?].concat())))
    });
    let b3 = context
        .filter(|_| standard.is_none())
        .and_then(|context| Some((IdKind::B3, hash(&[context.trace, b"-", context.span?].concat()))));
    let request_id = fields.value(FieldName::RequestId).filter(|value| !value.is_empty());
    let request_id = request_id.map(|value| (IdKind::RequestId, hash(value)));
    let kind = if standard.is_some() { IdKind::Trace } else { IdKind::B3Trace };
    let trace = context
        .zip(view.method.zip(view.path))
        .map(|(context, (method, path))| (kind, hash(&[context.trace, b" ", method, b" ", path].concat())));
    let all = asked.chain(traceparent).chain(request_id).chain(b3).chain(trace);
    all.map(move |(kind, value)| Id { kind, value, exchange: 0 })
}
