//! The join record.

use super::telemetry::Limits;
use crate::record::pair::{ClockDifference, ClockSource, Join, Lost, Missing};
use crate::record::value::{Address, Difference, Seconds, Time, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use std::borrow::Cow;
use std::net::IpAddr;

object! {
    /// What two captures of the same calls add up to; the last record.
    pub struct JoinObject<'a> {
        /// Always `join`.
        "record": record: Word,
        /// Calls and clocks.
        "h2": h2: H2Join<'a>,
        /// Segments.
        "tcp": tcp: TcpJoin,
    }
}

object! {
    /// `h2`
    pub struct H2Join<'a> {
        /// Calls and clocks.
        "join": join: JoinFacts<'a>,
    }
}

object! {
    /// `h2.join`
    pub struct JoinFacts<'a> {
        /// Calls seen at both places.
        "pairs": pairs: u64,
        /// Those by how they were paired.
        "how": how: Counts<'a>,
        /// Exchanges that the client's place alone saw.
        "client_only": client_only: u64,
        /// And the server's alone.
        "server_only": server_only: u64,
        /// Those of both that may have a partner, of which it is not certain which.
        "ambiguous": ambiguous: u64,
        /// Those that have none, by why.
        "missing": missing: Reasons<'a>,
        /// Streams of one connection that cannot be one call: an error in the pairing.
        "conflicts": conflicts: u64,
        /// The captures were given in the wrong order: `client` is what was given as SERVER.
        "swapped": swapped: bool,
        /// How the clocks differ, where that is known.
        "clock": clock: Option<ClockObject>,
        /// Addresses that are others at the two places.
        "nat": nat: Translations<'a>,
        /// How often each cap of h2lens struck; those that did not are absent.
        "limits": limits: Option<Limits<'a>>,
    }
}

object! {
    /// `h2.join.clock`: the server's clock less the client's.
    pub struct ClockObject {
        /// The difference at `at`, in seconds.
        "offset": offset: Difference,
        /// The true difference lies within so much of it; absent where it was given.
        "uncertainty": uncertainty: Option<Seconds>,
        /// By how many millionths the server's clock is faster, where that is known to within 500.
        "drift_ppm": drift_ppm: Option<f64>,
        /// The instant of the client's clock that `offset` is of.
        "at": at: Time,
        /// What it was found by: `tcp`, `ids`, `content` or `given`.
        "source": source: ClockSource,
    }
}

object! {
    /// An element of `h2.join.nat`.
    pub struct Translation {
        /// The address at the client's place.
        "client": client: Address,
        /// And at the server's.
        "server": server: Address,
    }
}

object! {
    /// `tcp`
    pub struct TcpJoin {
        /// What was seen leaving and did not arrive, while both captured.
        "lost": lost: LostSides,
    }
}

object! {
    /// `tcp.lost`
    pub struct LostSides {
        /// What clients sent.
        "client": client: LostObject,
        /// What servers sent.
        "server": server: LostObject,
    }
}

object! {
    /// `tcp.lost.client`, `tcp.lost.server`
    pub struct LostObject {
        /// Transmissions with payload, each that was lost.
        "segments": segments: u64,
        /// Bytes in them.
        "bytes": bytes: u64,
    }
}

/// Counts by name.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a>(&'a [(String, u64)]);

impl Value for Counts<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(self.0.iter().map(|(name, count)| (Cow::Owned(name.clone()), *count)));
    }
}

/// `h2.join.missing`
#[derive(Clone, Copy, Debug)]
pub struct Reasons<'a>(&'a [(Missing, u64)]);

impl Value for Reasons<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(self.0.iter().map(|(reason, count)| (Cow::Borrowed(reason.name()), *count)));
    }
}

/// `h2.join.nat`
#[derive(Clone, Copy, Debug)]
pub struct Translations<'a>(&'a [(IpAddr, IpAddr)]);

impl Value for Translations<'_> {
    const TYPE: Type = Type::List(&Translation::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let pair = |&(client, server): &(IpAddr, IpAddr)| Translation {
            client: Address(client),
            server: Address(server),
        };
        visitor.list(self.0.iter().map(pair));
    }
}

impl ClockObject {
    fn new(clock: &ClockDifference) -> Self {
        Self {
            offset: Difference(clock.offset),
            uncertainty: clock.uncertainty.map(Seconds),
            drift_ppm: clock.drift_ppm,
            at: Time(clock.at),
            source: clock.source,
        }
    }
}

impl<'a> JoinObject<'a> {
    /// The record of what all pairs add up to.
    pub fn new(join: &'a Join) -> Self {
        let lost = |lost: Lost| LostObject { segments: lost.segments, bytes: lost.bytes };
        Self {
            record: Word("join"),
            h2: H2Join {
                join: JoinFacts {
                    pairs: join.pairs,
                    how: Counts(&join.how),
                    client_only: join.client_only,
                    server_only: join.server_only,
                    ambiguous: join.ambiguous,
                    missing: Reasons(&join.missing),
                    conflicts: join.conflicts,
                    swapped: join.swapped,
                    clock: join.clock.as_ref().map(ClockObject::new),
                    nat: Translations(&join.nat),
                    limits: (!join.limits.is_empty()).then_some(Limits(&join.limits)),
                },
            },
            tcp: TcpJoin {
                lost: LostSides { client: lost(join.lost_client), server: lost(join.lost_server) },
            },
        }
    }
}
