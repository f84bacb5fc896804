//! Segments → ordered bytes and gaps, for each direction of each connection (RFC 9293).
//!
//! [`Table`] finds the connection of a segment, [`Reassembly`] orders its bytes. In-order segments pass through
//! without a copy; what comes too early waits in bounded memory until the hole before it fills or is given up.

mod budget;
mod chunk;
mod facts;
mod grace;
mod key;
mod pending;
mod reassembly;
mod table;

pub use budget::Budget;
pub use chunk::{Arrival, ByteSink, End, Gap, GapCause, Span};
pub use facts::SegmentFacts;
pub use key::Key;
pub use reassembly::{Reassembly, Restart};
pub use table::{Entry, Found, Slot, Table};
