//! Segments → ordered bytes and gaps, for each direction of each connection.

mod chunk;

pub use chunk::{ByteSink, Direction, End, PerDirection};
