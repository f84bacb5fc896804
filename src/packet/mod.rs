//! One captured packet → at most one TCP segment, borrowed.

mod segment;

pub use segment::{Endpoint, Segment, TcpFlags};
