//! What both places saw for some time → pairs.

use super::Options;
use super::clock::Clock;
use super::collect::Side;
use super::comparison::{Clocks, Comparison, Flow};
use super::connections::{Link, LinkedBy, links};
use super::doubts::Doubts;
use super::exchange::{Exchange, IdKind};
use super::lines::Lines;
use super::missing::Reasons;
use super::pairing::{PairedBy, Pairing, is_set, measured};
use super::settle::{Floor, Floors};
use super::transit::End;
use super::way::Way;
use crate::base::time::Timestamp;
use crate::record::pair::{ClockSource, Lost, Missing, Pair, PairSide};
use std::collections::HashSet;
use std::net::IpAddr;

/// What is known of two clocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// By the bytes of connections.
    pub(super) clocks: Clocks,
    pub(super) clock: Option<Clock>,
    /// Connections or ids were seen at both places, and no offset and drift fit them.
    pub(super) contradicted: bool,
}

/// Instants of the clocks of the two places: what ended before is told, and let go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) client: u64,
    pub(super) server: u64,
}

/// What was found of two sides.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) known: Known,
    /// The captures may have been given in the wrong order.
    pub(super) looks_swapped: bool,
    pub(super) entries: Vec<Entry>,
    /// What the entries' attempts refer to.
    servers: Vec<u32>,
    conflicts: HashSet<u32>,
    pub(super) links: Vec<Link>,
    comparison: Comparison,
    doubts: Doubts,
}

/// A pair, or an exchange without one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// By the client's clock, as far as it is known.
    time: u64,
    pub(super) client: Option<u32>,
    first: u32,
    attempts: u32,
    pub(super) how: Option<PairedBy>,
    pub(super) ambiguous: bool,
    pub(super) missing: Option<Missing>,
    /// Its streams on linked connections are not one call.
    pub(super) is_conflict: bool,
}

impl Round {
    /// Finds which exchanges of two sides are one call; `known` is what was found before.
    pub(super) fn of(client: &Side, server: &Side, options: &Options, known: &Known) -> Self {
        let links = links(client, server);
        let comparison = Comparison::of(client, server, &links, &known.clocks);
        let mut pairing = Pairing::new(client, server);
        pairing.by_stream(&links);
        let slack = client.unit.max(server.unit) as i64;
        let given = options.clock_offset.map(Clock::Given);
        let mut clock = given.or_else(|| comparison.clocks.clock());
        let mut contradicted = known.contradicted || comparison.clocks.is_contradicted();
        let earlier = known.clock.clone().filter(|_| !contradicted);
        pairing.by_ids(clock.as_ref().or(earlier.as_ref()));
        if clock.is_none() && !contradicted {
            let lines = pairing.clock_by_ids(known.lines_by_ids(), slack);
            contradicted = lines.as_ref().is_some_and(Lines::is_contradicted);
            clock = lines.and_then(|lines| measured(lines, ClockSource::Ids));
        }
        if clock.is_none() && !contradicted {
            clock = earlier;
        }
        if clock.is_none() && !contradicted && pairing.matches.is_empty() {
            clock = pairing.clock_by_content(slack);
        }
        if let Some(clock) = &clock {
            pairing.by_content(clock);
        }
        let mut round = Self {
            looks_swapped: comparison.clocks.is_swapped() || (contradicted && links.is_empty()),
            conflicts: pairing.conflicts.iter().copied().collect(),
            ..Self::default()
        };
        let doubts = Doubts::of(&pairing, clock.as_ref());
        let reasons = Reasons::new(&pairing, &comparison, clock.as_ref(), &doubts);
        round.tell(&pairing, &reasons, clock.as_ref());
        round.doubts = doubts;
        let mut clocks = comparison.clocks.clone();
        clocks.is_later = true;
        round.known = Known { clocks, clock, contradicted };
        (round.links, round.comparison) = (links, comparison);
        round
    }

    /// Each pair, and each exchange without one.
    fn tell(&mut self, pairing: &Pairing<'_>, reasons: &Reasons<'_>, clock: Option<&Clock>) {
        let alone = Entry {
            time: 0,
            client: None,
            first: 0,
            attempts: 0,
            how: None,
            ambiguous: false,
            missing: None,
            is_conflict: false,
        };
        let start = |place: u32| pairing.client.exchanges.get(place as usize).map_or(0, |own| own.start);
        for found in &pairing.matches {
            let (first, attempts) = (self.servers.len() as u32, found.attempts);
            self.servers.extend_from_slice(pairing.places(found));
            let (client, how) = (Some(found.client), Some(found.how));
            self.entries.push(Entry { time: start(found.client), client, first, attempts, how, ..alone });
        }
        for (place, exchange) in (0_u32..).zip(&pairing.client.exchanges) {
            if is_set(&pairing.client_paired, place) {
                continue;
            }
            let ambiguous = is_set(&pairing.client_ambiguous, place);
            let missing = (!ambiguous).then(|| reasons.at_client(exchange));
            self.entries.push(Entry {
                time: exchange.start,
                client: Some(place),
                ambiguous,
                missing,
                is_conflict: self.conflicts.contains(&place),
                ..alone
            });
        }
        for (place, exchange) in (0_u32..).zip(&pairing.server.exchanges) {
            if is_set(&pairing.server_paired, place) {
                continue;
            }
            let ambiguous = is_set(&pairing.server_ambiguous, place);
            let missing = (!ambiguous).then(|| reasons.at_server(exchange));
            let time = clock.map_or(exchange.start, |clock| clock.to_client(exchange.start).0);
            let first = self.servers.len() as u32;
            self.servers.push(place);
            self.entries.push(Entry { time, first, attempts: 1, ambiguous, missing, ..alone });
        }
        let place = |entry: &Entry| {
            let client = entry.client.and_then(|place| pairing.client.exchanges.get(place as usize));
            let own = client.or_else(|| {
                let server = *self.servers.get(entry.first as usize)?;
                pairing.server.exchanges.get(server as usize)
            });
            own.map(|own| (own.packet, own.connection, own.stream))
        };
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by_cached_key(|entry| (entry.time, entry.client.is_none(), place(entry)));
        self.entries = entries;
    }

    /// Addresses that differ, of connections that are one.
    pub(super) fn nat(&self, client: &Side, server: &Side) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        let linked = self.links.iter().filter(|link| link.how == LinkedBy::Tcp).filter_map(|link| {
            let ours = client.connections.get(link.client as usize)?;
            let [first, second] = server.connections.get(link.server as usize)?.ends;
            let there = if link.turned { [second, first] } else { [first, second] };
            Some(ours.ends.into_iter().zip(there))
        });
        linked.flatten().map(|(here, there)| (here.ip, there.ip)).filter(|(here, there)| here != there)
    }

    /// What was lost of that which was sent first before the cut, or of all: of the clients', and of the servers'.
    pub(super) fn lost(&self, client: &Side, server: &Side, cut: Option<Cut>) -> [Lost; 2] {
        let clock = self.known.clock.as_ref();
        let here = |time: u64| Some((time, clock?.offset(time).uncertainty));
        let there = |time: u64| clock.map(|clock| clock.to_client(time));
        let of_server = server.span.and_then(|(first, last)| there(first).zip(there(last)));
        let of_client = client.span.and_then(|(first, last)| here(first).zip(here(last)));
        let mut lost = [Lost::default(); 2];
        let [of_clients, of_servers] = &mut lost;
        for traffic in &self.comparison.traffic {
            let until =
                |flow| cut.map_or(i64::MAX, |cut| self.compared(client, server, traffic.link, flow, cut));
            count(of_clients, &traffic.requests, until(&traffic.requests), of_server, here);
            count(of_servers, &traffic.responses, until(&traffic.responses), of_client, there);
        }
        lost
    }

    /// Up to where a direction of linked connections was seen before the cut: counted from its origin.
    fn compared(&self, client: &Side, server: &Side, link: usize, flow: &Flow, cut: Cut) -> i64 {
        let ends = self.links.get(link).and_then(|link| {
            let ours = client.connections.get(link.client as usize)?;
            Some((ours, server.connections.get(link.server as usize)?))
        });
        let Some((ours, theirs)) = ends else { return flow.floor };
        let [(from, base), (there, base_there)] = flow.origin;
        let here = End { segments: &ours.segments, from, base, floor: flow.floor };
        let there = End { segments: &theirs.segments, from: there, base: base_there, floor: flow.floor };
        here.furthest(cut.client).max(there.furthest(cut.server))
    }

    /// By connection of each place: from which byte on the directions of linked ones are still needed after the cut.
    pub(super) fn floors(&self, client: &Side, server: &Side, cut: Cut) -> [Floors; 2] {
        let mut floors = [Floors::default(), Floors::default()];
        let [of_client, of_server] = &mut floors;
        for traffic in &self.comparison.traffic {
            let Some(link) = self.links.get(traffic.link) else { continue };
            for flow in [&traffic.requests, &traffic.responses] {
                let place = self.compared(client, server, traffic.link, flow, cut);
                let [(from, base), (there, base_there)] = flow.origin;
                of_client.entry(link.client).or_default()[from] = Some(Floor { base, place });
                of_server.entry(link.server).or_default()[there] = Some(Floor { base: base_there, place });
            }
        }
        floors
    }

    /// Keeps in mind of the client's connections what the segments before the cut say of later exchanges.
    pub(super) fn note_holes(&self, client: &mut Side, cut: Cut) {
        for traffic in &self.comparison.traffic {
            let link = self.links.get(traffic.link);
            let own = link.and_then(|link| client.connections.get_mut(link.client as usize));
            let hole = traffic.requests.not_captured.first().copied().filter(|&sent| sent <= cut.client);
            if let Some(own) = own {
                own.hole = own.hole.or(hole);
            }
        }
    }

    /// Whether an entry ended before the cut.
    pub(super) fn is_before(&self, entry: &Entry, client: &Side, server: &Side, cut: Option<Cut>) -> bool {
        let Some(cut) = cut else { return true };
        let own = entry.client.and_then(|place| client.exchanges.get(place as usize));
        let ended = own.is_some_and(|own| own.end <= cut.client);
        ended || self.attempts(entry, server).iter().any(|server| server.end <= cut.server)
    }
}

/// A time of the client's clock, and how far off it may be.
type Uncertain = (u64, u64);

/// Counts what was lost within the time that the receiver's capture spans; where no clock tells that, what arrived later.
fn count(
    lost: &mut Lost,
    flow: &Flow,
    until: i64,
    covered: Option<(Uncertain, Uncertain)>,
    when: impl Fn(u64) -> Option<Uncertain>,
) {
    for loss in flow.lost.iter().filter(|loss| loss.end <= until) {
        let is_within = match (covered, when(loss.sent)) {
            (Some(((first, early), (last, late))), Some((time, _))) => {
                time >= first.saturating_add(early) && time <= last.saturating_sub(late)
            }
            _ => !loss.forever,
        };
        if is_within {
            lost.segments += loss.segments;
            lost.bytes += loss.bytes;
        }
    }
}

impl Round {
    /// The record of an entry.
    pub(super) fn pair(
        &self,
        entry: &Entry,
        client_side: &Side,
        server_side: &Side,
        options: &Options,
    ) -> Pair {
        let client = entry.client.and_then(|place| client_side.exchanges.get(place as usize));
        let servers = self.attempts(entry, server_side);
        let side = if client.is_some() { client_side } else { server_side };
        let told = client.or_else(|| servers.first().copied());
        let call = told.and_then(|told| side.calls.get(told.call)).cloned().unwrap_or_default();
        Pair {
            time: Timestamp::from_nanos(entry.time),
            call,
            status: told.and_then(|told| told.status),
            grpc_status: told.and_then(|told| told.grpc_status),
            request_bytes: told.and_then(|told| told.request_bytes),
            response_bytes: told.and_then(|told| told.response_bytes),
            client: client.map(|client| pair_side(client_side, client)),
            server: servers.iter().map(|server| pair_side(server_side, server)).collect(),
            how: entry.how.map(|how| options.name(how).to_owned()),
            between: client
                .map(|client| self.way(entry, client).between(client, &servers))
                .unwrap_or_default(),
            ambiguous: entry.ambiguous,
            missing: entry.missing,
        }
    }

    /// The places of an entry's exchanges at the server's.
    pub(super) fn places(&self, entry: &Entry) -> &[u32] {
        let range = entry.first as usize..(entry.first + entry.attempts) as usize;
        self.servers.get(range).unwrap_or_default()
    }

    fn attempts<'a>(&self, entry: &Entry, server: &'a Side) -> Vec<&'a Exchange> {
        self.places(entry).iter().filter_map(|&place| server.exchanges.get(place as usize)).collect()
    }

    /// What is known of the way of an entry.
    fn way(&self, entry: &Entry, client: &Exchange) -> Way<'_> {
        let traffic = self.comparison.of_client(client.connection);
        let has_attempts = matches!(entry.how, Some(PairedBy::Id(_) | PairedBy::Content));
        let doubts = Some(&self.doubts).filter(|_| has_attempts);
        Way { clock: self.known.clock.as_ref(), traffic, doubts }
    }
}

impl Options {
    /// What a pair was found by.
    pub(super) fn name(&self, how: PairedBy) -> &str {
        match how {
            PairedBy::Tcp => "tcp",
            PairedBy::Bytes => "bytes",
            PairedBy::Content => "content",
            PairedBy::Id(IdKind::Asked(at)) => self.join_by.get(usize::from(at)).map_or("", String::as_str),
            PairedBy::Id(IdKind::Traceparent | IdKind::Trace) => "traceparent",
            PairedBy::Id(IdKind::RequestId) => "x-request-id",
            PairedBy::Id(IdKind::B3 | IdKind::B3Trace) => "x-b3-traceid",
        }
    }
}

impl Known {
    fn lines_by_ids(&self) -> Option<Lines> {
        match &self.clock {
            Some(Clock::Measured(lines, ClockSource::Ids)) => Some(lines.clone()),
            _ => None,
        }
    }
}

fn pair_side(side: &Side, exchange: &Exchange) -> PairSide {
    PairSide {
        connection: side.connection(exchange).map_or(0, |connection| connection.id),
        stream: exchange.stream,
        packet: exchange.packet,
        duration: exchange.duration(),
        ttfb: exchange.ttfb(),
        error: side.error(exchange).map(str::to_owned),
    }
}
