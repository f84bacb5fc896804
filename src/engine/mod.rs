//! Captures → records in order: packets are read and decoded into jobs, the shards work on them, and what they leave is
//! merged in the order of the packets.

mod analyze;
mod analyzer;
mod attempts;
mod board;
mod collect;
mod ending;
mod job;
mod locate;
mod merge;
mod owned;
mod product;
mod read;
mod report;
mod runs;
mod select;
mod shards;
mod summaries;
mod worker;

#[cfg(feature = "cli")]
pub(crate) use analyze::cut_at;
pub use analyze::{Analysis, Outcome, captures};
#[cfg(feature = "live")]
pub(crate) use analyze::{Engine, Standing};
pub use analyzer::{Analyzer, Config, Packet};
pub use attempts::{Attempt, Attempts, Pair};
pub use job::{Job, Task};
pub use locate::{Candidates, Locator};
pub use owned::{Copies, Frame, Record};
pub use product::Product;
pub use read::{Records, read};
pub use shards::{Done, Shards};
pub use worker::Worker;
