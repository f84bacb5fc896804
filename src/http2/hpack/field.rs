//! A decoded field line, and how far it can be trusted.

use super::name::NameId;
use crate::base::certainty::{Certainty, UnknownRef};

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
    pub source: Certainty,
    /// The unknown entry that the name (and the value, if it is unknown) would come from. `None` also for an
    /// unknown field that has no identity: a bad index, a bad Huffman code, an entry or a string over a cap.
    pub reference: Option<UnknownRef>,
    /// Sent as never indexed (RFC 7541 section 6.2.3): the sender takes it for a secret.
    pub never_indexed: bool,
}
