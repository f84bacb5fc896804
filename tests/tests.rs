//! The program as a whole: what it tells of captures whose content is known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod cli;
mod damage;
mod round_trip;
mod support;
mod testdata;
