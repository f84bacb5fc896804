//! A JSON serializer for the record types of [`super::schema`]: compact, into a `Vec`, for speed.
//!
//! It relies on what the schema is: keys are plain ASCII names, and every float is a number of seconds with at
//! most nine decimals, which is printed as such (`0.000001`, never `1e-6`). Everything else is as in RFC 8259.

use serde::ser::{self, Impossible, Serialize, Serializer};
use std::fmt;

/// Appends `record` to `out`, without a line end.
pub(super) fn append(out: &mut Vec<u8>, record: &impl Serialize) {
    // The schema has nothing that `Unsupported` stands for; a test serialises all of it.
    let _ = record.serialize(&mut Writer { out });
}

/// A type that the records do not use: enums with fields, byte strings.
#[derive(Debug)]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no JSON for this type")
    }
}

impl std::error::Error for Unsupported {}

impl ser::Error for Unsupported {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// Ends an object or an array: the comma behind its last member makes way, where there is one.
    fn close(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
    }
}

/// Appends a decimal number.
fn push_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends seconds to the nanosecond, without trailing zeros, with one decimal at least. A double holds 26 days to
/// the nanosecond.
pub(super) fn push_seconds(out: &mut Vec<u8>, seconds: f64) {
    let nanos = (seconds * 1e9).round() as u64;
    push_u64(out, nanos / 1_000_000_000);
    let mut text = *b".000000000";
    let mut rest = nanos % 1_000_000_000;
    for digit in text.iter_mut().skip(1).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let zeros = text.iter().skip(2).rev().take_while(|&&digit| digit == b'0').count();
    out.extend_from_slice(text.get(..text.len() - zeros).unwrap_or_default());
}

/// Appends a string with its quotes.
fn push_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.push(b'"');
    if needs_escape(bytes) {
        push_escaped(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

/// Whether a byte must be escaped: a control character, a quote or a backslash. Eight bytes at a time.
fn needs_escape(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    words.iter().any(|&word| {
        let word = u64::from_le_bytes(word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        (control | has_zero(word ^ (ONES * u64::from(b'"'))) | has_zero(word ^ (ONES * u64::from(b'\\'))))
            != 0
    }) || rest.iter().any(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
}

#[cold]
fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    for &byte in bytes {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0x00..=0x1f => {
                out.extend_from_slice(b"\\u00");
                out.extend(
                    [byte >> 4, byte & 0xf]
                        .map(|nibble| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')),
                );
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

impl Serializer for &mut Writer<'_> {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), Unsupported>;
    type SerializeTupleVariant = Impossible<(), Unsupported>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unsupported>;

    fn serialize_bool(self, value: bool) -> Result<(), Unsupported> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }
    fn serialize_i16(self, value: i16) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }
    fn serialize_i32(self, value: i32) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }
    fn serialize_i64(self, value: i64) -> Result<(), Unsupported> {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }
    fn serialize_u8(self, value: u8) -> Result<(), Unsupported> {
        self.serialize_u64(value.into())
    }
    fn serialize_u16(self, value: u16) -> Result<(), Unsupported> {
        self.serialize_u64(value.into())
    }
    fn serialize_u32(self, value: u32) -> Result<(), Unsupported> {
        self.serialize_u64(value.into())
    }
    fn serialize_u64(self, value: u64) -> Result<(), Unsupported> {
        push_u64(self.out, value);
        Ok(())
    }
    fn serialize_f32(self, value: f32) -> Result<(), Unsupported> {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Unsupported> {
        push_seconds(self.out, value);
        Ok(())
    }
    fn serialize_char(self, value: char) -> Result<(), Unsupported> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Unsupported> {
        push_string(self.out, value);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unsupported> {
        Err(Unsupported)
    }
    fn serialize_none(self) -> Result<(), Unsupported> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unsupported> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsupported> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unsupported> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unsupported> {
        Err(Unsupported)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unsupported> {
        self.out.push(b'[');
        Ok(self)
    }
    fn serialize_tuple(self, len: usize) -> Result<Self, Unsupported> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unsupported> {
        Err(Unsupported)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsupported> {
        Err(Unsupported)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unsupported> {
        self.out.push(b'{');
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unsupported> {
        self.out.push(b'{');
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsupported> {
        Err(Unsupported)
    }
}

impl ser::SerializeSeq for &mut Writer<'_> {
    type Ok = ();
    type Error = Unsupported;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        value.serialize(&mut **self)?;
        self.out.push(b',');
        Ok(())
    }
    fn end(self) -> Result<(), Unsupported> {
        self.close(b']');
        Ok(())
    }
}

impl ser::SerializeTuple for &mut Writer<'_> {
    type Ok = ();
    type Error = Unsupported;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<(), Unsupported> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeMap for &mut Writer<'_> {
    type Ok = ();
    type Error = Unsupported;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsupported> {
        key.serialize(&mut **self)?;
        self.out.push(b':');
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        value.serialize(&mut **self)?;
        self.out.push(b',');
        Ok(())
    }
    fn end(self) -> Result<(), Unsupported> {
        self.close(b'}');
        Ok(())
    }
}

impl ser::SerializeStruct for &mut Writer<'_> {
    type Ok = ();
    type Error = Unsupported;
    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(&mut **self)?;
        self.out.push(b',');
        Ok(())
    }
    fn end(self) -> Result<(), Unsupported> {
        self.close(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        append(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn strings_read_back(text: String) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }

        #[test]
        fn control_characters_read_back(bytes in proptest::collection::vec(0u8..0x80, 0..40)) {
            let text = String::from_utf8(bytes).unwrap();
            let shown = json(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
            prop_assert!(!shown.bytes().any(|byte| byte < 0x20));
        }

        #[test]
        fn seconds_are_exact_to_the_nanosecond(nanos in 0u64..1 << 51) {
            let shown = json(&(nanos as f64 / 1e9));
            let (whole, fraction) = shown.split_once('.').unwrap();
            let back = whole.parse::<u64>().unwrap() * 1_000_000_000 + format!("{fraction:0<9}").parse::<u64>().unwrap();
            prop_assert_eq!(back, nanos);
        }
    }

    #[test]
    fn escapes_are_those_of_serde_json() {
        let text: String = (0..0x100u32).filter_map(char::from_u32).collect();
        assert_eq!(json(&text), serde_json::to_string(&text).unwrap());
        for len in 0..20 {
            for char in ['"', '\\', '\u{1f}', '\n', 'x', 'ä', '\u{7f}', '!', '#', '[', ' '] {
                let text = format!("{}{char}", "a".repeat(len));
                assert_eq!(json(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn seconds_have_no_exponent_and_no_noise() {
        for (nanos, shown) in [
            (0u64, "0.0"),
            (1, "0.000000001"),
            (100, "0.0000001"),
            (1_234_567, "0.001234567"),
            (100_000_000, "0.1"),
            (1_000_000_000, "1.0"),
            (86_400_000_000_001, "86400.000000001"),
        ] {
            assert_eq!(json(&(nanos as f64 / 1e9)), shown);
        }
    }

    #[test]
    fn containers_are_closed_whether_or_not_they_are_empty() {
        assert_eq!(json(&Vec::<u8>::new()), "[]");
        assert_eq!(json(&[1, -2]), "[1,-2]");
        assert_eq!(json(&[vec![1], vec![]]), "[[1],[]]");
        assert_eq!(
            json(&std::collections::BTreeMap::from([("a", Some(true)), ("b", None)])),
            r#"{"a":true,"b":null}"#
        );
    }
}
