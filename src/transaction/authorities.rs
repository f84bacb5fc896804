//! How many exchanges of a connection went to each authority: connections may be used for several (RFC 9113 section 9.1.1).

use crate::base::limits;
use crate::record::Fields;
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// The authorities of a connection, at most [`limits::REUSE_AUTHORITIES`], and the exchanges of each.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    /// A hash with an unforeseeable key stands for the authority, which may be long.
    hasher: RandomState,
    counts: Vec<(u64, u64)>,
    /// Which of them the last exchange went to.
    last: usize,
    limited: u64,
}

impl Authorities {
    /// An exchange with these header fields of its request; none is counted where the authority is not known.
    pub(super) fn add(&mut self, request: &Fields) {
        let Some(hash) = request.authority().map(|authority| self.hasher.hash_one(authority)) else { return };
        let is_last = self.counts.get(self.last).is_some_and(|&(other, _)| other == hash);
        if !is_last {
            self.last = self.counts.iter().position(|&(other, _)| other == hash).unwrap_or(self.counts.len());
        }
        if let Some((_, count)) = self.counts.get_mut(self.last) {
            *count += 1;
        } else if self.counts.len() < limits::REUSE_AUTHORITIES {
            self.counts.push((hash, 1));
        } else {
            self.limited += 1;
        }
    }

    /// The exchanges of each authority.
    pub(super) fn counts(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().map(|&(_, count)| count)
    }

    /// Exchanges whose authority was one too many.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.counts.capacity() * size_of::<(u64, u64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::certainty::Certainty;
    use crate::record::{Field, FieldName};

    fn request(known: FieldName, authority: &str) -> Fields {
        let mut fields = Fields::default();
        fields.push(Field {
            name: Some(b"x"),
            value: Some(authority.as_bytes()),
            known,
            source: Certainty::Exact,
            reference: None,
        });
        fields
    }

    #[test]
    fn exchanges_are_counted_for_each_authority() {
        let mut authorities = Authorities::default();
        for authority in ["a", "a", "b", "a", "b"] {
            authorities.add(&request(FieldName::Authority, authority));
        }
        authorities.add(&request(FieldName::Host, "c"));
        authorities.add(&request(FieldName::Path, "/"));
        assert!(authorities.counts().eq([3, 2, 1]));
        assert_eq!(authorities.limited(), 0);
    }

    #[test]
    fn cap_reuse_authorities() {
        let mut authorities = Authorities::default();
        let most = limits::REUSE_AUTHORITIES;
        for n in 0..=most {
            assert_eq!(authorities.limited(), 0);
            authorities.add(&request(FieldName::Authority, &n.to_string()));
        }
        assert_eq!((authorities.counts().count(), authorities.limited()), (most, 1));
        authorities.add(&request(FieldName::Authority, "0"));
        assert_eq!(authorities.limited(), 1, "those that are there are counted on");
    }
}
