//! A SYN that may begin a connection, until its peer answers (RFC 9293 section 3.10.7.4).

use crate::base::direction::Direction;
use crate::base::tcp::WindowScale;
use crate::base::time::Moment;
use crate::packet::{Network, Segment};

/// A SYN that the peer has not acknowledged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Its packet.
    pub at: Moment,
    /// Who sent it.
    pub from: Direction,
    /// What it acknowledges, if it is itself an answer.
    pub acknowledges: Option<u32>,
    pub(super) seq: u32,
    pub(super) network: Network,
    pub(super) window: u16,
    pub(super) scale: WindowScale,
}

impl Beginning {
    pub(super) fn of(from: Direction, segment: &Segment<'_>) -> Self {
        Self {
            at: segment.at,
            from,
            acknowledges: segment.flags.ack().then_some(segment.ack),
            seq: segment.seq,
            network: segment.network,
            window: segment.window,
            scale: segment.window_scale,
        }
    }

    /// The number of its first byte.
    pub(super) const fn first(&self) -> u32 {
        self.seq.wrapping_add(1)
    }

    /// The segment is the peer's answer: a SYN-ACK, or what answers that.
    pub(super) fn is_answered_by(&self, from: Direction, segment: &Segment<'_>) -> bool {
        from != self.from
            && segment.flags.ack()
            && segment.ack == self.first()
            && match self.acknowledges {
                None => segment.flags.syn(),
                Some(number) => segment.seq == number,
            }
    }

    /// Its own sender goes on with the segment.
    pub(super) fn is_continued_by(&self, from: Direction, segment: &Segment<'_>) -> bool {
        from == self.from && !segment.flags.rst() && segment.seq == self.first()
    }
}
