//! What became of a header block.

/// The count of a decoded block, and what was wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Field lines read, those not handed out because of a cap too.
    pub fields: u32,
    /// Of these, those with an unknown name or value.
    pub unknown_fields: u32,
    /// Bytes of all names and values, as far as their length is known.
    pub decoded_bytes: u64,
    /// Every representation was read; false when the block ends within one, or was cut.
    pub complete: bool,
    /// A string literal (RFC 7541 section 5.2, its length included) spans one of the cuts.
    pub literal_crosses_cut: bool,
    /// A field was withheld, wholly or its name or value: over [`crate::base::limits::HPACK_STRING`],
    /// [`crate::base::limits::HPACK_NAME`], [`crate::base::limits::HPACK_LIST`] or [`crate::base::limits::HPACK_EXPANSION`].
    pub limited: bool,
    /// Fields that name an entry which was given up for [`crate::base::limits::HPACK_TABLE`] or
    /// [`crate::base::limits::HPACK_TABLE_UNSURE`].
    pub given_up: u32,
    /// The first violation.
    pub error: Option<Error>,
}

/// A violation of RFC 7541 and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which.
    pub kind: ErrorKind,
    /// Where in the block the representation begins, in bytes.
    pub offset: u32,
}

/// A violation of RFC 7541.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// An indexed field with index 0 (section 6.1).
    IndexZero,
    /// An index for which there can be no entry (section 2.3.3).
    IndexBeyondTable,
    /// An integer over 2^32 - 1, or of more than six bytes (section 5.1).
    IntegerOverflow,
    /// The block ends within a representation (section 5.2).
    Truncated,
    /// Huffman padding of more than 7 bits, or that is no prefix of EOS (section 5.2).
    HuffmanPadding,
    /// EOS inside a Huffman-coded string (section 5.2).
    HuffmanEos,
    /// A size update above the receiver's `SETTINGS_HEADER_TABLE_SIZE` (section 6.3). It is followed all the same.
    SizeUpdateAboveBound,
    /// A size update after a field (section 4.2). It is followed all the same.
    SizeUpdateMisplaced,
    /// No size update, though the bound was lowered below the table's size (section 4.2).
    SizeUpdateMissing,
}

impl ErrorKind {
    /// Whether it is a violation depends on what the receiver announced.
    pub const fn depends_on_settings(self) -> bool {
        matches!(self, Self::SizeUpdateAboveBound | Self::SizeUpdateMissing)
    }
}

impl Outcome {
    /// Keeps the first violation.
    pub(super) fn violation(&mut self, kind: ErrorKind, offset: usize) {
        self.error.get_or_insert(Error { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) });
    }
}
