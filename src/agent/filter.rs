//! From one packet to its interesting frames (docs/agent.md, "Walking a segment"), and the fragmented-frame counters.

use super::arena::NONE;
use super::classify::PREFACE;
use super::connection::Incomplete;
use super::frame::{self, Buffer, FrameHeader, HEADER_LEN, Listed};
use super::key::StreamKey;
use super::state::{Agent, Unit};
use super::trace::Trace;
use crate::base::telemetry_counters::Counters;
use crate::base::verdict::MissReason;

/// Interesting frames that are kept of a packet (`HTTP2_MAX_FRAMES_ITERATIONS`).
const MAX_INTERESTING: usize = 240;
/// Iterations of the filter loop, after the first frame (`HTTP2_MAX_FRAMES_TO_FILTER`).
const MAX_ITERATIONS: usize = 240;

/// What became of the search for a packet's first frame.
struct First {
    frame: Option<(FrameHeader, [u8; HEADER_LEN])>,
    /// The state afterwards.
    state: Option<Incomplete>,
    trouble: Option<Trouble>,
    /// The frame's header came in an earlier packet, with payload bytes that are forgotten.
    resumed: bool,
}

/// What can put the parser out of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Bytes of a split frame were lost.
    Split,
    /// The frames did not all fit within the limits.
    Limit,
    /// A header that the agent takes for none.
    Invalid,
}

impl Agent {
    /// Parses one buffer: the entry point of the HTTP/2 program.
    pub(super) fn parse(&mut self, unit: &Unit<'_>) {
        self.frames.clear();
        let misplaced = !unit.in_order && self.incomplete(unit).is_some();
        let trouble = self.filter(unit);
        self.note_incident(unit, trouble, misplaced);
        if self.frames.is_empty() {
            return;
        }
        // Within a packet every header block is parsed before any end of stream is applied.
        self.headers_pass(unit);
        self.prune(unit);
        self.eos_pass(unit);
    }

    fn filter(&mut self, unit: &Unit<'_>) -> Option<Trouble> {
        let Unit { buf, .. } = *unit;
        let mut at = 0;
        // A preface is skipped, in any packet.
        if buf.bytes.starts_with(PREFACE) {
            at = PREFACE.len() as u32;
            if at == buf.end {
                return None;
            }
        }
        let state = self.incomplete(unit);
        let First { frame, state: next, trouble, resumed } = first_frame(&buf, &mut at, state);
        if next != state {
            self.set_incomplete(unit, next);
        }
        let Some((header, bytes)) = frame else {
            self.keep_header_remainder(unit, at);
            return trouble;
        };
        let counters = self.counters.get_mut(unit.tls);
        count_fragmented(counters, header, at, buf.end);
        // A first frame that runs past the packet hides what else is in it: nothing of this packet is processed.
        let offset = at;
        at += header.length;
        if at > buf.end {
            let interesting = header.is_interesting();
            let payload_seen = interesting && (resumed || offset < buf.end);
            let remainder = at - buf.end;
            let (header_len, bytes) =
                if interesting { (HEADER_LEN as u8, bytes) } else { (0, [0; HEADER_LEN]) };
            self.set_incomplete(
                unit,
                Some(Incomplete { remainder, header_len, header: bytes, payload_seen }),
            );
            if payload_seen {
                self.note_split(unit, header.stream);
            }
            return if payload_seen { Some(Trouble::Split) } else { trouble };
        }
        if header.is_interesting() {
            self.frames.push(Listed { header, offset, stream: NONE });
        }
        self.filter_loop(unit, at).or(trouble)
    }

    /// The frames after the first. One that the packet's end cuts is listed, and processed with the bytes that are
    /// there.
    fn filter_loop(&mut self, unit: &Unit<'_>, mut at: u32) -> Option<Trouble> {
        let Unit { buf, .. } = *unit;
        let counters = self.counters.get_mut(unit.tls);
        let (mut iterations, mut trouble) = (0, None);
        while iterations < MAX_ITERATIONS {
            if at + HEADER_LEN as u32 > buf.end {
                break;
            }
            let header = buf.header(at).and_then(FrameHeader::valid);
            at += HEADER_LEN as u32;
            let Some(header) = header else {
                trouble = Some(Trouble::Invalid);
                break;
            };
            count_fragmented(counters, header, at, buf.end);
            if header.is_interesting() {
                self.frames.push(Listed { header, offset: at, stream: NONE });
            } else if header.kind == frame::CONTINUATION {
                counters.continuation_frames += 1;
            }
            at += header.length;
            if self.frames.len() >= MAX_INTERESTING {
                break;
            }
            iterations += 1;
        }
        let more = at < buf.end;
        if self.frames.len() >= MAX_INTERESTING {
            counters.exceeding_max_interesting_frames += 1;
            trouble = more.then_some(Trouble::Limit);
        } else if iterations == MAX_ITERATIONS && at + HEADER_LEN as u32 <= buf.end {
            counters.exceeding_max_frames_to_filter += 1;
            trouble = Some(Trouble::Limit);
        }
        if at > buf.end {
            let remainder = at - buf.end;
            self.set_incomplete(unit, Some(Incomplete { remainder, ..Incomplete::default() }));
        } else {
            self.keep_header_remainder(unit, at);
        }
        trouble
    }

    /// Fewer than nine bytes are left: they are the start of a header.
    fn keep_header_remainder(&mut self, unit: &Unit<'_>, at: u32) {
        let left = unit.buf.end.saturating_sub(at);
        if !(1..HEADER_LEN as u32).contains(&left) {
            return;
        }
        let mut header = [0; HEADER_LEN];
        for (place, &byte) in header.iter_mut().zip(unit.buf.slice(at, left).unwrap_or_default()) {
            *place = byte;
        }
        let remainder = HEADER_LEN as u32 - left;
        self.set_incomplete(
            unit,
            Some(Incomplete { remainder, header_len: left as u8, header, payload_seen: false }),
        );
    }

    fn incomplete(&self, unit: &Unit<'_>) -> Option<Incomplete> {
        self.connections.get(unit.place)?.sides.get(unit.side).incomplete
    }

    /// Changes the entry in the map of incomplete frames; a full map takes no new one.
    fn set_incomplete(&mut self, unit: &Unit<'_>, state: Option<Incomplete>) {
        let Some(connection) = self.connections.get_mut(unit.place) else { return };
        let entry = &mut connection.sides.get_mut(unit.side).incomplete;
        if entry.is_none() && state.is_some() {
            self.incomplete_most = self.incomplete_most.max(self.incomplete_len + 1);
        }
        match (entry.is_some(), state.is_some()) {
            (false, true) if self.incomplete_len >= self.params.max_requests => {
                self.incomplete_refused += 1;
                return;
            }
            (false, true) => self.incomplete_len += 1,
            (true, false) => self.incomplete_len -= 1,
            _ => {}
        }
        *entry = state;
    }

    /// A frame of the stream ran into the defect.
    fn note_split(&mut self, unit: &Unit<'_>, stream: u32) {
        let key = StreamKey::new(unit.serial, stream);
        let live = self.streams.find(key).and_then(|place| self.streams.get_mut(place));
        if let Some(stream) = live {
            stream.trace.split = true;
        } else {
            self.traces.keep(key, &Trace { packet: unit.packet, split: true, ..Trace::default() });
        }
    }

    /// Keeps in mind in which packets frames were lost, and since when the parser may be out of step. `misplaced`: a
    /// frame was to go on here, and this is not the segment that it goes on in.
    fn note_incident(&mut self, unit: &Unit<'_>, trouble: Option<Trouble>, misplaced: bool) {
        let Some(connection) = self.connections.get_mut(unit.place) else { return };
        let directed = connection.sides.get_mut(unit.side);
        let incidents = &mut directed.incidents;
        let left_open = directed.incomplete.is_some();
        if misplaced || !unit.in_order && (left_open || trouble.is_some()) {
            incidents.astray.get_or_insert(MissReason::PacketOrder);
        }
        let reason = match trouble {
            Some(Trouble::Split) => {
                incidents.astray = Some(MissReason::SplitFrame);
                incidents.astray
            }
            Some(Trouble::Limit) => {
                incidents.astray = Some(MissReason::FrameLimit);
                incidents.astray
            }
            Some(Trouble::Invalid) => Some(incidents.astray.unwrap_or(MissReason::InvalidFrame)),
            // Out of step, and still inside what is taken for a frame.
            None if incidents.astray.is_some() && left_open => incidents.astray,
            None => incidents.astray.take().filter(|_| misplaced),
        };
        incidents.record(unit.packet, reason);
    }
}

/// The first frame of a packet, which may have begun in an earlier one.
fn first_frame(buf: &Buffer<'_>, at: &mut u32, state: Option<Incomplete>) -> First {
    let nothing = First { frame: None, state: None, trouble: None, resumed: false };
    let found = |bytes: [u8; HEADER_LEN]| FrameHeader::valid(&bytes).map(|header| (header, bytes));
    let Some(state) = state else {
        if *at + HEADER_LEN as u32 > buf.end {
            return nothing;
        }
        let frame = buf.header(*at).copied().and_then(found);
        *at += HEADER_LEN as u32;
        return First { trouble: frame.is_none().then_some(Trouble::Invalid), frame, ..nothing };
    };
    if usize::from(state.header_len) == HEADER_LEN {
        // The known defect: the payload is taken to start here, though its first bytes were in earlier packets, and
        // the frame to have its full length from here.
        let trouble = state.payload_seen.then_some(Trouble::Split);
        return First { frame: found(state.header), trouble, resumed: state.payload_seen, ..nothing };
    }
    if state.header_len > 0 {
        let mut bytes = state.header;
        // A load that runs past the packet gives zeros.
        let rest = buf.slice(*at, state.remainder);
        let places = bytes.iter_mut().skip(usize::from(state.header_len));
        for (place, &byte) in places.zip(rest.unwrap_or(&[0; HEADER_LEN])) {
            *place = byte;
        }
        let frame = found(bytes);
        if frame.is_some() {
            *at += state.remainder;
        }
        let trouble = match (rest, frame) {
            (None, _) => Some(Trouble::Split),
            (_, None) => Some(Trouble::Invalid),
            _ => None,
        };
        return First { frame, trouble, ..nothing };
    }
    if *at + state.remainder > buf.end {
        let remainder = state.remainder - (buf.end - *at);
        *at = buf.end;
        return First { state: Some(Incomplete { remainder, ..state }), ..nothing };
    }
    *at += state.remainder;
    if *at + HEADER_LEN as u32 > buf.end {
        return nothing;
    }
    let frame = buf.header(*at).copied().and_then(found);
    if frame.is_some() {
        *at += HEADER_LEN as u32;
    }
    First { trouble: frame.is_none().then_some(Trouble::Invalid), frame, ..nothing }
}

/// A frame whose payload runs past the packet; the first that matches.
fn count_fragmented(counters: &mut Counters, header: FrameHeader, payload: u32, end: u32) {
    if payload + header.length <= end {
        return;
    }
    match header.kind {
        frame::HEADERS if header.ends_stream() => counters.exceeding_data_end_headers_eos += 1,
        frame::HEADERS => counters.exceeding_data_end_headers += 1,
        frame::RST_STREAM => counters.exceeding_data_end_rst += 1,
        _ if header.is_data() && header.ends_stream() => counters.exceeding_data_end_data_eos += 1,
        _ => {}
    }
}
