//! `--metrics`: where a live capture stands, for Prometheus.

mod exposition;
mod server;

pub(super) use exposition::Snapshot;
pub(super) use server::Metrics;
