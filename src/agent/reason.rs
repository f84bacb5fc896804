//! The reasons that apply to one transaction.

use crate::base::verdict::MissReason;

/// A set of reasons that apply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReasonSet(u32, bool);

impl ReasonSet {
    /// Adds a reason.
    pub(super) fn insert(&mut self, reason: MissReason) {
        self.0 |= 1 << reason as u32;
    }

    /// Adds a reason when `applies`.
    pub(super) fn insert_if(&mut self, applies: bool, reason: MissReason) {
        self.0 |= u32::from(applies) << reason as u32;
    }

    /// A reason may have been forgotten.
    pub(super) fn forget_if(&mut self, may: bool) {
        self.1 |= may;
    }

    /// A reason may have been forgotten, and it would have been the only one.
    pub(super) const fn is_forgotten(self) -> bool {
        self.0 == 0 && self.1
    }

    /// The first in the order of [`MissReason::ALL`]; `Other` when there is none.
    pub(super) fn first(self) -> MissReason {
        MissReason::ALL
            .into_iter()
            .find(|&reason| self.0 & 1 << reason as u32 != 0)
            .unwrap_or(MissReason::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_in_order_is_given() {
        let mut set = ReasonSet::default();
        assert_eq!(set.first(), MissReason::Other);
        set.insert(MissReason::Fin);
        set.insert_if(false, MissReason::Classification);
        set.insert_if(true, MissReason::Continuation);
        assert_eq!(set.first(), MissReason::Continuation);
    }

    #[test]
    fn all_is_in_declaration_order_and_names_are_distinct() {
        for (at, reason) in MissReason::ALL.into_iter().enumerate() {
            assert_eq!(at, reason as usize);
            assert_eq!(MissReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1);
        }
    }
}
