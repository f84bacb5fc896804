//! Patterns of paths: `/users/{id}`, `/files/{name}.json`, `/static/{*rest}`.

use crate::record::Routes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use thiserror::Error;

/// Patterns that name paths, in sets: the first set that has one for a path names it.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    sets: Vec<Set>,
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// It does not begin with `/`.
    #[error("a path pattern begins with '/': {0}")]
    NoSlash(String),
    /// A brace without its partner.
    #[error("a brace without its partner in the path pattern {0}")]
    Brace(String),
    /// Two values with nothing between.
    #[error("nothing between two values in the path pattern {0}")]
    Adjacent(String),
    /// What matches the rest of a path is not the last segment.
    #[error("'{{*rest}}' must be the last segment of the path pattern {0}")]
    Rest(String),
}

/// Patterns of one source: of several that match, the one counts that is most specific, segment by segment.
#[derive(Clone, Debug)]
struct Set {
    /// The first is the root.
    nodes: Vec<Node>,
    /// Segments of the longest pattern.
    depth: usize,
}

/// What may follow, the more specific first, as indices of nodes.
#[derive(Clone, Debug, Default)]
struct Node {
    names: BTreeMap<Box<[u8]>, usize>,
    /// Segments of which a part is a value.
    parts: Vec<(Vec<Box<[u8]>>, usize)>,
    value: Option<usize>,
    /// The pattern that matches whatever follows.
    rest: Option<Box<str>>,
    /// The pattern that ends here.
    end: Option<Box<str>>,
}

/// A segment of a pattern.
enum Segment {
    Name(Vec<u8>),
    /// What stands before, between and behind values.
    Parts(Vec<Box<[u8]>>),
    Value,
    Rest,
}

impl Patterns {
    /// Adds a set of patterns, to be asked after those that are there.
    pub fn add<'a>(&mut self, patterns: impl IntoIterator<Item = &'a str>) -> Result<(), PatternError> {
        let mut set = Set { nodes: vec![Node::default()], depth: 0 };
        for pattern in patterns {
            set.add(pattern)?;
        }
        self.sets.push(set);
        Ok(())
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(|set| set.depth == 0)
    }

    /// Whether a path matches one.
    pub fn matches(&self, path: &str) -> bool {
        self.find(path.as_bytes()).is_some()
    }

    /// The pattern that a path matches.
    pub(in crate::aggregate) fn find(&self, path: &[u8]) -> Option<&str> {
        let depth = self.sets.iter().map(|set| set.depth).max()?;
        // One more than the longest pattern has tells that there are more.
        let segments: Vec<_> =
            path.strip_prefix(b"/")?.split(|&byte| byte == b'/').take(depth + 1).map(decode).collect();
        self.sets.iter().find_map(|set| set.find(0, &segments))
    }
}

impl Routes for Patterns {
    fn route(&self, path: &[u8]) -> Option<&str> {
        self.find(path)
    }
}

impl Set {
    fn add(&mut self, pattern: &str) -> Result<(), PatternError> {
        let path = pattern.strip_prefix('/').ok_or_else(|| PatternError::NoSlash(pattern.to_owned()))?;
        let (mut at, mut count) = (0, 0);
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            count += 1;
            let segment = parse(segment, pattern)?;
            if matches!(segment, Segment::Rest) {
                if segments.peek().is_some() {
                    return Err(PatternError::Rest(pattern.to_owned()));
                }
                self.depth = self.depth.max(count);
                if let Some(node) = self.nodes.get_mut(at) {
                    node.rest.get_or_insert_with(|| pattern.into());
                }
                return Ok(());
            }
            at = self.child(at, segment);
        }
        self.depth = self.depth.max(count);
        if let Some(node) = self.nodes.get_mut(at) {
            node.end.get_or_insert_with(|| pattern.into());
        }
        Ok(())
    }

    /// The node behind a segment, made when it is not there yet.
    fn child(&mut self, at: usize, segment: Segment) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let child = match segment {
            Segment::Name(name) => *node.names.entry(name.into()).or_insert(next),
            Segment::Value | Segment::Rest => *node.value.get_or_insert(next),
            Segment::Parts(parts) => {
                let known = node.parts.iter().find(|(known, _)| *known == parts).map(|(_, child)| *child);
                if known.is_none() {
                    node.parts.push((parts, next));
                    // What has more of its own is more specific; then the order of the alphabet.
                    node.parts.sort_by_cached_key(|(parts, _)| {
                        let own: usize = parts.iter().map(|part| part.len()).sum();
                        (std::cmp::Reverse(own), parts.clone())
                    });
                }
                known.unwrap_or(next)
            }
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Visits each node once at most, as they are a tree.
    fn find(&self, at: usize, segments: &[Cow<'_, [u8]>]) -> Option<&str> {
        let node = self.nodes.get(at)?;
        let Some((segment, behind)) = segments.split_first() else { return node.end.as_deref() };
        let by_name = || self.find(*node.names.get(&**segment)?, behind);
        let by_part = || {
            let matching = node.parts.iter().filter(|(parts, _)| matches(parts, segment));
            matching.into_iter().find_map(|(_, child)| self.find(*child, behind))
        };
        let by_value = || self.find(node.value.filter(|_| !segment.is_empty())?, behind);
        by_name().or_else(by_part).or_else(by_value).or(node.rest.as_deref())
    }
}

/// Whether a segment is these parts with values between, of an octet at least.
fn matches(parts: &[Box<[u8]>], segment: &[u8]) -> bool {
    let Some(((first, last), between)) = parts.split_first().and_then(|(first, rest)| {
        let (last, between) = rest.split_last()?;
        Some(((first, last), between))
    }) else {
        return false;
    };
    let Some(mut rest) = segment.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
        return false;
    };
    for part in between {
        let Some(found) = rest.get(1..).and_then(|after| memchr::memmem::find(after, part)) else {
            return false;
        };
        rest = rest.get(1 + found + part.len()..).unwrap_or_default();
    }
    !rest.is_empty()
}

fn parse(segment: &str, pattern: &str) -> Result<Segment, PatternError> {
    if matches!(segment, "**" | "{*}") || (segment.starts_with("{*") && segment.ends_with('}')) {
        return Ok(Segment::Rest);
    }
    if matches!(segment, "*" | "{}") {
        return Ok(Segment::Value);
    }
    let (mut parts, mut rest) = (Vec::new(), segment);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or_else(|| PatternError::Brace(pattern.to_owned()))?;
        if before.contains('}') || name.contains('{') {
            return Err(PatternError::Brace(pattern.to_owned()));
        }
        if before.is_empty() && !parts.is_empty() {
            return Err(PatternError::Adjacent(pattern.to_owned()));
        }
        parts.push(decode(before.as_bytes()).into_owned().into_boxed_slice());
        rest = behind;
    }
    if rest.contains('}') {
        return Err(PatternError::Brace(pattern.to_owned()));
    }
    let last = decode(rest.as_bytes()).into_owned();
    Ok(match parts.as_slice() {
        [] => Segment::Name(last),
        [only] if only.is_empty() && last.is_empty() => Segment::Value,
        _ => {
            parts.push(last.into_boxed_slice());
            Segment::Parts(parts)
        }
    })
}

/// A segment without percent-encoding and matrix parameters.
fn decode(segment: &[u8]) -> Cow<'_, [u8]> {
    let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
    super::segment::decoded(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Patterns {
        let mut patterns = Patterns::default();
        patterns.add(list.iter().copied()).unwrap();
        patterns
    }

    #[test]
    fn the_most_specific_pattern_names_a_path() {
        let patterns = patterns(&[
            "/users/{id}",
            "/users/me",
            "/users/{id}/files/{name}.json",
            "/users/{id}/files/{name}",
            "/static/{*rest}",
            "/any/*/end",
            "/{a}-{b}",
            "/",
        ]);
        for (path, expected) in [
            ("/users/42", Some("/users/{id}")),
            ("/users/me", Some("/users/me")),
            ("/users/me/files/x.json", Some("/users/{id}/files/{name}.json")),
            ("/users/1/files/x.txt", Some("/users/{id}/files/{name}")),
            ("/users/1/files/.json", Some("/users/{id}/files/{name}")),
            ("/static/a/b/c/d/e/f/g/h/i/j", Some("/static/{*rest}")),
            ("/any/thing/end", Some("/any/*/end")),
            ("/one-two", Some("/{a}-{b}")),
            ("/one-", None),
            ("/-two", None),
            ("/users/%6de", Some("/users/me")),
            ("/users/42;v=2", Some("/users/{id}")),
            ("/users/", None),
            ("/users/1/2", None),
            ("/", Some("/")),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(patterns.find(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn the_first_set_is_asked_first() {
        let mut both = patterns(&["/{anything}"]);
        both.add(["/users"]).unwrap();
        assert_eq!(both.find(b"/users"), Some("/{anything}"));
    }

    #[test]
    fn the_order_of_patterns_does_not_matter() {
        let mut list = ["/a/{x}", "/a/b", "/a/{x}.json", "/{y}/b", "/a/{*}", "/{x}-{y}/b"];
        let paths = ["/a/b", "/a/c", "/a/c.json", "/c/b", "/a/c/d", "/p-q/b"];
        let expected = paths.map(|path| patterns(&list).find(path.as_bytes()).map(str::to_owned));
        list.reverse();
        assert_eq!(paths.map(|path| patterns(&list).find(path.as_bytes()).map(str::to_owned)), expected);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let error = |pattern: &str| Patterns::default().add([pattern]).unwrap_err();
        assert!(matches!(error("users/{id}"), PatternError::NoSlash(_)));
        assert!(matches!(error("/users/{id"), PatternError::Brace(_)));
        assert!(matches!(error("/users/id}"), PatternError::Brace(_)));
        assert!(matches!(error("/a}{b}"), PatternError::Brace(_)));
        assert!(matches!(error("/{a}{b}"), PatternError::Adjacent(_)));
        assert!(matches!(error("/{*rest}/more"), PatternError::Rest(_)));
    }

    #[test]
    fn many_alternatives_take_no_more_than_one_visit_each() {
        let mut list = Vec::new();
        for mask in 0..1024_u32 {
            let segments = (0..10).map(|bit| if mask >> bit & 1 == 1 { "/{x}" } else { "/a" });
            list.push(segments.collect::<String>() + "/end");
        }
        let patterns = patterns(&list.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(patterns.find("/a".repeat(500).as_bytes()), None);
        assert_eq!(patterns.find(("/a".repeat(10) + "/end").as_bytes()), Some(list[0].as_str()));
    }
}
