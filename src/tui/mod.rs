//! `--tui`: a window on what goes on, for captures while they are read and live.
//!
//! ```text
//! workers ──owned copies──► Window (the consumer) ──batches──► the window's thread: Model ──► Screen ──► terminal
//!  (Collector)                                     (channel)                                 ◄── keys
//! ```
//!
//! A consumer of records like an output format: what it tells comes from them alone. The analysis of a live capture never
//! waits for it; what it cannot take in time is counted and not shown. Its memory is bounded: the last
//! [`WINDOW_CALLS`](crate::base::limits::WINDOW_CALLS) exchanges, and sums of the others.

mod call;
mod collector;
mod detail;
mod draw;
mod endpoints;
mod keys;
mod model;
mod rows;
mod screen;
mod terminal;
mod window;

#[cfg(test)]
mod tests;

pub use collector::Collector;
pub use window::{Stop, Window, WindowOptions};

use crate::record::Wanted;

/// The records that it needs.
pub const WANTED: Wanted = Wanted {
    transactions: true,
    endpoints: false,
    connections: true,
    frames: false,
    findings: false,
    telemetry: false,
    headers: true,
    messages: false,
    timeline: false,
    steps: true,
    segments: false,
    openings: true,
    filtered: false,
};
