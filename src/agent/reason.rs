//! Why the agent would not have emitted a transaction.

/// The reasons, from the first that is tried to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissReason {
    /// It did not take the connection for HTTP/2 in time.
    Classification,
    /// A frame it needs was split over segments.
    SplitFrame,
    /// The fields stood in a CONTINUATION.
    Continuation,
    /// A padded frame.
    Padded,
    /// A HEADERS frame with priority (rules 2025).
    Priority,
    /// The path is longer than 160 encoded bytes.
    PathTooLong,
    /// The fields it needs came after those it looks at.
    HeaderLimit,
    /// More frames in the segment than it looks at.
    FrameLimit,
    /// A method it does not know.
    Method,
    /// Its dynamic table was out of step.
    HpackState,
    /// The stream lived longer than the idle time to live.
    Ttl,
    /// A FIN or RST packet hid the payload or the rest of the connection.
    Fin,
    /// None of these.
    Other,
}

impl MissReason {
    /// All reasons, in the order in which they are tried.
    pub const ALL: [Self; 13] = [
        Self::Classification,
        Self::SplitFrame,
        Self::Continuation,
        Self::Padded,
        Self::Priority,
        Self::PathTooLong,
        Self::HeaderLimit,
        Self::FrameLimit,
        Self::Method,
        Self::HpackState,
        Self::Ttl,
        Self::Fin,
        Self::Other,
    ];

    /// The reason's name in `agent.missed` and `h2.agent.reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::SplitFrame => "split_frame",
            Self::Continuation => "continuation",
            Self::Padded => "padded",
            Self::Priority => "priority",
            Self::PathTooLong => "path_too_long",
            Self::HeaderLimit => "header_limit",
            Self::FrameLimit => "frame_limit",
            Self::Method => "method",
            Self::HpackState => "hpack_state",
            Self::Ttl => "ttl",
            Self::Fin => "fin",
            Self::Other => "other",
        }
    }
}

/// Whether the agent would have shown a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would.
    Seen,
    /// It would not, or with other values.
    Missed(MissReason),
}

/// A set of reasons that apply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReasonSet(u16, bool);

impl ReasonSet {
    /// Adds a reason.
    pub(super) fn insert(&mut self, reason: MissReason) {
        self.0 |= 1 << reason as u16;
    }

    /// Adds a reason when `applies`.
    pub(super) fn insert_if(&mut self, applies: bool, reason: MissReason) {
        self.0 |= u16::from(applies) << reason as u16;
    }

    /// A reason may have been forgotten.
    pub(super) fn forget_if(&mut self, may: bool) {
        self.1 |= may;
    }

    /// A reason may have been forgotten, and it would have been the only one.
    pub(super) const fn is_forgotten(self) -> bool {
        self.0 == 0 && self.1
    }

    /// The first in the order of [`MissReason::ALL`]; `Other` when there is none.
    pub(super) fn first(self) -> MissReason {
        MissReason::ALL
            .into_iter()
            .find(|&reason| self.0 & 1 << reason as u16 != 0)
            .unwrap_or(MissReason::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_in_order_is_given() {
        let mut set = ReasonSet::default();
        assert_eq!(set.first(), MissReason::Other);
        set.insert(MissReason::Fin);
        set.insert_if(false, MissReason::Classification);
        set.insert_if(true, MissReason::Continuation);
        assert_eq!(set.first(), MissReason::Continuation);
    }

    #[test]
    fn all_is_in_declaration_order_and_names_are_distinct() {
        for (at, reason) in MissReason::ALL.into_iter().enumerate() {
            assert_eq!(at, reason as usize);
            assert_eq!(MissReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1);
        }
    }
}
