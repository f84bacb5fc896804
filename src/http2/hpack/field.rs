//! A decoded field line, and how far it can be trusted.

use super::name::NameId;

/// How far a field's text can be trusted (spec/loss-tolerance.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// It stands in the capture, or in a table whose past is known.
    #[default]
    Exact,
    /// Only one value is possible, though it was not seen at its place.
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

/// A field line as the decoder hands it out: valid until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; `None` when unknown.
    pub name: Option<&'a [u8]>,
    /// The value; `None` when unknown. A value may be known though its name is not.
    pub value: Option<&'a [u8]>,
    /// The name, if it is one of those with a number; [`NameId::OTHER`] otherwise and when unknown.
    pub id: NameId,
    /// Certainty of name and value together: the lesser of the two.
    pub source: Source,
    /// The unknown entry that the name (and the value, if it is unknown) would come from. `None` also for an
    /// unknown field that has no identity: a bad index, a bad Huffman code, an entry or a string over a cap.
    pub reference: Option<UnknownRef>,
    /// Sent as never indexed (RFC 7541 section 6.2.3): the sender takes it for a secret.
    pub never_indexed: bool,
}
