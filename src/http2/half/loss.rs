//! What a hole costs one direction, and how it reads on: a hole within a frame costs that frame, after any other a
//! boundary is looked for.

use super::{Half, PREFACE, State};
use crate::base::time::Moment;
use crate::flow::{Gap, GapCause};
use crate::http2::event::EventSink;
use crate::http2::frame::{self, Flags, FrameType};
use crate::http2::resync::{Demand, Piece};
use crate::http2::settings::Shared;

impl Half {
    /// Bytes are missing.
    pub(in crate::http2) fn gap(
        &mut self,
        at: Moment,
        gap: Gap,
        shared: &mut Shared,
        sink: &mut impl EventSink,
    ) {
        self.last_gap = gap.cause;
        self.join(at, shared);
        if self.state == State::Lost {
            sink.lost(self.from, gap.cause, at);
            if let Some(len) = gap.len {
                self.tape.push_gap(at, len, gap.cause);
            } else {
                self.search(shared, true, sink);
                self.tape.skip_all();
            }
            return;
        }
        let Some(len) = gap.len else { return self.lose(at, gap.cause, shared, sink) };
        let within = self.lose_bytes(at, len, gap.cause, shared, sink);
        if len > within {
            self.tape.push_gap(at, len - within, gap.cause);
        }
    }

    /// A direction of which nothing was read does not begin with the preface: it is joined late.
    pub(super) fn join(&mut self, at: Moment, shared: &mut Shared) {
        if let State::Unread(known) = self.state {
            self.state = State::Lost;
            self.tape.push_data(at, PREFACE.get(..known).unwrap_or_default());
            shared.lost(self.from);
        }
    }

    /// A hole of known size: what of it lies in the frame being read costs that frame alone. Returns how much
    /// that is; framing is lost when it is not all.
    fn lose_bytes(
        &mut self,
        at: Moment,
        len: u64,
        cause: GapCause,
        shared: &mut Shared,
        sink: &mut impl EventSink,
    ) -> u64 {
        let within = if self.state == State::Payload { len.min(u64::from(self.frame.left)) } else { 0 };
        if within > 0 {
            self.lose_payload(at, within as u32, cause, shared, sink);
        }
        if len > within {
            self.lose(at, cause, shared, sink);
        }
        within
    }

    /// Octets of the payload are not in the capture; they cost this frame and nothing else.
    fn lose_payload(
        &mut self,
        at: Moment,
        len: u32,
        cause: GapCause,
        shared: &mut Shared,
        sink: &mut impl EventSink,
    ) {
        self.frame.left -= len;
        self.frame.lossy.get_or_insert(cause);
        if self.frame.header.kind == FrameType::DATA {
            let pad_octet =
                u32::from(self.frame.padding.is_none() && self.frame.header.flags.has(Flags::PADDED));
            let padding = self.frame.padding.get_or_insert(0).saturating_sub(self.frame.left);
            let data = len.saturating_sub(padding + pad_octet);
            sink.data_lost(self.from, self.frame.header.stream, at, u64::from(data), cause);
        }
        if self.frame.left == 0 {
            let payload = std::mem::take(&mut self.payload);
            self.close_frame(at, &payload, shared, sink);
            self.payload = payload;
        }
    }

    /// Framing is lost: everything of this direction that depends on what is missing is given up.
    pub(super) fn lose(
        &mut self,
        at: Moment,
        cause: GapCause,
        shared: &mut Shared,
        sink: &mut impl EventSink,
    ) {
        if self.state == State::Payload {
            self.lose_payload(at, self.frame.left, cause, shared, sink);
        }
        self.cut_block(cause, shared, sink);
        self.block_lost = true;
        self.head.clear();
        self.decoder.lose_past();
        shared.lost(self.from);
        self.recovered = true;
        self.first_frame = false;
        self.last_gap = cause;
        self.tape.clear();
        self.state = State::Lost;
        sink.lost(self.from, cause, at);
    }

    /// Looks for a boundary on the tape, and reads on from there.
    pub(super) fn search(&mut self, shared: &mut Shared, last: bool, sink: &mut impl EventSink) {
        while self.state == State::Lost && self.tape.len() >= frame::LEN {
            let expect = shared.expect_after(self.from, self.tape.skipped() + self.tape.len() as u64);
            if self.tape.search(&expect, Demand::BOUNDARY, last).is_none() {
                return;
            }
            let mut tape = std::mem::take(&mut self.tape);
            self.state = State::Header;
            let skipped = tape.take_skipped();
            if let Some(Piece::Data(at, _)) = tape.next_piece() {
                sink.skipped(self.from, skipped, at);
            }
            while self.state != State::Lost {
                let read = match tape.next_piece() {
                    None => break,
                    Some(Piece::Data(at, bytes)) => self.read(at, bytes, shared, sink),
                    Some(Piece::Gap(at, len, cause)) => {
                        self.lose_bytes(at, len, cause, shared, sink) as usize
                    }
                };
                tape.consume(read);
            }
            if self.state != State::Lost {
                tape.clear();
            }
            self.tape = tape;
        }
    }
}
