//! The names under which the telemetry record counts how often a cap struck.

/// A name in `coverage.limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The name.
    pub name: &'static str,
    /// What strikes costs bytes or values of an exchange for certain: the analysis is then incomplete. What the others
    /// cost need not be of an exchange, or is told of as a loss of its own.
    pub costs: bool,
}

/// All of them, in the order in which they are shown. `docs/limits.md` says what each means.
pub const LIMITS: [Limit; 44] = [
    costs("connections"),
    costs("connection_memory"),
    costs("streams"),
    costs("stream_memory"),
    costs("headers"),
    costs("hpack_table"),
    costs("interim"),
    costs("early_resets"),
    costs("one_sided_streams"),
    costs("reassembly_direction"),
    costs("reassembly_total"),
    costs("tls_held"),
    costs("opening"),
    costs("filter_link_types"),
    other("opening_depth"),
    other("http1"),
    other("frame_payload"),
    other("settings_unacknowledged"),
    other("settings"),
    other("goaway"),
    other("ended_streams"),
    other("ended_connections"),
    other("tunnel_depth"),
    other("link_tags"),
    other("ip_extensions"),
    other("super_packet"),
    other("fragment_table"),
    other("fragments_per_datagram"),
    other("findings"),
    other("tls_hello"),
    other("tls_message"),
    other("tls_alpn"),
    other("tls_trials"),
    other("key_log_lines"),
    other("key_log_connections"),
    other("agent_in_flight"),
    other("agent_incomplete_frames"),
    other("agent_dynamic_table"),
    other("agent_dynamic_counter"),
    other("agent_connections"),
    other("agent_emitted"),
    other("agent_traces"),
    other("agent_reasons"),
    other("agent_statistics"),
];

const fn costs(name: &'static str) -> Limit {
    Limit { name, costs: true }
}

const fn other(name: &'static str) -> Limit {
    Limit { name, costs: false }
}

impl Limit {
    /// Whether the limit of that name costs something of an exchange.
    pub fn costs(name: &str) -> bool {
        LIMITS.iter().any(|limit| limit.costs && limit.name == name)
    }
}
