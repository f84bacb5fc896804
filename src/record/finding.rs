//! What a side did against the protocol.

use super::exchange_ref::ExchangeRef;
use crate::base::time::Moment;

/// A violation of RFC 9113 or 7541, or a flood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: stable, `snake_case`.
    pub code: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// `RFC#section`, as `9113#6.5`; `grpc#section` of gRPC over HTTP/2.
    pub rfc: &'static str,
    /// The side at fault is the client.
    pub from_client: bool,
    /// The stream, 0 for the connection.
    pub stream: u32,
    /// Where it was first seen.
    pub first: Moment,
    /// Where it was last seen.
    pub last: Moment,
    /// How often.
    pub count: u64,
    /// Of `not_http2`: what is spoken in its place, where that is known.
    pub protocol: Option<&'static str>,
    /// Likewise: its first line, where it is text.
    pub first_line: Option<Vec<u8>>,
    /// Numbers that go with it.
    pub detail: Detail,
}

/// Numbers that go with a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Octets of a flow-control window that would suffice.
    pub window: Option<u64>,
    /// Nanoseconds between two of what was too many.
    pub interval: Option<u64>,
    /// The other attempt at what was done twice.
    pub attempt: Option<ExchangeRef>,
}
