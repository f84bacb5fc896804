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
pub(super) use segment::normalise;
pub(super) use siblings::templates;

/// How paths are grouped.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// The user's patterns, which come first.
    pub patterns: Patterns,
    /// Whether paths that match none are left as they are.
    pub literal: bool,
}
