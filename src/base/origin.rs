//! Which input a packet came from, and its number there, where several inputs are one timeline.

use super::limits::ORIGIN_RUNS;
use super::memory::Memory;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The input's name.
    pub input: &'a str,
    /// The packet's number in it, 1-based.
    pub number: u64,
}

/// Packets that follow one another both in the timeline and in their input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of the first packet over all inputs.
    pub from: u64,
    /// Which input.
    pub input: u32,
    /// The first packet's number in that input.
    pub number: u64,
}

/// Where packets came from: the last runs, [`ORIGIN_RUNS`] of them or a share of that. Written by the thread that reads, read
/// by all.
#[derive(Debug)]
pub struct Origins {
    names: Vec<String>,
    /// Runs in reach. As many are kept beyond, so that what a thread may still ask for does not depend on how far ahead the
    /// reading is: more than the batches hold that are under way at one time.
    most: usize,
    runs: RwLock<VecDeque<Run>>,
}

/// Where packets came from, as far as it could be told when a batch was read.
#[derive(Clone, Debug)]
pub struct InReach {
    origins: Arc<Origins>,
    from: u64,
}

impl InReach {
    /// What `origins` tells of packets from this number on.
    pub const fn new(origins: Arc<Origins>, from: u64) -> Self {
        Self { origins, from }
    }

    /// Where the packet with this number over all inputs came from.
    pub fn find(&self, packet: u64) -> Option<Origin<'_>> {
        if packet < self.from { None } else { self.origins.find(packet) }
    }
}

impl Origins {
    /// None yet, of inputs with these names; runs take their share of the memory.
    pub const fn new(names: Vec<String>, memory: Memory) -> Self {
        Self { names, most: memory.share(ORIGIN_RUNS), runs: RwLock::new(VecDeque::new()) }
    }

    /// Adds runs; each begins behind the one before. How many were put out of reach by it, and the first packet that is
    /// still in reach.
    pub fn add(&self, more: impl IntoIterator<Item = Run>) -> (u64, u64) {
        let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
        let before = runs.len();
        for run in more {
            let goes_on = |last: &Run| {
                last.input == run.input
                    && last.number.wrapping_sub(last.from) == run.number.wrapping_sub(run.from)
            };
            if !runs.back().is_some_and(goes_on) {
                runs.push_back(run);
            }
        }
        let beyond = |length: usize| length.saturating_sub(self.most);
        let lost = beyond(runs.len()) - beyond(before);
        let first = runs.get(beyond(runs.len())).map_or(0, |run| run.from);
        let old = runs.len().saturating_sub(2 * self.most);
        runs.drain(..old);
        (lost as u64, first)
    }

    fn find(&self, packet: u64) -> Option<Origin<'_>> {
        let run = {
            let runs = self.runs.read().unwrap_or_else(PoisonError::into_inner);
            let behind = runs.partition_point(|run| run.from <= packet);
            *runs.get(behind.checked_sub(1)?)?
        };
        let input = self.names.get(run.input as usize)?;
        Some(Origin { input, number: run.number + (packet - run.from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        with(Memory::default())
    }

    fn with(memory: Memory) -> Origins {
        Origins::new(vec!["a".to_owned(), "b".to_owned()], memory)
    }

    fn run(from: u64, input: u32, number: u64) -> Run {
        Run { from, input, number }
    }

    #[test]
    fn packets_are_found_in_their_inputs() {
        let origins = origins();
        assert_eq!(origins.find(1), None);
        assert_eq!(origins.add([run(1, 0, 1), run(4, 1, 1)]), (0, 1));
        assert_eq!(origins.add([run(6, 1, 3), run(7, 0, 4)]), (0, 1));
        let found = |packet| origins.find(packet).map(|origin| (origin.input, origin.number));
        assert_eq!(found(0), None);
        let expected = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3), ("a", 4), ("a", 5)];
        for (packet, origin) in (1..).zip(expected) {
            assert_eq!(found(packet), Some(origin));
        }
        assert_eq!(origins.runs.read().unwrap().len(), 3, "what goes on is one run");
        let in_reach = InReach::new(Arc::new(origins), 4);
        assert_eq!(in_reach.find(3), None);
        assert_eq!(in_reach.find(4), Some(Origin { input: "b", number: 1 }));
    }

    /// With less memory there are fewer: with the least, less than a twentieth of it.
    #[test]
    fn runs_take_a_share_of_the_memory() {
        let origins = with(Memory::new(Memory::LEAST).unwrap());
        let most = ORIGIN_RUNS as u64 / 8;
        let lost = origins.add((1..=8 * most).map(|packet| run(packet, (packet % 2) as u32, packet)));
        assert_eq!(lost, (7 * most, 7 * most + 1));
        let kept = origins.runs.read().unwrap();
        assert_eq!(kept.len() as u64, 2 * most);
        assert!(kept.len() * size_of::<Run>() < Memory::LEAST / 20);
    }

    #[test]
    fn cap_origin_runs() {
        let origins = origins();
        let switch = |packet: u64| run(packet, (packet % 2) as u32, packet.div_ceil(2));
        let cap = ORIGIN_RUNS as u64;
        assert_eq!(origins.add((1..=cap).map(switch)), (0, 1));
        assert_eq!(origins.add([switch(cap + 1)]), (1, 2));
        assert!(origins.find(1).is_some(), "a thread that is behind may still ask");
        assert_eq!(origins.add((cap + 2..=4 * cap).map(switch)), (3 * cap - 1, 3 * cap + 1));
        assert_eq!(origins.runs.read().unwrap().len(), 2 * ORIGIN_RUNS);
        let last = origins.find(4 * cap).unwrap();
        assert_eq!((last.input, last.number), ("a", 2 * cap));
    }
}
