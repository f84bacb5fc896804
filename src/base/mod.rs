//! What every room may use and that uses none of them: packet time, caps and their counters, tuning numbers, and the
//! words in which stages and records speak of a connection.

pub mod certainty;
pub mod direction;
pub mod endpoint;
pub mod limit_counters;
pub mod limits;
pub mod load;
pub mod memory;
pub mod origin;
pub mod partition;
pub mod percent;
pub mod plain;
pub mod tcp;
pub mod telemetry_counters;
pub mod time;
pub mod tls;
pub mod tuning;
pub mod verdict;
