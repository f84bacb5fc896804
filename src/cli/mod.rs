//! cli
pub mod analyze;
mod collect;
pub mod live;
mod merge;
mod metrics;
#[cfg(feature = "live")]
mod privileges;
mod report;
pub mod sandbox;
