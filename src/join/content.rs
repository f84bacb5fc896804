//! Pairs by what was sent and received, and when.

use super::clock::Clock;
use super::collect::Side;
use super::exchange::Exchange;
use super::lines::{Bound, Lines};
use super::pairing::{PairedBy, Pairing, is_set, measured, observations, set};
use crate::record::pair::ClockSource;
use std::collections::{HashMap, HashSet};

/// Pairs with unique content that must agree before content is believed.
const AGREEING: usize = 3;
/// For each pair that does not agree, so many others must.
const AGREEING_EACH: usize = 4;

/// Two exchanges that may be one call: the client's and the server's.
type Couple<'a> = (&'a Exchange, &'a Exchange);

/// An exchange by its times of the client's clock, and how far off those may be.
#[derive(Clone, Copy, Debug)]
struct Span {
    place: u32,
    start: u64,
    end: u64,
}

impl Pairing<'_> {
    /// A clock by content alone: exchanges whose content is unique at both places, if three of them agree with one line
    /// and next to none disagree.
    pub(super) fn clock_by_content(&self, slack: i64) -> Option<Clock> {
        let theirs = unique(self.server, &self.server_paired);
        let mut pairs: Vec<Couple<'_>> = unique(self.client, &self.client_paired)
            .into_iter()
            .filter_map(|(content, ours)| Some((ours, *theirs.get(&content)?)))
            .collect();
        pairs.sort_by_key(|(ours, _)| (ours.start, ours.packet, ours.stream));
        let (agreeing, disagreeing) = most_agreed(&pairs, slack)?;
        if agreeing.len() < AGREEING || agreeing.len() < AGREEING_EACH * disagreeing {
            return None;
        }
        let mut lines: Option<Lines> = None;
        for (ours, theirs) in agreeing {
            observe(&mut lines, ours, theirs, slack);
        }
        measured(lines?, ClockSource::Content)
    }

    /// Pairs each server's exchange with the one client's that can contain it, if no other competes on either side.
    pub(super) fn by_content(&mut self, clock: &Clock) {
        let Some(covered) = self.client.span else { return };
        let mut groups: HashMap<u64, [Vec<Span>; 2]> = HashMap::new();
        for (place, exchange) in self.client.exchanges.iter().enumerate() {
            if let Some(content) = exchange.content().filter(|_| !is_set(&self.client_paired, place as u32)) {
                let span = Span { place: place as u32, start: exchange.start, end: exchange.end };
                groups.entry(content).or_default()[0].push(span);
            }
        }
        for (place, exchange) in self.server.exchanges.iter().enumerate() {
            if let Some(content) = exchange.content().filter(|_| !is_set(&self.server_paired, place as u32)) {
                let (start, early) = clock.to_client(exchange.start);
                let (end, late) = clock.to_client(exchange.end);
                // As short as it may have been: what may contain it is not overlooked.
                let span = Span {
                    place: place as u32,
                    start: start.saturating_add(early),
                    end: end.saturating_sub(late),
                };
                if let Some([_, theirs]) = groups.get_mut(&content) {
                    theirs.push(span);
                }
            }
        }
        let mut pairs = Vec::new();
        for [mut ours, mut theirs] in groups.into_values() {
            let contained = containing(&mut ours, &mut theirs, covered);
            pairs.extend(contained.pairs);
            contained.clients.into_iter().for_each(|place| set(&mut self.client_ambiguous, place));
            contained.servers.into_iter().for_each(|place| set(&mut self.server_ambiguous, place));
        }
        pairs.sort_unstable();
        for (client, server) in pairs {
            self.add(client, &[server], PairedBy::Content);
        }
    }
}

/// Exchanges of a side by their content, where it is unique there.
fn unique<'a>(side: &'a Side, paired: &[bool]) -> HashMap<u64, &'a Exchange> {
    let mut found: HashMap<u64, Option<&Exchange>> = HashMap::new();
    for (place, exchange) in side.exchanges.iter().enumerate() {
        let Some(content) = exchange.content() else { continue };
        let own = Some(exchange).filter(|_| !is_set(paired, place as u32));
        found.entry(content).and_modify(|found| *found = None).or_insert(own);
    }
    found.into_iter().filter_map(|(content, exchange)| Some((content, exchange?))).collect()
}

/// The pairs that the most of them agree with, and how many do not.
fn most_agreed<'a>(pairs: &[Couple<'a>], slack: i64) -> Option<(Vec<Couple<'a>>, usize)> {
    // The offset that most pairs allow, without any drift.
    let mut edges = Vec::with_capacity(2 * pairs.len());
    for (ours, theirs) in pairs {
        let (mut least, mut most) = (i64::MIN, i64::MAX);
        for (bound, _, offset) in observations(ours, theirs) {
            match bound {
                Bound::AtMost => most = most.min(offset.saturating_add(slack)),
                Bound::AtLeast => least = least.max(offset.saturating_sub(slack)),
            }
        }
        if least > i64::MIN && most < i64::MAX && least <= most {
            edges.push((least, 0));
            edges.push((most, 1));
        }
    }
    edges.sort_unstable();
    let (mut depth, mut best) = (0_usize, (0, 0));
    for (at, closes) in edges {
        depth = if closes == 1 { depth.saturating_sub(1) } else { depth + 1 };
        best = best.max((depth, at));
    }
    let (depth, offset) = best;
    if depth == 0 {
        return None;
    }
    // From there on, those that agree with one line: first the ones that allow that offset, then the others.
    let allows = |(ours, theirs): &Couple<'_>| {
        observations(ours, theirs).all(|(bound, _, limit)| match bound {
            Bound::AtMost => offset <= limit.saturating_add(slack),
            Bound::AtLeast => offset >= limit.saturating_sub(slack),
        })
    };
    let (first, second): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(allows);
    let (mut agreeing, mut disagreeing) = (Vec::new(), 0);
    let mut lines: Option<Lines> = None;
    for (ours, theirs) in first.into_iter().chain(second) {
        let before = lines.clone();
        observe(&mut lines, ours, theirs, slack);
        if lines.as_ref().is_some_and(Lines::is_contradicted) {
            lines = before;
            disagreeing += 1;
        } else {
            agreeing.push((ours, theirs));
        }
    }
    Some((agreeing, disagreeing))
}

fn observe(lines: &mut Option<Lines>, ours: &Exchange, theirs: &Exchange, slack: i64) {
    for (bound, time, offset) in observations(ours, theirs) {
        let slack = if bound == Bound::AtMost { slack } else { -slack };
        let lines = lines.get_or_insert_with(|| Lines::around(time, offset));
        lines.observe(time, bound, offset.saturating_add(slack));
    }
}

/// What of a group of alike exchanges is one call.
#[derive(Debug, Default)]
struct Contained {
    pairs: Vec<(u32, u32)>,
    /// Those that have candidates, and are not paired.
    clients: Vec<u32>,
    servers: Vec<u32>,
}

/// Which of theirs only one of ours can contain, without another of theirs in it. `covered`: what the client's capture
/// spans. If there is one of theirs that none of ours can contain, others call the same, and nothing is certain.
fn containing(ours: &mut [Span], theirs: &mut [Span], covered: (u64, u64)) -> Contained {
    let mut contained = Contained::default();
    if theirs.is_empty() {
        return contained;
    }
    ours.sort_unstable_by_key(|span| (span.start, span.place));
    theirs.sort_unstable_by_key(|span| (span.start, span.place));
    // Of ours that have begun by then, the two that end last.
    let mut latest = Vec::with_capacity(ours.len() + 1);
    latest.push([None; 2]);
    for span in ours.iter() {
        let [first, second] = latest.last().copied().unwrap_or_default();
        latest.push(top(first, second, *span, |a, b| a.end > b.end));
    }
    // Of theirs that begin from then on, the two that end first.
    let mut earliest = vec![[None; 2]; theirs.len() + 1];
    for (at, span) in theirs.iter().enumerate().rev() {
        let [first, second] = earliest.get(at + 1).copied().unwrap_or_default();
        if let Some(own) = earliest.get_mut(at) {
            *own = top(first, second, *span, |a, b| a.end < b.end);
        }
    }
    let only: HashMap<u32, Option<u32>> = ours
        .iter()
        .filter_map(|span| {
            let from = theirs.partition_point(|their| their.start < span.start);
            let [first, second] = earliest.get(from).copied().unwrap_or_default();
            let first = first.filter(|their: &Span| their.end <= span.end)?;
            let second = second.filter(|their: &Span| their.end <= span.end);
            Some((span.place, second.is_none().then_some(first.place)))
        })
        .collect();
    let mut foreign = false;
    for their in theirs.iter() {
        let begun = ours.partition_point(|span| span.start <= their.start);
        let [first, second] = latest.get(begun).copied().unwrap_or_default();
        let Some(first) = first.filter(|span: &Span| span.end >= their.end) else {
            foreign |= covered.0 <= their.start && their.end <= covered.1;
            continue;
        };
        let alone = second.is_none_or(|span: Span| span.end < their.end);
        if alone && only.get(&first.place) == Some(&Some(their.place)) {
            contained.pairs.push((first.place, their.place));
        } else {
            contained.servers.push(their.place);
        }
    }
    if foreign {
        contained.servers.extend(contained.pairs.drain(..).map(|(_, server)| server));
    }
    let paired: HashSet<u32> = contained.pairs.iter().map(|&(client, _)| client).collect();
    contained.clients = only.into_keys().filter(|place| !paired.contains(place)).collect();
    contained
}

/// The two that come first, of these and one more.
fn top(
    first: Option<Span>,
    second: Option<Span>,
    new: Span,
    before: impl Fn(&Span, &Span) -> bool,
) -> [Option<Span>; 2] {
    match (first, second) {
        (Some(best), _) if before(&new, &best) => [Some(new), first],
        (Some(_), Some(next)) if before(&new, &next) => [first, Some(new)],
        (Some(_), None) => [first, Some(new)],
        (Some(_), Some(_)) => [first, second],
        (None, _) => [Some(new), None],
    }
}
