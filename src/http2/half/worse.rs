//! Bytes whose checksum is wrong, where no better copy of them came: what they say is read, and told not to be exact.
//!
//! Nothing that is read later may rest on them: their frames' lengths, settings and table entries are as good as lost.

use super::{Half, ParseState};
use crate::flow::{Arrival, Gap, GapCause};
use crate::http2::event::EventSink;
use crate::http2::ledger::Ledger;

impl Half {
    /// The next bytes, of one segment, which may not be what was sent.
    pub(in crate::http2) fn worse(
        &mut self,
        arrival: &Arrival,
        bytes: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        let gap = |len: usize| Gap::new(Some(len as u64), GapCause::Damaged);
        if !matches!(self.state, ParseState::Header | ParseState::Payload) || self.first_frame {
            // Where no frame is known to begin, they would say anything.
            return self.gap(arrival, gap(bytes.len()), ledger, sink);
        }
        ledger.lost(self.from);
        ledger.counters.losses += 1;
        sink.lost(&self.context(arrival, ledger), GapCause::Damaged);
        self.last_gap = GapCause::Damaged;
        (self.recovered, self.tainted) = (true, true);
        let read = self.read(arrival, bytes, ledger, sink);
        self.tainted = false;
        let begun = self.state == ParseState::Payload && self.frame.begun_tainted;
        if self.state == ParseState::Lost {
            self.buffer.push_gap(arrival, (bytes.len() - read) as u64, GapCause::Damaged);
            return;
        }
        if begun || !self.head.is_empty() || self.assembly.stream().is_some() {
            self.lose(arrival, GapCause::Damaged, ledger, sink);
        }
        self.lose_past();
    }
}
