//! A value for each side.

use crate::http2::Side;
use std::ops::{Index, IndexMut};

/// A value for each side of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair<T> {
    client: T,
    server: T,
}

impl<T> Index<Side> for Pair<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl<T> IndexMut<Side> for Pair<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}
