//! A byte budget shared by the connections of a shard.

/// Counts bytes held against a cap, and how often the cap struck.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    held: usize,
    cap: usize,
    struck: u64,
    most: usize,
}

impl Budget {
    /// A budget of `cap` bytes.
    pub const fn new(cap: usize) -> Self {
        Self { held: 0, cap, struck: 0, most: 0 }
    }

    /// Takes `bytes` from the budget, or refuses and counts.
    pub const fn take(&mut self, bytes: usize) -> bool {
        let wanted = self.held.saturating_add(bytes);
        if wanted > self.most {
            self.most = wanted;
        }
        if wanted > self.cap {
            self.struck += 1;
            return false;
        }
        self.held = wanted;
        true
    }

    /// What was held is dropped, as there is no room for what becomes of it.
    pub const fn strike(&mut self) {
        self.struck += 1;
    }

    /// Gives `bytes` back.
    pub const fn give(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Bytes held now.
    pub const fn held(&self) -> usize {
        self.held
    }

    /// The most that was wanted at one time.
    pub const fn most(&self) -> usize {
        self.most
    }

    /// How much there is in all.
    pub const fn cap(&self) -> usize {
        self.cap
    }

    /// How often a request was refused.
    pub const fn struck(&self) -> u64 {
        self.struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_over_the_cap_only() {
        let mut budget = Budget::new(10);
        assert!(budget.take(9) && budget.take(1));
        assert!(!budget.take(1));
        assert_eq!((budget.held(), budget.struck(), budget.most()), (10, 1, 11));
        budget.give(4);
        assert!(budget.take(4));
    }
}
