//! What two captures of the same calls tell together: each pair of exchanges, and what all add up to.

use super::visit::words;
use crate::base::limit_counters::Struck;
use crate::base::memory::of_block;
use crate::base::time::Timestamp;
use std::net::IpAddr;

/// What was called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Call {
    /// `:method`
    pub method: Option<Box<[u8]>>,
    /// `:scheme`
    pub scheme: Option<Box<[u8]>>,
    /// `:authority`, else `host`.
    pub authority: Option<Box<[u8]>>,
    /// `:path` up to the first `?`.
    pub path: Option<Box<[u8]>>,
    /// `:path` after the first `?`.
    pub query: Option<Box<[u8]>>,
    /// It is gRPC.
    pub grpc: bool,
}

impl Call {
    /// gRPC's name of the method, `package.Service/Method`.
    pub fn rpc_method(&self) -> Option<&[u8]> {
        let path = self.path.as_deref().filter(|_| self.grpc)?;
        Some(path.strip_prefix(b"/").unwrap_or(path))
    }

    /// Bytes of memory of the texts.
    pub fn memory(&self) -> usize {
        let parts = [&self.method, &self.scheme, &self.authority, &self.path, &self.query];
        parts.into_iter().flatten().map(|part| of_block(part.len())).sum()
    }
}

/// An exchange as one place saw it.
#[derive(Clone, Debug, Default)]
pub struct PairSide {
    /// `h2.connection.id` there.
    pub connection: u64,
    /// `h2.stream.id`
    pub stream: u32,
    /// `h2.packets.first` there.
    pub packet: u64,
    /// Nanoseconds from the request's first byte to the end.
    pub duration: u64,
    /// From there to the response's first byte.
    pub ttfb: Option<u64>,
    /// `error.type`
    pub error: Option<String>,
}

/// How long the way between the two places took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// Of the request: from its last byte at the client's place to its last at the server's.
    pub request: Option<u64>,
    /// Of the response: from its first byte at the server's place to its first at the client's.
    pub response: Option<u64>,
    /// What of the client's time to the first byte was not the server's.
    pub total: Option<u64>,
    /// How far off `request` and `response` may be.
    pub uncertainty: Option<u64>,
}

/// Why an exchange was seen at one place only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// The other capture does not cover its time, or has a hole there.
    NotCaptured,
    /// Its segments were seen leaving, and did not arrive.
    NeverArrived,
    /// Something between the two places answered it.
    AnsweredBetween,
    /// That is not known.
    Unknown,
}

words! {
    Missing {
        NotCaptured => "not_captured",
        NeverArrived => "never_arrived",
        AnsweredBetween => "answered_between",
        Unknown => "unknown",
    }
}

impl Missing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotCaptured, Self::NeverArrived, Self::AnsweredBetween, Self::Unknown];
}

/// Exchanges of both places that are one call; or one that was seen at one place only.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    /// When it began, by the client's clock as far as that can be told.
    pub time: Timestamp,
    /// What was called, as the client said it, if it was seen there.
    pub call: Call,
    /// `:status` of the response, likewise.
    pub status: Option<u16>,
    /// gRPC's status, likewise.
    pub grpc_status: Option<u32>,
    /// Octets of the request's content, likewise.
    pub request_bytes: Option<u64>,
    /// Of the response's.
    pub response_bytes: Option<u64>,
    /// At the client's place.
    pub client: Option<PairSide>,
    /// At the server's: attempts, in order of their start.
    pub server: Vec<PairSide>,
    /// How the two were found to be one: `tcp`, `bytes`, `content`, or the name of a field.
    pub how: Option<String>,
    /// What lay between.
    pub between: Between,
    /// Others may be its partner, too.
    pub ambiguous: bool,
    /// Why it has none, if it was seen at one place only and is not ambiguous.
    pub missing: Option<Missing>,
}

/// What the two clocks differ by: the server's less the client's.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockDifference {
    /// In nanoseconds, at `at`.
    pub offset: i64,
    /// The true one is no further away. `None` where it was given.
    pub uncertainty: Option<u64>,
    /// By how many millionths the server's clock is faster, where that is known to within 500.
    pub drift_ppm: Option<f64>,
    /// The instant of the client's clock that `offset` is of.
    pub at: Timestamp,
    /// What it was found by.
    pub source: ClockSource,
}

/// What the difference of the clocks was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// Bytes of TCP connections seen at both places.
    Tcp,
    /// Pairs by ids.
    Ids,
    /// Pairs by content.
    Content,
    /// The user.
    Given,
}

words! {
    ClockSource {
        Tcp => "tcp",
        Ids => "ids",
        Content => "content",
        Given => "given",
    }
}

/// What was lost between the two places, of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Transmissions with payload of which a byte did not arrive.
    pub segments: u64,
    /// Those bytes.
    pub bytes: u64,
}

/// What all pairs add up to.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// Calls seen at both places.
    pub pairs: u64,
    /// Those by how they were paired.
    pub how: Vec<(String, u64)>,
    /// Exchanges seen at the client's place only.
    pub client_only: u64,
    /// And at the server's only.
    pub server_only: u64,
    /// Of both, those that may have a partner.
    pub ambiguous: u64,
    /// And those that have none, by reason.
    pub missing: Vec<(Missing, u64)>,
    /// Streams of one connection that are not one call: an error in the pairing.
    pub conflicts: u64,
    /// The captures were given in the wrong order.
    pub swapped: bool,
    /// How the clocks differ, where that is known.
    pub clock: Option<ClockDifference>,
    /// Clients' addresses that differ between the two places.
    pub nat: Vec<(IpAddr, IpAddr)>,
    /// What of the clients' segments was lost.
    pub lost_client: Lost,
    /// And of the servers'.
    pub lost_server: Lost,
    /// Caps that struck.
    pub limits: Struck,
}

/// A service's endpoint, as both places saw it.
#[derive(Clone, Debug, Default)]
pub struct PairEndpoint {
    /// `GET`
    pub method: Option<String>,
    /// The service and the path's template.
    pub name: String,
    /// Calls seen at any place.
    pub calls: u64,
    /// Quantiles of 0.5 and 0.99 of the duration at the client's place, in nanoseconds.
    pub client: Option<[u64; 2]>,
    /// And at the server's.
    pub server: Option<[u64; 2]>,
    /// And of what lay between.
    pub between: Option<[u64; 2]>,
    /// Calls that failed at the client's place.
    pub failed_client: u64,
    /// And at the server's.
    pub failed_server: u64,
    /// Seen at the client's place only.
    pub client_only: u64,
    /// And at the server's only.
    pub server_only: u64,
}

/// All endpoints.
#[derive(Clone, Debug, Default)]
pub struct PairEndpoints {
    /// By the time that calls spent at the client's place, the most first.
    pub rows: Vec<PairEndpoint>,
    /// Of all calls that both places saw.
    pub times: Times,
}

/// What calls waited for their first byte for, in nanoseconds: of all that both places saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Calls.
    pub calls: u64,
    /// At the client's place.
    pub waited: u64,
    /// What of that lay between the places.
    pub between: u64,
    /// Of calls of which both ways are known: the way there, and the way back.
    pub there: u64,
    /// The way back.
    pub back: u64,
}

impl Times {
    /// Counts a pair.
    pub fn add(&mut self, pair: &Pair) {
        let waited = pair.client.as_ref().and_then(|client| client.ttfb);
        let Some((waited, between)) = waited.zip(pair.between.total) else { return };
        self.calls += 1;
        self.waited = self.waited.saturating_add(waited);
        self.between = self.between.saturating_add(between);
        if let Some((there, back)) = pair.between.request.zip(pair.between.response) {
            self.there = self.there.saturating_add(there);
            self.back = self.back.saturating_add(back);
        }
    }
}
