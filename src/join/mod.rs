//! Two captures of the same calls: which exchanges are one call, how the clocks differ, what lay between.
//!
//! ```text
//! client's capture ─► Collector ─► Side ─┐
//!                                        ├─► connections (which are one) ─► comparison (times, losses) ─► clock
//! server's capture ─► Collector ─► Side ─┘        └─► pairing: by stream, by ids, by content ◄──────────────┘
//!                                                          └─► report: a `Pair` each, and a `Join`
//! ```
//!
//! It knows records, and of segments what [`SegmentView`](crate::record::SegmentView) says: no packet is looked into here.

mod clock;
mod collect;
mod comparison;
mod connection;
mod connections;
mod content;
mod endpoints;
mod exchange;
mod ids;
mod lines;
mod missing;
mod pairing;
mod report;
mod stream;
mod transit;

#[cfg(test)]
mod tests;

pub use collect::{Batch, Collector, Side};
pub use endpoints::Endpoints;
pub use report::{Joined, join};

/// What the user says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of fields that hold an id, in small letters: they are believed before those that h2lens knows.
    pub join_by: Vec<String>,
    /// The server's clock less the client's, in nanoseconds.
    pub clock_offset: Option<i64>,
}
