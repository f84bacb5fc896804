//! What the HTTP/2 stage tells: frames, header blocks field by field, data, ends, losses.

use super::anomaly::Anomaly;
use super::block::{Block, BlockEnd, FrameSpot};
use super::foreign::Foreign;
use super::frame::{Flags, FrameHeader, FrameView};
use super::hpack;
use super::ledger::{Ledger, SettingsValues, WindowChange};
use super::side::Side;
use crate::base::time::Moment;
use crate::flow::{Arrival, GapCause};

/// A request made with HTTP/1.1 that asked for an upgrade to HTTP/2 (RFC 7540 section 3.2).
#[derive(Clone, Copy, Debug)]
pub struct UpgradeRequest<'a> {
    /// Its fields, names in lower case, with the pseudo-header fields that its request line stands for.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// Octets of its content.
    pub body: u64,
    /// The content, or its beginning.
    pub content: &'a [u8],
    /// The packet with its first byte.
    pub first: Moment,
    /// The packet with its last byte.
    pub last: Moment,
}

/// What SETTINGS, or their acknowledgment, have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsChange {
    /// The sender of the frame has announced settings.
    Announced {
        /// Those that it had announced last.
        before: SettingsValues,
        /// Its peer had acknowledged them before they were read: its direction is ahead.
        early: bool,
    },
    /// The sender has acknowledged settings of its peer, which are in force now.
    Acknowledged {
        /// Those that were in force before.
        before: SettingsValues,
    },
}

/// What comes with an event: who sent what it tells of, how its last byte arrived, and the connection's state by then.
#[derive(Clone, Copy, Debug)]
pub struct EventContext<'a> {
    /// The sender.
    pub from: Side,
    /// How the last byte came that the event tells of; of a loss, how it became certain.
    pub arrival: &'a Arrival,
    /// What both sides have said so far, before the frame that the event tells of takes effect.
    pub ledger: &'a Ledger,
}

impl EventContext<'_> {
    /// The packet with the last byte.
    pub const fn at(&self) -> Moment {
        self.arrival.at
    }

    /// The same; where that byte is missing, the packet by which it had come at the latest, as far as that is known.
    pub fn came(&self) -> Moment {
        self.arrival.came()
    }

    /// How the latest bytes of a side came.
    pub fn latest(&self, side: Side) -> &Arrival {
        if side == self.from { self.arrival } else { self.ledger.latest(side) }
    }
}

/// Where a stream was reset (RFC 9113 section 6.4). What the other side had sent by then is often read later: packets are
/// captured out of order, and one direction waits for a hole to fill while the other goes on.
#[derive(Clone, Copy, Debug)]
pub struct ResetPlace {
    /// Who reset the stream.
    pub from: Side,
    /// The packet.
    pub at: Moment,
    /// Up to where its sender had acknowledged the other side's TCP stream.
    pub acknowledged: u64,
}

impl ResetPlace {
    /// Of a reset that is told now.
    pub fn of(cx: &EventContext<'_>) -> Self {
        let acknowledged = cx.arrival.acknowledged.unwrap_or_else(|| cx.ledger.acknowledged(cx.from));
        Self { from: cx.from, at: cx.at(), acknowledged }
    }

    /// What `from` has sent now came after the reset. What the reset's sender had acknowledged came before, whatever the
    /// order of the packets; what stands behind bytes that came after it did so itself, whichever packet bears it.
    pub fn is_before(&self, cx: &EventContext<'_>, from: Side) -> bool {
        let later = || cx.ledger.newest_packet(from) > self.at.packet;
        self.from == from || (later() && cx.latest(from).span.start >= self.acknowledged)
    }
}

/// Takes the events of one connection. What a call lends lives until it returns. A sink takes note of what it needs and
/// leaves the rest alone; `(A, B)` is a sink that tells A, then B, and `None` is one that takes no note of anything.
#[expect(unused_variables, reason = "the names say what a sink is told")]
pub trait EventSink {
    /// [`EventSink::frame`] is to be called.
    fn wants_frames(&self) -> bool {
        false
    }

    /// A frame header was read; it began in the packet `first`.
    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: Moment) {}

    /// The same, of HEADERS that opens a header block and ends it, and that has come whole in the packet of the event: the events
    /// that tell of the block follow before any other that tells of a frame's parts.
    fn block_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader) {
        self.frame_header(cx, header, cx.at());
    }

    /// A frame was read whole, or as much of it as there is.
    fn frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {}

    /// Octets of the frame's payload are not in the capture: what it says is not known. Not told of DATA, and of what bears a
    /// part of a header block.
    fn frame_cut(&mut self, cx: &EventContext<'_>, header: &FrameHeader) {}

    /// Octets came of a frame that bears a part of a header block and has not come whole in one packet, or padding of DATA; `first`:
    /// no octet of its payload had come before.
    fn frame_part(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: bool) {}

    /// A header block begins; its fields follow, then [`EventSink::block_end`].
    fn block_start(&mut self, cx: &EventContext<'_>, block: &Block) {}

    /// The names for whose fields [`EventSink::field`] is to be called; asked for before a block's first field and behind it. It
    /// may be called for others, too: another sink wants them, or their name has no number, or their value is odd.
    fn wanted_fields(&self) -> hpack::NameSet {
        hpack::NameSet::default()
    }

    /// A field of the block.
    fn field(&mut self, field: &hpack::Field<'_>) {}

    /// A field of the block that no sink wants.
    fn pass_field(&mut self) {}

    /// The block is over.
    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {}

    /// DATA without padding that has come whole in the packet of the event, with this payload: stands for the events that tell
    /// of its parts.
    fn whole_data(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>, bytes: &[u8], spot: FrameSpot) {
        let FrameHeader { stream, flags, .. } = frame.header;
        self.frame_header(cx, &frame.header, frame.at);
        if !bytes.is_empty() {
            self.data(cx, stream, bytes);
        }
        if self.wants_frames() {
            self.frame(cx, frame);
        }
        self.data_end(cx, stream, flags.has(Flags::END_STREAM), spot);
    }

    /// DATA payload without padding, in order, in pieces as captured.
    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {}

    /// DATA payload that is not in the capture; its length is known from the frame header.
    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {}

    /// A DATA frame is over.
    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, spot: FrameSpot) {}

    /// RST_STREAM; the code is unknown where its bytes are lost.
    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, code: Option<u32>, spot: FrameSpot) {}

    /// PING, or its acknowledgment.
    fn ping(&mut self, cx: &EventContext<'_>, ack: bool, opaque: [u8; 8]) {}

    /// DATA or `WINDOW_UPDATE` has taken effect: the ledger has other windows. Told where windows are followed.
    fn window_changed(&mut self, cx: &EventContext<'_>, change: WindowChange) {}

    /// GOAWAY.
    fn goaway(&mut self, cx: &EventContext<'_>, last_stream: u32, code: u32, debug: &[u8]) {}

    /// The connection was upgraded by this request, which opens stream 1 and is whole.
    fn upgraded(&mut self, cx: &EventContext<'_>, request: &UpgradeRequest<'_>) {}

    /// A setting, of a SETTINGS frame without ACK.
    fn setting(&mut self, from: Side, id: u16, value: u32) {}

    /// SETTINGS of a side, or their acknowledgment by its peer, have changed the ledger.
    fn settings_changed(&mut self, cx: &EventContext<'_>, change: &SettingsChange) {}

    /// The client's preface was read, of which it was not known whether it is in the capture.
    fn begins(&mut self, from: Side) {}

    /// Frames of this side were lost, one cannot know which: any stream may have lost something.
    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {}

    /// So many bytes were skipped until a frame boundary was found, there, or until the end came. May be none.
    fn skipped(&mut self, cx: &EventContext<'_>, bytes: u64) {}

    /// A side does not speak HTTP/2, but this; nothing of it follows.
    fn foreign(&mut self, cx: &EventContext<'_>, what: &Foreign) {}

    /// The protocol was broken, in a frame that began at this moment.
    fn anomaly(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment) {}
}
