//! Which exchanges are one call: the pairs found so far, and how.

use super::clock::{Clock, difference};
use super::collect::Side;
use super::connections::{Link, LinkedBy};
use super::exchange::{Exchange, IdKind};
use super::lines::{Bound, Lines};
use crate::record::pair::ClockSource;
use std::collections::HashMap;

/// How a pair was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairedBy {
    /// On the same TCP connection.
    Tcp,
    /// On connections with the same bytes.
    Bytes,
    /// By an id.
    Id(IdKind),
    /// By what was sent, and when.
    Content,
}

impl PairedBy {
    /// It reached the server on another connection.
    pub(super) fn is_passed_on(self) -> bool {
        self != Self::Tcp
    }
}

/// An exchange at the client's place and those of the server's that are the same call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) client: u32,
    first: u32,
    pub(super) attempts: u32,
    pub(super) how: PairedBy,
}

/// What has been found.
#[derive(Debug)]
pub(super) struct Pairing<'a> {
    pub(super) client: &'a Side,
    pub(super) server: &'a Side,
    pub(super) matches: Vec<Match>,
    servers: Vec<u32>,
    /// By exchange: it has a partner.
    pub(super) client_paired: Vec<bool>,
    pub(super) server_paired: Vec<bool>,
    /// By exchange: others may be its partner, too.
    pub(super) client_ambiguous: Vec<bool>,
    pub(super) server_ambiguous: Vec<bool>,
    /// Exchanges of the client's whose streams on the server's connections carry something else.
    pub(super) conflicts: Vec<u32>,
}

impl<'a> Pairing<'a> {
    pub(super) fn new(client: &'a Side, server: &'a Side) -> Self {
        let none = |side: &Side| vec![false; side.exchanges.len()];
        Self {
            client,
            server,
            matches: Vec::new(),
            servers: Vec::new(),
            client_paired: none(client),
            server_paired: none(server),
            client_ambiguous: none(client),
            server_ambiguous: none(server),
            conflicts: Vec::new(),
        }
    }

    /// The places of a pair's exchanges at the server's, in order of their start.
    pub(super) fn places(&self, found: &Match) -> &[u32] {
        let range = found.first as usize..(found.first + found.attempts) as usize;
        self.servers.get(range).unwrap_or_default()
    }

    /// A pair was found.
    pub(super) fn add(&mut self, client: u32, servers: &[u32], how: PairedBy) {
        let first = self.servers.len() as u32;
        self.servers.extend_from_slice(servers);
        set(&mut self.client_paired, client);
        for &server in servers {
            set(&mut self.server_paired, server);
        }
        self.matches.push(Match { client, first, attempts: servers.len() as u32, how });
    }

    /// The exchanges of linked connections, by stream.
    pub(super) fn by_stream(&mut self, links: &[Link]) {
        let linked: HashMap<u32, &Link> = links.iter().map(|link| (link.client, link)).collect();
        let mut streams: HashMap<(u32, u32), Option<u32>> = HashMap::new();
        for (place, exchange) in self.server.exchanges.iter().enumerate() {
            // A connection that has two exchanges on one stream is not what it seems.
            let found = streams.entry((exchange.connection, exchange.stream));
            found.and_modify(|found| *found = None).or_insert(Some(place as u32));
        }
        for (place, exchange) in self.client.exchanges.iter().enumerate() {
            let Some(link) = linked.get(&exchange.connection) else { continue };
            // Each stream once: what is found again has been taken.
            let Some(Some(server)) = streams.insert((link.server, exchange.stream), None) else { continue };
            let Some(other) = self.server.exchanges.get(server as usize) else { continue };
            if self.conflict(exchange, other) {
                self.conflicts.push(place as u32);
                continue;
            }
            let how = if link.how == LinkedBy::Tcp { PairedBy::Tcp } else { PairedBy::Bytes };
            self.add(place as u32, &[server], how);
        }
    }

    /// The two cannot be one call that passed unchanged.
    fn conflict(&self, client: &Exchange, server: &Exchange) -> bool {
        let (Some(ours), Some(theirs)) =
            (self.client.calls.get(client.call), self.server.calls.get(server.call))
        else {
            return false;
        };
        let differ = |ours: &Option<Box<[u8]>>, theirs: &Option<Box<[u8]>>| {
            ours.as_ref().zip(theirs.as_ref()).is_some_and(|(ours, theirs)| ours != theirs)
        };
        differ(&ours.method, &theirs.method)
            || differ(&ours.path, &theirs.path)
            || client.status.zip(server.status).is_some_and(|(ours, theirs)| ours != theirs)
    }

    /// How the clocks differ, by the pairs that were found in one of these ways, and by what was known; `None` where they do not
    /// say. What goes to the server cannot come before it went, nor can what comes back.
    fn lines(&self, known: Option<Lines>, slack: i64, by: impl Fn(PairedBy) -> bool) -> Option<Lines> {
        let mut lines = known;
        for found in self.matches.iter().filter(|found| by(found.how)) {
            // Of several attempts it is not certain which one was answered.
            let &[server] = self.places(found) else { continue };
            let Some(server) = self.server.exchanges.get(server as usize) else { continue };
            let Some(client) = self.client.exchanges.get(found.client as usize) else { continue };
            for (bound, time, offset) in observations(client, server) {
                let slack = if bound == Bound::AtMost { slack } else { -slack };
                let lines = lines.get_or_insert_with(|| Lines::around(time, offset));
                lines.observe(time, bound, offset.saturating_add(slack));
            }
        }
        lines
    }

    /// The clock by pairs with ids.
    pub(super) fn clock_by_ids(&self, known: Option<Lines>, slack: i64) -> Option<Lines> {
        self.lines(known, slack, |how| matches!(how, PairedBy::Id(_) | PairedBy::Bytes))
    }
}

/// What a pair says of the clocks: the bound, when by the client's clock, and the difference.
pub(super) fn observations(client: &Exchange, server: &Exchange) -> impl Iterator<Item = (Bound, u64, i64)> {
    // What was answered otherwise was not answered by this server.
    let same = client.status == server.status && client.grpc_status == server.grpc_status;
    let sent = client.sent().zip(server.sent());
    let answered = client.first_answer().zip(server.first_answer()).filter(|_| same);
    let begun = sent.map(|_| (Bound::AtMost, client.start, difference(server.start, client.start)));
    let sent = sent.map(|(ours, theirs)| (Bound::AtMost, ours, difference(theirs, ours)));
    let answered = answered.map(|(ours, theirs)| (Bound::AtLeast, ours, difference(theirs, ours)));
    begun.into_iter().chain(sent).chain(answered)
}

/// The clock that these lines are.
pub(super) fn measured(lines: Lines, source: ClockSource) -> Option<Clock> {
    lines.is_known().then_some(Clock::Measured(lines, source))
}

pub(super) fn set(flags: &mut [bool], place: u32) {
    if let Some(flag) = flags.get_mut(place as usize) {
        *flag = true;
    }
}

pub(super) fn is_set(flags: &[bool], place: u32) -> bool {
    flags.get(place as usize).copied().unwrap_or_default()
}
