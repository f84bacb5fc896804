//! A side that does not speak HTTP/2: what it says is told, and none of it is taken for frames.

use super::{Half, ParseState};
use crate::flow::Arrival;
use crate::http2::anomaly::Anomaly;
use crate::http2::event::EventSink;
use crate::http2::foreign::{Foreign, is_foreign};
use crate::http2::ledger::Ledger;

impl Half {
    /// The first octets of the side, fewer than a frame header's or as many, are none of HTTP/2.
    pub(super) fn begins_foreign(&self, begin: &[u8], ledger: &Ledger) -> bool {
        if !self.first_frame {
            return false;
        }
        if self.unsure {
            // What may stand within a frame whose beginning was lost proves nothing.
            return begin.starts_with(b"HTTP/1.");
        }
        is_foreign(begin, ledger.longest_frame(self.from).unwrap_or(0)) == Some(true)
    }

    /// What begins so is no HTTP/2.
    pub(super) fn turn_foreign(
        &mut self,
        begin: &[u8],
        arrival: &Arrival,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.state = ParseState::Foreign;
        self.head.clear();
        self.read_foreign(begin, arrival, ledger, sink);
    }

    /// The next octets.
    pub(super) fn read_foreign(
        &mut self,
        bytes: &[u8],
        arrival: &Arrival,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        if let Some(foreign) = self.first_line.data(bytes) {
            self.tell_foreign(&foreign, arrival, ledger, sink);
        }
    }

    /// No octet follows, or some are missing.
    pub(super) fn finish_foreign(
        &mut self,
        arrival: &Arrival,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        if self.state == ParseState::Header && self.begins_foreign(&self.head, ledger) {
            let head = std::mem::take(&mut self.head);
            self.turn_foreign(&head, arrival, ledger, sink);
        }
        if self.state == ParseState::Foreign
            && let Some(foreign) = self.first_line.finish()
        {
            self.tell_foreign(&foreign, arrival, ledger, sink);
        }
    }

    fn tell_foreign(
        &self,
        foreign: &Foreign,
        arrival: &Arrival,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        ledger.counters.count(Anomaly::NotHttp2);
        sink.foreign(&self.context(arrival, ledger), foreign);
    }
}
