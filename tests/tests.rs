//! The program as a whole: what it tells of captures whose content is known.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod attacks;
mod bodies;
mod caps;
mod cli;
mod damage;
mod diff;
mod endpoints;
mod exports;
mod fences;
mod filters;
mod idle;
mod join;
mod keys;
mod library;
mod partition;
mod paths;
mod readme;
mod round_trip;
mod summaries;
#[allow(dead_code, unused_imports, reason = "each kind of test uses its part")]
mod support;
mod testdata;
mod timing;
mod tunnels;
#[cfg(all(feature = "tui", target_os = "linux"))]
mod window;
mod wrong_protocol;
