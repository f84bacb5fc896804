//! Frames that come whole in one piece, which most do.

use super::{Frame, Half};
use crate::base::limits;
use crate::flow::Arrival;
use crate::http2::block::FrameSpot;
use crate::http2::event::EventSink;
use crate::http2::frame::{Flags, FrameHeader, FrameType, FrameView};
use crate::http2::ledger::Ledger;

/// Every receiver takes frames of so many octets (RFC 9113 section 6.5.2).
const ANY_RECEIVER: u32 = 1 << 14;

impl Half {
    /// Nothing is known of this side, and of the bytes in hand, that makes a frame of them another than it looks.
    fn is_plain(&self) -> bool {
        !(self.tainted || self.recovered || self.unsure || self.first_frame)
            && self.assembly.stream().is_none()
    }

    /// Reads a DATA frame, if all of it is here and it breaks no rule by itself; returns the bytes after it.
    pub(super) fn read_whole_data<'a>(
        &mut self,
        arrival: &Arrival,
        rest: &'a [u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) -> Option<&'a [u8]> {
        let (header, after) = rest.split_first_chunk()?;
        let header = FrameHeader::parse(header);
        let FrameHeader { length, kind, flags, stream, reserved } = header;
        let ordinary = kind == FrameType::DATA
            && stream != 0
            && length <= ANY_RECEIVER
            && !reserved
            && !flags.has(Flags::PADDED);
        if !(ordinary && self.head.is_empty() && self.is_plain()) {
            return None;
        }
        let (bytes, after) = after.split_at_checked(length as usize)?;
        ledger.credit.earn(rest.len() as u64 - after.len() as u64);
        ledger.saw_stream(self.from, stream);
        ledger.counters.ends_of_stream += u64::from(flags.has(Flags::END_STREAM));
        self.openings.heard_of(stream, flags.has(Flags::END_STREAM));
        self.segment.count(&header, &mut ledger.counters);
        self.frame = Frame { header, at: arrival.at, segment: self.segment.number(), ..Frame::EMPTY };
        let frame = FrameView { at: arrival.at, from_client: self.from.is_client(), header, payload: &[] };
        let spot = FrameSpot { packet: arrival.at.packet, split: false };
        sink.whole_data(&self.context(arrival, ledger), &frame, bytes, spot);
        if let Some(change) = ledger.spend(self.from, &header) {
            sink.window_changed(&self.context(arrival, ledger), change);
        }
        Some(after)
    }

    /// A frame with this header, behind which so many bytes are here, opens a header block and ends it.
    pub(super) fn is_whole_block(&self, header: &FrameHeader, here: usize) -> bool {
        let FrameHeader { length, kind, flags, stream, .. } = *header;
        kind == FrameType::HEADERS
            && flags.has(Flags::END_HEADERS)
            && stream != 0
            && (1..=ANY_RECEIVER.min(limits::FRAME_PAYLOAD as u32)).contains(&length)
            && length as usize <= here
            && !self.tainted
            && self.assembly.stream().is_none()
    }
}
