//! Holes.
