//! An exchange: what a request and its response are known to have been.

use super::contents::Contents;
use super::end::StreamEnd;
use super::ending::Evidence;
use super::fields::Fields;
use super::grpc::{Grpc, GrpcBody};
use super::partial::{Partial, Unknown};
use super::priority::Priority;
use super::steps::Steps;
use super::time::{Handshakes, Time, TimePart};
use crate::base::plain::is_plain;
use crate::base::time::{Moment, Timestamp};
use crate::http2::{FrameSpot, PerSide};

/// An exchange on one stream: request, response, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Stream identifier.
    pub stream: u32,
    /// Promised by the server (RFC 9113 section 8.4).
    pub pushed: bool,
    /// The stream that carried the PUSH_PROMISE.
    pub parent: Option<u32>,
    /// The first packet that carries a byte of the request's header block, or what was seen first.
    pub first: Moment,
    /// The packet with the last byte of the stream.
    pub last: Moment,
    /// When it was over: with the byte that ended the stream, or with what else ended it, as the connection's end or the
    /// capture's.
    pub ended_at: Timestamp,
    /// What the client sent (of a pushed stream: what was promised).
    pub request: Message,
    /// What the server sent.
    pub response: Message,
    /// Interim (1xx) answers, in order.
    pub interim: Vec<Interim>,
    /// How the stream ended.
    pub end: StreamEnd,
    /// What is missing; empty when the exchange is complete.
    pub partial: Partial,
    /// Set when the exchange is gRPC (content-type application/grpc, but not grpc-web).
    pub grpc: Option<Grpc>,
    /// Fields that are in the exchange, or may be, and whose value is unknown.
    pub unknown: Unknown,
    /// Where the time went, where that is known.
    pub time: Option<Time>,
    /// Bytes that each side sent again while it went on, of whatever stream.
    pub retransmitted: PerSide<u32>,
    /// What justifies the error that the `RST_STREAM` names; `None` where it names none, or that is not known.
    pub evidence: Option<Vec<Evidence>>,
    /// Nothing that the server sent is in the capture: whether it answered is not known.
    pub server_unseen: bool,
    /// The server's GOAWAY says that it has not processed the stream and will not (RFC 9113 section 6.8).
    pub disclaimed: bool,
    /// When it said so.
    pub disclaimed_at: Timestamp,
    /// What the request's body is known by: equal ones have equal digests. `None` where not all of it was seen, or nobody
    /// asks.
    pub digest: Option<u64>,
    /// The stream's priority when the response began, where one is stated.
    pub priority: Option<Priority>,
    /// Where it went, piece by piece and in order; together they are the parts of `time`. Where that was asked for.
    pub pieces: Vec<(TimePart, u64)>,
    /// Of a connection's first exchange: how long the connection took to open.
    pub handshakes: Option<Handshakes>,
    /// What is in its bodies, where that was asked for.
    pub contents: Option<Box<Contents>>,
    /// Its frames, where that was asked for.
    pub steps: Option<Box<Steps>>,
    /// What the kernel agent's model needs to say why it would have missed this.
    pub wire: WireShape,
}

impl Transaction {
    /// About so many bytes of memory are filled with what it has of fields, contents and steps.
    pub fn filled(&self) -> usize {
        let sections = |side: &Message| side.headers.filled() + side.trailers.filled();
        let contents = self.contents.as_deref().map_or(0, Contents::filled);
        let steps = self.steps.as_deref().map_or(0, Steps::memory);
        sections(&self.request) + sections(&self.response) + contents + steps
    }

    /// All its text is [plain](crate::base::plain::is_plain), contents aside.
    pub(super) fn is_plain(&self) -> bool {
        let sections = [&self.request, &self.response].map(|side| [&side.headers, &side.trailers]);
        let message = self.grpc.as_ref().and_then(|grpc| grpc.message.as_deref());
        sections.as_flattened().iter().all(|fields| fields.is_plain()) && message.is_none_or(is_plain)
    }
}

/// Where the frames lay that the kernel agent needs of an exchange; those that there are not have packet 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireShape {
    /// The request's HEADERS.
    pub request: FrameSpot,
    /// The client's frame with `END_STREAM`, or its `RST_STREAM`.
    pub request_end: FrameSpot,
    /// The HEADERS with the final status.
    pub response: FrameSpot,
    /// The server's frame with `END_STREAM`, or its `RST_STREAM`.
    pub response_end: FrameSpot,
}

/// One side of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The header section, pseudo-header fields first; only what the output needs, unless all were asked for.
    pub headers: Fields,
    /// The trailer section.
    pub trailers: Fields,
    /// A header block was seen, so that the body size counts from the first byte.
    pub seen: bool,
    /// Octets of its header section and trailer section, as sent and as decoded.
    pub header_bytes: HeaderBytes,
    /// DATA payload bytes, without padding.
    pub body: u64,
    /// The first packet of the header section (the first DATA where there is none).
    pub first: Option<Timestamp>,
    /// The packet with the last byte that this side sent on the stream.
    pub last: Option<Timestamp>,
    /// The last byte is missing: `last` is when that was certain.
    pub last_lost: bool,
    /// END_STREAM was seen.
    pub ended: bool,
}

/// Octets of header blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    /// On the wire.
    pub wire: u64,
    /// Of the names and values that they stand for, as far as these are known.
    pub decoded: u64,
    /// Names or values are not known.
    pub unknown: bool,
    /// Some of a header block is missing.
    pub cut: bool,
}

impl Message {
    /// Its content type is gRPC's.
    pub fn is_grpc(&self) -> bool {
        GrpcBody::of_section(&self.headers).is_some()
    }
}

/// An interim response (RFC 9110 section 15.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interim {
    /// 100 to 199.
    pub status: u16,
    /// When its header block was seen.
    pub time: Timestamp,
}
