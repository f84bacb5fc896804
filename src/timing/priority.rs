//! Which of a client's streams are more urgent (RFC 9218), or are depended on (RFC 7540 section 5.3), and what its server sent
//! before them all the same. Where a client states both, urgency counts (RFC 9218 section 2.1); where a side says that it makes
//! nothing of dependencies (`SETTINGS_NO_RFC7540_PRIORITIES`), they count for nothing.
//!
//! Octets of DATA that are sent while a more urgent stream could have sent are put by, and are inverted once that stream turns
//! out to have had some. What is put by is a list of runs, each with its place among all octets of DATA, so that a stream
//! takes from it what came since it could have sent.

use super::Timing;
use super::dependencies::Dependencies;
use crate::base::limits;
use crate::base::memory::of_map;
use crate::http2::frame::{self, FrameView, Payload};
use crate::record::{Dependency, Inversion, Priority, Urgency};
use std::collections::HashMap;

/// What is stated of the streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Priorities {
    streams: HashMap<u32, Stated, foldhash::fast::RandomState>,
    order: Order,
    tree: Dependencies,
    /// A side makes nothing of dependencies.
    ignored: bool,
    /// Steps in the tree that were earned by frames of DATA.
    steps: usize,
    /// Octets of DATA that the server has sent since.
    sent: u64,
    inverted: u64,
    /// Streams that can send, by urgency.
    ready: [u32; Urgency::LEVELS],
    runs: Vec<Run>,
    /// The last run does not go on.
    sealed: bool,
    /// Streams that were too many.
    limited: u64,
}

/// What tells of two streams which comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// Nothing is stated.
    #[default]
    Unstated,
    /// One depends on the other.
    Dependency,
    /// One is more urgent.
    Urgency,
}

/// Steps in the tree that a frame of DATA earns: as many as trees are deep, for each of a few runs.
const STEPS: usize = 256;

/// The setting by which a side says that it makes nothing of dependencies (RFC 9218 section 2.1).
const NO_RFC7540_PRIORITIES: u16 = 9;

/// What is stated of a stream, and whether it can send.
#[derive(Clone, Copy, Debug, Default)]
struct Stated {
    now: Priority,
    /// A frame has said so, which counts more than a field.
    by_frame: bool,
    /// When the response began.
    in_force: Option<Priority>,
    /// It can send since so many octets were sent, or has sent then.
    ready: Option<u64>,
}

impl Stated {
    fn level(&self) -> usize {
        usize::from(self.now.urgency.unwrap_or(Urgency::DEFAULT).level)
    }
}

/// Octets that were sent while a stream that comes first could have sent.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// On this stream, or 0 where they are of several.
    stream: u32,
    /// Octets sent before it.
    at: u64,
    octets: u64,
    level: usize,
}

impl Priorities {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + of_map::<u32, Stated>(self.streams.capacity())
            + self.tree.memory()
            + self.runs.capacity() * size_of::<Run>()
    }

    /// Streams that were too many.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// A field of a request, or a frame, states this.
    pub(super) fn state_urgency(&mut self, stream: u32, urgency: Urgency, by_frame: bool) {
        self.set_order(Order::Urgency);
        let Some(stated) = self.stated(stream) else { return };
        if stated.by_frame && !by_frame {
            return;
        }
        let before = *stated;
        (stated.now.urgency, stated.by_frame) = (Some(urgency), by_frame);
        let level = stated.level();
        if before.ready.is_some() {
            self.count(before.level(), -1);
            self.count(level, 1);
        }
    }

    /// A stream is opened, of which nothing may be stated.
    pub(super) fn opened(&mut self, stream: u32) {
        if !self.ignored && self.order != Order::Urgency && self.stated(stream).is_some() {
            self.tree.add(stream);
        }
    }

    /// HEADERS or PRIORITY state this.
    pub(super) fn state_dependency(&mut self, stream: u32, dependency: Dependency) {
        if self.ignored {
            return;
        }
        let Some(stated) = self.stated(stream) else { return };
        stated.now.dependency = Some(dependency);
        let depends = self.tree.depend(stream, dependency.on, dependency.exclusive);
        if depends && self.order == Order::Unstated {
            self.set_order(Order::Dependency);
        }
    }

    /// A side makes nothing of dependencies.
    pub(super) fn ignore_dependencies(&mut self) {
        self.ignored = true;
        self.tree = Dependencies::default();
        for stated in self.streams.values_mut() {
            stated.now.dependency = None;
        }
        if self.order == Order::Dependency {
            self.set_order(Order::Unstated);
        }
    }

    /// What was sent is reckoned anew by that order, if it is another one.
    fn set_order(&mut self, order: Order) {
        if self.order != order {
            (self.order, self.sent, self.inverted) = (order, 0, 0);
            self.runs.clear();
            self.streams.values_mut().filter_map(|stated| stated.ready.as_mut()).for_each(|since| *since = 0);
        }
    }

    /// The response begins; whether there is credit for it.
    pub(super) fn begin_response(&mut self, stream: u32, credit: bool) {
        if self.order == Order::Unstated && !self.streams.contains_key(&stream) {
            return;
        }
        if let Some(stated) = self.stated(stream) {
            stated.in_force = Some(stated.now);
        }
        self.set_ready(stream, credit);
    }

    /// The stream can send, or cannot.
    pub(super) fn set_ready(&mut self, stream: u32, ready: bool) {
        let sent = self.sent;
        let Some(stated) = self.streams.get_mut(&stream) else { return };
        if stated.ready.is_some() == ready || stated.in_force.is_none() {
            return;
        }
        stated.ready = ready.then_some(sent);
        let level = stated.level();
        self.count(level, if ready { 1 } else { -1 });
    }

    /// The server sends octets of DATA.
    pub(super) fn data(&mut self, stream: u32, octets: u64) {
        if octets == 0 || self.order == Order::Unstated {
            return;
        }
        self.steps = (self.steps + STEPS).min(STEPS * STEPS);
        let at = self.sent;
        self.sent += octets;
        let stated = self.streams.get_mut(&stream);
        let level = stated.as_ref().map_or(Urgency::DEFAULT.level.into(), |stated| stated.level());
        if let Some(since) = stated.and_then(|stated| stated.ready.as_mut()) {
            let since = std::mem::replace(since, self.sent);
            self.take(since, stream, level);
            self.sealed = true;
        }
        if self.is_passed_over(stream, level) {
            self.put_by(Run { stream, at, octets, level });
        } else if self.ready.iter().all(|&streams| streams == 0) {
            self.runs.clear();
        }
    }

    /// The stream is over; its priority when its response began.
    pub(super) fn end(&mut self, stream: u32) -> Option<Priority> {
        self.set_ready(stream, false);
        self.tree.remove(stream);
        let in_force = self.streams.remove(&stream)?.in_force?;
        (in_force != Priority::default()).then_some(in_force)
    }

    /// What was sent before what is more urgent; `None` where nothing is stated.
    pub(super) fn inversion(&self) -> Option<Inversion> {
        (self.order != Order::Unstated).then_some(Inversion { octets: self.inverted, of: self.sent })
    }

    fn stated(&mut self, stream: u32) -> Option<&mut Stated> {
        if self.streams.len() >= limits::PRIORITIES && !self.streams.contains_key(&stream) {
            self.limited += 1;
            return None;
        }
        Some(self.streams.entry(stream).or_default())
    }

    fn count(&mut self, level: usize, more: i32) {
        self.sealed = true;
        if let Some(streams) = self.ready.get_mut(level) {
            *streams = streams.saturating_add_signed(more);
        }
    }

    /// Whether a stream that comes before this one could send.
    fn is_passed_over(&mut self, stream: u32, level: usize) -> bool {
        if self.order == Order::Urgency {
            return self.ready.iter().take(level).any(|&streams| streams > 0);
        }
        let ready = |ancestor: u32| self.streams.get(&ancestor).is_some_and(|stated| stated.ready.is_some());
        walk(&self.tree, stream, &mut self.steps, &mut self.limited, ready)
    }

    /// A stream of this urgency had octets to send since then.
    fn take(&mut self, since: u64, stream: u32, level: usize) {
        let Self { order, tree, steps, limited, inverted, runs, .. } = self;
        runs.retain(|run| {
            let is_inverted = run.at >= since
                && match order {
                    Order::Urgency => run.level > level,
                    _ if run.stream == 0 => true,
                    _ => walk(tree, run.stream, steps, limited, |ancestor| ancestor == stream),
                };
            *inverted += if is_inverted { run.octets } else { 0 };
            !is_inverted
        });
    }

    fn put_by(&mut self, run: Run) {
        let (sealed, urgency) = (std::mem::replace(&mut self.sealed, false), self.order == Order::Urgency);
        match self.runs.last_mut() {
            Some(last) if !sealed && last.is_followed_by(&run) && (urgency || last.stream == run.stream) => {
                last.octets += run.octets;
            }
            _ => self.runs.push(run),
        }
        // The oldest two become one, which counts as inverted where either would: what is told is a bound.
        if self.runs.len() > limits::PRIORITY_RUNS {
            let oldest = self.runs.remove(0);
            if let Some(next) = self.runs.first_mut() {
                next.octets += oldest.octets;
                next.level = next.level.max(oldest.level);
                next.stream = if next.stream == oldest.stream { next.stream } else { 0 };
            }
            self.limited += 1;
        }
    }
}

impl Run {
    const fn is_followed_by(&self, next: &Self) -> bool {
        self.level == next.level && self.at + self.octets == next.at
    }
}

/// Whether one of those that a stream depends on is so. Where the steps are used up it counts as one that is: what is told is a
/// bound.
fn walk(
    tree: &Dependencies,
    stream: u32,
    steps: &mut usize,
    limited: &mut u64,
    is_it: impl Fn(u32) -> bool,
) -> bool {
    for ancestor in tree.ancestors(stream) {
        if *steps == 0 {
            *limited += 1;
            return true;
        }
        *steps -= 1;
        if is_it(ancestor) {
            return true;
        }
    }
    false
}

impl Timing {
    /// SETTINGS of a side may say that it makes nothing of dependencies.
    pub(super) fn take_settings(&mut self, frame: &FrameView<'_>) {
        if let Some(Payload::Settings(settings)) = Payload::parse(&frame.header, frame.payload)
            && settings.iter().any(|setting| setting == (NO_RFC7540_PRIORITIES, 1))
        {
            self.priorities.get_or_insert_default().ignore_dependencies();
        }
    }

    /// A frame of the client states a priority.
    pub(super) fn take_priority(&mut self, frame: &FrameView<'_>) {
        let header = &frame.header;
        let stated = match Payload::parse(header, frame.payload) {
            Some(Payload::PriorityUpdate(update)) => {
                let (stream, urgency) = (update.prioritized_stream, Urgency::parse(update.value));
                return self.priorities.get_or_insert_default().state_urgency(stream, urgency, true);
            }
            Some(Payload::Priority(stated)) => Some(stated),
            Some(Payload::Headers(headers)) => headers.priority,
            _ => None,
        };
        if let Some(frame::Priority { exclusive, dependency, weight }) = stated {
            let dependency = Dependency { weight, on: dependency, exclusive };
            if self.priorities.is_none() {
                let priorities = self.priorities.get_or_insert_default();
                self.exchanges.iter().for_each(|(stream, _)| priorities.opened(stream));
            }
            self.priorities.get_or_insert_default().state_dependency(header.stream, dependency);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Streams of the levels 1, 2 and so on, whose responses have begun: their number is their level.
    fn begun(levels: u8) -> Priorities {
        let mut priorities = Priorities::default();
        for level in 1..=levels {
            priorities.state_urgency(level.into(), Urgency { level, incremental: false }, false);
            priorities.begin_response(level.into(), true);
        }
        priorities
    }

    fn inverted(priorities: &Priorities) -> (u64, u64) {
        let Inversion { octets, of } = priorities.inversion().unwrap();
        (octets, of)
    }

    #[test]
    fn what_is_sent_before_more_urgent_octets_is_inverted_once() {
        let mut priorities = begun(3);
        for (stream, sum) in [(3, 0), (3, 0), (2, 200), (3, 200), (1, 400), (2, 400), (1, 500), (3, 500)] {
            priorities.data(stream, 100);
            assert_eq!(inverted(&priorities).0, sum, "{stream}");
        }
        assert_eq!(inverted(&priorities).1, 800, "the last octets came when nothing more was to come");
    }

    #[test]
    fn who_has_no_credit_or_has_ended_is_not_passed_over() {
        let mut priorities = begun(2);
        priorities.set_ready(1, false);
        priorities.data(2, 100);
        priorities.set_ready(1, true);
        priorities.data(2, 10);
        priorities.data(1, 1);
        assert_eq!(inverted(&priorities), (10, 111));
        assert_eq!(priorities.end(1).unwrap().urgency.unwrap().level, 1);
        priorities.data(2, 100);
        assert_eq!(inverted(&priorities), (10, 211));
    }

    #[test]
    fn a_frame_counts_more_than_a_field_and_what_comes_later_is_not_in_force() {
        let mut priorities = Priorities::default();
        let urgency = |level| Urgency { level, incremental: true };
        priorities.state_urgency(1, urgency(6), true);
        priorities.state_urgency(1, urgency(2), false);
        priorities.begin_response(1, true);
        priorities.state_urgency(1, urgency(0), true);
        assert_eq!(priorities.ready, [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(priorities.end(1).unwrap().urgency, Some(urgency(6)));
        assert_eq!(priorities.ready, [0; 8]);
    }

    fn dependency(on: u32) -> Dependency {
        Dependency { weight: 16, on, exclusive: false }
    }

    /// Stream 3 depends on 1, and 5 on 3; 7 depends on none. All responses have begun.
    fn depending() -> Priorities {
        let mut priorities = Priorities::default();
        for (stream, on) in [(1, 0), (3, 1), (5, 3), (7, 0)] {
            priorities.state_dependency(stream, dependency(on));
            priorities.begin_response(stream, true);
        }
        priorities
    }

    #[test]
    fn what_is_sent_before_what_it_depends_on_is_inverted_once() {
        let mut priorities = depending();
        for (stream, sum) in [(5, 0), (7, 0), (5, 0), (3, 200), (1, 300), (7, 300), (5, 300), (1, 400)] {
            priorities.data(stream, 100);
            assert_eq!(inverted(&priorities).0, sum, "{stream}");
        }
        priorities.set_ready(1, false);
        priorities.set_ready(3, false);
        priorities.data(5, 100);
        assert_eq!(priorities.end(3).unwrap().dependency, Some(dependency(1)));
        priorities.set_ready(1, true);
        priorities.data(5, 10);
        priorities.data(1, 1);
        assert_eq!(inverted(&priorities), (410, 911), "5 depends on 1 now");
    }

    #[test]
    fn dependencies_count_where_a_side_makes_something_of_them_and_urgency_is_not_stated() {
        let mut priorities = depending();
        priorities.data(5, 100);
        priorities.data(1, 100);
        assert_eq!(inverted(&priorities), (100, 200));
        priorities.state_urgency(1, Urgency { level: 5, incremental: false }, true);
        priorities.data(5, 100);
        priorities.data(1, 100);
        assert_eq!(inverted(&priorities), (0, 200), "5 is more urgent, whatever it depends on");
        let mut priorities = depending();
        priorities.ignore_dependencies();
        priorities.state_dependency(9, dependency(1));
        priorities.begin_response(9, true);
        priorities.data(9, 10);
        assert_eq!((priorities.inversion(), priorities.end(9)), (None, None));
    }

    #[test]
    fn a_dependency_on_what_is_not_there_tells_nothing_of_order() {
        let mut priorities = Priorities::default();
        priorities.state_dependency(5, dependency(3));
        priorities.begin_response(5, true);
        priorities.data(5, 10);
        assert_eq!(priorities.inversion(), None);
        assert_eq!(priorities.end(5).unwrap().dependency, Some(dependency(3)));
    }

    /// A chain of a thousand streams, and what the deepest of them sends.
    #[test]
    fn deep_trees_are_walked_within_bounds() {
        let mut priorities = Priorities::default();
        for n in 0..1000 {
            priorities.state_dependency(2 * n + 1, dependency(2 * n.max(1) - 1));
            priorities.begin_response(2 * n + 1, n == 999);
        }
        let octets = 60;
        for n in 1..=octets {
            priorities.data(1999, 1);
            assert!(priorities.steps < STEPS && priorities.limited() <= n);
        }
        assert!(priorities.limited() > 0 && inverted(&priorities).0 <= octets);
    }

    #[test]
    fn cap_priorities() {
        let mut priorities = Priorities::default();
        for stream in 0..=limits::PRIORITIES as u32 {
            assert_eq!(priorities.limited(), 0);
            priorities.state_urgency(stream, Urgency::DEFAULT, true);
        }
        assert_eq!((priorities.limited(), priorities.streams.len()), (1, limits::PRIORITIES));
    }

    #[test]
    fn cap_priority_runs() {
        let mut priorities = begun(3);
        for n in 0..=limits::PRIORITY_RUNS as u64 {
            assert_eq!(priorities.limited(), 0);
            priorities.data(2 + (n % 2) as u32, 100);
            // What the second has passed over is taken by it; the first has the rest.
            priorities.set_ready(2, false);
            priorities.set_ready(2, true);
        }
        assert!(priorities.limited() == 1 && priorities.runs.len() <= limits::PRIORITY_RUNS);
        priorities.data(1, 1);
        let (octets, of) = inverted(&priorities);
        assert_eq!(octets + 1, of, "none is lost");
    }
}
