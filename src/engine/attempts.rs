//! Which exchanges are attempts at the same: one that failed, and the same request again within 30 s.
//!
//! Exchanges come in the order of their records, those of all connections. Of two attempts the one whose record comes later
//! names the other, so that no record has to wait. What may be another attempt at either of two is one at neither, and what
//! failed while its like was under way beside it is not known to have been tried again.

use crate::base::limits;
use crate::base::time::{Moment, Timestamp};
use crate::base::verdict::Verdict;
use crate::http2::{Anomaly, Description};
use crate::record::{
    Annotation, AttemptWords, Detail, ExchangeRef, Failure, Finding, Transaction, TransactionView,
};
use foldhash::quality::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::net::IpAddr;
use std::time::Duration;

/// What fails is tried again within this, or not as far as one can tell.
const WITHIN: Duration = Duration::from_secs(30);

/// Bits for gRPC's count of attempts; beyond it is not counted.
const NUMBER_BITS: u32 = 24;
const MOST_ATTEMPTS: u32 = (1 << NUMBER_BITS) - 1;

/// An exchange, as an attempt at something.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Of all that makes the request: by whom, to whom, what, with which body. `None` where that is not known.
    request: Option<u64>,
    /// Of what a gRPC call calls, whatever its messages.
    call: Option<u64>,
    fate: Fate,
    /// The first and the last packet of the exchange.
    packets: (Moment, Moment),
}

/// How what makes a request is hashed.
#[derive(Clone, Debug)]
pub(super) enum Hashing {
    /// With keys that nobody knows.
    Own(RandomState),
    /// With known ones: several processes are to come to the same.
    Shared,
}

impl Hashing {
    /// What is hashed is compared with what other processes hash, or is not.
    pub(super) fn new(is_shared: bool) -> Self {
        if is_shared { Self::Shared } else { Self::Own(RandomState::default()) }
    }

    /// Hashes of what a request calls, and of the request with its body, where that is known.
    fn of(&self, called: &Called<'_>, body: Option<[u64; 2]>) -> (u64, Option<u64>) {
        match self {
            Self::Own(state) => called.hash(state.build_hasher(), body),
            Self::Shared => called.hash(DefaultHasher::new(), body),
        }
    }
}

/// What a request calls, and who does.
struct Called<'a> {
    client: IpAddr,
    authority: &'a [u8],
    method: &'a [u8],
    user_agent: Option<&'a [u8]>,
    path: &'a [u8],
    query: Option<&'a [u8]>,
}

impl Called<'_> {
    /// `body`: its length and its digest.
    #[inline]
    fn hash(&self, mut hasher: impl Hasher, body: Option<[u64; 2]>) -> (u64, Option<u64>) {
        let Self { client, authority, method, user_agent, path, query } = *self;
        let client = match client {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let address = client.to_bits();
        // With their lengths, so that none runs into the next.
        let length = |text: Option<&[u8]>| u64::from(text.map_or(u32::MAX, |text| text.len() as u32));
        let head = [
            (address >> 64) as u64,
            address as u64,
            length(Some(authority)) << 32 | length(user_agent),
            length(Some(path)) << 32 | length(query),
        ];
        hasher.write(head.map(u64::to_le_bytes).as_flattened());
        for text in [authority, user_agent.unwrap_or_default(), path, query.unwrap_or_default(), method] {
            hasher.write(text);
        }
        let called = hasher.finish();
        let request = body.map(|body| match body {
            // Without a body a request is what it calls.
            [0, 0] => called,
            body => {
                hasher.write(body.map(u64::to_le_bytes).as_flattened());
                hasher.finish()
            }
        });
        (called, request)
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug)]
struct Fate {
    exchange: ExchangeRef,
    first: Timestamp,
    ended: Timestamp,
    /// gRPC: attempts at the call that came before.
    number: u32,
    failed: bool,
    /// The server's application has answered.
    executed: bool,
    /// It has failed, and which attempt came next is known.
    retried: bool,
    /// Which attempt it is another one at is known.
    is_retry: bool,
}

impl Attempt {
    /// What is known of an exchange as an attempt; `None` where that tells nothing.
    pub(super) fn of(view: &TransactionView<'_>, hashing: &Hashing) -> Option<Self> {
        let TransactionView { transaction: exchange, connection, query, user_agent, status, .. } = *view;
        let (method, path, authority) = (view.method?, view.path?, view.authority?);
        if exchange.pushed || !exchange.request.seen || method == b"CONNECT" {
            return None;
        }
        let client = connection.client.ip;
        let whole = exchange.request.ended && !exchange.has_lost();
        let body = exchange.digest.filter(|_| whole).map(|digest| [exchange.request.body, digest]);
        let (called, request) =
            hashing.of(&Called { client, authority, method, user_agent, path, query }, body);
        let grpc = exchange.grpc.as_ref();
        let answered = grpc.is_none_or(|grpc| {
            grpc.status == Some(0) || grpc.response_messages.is_some_and(|count| count > 0)
        });
        // What was sent away has failed then, though its connection may go on.
        let ended = if exchange.disclaimed {
            exchange.disclaimed_at.max(exchange.first.time).min(exchange.ended_at)
        } else {
            exchange.ended_at
        };
        let number = grpc.and_then(|grpc| grpc.attempt).unwrap_or(0);
        let fate = Fate {
            exchange: ExchangeRef { connection: connection.id, stream: exchange.stream },
            first: exchange.first.time,
            ended,
            number: u32::try_from(number).map_or(MOST_ATTEMPTS, |number| number.min(MOST_ATTEMPTS)),
            failed: view.retry().is_some() && !is_refusal(exchange),
            executed: answered && matches!(status, Some(200..300)),
            retried: false,
            is_retry: false,
        };
        let packets = (exchange.first, exchange.last);
        Some(Self { request, call: grpc.map(|_| !called), fate, packets })
    }

    /// The server's application has answered.
    pub(super) const fn executed(&self) -> bool {
        self.fate.executed
    }

    /// What is compared, in words: request, call, connection, beginning, end; the stream above what else there is of its fate.
    pub(super) fn words(&self) -> AttemptWords {
        let Fate { exchange, first, ended, number, failed, executed, .. } = self.fate;
        let marks = [self.request.is_some(), self.call.is_some(), failed, executed];
        let marks = marks.into_iter().rev().fold(0, |bits, mark| bits << 1 | u32::from(mark));
        [
            self.request.unwrap_or_default(),
            self.call.unwrap_or_default(),
            exchange.connection,
            first.as_nanos(),
            ended.as_nanos(),
            u64::from(exchange.stream) << 32 | u64::from(marks << NUMBER_BITS | number),
        ]
    }

    /// The attempt that was told in words. Of its packets there are none.
    #[cfg(feature = "cli")]
    pub fn from_words(words: AttemptWords) -> Self {
        let [request, call, connection, first, ended, rest] = words;
        let (stream, rest) = ((rest >> 32) as u32, rest as u32);
        let is_marked = |bit: u32| rest >> NUMBER_BITS >> bit & 1 == 1;
        let fate = Fate {
            exchange: ExchangeRef { connection, stream },
            first: Timestamp::from_nanos(first),
            ended: Timestamp::from_nanos(ended),
            number: rest & MOST_ATTEMPTS,
            failed: is_marked(2),
            executed: is_marked(3),
            retried: false,
            is_retry: false,
        };
        let (request, call) = (is_marked(0).then_some(request), is_marked(1).then_some(call));
        Self { request, call, fate, packets: (Moment::default(), Moment::default()) }
    }

    /// The finding that this exchange and another one were executed, attempts at the same.
    pub(super) fn executed_twice(&self, other: ExchangeRef) -> Finding {
        let Description { code, severity, rfc } = Anomaly::ExecutedTwice.describe();
        let (first, last) = self.packets;
        Finding {
            code,
            severity: severity.name(),
            rfc,
            from_client: true,
            stream: self.fate.exchange.stream,
            first,
            last,
            count: 1,
            protocol: None,
            first_line: None,
            detail: Detail { attempt: Some(other), ..Detail::default() },
        }
    }
}

impl Fate {
    /// It began after the other one had failed, soon enough.
    fn follows(&self, failed: &Self) -> bool {
        self.first >= failed.ended && self.first.since(failed.ended) <= WITHIN
    }

    /// By gRPC's count it may be the next attempt. Transparent ones are not counted.
    const fn may_be_next(&self, failed: &Self) -> bool {
        self.number == failed.number || self.is_counted_next(failed)
    }

    const fn is_counted_next(&self, failed: &Self) -> bool {
        self.number == failed.number.saturating_add(1)
    }

    /// Both were under way at one time.
    fn is_beside(&self, other: &Self) -> bool {
        self.exchange != other.exchange && self.first < other.ended && other.first < self.ended
    }

    /// It has failed, and the next attempt may still come.
    fn is_awaited(&self, now: Timestamp) -> bool {
        self.failed && !self.retried && now.since(self.ended) <= WITHIN
    }
}

/// Whether the server has answered that it will not do this, whoever asks again: a client error, but for those that ask for
/// another attempt (408, RFC 9110 section 15.5.9; 425, RFC 8470 section 5.2; 429, RFC 6585 section 4).
fn is_refusal(exchange: &Transaction) -> bool {
    let refused = matches!(exchange.failure(), Some(Failure::Status(400..500)));
    refused && exchange.response.ended && !matches!(exchange.status(), Some(408 | 425 | 429))
}

/// Two attempts at the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The one whose record came before.
    pub other: ExchangeRef,
    /// That failed first; else it was made after this one had failed.
    pub is_earlier: bool,
    /// The server's application has answered both.
    pub executed_twice: bool,
}

impl Pair {
    /// What is known now of the exchange whose record comes later, `agent`'s verdict beside.
    pub fn annotation(pair: Option<Self>, agent: Option<Verdict>) -> Annotation {
        let named = |earlier| pair.filter(|pair| pair.is_earlier == earlier).map(|pair| pair.other);
        Annotation { agent, retry_of: named(true), retried_by: named(false) }
    }
}

/// The latest exchanges that were made of one request.
#[derive(Debug, Default)]
struct Request {
    /// In the order of their records, from `oldest` on.
    fates: [Option<Fate>; limits::RETRY_ATTEMPTS],
    oldest: usize,
    /// What is not remembered any more.
    forgotten: Forgotten,
}

#[derive(Clone, Copy, Debug, Default)]
struct Forgotten {
    /// The latest of it began then.
    first: Timestamp,
    /// Until then some of it that failed may be tried again.
    awaited: Timestamp,
    /// Exchanges that failed, and might have been tried again.
    count: u64,
}

impl Forgotten {
    fn add(&mut self, fate: &Fate, now: Timestamp) {
        self.first = self.first.max(fate.first);
        if fate.is_awaited(now) {
            self.awaited = self.awaited.max(fate.ended.after(WITHIN));
            self.count += 1;
        }
    }
}

impl Request {
    /// In the order of their records.
    fn iter(&self) -> impl Iterator<Item = &Fate> {
        let (later, earlier) = self.fates.split_at_checked(self.oldest).unwrap_or_default();
        earlier.iter().chain(later).flatten()
    }

    fn has_failed(&self) -> bool {
        self.fates.iter().flatten().any(|fate| fate.failed)
    }

    fn get_mut(&mut self, exchange: ExchangeRef) -> Option<&mut Fate> {
        self.fates.iter_mut().flatten().find(|fate| fate.exchange == exchange)
    }

    /// When the last of them ended.
    fn ended(&self) -> Timestamp {
        self.iter().map(|fate| fate.ended).max().unwrap_or_default()
    }

    /// The one attempt that failed and that this is the next one at; `None` where there may be several.
    fn failed_before(&self, next: &Fate, is_next: impl Fn(&Fate) -> bool) -> Option<Fate> {
        let mut failed =
            self.iter().filter(|one| one.is_awaited(next.first) && next.follows(one) && is_next(one));
        let found = failed.next()?;
        let certain = failed.next().is_none() && next.first > self.forgotten.awaited;
        (certain && !self.iter().any(|other| other.is_beside(found))).then_some(*found)
    }

    /// The attempt that came first after this one had failed.
    fn made_after(&self, failed: &Fate) -> Option<Fate> {
        let after = self.iter().filter(|one| one.follows(failed)).min_by_key(|one| one.first)?;
        let certain = self.forgotten.first < failed.ended && !after.is_retry && after.may_be_next(failed);
        (certain && !self.iter().any(|other| other.is_beside(failed))).then_some(*after)
    }

    /// Adds one; how many are forgotten for it that failed, and might have been tried again.
    fn add(&mut self, fate: Fate) -> u64 {
        let place = self.fates.get_mut(self.oldest);
        self.oldest = (self.oldest + 1) % limits::RETRY_ATTEMPTS;
        if let Some(oldest) = place.and_then(|place| place.replace(fate)) {
            self.forgotten.add(&oldest, fate.first);
        }
        std::mem::take(&mut self.forgotten.count)
    }
}

/// The requests of all connections.
#[derive(Debug, Default)]
pub struct Attempts {
    requests: HashMap<u64, Request, foldhash::fast::RandomState>,
    /// In the order in which they came, or were looked at last, and when that was.
    order: VecDeque<(u64, Timestamp)>,
    /// Of those that are not remembered any more.
    forgotten: Forgotten,
}

impl Attempts {
    /// Failed exchanges that were forgotten before it was known whether they were tried again.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten.count
    }

    /// An exchange has ended; the other attempt at the same, where there is one.
    pub fn meet(&mut self, attempt: &Attempt) -> Option<Pair> {
        let mut fate = attempt.fate;
        if let (Some(key), None, false) = (attempt.request, attempt.call, fate.failed) {
            // Most requests are such, and none like it has failed.
            let known = self.requests.get_mut(&key);
            if let Some(request) = known.filter(|request| !request.has_failed()) {
                self.forgotten.count += request.add(fate);
                return None;
            }
        }
        let pair = self.earlier(attempt).or_else(|| self.later(attempt));
        if let Some(Pair { other, is_earlier, .. }) = pair {
            (fate.is_retry, fate.retried) = (is_earlier, !is_earlier);
            for key in [attempt.request, attempt.call].into_iter().flatten() {
                if let Some(other) = self.requests.get_mut(&key).and_then(|request| request.get_mut(other)) {
                    other.is_retry |= !is_earlier;
                    other.retried |= is_earlier;
                }
            }
        }
        if let Some(key) = attempt.request {
            self.remember(key, fate);
        }
        if let Some(key) = attempt.call.filter(|_| fate.failed) {
            self.remember(key, fate);
        }
        pair
    }

    /// The attempt that failed before this one.
    fn earlier(&self, next: &Attempt) -> Option<Pair> {
        let request = |key: Option<u64>| self.requests.get(&key?);
        let fate = &next.fate;
        let same = request(next.request)
            .and_then(|request| request.failed_before(fate, |failed| fate.may_be_next(failed)));
        let counted = || request(next.call)?.failed_before(fate, |failed| fate.is_counted_next(failed));
        let failed = same.or_else(counted)?;
        let executed_twice = failed.executed && fate.executed;
        Some(Pair { other: failed.exchange, is_earlier: true, executed_twice })
    }

    /// The attempt that came after this one, which has failed, and whose record came first.
    fn later(&self, failed: &Attempt) -> Option<Pair> {
        let request = self.requests.get(&failed.request.filter(|_| failed.fate.failed)?)?;
        let after = request.made_after(&failed.fate)?;
        let executed_twice = failed.fate.executed && after.executed;
        Some(Pair { other: after.exchange, is_earlier: false, executed_twice })
    }

    fn remember(&mut self, key: u64, fate: Fate) {
        if let Some(request) = self.requests.get_mut(&key) {
            self.forgotten.count += request.add(fate);
            return;
        }
        self.make_room(fate.first);
        self.order.push_back((key, fate.ended));
        let forgotten = Forgotten { count: 0, ..self.forgotten };
        let mut request = Request { forgotten, ..Request::default() };
        request.add(fate);
        self.requests.insert(key, request);
    }

    /// Forgets requests that have not come again for long, and the one that came first if there are too many.
    fn make_room(&mut self, now: Timestamp) {
        for _ in 0..2 {
            let Some(&(key, since)) = self.order.front() else { return };
            let ended = self.requests.get(&key).map(Request::ended).unwrap_or_default();
            if now.since(ended) > WITHIN {
                self.forget();
            } else if ended > since {
                self.order.rotate_left(1);
                self.order.back_mut().into_iter().for_each(|last| last.1 = ended);
            }
        }
        if self.requests.len() >= limits::RETRY_REQUESTS {
            let oldest = self.forget();
            oldest.iter().flat_map(Request::iter).for_each(|fate| self.forgotten.add(fate, now));
        }
    }

    fn forget(&mut self) -> Option<Request> {
        let (oldest, _) = self.order.pop_front()?;
        self.requests.remove(&oldest)
    }
}

#[cfg(test)]
mod tests;
