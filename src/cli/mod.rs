//! cli
pub mod analyze;
mod collect;
mod merge;
mod report;
