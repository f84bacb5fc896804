//! Whether the agent would have emitted a transaction, and why not.

use std::time::Duration;

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
    /// A `RST_STREAM` came before the agent had what it needs, or as its first end of the stream.
    Reset,
    /// Segments came in another order than they were sent, or more than once.
    PacketOrder,
    /// The server pushed it: the agent takes no frame on an even stream for one.
    Pushed,
    /// A frame that the agent takes for none hid the rest of its segment.
    InvalidFrame,
    /// The name of a field it needs was spelled out, or taken from the dynamic table.
    LiteralName,
    /// It was in a stream that CONNECT opened: the agent does not look into DATA.
    Tunnel,
    /// None of these.
    Other,
}

impl MissReason {
    /// All reasons, in the order in which they are tried.
    pub const ALL: [Self; 19] = [
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
        Self::Reset,
        Self::PacketOrder,
        Self::Pushed,
        Self::InvalidFrame,
        Self::LiteralName,
        Self::Tunnel,
        Self::Other,
    ];

    /// The names of [`Self::ALL`].
    #[allow(clippy::indexing_slicing, reason = "while it is compiled")]
    pub const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

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
            Self::Reset => "reset",
            Self::PacketOrder => "packet_order",
            Self::Pushed => "pushed",
            Self::InvalidFrame => "invalid_frame",
            Self::LiteralName => "literal_name",
            Self::Tunnel => "tunnel",
            Self::Other => "other",
        }
    }
}

/// Whether the agent would have shown a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would, with this latency: from the first HEADERS to the second end, as exact as the agent keeps it.
    Seen(Duration),
    /// It would not, or with other values.
    Missed(MissReason),
}

impl Verdict {
    /// Why it would not have.
    pub const fn reason(self) -> Option<MissReason> {
        match self {
            Self::Seen(_) => None,
            Self::Missed(reason) => Some(reason),
        }
    }
}
