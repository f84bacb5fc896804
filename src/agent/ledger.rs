//! Transactions that the agent has emitted and that the exact side has not asked for yet.

use super::fifo::Fifo;
use super::key::StreamKey;
use super::trace::Trace;
use super::user::Shown;
use crate::base::limits;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::time::Duration;

/// No earlier one.
const NO_EARLIER: u64 = u64::MAX;
/// The newest emissions, which are compared one by one. Nearly all are asked for while they are among these, so that
/// they need not go into the map.
const RECENT: usize = 8;

/// An emitted transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Emitted {
    key: StreamKey,
    /// The emission of the same stream before this one.
    earlier: u64,
    /// What the agent shows of it.
    shown: Shown,
    /// What was seen of the stream; its packet is that of the emission.
    trace: Trace,
}

/// What the ledger says of a transaction.
#[derive(Debug)]
pub(super) enum LedgerAnswer {
    /// It was emitted as it was on the wire, with this latency.
    Same(Duration),
    /// It was emitted with other values.
    Different(Trace),
    /// It was not emitted.
    Nothing,
}

/// The emitted transactions: at most [`limits::AGENT_EMITTED`], the oldest give way.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The newest ones, the oldest first.
    recent: Vec<Emitted>,
    /// Of the others, by stream: the number of the latest.
    latest: HashMap<StreamKey, u64, RandomState>,
    emitted: Fifo<Emitted>,
    /// Emissions that the wire does not have.
    pub(super) spurious: u64,
    /// Emissions that gave way, which are spurious too; and times that not all of a stream were looked at.
    pub(super) evicted: u64,
}

impl Ledger {
    /// Nothing was emitted.
    pub(super) fn new(cap: usize) -> Self {
        Self {
            recent: Vec::with_capacity(RECENT),
            latest: HashMap::default(),
            emitted: Fifo::new(cap - RECENT),
            spurious: 0,
            evicted: 0,
        }
    }

    /// Adds an emission.
    pub(super) fn add(&mut self, key: StreamKey, shown: Shown, trace: Trace) {
        if self.recent.len() >= RECENT {
            let oldest = self.recent.remove(0);
            self.file(oldest);
        }
        self.recent.push(Emitted { key, earlier: NO_EARLIER, shown, trace });
    }

    /// The most places that were wanted at one time.
    pub(super) fn most(&self) -> usize {
        self.emitted.most(self.spurious == 0 && self.evicted == 0) + RECENT
    }

    /// Puts an emission into the map.
    fn file(&mut self, emission: Emitted) {
        let number = self.emitted.next();
        let earlier = self.latest.insert(emission.key, number).unwrap_or(NO_EARLIER);
        if let Some(oldest) = self.emitted.push(Emitted { earlier, ..emission }) {
            self.spurious += 1;
            self.evicted += 1;
            if self.latest.get(&oldest.key).is_some_and(|&latest| self.emitted.get_mut(latest).is_none()) {
                self.latest.remove(&oldest.key);
            }
        }
    }

    /// Takes the emission of a transaction that began in packet `since`: the oldest that `is_same`, else the oldest,
    /// which then is spurious.
    pub(super) fn take(
        &mut self,
        key: StreamKey,
        since: u64,
        is_same: impl Fn(&Shown) -> bool,
    ) -> LedgerAnswer {
        let mut own = self.recent.iter().enumerate().filter(|(_, emitted)| emitted.key == key);
        let (first, more) = (own.next(), own.next().is_some());
        match first {
            Some((at, &emitted)) if !more && !self.latest.contains_key(&key) => {
                if emitted.trace.packet < since {
                    return LedgerAnswer::Nothing;
                }
                self.recent.remove(at);
                if is_same(&emitted.shown) {
                    return LedgerAnswer::Same(Duration::from_nanos(emitted.shown.latency));
                }
                self.spurious += 1;
                return LedgerAnswer::Different(emitted.trace);
            }
            // Which of several it is, the map tells.
            Some(_) => {
                for emission in std::mem::take(&mut self.recent) {
                    self.file(emission);
                }
            }
            None => {}
        }
        self.take_filed(key, since, is_same)
    }

    fn take_filed(&mut self, key: StreamKey, since: u64, is_same: impl Fn(&Shown) -> bool) -> LedgerAnswer {
        let Some(latest) = self.latest.remove(&key) else { return LedgerAnswer::Nothing };
        let (mut number, mut oldest, mut same, mut earliest) = (latest, None, None, true);
        for _ in 0..limits::AGENT_EMISSIONS {
            let Some(emitted) = self.emitted.get_mut(number) else { break };
            if emitted.trace.packet >= since {
                oldest = Some(number);
                if is_same(&emitted.shown) {
                    same = Some(number);
                }
            }
            number = emitted.earlier;
            earliest &= number == NO_EARLIER;
        }
        self.evicted += u64::from(same.is_none() && self.emitted.get_mut(number).is_some());
        let Some(taken) = same.or(oldest) else {
            self.latest.insert(key, latest);
            return LedgerAnswer::Nothing;
        };
        let Some(emitted) = self.emitted.take(taken) else { return LedgerAnswer::Nothing };
        if !earliest {
            self.relink(key, latest, taken, emitted.earlier);
        }
        if same.is_some() {
            return LedgerAnswer::Same(Duration::from_nanos(emitted.shown.latency));
        }
        self.spurious += 1;
        LedgerAnswer::Different(emitted.trace)
    }

    /// Nothing more is asked for: what is left is spurious.
    pub(super) fn finish(&mut self) {
        self.spurious += (self.emitted.count() + self.recent.len()) as u64;
        self.recent.clear();
        self.emitted.clear();
        self.latest.clear();
    }

    /// Takes `taken` out of the emissions of a stream, whose latest and whose next earlier one these are.
    fn relink(&mut self, key: StreamKey, latest: u64, taken: u64, earlier: u64) {
        if latest == taken {
            if self.emitted.get_mut(earlier).is_some() {
                self.latest.insert(key, earlier);
            }
            return;
        }
        self.latest.insert(key, latest);
        let mut later = latest;
        for _ in 0..limits::AGENT_EMISSIONS {
            let Some(next) = self.emitted.get_mut(later) else { break };
            if next.earlier == taken {
                next.earlier = earlier;
                break;
            }
            later = next.earlier;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::user::Method;
    use super::*;

    fn add(ledger: &mut Ledger, stream: u32, status: u16, packet: u64) {
        let shown = Shown { method: Method::Get, path: 1, status, latency: 1 };
        ledger.add(StreamKey::new(1, stream), shown, Trace { packet, ..Trace::default() });
    }

    fn take(ledger: &mut Ledger, stream: u32, status: u16, since: u64) -> &'static str {
        match ledger.take(StreamKey::new(1, stream), since, |shown| shown.status == status) {
            LedgerAnswer::Same(_) => "same",
            LedgerAnswer::Different(_) => "different",
            LedgerAnswer::Nothing => "nothing",
        }
    }

    #[test]
    fn an_emission_is_taken_once() {
        let mut ledger = Ledger::new(limits::AGENT_EMITTED);
        add(&mut ledger, 1, 200, 5);
        assert_eq!(take(&mut ledger, 3, 200, 1), "nothing");
        assert_eq!(take(&mut ledger, 1, 200, 1), "same");
        assert_eq!(take(&mut ledger, 1, 200, 1), "nothing");
        assert_eq!(ledger.spurious, 0);
    }

    #[test]
    fn other_values_and_earlier_ones_are_spurious() {
        let mut ledger = Ledger::new(limits::AGENT_EMITTED);
        add(&mut ledger, 1, 200, 5);
        assert_eq!(take(&mut ledger, 1, 404, 1), "different");
        add(&mut ledger, 1, 200, 5);
        assert_eq!(take(&mut ledger, 1, 200, 6), "nothing", "it was emitted before this transaction began");
        ledger.finish();
        assert_eq!(ledger.spurious, 2);
    }

    #[test]
    fn of_several_emissions_the_matching_one_is_taken() {
        let mut ledger = Ledger::new(limits::AGENT_EMITTED);
        for (at, status) in [200, 404, 500, 404].into_iter().enumerate() {
            add(&mut ledger, 1, status, 5 + at as u64);
        }
        assert_eq!(take(&mut ledger, 1, 404, 0), "same");
        assert_eq!(take(&mut ledger, 1, 404, 0), "same");
        assert_eq!(take(&mut ledger, 1, 404, 0), "different");
        assert_eq!(take(&mut ledger, 1, 500, 0), "same");
        assert_eq!(take(&mut ledger, 1, 500, 0), "nothing");
        assert!(ledger.latest.is_empty());
    }

    #[test]
    fn cap_agent_emissions() {
        let most = limits::AGENT_EMISSIONS as u64;
        for (count, found, struck) in [(most - 1, "same", 0), (most, "same", 0), (most + 1, "different", 1)] {
            let mut ledger = Ledger::new(limits::AGENT_EMITTED);
            // The first is the one that is asked for.
            add(&mut ledger, 1, 200, 5);
            for at in 1..count {
                add(&mut ledger, 1, 404, 5 + at);
            }
            assert_eq!((take(&mut ledger, 1, 200, 0), ledger.evicted), (found, struck), "{count}");
        }
    }

    #[test]
    fn cap_agent_emitted() {
        let mut ledger = Ledger::new(limits::AGENT_EMITTED);
        for stream in 0..limits::AGENT_EMITTED as u32 {
            add(&mut ledger, stream, 200, 1);
        }
        assert_eq!((ledger.spurious, ledger.evicted), (0, 0));
        for stream in 0..3 {
            add(&mut ledger, limits::AGENT_EMITTED as u32 + stream, 200, 1);
        }
        assert_eq!((ledger.spurious, ledger.evicted), (3, 3));
        assert_eq!(ledger.latest.len() + ledger.recent.len(), limits::AGENT_EMITTED);
        assert_eq!((take(&mut ledger, 2, 200, 0), take(&mut ledger, 3, 200, 0)), ("nothing", "same"));
    }
}
