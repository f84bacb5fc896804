//! The telemetry record: exact counters, the agent's, and coverage, added up from the stages.

mod report;

pub use crate::agent::MissReason;
pub use report::{AgentView, Coverage, Report, View};
