//! Values of `:method`, `:path` and `:status` as the kernel keeps them: encoded, and cut to its buffers.

/// Encoded values longer than this are not captured (`HTTP2_MAX_PATH_LEN`).
pub(super) const MAX_VALUE: usize = 160;
/// Stored method bytes (`HTTP2_METHOD_MAX_LEN`). A longer one is unknown whatever it is.
pub(super) const METHOD_MAX: usize = 7;
/// Stored status bytes (`HTTP2_STATUS_CODE_MAX_LEN`).
pub(super) const STATUS_MAX: usize = 3;

/// A string literal, still encoded, of at most `SIZE` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal<const SIZE: usize> {
    bytes: [u8; SIZE],
    len: u8,
    /// Huffman-encoded.
    pub(super) huffman: bool,
}

impl<const SIZE: usize> Default for Literal<SIZE> {
    fn default() -> Self {
        Self { bytes: [0; SIZE], len: 0, huffman: false }
    }
}

impl<const SIZE: usize> Literal<SIZE> {
    /// Takes `value`; of a longer one it takes nothing.
    pub(super) fn set(&mut self, value: &[u8], huffman: bool) {
        self.huffman = huffman;
        self.len = 0;
        if let Some(place) = self.bytes.get_mut(..value.len()) {
            place.copy_from_slice(value);
            self.len = value.len() as u8;
        }
    }

    /// The encoded bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// One of the three values of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captured<const SIZE: usize> {
    /// A value was captured.
    pub(super) finalized: bool,
    /// The static table entry; 0 for none. Once set it wins over later literals.
    pub(super) static_entry: u8,
    /// The last literal.
    pub(super) literal: Literal<SIZE>,
}

impl<const SIZE: usize> Captured<SIZE> {
    /// An indexed field of the static table.
    pub(super) const fn set_static(&mut self, index: u8) {
        self.static_entry = index;
        self.finalized = true;
    }

    /// A literal, new or stored.
    pub(super) fn set_literal(&mut self, value: &[u8], huffman: bool) {
        self.literal.set(value, huffman);
        self.finalized = true;
    }

    /// Nothing was captured.
    pub(super) fn clear(&mut self) {
        self.finalized = false;
        self.static_entry = 0;
        self.literal.set(&[], false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_160_bytes_fits_and_161_do_not() {
        let mut value = Literal::<MAX_VALUE>::default();
        value.set(&[7; 160], true);
        assert_eq!(value.bytes(), [7; 160]);
        value.set(&[7; 161], true);
        assert_eq!(value.bytes(), b"");
    }
}
