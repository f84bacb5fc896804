//! Fuzz targets: functions of any bytes, each of which checks a property of h2lens and not only that it survives.
//!
//! The same functions run under libFuzzer (`fuzz_targets/`, by cargo-fuzz) and under this crate's own driver
//! (`main.rs`), which needs stable Rust alone.

pub mod cost;
pub mod mutate;
pub mod pieces;
pub mod plain_agent;
pub mod random;
pub mod seeds;
pub mod targets;
