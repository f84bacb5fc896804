//! `--metrics`: where a live capture stands, for Prometheus.

mod exposition;
#[cfg(feature = "live")]
mod server;

pub(super) use exposition::Snapshot;
#[cfg(feature = "live")]
pub(super) use server::Metrics;
