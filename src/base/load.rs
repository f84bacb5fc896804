//! How full something came that is bounded for many connections together.

use super::limit_counters::Limit;

/// The most that was wanted of a capacity at one time. Where several processes share a capture's connections, the sum says
/// whether one process alone would have had room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The counter of what strikes when it is full.
    pub limit: Limit,
    /// The most that was wanted, no less than there ever was.
    pub most: u64,
    /// How much there is room for.
    pub cap: u64,
}

impl Load {
    /// Of sizes.
    pub const fn new(limit: Limit, most: usize, cap: usize) -> Self {
        Self { limit, most: most as u64, cap: cap as u64 }
    }
}
