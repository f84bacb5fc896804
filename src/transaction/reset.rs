//! A stream that was reset (RFC 9113 section 6.4), until what the other side had sent by then is read.

use crate::base::limits;
use crate::base::memory::of_tree_entry;
use crate::http2::ResetPlace;
use crate::record::StreamEnd;
use std::collections::BTreeMap;

/// A reset that has not ended its stream yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reset {
    /// Who reset it, and where.
    pub(super) place: ResetPlace,
    /// How the stream will have ended.
    pub(super) end: StreamEnd,
}

/// Resets of streams that were not open yet when they were read: at most [`limits::EARLY_RESETS`].
#[derive(Debug, Default)]
pub(super) struct EarlyResets(BTreeMap<u32, Reset>);

impl EarlyResets {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.0.len() * of_tree_entry::<u32, Reset>()
    }

    /// The reset of a stream that opens now.
    pub(super) fn take(&mut self, id: u32) -> Option<Reset> {
        if self.0.is_empty() { None } else { self.0.remove(&id) }
    }

    /// Keeps a reset; whether another one had to be forgotten for it.
    pub(super) fn keep(&mut self, id: u32, reset: Reset) -> bool {
        self.0.entry(id).or_insert(reset);
        self.0.len() > limits::EARLY_RESETS && self.0.pop_first().is_some()
    }
}

/// Streams that the other side has reset, until what this side had sent by then is read: at most twice
/// [`limits::STREAMS_CONNECTION`], as those that are over meanwhile are taken out before more are kept.
#[derive(Debug, Default)]
pub(super) struct Awaited(Vec<u32>);

impl Awaited {
    /// Adds a stream; `open` tells which ones still are.
    pub(super) fn push(&mut self, id: u32, open: impl Fn(u32) -> bool) {
        if self.0.len() >= 2 * limits::STREAMS_CONNECTION {
            self.0.retain(|&id| open(id));
        }
        self.0.push(id);
    }

    /// Keeps those that `awaited` says.
    pub(super) fn retain(&mut self, mut awaited: impl FnMut(u32) -> bool) {
        self.0.retain(|&id| awaited(id));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_are_over_are_not_awaited_for_ever() {
        let mut awaited = Awaited::default();
        for id in 0..1_000_000 {
            awaited.push(id, |open| open + 10 > id);
            assert!(awaited.0.len() <= 2 * limits::STREAMS_CONNECTION);
        }
        assert!(awaited.memory() <= 16 * limits::STREAMS_CONNECTION, "{} bytes", awaited.memory());
        let newest: Vec<u32> = (999_991..1_000_000).collect();
        assert!(awaited.0.ends_with(&newest), "the open ones are kept");
    }
}
