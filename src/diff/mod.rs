//! Two runs of the same service, endpoint by endpoint: what changed by more than chance?
//!
//! ```text
//! captures ─► engine ─────────────► Aggregate ─┐
//!                                     ▲        ├─► rows of both, by the same templates ─► compare ─► a `Difference` each
//! endpoint records ─► records (json, parquet)  ┘                                             │
//!                                                          chance: rank sums, counts, Holm ◄─┘
//! ```
//!
//! Of each run it knows what is counted by endpoint alone, so that a baseline is a file of endpoint records.

mod chance;
mod compare;
mod fail_on;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod records;

pub use compare::compare;
pub use fail_on::FailOn;
pub use json::{is_text, read_text};
#[cfg(feature = "parquet")]
pub use parquet::{ReadParquetError, read_columns};
pub use records::{Records, is_columns};
