//! What happened to a stream and to a connection, as far as it can make the agent miss a transaction. The kernel
//! keeps none of this: it serves the reasons of [`MissReason`] alone.

use super::fifo::Fifo;
use super::stream::StreamKey;
use super::tuple::{Side, Sides};
use crate::base::limits;
use crate::base::verdict::MissReason;
use foldhash::quality::RandomState;
use std::collections::{HashMap, VecDeque};

/// What kept a header block from being captured as it is on the wire: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockMarks(u8);

impl BlockMarks {
    /// The block runs past the segment.
    pub(super) const CUT: Self = Self(1);
    /// `END_HEADERS` is not set.
    pub(super) const CONTINUES: Self = Self(1 << 1);
    /// PADDED is set.
    pub(super) const PADDED: Self = Self(1 << 2);
    /// PRIORITY is set, and the rules do not skip it.
    pub(super) const PRIORITY: Self = Self(1 << 3);
    /// The path is longer than 160 encoded bytes, here or where it was stored.
    pub(super) const LONG_PATH: Self = Self(1 << 4);
    /// Fields that count came after the first four, after two captured ones, or after an integer that the pass
    /// could not read.
    pub(super) const LIMIT: Self = Self(1 << 5);
    /// A reference to an entry that is not stored.
    pub(super) const HPACK: Self = Self(1 << 6);
    /// A size update whose skipping ate bytes of the block.
    pub(super) const SIZE_UPDATE: Self = Self(1 << 7);
    /// What misleads the agent, and does not merely keep something from it.
    pub(super) const MISLEADING: Self = Self(Self::CUT.0 | Self::SIZE_UPDATE.0);

    const REASONS: [(Self, MissReason); 8] = [
        (Self::CUT, MissReason::SplitFrame),
        (Self::CONTINUES, MissReason::Continuation),
        (Self::PADDED, MissReason::Padded),
        (Self::PRIORITY, MissReason::Priority),
        (Self::LONG_PATH, MissReason::PathTooLong),
        (Self::LIMIT, MissReason::HeaderLimit),
        (Self::HPACK, MissReason::HpackState),
        (Self::SIZE_UPDATE, MissReason::HpackState),
    ];

    /// Adds marks.
    pub(super) const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Adds marks when they apply.
    pub(super) const fn insert_if(&mut self, applies: bool, other: Self) {
        self.0 |= if applies { other.0 } else { 0 };
    }

    /// The marks in both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The reasons that the marks stand for.
    pub(super) fn reasons(self) -> impl Iterator<Item = MissReason> {
        Self::REASONS.into_iter().filter(move |(mark, _)| self.0 & mark.0 != 0).map(|(_, reason)| reason)
    }
}

/// What was seen of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace {
    /// The last packet that changed it.
    pub(super) packet: u64,
    /// What was wrong with the blocks of each side.
    pub(super) blocks: Sides<BlockMarks>,
    /// A HEADERS frame of that side was processed.
    pub(super) headers: Sides<bool>,
    /// An `END_STREAM` or `RST_STREAM` of that side was processed.
    pub(super) ends: Sides<bool>,
    /// Method and path were captured.
    pub(super) request: bool,
    /// A status was captured.
    pub(super) status: bool,
    /// It was deleted for its age.
    pub(super) expired: bool,
    /// One of its frames ran into the defect of section 2.4.
    pub(super) split: bool,
    /// A verdict on it was given before the agent emitted it.
    pub(super) judged: bool,
}

impl Trace {
    /// Adds what another trace of the same stream says.
    pub(super) fn merge(&mut self, other: &Self) {
        self.packet = self.packet.max(other.packet);
        for side in [Side::Client, Side::Server] {
            self.blocks.get_mut(side).insert(*other.blocks.get(side));
            *self.headers.get_mut(side) |= other.headers.get(side);
            *self.ends.get_mut(side) |= other.ends.get(side);
        }
        self.request |= other.request;
        self.status |= other.status;
        self.expired |= other.expired;
        self.split |= other.split;
        self.judged |= other.judged;
    }
}

/// Traces of streams that are not in flight any more and were not emitted: at most [`limits::AGENT_TRACES`], the
/// oldest give way.
#[derive(Debug)]
pub(super) struct Traces {
    numbers: HashMap<StreamKey, u64, RandomState>,
    kept: Fifo<(StreamKey, Trace)>,
    /// Traces that gave way.
    pub(super) evicted: u64,
}

impl Traces {
    /// No traces.
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::default(), kept: Fifo::new(limits::AGENT_TRACES), evicted: 0 }
    }

    /// Keeps a trace, together with what is kept of the stream already.
    pub(super) fn keep(&mut self, key: StreamKey, trace: &Trace) {
        let known = self.numbers.get(&key).and_then(|&number| self.kept.get_mut(number));
        if let Some((_, known)) = known {
            known.merge(trace);
            return;
        }
        self.numbers.insert(key, self.kept.next());
        if let Some((oldest, _)) = self.kept.push((key, *trace)) {
            self.evicted += 1;
            self.numbers.remove(&oldest);
        }
    }

    /// Takes the trace of a stream.
    pub(super) fn take(&mut self, key: StreamKey) -> Option<Trace> {
        let number = self.numbers.remove(&key)?;
        self.kept.take(number).map(|(_, trace)| trace)
    }
}

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
    fn cap_agent_traces() {
        let mut traces = Traces::new();
        let key = |stream| StreamKey::new(1, stream);
        traces.keep(key(0), &Trace { request: true, ..Trace::default() });
        traces.keep(key(0), &Trace { expired: true, packet: 7, ..Trace::default() });
        let trace = traces.take(key(0)).unwrap();
        assert!(trace.request && trace.expired && trace.packet == 7 && !trace.status);
        assert!(traces.take(key(0)).is_none());
        for stream in 0..limits::AGENT_TRACES as u32 {
            traces.keep(key(stream), &Trace::default());
        }
        assert_eq!(traces.evicted, 0);
        traces.keep(key(limits::AGENT_TRACES as u32), &Trace::default());
        assert_eq!((traces.evicted, traces.numbers.len()), (1, limits::AGENT_TRACES));
        assert!(traces.take(key(0)).is_none() && traces.take(key(1)).is_some());
    }

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
