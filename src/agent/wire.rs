//! What the exact side tells of a finished transaction, so that it can be looked for among those that the agent
//! would have emitted.

use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;

/// A transaction as it was on the wire.
#[derive(Clone, Copy, Debug)]
pub struct WireTransaction<'a> {
    /// The end that sent the request.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// The number of the packet that the connection was first seen in.
    pub connection: u64,
    /// Stream identifier.
    pub stream: u32,
    /// Nothing of the exchange is missing.
    pub complete: bool,
    /// The first packet that carries a byte of it.
    pub first: Moment,
    /// The packet that ended it.
    pub last: Moment,
    /// The value of `:method`. `None` of a complete transaction: it has none; of another: it is not known.
    pub method: Option<&'a [u8]>,
    /// The value of `:path`, the query too; `None` as above.
    pub path: Option<&'a [u8]>,
    /// The final status; `None` as above.
    pub status: Option<u16>,
    /// Where the frames are that the agent needs.
    pub facts: WireFacts,
}

/// Where the four frames are that the agent needs of a transaction. What is left at its default is not known, and
/// the agent's own traces must do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireFacts {
    /// The request's HEADERS.
    pub request: FrameFact,
    /// The client's frame with `END_STREAM`, or its `RST_STREAM`.
    pub request_end: FrameFact,
    /// The HEADERS with the final status.
    pub response: FrameFact,
    /// The server's frame with `END_STREAM`, or its `RST_STREAM`.
    pub response_end: FrameFact,
}

impl WireFacts {
    /// Whether the frames were captured in the order in which they were sent, as far as their packets tell.
    pub(super) fn are_in_order(&self) -> bool {
        let Self { request, request_end, response, response_end } = self;
        [(request, request_end), (request, response), (request, response_end), (response, response_end)]
            .into_iter()
            .all(|(first, then)| first.packet <= then.packet || then.packet == 0)
    }
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameFact {
    /// The packet with the first byte of the frame's header; 0 when there is no such frame, or it is not known.
    pub packet: u64,
    /// The frame (its header, or its payload without any CONTINUATION) is not wholly in that segment; of TLS, in
    /// one record.
    pub split: bool,
}

impl FrameFact {
    /// A frame wholly in one packet.
    #[cfg(any(test, feature = "internals"))]
    pub const fn whole(packet: u64) -> Self {
        Self { packet, split: false }
    }

    /// A frame that begins in `packet` and ends in a later one.
    #[cfg(any(test, feature = "internals"))]
    pub const fn split(packet: u64) -> Self {
        Self { packet, split: true }
    }
}
