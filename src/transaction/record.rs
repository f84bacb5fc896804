//! The records: what a finished exchange and a finished connection are known to have been. `output` renders
//! them; spec/product.md names the fields.

use super::fields::Fields;
use crate::base::time::{Moment, Timestamp};
use crate::flow::{DirectionStats, PerDirection};
use crate::http2::{FrameSpot, Side};
use crate::packet::Endpoint;
use crate::tls;

/// An exchange on one stream: request, response, and how it ended.
#[derive(Clone, Debug, Default)]
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
    /// What the kernel agent's model needs to say why it would have missed this.
    pub wire: WireShape,
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
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The header section, pseudo-header fields first; only what the output needs, unless all were asked for.
    pub headers: Fields,
    /// The trailer section.
    pub trailers: Fields,
    /// A header block was seen, so that the body size counts from the first byte.
    pub seen: bool,
    /// DATA payload bytes, without padding.
    pub body: u64,
    /// The first packet of the header section (the first DATA where there is none).
    pub first: Option<Timestamp>,
    /// The packet with the last byte that this side sent on the stream.
    pub last: Option<Timestamp>,
    /// END_STREAM was seen.
    pub ended: bool,
}

/// An interim response (RFC 9110 section 15.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interim {
    /// 100 to 199.
    pub status: u16,
    /// When its header block was seen.
    pub time: Timestamp,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// Who ended it.
    pub by: EndBy,
    /// By what.
    pub how: EndHow,
    /// The error code, of RST_STREAM and GOAWAY only (RFC 9113 section 7).
    pub code: Option<u32>,
}

/// Who ended a stream or a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndBy {
    /// The client.
    Client,
    /// The server.
    Server,
    /// The TCP connection's end.
    Tcp,
    /// The capture's end, or h2lens itself (expiry, caps).
    #[default]
    Capture,
}

impl From<Side> for EndBy {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// By what a stream or a connection ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndHow {
    /// END_STREAM from both sides.
    EndStream,
    /// RST_STREAM.
    RstStream,
    /// GOAWAY whose last stream is an earlier one.
    Goaway,
    /// FIN.
    Fin,
    /// TCP RST.
    Rst,
    /// Expired: idle for too long, or the oldest when a cap was reached.
    Idle,
    /// The capture ended.
    #[default]
    Eof,
}

/// What is missing from an exchange: a set of reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partial(u16);

impl Partial {
    /// No header block of the request.
    pub const NO_REQUEST: Self = Self(1);
    /// No final header block of the response.
    pub const NO_RESPONSE: Self = Self(1 << 1);
    /// The response was not ended.
    pub const RESPONSE_CUT: Self = Self(1 << 2);
    /// The request was not ended.
    pub const REQUEST_CUT: Self = Self(1 << 3);
    /// Bytes lost in a hole of the TCP stream.
    pub const TCP_GAP: Self = Self(1 << 4);
    /// Bytes cut off by the snaplen.
    pub const SNAPLEN: Self = Self(1 << 5);
    /// The capture began in mid-stream.
    pub const MID_STREAM: Self = Self(1 << 6);
    /// A header value could not be known.
    pub const UNKNOWN_HEADER: Self = Self(1 << 7);
    /// Part of the exchange could not be decrypted.
    pub const NOT_DECRYPTED: Self = Self(1 << 8);
    /// A cap of h2lens struck.
    pub const LIMIT: Self = Self(1 << 9);

    const NAMES: [(Self, &'static str); 10] = [
        (Self::NO_REQUEST, "no_request"),
        (Self::NO_RESPONSE, "no_response"),
        (Self::RESPONSE_CUT, "response_cut"),
        (Self::REQUEST_CUT, "request_cut"),
        (Self::TCP_GAP, "tcp_gap"),
        (Self::SNAPLEN, "snaplen"),
        (Self::MID_STREAM, "mid_stream"),
        (Self::UNKNOWN_HEADER, "unknown_header"),
        (Self::NOT_DECRYPTED, "not_decrypted"),
        (Self::LIMIT, "limit"),
    ];

    /// Nothing is missing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds the reasons of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all the reasons of `other` apply.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Nothing was lost: the exchange has only not come to its end.
    pub const fn only_unfinished(self) -> bool {
        let unfinished = Self::NO_RESPONSE.0 | Self::RESPONSE_CUT.0 | Self::REQUEST_CUT.0;
        self.0 & !unfinished == 0
    }

    /// The reasons' names in `h2.partial_reason`, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(reason, _)| self.contains(*reason)).map(|(_, name)| name)
    }
}

/// Fields whose value is unknown: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown(u8);

impl Unknown {
    /// `:method`
    pub const METHOD: Self = Self(1);
    /// `:scheme`
    pub const SCHEME: Self = Self(1 << 1);
    /// `:path`
    pub const PATH: Self = Self(1 << 2);
    /// `:authority`
    pub const AUTHORITY: Self = Self(1 << 3);
    /// `:status`
    pub const STATUS: Self = Self(1 << 4);
    /// `grpc-status`
    pub const GRPC_STATUS: Self = Self(1 << 5);

    /// Trailer fields of the request.
    pub const REQUEST_TRAILERS: Self = Self(1 << 6);
    /// Trailer fields of the response.
    pub const RESPONSE_TRAILERS: Self = Self(1 << 7);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::METHOD, "http.request.method"),
        (Self::SCHEME, "url.scheme"),
        (Self::PATH, "url.path"),
        (Self::AUTHORITY, "h2.request.authority"),
        (Self::STATUS, "http.response.status_code"),
        (Self::GRPC_STATUS, "h2.grpc.status"),
        (Self::REQUEST_TRAILERS, "h2.request.trailers"),
        (Self::RESPONSE_TRAILERS, "h2.response.trailers"),
    ];

    /// Nothing is unknown.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds the fields of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The attribute names for `h2.unknown`, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(field, _)| self.0 & field.0 != 0).map(|(_, name)| name)
    }
}

/// What gRPC says over an exchange (the gRPC over HTTP/2 protocol).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grpc {
    /// `grpc-status`, where it was seen and is a number.
    pub status: Option<u32>,
    /// `grpc-message`, percent-decoded.
    pub message: Option<Vec<u8>>,
    /// Messages that the client sent; `None` where some may have been missed.
    pub request_messages: Option<u64>,
    /// Messages that the server sent; `None` where some may have been missed.
    pub response_messages: Option<u64>,
}

/// What every record of a connection repeats.
#[derive(Clone, Debug)]
pub struct ConnectionMeta {
    /// The number of the packet the connection was first seen in.
    pub id: u64,
    /// The side that sent the preface or the upgrade request, or that is taken for the client.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// What the TLS handshake told, where there is TLS.
    pub tls: Option<Box<tls::Description>>,
    /// Whether the client is the sender of the [forward](crate::flow::Direction::Forward) stream.
    pub client_is_forward: bool,
}

/// How HTTP/2 was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The client preface (RFC 9113 section 3.4).
    PriorKnowledge,
    /// `Upgrade: h2c` (RFC 7540 section 3.2).
    Upgrade,
    /// TLS.
    Alpn,
    /// From the frames themselves, without a preface.
    MidStream,
}

/// A finished connection.
#[derive(Clone, Debug)]
pub struct ConnectionRecord {
    /// Who and where.
    pub meta: ConnectionMeta,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// How HTTP/2 was found; `None` where it was not (undecrypted TLS, a declined upgrade).
    pub how: Option<How>,
    /// A server answered an `Upgrade: h2c` without switching.
    pub upgrade_declined: bool,
    /// HTTP/2 is certain: preface, mid-stream recognition, or a visible ALPN.
    pub is_http2: bool,
    /// Transaction records of this connection.
    pub transactions: u64,
    /// Streams opened.
    pub streams_opened: u64,
    /// The most streams open at one time.
    pub max_concurrent: u64,
    /// Settings by sender.
    pub client_settings: SideSettings,
    /// Settings by sender.
    pub server_settings: SideSettings,
    /// Frames by sender.
    pub client_frames: SideFrames,
    /// Frames by sender.
    pub server_frames: SideFrames,
    /// GOAWAY frames seen, the first [`crate::base::limits::GOAWAY_KEPT`].
    pub goaway: Vec<Goaway>,
    /// Settings, GOAWAY frames or debug data are left out for a cap.
    pub limited: bool,
    /// HPACK by sender.
    pub client_hpack: SideHpack,
    /// HPACK by sender.
    pub server_hpack: SideHpack,
    /// Who ended it, and how.
    pub end: StreamEnd,
    /// TCP by direction.
    pub tcp: PerDirection<DirectionStats>,
}

/// Settings as last sent, in order of identifier; at most [`crate::base::limits::SETTINGS_KEPT`].
#[derive(Clone, Debug, Default)]
pub struct SideSettings(pub Vec<(u16, u32)>);

/// Frames by type 0 to 9, ALTSVC, ORIGIN, PRIORITY_UPDATE, and all others.
#[derive(Clone, Copy, Debug, Default)]
pub struct SideFrames {
    /// By frame type.
    pub by_type: [u64; 17],
    /// Types that h2lens does not know.
    pub unknown: u64,
}

/// HPACK volumes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SideHpack {
    /// Header block bytes.
    pub wire_bytes: u64,
    /// Bytes of the names and values that they stand for.
    pub decoded_bytes: u64,
}

/// A GOAWAY frame.
#[derive(Clone, Debug)]
pub struct Goaway {
    /// The sender.
    pub by: EndBy,
    /// Last stream that was or will be processed.
    pub last_stream: u32,
    /// Error code.
    pub code: u32,
    /// Debug data, the first [`crate::base::limits::GOAWAY_DEBUG`] bytes.
    pub debug: Vec<u8>,
}
