//! Segments → ordered bytes and gaps, for each direction of each connection (RFC 9293).
//!
//! [`Table`] finds the connection of a segment, `acceptance` judges whether its receiver took it, [`Reassembly`] orders
//! its bytes. In-order segments pass through
//! without a copy; what comes too early waits in bounded memory until the hole before it fills or is given up.

mod abandoned;
mod acceptance;
mod beginning;
mod budget;
mod checksums;
mod chunk;
mod facts;
mod grace;
mod half;
mod key;
mod network;
mod pending;
mod reassembly;
mod receipts;
mod table;
mod window;

pub use acceptance::Verdict;
pub use beginning::Beginning;
pub use budget::Budget;
pub use chunk::{Arrival, ByteSink, End, Gap, GapCause, Span};
pub use facts::SegmentFacts;
pub use key::Key;
pub use reassembly::Belongs;
pub use reassembly::Reassembly;
pub use table::{ConnectionEntry, Lookup, Slot, Table};
