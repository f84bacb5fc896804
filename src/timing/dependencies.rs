//! Which streams depend on which (RFC 7540 section 5.3): a stream is to be sent for when those that it depends on can send
//! nothing.
//!
//! State: one entry a stream, of which whoever keeps the tree sees to it that they are few.

use crate::base::memory::of_map;
use std::collections::HashMap;

/// The dependency tree of a connection's streams.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// What a stream depends on: 0 where that is no other one.
    parents: HashMap<u32, u32, foldhash::fast::RandomState>,
}

impl Dependencies {
    /// The stream depends on that one; alone, if `exclusive`: what depends on that one until now then depends on the stream.
    /// Whether a stream depends on another one by that.
    pub(super) fn depend(&mut self, stream: u32, on: u32, exclusive: bool) -> bool {
        if stream == on {
            return false; // an error of the stream (section 5.3.1)
        }
        // Who depends on what is not in the tree is treated as if nothing were stated (section 5.3.1).
        let known = on == 0 || self.parents.contains_key(&on);
        let (on, exclusive) = if known { (on, exclusive) } else { (0, false) };
        // Who comes to depend on what depends on it: that first takes its place (section 5.3.3).
        if self.ancestors(on).any(|ancestor| ancestor == stream) {
            let former = self.parents.get(&stream).copied().unwrap_or(0);
            self.parents.insert(on, former);
        }
        let mut depends = on != 0;
        if exclusive {
            let siblings =
                self.parents.iter_mut().filter(|(child, parent)| **parent == on && **child != stream);
            siblings.for_each(|(_, parent)| (*parent, depends) = (stream, true));
        }
        self.parents.insert(stream, on);
        depends
    }

    /// The stream is in the tree, depending on none unless something else was stated.
    pub(super) fn add(&mut self, stream: u32) {
        self.parents.entry(stream).or_insert(0);
    }

    /// The stream is over: what depends on it depends on what it depended on (section 5.3.4).
    pub(super) fn remove(&mut self, stream: u32) {
        let Some(former) = self.parents.remove(&stream) else { return };
        self.parents.values_mut().filter(|parent| **parent == stream).for_each(|parent| *parent = former);
    }

    /// What the stream depends on, the nearest first.
    pub(super) fn ancestors(&self, stream: u32) -> impl Iterator<Item = u32> {
        // No more than there are, so that the walk ends whatever is in the tree.
        let parent = |stream: &u32| self.parents.get(stream).copied().filter(|&parent| parent != 0);
        std::iter::successors(parent(&stream), parent).take(self.parents.len())
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        of_map::<u32, u32>(self.parents.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(stated: &[(u32, u32, bool)]) -> Dependencies {
        let mut tree = Dependencies::default();
        for &(stream, on, exclusive) in stated {
            tree.depend(stream, on, exclusive);
        }
        tree
    }

    fn ancestors(tree: &Dependencies, stream: u32) -> Vec<u32> {
        tree.ancestors(stream).collect()
    }

    /// The letters of the RFC as numbers.
    const A: u32 = 1;
    const B: u32 = 3;
    const C: u32 = 5;
    const D: u32 = 7;
    const E: u32 = 9;
    const F: u32 = 11;

    #[test]
    fn an_exclusive_stream_stands_between() {
        // RFC 7540 section 5.3.1: D becomes what A has alone, and B and C depend on it.
        let mut tree = tree(&[(A, 0, false), (B, A, false), (C, A, false)]);
        tree.depend(D, A, true);
        assert_eq!((ancestors(&tree, B), ancestors(&tree, C)), (vec![D, A], vec![D, A]));
    }

    #[test]
    fn a_stream_may_come_to_depend_on_what_depends_on_it() {
        // RFC 7540 section 5.3.3, figure 5: A is made to depend on D.
        let stated =
            [(A, 0, false), (B, A, false), (C, A, false), (D, C, false), (E, C, false), (F, D, false)];
        for exclusive in [false, true] {
            let mut tree = tree(&stated);
            tree.depend(A, D, exclusive);
            assert_eq!((ancestors(&tree, D), ancestors(&tree, A)), (Vec::new(), vec![D]));
            assert_eq!(ancestors(&tree, E), [C, A, D]);
            assert_eq!(ancestors(&tree, F), if exclusive { vec![A, D] } else { vec![D] });
        }
    }

    #[test]
    fn it_is_told_whether_one_depends_on_another() {
        let mut tree = Dependencies::default();
        let stated = [
            (A, 0, true, false),
            (B, 0, false, false),
            (C, F, true, false),
            (D, 0, true, true),
            (E, A, false, true),
        ];
        for (stream, on, exclusive, depends) in stated {
            assert_eq!(tree.depend(stream, on, exclusive), depends, "{stream}");
        }
        assert_eq!(ancestors(&tree, E), [A, D]);
    }

    #[test]
    fn what_is_over_leaves_its_place() {
        let mut tree = tree(&[(A, 0, false), (B, A, false), (C, B, false)]);
        tree.remove(B);
        assert_eq!(ancestors(&tree, C), [A]);
        tree.depend(D, B, false);
        assert!(ancestors(&tree, D).is_empty(), "what it depends on is not there");
        tree.depend(C, C, true);
        assert_eq!(ancestors(&tree, C), [A], "nothing depends on itself");
        tree.add(C);
        assert_eq!(ancestors(&tree, C), [A]);
    }

    proptest! {
        #[test]
        fn there_are_no_circles(stated in proptest::collection::vec((1..9_u32, 0..9_u32, any::<bool>(), any::<bool>()), 0..60)) {
            let mut tree = Dependencies::default();
            for (stream, on, exclusive, over) in stated {
                tree.depend(stream, on, exclusive);
                if over {
                    tree.remove(on);
                }
                for stream in 1..9 {
                    prop_assert!(!tree.ancestors(stream).any(|ancestor| ancestor == stream));
                }
            }
        }
    }
}
