//! Keys of the kernel's maps. A connection's serial number stands for its tuple.

use super::tuple::Side;

/// A stream's key: the connection and the stream identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct StreamKey(u64);

impl StreamKey {
    /// The key of a stream of a connection.
    pub(super) const fn new(serial: u32, stream: u32) -> Self {
        Self((serial as u64) << 32 | stream as u64)
    }
}

/// An entry of the dynamic table: the directed tuple and the running number in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    directed: u64,
    /// The number.
    pub(super) number: u64,
}

impl EntryKey {
    /// The key of a number of a connection's sender.
    pub(super) const fn new(serial: u32, side: Side, number: u64) -> Self {
        Self { directed: (serial as u64) << 1 | matches!(side, Side::Server) as u64, number }
    }

    /// Whether it is of that sender.
    #[cfg(test)]
    pub(super) const fn is_of(self, serial: u32, side: Side) -> bool {
        self.directed == Self::new(serial, side, 0).directed
    }
}
