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
        let [client, server] = self.before.unwrap_or_default();
        if self.client.is_full(client) || self.server.is_full(server) {
            self.round(Some(over))?;
        }
        Ok(())
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
        Ok(())
    }

    /// Where the older half of the fuller side ends; earlier where the other one has not been read so far. Whether it was not
    /// read far enough even for that.
    fn cut(&self, over: [bool; 2]) -> Option<(Cut, bool)> {
        let [client_over, server_over] = if self.swapped { [over[1], over[0]] } else { over };
        let clock = self.known.clock.as_ref();
        let to_client = |time: u64| clock.map_or((time, 0), |clock| clock.to_client(time));
        let of_client = self.client.fullness() >= self.server.fullness();
        let (quarter, half) = if of_client { self.client.quartiles() } else { self.server.quartiles() }?;
        let (other, is_over) =
            if of_client { (&self.server, server_over) } else { (&self.client, client_over) };
        let (quarter, half) =
            if of_client { (quarter, half) } else { (to_client(quarter).0, to_client(half).0) };
        let read = other.span.map_or(0, |(_, last)| last);
        let read = if of_client {
            let (read, uncertainty) = to_client(read);
            read.saturating_sub(uncertainty)
        } else {
            read
        };
        let (client, is_early) = match () {
            () if is_over || read >= half => (half, false),
            () if read >= quarter => (read, false),
            () => (half, true),
        };
        let server = clock.map_or(client, |clock| client.saturating_add_signed(clock.offset(client).value));
        Some((Cut { client, server }, is_early))
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
