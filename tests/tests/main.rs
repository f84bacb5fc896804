//! Tests of the program from outside.

// The lint spares test functions alone, not what they call.
#![allow(clippy::unwrap_used)]

mod cli;
