//! The facts of an exchange, from its record.

use super::endpoints::Aggregate;
use super::facts::{Call, Exchange, Place, Span, Target};
use crate::base::time::Timestamp;
use crate::record::{EndHow, Failure, Partial, Transaction, TransactionView, Unknown};
use std::net::SocketAddr;

impl Aggregate {
    /// Counts the exchange of a record.
    pub fn observe(&mut self, view: &TransactionView<'_>) {
        let (transaction, connection) = (view.transaction, view.connection);
        let failure = view.failure().map(Failure::name);
        let Call { authority, server, method, target, unplaced } = Call::of(view);
        let times = Times::of(view);
        self.add(&Exchange {
            authority,
            server,
            method,
            target,
            unplaced,
            failure: failure.as_deref(),
            status: view.status,
            incomplete: !transaction.partial.is_empty(),
            lossy: !transaction.partial.only_unfinished(),
            reset: matches!(transaction.end.how, EndHow::RstStream | EndHow::Goaway),
            start: transaction.first.time.as_nanos(),
            duration: times.duration(),
            ttfb: times.ttfb(),
            time: transaction.time.map(|time| time.parts),
            request_bytes: transaction.request.body,
            response_bytes: transaction.response.body,
            place: Place {
                connection: connection.id,
                stream: transaction.stream,
                packet: transaction.first.packet,
            },
        });
    }
}

impl Aggregate {
    /// Counts the names of the fields in the response of a record, which has all header fields.
    pub fn observe_names(&mut self, view: &TransactionView<'_>) {
        let Transaction { response, partial, .. } = view.transaction;
        if response.seen {
            let is_cut = partial.contains(Partial::UNKNOWN_HEADER) || partial.contains(Partial::LIMIT);
            self.add_names(&Call::of(view), &response.headers, !is_cut);
        }
    }
}

impl<'a> Call<'a> {
    /// What the record of an exchange says of it.
    pub fn of(view: &TransactionView<'a>) -> Self {
        let server = view.connection.server;
        Self {
            authority: view.authority,
            server: SocketAddr::new(server.ip, server.port),
            method: view.method,
            target: match (view.rpc_method(), view.path, operation(view)) {
                (Some(method), ..) => Target::Rpc(method),
                (None, Some(path), Some(name)) => Target::Operation(path, name),
                (None, Some(path), None) => Target::Path(path),
                (None, None, _) => Target::None,
            },
            unplaced: is_unplaced(view),
        }
    }
}

/// The name of the GraphQL operation that is called, where the body was looked into.
fn operation<'a>(view: &TransactionView<'a>) -> Option<&'a [u8]> {
    let contents = view.transaction.contents.as_deref()?;
    contents.graphql.as_ref()?.name.as_deref().map(str::as_bytes)
}

/// Whether authority, method or target were sent and are not known.
fn is_unplaced(view: &TransactionView<'_>) -> bool {
    let transaction = view.transaction;
    let asked = [Unknown::METHOD, Unknown::PATH, Unknown::AUTHORITY];
    let nameless = transaction.partial.contains(Partial::UNKNOWN_HEADER)
        && (view.method.is_none() || view.authority.is_none() || view.path.is_none());
    let may_be_rpc = transaction.partial.contains(Partial::UNKNOWN_HEADER)
        && transaction.grpc.is_none()
        && view.method == Some(b"POST")
        && view.path.is_some_and(|path| path.split(|&byte| byte == b'/').count() == 3);
    !transaction.request.seen
        || nameless
        || may_be_rpc
        || asked.into_iter().any(|field| view.unknown.contains(field))
}

/// What is known of an exchange's times.
struct Times<'a> {
    view: &'a TransactionView<'a>,
    /// The request's first byte was seen.
    has_start: bool,
    /// Nothing of the exchange was lost, but for what has not come yet.
    nothing_lost: bool,
}

impl<'a> Times<'a> {
    fn of(view: &'a TransactionView<'a>) -> Self {
        let partial = view.transaction.partial;
        let late = partial.contains(Partial::NO_REQUEST) || partial.contains(Partial::MID_STREAM);
        let nothing_lost = partial.only_unfinished();
        Self { view, has_start: view.transaction.request.seen && !late, nothing_lost }
    }

    /// Nanoseconds from the beginning to then.
    fn until(&self, then: Timestamp) -> u64 {
        then.as_nanos().saturating_sub(self.view.transaction.first.time.as_nanos())
    }

    /// From the beginning to the end of the exchange.
    fn duration(&self) -> Span {
        let transaction = self.view.transaction;
        let shown = self.until(transaction.ended_at);
        // Who ended it sent nothing more of it; who that was is not known where no end was seen.
        let sent = [&transaction.request, &transaction.response].map(|side| side.last);
        let active = sent.map(|last| last.map_or(0, |last| self.until(last))).into_iter().min();
        let active = active.unwrap_or(0).min(shown);
        // Of what was lost it is told when that became certain, which is later.
        let (least, most) = match (transaction.end.how, self.nothing_lost) {
            (EndHow::EndStream | EndHow::RstStream | EndHow::Goaway, true) => (shown, Some(shown)),
            (EndHow::EndStream | EndHow::Fin | EndHow::Rst, false) => (0, Some(shown)),
            (EndHow::Fin | EndHow::Rst | EndHow::Eof | EndHow::Idle, true) => (active, None),
            (EndHow::RstStream | EndHow::Goaway | EndHow::Eof | EndHow::Idle, false) => (0, None),
        };
        let trusted = if self.nothing_lost { shown } else { least };
        // What began before it was seen took longer.
        Span { shown: Some(shown), least, trusted, most: most.filter(|_| self.has_start) }
    }

    /// From the beginning to the response's first byte; `None` where there was no response.
    fn ttfb(&self) -> Option<Span> {
        let transaction = self.view.transaction;
        let (request, response) = (&transaction.request, &transaction.response);
        let shown = request.first.zip(response.first).map(|(_, first)| self.until(first));
        match shown {
            Some(shown) if self.has_start && response.seen => Some(Span::exact(shown)),
            // Its beginning was lost, so that it came no later.
            Some(shown) => {
                let most = Some(shown).filter(|_| self.has_start);
                Some(Span { shown: Some(shown), least: 0, trusted: 0, most })
            }
            None if !self.nothing_lost => Some(Span::unknown()),
            None => match transaction.end.how {
                EndHow::EndStream | EndHow::RstStream | EndHow::Goaway => None,
                _ => {
                    let trusted = self.until(transaction.last.time);
                    Some(Span { shown: None, least: 0, trusted, most: None })
                }
            },
        }
    }
}
