//! What a hole costs one direction, and how it reads on: a hole within a frame costs that frame, after any other a
//! boundary is looked for.

use super::{Half, PREFACE, ParseState};
use crate::flow::{Arrival, Gap, GapCause};
use crate::http2::event::EventSink;
use crate::http2::frame::{self, Flags, FrameType};
use crate::http2::ledger::Ledger;
use crate::http2::resync::{Piece, RequiredEvidence};

impl Half {
    /// Bytes are missing.
    pub(in crate::http2) fn gap(
        &mut self,
        arrival: &Arrival,
        gap: Gap,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.finish_foreign(arrival, ledger, sink);
        if self.state == ParseState::Foreign {
            return;
        }
        self.last_gap = gap.cause;
        ledger.missed(self.from, gap.len);
        self.join(arrival, ledger);
        if gap.len.is_none() {
            // What came before it is decided now, and may be read up to it.
            self.search(ledger, true, sink);
        }
        if self.state == ParseState::Lost {
            ledger.counters.losses += 1;
            sink.lost(&self.context(arrival, ledger), gap.cause);
            self.openings.lose_more();
            match gap.len {
                Some(len) => self.buffer.push_gap(arrival, len, gap.cause),
                None => self.buffer.skip_all(),
            }
            return;
        }
        let Some(len) = gap.len else {
            self.openings.lose(None);
            return self.lose(arrival, gap.cause, ledger, sink);
        };
        let within = self.lose_bytes(arrival, len, gap.cause, ledger, sink);
        if len > within {
            self.buffer.push_gap(arrival, len - within, gap.cause);
        }
    }

    /// A direction of which nothing was read does not begin with the preface: it is joined late.
    pub(super) fn join(&mut self, arrival: &Arrival, ledger: &mut Ledger) {
        if let ParseState::Unread(known) = self.state {
            self.state = ParseState::Lost;
            self.buffer.push_data(arrival, PREFACE.get(..known).unwrap_or_default());
            ledger.joins_late(self.from);
        }
    }

    /// A hole of known size: what of it lies in the frame being read costs that frame alone. Returns how much
    /// that is; framing is lost when it is not all.
    fn lose_bytes(
        &mut self,
        arrival: &Arrival,
        len: u64,
        cause: GapCause,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) -> u64 {
        let within = if self.state == ParseState::Payload { len.min(u64::from(self.frame.left)) } else { 0 };
        if within > 0 {
            self.lose_payload(arrival, within as u32, cause, ledger, sink);
        }
        if len > within {
            let is_between = self.state == ParseState::Header && self.head.is_empty();
            self.openings.lose(is_between.then_some(len - within));
            self.lose(arrival, cause, ledger, sink);
        }
        within
    }

    /// Octets of the payload are not in the capture; they cost this frame and nothing else.
    fn lose_payload(
        &mut self,
        arrival: &Arrival,
        len: u32,
        cause: GapCause,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.frame.left -= len;
        self.frame.lossy.get_or_insert(cause);
        if self.frame.header.kind == FrameType::DATA {
            let pad_octet =
                u32::from(self.frame.padding.is_none() && self.frame.header.flags.has(Flags::PADDED));
            let padding = self.frame.padding.get_or_insert(0).saturating_sub(self.frame.left);
            let data = len.saturating_sub(padding + pad_octet);
            let cx = self.context(arrival, ledger);
            sink.data_lost(&cx, self.frame.header.stream, u64::from(data), cause);
        }
        if self.frame.left == 0 {
            let payload = std::mem::take(&mut self.payload);
            self.close_frame(arrival, &payload, ledger, sink);
            self.payload = payload;
        }
    }

    /// What was inserted into the dynamic table stands at an unknown distance, and streams may have been opened.
    pub(super) fn lose_past(&mut self) {
        self.decoder.lose_past();
        self.openings.forget();
    }

    /// Framing is lost: everything of this direction that depends on what is missing is given up, but for the dynamic table.
    pub(super) fn lose(
        &mut self,
        arrival: &Arrival,
        cause: GapCause,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        if self.state == ParseState::Payload {
            self.lose_payload(arrival, self.frame.left, cause, ledger, sink);
        }
        self.cut_block(arrival, cause, ledger, sink);
        self.block_lost = true;
        self.head.clear();
        ledger.lost(self.from);
        self.recovered = true;
        self.first_frame = false;
        self.unsure = false;
        self.last_gap = cause;
        self.buffer.clear();
        self.state = ParseState::Lost;
        ledger.counters.losses += 1;
        sink.lost(&self.context(arrival, ledger), cause);
    }

    /// Looks for a boundary in the buffer, and reads on from there.
    pub(super) fn search(&mut self, ledger: &mut Ledger, last: bool, sink: &mut impl EventSink) {
        while self.state == ParseState::Lost && self.buffer.len() >= frame::LEN {
            let expect = ledger.expect_after(self.from, self.buffer.skipped() + self.buffer.len() as u64);
            if self.buffer.search(&expect, RequiredEvidence::BOUNDARY, last).is_none() {
                return;
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            self.state = ParseState::Header;
            let skipped = buffer.take_skipped();
            ledger.missed(self.from, Some(skipped));
            if skipped > 0 {
                self.openings.lose_more();
            }
            if let Some(Piece::Data(arrival, _)) = buffer.next_piece() {
                ledger.counters.skipped_bytes += skipped;
                sink.skipped(&self.context(&arrival, ledger), skipped);
            }
            while self.state != ParseState::Lost {
                let read = match buffer.next_piece() {
                    None => break,
                    Some(Piece::Data(arrival, bytes)) => self.read(&arrival, bytes, ledger, sink),
                    Some(Piece::Gap(arrival, len, cause)) => {
                        self.lose_bytes(&arrival, len, cause, ledger, sink) as usize
                    }
                };
                buffer.consume(read);
            }
            if self.state != ParseState::Lost {
                buffer.clear();
            }
            self.buffer = buffer;
        }
    }
}
