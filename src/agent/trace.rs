//! What happened to a stream, as far as it can make the agent miss a transaction. The kernel keeps none of this: it
//! serves the reasons of [`MissReason`] alone.

use super::tuple::{Side, Sides};
use crate::base::verdict::MissReason;

/// What kept a header block from being captured as it is on the wire: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockMarks(u16);

impl BlockMarks {
    /// The block runs past the segment.
    pub(super) const CUT: Self = Self(1);
    /// `END_HEADERS` is not set.
    pub(super) const CONTINUES: Self = Self(1 << 1);
    /// PADDED is set.
    pub(super) const PADDED: Self = Self(1 << 2);
    /// PRIORITY is set, and the rules do not skip it.
    pub(super) const PRIORITY: Self = Self(1 << 3);
    /// The path is longer than 160 encoded bytes, here or where it was stored.
    pub(super) const LONG_PATH: Self = Self(1 << 4);
    /// Fields that count came after the first four, after two captured ones, or after an integer that the pass
    /// could not read.
    pub(super) const LIMIT: Self = Self(1 << 5);
    /// A reference to an entry that is not stored.
    pub(super) const HPACK: Self = Self(1 << 6);
    /// A size update whose skipping ate bytes of the block.
    pub(super) const SIZE_UPDATE: Self = Self(1 << 7);
    /// A field that counts has its name spelled out where the rules do not read it, or from the dynamic table.
    pub(super) const LITERAL_NAME: Self = Self(1 << 8);
    /// What misleads the agent, and does not merely keep something from it.
    pub(super) const MISLEADING: Self = Self(Self::CUT.0 | Self::SIZE_UPDATE.0);

    const REASONS: [(Self, MissReason); 9] = [
        (Self::CUT, MissReason::SplitFrame),
        (Self::CONTINUES, MissReason::Continuation),
        (Self::PADDED, MissReason::Padded),
        (Self::PRIORITY, MissReason::Priority),
        (Self::LONG_PATH, MissReason::PathTooLong),
        (Self::LIMIT, MissReason::HeaderLimit),
        (Self::HPACK, MissReason::HpackState),
        (Self::SIZE_UPDATE, MissReason::HpackState),
        (Self::LITERAL_NAME, MissReason::LiteralName),
    ];

    /// Adds marks.
    pub(super) const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Adds marks when they apply.
    #[inline]
    pub(super) const fn insert_if(&mut self, applies: bool, other: Self) {
        self.0 |= if applies { other.0 } else { 0 };
    }

    /// The marks in both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The reasons that the marks stand for.
    pub(super) fn reasons(self) -> impl Iterator<Item = MissReason> {
        Self::REASONS.into_iter().filter(move |(mark, _)| self.0 & mark.0 != 0).map(|(_, reason)| reason)
    }
}

/// What was seen of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace {
    /// The last packet that changed it.
    pub(super) packet: u64,
    /// What was wrong with the blocks of each side.
    pub(super) blocks: Sides<BlockMarks>,
    /// A HEADERS frame of that side was processed.
    pub(super) headers: Sides<bool>,
    /// An `END_STREAM` or `RST_STREAM` of that side was processed.
    pub(super) ends: Sides<bool>,
    /// A `RST_STREAM` was processed.
    pub(super) reset: bool,
    /// An `END_STREAM` of one side was processed twice.
    pub(super) repeated: bool,
    /// Method and path were captured.
    pub(super) request: bool,
    /// A status was captured.
    pub(super) status: bool,
    /// It was deleted for its age.
    pub(super) expired: bool,
    /// A frame of it was split after its header, and so misread.
    pub(super) split: bool,
    /// A verdict on it was given before the agent emitted it.
    pub(super) judged: bool,
}

impl Trace {
    /// An `END_STREAM`, or a `RST_STREAM`, of that side is processed.
    pub(super) const fn end(&mut self, side: Side, reset: bool) {
        let ended = self.ends.get_mut(side);
        self.repeated |= *ended && !reset;
        *ended = true;
        self.reset |= reset;
    }

    /// Adds what another trace of the same stream says.
    pub(super) fn merge(&mut self, other: &Self) {
        self.packet = self.packet.max(other.packet);
        for side in [Side::Client, Side::Server] {
            self.blocks.get_mut(side).insert(*other.blocks.get(side));
            *self.headers.get_mut(side) |= other.headers.get(side);
            *self.ends.get_mut(side) |= other.ends.get(side);
        }
        self.reset |= other.reset;
        self.repeated |= other.repeated;
        self.request |= other.request;
        self.status |= other.status;
        self.expired |= other.expired;
        self.split |= other.split;
        self.judged |= other.judged;
    }
}
