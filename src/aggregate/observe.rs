//! The facts of an exchange, from its record.

use super::endpoints::Aggregate;
use super::facts::{Exchange, Place, Span, Target};
use crate::base::time::Timestamp;
use crate::record::{EndHow, Failure, Partial, TransactionView, Unknown};
use std::net::SocketAddr;

impl Aggregate {
    /// Counts the exchange of a record.
    pub fn observe(&mut self, view: &TransactionView<'_>) {
        let (transaction, connection) = (view.transaction, view.connection);
        let failure = view.failure().map(Failure::name);
        let target = match (view.rpc_method(), view.path) {
            (Some(method), _) => Target::Rpc(method),
            (None, Some(path)) => Target::Path(path),
            (None, None) => Target::None,
        };
        let times = Times::of(view);
        self.add(&Exchange {
            authority: view.authority,
            server: SocketAddr::new(connection.server.ip, connection.server.port),
            method: view.method,
            target,
            unplaced: is_unplaced(view),
            failure: failure.as_deref(),
            status: view.status,
            incomplete: !transaction.partial.is_empty(),
            start: transaction.first.time.as_nanos(),
            duration: times.duration(),
            ttfb: times.ttfb(),
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

/// Whether authority, method or target were sent and are not known.
fn is_unplaced(view: &TransactionView<'_>) -> bool {
    let transaction = view.transaction;
    let asked = [Unknown::METHOD, Unknown::PATH, Unknown::AUTHORITY];
    let nameless = transaction.partial.contains(Partial::UNKNOWN_HEADER)
        && (view.method.is_none() || view.authority.is_none() || view.path.is_none());
    !transaction.request.seen || nameless || asked.into_iter().any(|field| view.unknown.contains(field))
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
        let sent = transaction.request.last.max(transaction.response.last);
        let active = sent.map_or(0, |last| self.until(last)).min(shown);
        // What ended the exchange was seen, or it may have ended before without its end being seen.
        let (least, most) = match transaction.end.how {
            EndHow::EndStream => (shown, Some(shown)),
            EndHow::RstStream | EndHow::Goaway if self.nothing_lost => (shown, Some(shown)),
            EndHow::Fin | EndHow::Rst | EndHow::Eof | EndHow::Idle if self.nothing_lost => (shown, None),
            EndHow::RstStream | EndHow::Goaway | EndHow::Fin | EndHow::Rst => (active, Some(shown)),
            EndHow::Eof | EndHow::Idle => (active, None),
        };
        // What began before it was seen took longer.
        Span { shown: Some(shown), least, most: most.filter(|_| self.has_start) }
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
                Some(Span { shown: Some(shown), least: 0, most: Some(shown).filter(|_| self.has_start) })
            }
            None if !self.nothing_lost => Some(Span::unknown()),
            None => match transaction.end.how {
                EndHow::EndStream | EndHow::RstStream | EndHow::Goaway => None,
                _ => Some(Span { shown: None, least: self.until(transaction.last.time), most: None }),
            },
        }
    }
}
