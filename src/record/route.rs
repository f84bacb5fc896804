//! Which route a path is of, where that is known for certain.

use std::fmt::Debug;

/// Knows routes: patterns of paths.
pub trait Routes: Debug + Sync {
    /// The pattern that a path (without its query) matches.
    fn route(&self, path: &[u8]) -> Option<&str>;
}
