//! Paths: which part is the endpoint's name and which is a value.
//!
//! | step | when | |
//! |---|---|---|
//! | [`pattern`] | for each path | what the user's patterns, or an OpenAPI document's paths, name |
//! | [`segment`] | for each path | one spelling; values that are known by their looks, `{uuid}` |
//! | [`siblings`] | when rows are made | values that are known by their number, `{}` |

mod kind;
mod openapi;
mod pattern;
mod segment;
mod siblings;

pub use openapi::OpenApiError;
pub use pattern::{PatternError, Patterns};
use segment::normalise;
pub(super) use siblings::templates;

/// How paths are grouped.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// The user's patterns, which come first.
    pub patterns: Patterns,
    /// Whether paths that match none are left as they are.
    pub literal: bool,
}

impl Templates {
    /// Appends what a path is called, as far as it alone tells: by a pattern, or with the values left out that are known by
    /// their looks. `true` where no sibling can change that.
    pub fn push_name(&self, path: &[u8], out: &mut Vec<u8>) -> bool {
        match self.patterns.find(path) {
            Some(pattern) => out.extend_from_slice(pattern.as_bytes()),
            None if self.literal => out.extend_from_slice(path),
            None => {
                normalise(path, out);
                return false;
            }
        }
        true
    }
}
