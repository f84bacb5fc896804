//! What is done when memory is short.

use super::endpoints::{Aggregate, Leaf, Leaves, What};
use super::path::templates;
use super::stats::Stats;
use std::collections::BTreeMap;

impl Aggregate {
    /// Brings memory down to `goal`: first siblings that are values by their number become one, which changes no row;
    /// then the paths with the fewest calls go into one row.
    pub(super) fn fold(&mut self, goal: usize) {
        self.join_siblings();
        if self.memory <= goal {
            return;
        }
        let (groups, leaves, mut stats) = self.clear();
        let mut order: Vec<_> = leaves.into_iter().collect();
        let calls = |at: usize| stats.get(at).map_or(0, |stats: &Stats| stats.calls);
        // The most calls first; of equal ones, the order of their names, which does not depend on the map's.
        order.sort_unstable_by(|(one, at), (two, other)| {
            calls(*other).cmp(&calls(*at)).then_with(|| one.cmp(two))
        });
        for (key, at) in order {
            let Some(stats) = stats.get_mut(at).map(std::mem::take) else { continue };
            let group = Leaf::read(&key).and_then(|leaf| Some((leaf, groups.get(leaf.group as usize)?)));
            match group {
                Some((leaf, group)) if self.memory + stats.memory() + key.len() <= goal => {
                    let group = self.group(group);
                    self.put(Leaf { group, ..leaf }, &stats);
                }
                _ => {
                    self.folded.paths += 1;
                    self.folded.stats.merge(&stats);
                }
            }
        }
    }

    /// Makes one leaf of those that will be one row in any case.
    fn join_siblings(&mut self) {
        let (groups, leaves, stats) = self.clear();
        self.groups = Vec::new();
        let templates = leaf_templates(&leaves, false);
        for (key, at) in &leaves {
            let (Some(leaf), Some(stats)) = (Leaf::read(key), stats.get(*at)) else { continue };
            let Some(group) = groups.get(leaf.group as usize) else { continue };
            let group = self.group(group);
            let text = templates.get(at).map_or(leaf.text, |template| template.as_bytes());
            self.put(Leaf { group, text, ..leaf }, stats);
        }
    }

    pub(super) fn put(&mut self, leaf: Leaf<'_>, more: &Stats) {
        let mut key = Vec::with_capacity(leaf.text.len() + 5);
        leaf.write(&mut key);
        let at = self.leaf(&key);
        if let Some(stats) = self.stats.get_mut(at) {
            let before = stats.memory();
            stats.merge(more);
            self.memory = self.memory + stats.memory() - before;
        }
    }
}

/// The templates of the leaves that are paths, by the place of their numbers.
pub(super) fn leaf_templates(leaves: &Leaves, pressure: bool) -> BTreeMap<usize, String> {
    let mut trees: BTreeMap<u32, Vec<(&str, usize)>> = BTreeMap::new();
    for (key, &at) in leaves {
        if let Some(Leaf { group, what: What::Path, text, .. }) = Leaf::read(key)
            && let Ok(text) = std::str::from_utf8(text)
        {
            trees.entry(group).or_default().push((text, at));
        }
    }
    let mut all = BTreeMap::new();
    for tree in trees.values() {
        let paths: Vec<_> = tree.iter().map(|(path, _)| *path).collect();
        all.extend(tree.iter().map(|(_, at)| *at).zip(templates(&paths, pressure)));
    }
    all
}
