//! What the sessions of one thread share.

use super::buffer::Pool;
use super::counters::Counters;
use super::hold::Budget;
use super::late::Joins;

/// Counters, buffers for reuse, and the budget of what all sessions together hold back.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) counters: Counters,
    pub(crate) budget: Budget,
    pub(crate) joins: Joins,
    pub(crate) scratch: Vec<u8>,
    pub(crate) pool: Pool,
}

impl Workspace {
    /// A workspace that draws on a budget shared with others.
    pub fn with_budget(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
