//! The end of the capture: the connections that are still there end in the order of their first packets, some at a time.

use super::Pipeline;
use super::context::{Context, Output};
use super::layers::{Layers, LayersInput};
use super::pace::Pace;
use crate::base::limits;
use crate::base::time::Moment;
use crate::base::tuning;
use crate::flow::ConnectionEntry;
use crate::record::EndHow;
use crate::tls;
use std::collections::VecDeque;

/// A connection that the end of the capture ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its first packet, which its records are ordered by.
    pub first: u64,
    /// The same of the last connection within it, or its own.
    pub reach: u64,
    /// Bytes of memory that it holds, and that what it keeps until secrets come or holes fill may become.
    pub weight: usize,
}

impl Ending {
    pub(super) fn of(entry: &ConnectionEntry<Layers>) -> Self {
        let (first, layers) = (entry.first.packet, entry.state.as_ref());
        let reach = layers.map_or(first, |layers| layers.reach().max(first));
        let held = entry.reassembly.held() + layers.map_or(0, Layers::held);
        let weight = layers.map_or(0, |layers| layers.weight) + limits::OUTPUT_EXPANSION as usize * held;
        Self { first, reach, weight }
    }
}

/// Connections that are still to end, in order.
pub(super) type Lined = VecDeque<Box<ConnectionEntry<Layers>>>;

impl Pipeline {
    /// The capture is over: all that is under way is lined up to end.
    pub fn line_up(&mut self) -> Vec<Ending> {
        let mut entries: Vec<_> = self.table.drain().collect();
        entries.sort_unstable_by_key(|entry| entry.first.packet);
        self.lined = entries.into();
        self.lined.iter().map(|entry| Ending::of(entry)).collect()
    }

    /// Those of them end whose first packet stands before this one, or as many of them as at one time may; whether some are left.
    pub fn end_before(
        &mut self,
        before: u64,
        last: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) -> bool {
        let now = Moment { packet: u64::MAX, time: last.time };
        // What is left when a connection ends is little.
        self.pace = Pace::unbounded();
        while self.lined.front().is_some_and(|entry| entry.first.packet < before)
            && let Some(mut entry) = self.lined.pop_front()
        {
            if !self.hand_on_rest(&mut entry, now, keys, out) {
                self.lined.push_front(entry);
                return true;
            }
            self.finish_entry(&mut entry, EndHow::Eof, now, keys, out);
        }
        false
    }

    /// What a connection held back is handed on, as much as at one time may; whether that was all.
    fn hand_on_rest(
        &mut self,
        entry: &mut ConnectionEntry<Layers>,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) -> bool {
        let ConnectionEntry { reassembly, last, state: Some(layers), .. } = entry else { return true };
        let room = self.settings.memory.share(tuning::ENDING_RANGE);
        if limits::OUTPUT_EXPANSION as usize * (reassembly.held() + layers.held()) <= room {
            return true;
        }
        let mut cx =
            Context::new(now, &self.settings, &mut self.totals, &mut self.tls, keys, out).with_room(room);
        cx.note_received(reassembly, None);
        let mut input = LayersInput { layers, cx: &mut cx };
        let is_all = reassembly.hand_on_rest(*last, &mut self.budget, &mut input) && input.hand_on_rest();
        input.tunnels();
        layers.weigh(&mut self.memory);
        is_all
    }
}
