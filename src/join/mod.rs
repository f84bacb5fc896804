//! Two captures of the same calls: which exchanges are one call, how the clocks differ, what lay between.
//!
//! ```text
//! client's capture ─► Collector ─┐ turns          Side ─┐
//!                                ├──────► Joining       ├─► round: connections (which are one) ─► comparison (times, losses)
//! server's capture ─► Collector ─┘                Side ─┘      pairing: by stream, by ids, by content ◄──────── clock
//!                                             ▲                  └─► a `Pair` each; in the end a `Join`
//!                                             └─ settle: what was told is let go
//! ```
//!
//! The captures are read side by side, in the order of their times. As long as there is room all is kept, and joined in one round
//! in the end. When a side is three quarters full there is a round before: what ended in the older half of what is kept is told,
//! with or without a partner, and let go.
//!
//! It knows records, and of segments what [`SegmentView`](crate::record::SegmentView) says: no packet is looked into here.

mod clock;
mod collect;
mod comparison;
mod connection;
mod connections;
mod content;
mod doubts;
mod endpoints;
mod exchange;
mod holes;
mod ids;
mod joining;
mod lines;
mod missing;
mod numbers;
mod pairing;
mod round;
mod settle;
mod stream;
mod transit;
mod turns;
mod way;

#[cfg(test)]
mod tests;

pub use collect::{Batch, Side};
pub use endpoints::Endpoints;
pub use joining::{Joined, Joining, PairSink};
pub use turns::{Collector, Place, Stopped, Turns};

/// What the user says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of fields that hold an id, in small letters: they are believed before those that h2lens knows.
    pub join_by: Vec<String>,
    /// The server's clock less the client's, in nanoseconds.
    pub clock_offset: Option<i64>,
}
