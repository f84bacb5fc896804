//! How far a header field can be trusted, and what is known of one that is unknown.

/// How far a field's text can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certainty {
    /// It stands in the capture, or in a table whose past is known.
    #[default]
    Exact,
    /// It stands in bytes whose checksum is wrong, of which there is no better copy.
    Inferred,
    /// It refers to a table entry that was made before the capture knew the table, or could not be decoded.
    Unknown,
}

/// The identity of a table entry whose content is unknown: the same unknown entry has the same identity, however
/// many entries were inserted between two references to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownRef {
    /// How often the table's past was lost before: 0 for a late start.
    pub epoch: u32,
    /// The n-th insertion before that, 1 the newest.
    pub entry: u64,
}
