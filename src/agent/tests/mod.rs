//! The agent's own tests , by name, at the level of packets, and others: limits, maps,
//! reasons, hostile input.

mod encoder;
mod lab;
mod maps;
mod raw_traffic;
mod reasons;
mod robustness;
mod telemetry;
mod unusual;
