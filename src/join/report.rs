//! Both sides → pairs, and what they add up to.

use super::Options;
use super::clock::Clock;
use super::collect::Side;
use super::comparison::{Comparison, Flow};
use super::connections::{Link, LinkedBy, links};
use super::exchange::{Exchange, IdKind};
use super::missing::Reasons;
use super::pairing::{PairedBy, Pairing, is_set, measured};
use crate::base::limit_counters::Struck;
use crate::base::time::Timestamp;
use crate::record::pair::{Between, ClockSource, Join, Lost, Missing, Pair, PairSide};
use std::collections::{BTreeMap, BTreeSet};

/// Two captures, joined.
#[derive(Debug)]
pub struct Joined {
    client: Side,
    server: Side,
    options: Options,
    found: Found,
    swapped: bool,
}

/// What was found of two sides.
#[derive(Debug, Default)]
struct Found {
    clock: Option<Clock>,
    /// Connections or ids were seen at both places, and no offset and drift fit them.
    contradicted: bool,
    /// The captures may have been given in the wrong order.
    looks_swapped: bool,
    entries: Vec<Entry>,
    /// What the entries' attempts refer to.
    servers: Vec<u32>,
    conflicts: u64,
    nat: BTreeSet<(std::net::IpAddr, std::net::IpAddr)>,
    lost_client: Lost,
    lost_server: Lost,
}

/// A pair, or an exchange without one.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// By the client's clock, as far as it is known.
    time: u64,
    client: Option<u32>,
    first: u32,
    attempts: u32,
    how: Option<PairedBy>,
    ambiguous: bool,
    missing: Option<Missing>,
}

/// Joins two captures: what the client's place saw, and what the server's did.
pub fn join(client: Side, server: Side, options: Options) -> Joined {
    let (mut client, mut server) = (client, server);
    let mut found = Found::of(&client, &server, &options);
    let mut swapped = false;
    if found.looks_swapped {
        let other = Found::of(&server, &client, &options.exchanged());
        swapped = !other.contradicted && other.clock.is_some();
        if swapped {
            found = other;
            std::mem::swap(&mut client, &mut server);
        }
    }
    // What is compared is compared.
    for side in [&mut client, &mut server] {
        side.connections.iter_mut().for_each(|connection| connection.segments = Vec::new());
        side.ids = Vec::new();
    }
    Joined { client, server, options, found, swapped }
}

impl Options {
    /// The same where the captures are exchanged.
    fn exchanged(&self) -> Self {
        Self { clock_offset: self.clock_offset.map(i64::saturating_neg), ..self.clone() }
    }
}

impl Found {
    fn of(client: &Side, server: &Side, options: &Options) -> Self {
        let links = links(client, server);
        let comparison = Comparison::of(client, server, &links);
        let mut pairing = Pairing::new(client, server);
        pairing.by_stream(&links);
        let slack = client.unit.max(server.unit) as i64;
        let given = options.clock_offset.map(Clock::Given);
        let mut clock = given.or_else(|| comparison.clock());
        pairing.by_ids(clock.as_ref());
        let mut contradicted = comparison.is_contradicted();
        if clock.is_none() && !contradicted {
            let lines = pairing.clock_by_ids(slack);
            contradicted = lines.as_ref().is_some_and(super::lines::Lines::is_contradicted);
            clock = lines.and_then(|lines| measured(lines, ClockSource::Ids));
        }
        if clock.is_none() && !contradicted && pairing.matches.is_empty() {
            clock = pairing.clock_by_content(slack);
        }
        if let Some(clock) = &clock {
            pairing.by_content(clock);
        }
        let mut found = Self {
            looks_swapped: comparison.is_swapped() || (contradicted && links.is_empty()),
            contradicted,
            conflicts: pairing.conflicts,
            ..Self::default()
        };
        found.tell(&pairing, &Reasons::new(&pairing, &links, &comparison, clock.as_ref()), clock.as_ref());
        found.compare(client, server, &links, &comparison, clock.as_ref());
        found.clock = clock;
        found
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

    /// Addresses and losses.
    fn compare(
        &mut self,
        client: &Side,
        server: &Side,
        links: &[Link],
        comparison: &Comparison,
        clock: Option<&Clock>,
    ) {
        for link in links.iter().filter(|link| link.how == LinkedBy::Tcp) {
            let ours = client.connections.get(link.client as usize);
            let Some((ours, theirs)) = ours.zip(server.connections.get(link.server as usize)) else {
                continue;
            };
            let [first, second] = theirs.ends;
            let there = if link.turned { [second, first] } else { [first, second] };
            let differing = ours.ends.into_iter().zip(there).filter(|(here, there)| here.ip != there.ip);
            self.nat.extend(differing.map(|(here, there)| (here.ip, there.ip)));
        }
        let here = |time: u64| Some((time, clock?.offset(time).uncertainty));
        let there = |time: u64| clock.map(|clock| clock.to_client(time));
        let of_server = server.span.and_then(|(first, last)| there(first).zip(there(last)));
        let of_client = client.span.and_then(|(first, last)| here(first).zip(here(last)));
        for traffic in &comparison.traffic {
            count(&mut self.lost_client, &traffic.requests, of_server, here);
            count(&mut self.lost_server, &traffic.responses, of_client, there);
        }
    }
}

/// A time of the client's clock, and how far off it may be.
type Uncertain = (u64, u64);

/// Counts what was lost within the time that the receiver's capture spans; where no clock tells that, what arrived later.
fn count(
    lost: &mut Lost,
    flow: &Flow,
    covered: Option<(Uncertain, Uncertain)>,
    when: impl Fn(u64) -> Option<Uncertain>,
) {
    for loss in &flow.lost {
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

impl Joined {
    /// Connections or ids were seen at both places, and no offset and drift fit them: a clock was set meanwhile.
    pub fn clock_was_set(&self) -> bool {
        self.found.contradicted
    }

    /// Each call by the time of its beginning: pairs, and exchanges that were seen at one place only.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        self.found.entries.iter().map(|entry| self.pair(entry))
    }

    fn pair(&self, entry: &Entry) -> Pair {
        let client = entry.client.and_then(|place| self.client.exchanges.get(place as usize));
        let servers = self.attempts(entry);
        let side = if client.is_some() { &self.client } else { &self.server };
        let told = client.or_else(|| servers.first().copied());
        let call = told.and_then(|told| side.calls.get(told.call)).cloned().unwrap_or_default();
        Pair {
            time: Timestamp::from_nanos(entry.time),
            call,
            status: told.and_then(|told| told.status),
            grpc_status: told.and_then(|told| told.grpc_status),
            request_bytes: told.and_then(|told| told.request_bytes),
            response_bytes: told.and_then(|told| told.response_bytes),
            client: client.map(|client| pair_side(&self.client, client)),
            server: servers.iter().map(|server| pair_side(&self.server, server)).collect(),
            how: entry.how.map(|how| self.name(how).to_owned()),
            between: client.map(|client| self.between(client, &servers)).unwrap_or_default(),
            ambiguous: entry.ambiguous,
            missing: entry.missing,
        }
    }

    fn attempts(&self, entry: &Entry) -> Vec<&Exchange> {
        let range = entry.first as usize..(entry.first + entry.attempts) as usize;
        let places = self.found.servers.get(range).unwrap_or_default();
        places.iter().filter_map(|&place| self.server.exchanges.get(place as usize)).collect()
    }

    fn name(&self, how: PairedBy) -> &str {
        match how {
            PairedBy::Tcp => "tcp",
            PairedBy::Bytes => "bytes",
            PairedBy::Content => "content",
            PairedBy::Id(IdKind::Asked(at)) => {
                self.options.join_by.get(usize::from(at)).map_or("", String::as_str)
            }
            PairedBy::Id(IdKind::Traceparent | IdKind::Trace) => "traceparent",
            PairedBy::Id(IdKind::RequestId) => "x-request-id",
            PairedBy::Id(IdKind::B3 | IdKind::B3Trace) => "x-b3-traceid",
        }
    }

    /// How long the way took.
    fn between(&self, client: &Exchange, servers: &[&Exchange]) -> Between {
        let last = servers.iter().rev().find(|server| server.answered().is_some());
        let total = client.ttfb().zip(last.and_then(|server| server.ttfb()));
        let mut between = Between {
            total: total.and_then(|(ours, theirs)| ours.checked_sub(theirs)),
            ..Between::default()
        };
        let Some(clock) = &self.found.clock else { return between };
        let mut uncertainty = 0;
        // What may be off by more than it is says nothing.
        let mut told = |way: i128, off: u64| {
            let way = u64::try_from(way.max(0)).ok().filter(|&way| off <= way.saturating_mul(2))?;
            uncertainty = uncertainty.max(off);
            Some(way)
        };
        if let Some((sent, arrived)) = client.sent().zip(servers.first().and_then(|server| server.sent())) {
            let offset = clock.offset(sent);
            let way = i128::from(arrived) - i128::from(offset.value) - i128::from(sent);
            between.request = told(way, offset.uncertainty);
        }
        if let Some((arrived, sent)) = client.answered().zip(last.and_then(|server| server.answered())) {
            let offset = clock.offset(arrived);
            let way = i128::from(arrived) + i128::from(offset.value) - i128::from(sent);
            between.response = told(way, offset.uncertainty);
        }
        let is_told = between.request.is_some() || between.response.is_some();
        between.uncertainty = (is_told && !matches!(clock, Clock::Given(_))).then_some(uncertainty);
        between
    }

    /// What all pairs add up to.
    pub fn summary(&self) -> Join {
        let found = &self.found;
        let (mut how, mut missing) = (BTreeMap::<String, u64>::new(), BTreeMap::<Missing, u64>::new());
        let mut join = Join {
            conflicts: found.conflicts,
            swapped: self.swapped,
            clock: found.clock.as_ref().map(|clock| clock.difference(self.seen_at_both(clock))),
            nat: found.nat.iter().copied().collect(),
            lost_client: found.lost_client,
            lost_server: found.lost_server,
            limits: self.limits(),
            ..Join::default()
        };
        for entry in &found.entries {
            match (entry.client, entry.how) {
                (_, Some(by)) => {
                    join.pairs += 1;
                    *how.entry(self.name(by).to_owned()).or_default() += 1;
                }
                (Some(_), None) => join.client_only += 1,
                (None, None) => join.server_only += 1,
            }
            join.ambiguous += u64::from(entry.ambiguous);
            if let Some(reason) = entry.missing {
                *missing.entry(reason).or_default() += 1;
            }
        }
        // Without any pair there are no two clocks of one story.
        let is_given = matches!(found.clock, Some(Clock::Given(_)));
        join.clock = join.clock.filter(|_| join.pairs > 0 || is_given);
        join.how = how.into_iter().collect();
        join.missing = missing.into_iter().collect();
        join
    }

    /// The time that both captures span, by the client's clock.
    fn seen_at_both(&self, clock: &Clock) -> (u64, u64) {
        let own = self.client.span.unwrap_or_default();
        let Some((first, last)) = self.server.span else { return own };
        let both = (own.0.max(clock.to_client(first).0), own.1.min(clock.to_client(last).0));
        if both.0 <= both.1 { both } else { own }
    }

    fn limits(&self) -> Struck {
        let mut struck = self.client.struck;
        struck.merge(&self.server.struck);
        struck
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
