//! Why an exchange was seen at one place only.

use super::clock::Clock;
use super::comparison::{Comparison, Flow};
use super::doubts::Doubts;
use super::exchange::Exchange;
use super::pairing::Pairing;
use crate::record::pair::Missing;
use std::collections::HashSet;

/// What is looked at.
pub(super) struct Reasons<'a> {
    pairing: &'a Pairing<'a>,
    clock: Option<&'a Clock>,
    comparison: &'a Comparison,
    /// Connections of the client's of which exchanges reached the server on others, as was found now.
    passed_on: HashSet<u32>,
    doubts: &'a Doubts,
}

impl<'a> Reasons<'a> {
    pub(super) fn new(
        pairing: &'a Pairing<'a>,
        comparison: &'a Comparison,
        clock: Option<&'a Clock>,
        doubts: &'a Doubts,
    ) -> Self {
        let others = pairing.matches.iter().filter(|found| found.how.is_passed_on());
        let exchange = |place: u32| pairing.client.exchanges.get(place as usize);
        Self {
            pairing,
            clock,
            comparison,
            passed_on: others.filter_map(|found| Some(exchange(found.client)?.connection)).collect(),
            doubts,
        }
    }

    /// Of an exchange that the client's place alone saw.
    pub(super) fn at_client(&self, exchange: &Exchange) -> Missing {
        if let Some(traffic) = self.comparison.of_client(exchange.connection) {
            let hole = self.pairing.client.connection(exchange).and_then(|own| own.hole);
            if let Some(reason) = self.by_segments(&traffic.requests, hole, exchange) {
                return reason;
            }
            return if self.is_covered(exchange) { Missing::Unknown } else { Missing::NotCaptured };
        }
        if !self.is_covered(exchange) {
            return Missing::NotCaptured;
        }
        // Nor was its partner overlooked, because one of the two is not known wholly.
        let answered = exchange.answered().is_some() && exchange.status.is_some() && !exchange.is_partial;
        let is_seen = self.clock.is_some() && !self.doubts.meet(exchange.start, exchange.end);
        if answered && is_seen && self.is_passed_on(exchange) {
            return Missing::AnsweredBetween;
        }
        Missing::Unknown
    }

    /// Of an exchange that the server's place alone saw.
    pub(super) fn at_server(&self, exchange: &Exchange) -> Missing {
        // What arrived on a connection that both saw was sent.
        if self.comparison.has_server(exchange.connection) || !self.is_covered_by_client(exchange) {
            return Missing::NotCaptured;
        }
        Missing::Unknown
    }

    /// Other exchanges of its connection reached the server on another one.
    fn is_passed_on(&self, exchange: &Exchange) -> bool {
        let own = self.pairing.client.connection(exchange);
        self.passed_on.contains(&exchange.connection) || own.is_some_and(|own| own.is_passed_on)
    }

    /// What became of the segments that carried its request. `hole`: when the first was not captured, if that is known.
    fn by_segments(&self, requests: &Flow, hole: Option<u64>, exchange: &Exchange) -> Option<Missing> {
        let until = exchange.sent().unwrap_or(exchange.end);
        let within = |time: u64| (exchange.start..=until).contains(&time);
        let from = requests.lost.partition_point(|loss| loss.sent < exchange.start);
        let lost = requests.lost.iter().skip(from).take_while(|loss| within(loss.sent));
        if lost.clone().any(|loss| loss.forever) {
            return Some(if self.is_covered(exchange) {
                Missing::NeverArrived
            } else {
                Missing::NotCaptured
            });
        }
        let from = requests.not_captured.partition_point(|&sent| sent < exchange.start);
        let unseen = requests.not_captured.get(from).is_some_and(|&sent| within(sent));
        // Behind a hole the other capture's streams are not whole.
        let behind = hole.or(requests.not_captured.first().copied()).is_some_and(|sent| sent <= until);
        (unseen || behind).then_some(Missing::NotCaptured)
    }

    /// The server's capture spans the time of an exchange of the client's; where no clock is known, it may.
    fn is_covered(&self, exchange: &Exchange) -> bool {
        let (Some(clock), Some((first, last))) = (self.clock, self.pairing.server.span) else { return true };
        let ((first, early), (last, late)) = (clock.to_client(first), clock.to_client(last));
        exchange.start >= first.saturating_add(early) && exchange.end <= last.saturating_sub(late)
    }

    /// The other way round.
    fn is_covered_by_client(&self, exchange: &Exchange) -> bool {
        let (Some(clock), Some((first, last))) = (self.clock, self.pairing.client.span) else { return true };
        let ((start, early), (end, late)) = (clock.to_client(exchange.start), clock.to_client(exchange.end));
        start.saturating_sub(early) >= first && end.saturating_add(late) <= last
    }
}
