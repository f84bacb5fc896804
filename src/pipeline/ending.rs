//! The end of the capture: the connections that are still there end in the order of their first packets, some at a time.

use super::Pipeline;
use super::context::Output;
use super::layers::Layers;
use crate::base::limits;
use crate::base::time::Moment;
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
    /// Bytes of memory that it holds, and that what it keeps until secrets come may become.
    pub weight: usize,
}

impl Ending {
    pub(super) fn of(first: u64, layers: Option<&Layers>) -> Self {
        let reach = layers.map_or(first, |layers| layers.reach().max(first));
        let weight =
            layers.map_or(0, |layers| layers.weight + limits::OUTPUT_EXPANSION as usize * layers.held());
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
        self.lined.iter().map(|entry| Ending::of(entry.first.packet, entry.state.as_ref())).collect()
    }

    /// Those of them end whose first packet stands before this one.
    pub fn end_before(&mut self, before: u64, last: Moment, keys: &tls::KeyStore, out: &mut impl Output) {
        let now = Moment { packet: u64::MAX, time: last.time };
        while self.lined.front().is_some_and(|entry| entry.first.packet < before)
            && let Some(mut entry) = self.lined.pop_front()
        {
            self.finish_entry(&mut entry, EndHow::Eof, now, keys, out);
        }
    }
}
