//! Both sides → pairs, in rounds: when there is little room left, what ended before an instant is told and let go.

use super::Options;
use super::clock::Clock;
use super::collect::Side;
use super::pairing::set;
use super::round::{Cut, Entry, Known, Round};
use super::settle::Load;
use crate::base::limit_counters::{Limit, Struck};
use crate::record::pair::{Join, Lost, Missing, Pair};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;

/// Who takes the pairs.
pub trait PairSink {
    /// Why it takes no more.
    type Error: Debug;

    /// The next pair, or exchange that was seen at one place only. They come in order of their beginning, as far as they are
    /// found together.
    ///
    /// # Errors
    /// When it takes no more.
    fn pair(&mut self, pair: &Pair) -> Result<(), Self::Error>;
}

/// Two captures that are being joined.
#[derive(Debug)]
pub struct Joining<S> {
    options: Options,
    pub(super) client: Side,
    pub(super) server: Side,
    /// What was given as CLIENT is the server's.
    pub(super) swapped: bool,
    known: Known,
    /// What each kept after the last round; `None` before the first.
    before: Option<[Load; 2]>,
    /// When the older half of a full side ends that waits for the other one, by its own clock.
    waiting: Option<u64>,
    sink: S,
    totals: Totals,
}

/// What has been told.
#[derive(Debug, Default)]
struct Totals {
    join: Join,
    how: BTreeMap<String, u64>,
    missing: BTreeMap<Missing, u64>,
    nat: BTreeSet<(IpAddr, IpAddr)>,
    alone: Struck,
}

/// Two captures, joined.
#[derive(Debug)]
pub struct Joined<S> {
    /// What all pairs add up to.
    pub summary: Join,
    /// Connections or ids were seen at both places, and no offset and drift fit them: a clock was set meanwhile.
    pub clock_was_set: bool,
    /// Who took the pairs.
    pub sink: S,
}

impl<S: PairSink> Joining<S> {
    /// What the client's place saw so far, and what the server's did.
    pub fn new(client: Side, server: Side, options: Options, sink: S) -> Self {
        Self {
            options,
            client,
            server,
            swapped: false,
            known: Known::default(),
            before: None,
            waiting: None,
            sink,
            totals: Totals::default(),
        }
    }

    /// The server's clock less the client's, as far as that is known, in nanoseconds.
    pub(super) fn offset(&self) -> i64 {
        let given = self.options.clock_offset;
        let last = self.client.span.map_or(0, |(_, last)| last);
        given.or_else(|| Some(self.known.clock.as_ref()?.offset(last).value)).unwrap_or_default()
    }

    /// More was read. When a side is full, what ended early is told; `over`: captures that were read to their end, the
    /// client's and the server's.
    ///
    /// # Errors
    /// When the sink takes no more.
    pub(super) fn go_on(&mut self, over: [bool; 2]) -> Result<(), S::Error> {
        let full = self.full();
        let is_due = match full {
            [false, false] => false,
            [true, true] => true,
            // What is full waits for what is not, until that was read as far.
            [of_client, _] => self.is_other_over(over, of_client) || self.is_read_as_far(of_client),
        };
        if is_due { self.round(Some(over)) } else { Ok(()) }
    }

    /// Whether the client's side is full, and the server's.
    pub(super) fn full(&self) -> [bool; 2] {
        let [client, server] = self.before.unwrap_or_default();
        [self.client.is_full(client), self.server.is_full(server)]
    }

    /// Of the captures as they were given it is said which are over: the one beside a side's?
    const fn is_other_over(&self, [client, server]: [bool; 2], of_client: bool) -> bool {
        if of_client == self.swapped { client } else { server }
    }

    /// The side that is not full was read to where the older half of the full one ends.
    fn is_read_as_far(&mut self, of_client: bool) -> bool {
        let half = self.waiting.or_else(|| {
            let full = if of_client { &self.client } else { &self.server };
            full.quartiles().map(|(_, half)| half)
        });
        self.waiting = half;
        half.is_some_and(|half| self.read_beyond(of_client) >= self.by_client(of_client, half))
    }

    /// A time of a side by the client's clock, as far as that is known.
    fn by_client(&self, of_client: bool, time: u64) -> u64 {
        let clock = self.known.clock.as_ref().filter(|_| !of_client);
        clock.map_or(time, |clock| clock.to_client(time).0)
    }

    /// Up to where the side beside this one was read for sure, by the client's clock.
    fn read_beyond(&self, of_client: bool) -> u64 {
        let other = if of_client { &self.server } else { &self.client };
        let read = other.span.map_or(0, |(_, last)| last);
        let clock = self.known.clock.as_ref().filter(|_| of_client);
        let (read, uncertainty) = clock.map_or((read, 0), |clock| clock.to_client(read));
        read.saturating_sub(uncertainty)
    }

    /// All was read.
    ///
    /// # Errors
    /// When the sink takes no more.
    pub fn finish(mut self) -> Result<Joined<S>, S::Error> {
        self.round(None)?;
        let summary = self.summary();
        Ok(Joined { summary, clock_was_set: self.known.contradicted, sink: self.sink })
    }

    /// Tells what ended before a cut, or all.
    fn round(&mut self, over: Option<[bool; 2]>) -> Result<(), S::Error> {
        self.client.sort_ids();
        self.server.sort_ids();
        let mut round = Round::of(&self.client, &self.server, &self.options, &self.known);
        if self.before.is_none() && round.looks_swapped {
            let other = Round::of(&self.server, &self.client, &self.options.exchanged(), &self.known);
            if !other.known.contradicted && other.known.clock.is_some() {
                round = other;
                self.swapped = true;
                self.options = self.options.exchanged();
                std::mem::swap(&mut self.client, &mut self.server);
            }
        }
        self.known = round.known.clone();
        let (cut, is_early) = match over {
            Some(over) => self.cut(over).map_or((None, false), |(cut, is_early)| (Some(cut), is_early)),
            None => (None, false),
        };
        self.tell(&round, cut, is_early)?;
        if let Some(cut) = cut {
            let [of_client, of_server] = round.floors(&self.client, &self.server, cut);
            let [told_client, told_server] = self.told(&round, cut);
            round.note_holes(&mut self.client, cut);
            self.client.let_go(&told_client, cut.client, &of_client);
            self.server.let_go(&told_server, cut.server, &of_server);
        }
        self.before = Some([self.client.load(), self.server.load()]);
        self.waiting = None;
        Ok(())
    }

    /// Where the older half of a full side ends; earlier where the other one has not been read so far. Whether it was not read
    /// far enough even for that, and the same is so for the other one.
    fn cut(&self, over: [bool; 2]) -> Option<(Cut, bool)> {
        let fuller = self.client.fullness() >= self.server.fullness();
        let all =
            [fuller, !fuller].map(|of_client| self.cut_of(of_client, self.is_other_over(over, of_client)));
        let [first, second] = all;
        let is_fit = |cut: &(u64, bool)| !cut.1 && self.full() == [true, true];
        let (client, is_early) = match first? {
            first @ (_, true) => second.filter(is_fit).unwrap_or(first),
            first => first,
        };
        let clock = self.known.clock.as_ref();
        let server = clock.map_or(client, |clock| client.saturating_add_signed(clock.offset(client).value));
        Some((Cut { client, server }, is_early))
    }

    /// The same by one of the sides, by the client's clock. `is_other_over`: all of the other capture was read.
    fn cut_of(&self, of_client: bool, is_other_over: bool) -> Option<(u64, bool)> {
        let (quarter, half) = if of_client { self.client.quartiles() } else { self.server.quartiles() }?;
        let [quarter, half] = [quarter, half].map(|time| self.by_client(of_client, time));
        let read = self.read_beyond(of_client);
        Some(match () {
            () if is_other_over || read >= half => (half, false),
            () if read >= quarter => (read, false),
            () => (half, true),
        })
    }

    /// Tells the entries that ended before the cut, and counts. `is_early`: a partner may not have been read yet.
    fn tell(&mut self, round: &Round, cut: Option<Cut>, is_early: bool) -> Result<(), S::Error> {
        for entry in &round.entries {
            if !round.is_before(entry, &self.client, &self.server, cut) {
                continue;
            }
            let mut entry = *entry;
            if is_early && entry.how.is_none() {
                entry.missing = entry.missing.map(|_| Missing::Unknown);
                self.totals.alone.strike(Limit::JoinExchanges);
            }
            self.totals.count(&entry, &self.options);
            self.sink.pair(&round.pair(&entry, &self.client, &self.server, &self.options))?;
        }
        self.totals.nat.extend(round.nat(&self.client, &self.server));
        let [client, server] = round.lost(&self.client, &self.server, cut);
        add(&mut self.totals.join.lost_client, client);
        add(&mut self.totals.join.lost_server, server);
        Ok(())
    }

    /// Which exchanges of each side were told; and which connections had calls that were passed on.
    fn told(&mut self, round: &Round, cut: Cut) -> [Vec<bool>; 2] {
        let mut client = vec![false; self.client.exchanges.len()];
        let mut server = vec![false; self.server.exchanges.len()];
        for entry in &round.entries {
            if !round.is_before(entry, &self.client, &self.server, Some(cut)) {
                continue;
            }
            if let Some(place) = entry.client {
                set(&mut client, place);
                if entry.how.is_some_and(super::pairing::PairedBy::is_passed_on) {
                    self.client.note_passed_on(place);
                }
            }
            round.places(entry).iter().for_each(|&place| set(&mut server, place));
        }
        [client, server]
    }

    fn summary(&mut self) -> Join {
        let clock = self.known.clock.as_ref();
        // Without any pair there are no two clocks of one story.
        let is_given = matches!(clock, Some(Clock::Given(_)));
        let clock = clock.filter(|_| self.totals.join.pairs > 0 || is_given);
        let mut limits = self.client.struck;
        limits.merge(&self.server.struck);
        limits.merge(&self.totals.alone);
        Join {
            swapped: self.swapped,
            clock: clock.map(|clock| clock.difference(self.seen_at_both(clock))),
            how: std::mem::take(&mut self.totals.how).into_iter().collect(),
            missing: std::mem::take(&mut self.totals.missing).into_iter().collect(),
            nat: std::mem::take(&mut self.totals.nat).into_iter().collect(),
            limits,
            ..std::mem::take(&mut self.totals.join)
        }
    }

    /// The time that both captures span, by the client's clock.
    fn seen_at_both(&self, clock: &Clock) -> (u64, u64) {
        let own = self.client.span.unwrap_or_default();
        let Some((first, last)) = self.server.span else { return own };
        let both = (own.0.max(clock.to_client(first).0), own.1.min(clock.to_client(last).0));
        if both.0 <= both.1 { both } else { own }
    }
}

impl Totals {
    fn count(&mut self, entry: &Entry, options: &Options) {
        match (entry.client, entry.how) {
            (_, Some(by)) => {
                self.join.pairs += 1;
                *self.how.entry(options.name(by).to_owned()).or_default() += 1;
            }
            (Some(_), None) => self.join.client_only += 1,
            (None, None) => self.join.server_only += 1,
        }
        self.join.ambiguous += u64::from(entry.ambiguous);
        self.join.conflicts += u64::from(entry.is_conflict);
        if let Some(reason) = entry.missing {
            *self.missing.entry(reason).or_default() += 1;
        }
    }
}

fn add(sum: &mut Lost, more: Lost) {
    sum.segments += more.segments;
    sum.bytes += more.bytes;
}

impl Options {
    /// The same where the captures are exchanged.
    fn exchanged(&self) -> Self {
        Self { clock_offset: self.clock_offset.map(i64::saturating_neg), ..self.clone() }
    }
}
