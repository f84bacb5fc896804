//! What is remembered of streams that the agent gave up, until the exact side asks why.

use super::fifo::Fifo;
use super::key::StreamKey;
use super::trace::Trace;
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// Traces of streams that are not in flight any more and were not emitted: at most [`AGENT_TRACES`](crate::base::limits::AGENT_TRACES), the
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
    pub(super) fn new(cap: usize) -> Self {
        Self { numbers: HashMap::default(), kept: Fifo::new(cap), evicted: 0 }
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

    /// The most places that were wanted at one time.
    pub(super) fn most(&self) -> usize {
        self.kept.most(self.evicted == 0 && self.kept.count() == 0)
    }

    /// Takes the trace of a stream.
    pub(super) fn take(&mut self, key: StreamKey) -> Option<Trace> {
        let number = self.numbers.remove(&key)?;
        self.kept.take(number).map(|(_, trace)| trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits;

    #[test]
    fn cap_agent_traces() {
        let mut traces = Traces::new(limits::AGENT_TRACES);
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
}
