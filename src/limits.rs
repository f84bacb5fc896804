//! Every cap in the program, in one place. Each has a counter that tells when it struck.

/// Connections that the agent's model keeps: those it has classified, until some time after their end. Counted as
/// `agent_connections` in [`crate::agent::Agent::limits`] when one gives way to a newer.
pub const AGENT_CONNECTIONS: usize = 65_536;

/// Transactions that the agent's model has emitted and that wait for the exact one. One that gives way is spurious;
/// counted as `agent_emitted`.
pub const AGENT_EMITTED: usize = 65_536;

/// Streams that the agent's model gave up and whose traces wait for the exact transaction. Counted as `agent_traces`.
pub const AGENT_TRACES: usize = 65_536;

/// Runs of packets, by sender, in which the agent's model lost frames. Older ones are forgotten: they would only
/// make a reason more precise.
pub const AGENT_INCIDENTS: usize = 8;

/// Numbers of paths too long for the agent's dynamic table, by sender. Older ones are forgotten, as above.
pub const AGENT_LONG_PATHS: usize = 64;

/// Latency sketches that the agent's statistics keep, when they are asked for. Counted as `agent_sketches`.
pub const AGENT_SKETCHES: usize = 16_384;
