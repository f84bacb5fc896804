//! Scalar values by their declared type, in protobuf JSON.

use super::Malformed;
use super::guess::{push_float, push_float32};
use super::wire::{Wire, varint, zigzag};
use crate::body::json::push_string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{Kind, Syntax};
use std::fmt::Write;

/// The wire type fits the declared one; without that, the field counts as unknown.
pub(super) const fn fits(kind: &Kind, wire: &Wire<'_>, group: bool) -> bool {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => matches!(wire, Wire::I64(_)),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => matches!(wire, Wire::I32(_)),
        Kind::Message(_) if group => matches!(wire, Wire::Group(_)),
        Kind::String | Kind::Bytes | Kind::Message(_) => matches!(wire, Wire::Len(_)),
        _ => matches!(wire, Wire::Varint(_)),
    }
}

/// Values of this type can stand together in one field.
pub(super) const fn is_packable(kind: &Kind) -> bool {
    !matches!(kind, Kind::String | Kind::Bytes | Kind::Message(_))
}

/// The values of a packed field.
pub(super) fn unpack<'a>(kind: &Kind, mut bytes: &'a [u8]) -> Result<Vec<Wire<'a>>, Malformed> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let value = match kind {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => {
                bytes.split_first_chunk().map(|(octets, rest)| {
                    bytes = rest;
                    Wire::I64(u64::from_le_bytes(*octets))
                })
            }
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => {
                bytes.split_first_chunk().map(|(octets, rest)| {
                    bytes = rest;
                    Wire::I32(u32::from_le_bytes(*octets))
                })
            }
            _ => varint(&mut bytes).map(Wire::Varint),
        };
        values.push(value.ok_or(Malformed::Data)?);
    }
    Ok(values)
}

/// A closed enumeration does not have this value: the field counts as unknown (proto2).
pub(super) fn is_outside(kind: &Kind, wire: &Wire<'_>) -> bool {
    let (Kind::Enum(descriptor), Wire::Varint(value)) = (kind, wire) else { return false };
    descriptor.parent_file().syntax() == Syntax::Proto2 && descriptor.get_value(*value as i32).is_none()
}

/// The value that a field without presence leaves out.
pub(super) fn is_default(wire: &Wire<'_>) -> bool {
    match wire {
        Wire::Varint(value) | Wire::I64(value) => *value == 0,
        Wire::I32(value) => *value == 0,
        Wire::Len(bytes) | Wire::Group(bytes) => bytes.is_empty(),
    }
}

/// What a missing value of this type is.
pub(super) const fn default_of(kind: &Kind) -> Wire<'static> {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::I64(0),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::I32(0),
        Kind::String | Kind::Bytes | Kind::Message(_) => Wire::Len(&[]),
        _ => Wire::Varint(0),
    }
}

/// Appends the value; messages are not among them. Strings that are not UTF-8 are only `lenient`ly taken.
pub(super) fn push(out: &mut String, kind: &Kind, wire: &Wire<'_>, lenient: bool) -> Result<(), Malformed> {
    match (kind, wire) {
        (Kind::Double, Wire::I64(bits)) => push_float(out, f64::from_bits(*bits)),
        (Kind::Float, Wire::I32(bits)) => push_float32(out, f32::from_bits(*bits)),
        (Kind::Fixed64, Wire::I64(value)) | (Kind::Uint64, Wire::Varint(value)) => {
            push_display(out, format_args!("\"{value}\""));
        }
        (Kind::Sfixed64, Wire::I64(value)) | (Kind::Int64, Wire::Varint(value)) => {
            push_display(out, format_args!("\"{}\"", value.cast_signed()));
        }
        (Kind::Sint64, Wire::Varint(value)) => push_display(out, format_args!("\"{}\"", zigzag(*value))),
        (Kind::Fixed32, Wire::I32(value)) => push_display(out, format_args!("{value}")),
        (Kind::Sfixed32, Wire::I32(value)) => push_display(out, format_args!("{}", value.cast_signed())),
        (Kind::Int32, Wire::Varint(value)) => push_display(out, format_args!("{}", *value as i32)),
        (Kind::Uint32, Wire::Varint(value)) => push_display(out, format_args!("{}", *value as u32)),
        (Kind::Sint32, Wire::Varint(value)) => {
            push_display(out, format_args!("{}", zigzag(u64::from(*value as u32)) as i32));
        }
        (Kind::Bool, Wire::Varint(value)) => push_display(out, format_args!("{}", *value != 0)),
        (Kind::String, Wire::Len(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => push_string(out, text),
            Err(_) if lenient => push_string(out, &String::from_utf8_lossy(bytes)),
            Err(_) => return Err(Malformed::Data),
        },
        (Kind::Bytes, Wire::Len(bytes)) => {
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        (Kind::Enum(descriptor), Wire::Varint(value)) => {
            let number = *value as i32;
            if descriptor.full_name() == "google.protobuf.NullValue" {
                out.push_str("null");
            } else if let Some(value) = descriptor.get_value(number) {
                push_string(out, value.name());
            } else {
                push_display(out, format_args!("{number}"));
            }
        }
        _ => return Err(Malformed::Data),
    }
    Ok(())
}

/// Writing to a string does not fail.
fn push_display(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}
