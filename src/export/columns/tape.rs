//! A record as its values, one behind the other: what its type says is not written.
//!
//! Before each member of an object stands whether there is one (0, 1). Numbers take eight bytes, flags one; before text stands
//! its length, before the elements of a list and the entries of a map their number, in four.

use crate::export::json::{self, rounded};
use crate::record::Annotation;
use crate::record::schema::transaction::AnnotationObject;
use crate::record::visit::{Member, Object, Scalar, Type, Value, Visitor};
use std::borrow::Cow;

/// Bytes behind the place of the annotation in a transaction: the flags that say that its members are not there.
pub(in crate::export) const TAIL: usize = AnnotationObject::MEMBERS.len();

/// Appends a record.
pub(in crate::export) fn write(out: &mut Vec<u8>, record: &impl Object) {
    record.visit(&mut Tape { out, nested: false });
}

/// Appends the last members of `h2` in place of the flags that there are none.
pub(in crate::export) fn push_annotation(out: &mut Vec<u8>, annotation: Annotation) {
    AnnotationObject::new(annotation).members(&mut Tape { out, nested: true });
}

/// Writes values.
struct Tape<'a> {
    out: &'a mut Vec<u8>,
    /// Within a member of the record: one named `record` is a value there.
    nested: bool,
}

impl Tape<'_> {
    fn number(&mut self, bytes: [u8; 8]) {
        self.out.extend_from_slice(&bytes);
    }

    fn text(&mut self, text: &[u8]) {
        self.out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.out.extend_from_slice(text);
    }

    /// Writes things behind their number.
    fn counted(&mut self, write: impl FnOnce(&mut Self) -> u32) {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let count = write(self);
        if let Some(place) = self.out.get_mut(start..start + 4) {
            place.copy_from_slice(&count.to_le_bytes());
        }
    }
}

impl Visitor for Tape<'_> {
    fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Bool(value) => self.out.push(value.into()),
            Scalar::Integer(value) => self.number(value.to_le_bytes()),
            Scalar::Time(time) => self.number(time.as_nanos().to_le_bytes()),
            Scalar::Float(value) => self.number(rounded(value).to_le_bytes()),
            Scalar::Seconds(billionths) | Scalar::Decimal(billionths) => {
                self.number(seconds(billionths).to_le_bytes());
            }
            Scalar::Difference(nanos) => {
                let size = seconds(nanos.unsigned_abs());
                self.number((if nanos < 0 { -size } else { size }).to_le_bytes());
            }
            Scalar::Address(ip) => {
                let start = self.out.len();
                self.out.extend_from_slice(&[0; 4]);
                json::push_ip(self.out, ip);
                let length = (self.out.len() - start - 4) as u32;
                if let Some(place) = self.out.get_mut(start..start + 4) {
                    place.copy_from_slice(&length.to_le_bytes());
                }
            }
            Scalar::Text(text) => self.text(String::from_utf8_lossy(text).as_bytes()),
            Scalar::Word(text) | Scalar::Json(text) => self.text(text.as_bytes()),
        }
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        self.counted(|tape| {
            let mut count = 0;
            for element in elements {
                element.visit(tape);
                count += 1;
            }
            count
        });
    }

    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        if matches!(T::TYPE, Type::Object(_)) {
            let mut text = Vec::new();
            json::with_writer(&mut text, |writer| writer.map(entries));
            return self.text(&text);
        }
        self.counted(|tape| {
            let mut count = 0;
            for (name, value) in entries {
                tape.text(name.as_bytes());
                value.visit(tape);
                count += 1;
            }
            count
        });
    }

    fn member(&mut self, member: &'static Member, value: &impl Value) {
        let nested = std::mem::replace(&mut self.nested, true);
        if !nested && member.key == "record" {
        } else if value.is_absent() {
            self.out.push(0);
        } else {
            self.out.push(1);
            value.visit(self);
        }
        self.nested = nested;
    }
}

/// Billionths as the number that is nearest to them, which is the one that JSON reads back.
fn seconds(billionths: u64) -> f64 {
    // Up to here both sides of the division are exact, so that its result is the nearest one.
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
    if billionths <= EXACT {
        return billionths as f64 / 1e9;
    }
    let text = format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000);
    text.parse().unwrap_or_default()
}

/// Reads values back. What is not there reads as nothing, so that nothing here can fail.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(tape: &'a [u8]) -> Self {
        Self { rest: tape }
    }

    /// A flag.
    pub(super) fn flag(&mut self) -> bool {
        self.array() == [1]
    }

    /// A number's bytes.
    pub(super) fn number(&mut self) -> [u8; 8] {
        self.array()
    }

    /// How many elements or bytes follow.
    pub(super) fn count(&mut self) -> usize {
        u32::from_le_bytes(self.array()) as usize
    }

    /// A text.
    pub(super) fn text(&mut self) -> &'a str {
        let length = self.count();
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((array, rest)) = self.rest.split_first_chunk() else { return [0; N] };
        self.rest = rest;
        *array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_what_json_reads() {
        for nanos in [0, 1, 1_234_567, 999_999_999, (1 << 53) + 1, 9_007_199_254_740_993_001, u64::MAX] {
            let mut text = Vec::new();
            json::push_seconds(&mut text, nanos);
            let read: f64 = std::str::from_utf8(&text).unwrap().parse().unwrap();
            assert_eq!(seconds(nanos).to_bits(), read.to_bits(), "{nanos}");
        }
    }

    #[test]
    fn a_tape_that_is_too_short_reads_as_nothing() {
        let mut reader = Reader::new(&[255, 0, 0, 0, b'x']);
        assert_eq!(reader.text(), "");
        assert_eq!((reader.flag(), reader.number(), reader.count()), (false, [0; 8], 0));
    }
}
