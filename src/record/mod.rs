//! The telemetry record: exact counters, the agent's, and coverage, added up from the stages.

mod report;
mod tally;

pub use crate::agent::MissReason;
pub use crate::base::counters::Counters;
pub use crate::base::limit::{LIMITS, Limit};
pub use report::{AgentView, Coverage, Report, View};
pub use tally::{DURATION_BOUNDS, Histogram, STATUS_CLASSES, Tally, TallySide};
