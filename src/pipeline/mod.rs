//! The order of the stages: a shard's segments → flow → what each connection carries → records.
//!
//! A [`Pipeline`] is one shard: it owns its connections and shares nothing but spare memory, with the shards
//! of its thread. Its state is bounded by the caps of
//! [`crate::base::limits`]; connections go when both directions have ended, when they are idle for too long (live), or
//! when a cap is reached.

mod awaiting;
mod connection_end;
mod context;
mod detection;
mod ending;
mod http2;
mod layers;
mod missed;
mod pace;
#[cfg(test)]
mod tests;
mod tunnel;

pub use connection_end::{OpenNow, ShardReport};
pub use context::Output;
pub use ending::Ending;

use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::load::Load;
use crate::base::memory::Memory;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::base::tuning::{LANES, SHARDS};
use crate::body;
use crate::flow::{Budget, ConnectionEntry, SegmentFacts, Slot, Table, Verdict};
use crate::packet::Segment;
use crate::record::{EndBy, EndHow, SegmentView, StreamEnd, Wanted};
use crate::tls;
use crate::transaction::StreamPool;
use awaiting::Awaiting;
use connection_end::patience;
use context::{Context, Totals};
use ending::Lined;
use layers::{Layers, LayersInput};
use pace::Pace;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What a pipeline is to do.
#[derive(Clone, Debug, Default)]
pub struct PipelineConfig {
    /// Which records.
    pub wanted: Wanted,
    /// Connections idle for so long are given up; those with requests in flight after six times as long. `None`:
    /// never, as for files.
    pub idle_timeout: Option<Duration>,
    /// What is asked of contents. `None`: nothing, and no body is looked into.
    pub bodies: Option<Arc<body::Options>>,
    /// The exchange that is followed: connection and stream.
    pub follow: Option<(u64, u32)>,
    /// Memory of the process, of which each shard has its share.
    pub memory: Memory,
}

/// One shard of the analysis.
#[derive(Debug)]
pub struct Pipeline {
    settings: PipelineConfig,
    table: Table<Layers>,
    budget: Budget,
    totals: Totals,
    tls: tls::Workspace,
    /// Bytes of memory that the connections take above TCP; of all that is held, the most there were and how many there may
    /// be; and connections given up for it.
    memory: usize,
    memory_most: usize,
    memory_cap: usize,
    evicted_for_memory: u64,
    waiting: [Waiting; LANES],
    /// Of connections that are over.
    pace: Pace,
    awaiting: Awaiting,
    lined: Lined,
    now: Moment,
}

/// A segment, for those who compare captures.
fn view<'a>(id: u64, senders: [Endpoint; 2], from: Direction, segment: &Segment<'a>) -> SegmentView<'a> {
    SegmentView {
        connection: id,
        senders,
        from,
        at: segment.at,
        seq: segment.seq,
        len: SegmentFacts::of(segment).len,
        ack: segment.flags.ack().then_some(segment.ack),
        syn: segment.flags.syn(),
        fin: segment.flags.fin(),
        ip_id: segment.ip_id,
        payload: segment.payload,
    }
}

/// What the connection has held back can be handed on, and is by and by.
fn lags(entry: &ConnectionEntry<Layers>) -> bool {
    entry.reassembly.lags() || entry.state.as_ref().is_some_and(Layers::lags)
}

/// Connections of one slice that wait for holes to fill, or for what filled them to be handed on. What is done when depends on
/// the slice's segments alone, so that it is the same whichever slices a process looks at.
#[derive(Debug)]
struct Waiting {
    /// Each with its first packet: a slot is used again.
    slots: Vec<(Slot, u64)>,
    checked: Timestamp,
    segments_since_check: usize,
    pace: Pace,
}

impl Waiting {
    const fn new(pace: Pace) -> Self {
        Self { slots: Vec::new(), checked: Timestamp::from_nanos(0), segments_since_check: 0, pace }
    }

    /// A segment with so many octets has come; so many bytes of records may be made.
    #[inline]
    fn segment(&mut self, octets: usize) -> usize {
        self.segments_since_check += 1;
        self.pace.segment(octets);
        self.pace.credit()
    }

    /// Whether it is time to look, not more often than there are connections that wait: the work stays linear in the
    /// segments.
    fn is_due(&self, now: Timestamp) -> bool {
        now.since(self.checked) >= tuning::HOLE_GRACE / 4 && self.segments_since_check > self.slots.len()
    }
}

impl Pipeline {
    /// An empty shard.
    pub fn new(settings: PipelineConfig) -> Self {
        let share = |cap| settings.memory.share(cap);
        let memory = Budget::new(share(limits::BODY_MEMORY_SHARD));
        let pace = Pace::new(settings.memory);
        let body_means = body::Means { memory, ..body::Means::default() };
        Self {
            table: Table::new(limits::CONNECTIONS_SHARD),
            budget: Budget::new(share(limits::REASSEMBLY_SHARD)),
            totals: Totals { body_means, ..Totals::default() },
            tls: tls::Workspace::with_budget(tls::Budget::new(share(limits::MAX_TLS_HELD_TOTAL / SHARDS))),
            memory: 0,
            memory_most: 0,
            memory_cap: share(limits::CONNECTION_MEMORY_SHARD),
            evicted_for_memory: 0,
            waiting: std::array::from_fn(|_| Waiting::new(pace)),
            pace,
            awaiting: Awaiting::default(),
            lined: Lined::default(),
            now: Moment::default(),
            settings,
        }
    }

    /// Bytes of memory held by all connections of the shard.
    fn held(&self) -> usize {
        self.memory + self.table.memory() + self.budget.held() + self.totals.body_means.memory.held()
    }

    /// Takes another pool of streams in exchange for its own: the shards of a thread use one in turn.
    pub fn swap_pool(&mut self, pool: &mut StreamPool) {
        std::mem::swap(&mut self.totals.pool, pool);
    }

    /// The next segment of this shard's connections; `lane` says which slice of them its connection is in.
    pub fn segment(
        &mut self,
        lane: usize,
        segment: &Segment<'_>,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) {
        let found = self.table.find(segment, Layers::default);
        self.now = Moment { packet: segment.at.packet, time: self.now.time.max(segment.at.time) };
        if let Some(mut entry) = found.replaced {
            self.finish_entry(&mut entry, EndHow::Eof, segment.at, keys, out);
        }
        self.totals.payload_bytes += segment.payload.len() as u64;
        let Some(entry) = self.table.get_mut(found.slot) else { return };
        let Some(layers) = entry.state.as_mut() else {
            let verdict = entry.reassembly.judge_late(found.from, segment);
            return self.totals.judged(verdict, entry.misses_more);
        };
        if layers.ends.is_none() {
            layers.ends = Some(entry.senders);
            layers.id = entry.first.packet;
            layers.note_begun(&entry.reassembly);
        }
        if let Some(syn) = layers.syn.get_mut(found.from.index()) {
            *syn |= segment.flags.syn() && entry.reassembly.is_own_syn(found.from, segment);
        }
        let room = self.waiting.get_mut(lane).map_or(0, |waiting| waiting.segment(segment.payload.len()));
        self.pace.segment(segment.payload.len());
        let mut cx = Context::new(segment.at, &self.settings, &mut self.totals, &mut self.tls, keys, out)
            .with_room(room);
        cx.note_received(&entry.reassembly, Some((found.from, segment)));
        let mut input = LayersInput { layers, cx: &mut cx };
        input.layers.note_sender(found.from);
        let repeated = entry.reassembly.stats(found.from).retransmitted;
        let verdict = entry.reassembly.segment(found.from, segment, &mut self.budget, &mut input);
        input.tunnels();
        let (closed, waits) = (entry.reassembly.closed(), entry.reassembly.waits() || input.layers.lags());
        if entry.reassembly.caught_up(found.from) {
            input.caught_up(found.from, entry.reassembly.handed_on(found.from));
        }
        if waits || entry.listed {
            input.set_holes(entry.reassembly.holes());
        }
        if input.cx.wanted.times() && verdict == Verdict::Accepted {
            let repeated = entry.reassembly.stats(found.from).retransmitted > repeated;
            let facts = SegmentFacts { repeated, ..SegmentFacts::of(segment) };
            input.segment(found.from, &facts, entry.reassembly.holes());
        }
        if input.cx.wanted.segments && verdict == Verdict::Accepted {
            input.cx.out.segment(&view(input.layers.id, entry.senders, found.from, segment));
        }
        let listed = waits && !std::mem::replace(&mut entry.listed, true);
        if let Some(waiting) = self.waiting.get_mut(lane) {
            waiting.pace.spend(cx.made());
            if listed {
                waiting.slots.push((found.slot, entry.first.packet));
            }
        }
        self.totals.judged(verdict, layers.http2().is_some());
        let awaits = !layers.listed && layers.awaits_secrets();
        layers.weigh(&mut self.memory);
        if closed {
            self.close(found.slot, segment.at, keys, out);
        }
        self.keep_within_memory(found.slot, segment.at, keys, out);
        if awaits {
            self.await_secrets(found.slot);
        }
        if self.awaiting.segment() {
            self.look_for_secrets(0..u64::MAX, tuning::AWAITED_AT_ONCE, segment.at, keys, out);
        }
        if self.waiting.get(lane).is_some_and(|waiting| waiting.is_due(segment.at.time)) {
            self.check_waiting(lane, segment.at, keys, out);
            self.expire(segment.at, keys, out);
        }
    }

    /// Packet time has gone on (or, live, the clock, when nothing comes): gives up holes and idle connections.
    pub fn tick(&mut self, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        self.now = Moment { packet: now.packet, time: self.now.time.max(now.time) };
        self.pace.tick();
        self.waiting.iter_mut().for_each(|waiting| waiting.pace.tick());
        for lane in 0..LANES {
            self.check_waiting(lane, self.now, keys, out);
        }
        self.expire(self.now, keys, out);
    }

    /// New TLS secrets: what may wait for them, and is to [look](Self::look) for them now.
    pub fn line_up_waiting(&mut self) -> Vec<Ending> {
        self.awaiting.new_secrets();
        let table = &mut self.table;
        let waiting = self.awaiting.due().iter().filter_map(|&(slot, first)| {
            let entry = table.get_mut(slot).filter(|entry| entry.first.packet == first)?;
            Some(Ending::of(entry))
        });
        waiting.collect()
    }

    /// Of what waits for TLS secrets, all whose first packet is in this range goes on, if it can.
    pub fn look(&mut self, first: Range<u64>, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        if self.awaiting.is_due() {
            self.look_for_secrets(first, usize::MAX, now, keys, out);
        }
    }

    /// Puts a connection that waits for TLS secrets into the list of those.
    fn await_secrets(&mut self, slot: Slot) {
        let Some(entry) = self.table.get_mut(slot) else { return };
        let Some(layers) = entry.state.as_mut() else { return };
        if layers.listed || !layers.awaits_secrets() {
            return;
        }
        layers.listed = true;
        let (first, table) = (entry.first.packet, &mut self.table);
        self.awaiting.add(slot, first, |slot, first| {
            table.get_mut(slot).is_some_and(|entry| entry.first.packet == first && entry.state.is_some())
        });
    }

    /// Goes on with connections whose secrets may have come, and whose first packet is in this range, until they have handed on
    /// about so many bytes of what they kept.
    #[cold]
    fn look_for_secrets(
        &mut self,
        first: Range<u64>,
        most: usize,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) {
        let before = self.tls.looked_through();
        let mut cx = Context::new(now, &self.settings, &mut self.totals, &mut self.tls, keys, out);
        let (mut slots, mut handed_on, mut last) = (self.awaiting.take(first), 0, None);
        slots.retain(|&(slot, first)| {
            if handed_on >= most {
                return true;
            }
            last = Some(slot);
            let entry = self.table.get_mut(slot).filter(|entry| entry.first.packet == first);
            let Some(layers) = entry.and_then(|entry| entry.state.as_mut()) else { return false };
            let held = layers.held();
            let mut input = LayersInput { layers, cx: &mut cx };
            input.new_secrets();
            input.tunnels();
            layers.weigh(&mut self.memory);
            layers.listed = layers.awaits_secrets();
            handed_on += held.saturating_sub(layers.held());
            layers.listed
        });
        self.awaiting.give_back(slots, handed_on >= most);
        let looked_through = self.tls.looked_through() - before;
        // What is handed on at once is handed on whatever it takes.
        let paced = if most < usize::MAX { handed_on as u64 } else { 0 };
        self.awaiting.pay_for(looked_through + paced);
        if let Some(at_hand) = last {
            self.give_up_read(at_hand, now, keys, out);
            self.keep_within_memory(at_hand, now, keys, out);
        }
    }

    /// How full came what is bounded for all of the shard's connections.
    pub fn loads(&self) -> [Load; 8] {
        let [held, trials] = self.tls.loads();
        let bodies = &self.totals.body_means.memory;
        let [decoded, shown] = self.totals.body_means.credit.wanted();
        [
            Load::new(Limit::Connections, self.table.most, limits::CONNECTIONS_SHARD),
            Load::new(Limit::ConnectionMemory, self.memory_most, self.memory_cap),
            Load::new(Limit::ReassemblyTotal, self.budget.most(), self.budget.cap()),
            held,
            trials,
            Load::new(Limit::BodyMemory, bodies.most(), bodies.cap()),
            Load { limit: Limit::BodyDecoding, most: decoded, cap: limits::BODY_DECODED_SHARD as u64 },
            Load { limit: Limit::BodyShown, most: shown, cap: limits::BODY_SHOWN_SHARD as u64 },
        ]
    }

    fn check_waiting(&mut self, lane: usize, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        let Some(waiting) = self.waiting.get_mut(lane) else { return };
        (waiting.checked, waiting.segments_since_check) = (now.time, 0);
        let (mut slots, mut pace) = (std::mem::take(&mut waiting.slots), waiting.pace);
        slots.retain(|&(slot, first)| {
            let Some(entry) = self.table.get_mut(slot).filter(|entry| entry.first.packet == first) else {
                return false;
            };
            let Some(layers) = entry.state.as_mut() else {
                entry.listed = false;
                return false;
            };
            let mut cx = Context::new(now, &self.settings, &mut self.totals, &mut self.tls, keys, out)
                .with_room(pace.credit());
            cx.note_received(&entry.reassembly, None);
            let mut input = LayersInput { layers, cx: &mut cx };
            let waited = entry.reassembly.holes();
            input.catch_up();
            entry.reassembly.tick(now, &mut self.budget, &mut input);
            input.tunnels();
            for (from, waited) in [Direction::Forward, Direction::Backward].into_iter().zip(waited) {
                if waited && entry.reassembly.caught_up(from) {
                    input.caught_up(from, entry.reassembly.handed_on(from));
                }
            }
            input.set_holes(entry.reassembly.holes());
            layers.weigh(&mut self.memory);
            entry.listed = entry.reassembly.waits() || layers.lags();
            let (listed, closed) = (entry.listed, entry.reassembly.closed());
            pace.spend(cx.made());
            if closed {
                self.close(slot, now, keys, out);
            } else {
                self.await_secrets(slot);
            }
            listed && !closed
        });
        if let Some(waiting) = self.waiting.get_mut(lane) {
            slots.append(&mut waiting.slots);
            (waiting.slots, waiting.pace) = (slots, pace);
        }
    }

    fn expire(&mut self, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        while self.table.forget(now.time) {}
        let Some(idle) = self.settings.idle_timeout else { return };
        let patient = |entry: &ConnectionEntry<Layers>| idle * entry.state.as_ref().map_or(1, patience);
        while let Some(slot) = self.table.idle(now.time, patient) {
            if self.table.get_mut(slot).is_some_and(|entry| lags(entry)) {
                break;
            }
            if self.rest(slot, idle, now, keys, out) {
                self.table.rest(slot);
            } else if let Some(mut entry) = self.table.remove(slot) {
                self.finish_entry(&mut entry, EndHow::Idle, now, keys, out);
            }
        }
        while self.held() > self.memory_cap / 2
            && let Some(mut entry) = self.table.give_up_resting()
        {
            self.finish_entry(&mut entry, EndHow::Idle, now, keys, out);
        }
    }

    /// Something was read of the connection at hand: the connections are kept within their memory.
    #[inline]
    fn keep_within_memory(
        &mut self,
        at_hand: Slot,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) {
        let held = self.held();
        self.memory_most = self.memory_most.max(held);
        if held > self.memory_cap {
            self.make_room(at_hand, now, keys, out);
        }
    }

    /// What waited for secrets was read: where that takes too much memory it goes first, as the others that wait are to be read
    /// next, and not all at one time.
    fn give_up_read(&mut self, slot: Slot, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        while self.held() > self.memory_cap && self.table.give_up_ended() {}
        if self.held() > self.memory_cap
            && let Some(mut entry) = self.table.remove(slot)
        {
            self.evicted_for_memory += 1;
            self.finish_entry(&mut entry, EndHow::Eof, now, keys, out);
        }
    }

    /// The connections take too much memory. What is remembered of ended ones goes first, then those idle for longest, such
    /// without HTTP/2 before others; the one at hand if it alone takes too much.
    #[cold]
    fn make_room(&mut self, at_hand: Slot, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        while self.held() > self.memory_cap {
            if self.table.give_up_ended() {
                continue;
            }
            let worth = |entry: &ConnectionEntry<Layers>| {
                !entry.is_resting() && entry.state.as_ref().is_some_and(|layers| layers.http2().is_some())
            };
            let Some(mut entry) = self.table.give_up(at_hand, worth) else { return };
            self.evicted_for_memory += u64::from(!entry.is_resting());
            self.finish_entry(&mut entry, EndHow::Eof, now, keys, out);
        }
    }

    /// A connection is given up that has left the table, if it is not over already.
    fn finish_entry(
        &mut self,
        entry: &mut ConnectionEntry<Layers>,
        how: EndHow,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) {
        if let Some(layers) = entry.state.take() {
            let end = StreamEnd { by: EndBy::Capture, how, code: None };
            let span = (entry.first, entry.last);
            self.finish_connection(layers, &mut entry.reassembly, span, end, now, keys, out);
        }
    }

    /// Both directions have ended.
    fn close(&mut self, slot: Slot, now: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        let Some(layers) = self.table.retire(slot, now.time) else { return };
        let Some(entry) = self.table.get_mut(slot) else { return };
        entry.misses_more = layers.http2().is_some();
        let mut reassembly = std::mem::take(&mut entry.reassembly);
        let span = (entry.first, entry.last);
        // Both ends were seen, which says how it ended.
        let end = StreamEnd { by: EndBy::Tcp, how: EndHow::Fin, code: None };
        self.finish_connection(layers, &mut reassembly, span, end, now, keys, out);
        if let Some(entry) = self.table.get_mut(slot) {
            entry.reassembly = reassembly;
        }
    }
}
