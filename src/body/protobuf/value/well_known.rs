//! Types of `google.protobuf` that protobuf JSON writes in a way of their own.

use super::super::guess::push_float;
use super::super::wire::{Fields, Wire};
use super::super::{Malformed, scalar};
use super::Printer;
use crate::body::json::push_string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{Kind, MessageDescriptor};
use std::fmt::Write;

/// Writes a message of such a type; false: it is of another one, or has a value that only fields can show.
pub(super) fn print(
    printer: &mut Printer<'_>,
    bytes: &[u8],
    descriptor: &MessageDescriptor,
) -> Result<bool, Malformed> {
    let Some(name) = descriptor.full_name().strip_prefix("google.protobuf.") else { return Ok(false) };
    if has_others(bytes, descriptor) {
        return Ok(false);
    }
    match name {
        "Any" => return any(printer, bytes).map(|()| true),
        "Timestamp" | "Duration" => {
            let (seconds, nanos) = (integer(bytes, 1)?, integer(bytes, 2)?.unwrap_or(0) as i32);
            let seconds = seconds.unwrap_or(0).cast_signed();
            let text = if name == "Timestamp" { timestamp(seconds, nanos) } else { duration(seconds, nanos) };
            let Some(text) = text else { return Ok(false) };
            push_string(&mut printer.out, &text);
        }
        "FieldMask" => field_mask(printer, bytes)?,
        "Struct" | "ListValue" => {
            let Some(field) = descriptor.get_field(1) else { return Ok(false) };
            let mut inner = String::new();
            std::mem::swap(&mut inner, &mut printer.out);
            let result = printer.members(bytes, descriptor, true);
            std::mem::swap(&mut inner, &mut printer.out);
            result?;
            // Its only member is the text; where it is empty, so is what it stands for.
            let prefix = format!("\"{}\":", field.json_name());
            let empty = if name == "Struct" { "{}" } else { "[]" };
            printer.out.push_str(inner.strip_prefix(prefix.as_str()).unwrap_or(empty));
        }
        "Value" => return value(printer, bytes, descriptor).map(|()| true),
        _ if name.ends_with("Value") => {
            let Some(field) = descriptor.get_field(1) else { return Ok(false) };
            let kind = field.kind();
            let mut last = scalar::default_of(&kind);
            for field in Fields::new(bytes) {
                let field = field?;
                if field.number == 1 && scalar::fits(&kind, &field.value, false) {
                    last = field.value;
                }
            }
            scalar::push(&mut printer.out, &kind, &last, printer.lenient)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// There are fields beside those of the type: they have no place in a form that is not an object of fields.
fn has_others(bytes: &[u8], descriptor: &MessageDescriptor) -> bool {
    Fields::new(bytes).flatten().any(|field| {
        let known = descriptor.get_field(field.number);
        known.is_none_or(|known| !scalar::fits(&known.kind(), &field.value, false))
    })
}

/// The last varint of that number.
fn integer(bytes: &[u8], number: u32) -> Result<Option<u64>, Malformed> {
    let mut found = None;
    for field in Fields::new(bytes) {
        let field = field?;
        if let (true, Wire::Varint(value)) = (field.number == number, field.value) {
            found = Some(value);
        }
    }
    Ok(found)
}

fn any(printer: &mut Printer<'_>, bytes: &[u8]) -> Result<(), Malformed> {
    let (mut url, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::new(bytes) {
        match field? {
            field if field.number == 1 => {
                if let Wire::Len(text) = field.value {
                    url = text;
                }
            }
            field if field.number == 2 => {
                if let Wire::Len(bytes) = field.value {
                    value = bytes;
                }
            }
            _ => {}
        }
    }
    let url = std::str::from_utf8(url).map_err(|_| Malformed::Data)?;
    if url.is_empty() && value.is_empty() {
        printer.out.push_str("{}");
        return Ok(());
    }
    printer.out.push_str("{\"@type\":");
    push_string(&mut printer.out, url);
    let name = url.rsplit_once('/').map_or(url, |(_, name)| name);
    let known = printer.find(name);
    let before = printer.out.len();
    let shown = known.is_some_and(|descriptor| any_content(printer, value, &descriptor).is_ok());
    if !shown {
        printer.out.truncate(before);
        printer.out.push_str(",\"value\":\"");
        STANDARD.encode_string(value, &mut printer.out);
        printer.out.push('"');
    }
    printer.out.push('}');
    Ok(())
}

fn any_content(
    printer: &mut Printer<'_>,
    value: &[u8],
    descriptor: &MessageDescriptor,
) -> Result<(), Malformed> {
    let name = descriptor.full_name();
    let special = name.strip_prefix("google.protobuf.").is_some_and(|name| {
        matches!(name, "Any" | "Timestamp" | "Duration" | "FieldMask" | "Struct" | "ListValue")
            || name.ends_with("Value")
    });
    if special {
        printer.out.push_str(",\"value\":");
        return printer.message(value, descriptor);
    }
    printer.nested(value, descriptor)
}

fn value(printer: &mut Printer<'_>, bytes: &[u8], descriptor: &MessageDescriptor) -> Result<(), Malformed> {
    let mut last = None;
    for field in Fields::new(bytes) {
        let field = field?;
        let known = descriptor.get_field(field.number);
        if let Some(known) = known.filter(|known| scalar::fits(&known.kind(), &field.value, false)) {
            last = Some((known, field.value));
        }
    }
    let Some((field, wire)) = last else {
        printer.out.push_str("null");
        return Ok(());
    };
    match (field.kind(), wire) {
        (Kind::Message(descriptor), Wire::Len(bytes)) => printer.message(bytes, &descriptor),
        (Kind::Double, Wire::I64(bits)) => {
            push_float(&mut printer.out, f64::from_bits(bits));
            Ok(())
        }
        (kind, wire) => scalar::push(&mut printer.out, &kind, &wire, printer.lenient),
    }
}

fn field_mask(printer: &mut Printer<'_>, bytes: &[u8]) -> Result<(), Malformed> {
    let mut paths = Vec::new();
    for field in Fields::new(bytes) {
        let field = field?;
        if let (1, Wire::Len(path)) = (field.number, field.value) {
            paths.push(camel_case(std::str::from_utf8(path).map_err(|_| Malformed::Data)?));
        }
    }
    push_string(&mut printer.out, &paths.join(","));
    Ok(())
}

fn camel_case(path: &str) -> String {
    let (mut out, mut upper) = (String::with_capacity(path.len()), false);
    for character in path.chars() {
        match character {
            '_' => upper = true,
            character if std::mem::take(&mut upper) => out.extend(character.to_uppercase()),
            character => out.push(character),
        }
    }
    out
}

/// RFC 3339, for the years 1 to 9999.
fn timestamp(seconds: i64, nanos: i32) -> Option<String> {
    if !(-62_135_596_800..253_402_300_800).contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return None;
    }
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    push_fraction(&mut text, nanos.unsigned_abs());
    text.push('Z');
    Some(text)
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that a leap day ends them; 719,468 days from 0000-03-01 to 1970.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn duration(seconds: i64, nanos: i32) -> Option<String> {
    let opposed = seconds.signum() * i64::from(nanos.signum()) < 0;
    if seconds.unsigned_abs() > 315_576_000_000 || nanos.unsigned_abs() >= 1_000_000_000 || opposed {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let mut text = format!("{sign}{}", seconds.unsigned_abs());
    push_fraction(&mut text, nanos.unsigned_abs());
    text.push('s');
    Some(text)
}

/// Three, six or nine digits, or none.
fn push_fraction(text: &mut String, nanos: u32) {
    let _ = match nanos {
        0 => Ok(()),
        nanos if nanos.is_multiple_of(1_000_000) => write!(text, ".{:03}", nanos / 1_000_000),
        nanos if nanos.is_multiple_of(1000) => write!(text, ".{:06}", nanos / 1000),
        nanos => write!(text, ".{nanos:09}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_protobuf_json_has_them() {
        assert_eq!(timestamp(0, 0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(timestamp(951_782_400, 1_000_000).as_deref(), Some("2000-02-29T00:00:00.001Z"));
        assert_eq!(timestamp(-62_135_596_800, 1000).as_deref(), Some("0001-01-01T00:00:00.000001Z"));
        assert_eq!(
            timestamp(253_402_300_799, 999_999_999).as_deref(),
            Some("9999-12-31T23:59:59.999999999Z")
        );
        assert_eq!((timestamp(253_402_300_800, 0), timestamp(0, -1)), (None, None));
        assert_eq!(duration(-3, -250_000_000).as_deref(), Some("-3.250s"));
        assert_eq!(duration(0, -1).as_deref(), Some("-0.000000001s"));
        assert_eq!((duration(5, 0).as_deref(), duration(1, -1)), (Some("5s"), None));
        assert_eq!(camel_case("user.display_name"), "user.displayName");
    }
}
