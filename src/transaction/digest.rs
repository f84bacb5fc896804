//! What a request's body is known by, so that another attempt at the same is recognised.

use std::hash::{DefaultHasher, Hasher};

/// The digest of a body, as far as that has come.
#[derive(Debug, Default)]
pub(super) enum Digest {
    /// Nothing has come.
    #[default]
    Empty,
    /// Of the octets so far, however they were cut.
    Begun(Box<DefaultHasher>),
    /// Octets are missing.
    Lost,
}

impl Digest {
    /// The next octets.
    pub(super) fn add(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        if let Self::Empty = self {
            *self = Self::Begun(Box::default());
        }
        if let Self::Begun(hasher) = self {
            hasher.write(octets);
        }
    }

    /// The next octets are not known.
    pub(super) fn lose(&mut self) {
        *self = Self::Lost;
    }

    /// Bytes of memory held, beside its own.
    pub(super) const fn memory(&self) -> usize {
        if let Self::Begun(_) = self { size_of::<DefaultHasher>() } else { 0 }
    }

    /// The digest; `None` where octets are missing.
    pub(super) fn value(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Begun(hasher) => Some(hasher.finish()),
            Self::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pieces: &[&[u8]]) -> Option<u64> {
        let mut digest = Digest::default();
        for piece in pieces {
            digest.add(piece);
        }
        digest.value()
    }

    proptest! {
        #[test]
        fn equal_bodies_have_equal_digests_however_they_are_cut(
            body in proptest::collection::vec(any::<u8>(), 0..80),
            cuts in proptest::collection::vec(0usize..80, 2),
        ) {
            let (one, two) = (cuts[0].min(cuts[1]).min(body.len()), cuts[0].max(cuts[1]).min(body.len()));
            prop_assert_eq!(of(&[&body]), of(&[&body[..one], &body[one..two], &body[two..]]));
        }
    }

    #[test]
    fn other_bodies_have_other_digests() {
        assert!(of(&[b"a"]) != of(&[b"b"]) && of(&[]) != of(&[b"a"]) && of(&[b"a"]) != of(&[b"a\0"]));
        let mut lost = Digest::default();
        lost.lose();
        lost.add(b"a");
        assert_eq!(lost.value(), None);
    }
}
