//! How long the way between the two places took.

use super::clock::{Clock, Measured};
use super::comparison::{Flow, Traffic};
use super::doubts::Doubts;
use super::exchange::Exchange;
use crate::record::pair::Between;

/// What is known of the way of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub(super) clock: Option<&'a Clock>,
    /// What happened to the bytes of its connection, where both places saw that.
    pub(super) traffic: Option<&'a Traffic>,
    /// Where there may be more attempts than were found: when they may have been.
    pub(super) doubts: Option<&'a Doubts>,
}

impl Way<'_> {
    /// How long it took; `servers` are the attempts, in the order of their beginning. Left out is what another attempt that was
    /// not found may have begun or answered.
    pub(super) fn between(&self, client: &Exchange, servers: &[&Exchange]) -> Between {
        let last = servers.iter().rev().find(|server| server.answered().is_some());
        let last = last.filter(|last| !self.may_have_later(client, last));
        let first = servers.first().filter(|first| !self.may_have_earlier(client, first));
        let answered = client.answered().filter(|&time| !self.is_late(|traffic| &traffic.responses, time));
        let arrived = first
            .and_then(|first| first.sent())
            .filter(|&time| !self.is_late(|traffic| &traffic.requests, time));
        let begun = last.filter(|last| !self.is_late(|traffic| &traffic.requests, last.start));
        let ours = client.ttfb().filter(|_| answered.is_some());
        let total = ours.zip(begun.and_then(|last| last.ttfb()));
        let between = Between {
            total: total.and_then(|(ours, theirs)| ours.checked_sub(theirs)),
            ..Between::default()
        };
        let Some(clock) = self.clock else { return between };
        let request = client.sent().zip(arrived).and_then(|(sent, arrived)| {
            let offset = clock.offset(sent);
            told(i128::from(arrived) - i128::from(offset.value) - i128::from(sent), offset)
        });
        let response = last.and_then(|last| last.answered()).zip(answered).and_then(|(sent, arrived)| {
            let offset = clock.offset(arrived);
            told(i128::from(arrived) + i128::from(offset.value) - i128::from(sent), offset)
        });
        let is_given = matches!(clock, Clock::Given(_));
        let uncertainty = request.into_iter().chain(response).map(|(_, off)| off).max();
        Between {
            request: request.map(|(way, _)| way),
            response: response.map(|(way, _)| way),
            uncertainty: uncertainty.filter(|_| !is_given),
            ..between
        }
    }

    /// What had come before without being captured came at a time that nobody knows.
    fn is_late(&self, of: fn(&Traffic) -> &Flow, time: u64) -> bool {
        self.traffic.is_some_and(|traffic| of(traffic).seen_late.binary_search(&time).is_ok())
    }

    fn may_have_earlier(&self, client: &Exchange, first: &Exchange) -> bool {
        self.may_have(|clock| Some((client.start, clock.to_client(first.start).0)))
    }

    fn may_have_later(&self, client: &Exchange, last: &Exchange) -> bool {
        self.may_have(|clock| Some((clock.to_client(last.answered()?).0, client.answered()?)))
    }

    /// There may have been another attempt between two instants of the client's clock.
    fn may_have(&self, times: impl FnOnce(&Clock) -> Option<(u64, u64)>) -> bool {
        let times = self.clock.and_then(times);
        self.doubts.zip(times).is_some_and(|(doubts, (from, until))| doubts.meet(from, until))
    }
}

/// A time, and by how much it may be off. What may be off by more than twice what it is says nothing.
fn told(way: i128, offset: Measured) -> Option<(u64, u64)> {
    let (way, off) = (u64::try_from(way.max(0)).ok()?, offset.uncertainty);
    (off <= way.saturating_mul(2)).then_some((way, off))
}
