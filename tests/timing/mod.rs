//! Where the time of calls went: the parts add up whatever is missing, and agree with what both ends did.

mod drains;
mod stalls;
mod sums;
