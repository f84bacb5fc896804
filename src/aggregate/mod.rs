//! Endpoints: which calls there were, how many failed, how long they took.
//!
//! An [`Exchange`] is the facts of one finished exchange. [`Aggregate`] adds them up by service, method and path, with
//! what is variable in the path by its looks (`{int}`, `{uuid}`, …) already replaced. What is variable by its number
//! is decided when [`rows`](Aggregate::rows) are made, of all that was seen: the same, whatever came first and however
//! many aggregates were [merged](Aggregate::merge).
//!
//! Memory is bounded: at [`crate::base::limits::ENDPOINT_MEMORY`] the paths with the fewest calls are folded into one
//! row.

mod both;
mod bounds;
mod endpoints;
mod errors;
mod facts;
mod fold;
mod names;
mod observe;
mod octets;
mod path;
mod portable;
mod rate;
mod records;
mod rows;
mod sketch;
mod sketch_bytes;
mod stats;

#[cfg(test)]
mod tests;

pub use bounds::{Bound, Doubt, Latency};
pub use endpoints::Aggregate;
pub use facts::{Call, Counted, Exchange, Place, Span, Target};
pub use names::Names;
pub use octets::PieceError;
pub use path::{OpenApiError, PatternError, Patterns, Templates};
pub use rate::Rate;
pub use rows::{Kind, Row, Rows};
pub use sketch::{Sketch, SketchError, quantile_rank};
pub use stats::{Slowest, Stats};
