//! A decoded field line, and how far it can be trusted.

use super::name::{NameId, NameSet};
use crate::base::certainty::{Certainty, UnknownRef};

/// A field line as the decoder hands it out: valid until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; `None` when unknown.
    pub name: Option<&'a [u8]>,
    /// The value; `None` when unknown. A value may be known though its name is not.
    pub value: Option<&'a [u8]>,
    /// The value is known, and [plain](is_plain): told once for each entry of the table.
    pub plain: bool,
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

/// Takes the fields of a header block.
pub trait FieldSink {
    /// The names whose fields are looked at; asked for before a block's first field and behind it. Another field is
    /// [passed](Self::pass), if its name has a number and its value is known and plain; all others are handed out.
    fn wanted(&self) -> NameSet;
    /// A field, and how many octets of text it has; where some of it is unknown, at least so many.
    fn field(&mut self, field: Field<'_>, len: u64);
    /// A field that is not looked at went by.
    fn pass(&mut self);
}

/// A closure looks at all fields.
pub(super) struct All<'a, F>(pub(super) &'a mut F);

impl<F: FnMut(Field<'_>)> FieldSink for All<'_, F> {
    fn wanted(&self) -> NameSet {
        NameSet::ALL
    }

    fn field(&mut self, field: Field<'_>, _: u64) {
        (self.0)(field);
    }

    fn pass(&mut self) {}
}

/// Whether a value is of printable ASCII, has nothing that a format would escape, and no blank around it; so that it is a
/// valid one, too (RFC 9110 section 5.5).
#[inline]
pub(super) fn is_plain(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| byte == Some(&b' ');
    // Next to all values are: a pass without branches, which looks at many octets at once, is the cheapest.
    let plain = |byte: u8| matches!(byte, 0x20..0x7f) && byte != b'"' && byte != b'\\';
    value.iter().fold(true, |all, &byte| all & plain(byte)) && !blank(value.first()) && !blank(value.last())
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn plain_values_are_plain_text() {
        for byte in 0..=u8::MAX {
            let value = [b'a', byte, b'b'];
            assert_eq!(is_plain(&value), crate::base::plain::is_plain(&value), "{byte:#x}");
        }
    }

    #[test]
    fn plain_values_have_nothing_to_escape_or_to_trim() {
        for plain in [&b""[..], b"GET", b"a b", b"text/html; charset=utf-8", b"~"] {
            assert!(is_plain(plain), "{}", plain.escape_ascii());
        }
        for other in [
            &b" a"[..],
            b"a ",
            b"a\tb",
            b"\"",
            b"a\\",
            b"\x7f",
            b"\xc3\xa9",
            b"\0",
            b"0123456789abcdef0123456789\n",
        ] {
            assert!(!is_plain(other), "{}", other.escape_ascii());
        }
    }
}
