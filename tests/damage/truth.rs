//! Compares what is told of a damaged capture with what is told of the whole one.

use crate::support::{Call, Outcome};
use h2lens::Timestamp;
use h2lens::base::certainty::Certainty;
use h2lens::record::{
    ConnectionMeta, EndBy, EndHow, Failure, Field, Fields, Message, Retry, Transaction, Unknown, WireShape,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// A stream: ports of client and server, stream identifier.
type Key = (u16, u16, u32);

fn key(call: &Call<'_>) -> Key {
    let ConnectionMeta { client, server, .. } = call.connection;
    (client.port, server.port, call.stream)
}

/// All that the damaged run tells and that the whole one does not, or tells otherwise.
pub(crate) fn contradictions(whole: &Outcome, damaged: &Outcome) -> Vec<String> {
    contradictions_but(whole, damaged, |essence| essence)
}

/// The same, when what of complete transactions can be compared is left.
pub(crate) fn contradictions_but(
    whole: &Outcome,
    damaged: &Outcome,
    left: impl Fn(Essence) -> Essence,
) -> Vec<String> {
    let truth: BTreeMap<Key, Call<'_>> = whole.transactions().map(|call| (key(&call), call)).collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for told in damaged.transactions() {
        let key = key(&told);
        let Some(truth) = truth.get(&key) else {
            wrong.push(format!("{key:?} is no stream of the capture: {told:?}"));
            continue;
        };
        if !seen.insert(key) {
            wrong.push(format!("{key:?} is told twice"));
        }
        compare(&told, truth, &left, &mut |what| {
            wrong.push(format!("{key:?}: {what}\n told {told:?}\ntruth {truth:?}"))
        });
    }
    for told in damaged.connections().filter(|told| told.how.is_some()) {
        let ends = |meta: &ConnectionMeta| (meta.client.port, meta.server.port);
        if !whole.connections().any(|truth| ends(&truth.meta) == ends(&told.meta)) {
            wrong.push(format!("no such connection: {told:?}"));
        }
    }
    wrong
}

fn compare(
    told: &Call<'_>,
    truth: &Call<'_>,
    left: &impl Fn(Essence) -> Essence,
    wrong: &mut impl FnMut(String),
) {
    let (view, true_view) = (told.view(), truth.view());
    for (name, value, truth) in [
        ("method", view.method, true_view.method),
        ("scheme", view.scheme, true_view.scheme),
        ("path", view.path, true_view.path),
        ("query", view.query, true_view.query),
        ("authority", view.authority, true_view.authority),
        ("protocol", view.protocol, true_view.protocol),
        ("user agent", view.user_agent, true_view.user_agent),
    ] {
        if value.is_some() && value != truth {
            wrong(format!("{name} is {value:?}, not {truth:?}"));
        }
    }
    if view.target().is_some_and(|told| Some(told) != true_view.target()) {
        wrong("the query is another".to_owned());
    }
    if view.status.is_some() && view.status != true_view.status {
        wrong(format!("the status is {:?}, not {:?}", view.status, true_view.status));
    }
    if told.pushed != truth.pushed || told.parent.is_some() && told.parent != truth.parent {
        wrong("the promise is another".to_owned());
    }
    for (name, side, true_side) in
        [("request", &told.request, &truth.request), ("response", &told.response, &truth.response)]
    {
        for (told, truth) in [(&side.headers, &true_side.headers), (&side.trailers, &true_side.trailers)] {
            if let Some(field) = invented(told, truth) {
                wrong(format!("{name}: {field:?} was not sent, or not there"));
            }
        }
    }
    let mut rest = truth.interim.iter();
    if !told.interim.iter().all(|answer| rest.any(|other| other.status == answer.status)) {
        wrong(format!("interim responses {:?}, not {:?}", told.interim, truth.interim));
    }
    if told.is_complete() {
        if !truth.is_complete() {
            wrong("complete, and the truth is not".to_owned());
        }
        let (told, truth) = (left(Essence::of(told)), left(Essence::of(truth)));
        if told != truth {
            wrong(format!("complete, but not the same: {}", difference(&told, &truth)));
        }
    }
}

/// The first place where two values differ: a line of what is told of each.
pub(crate) fn difference(told: &impl Debug, truth: &impl Debug) -> String {
    let [told, truth] = [format!("{told:#?}"), format!("{truth:#?}")];
    let other = told.lines().zip(truth.lines()).find(|(told, truth)| told != truth);
    other.map_or_else(|| format!("{told}, not {truth}"), |(told, truth)| format!("{told}, not {truth}"))
}

/// The first field told as known that does not stand in the section, or not in this order.
fn invented<'a>(told: &'a Fields, truth: &Fields) -> Option<Field<'a>> {
    let mut rest = truth.iter();
    told.iter().find(|field| {
        // Of an unknown field the name may be known, or the value alone.
        let whole = field.source == Certainty::Unknown || field.name.is_some() && field.value.is_some();
        let same = |other: Field<'_>| {
            field.name.is_none_or(|name| other.name == Some(name))
                && field.value.is_none_or(|value| other.value == Some(value))
        };
        !(whole && rest.any(same))
    })
}

/// What of an exchange a loss or a delay may not change: no times, no packets, nothing that it was to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Essence {
    pub(crate) connection: ConnectionMeta,
    transaction: Transaction,
    failure: Option<Failure>,
    retry: Option<Retry>,
}

impl Essence {
    pub(crate) fn of(call: &Call<'_>) -> Self {
        let connection =
            ConnectionMeta { id: 0, parent: None, client_is_forward: true, ..call.connection.clone() };
        Self {
            connection,
            transaction: timeless(call.transaction.clone()),
            failure: call.failure(),
            retry: call.retry(),
        }
    }

    /// What the other side sent before it knew of a reset may come before or after it: it is left out.
    pub(crate) fn until_reset(mut self) -> Self {
        if self.transaction.end.how == EndHow::RstStream {
            self.transaction.response = Message::default();
            self.transaction.interim.clear();
        }
        self
    }
}

fn timeless(mut transaction: Transaction) -> Transaction {
    let Transaction { request, response, unknown, end, interim, .. } = &mut transaction;
    for side in [request, response] {
        (side.first, side.last) = (None, None);
    }
    unknown.insert(Unknown::TIME);
    // Of two sides that end a stream either may be the last that is seen.
    if end.how == EndHow::EndStream {
        end.by = EndBy::default();
    }
    interim.iter_mut().for_each(|answer| answer.time = Timestamp::default());
    let nothing = Transaction::default();
    Transaction {
        first: nothing.first,
        last: nothing.last,
        ended_at: nothing.ended_at,
        disclaimed_at: nothing.disclaimed_at,
        time: None,
        handshakes: None,
        // Bytes that come again, or late, count as sent again.
        retransmitted: nothing.retransmitted,
        // Whether an accusation is just is told only where nothing was lost.
        evidence: None,
        wire: WireShape::default(),
        ..transaction
    }
}
