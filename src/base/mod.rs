//! What every room may use and that uses none of them: packet time, caps and their counters, tuning numbers.

pub mod counters;
pub mod limit;
pub mod limits;
pub mod time;
pub mod tuning;
