//! What went wrong for one sender of a connection: packets in which the agent lost frames, and paths that it did not
//! store. Like the traces of streams it serves the reasons alone.

use crate::base::limits;
use crate::base::verdict::MissReason;
use std::collections::VecDeque;

/// Numbers of entries of one sender that were not stored because they were too long: the last
/// [`limits::AGENT_LONG_PATHS`].
#[derive(Debug, Default)]
pub(super) struct LongPaths {
    numbers: VecDeque<u64>,
    /// All before this one are forgotten.
    since: u64,
}

impl LongPaths {
    /// Adds an entry.
    pub(super) fn push(&mut self, number: u64) {
        if self.numbers.len() >= limits::AGENT_LONG_PATHS
            && let Some(oldest) = self.numbers.pop_front()
        {
            self.since = oldest + 1;
        }
        self.numbers.push_back(number);
    }

    /// Whether an entry is among them; `None` when it may have been.
    pub(super) fn find(&self, number: u64) -> Option<bool> {
        if self.numbers.is_empty() {
            return Some(false);
        }
        let found = self.numbers.contains(&number);
        (found || number >= self.since).then_some(found)
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Packets of one sender in which frames were lost to the agent, and why: the last [`limits::AGENT_INCIDENTS`] runs.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    runs: Vec<Run>,
    /// The last packet of the sender that was parsed.
    last_packet: u64,
    /// The last packet of the runs that were forgotten; 0 for none.
    forgotten: u64,
    /// Why the parser is out of step with the frames, while it may be.
    pub(super) astray: Option<MissReason>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    last: u64,
    reason: MissReason,
}

impl Incidents {
    /// A packet was parsed. `incident`: why frames in it were lost, if any were.
    pub(super) fn record(&mut self, packet: u64, incident: Option<MissReason>) {
        if let Some(reason) = incident {
            match self.runs.last_mut() {
                Some(run) if run.reason == reason && (run.last == self.last_packet || run.last == packet) => {
                    run.last = packet;
                }
                _ => {
                    if self.runs.len() >= limits::AGENT_INCIDENTS {
                        self.forgotten = self.runs.remove(0).last;
                    }
                    self.runs.push(Run { first: packet, last: packet, reason });
                }
            }
        }
        self.last_packet = packet;
    }

    /// Whether it is forgotten why frames were lost in a packet, if they were.
    pub(super) const fn is_forgotten(&self, packet: u64) -> bool {
        packet <= self.forgotten
    }

    /// Why frames were lost in a packet.
    pub(super) fn at(&self, packet: u64) -> Option<MissReason> {
        self.within(packet, packet)
    }

    /// Why frames were lost in any of the packets from `first` to `last`.
    pub(super) fn within(&self, first: u64, last: u64) -> Option<MissReason> {
        self.runs.iter().find(|run| run.first <= last && first <= run.last).map(|run| run.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_in_a_row_are_one_run() {
        let mut incidents = Incidents::default();
        incidents.record(10, Some(MissReason::SplitFrame));
        incidents.record(20, Some(MissReason::SplitFrame));
        incidents.record(30, None);
        incidents.record(40, Some(MissReason::SplitFrame));
        assert_eq!(incidents.runs.len(), 2);
        assert_eq!(
            (incidents.at(9), incidents.at(15), incidents.at(30)),
            (None, Some(MissReason::SplitFrame), None)
        );
        assert_eq!(incidents.within(25, 45), Some(MissReason::SplitFrame));
        assert!(!incidents.is_forgotten(1));
    }

    #[test]
    fn cap_agent_incidents() {
        let mut incidents = Incidents::default();
        for packet in 0..limits::AGENT_INCIDENTS as u64 {
            incidents.record(40 + 2 * packet, Some(MissReason::SplitFrame));
            incidents.record(41 + 2 * packet, None);
            assert!(incidents.at(40).is_some() && !incidents.is_forgotten(40));
        }
        incidents.record(60, Some(MissReason::SplitFrame));
        assert!(incidents.at(40).is_none() && incidents.is_forgotten(40) && !incidents.is_forgotten(41));
        assert!(incidents.at(42).is_some() && incidents.at(60).is_some());
        for packet in 0..100 {
            incidents.record(
                100 + packet,
                Some(if packet % 2 == 0 { MissReason::Other } else { MissReason::FrameLimit }),
            );
        }
        assert_eq!(incidents.runs.len(), limits::AGENT_INCIDENTS);
        assert_eq!(incidents.at(40), None, "the oldest give way");
    }
}
