//! What the aggregate is told of an exchange.

use crate::record::TimeParts;
use crate::record::endpoint::Bins;
use std::net::SocketAddr;

/// The facts of one exchange. What is not known is left out.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// `:authority`, else `host`, as sent.
    pub authority: Option<&'a [u8]>,
    /// The server's end of the connection.
    pub server: SocketAddr,
    /// `:method`, as sent.
    pub method: Option<&'a [u8]>,
    /// What was called.
    pub target: Target<'a>,
    /// Authority, method or target were sent and are not known: the exchange may belong to another endpoint's.
    pub unplaced: bool,
    /// `error.type`, of a call that failed.
    pub failure: Option<&'a str>,
    /// `:status` of the final response.
    pub status: Option<u16>,
    /// Something of the exchange is missing.
    pub incomplete: bool,
    /// Something of it is missing that was sent.
    pub lossy: bool,
    /// It was reset: where frames are missing, one of it may have come later.
    pub reset: bool,
    /// When it began: nanoseconds since the epoch.
    pub start: u64,
    /// From the request's first byte to the exchange's end.
    pub duration: Span,
    /// From the request's first byte to the response's first; `None` where there never was a response.
    pub ttfb: Option<Span>,
    /// Where the time went, where that is known.
    pub time: Option<TimeParts>,
    /// Octets of the request's content.
    pub request_bytes: u64,
    /// Octets of the response's content.
    pub response_bytes: u64,
    /// Where to find it.
    pub place: Place,
}

/// What was counted of an endpoint elsewhere, as its record tells it.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Exchanges.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Octets of the requests' contents.
    pub request_bytes: u64,
    /// Octets of the responses' contents.
    pub response_bytes: u64,
    /// How long they took, of those that were measured.
    pub durations: Bins,
    /// All of that together, in nanoseconds.
    pub duration_sum: u64,
    /// The longest, likewise.
    pub duration_max: u64,
}

/// Who was called, and what.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `:authority`, else `host`, as sent.
    pub authority: Option<&'a [u8]>,
    /// The server's end of the connection.
    pub server: SocketAddr,
    /// `:method`, as sent.
    pub method: Option<&'a [u8]>,
    /// What was called.
    pub target: Target<'a>,
    /// Authority, method or target were sent and are not known.
    pub unplaced: bool,
}

/// What was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `:path` up to the first `?`.
    Path(&'a [u8]),
    /// A gRPC method, `package.Service/Method`: never templated.
    Rpc(&'a [u8]),
    /// A GraphQL operation by its path and name: all are called at one path.
    Operation(&'a [u8], &'a [u8]),
    /// Not known, or (CONNECT) there is none.
    None,
}

/// A time that was measured, in nanoseconds, and what the true one may have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What the record shows; `None` where nothing could be measured.
    pub shown: Option<u64>,
    /// The true one is no less.
    pub least: u64,
    /// Nor is it less than this, if nothing at all of the traffic was lost.
    pub trusted: u64,
    /// The true one is no more; `None`: that is not known.
    pub most: Option<u64>,
}

/// Where an exchange stands in the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// `h2.connection.id`
    pub connection: u64,
    /// `h2.stream.id`
    pub stream: u32,
    /// `h2.packets.first`
    pub packet: u64,
}

impl<'a> Exchange<'a> {
    /// Who was called, and what.
    pub(super) const fn call(&self) -> Call<'a> {
        let Self { authority, server, method, target, unplaced, .. } = *self;
        Call { authority, server, method, target, unplaced }
    }
}

impl Span {
    /// Measured from beginning to end.
    pub const fn exact(nanos: u64) -> Self {
        Self { shown: Some(nanos), least: nanos, trusted: nanos, most: Some(nanos) }
    }

    /// Seen for so long, without its end.
    #[cfg(any(test, feature = "internals"))]
    pub const fn at_least(nanos: u64) -> Self {
        Self { shown: Some(nanos), least: nanos, trusted: nanos, most: None }
    }

    /// Not measured.
    pub const fn unknown() -> Self {
        Self { shown: None, least: 0, trusted: 0, most: None }
    }

    /// Whether the true one is known.
    pub(super) fn is_exact(&self) -> bool {
        self.shown == Some(self.least) && self.most == Some(self.least)
    }
}
