//! What a segment tells beside its bytes: what its sender has sent and received, and for how much more it has room.

use crate::base::tcp::WindowScale;
use crate::base::time::Moment;
use crate::packet::Segment;

/// What one segment tells of TCP (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    /// Its packet.
    pub at: Moment,
    /// Sequence number behind its last byte, a SYN and a FIN counted.
    pub end: u32,
    /// Payload bytes.
    pub len: u32,
    /// All of them had come before.
    pub repeated: bool,
    /// Acknowledgment number, where the ACK bit is set.
    pub ack: Option<u32>,
    /// The window as in the header, not scaled.
    pub window: u16,
    /// It is a SYN; a scale of windows is negotiated by those of both sides (RFC 7323 section 2.2).
    pub syn: bool,
    /// The window scale option of a SYN.
    pub window_scale: WindowScale,
}

impl SegmentFacts {
    /// What the segment tells.
    pub fn of(segment: &Segment<'_>) -> Self {
        let len = segment.payload_octets();
        let (syn, fin) = (segment.flags.syn(), segment.flags.fin());
        Self {
            at: segment.at,
            end: segment.seq.wrapping_add(len).wrapping_add(u32::from(syn) + u32::from(fin)),
            len,
            repeated: false,
            ack: segment.flags.ack().then_some(segment.ack),
            window: segment.window,
            syn,
            window_scale: segment.window_scale,
        }
    }
}
