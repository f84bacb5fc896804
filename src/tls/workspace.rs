//! What the sessions of one thread share.

use super::buffer::Pool;
use super::counters::Counters;
use super::hold::Budget;
use super::late::Joins;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::load::Load;

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

    /// How full came what all sessions share: bytes held back, and tries for connections that were joined late. Of these a
    /// connection may take a share of what is left, so that the bound of the load is less than what there is.
    pub fn loads(&self) -> [Load; 2] {
        let (most, cap) = self.budget.load();
        let (spent, share) = (self.joins.budget.spent, limits::TLS_LATE_START / 16);
        [Load::new(Limit::TlsHeld, most, cap), Load { limit: Limit::TlsTrials, most: spent, cap: share }]
    }

    /// Bytes of connections joined late that were looked through for records, again for each look.
    pub fn looked_through(&self) -> u64 {
        self.joins.looked_through
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
