//! Fields that no schema names: each with every reading that its bytes allow, none preferred.

use super::Malformed;
use super::wire::{Field, Fields, Wire, varint, zigzag};
use crate::base::tuning::{BODY_GUESS_DEPTH, BODY_GUESS_PACKED};
use crate::body::json::push_string;
use crate::body::redact::{REDACTED, Redactor};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// Writes readings.
#[derive(Clone, Copy)]
pub(super) struct Guess<'r> {
    pub(super) redactor: Option<&'r Redactor>,
    /// Bytes that the text may have.
    pub(super) limit: usize,
}

/// A message without a schema: an array of its fields in their order.
pub fn json(message: &[u8], redactor: Option<&Redactor>, limit: usize) -> Result<String, Malformed> {
    let mut out = String::new();
    Guess { redactor, limit }.message(message, 0, &mut out)?;
    Ok(out)
}

impl Guess<'_> {
    fn message(self, message: &[u8], depth: usize, out: &mut String) -> Result<(), Malformed> {
        out.push('[');
        for (index, field) in Fields::new(message).enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            self.field(field?, depth, out)?;
        }
        out.push(']');
        Ok(())
    }

    /// One field: its number, its wire type, its readings.
    pub(super) fn field(self, field: Field<'_>, depth: usize, out: &mut String) -> Result<(), Malformed> {
        let _ = write!(out, "{{\"number\":{}", field.number);
        match field.value {
            Wire::Varint(value) => self.varint(value, out),
            Wire::I64(value) => Self::fixed64(value, out),
            Wire::I32(value) => Self::fixed32(value, out),
            Wire::Group(fields) => {
                out.push_str(",\"wire\":\"group\"");
                self.within(fields, depth, out)?;
            }
            Wire::Len(bytes) => self.length_delimited(bytes, depth, out)?,
        }
        out.push('}');
        if out.len() > self.limit { Err(Malformed::TooLong) } else { Ok(()) }
    }

    fn varint(self, value: u64, out: &mut String) {
        out.push_str(",\"wire\":\"varint\"");
        if self.hides(&value.to_string()) {
            return push_redacted(out);
        }
        push_number(out, "int", value.cast_signed().into());
        if value > i64::MAX as u64 {
            push_number(out, "uint", value.into());
        }
        push_number(out, "sint", zigzag(value).into());
        if value < 2 {
            let _ = write!(out, ",\"bool\":{}", value == 1);
        }
    }

    fn fixed64(value: u64, out: &mut String) {
        out.push_str(",\"wire\":\"i64\"");
        push_number(out, "fixed", value.into());
        if value > i64::MAX as u64 {
            push_number(out, "sfixed", value.cast_signed().into());
        }
        out.push_str(",\"double\":");
        push_float(out, f64::from_bits(value));
    }

    fn fixed32(value: u32, out: &mut String) {
        out.push_str(",\"wire\":\"i32\"");
        push_number(out, "fixed", value.into());
        if value > i32::MAX as u32 {
            push_number(out, "sfixed", value.cast_signed().into());
        }
        out.push_str(",\"float\":");
        push_float32(out, f32::from_bits(value));
    }

    fn length_delimited(self, bytes: &[u8], depth: usize, out: &mut String) -> Result<(), Malformed> {
        let _ = write!(out, ",\"wire\":\"len\",\"size\":{}", bytes.len());
        if self.redactor.is_some_and(|redactor| redactor.finds_in(bytes)) {
            push_redacted(out);
            return Ok(());
        }
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(is_binary));
        if let Some(text) = text {
            out.push_str(",\"text\":");
            push_string(out, text);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let before = out.len();
        if Fields::new(bytes).all(|field| field.is_ok()) {
            match self.within(bytes, depth, out) {
                // What is no message further down is one reading less.
                Err(Malformed::Data | Malformed::TooDeep) => out.truncate(before),
                result => result?,
            }
        }
        if text.is_none() {
            packed(bytes, out);
            out.push_str(",\"base64\":\"");
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Ok(())
    }

    fn within(self, bytes: &[u8], depth: usize, out: &mut String) -> Result<(), Malformed> {
        if depth >= BODY_GUESS_DEPTH {
            return Err(Malformed::TooDeep);
        }
        out.push_str(",\"message\":");
        self.message(bytes, depth + 1, out)
    }

    fn hides(self, digits: &str) -> bool {
        self.redactor.is_some_and(|redactor| redactor.finds_in(digits.as_bytes()))
    }
}

fn push_redacted(out: &mut String) {
    out.push_str(",\"text\":\"");
    out.push_str(REDACTED);
    out.push('"');
}

/// Characters that texts do not have.
fn is_binary(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

/// Several varints in one field.
fn packed(bytes: &[u8], out: &mut String) {
    let (mut numbers, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        match varint(&mut rest) {
            Some(number) if numbers.len() < BODY_GUESS_PACKED => numbers.push(number.cast_signed()),
            _ => return,
        }
    }
    out.push_str(",\"packed\":[");
    for (index, number) in numbers.iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        push_integer(out, (*number).into());
    }
    out.push(']');
}

fn push_number(out: &mut String, name: &str, number: i128) {
    let _ = write!(out, ",\"{name}\":");
    push_integer(out, number);
}

/// A number, or a string where readers of JSON would round it, as protobuf JSON does.
fn push_integer(out: &mut String, number: i128) {
    let _ =
        if number.unsigned_abs() <= 1 << 53 { write!(out, "{number}") } else { write!(out, "\"{number}\"") };
}

/// A double; what JSON has no number for is a string, as in protobuf JSON.
pub(super) fn push_float(out: &mut String, number: f64) {
    let _ = if number.is_nan() {
        write!(out, "\"NaN\"")
    } else if number.is_infinite() {
        write!(out, "\"{}Infinity\"", if number < 0.0 { "-" } else { "" })
    } else {
        write!(out, "{number:?}")
    };
}

/// A float, with no more digits than it has.
pub(super) fn push_float32(out: &mut String, number: f32) {
    if number.is_finite() {
        let _ = write!(out, "{number:?}");
    } else {
        push_float(out, number.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(bytes: &[u8]) -> Value {
        let text = super::json(bytes, None, 10_000).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_reading_is_told() {
        assert_eq!(read(&[0x08, 3]), json!([{"number": 1, "wire": "varint", "int": 3, "sint": -2}]));
        assert_eq!(read(&[0x08, 1])[0]["bool"], true);
        let negative = [&[0x08][..], &[0xff; 9], &[1]].concat();
        assert_eq!(
            read(&negative),
            json!([{"number": 1, "wire": "varint", "int": -1, "uint": "18446744073709551615", "sint": "-9223372036854775808"}])
        );
        assert_eq!(
            read(&[0x12, 4, 8, 1, 16, 2]),
            json!([{"number": 2, "wire": "len", "size": 4, "message": [
                {"number": 1, "wire": "varint", "int": 1, "sint": -1, "bool": true},
                {"number": 2, "wire": "varint", "int": 2, "sint": 1}], "packed": [8, 1, 16, 2], "base64": "CAEQAg=="}])
        );
        assert_eq!(
            read(&[0x12, 2, b'n', b'o']),
            json!([{"number": 2, "wire": "len", "size": 2, "text": "no"}])
        );
        assert_eq!(
            read(&[0x1d, 0, 0, 0x80, 0x3f]),
            json!([{"number": 3, "wire": "i32", "fixed": 1_065_353_216, "float": 1.0}])
        );
        assert_eq!(read(&[0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0xff])[0]["double"], "-Infinity");
    }

    #[test]
    fn secrets_are_not_read() {
        let redactor = Redactor::default();
        let message = [&[0x0a, 23][..], b"Bearer 0123456789abcdef"].concat();
        let text = super::json(&message, Some(&redactor), 1000).unwrap();
        assert!(text.contains(REDACTED) && !text.contains("0123456789"), "{text}");
    }

    #[test]
    fn cap_body_guess_depth() {
        let mut message = vec![8, 1];
        for _ in 0..BODY_GUESS_DEPTH + 3 {
            message = [&[0x0a, message.len() as u8][..], &message].concat();
        }
        let text = super::json(&message, None, 1 << 20).unwrap();
        assert_eq!(text.matches("\"message\"").count(), BODY_GUESS_DEPTH);
    }

    #[test]
    fn cap_body_guess_packed() {
        let field = |count: usize| {
            [&[0x0a, 0x80 | (count & 0x7f) as u8, (count >> 7) as u8][..], &vec![0; count]].concat()
        };
        assert_eq!(
            read(&field(BODY_GUESS_PACKED))[0]["packed"].as_array().map(Vec::len),
            Some(BODY_GUESS_PACKED)
        );
        assert_eq!(read(&field(BODY_GUESS_PACKED + 1))[0].get("packed"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..24], 0..300)) {
            match super::json(&bytes, None, 100_000) {
                Ok(text) => prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text),
                Err(reason) => prop_assert!(reason == Malformed::Data || reason == Malformed::TooDeep),
            }
        }
    }
}
