//! Files of one room that need each other: what two share stands below both.

use super::production;
use std::collections::{BTreeMap, BTreeSet};

/// The paths of `use` declarations, one a name: `a::{b, c::d}` gives `a::b` and `a::c::d`; names given by `as` are left
/// out.
fn imports(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let begins = code[..at].rsplit('\n').next().unwrap().trim();
        if (begins.is_empty() || begins.starts_with("pub"))
            && let Some((tree, _)) = code[at + 4..].split_once(';')
        {
            expand(&mut Vec::new(), tree.trim(), &mut paths);
        }
    }
    paths
}

fn expand(before: &mut Vec<String>, tree: &str, paths: &mut Vec<Vec<String>>) {
    let depth = before.len();
    let (head, list) = match tree.split_once('{') {
        Some((head, list)) => (head.trim(), list.trim().strip_suffix('}')),
        None => (tree, None),
    };
    let head = head.split(" as ").next().unwrap();
    before.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
    match list {
        None => paths.push(before.clone()),
        Some(list) => {
            let (mut nested, mut start) = (0, 0);
            for (at, char) in list.char_indices().chain([(list.len(), ',')]) {
                match char {
                    '{' => nested += 1,
                    '}' => nested -= 1,
                    ',' if nested == 0 => {
                        let item = list[start..at].trim();
                        if !item.is_empty() {
                            expand(before, item, paths);
                        }
                        start = at + 1;
                    }
                    _ => (),
                }
            }
        }
    }
    before.truncate(depth);
}

/// The modules of the sources: path of the module → its file, and what it re-exports or imports by name.
struct Modules {
    files: BTreeMap<Vec<String>, String>,
    imports: BTreeMap<Vec<String>, Vec<Vec<String>>>,
}

impl Modules {
    fn read() -> Self {
        let (mut files, mut all) = (BTreeMap::new(), BTreeMap::new());
        for (name, code) in production() {
            let mut module: Vec<String> =
                name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module.last().unwrap().as_str(), "mod" | "lib" | "main") {
                module.pop();
            }
            all.insert(module.clone(), imports(&code));
            files.insert(module, name);
        }
        let mut modules = Self { files, imports: BTreeMap::new() };
        for (module, paths) in all {
            let resolved = paths.iter().map(|path| modules.absolute(&module, path)).collect();
            modules.imports.insert(module, resolved);
        }
        modules
    }

    /// A path as it is seen from the crate's root.
    fn absolute(&self, module: &[String], path: &[String]) -> Vec<String> {
        let mut at = module.to_vec();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => (at, rest) = (Vec::new(), &path[1..]),
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            // A child of this module, or another crate.
            _ => {
                let mut child = at.clone();
                child.extend(path.first().cloned());
                if !self.files.contains_key(&child) {
                    return Vec::new();
                }
            }
        }
        at.extend(rest.iter().cloned());
        at
    }

    /// The module that defines what a path names.
    fn home(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        if self.files.contains_key(path) {
            return Some(path.to_vec());
        }
        let (name, parent) = path.split_last()?;
        // What the module took from elsewhere is at home there.
        let taken = self.imports.get(parent).into_iter().flatten().find(|taken| taken.last() == Some(name));
        match taken {
            Some(taken) if depth < 8 && taken[..] != *path => self.home(taken, depth + 1),
            _ => self.home(parent, depth),
        }
    }

    /// File → the files of the same room whose names it uses.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, paths) in &self.imports {
            let from = self.files[module].as_str();
            for path in paths {
                let Some(home) = self.home(path, 0).filter(|home| home.first() == module.first()) else {
                    continue;
                };
                let to = self.files[&home].as_str();
                // A module and its own parts are one: what the parts share may stand in it.
                let is_above = module.starts_with(&home);
                if to != from && !is_above {
                    arrows.entry(from).or_default().insert(to);
                }
            }
        }
        arrows
    }
}

/// All that can be reached from a file.
fn reach<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        for to in arrows.get(file).into_iter().flatten() {
            if seen.insert(*to) {
                next.push(to);
            }
        }
    }
    seen
}

/// What a stream of HTTP/2 carries may be HTTP/2 again: so are the layers made, and so do their files need each other.
const WITHIN_ITSELF: &[&str] =
    &["pipeline/connection_end.rs", "pipeline/http2.rs", "pipeline/layers.rs", "pipeline/tunnel.rs"];

#[test]
fn no_two_files_need_each_other() {
    let modules = Modules::read();
    let arrows = modules.arrows();
    assert!(arrows.len() > 100, "the imports are not read: {}", arrows.len());
    let mut circles = BTreeSet::new();
    for file in arrows.keys() {
        let reached = reach(&arrows, file);
        if reached.contains(file) {
            let circle: BTreeSet<_> =
                reached.into_iter().filter(|other| reach(&arrows, other).contains(file)).collect();
            if !circle.iter().all(|file| WITHIN_ITSELF.contains(file)) {
                circles.insert(circle);
            }
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn imports_are_read_one_by_one() {
    let code = "use a::{b, c::{d, self as e}};\npub use super::f;\n    use crate::g::*;\nlet reuse = 1;";
    let read: Vec<_> = imports(code).iter().map(|path| path.join("::")).collect();
    assert_eq!(read, ["a::b", "a::c::d", "a::c::self", "super::f", "crate::g::*"]);
}
