//! The names under which the telemetry record counts how often a cap struck, and the counts.

use std::fmt::{self, Debug, Formatter};

/// Declares [`Limit`]: each counter with its name in `coverage.limits`, and whether what strikes makes the
/// analysis incomplete.
macro_rules! limits {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $cost:ident,)+) => {
        /// A counter in `coverage.limits`, in the order in which they are shown. `docs/limits.md` says what each means,
        /// and [`limits`](super::limits) which caps count in it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit {
            $($(#[$doc])* $variant,)+
        }

        impl Limit {
            /// All of them, in their order.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),+];

            /// How many there are.
            pub const COUNT: usize = [$($name),+].len();

            /// The name in `coverage.limits`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What strikes costs bytes or values of an exchange, or packets that may hold some: the analysis is then
            /// incomplete. What the others cost need not be of an exchange, or is told of as a loss of its own.
            pub const fn costs(self) -> bool {
                match self { $(Self::$variant => limits!(@$cost),)+ }
            }
        }
    };
    (@costs) => { true };
    (@other) => { false };
}

limits! {
    /// Connections followed at one time.
    Connections = "connections" costs,
    /// Memory of all connections together.
    ConnectionMemory = "connection_memory" costs,
    /// Open streams of a connection.
    Streams = "streams" costs,
    /// Memory of a connection's open streams.
    StreamMemory = "stream_memory" costs,
    /// Header sections, blocks and values.
    Headers = "headers" costs,
    /// Dynamic tables.
    HpackTable = "hpack_table" costs,
    /// What header fields become in the output.
    Output = "output" costs,
    /// Interim responses kept.
    Interim = "interim" costs,
    /// Resets of streams that have not been opened yet.
    EarlyResets = "early_resets" costs,
    /// Streams that wait for the direction that is captured later.
    OneSidedStreams = "one_sided_streams" costs,
    /// Bytes of a direction that wait for a hole to fill.
    ReassemblyDirection = "reassembly_direction" costs,
    /// The same of all directions.
    ReassemblyTotal = "reassembly_total" costs,
    /// Ciphertext that waits for secrets.
    TlsHeld = "tls_held" costs,
    /// The beginning of a connection, until it is known what it carries.
    Opening = "opening" costs,
    /// Connections within streams that CONNECT opened.
    ConnectTunnels = "connect_tunnels" costs,
    /// Link types that the capture filter is compiled for.
    FilterLinkTypes = "filter_link_types" costs,
    /// Tunnels within tunnels.
    TunnelDepth = "tunnel_depth" costs,
    /// Tags of the link layer.
    LinkTags = "link_tags" costs,
    /// IPv6 extension headers.
    IpExtensions = "ip_extensions" costs,
    /// Which packet came from which input.
    Origins = "origins" other,
    /// Protocols within one another.
    OpeningDepth = "opening_depth" other,
    /// HTTP/1.1 heads and bodies before an upgrade.
    Http1 = "http1" other,
    /// Payloads of frames that carry neither DATA nor header blocks.
    FramePayload = "frame_payload" other,
    /// SETTINGS frames that await their acknowledgment.
    SettingsUnacknowledged = "settings_unacknowledged" other,
    /// Settings kept for the connection record.
    Settings = "settings" other,
    /// GOAWAY frames kept for the connection record.
    Goaway = "goaway" other,
    /// Streams that are known to have ended.
    EndedStreams = "ended_streams" other,
    /// Connections that are known to have ended.
    EndedConnections = "ended_connections" other,
    /// Packets longer than any that offloading makes.
    SuperPacket = "super_packet" other,
    /// Datagrams whose fragments are not all there.
    FragmentTable = "fragment_table" other,
    /// Fragments of one datagram.
    FragmentsPerDatagram = "fragments_per_datagram" other,
    /// What is kept to judge the conduct of both sides.
    Findings = "findings" other,
    /// Priorities of streams.
    Priorities = "priorities" other,
    /// Authorities that a connection was used for.
    ReuseAuthorities = "reuse_authorities" other,
    /// What a server has promised to push.
    Promises = "promises" other,
    /// Pieces of an exchange's time.
    TimePieces = "time_pieces" other,
    /// Waiting for the other side's hello.
    TlsHello = "tls_hello" other,
    /// Handshake messages.
    TlsMessage = "tls_message" other,
    /// Protocols offered by ALPN.
    TlsAlpn = "tls_alpn" other,
    /// Tries to open records.
    TlsTrials = "tls_trials" other,
    /// Lines of a key log.
    KeyLogLines = "key_log_lines" other,
    /// Connections whose secrets are kept.
    KeyLogConnections = "key_log_connections" other,
    /// Memory of all bodies together.
    BodyMemory = "body_memory" other,
    /// Messages that the record of an exchange holds.
    BodyMessages = "body_messages" other,
    /// What is decoded of bodies.
    BodyDecoding = "body_decoding" other,
    /// Contents that all bodies show together.
    BodyShown = "body_shown" other,
    /// The agent's map of exchanges in flight.
    AgentInFlight = "agent_in_flight" other,
    /// The agent's map of frames that go on in a later segment.
    AgentIncompleteFrames = "agent_incomplete_frames" other,
    /// The agent's map of dynamic table entries.
    AgentDynamicTable = "agent_dynamic_table" other,
    /// The agent's map of dynamic table counters.
    AgentDynamicCounter = "agent_dynamic_counter" other,
    /// The agent's map of connections.
    AgentConnections = "agent_connections" other,
    /// What the agent emitted that waits for the wire's own exchange.
    AgentEmitted = "agent_emitted" other,
    /// What happened to the agent's view of a stream.
    AgentTraces = "agent_traces" other,
    /// Why the agent does not know a table entry.
    AgentReasons = "agent_reasons" other,
    /// The agent's statistics.
    AgentStatistics = "agent_statistics" other,
    /// Paths folded into one endpoint for want of memory.
    EndpointPaths = "endpoint_paths" other,
    /// Endpoints folded into one, as they were too many.
    EndpointRows = "endpoint_rows" other,
    /// Names of an endpoint's response fields.
    EndpointFields = "endpoint_fields" other,
    /// Endpoint records of a run that is compared.
    DiffRecords = "diff_records" other,
    /// Intervals that were too short for what telemetry in between has to look at.
    Summaries = "summaries" other,
    /// Failed exchanges that were forgotten before it was known whether they were tried again.
    Retries = "retries" other,
    /// Exchanges kept to be paired.
    JoinExchanges = "join_exchanges" other,
    /// Segments kept to be compared.
    JoinSegments = "join_segments" other,
    /// Connections kept to be paired.
    JoinConnections = "join_connections" other,
}

/// How often each cap struck.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Struck([u64; Limit::COUNT]);

impl Default for Struck {
    fn default() -> Self {
        Self([0; Limit::COUNT])
    }
}

impl Struck {
    /// Counts a cap that struck once.
    pub fn strike(&mut self, limit: Limit) {
        self.add(limit, 1);
    }

    /// Counts a cap that struck so many times.
    pub fn add(&mut self, limit: Limit, times: u64) {
        if let Some(count) = self.0.get_mut(limit as usize) {
            *count = count.saturating_add(times);
        }
    }

    /// How often it struck.
    pub fn of(&self, limit: Limit) -> u64 {
        self.0.get(limit as usize).copied().unwrap_or_default()
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for limit in Limit::ALL {
            self.add(limit, other.of(limit));
        }
    }

    /// Those that struck, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        Limit::ALL.into_iter().map(|limit| (limit, self.of(limit))).filter(|&(_, count)| count > 0)
    }

    /// None struck.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// One struck that costs something of an exchange.
    pub fn costs(&self) -> bool {
        self.iter().any(|(limit, _)| limit.costs())
    }
}

impl Debug for Struck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(limit, count)| (limit.name(), count))).finish()
    }
}

impl FromIterator<(Limit, u64)> for Struck {
    fn from_iter<T: IntoIterator<Item = (Limit, u64)>>(counts: T) -> Self {
        let mut struck = Self::default();
        counts.into_iter().for_each(|(limit, count)| struck.add(limit, count));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (at, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, at);
            assert!(Limit::ALL[..at].iter().all(|earlier| earlier.name() != limit.name()));
        }
    }

    #[test]
    fn counts_add_up() {
        let mut one: Struck = [(Limit::Streams, 2), (Limit::Goaway, u64::MAX)].into_iter().collect();
        assert!(one.costs() && !one.is_empty());
        one.strike(Limit::Streams);
        one.merge(&one.clone());
        assert_eq!(one.iter().collect::<Vec<_>>(), [(Limit::Streams, 6), (Limit::Goaway, u64::MAX)]);
        let other: Struck = [(Limit::Goaway, 1)].into_iter().collect();
        assert!(!other.costs());
    }
}
