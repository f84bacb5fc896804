//! What is counted of an endpoint.

use super::bounds::Latency;
use super::errors::Errors;
use super::facts::{Counted, Exchange, Place};
use super::names::Names;
use super::octets::{self, Reader};
use super::rate::Rate;
use super::sketch::Sketch;
use crate::record::{Fields, TimePart, TimeParts};
use std::net::SocketAddr;

/// Servers that are kept by name.
const SERVERS: usize = 4;

/// The numbers of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Exchanges.
    pub calls: u64,
    /// Those with an `error.type`.
    pub failed: u64,
    /// Those of which something is missing.
    pub incomplete: u64,
    /// Those that were reset.
    pub resets: u64,
    /// Beside them so many, at the most, that are missing wholly.
    pub missed: u64,
    /// And so many, at the most, that the client reset before they ended as they were seen to.
    pub shorter: u64,
    /// Octets of the requests' contents.
    pub request_bytes: u64,
    /// Octets of the responses' contents.
    pub response_bytes: u64,
    /// How long they took.
    pub duration: Latency,
    /// How long until the response began.
    pub ttfb: Latency,
    /// Where their time went, as far as that is known.
    pub time: TimeParts,
    /// When they began.
    pub rate: Rate,
    /// The one that took longest.
    pub slowest: Option<Slowest>,
    /// How long those took that the kernel agent emitted, as it says.
    agent: Option<Box<Sketch>>,
    /// Of the responses' fields, where they are counted.
    names: Option<Box<Names>>,
    errors: Errors,
    /// By status, in ascending order.
    statuses: Vec<(u16, u64)>,
    servers: Servers,
}

/// The exchange of an endpoint that took longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowest {
    /// In nanoseconds.
    pub duration: u64,
    /// Where it stands.
    pub place: Place,
}

/// The servers that an endpoint was called at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Servers {
    Few(Vec<SocketAddr>),
    /// Too many to name.
    Many,
}

impl Default for Servers {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Stats {
    /// Counts an exchange.
    pub(super) fn add(&mut self, exchange: &Exchange<'_>) {
        self.calls += 1;
        self.incomplete += u64::from(exchange.incomplete);
        self.resets += u64::from(exchange.reset);
        self.request_bytes += exchange.request_bytes;
        self.response_bytes += exchange.response_bytes;
        self.duration.add(exchange.duration);
        if let Some(ttfb) = exchange.ttfb {
            self.ttfb.add(ttfb);
        }
        if let Some(time) = &exchange.time {
            self.time.merge(time);
        }
        self.rate.add(exchange.start);
        if let Some(failure) = exchange.failure {
            self.failed += 1;
            self.errors.add(failure, 1);
        }
        if let Some(status) = exchange.status {
            self.add_status(status, 1);
        }
        self.servers.add(exchange.server);
        let slowest = exchange.duration.shown.map(|duration| Slowest { duration, place: exchange.place });
        self.slowest = slower(self.slowest, slowest);
    }

    /// Notes that so many calls of a server may be missing.
    pub(super) fn add_missed(&mut self, server: SocketAddr, most: u64, shorter: u64) {
        self.missed = self.missed.saturating_add(most);
        self.shorter = self.shorter.saturating_add(shorter);
        self.servers.add(server);
    }

    /// Counts an exchange that the kernel agent emitted with this latency, in nanoseconds.
    pub(super) fn add_agent(&mut self, nanos: u64) {
        self.agent.get_or_insert_default().add(nanos);
    }

    /// Counts the names of the fields in a response.
    pub(super) fn add_names(&mut self, fields: &Fields, is_whole: bool) {
        self.names.get_or_insert_default().add(fields, is_whole);
    }

    /// The names of the fields in the responses, where they are counted.
    pub fn names(&self) -> Option<&Names> {
        self.names.as_deref()
    }

    /// Counts what a record tells of.
    pub(super) fn add_counted(&mut self, server: SocketAddr, counted: &Counted) {
        self.calls = self.calls.saturating_add(counted.calls);
        self.failed = self.failed.saturating_add(counted.failed);
        self.request_bytes = self.request_bytes.saturating_add(counted.request_bytes);
        self.response_bytes = self.response_bytes.saturating_add(counted.response_bytes);
        self.duration.add_bins(&counted.durations, counted.duration_sum, counted.duration_max);
        if !server.ip().is_unspecified() {
            self.servers.add(server);
        }
    }

    /// The latencies of the exchanges that the kernel agent emitted, in nanoseconds; `None` where there was none.
    pub fn agent(&self) -> Option<&Sketch> {
        self.agent.as_deref()
    }

    /// Adds another one's counts.
    pub(super) fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.incomplete += other.incomplete;
        self.resets += other.resets;
        self.missed = self.missed.saturating_add(other.missed);
        self.shorter = self.shorter.saturating_add(other.shorter);
        self.request_bytes = self.request_bytes.saturating_add(other.request_bytes);
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        self.duration.merge(&other.duration);
        self.ttfb.merge(&other.ttfb);
        self.time.merge(&other.time);
        self.rate.merge(&other.rate);
        self.errors.merge(&other.errors);
        for &(status, count) in &other.statuses {
            self.add_status(status, count);
        }
        match &other.servers {
            Servers::Few(servers) => {
                for &server in servers {
                    self.servers.add(server);
                }
            }
            Servers::Many => self.servers = Servers::Many,
        }
        self.slowest = slower(self.slowest, other.slowest);
        if let Some(agent) = &other.agent {
            self.agent.get_or_insert_default().merge(agent);
        }
        if let Some(names) = &other.names {
            self.names.get_or_insert_default().merge(names);
        }
    }

    /// Failures by `error.type`, in its order.
    pub fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter()
    }

    /// Exchanges by status, in ascending order.
    pub fn statuses(&self) -> &[(u16, u64)] {
        &self.statuses
    }

    /// The server, when all calls went to one.
    pub fn server(&self) -> Option<SocketAddr> {
        match &self.servers {
            Servers::Few(servers) if servers.len() == 1 => servers.first().copied(),
            _ => None,
        }
    }

    /// Whether calls may have gone to a server that those of `other` may have gone to.
    pub(super) fn shares_server(&self, other: &Self) -> bool {
        match (&self.servers, &other.servers) {
            (Servers::Few(one), Servers::Few(two)) => one.iter().any(|server| two.contains(server)),
            _ => true,
        }
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        let servers = match &self.servers {
            Servers::Few(servers) => servers.capacity() * size_of::<SocketAddr>(),
            Servers::Many => 0,
        };
        let statuses = self.statuses.capacity() * size_of::<(u16, u64)>();
        let times = self.duration.heap() + self.ttfb.heap() + self.rate.heap();
        let agent = self.agent.as_ref().map_or(0, |agent| size_of::<Sketch>() + agent.heap());
        let names = self.names.as_ref().map_or(0, |names| names.memory());
        size_of::<Self>() + times + agent + names + servers + statuses + self.errors.heap()
    }

    /// Appends them as another process reads them.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let Self {
            calls, failed, incomplete, resets, missed, shorter, request_bytes, response_bytes, ..
        } = *self;
        for count in [calls, failed, incomplete, resets, missed, shorter, request_bytes, response_bytes] {
            octets::integer(out, count);
        }
        for part in TimePart::ALL {
            octets::integer(out, self.time.get(part));
        }
        octets::option(out, self.agent.as_ref(), |out, agent| agent.write(out));
        self.duration.write(out);
        self.ttfb.write(out);
        self.rate.write(out);
        octets::option(out, self.slowest, |out, slowest| {
            let Place { connection, stream, packet } = slowest.place;
            for number in [slowest.duration, connection, stream.into(), packet] {
                octets::integer(out, number);
            }
        });
        self.errors.write(out);
        octets::integer(out, self.statuses.len() as u64);
        for &(status, count) in &self.statuses {
            octets::integer(out, status.into());
            octets::integer(out, count);
        }
        let few = if let Servers::Few(servers) = &self.servers { Some(servers) } else { None };
        octets::option(out, few, |out, servers| {
            octets::integer(out, servers.len() as u64);
            for &server in servers {
                octets::address(out, server);
            }
        });
    }

    /// Reads [`Self::write`].
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut stats = Self {
            calls: reader.integer()?,
            failed: reader.integer()?,
            incomplete: reader.integer()?,
            resets: reader.integer()?,
            missed: reader.integer()?,
            shorter: reader.integer()?,
            request_bytes: reader.integer()?,
            response_bytes: reader.integer()?,
            time: {
                let mut time = TimeParts::default();
                for part in TimePart::ALL {
                    time.add(part, reader.integer()?);
                }
                time
            },
            agent: reader.option(Sketch::read).ok()?.map(Box::new),
            duration: Latency::read(reader)?,
            ttfb: Latency::read(reader)?,
            rate: Rate::read(reader)?,
            slowest: reader
                .option(|reader| {
                    let duration = reader.integer()?;
                    let connection = reader.integer()?;
                    let stream = u32::try_from(reader.integer()?).ok()?;
                    Some(Slowest { duration, place: Place { connection, stream, packet: reader.integer()? } })
                })
                .ok()?,
            errors: Errors::read(reader)?,
            ..Self::default()
        };
        for _ in 0..reader.count()? {
            let status = u16::try_from(reader.integer()?).ok()?;
            stats.add_status(status, reader.integer()?);
        }
        let few = reader
            .option(|reader| {
                let count = reader.count()?;
                (0..count).map(|_| reader.address()).collect::<Option<Vec<_>>>()
            })
            .ok()?;
        match few {
            Some(servers) => servers.into_iter().for_each(|server| stats.servers.add(server)),
            None => stats.servers = Servers::Many,
        }
        Some(stats)
    }

    fn add_status(&mut self, status: u16, count: u64) {
        match self.statuses.binary_search_by_key(&status, |&(status, _)| status) {
            Ok(at) => {
                if let Some((_, sum)) = self.statuses.get_mut(at) {
                    *sum += count;
                }
            }
            Err(at) => self.statuses.insert(at, (status, count)),
        }
    }
}

impl Servers {
    fn add(&mut self, server: SocketAddr) {
        let Self::Few(servers) = self else { return };
        if servers.contains(&server) {
            return;
        }
        if servers.len() == SERVERS {
            *self = Self::Many;
        } else {
            servers.push(server);
        }
    }
}

/// The one that took longer; of two equal ones that which stands first.
fn slower(one: Option<Slowest>, two: Option<Slowest>) -> Option<Slowest> {
    let rank = |slowest: &Slowest| (slowest.duration, std::cmp::Reverse(slowest.place));
    one.into_iter().chain(two).max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::super::tests::exchange;
    use super::*;

    fn stats(exchanges: &[Exchange<'_>]) -> Stats {
        let mut stats = Stats::default();
        for exchange in exchanges {
            stats.add(exchange);
        }
        stats
    }

    #[test]
    fn of_equally_slow_ones_the_first_is_named_in_any_order() {
        let at = |stream| Exchange { place: Place { connection: 1, stream, packet: 9 }, ..exchange("/", 70) };
        for order in [[1, 3, 5], [5, 3, 1], [3, 5, 1]] {
            assert_eq!(stats(&order.map(at)).slowest.unwrap().place.stream, 1);
        }
    }

    #[test]
    fn parts_add_up() {
        let failed = Exchange { failure: Some("503"), status: Some(503), ..exchange("/", 3) };
        let mut parts = stats(&[exchange("/", 1), failed]);
        parts.merge(&stats(&[exchange("/", 2), failed, failed]));
        assert_eq!((parts.calls, parts.failed), (5, 3));
        assert_eq!(parts.statuses(), [(200, 2), (503, 3)]);
        assert_eq!(parts.errors().collect::<Vec<_>>(), [("503", 3)]);
        assert_eq!(parts.duration.sum(), 12);
    }

    #[test]
    fn a_server_is_named_when_it_is_the_only_one() {
        let at = |port| Exchange { server: ([10, 0, 0, 1], port).into(), ..exchange("/", 1) };
        assert_eq!(stats(&[at(80), at(80)]).server(), Some(([10, 0, 0, 1], 80).into()));
        assert_eq!(stats(&[at(80), at(81)]).server(), None);
        let many = stats(&[1, 2, 3, 4, 5].map(at));
        assert!(many.shares_server(&stats(&[at(9)])) && !stats(&[at(1)]).shares_server(&stats(&[at(9)])));
    }
}
