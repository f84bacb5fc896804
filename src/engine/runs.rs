//! Sorting a list that consists of ordered runs, as each shard leaves one: they are merged two at a time.
//!
//! The standard library's sort merges such runs, too, but not where they are as short as those of one job: it takes four times
//! as long there.

/// Sorts a list, equal elements in the order in which they are; what it needs meanwhile is kept for the next one.
#[derive(Debug)]
pub(super) struct Runs<T> {
    /// The list.
    pub(super) list: Vec<T>,
    merged: Vec<T>,
    /// Where runs end.
    ends: Vec<usize>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { list: Vec::new(), merged: Vec::new(), ends: Vec::new() }
    }
}

impl<T: Copy> Runs<T> {
    /// Puts the list in the order of the elements' keys.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.find(&key);
        while self.ends.len() > 1 {
            self.merge(&key);
        }
    }

    /// Finds the runs.
    fn find<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        let steps = self.list.windows(2).enumerate();
        let falls = steps.filter(|(_, step)| matches!(step, [one, next] if key(next) < key(one)));
        self.ends.clear();
        self.ends.extend(falls.map(|(at, _)| at + 1));
        self.ends.push(self.list.len());
    }

    /// Makes one run of every two.
    fn merge<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.merged.clear();
        let mut rest = self.list.as_slice();
        let (mut taken, mut count) = (0, 0);
        for at in (0..self.ends.len()).step_by(2) {
            let middle = self.ends.get(at).copied().unwrap_or_default();
            let end = self.ends.get(at + 1).copied().unwrap_or(middle);
            let (two, others) = rest.split_at_checked(end - taken).unwrap_or_default();
            merge(two, middle - taken, &mut self.merged, &key);
            if let Some(place) = self.ends.get_mut(count) {
                *place = end;
            }
            (rest, taken, count) = (others, end, count + 1);
        }
        self.ends.truncate(count);
        std::mem::swap(&mut self.list, &mut self.merged);
    }
}

/// Appends two runs, the first of which has this length, as one.
fn merge<T: Copy, K: Ord>(two: &[T], first: usize, into: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let (mut one, mut other) = two.split_at_checked(first).unwrap_or_default();
    into.reserve(two.len());
    while let ([first, ones @ ..], [second, others @ ..]) = (one, other) {
        if key(second) < key(first) {
            into.push(*second);
            other = others;
        } else {
            into.push(*first);
            one = ones;
        }
    }
    into.extend_from_slice(one);
    into.extend_from_slice(other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_a_stable_sort_makes(keys in proptest::collection::vec(0u8..20, 0..80), ordered: u8) {
            let mut runs = Runs { list: keys.into_iter().enumerate().collect(), ..Runs::default() };
            // Some of it in runs, as shards leave them.
            for run in runs.list.chunks_mut(usize::from(ordered % 30) + 1) {
                run.sort_by_key(|&(_, key)| key);
            }
            let mut expected = runs.list.clone();
            expected.sort_by_key(|&(_, key)| key);
            runs.sort_by_key(|&(_, key)| key);
            prop_assert_eq!(&runs.list, &expected);
        }
    }
}
