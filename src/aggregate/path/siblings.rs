//! Values that are known by their number: many siblings that are alike.
//!
//! The paths of a service and method are a tree of segments. Where more than a number of siblings have the same below
//! them (end there, or go on with the same name), those siblings are values: they become one, `{}`, and what is below
//! them is joined and looked at in the same way. So `/{owner}/{repo}/issues` comes out although no two owners have the
//! same repositories: they all have `issues` two levels down. What a sibling has below grows with what was seen, and
//! never shrinks: the result does not depend on the order.
//!
//! Versions stay, and so do file extensions: siblings with different ones are not alike. Values that are known by
//! their looks join the others where these are values.

use super::kind::is_version;
use super::segment::split_extension;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a value becomes that is none of the known kinds.
const VALUE: &str = "{}";
/// How deep below a sibling is looked for what it has in common with others.
const LEVELS: u8 = 3;
/// Traits of one sibling that are looked at.
const TRAITS: usize = 256;
/// Templates of a service and method; with more, fewer siblings make a value.
const ENOUGH: usize = 256;

/// How many siblings are still names.
struct Rule {
    /// Those that end alike, or go on with the same name.
    alike: usize,
    /// The same, when there is a digit in them: they are rather values.
    with_digits: usize,
    /// Those that have only values below in common: few services have so many things.
    same_shape: usize,
    /// The first level at which it holds.
    from: usize,
}

/// What holds at first, and what is tried where too many templates are left. The first segment, which names what a
/// service is made of, is not touched then.
const RULES: [Rule; 3] = [
    Rule { alike: 64, with_digits: 8, same_shape: 256, from: 0 },
    Rule { alike: 16, with_digits: 4, same_shape: 64, from: 1 },
    Rule { alike: 4, with_digits: 2, same_shape: 16, from: 1 },
];

/// The templates of paths, in their order. With `pressure`, rules that take fewer siblings for values are tried where
/// there are too many templates.
pub(in crate::aggregate) fn templates(paths: &[&str], pressure: bool) -> Vec<String> {
    let mut templates = Vec::new();
    for rule in RULES.iter().take(if pressure { RULES.len() } else { 1 }) {
        templates = by_rule(paths, rule);
        if templates.iter().collect::<BTreeSet<_>>().len() <= ENOUGH {
            break;
        }
    }
    templates
}

fn by_rule(paths: &[&str], rule: &Rule) -> Vec<String> {
    let mut tree = Tree { nodes: vec![Node::default()] };
    let mut templates: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
    for (index, path) in paths.iter().enumerate() {
        if let Some(path) = path.strip_prefix('/') {
            tree.insert(path, index);
        }
    }
    tree.resolve(0, 0, rule, &mut String::new(), &mut templates);
    templates
}

struct Tree<'a> {
    /// The first is the root.
    nodes: Vec<Node<'a>>,
}

#[derive(Default)]
struct Node<'a> {
    children: BTreeMap<Cow<'a, str>, usize>,
    /// Paths that end here, by their index.
    ends: Vec<usize>,
}

/// What a sibling has below it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trait<'a> {
    /// A path ends so many levels below.
    End(u8),
    /// A segment so many levels below.
    Name(u8, &'a str),
}

/// How many siblings have a trait.
#[derive(Clone, Copy, Default)]
struct Support {
    all: usize,
    with_digits: usize,
    /// Siblings that are known to be values have it.
    value: bool,
}

struct Sibling<'a> {
    label: &'a str,
    kind: Kind,
    traits: Vec<Trait<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    WithDigits,
    /// A value by its looks.
    Looks,
    /// Values by their number, from an earlier look.
    Value,
}

impl Trait<'_> {
    /// Whether it is only the shape of what is below, which different things may have.
    fn is_shape(self) -> bool {
        match self {
            Self::End(level) => level > 1,
            Self::Name(_, name) => name.contains('{'),
        }
    }
}

impl Support {
    fn makes_values(self, of: Trait<'_>, rule: &Rule) -> bool {
        self.value || self.all > if of.is_shape() { rule.same_shape } else { rule.alike }
    }
}

impl<'a> Tree<'a> {
    fn insert(&mut self, path: &'a str, index: usize) {
        let mut at = 0;
        for segment in path.split('/') {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = *node.children.entry(Cow::Borrowed(segment)).or_insert(next);
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.ends.push(index);
        }
    }

    /// Joins what are values among a node's children, and writes the templates of all paths below it.
    fn resolve(
        &mut self,
        at: usize,
        level: usize,
        rule: &Rule,
        prefix: &mut String,
        templates: &mut [String],
    ) {
        if level >= rule.from {
            for (extension, labels) in self.values(at, rule) {
                self.join(at, labels, &format!("{VALUE}{extension}"));
            }
        }
        let Some(node) = self.nodes.get_mut(at).map(std::mem::take) else { return };
        for index in node.ends {
            if let Some(template) = templates.get_mut(index) {
                template.clone_from(prefix);
            }
        }
        for (label, child) in node.children {
            let length = prefix.len();
            prefix.push('/');
            prefix.push_str(&label);
            self.resolve(child, level + 1, rule, prefix, templates);
            prefix.truncate(length);
        }
    }

    /// The children of a node that are values, by their extension.
    fn values(&self, at: usize, rule: &Rule) -> BTreeMap<String, Vec<String>> {
        let mut values = BTreeMap::new();
        let Some(node) = self.nodes.get(at) else { return values };
        let mut classes: BTreeMap<&str, Vec<(&str, Kind, usize)>> = BTreeMap::new();
        for (label, &child) in &node.children {
            let (stem, extension) = split(label);
            if stem.is_empty() || is_version(stem) {
                continue;
            }
            let kind = match stem {
                VALUE => Kind::Value,
                _ if stem.contains('{') => Kind::Looks,
                _ if stem.bytes().any(|byte| byte.is_ascii_digit()) => Kind::WithDigits,
                _ => Kind::Word,
            };
            classes.entry(extension).or_default().push((label, kind, child));
        }
        for (extension, class) in classes {
            let words = class.iter().filter(|(_, kind, _)| *kind != Kind::Looks).count();
            let is_known = class.iter().any(|(_, kind, _)| *kind == Kind::Value);
            if !is_known && words <= rule.with_digits.min(rule.alike) {
                continue;
            }
            let siblings = class.into_iter().map(|(label, kind, child)| {
                let mut traits = Vec::new();
                self.traits(child, 1, &mut traits);
                traits.sort_unstable();
                traits.dedup();
                Sibling { label, kind, traits }
            });
            let labels = alike(&siblings.collect::<Vec<_>>(), rule);
            if !labels.is_empty() {
                values.insert(extension.to_owned(), labels);
            }
        }
        values
    }

    fn traits<'b>(&'b self, at: usize, level: u8, traits: &mut Vec<Trait<'b>>) {
        let Some(node) = self.nodes.get(at) else { return };
        if !node.ends.is_empty() {
            traits.push(Trait::End(level));
        }
        for (label, &child) in &node.children {
            if traits.len() >= TRAITS {
                return;
            }
            traits.push(Trait::Name(level, label));
            if level < LEVELS {
                self.traits(child, level + 1, traits);
            }
        }
    }

    /// Makes one child of several.
    fn join(&mut self, at: usize, labels: Vec<String>, name: &str) {
        for label in labels {
            let Some(node) = self.nodes.get_mut(at) else { return };
            let Some(child) = node.children.remove(label.as_str()) else { continue };
            self.attach(at, Cow::Owned(name.to_owned()), child);
        }
    }

    /// Puts a node below another, joined with what is there by that name.
    fn attach(&mut self, at: usize, label: Cow<'a, str>, child: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let known = *node.children.entry(label).or_insert(child);
        if known == child {
            return;
        }
        let Some(taken) = self.nodes.get_mut(child).map(std::mem::take) else { return };
        if let Some(node) = self.nodes.get_mut(known) {
            node.ends.extend(&taken.ends);
        }
        for (label, child) in taken.children {
            self.attach(known, label, child);
        }
    }
}

/// The siblings of one extension that are values.
fn alike(siblings: &[Sibling<'_>], rule: &Rule) -> Vec<String> {
    let mut supports: BTreeMap<Trait<'_>, Support> = BTreeMap::new();
    for sibling in siblings.iter().filter(|sibling| sibling.kind != Kind::Looks) {
        for &of in &sibling.traits {
            let support = supports.entry(of).or_default();
            support.all += 1;
            support.with_digits += usize::from(sibling.kind == Kind::WithDigits);
            support.value |= sibling.kind == Kind::Value;
        }
    }
    let made: BTreeSet<_> =
        supports.iter().filter(|(of, support)| support.makes_values(**of, rule)).map(|(of, _)| *of).collect();
    let made_with_digits: BTreeSet<_> = supports
        .iter()
        .filter(|(_, support)| support.with_digits > rule.with_digits)
        .map(|(of, _)| *of)
        .collect();
    let joins = |sibling: &&Sibling<'_>| {
        sibling.traits.iter().any(|of| match sibling.kind {
            Kind::Word => made.contains(of),
            Kind::WithDigits | Kind::Looks => made.contains(of) || made_with_digits.contains(of),
            Kind::Value => true,
        })
    };
    if made.is_empty() && made_with_digits.is_empty() {
        return Vec::new();
    }
    siblings.iter().filter(joins).map(|sibling| sibling.label.to_owned()).collect()
}

/// A label's stem and extension.
fn split(label: &str) -> (&str, &str) {
    let (stem, _) = split_extension(label);
    label.split_at(stem.len())
}
