//! Messages by their schema, in protobuf JSON: unknown fields stay, with their numbers.

mod well_known;

use super::guess::Guess;
use super::schema::Schema;
use super::wire::{Field, Fields, Wire};
use super::{Malformed, UNKNOWN, scalar};
use crate::base::limits::BODY_PROTO_DEPTH;
use crate::body::json::push_string;
use crate::body::redact::Redactor;
use foldhash::HashMap;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, Syntax};
use std::borrow::Cow;
use std::fmt::Write;

/// Writes messages.
pub(super) struct Printer<'p> {
    schemas: &'p [&'p Schema],
    pool: &'p DescriptorPool,
    /// For what no schema names.
    redactor: Option<&'p Redactor>,
    pub(super) lenient: bool,
    pub(super) out: String,
    limit: usize,
    depth: usize,
}

/// The message as JSON. Values of secret names are masked; the text has up to `limit` bytes.
pub fn json(
    message: &[u8],
    descriptor: &MessageDescriptor,
    redactor: Option<&Redactor>,
    limit: usize,
) -> Result<String, Malformed> {
    json_with(message, descriptor, &[], redactor, limit)
}

/// The same, with schemas in which an `Any` finds its type; without any, those of the message's own.
pub fn json_with(
    message: &[u8],
    descriptor: &MessageDescriptor,
    schemas: &[&Schema],
    redactor: Option<&Redactor>,
    limit: usize,
) -> Result<String, Malformed> {
    // Only proto3 demands that strings are UTF-8.
    let lenient = descriptor.parent_file().syntax() == Syntax::Proto2;
    let mut printer = Printer {
        schemas,
        pool: descriptor.parent_pool(),
        redactor,
        lenient,
        out: String::new(),
        limit,
        depth: 0,
    };
    printer.message(message, descriptor)?;
    Ok(if let Some(redactor) = redactor { redactor.json(&printer.out) } else { printer.out })
}

/// How a field is declared; an extension likewise.
struct Member<'d> {
    json_name: &'d str,
    kind: Kind,
    list: bool,
    map: bool,
    group: bool,
    presence: bool,
}

impl Printer<'_> {
    /// A message of the type.
    pub(super) fn message(&mut self, bytes: &[u8], descriptor: &MessageDescriptor) -> Result<(), Malformed> {
        if self.depth >= BODY_PROTO_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.depth += 1;
        let result = self.object(bytes, descriptor);
        self.depth -= 1;
        result
    }

    fn object(&mut self, bytes: &[u8], descriptor: &MessageDescriptor) -> Result<(), Malformed> {
        if !well_known::print(self, bytes, descriptor)? {
            self.out.push('{');
            self.members(bytes, descriptor, true)?;
            self.out.push('}');
        }
        Ok(())
    }

    /// The type that an `Any` names.
    pub(super) fn find(&self, name: &str) -> Option<MessageDescriptor> {
        let known = self.schemas.iter().find_map(|schema| schema.message(name));
        known.or_else(|| self.pool.get_message_by_name(name))
    }

    /// The members of a message after others in the same object.
    pub(super) fn nested(&mut self, bytes: &[u8], descriptor: &MessageDescriptor) -> Result<(), Malformed> {
        if self.depth >= BODY_PROTO_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.depth += 1;
        let result = self.members(bytes, descriptor, false);
        self.depth -= 1;
        result
    }

    /// The members of an object; the `first` of them needs no comma.
    pub(super) fn members(
        &mut self,
        bytes: &[u8],
        descriptor: &MessageDescriptor,
        first: bool,
    ) -> Result<(), Malformed> {
        let mut fields = Fields::new(bytes).collect::<Result<Vec<_>, _>>()?;
        keep_last_of_oneofs(&mut fields, descriptor);
        fields.sort_by_key(|field| field.number);
        let mut first = first;
        let mut unknown: Vec<Field<'_>> = Vec::new();
        for group in fields.chunk_by(|one, other| one.number == other.number) {
            let Some(number) = group.first().map(|field| field.number) else { continue };
            if let Some(field) = descriptor.get_field(number) {
                let member = Member::of(&field);
                self.member(&member, group, &mut first, &mut unknown)?;
            } else if let Some(field) = descriptor.get_extension(number) {
                let member = Member {
                    json_name: field.json_name(),
                    kind: field.kind(),
                    list: field.is_list(),
                    map: false,
                    group: field.is_group(),
                    presence: field.supports_presence(),
                };
                self.member(&member, group, &mut first, &mut unknown)?;
            } else {
                unknown.extend_from_slice(group);
            }
            if self.out.len() > self.limit {
                return Err(Malformed::TooLong);
            }
        }
        self.unknown(&unknown, first)
    }

    fn member<'b>(
        &mut self,
        member: &Member<'_>,
        group: &[Field<'b>],
        first: &mut bool,
        unknown: &mut Vec<Field<'b>>,
    ) -> Result<(), Malformed> {
        let mut values: Vec<Wire<'b>> = Vec::with_capacity(group.len());
        for field in group {
            let wire = field.value;
            if scalar::fits(&member.kind, &wire, member.group) && !scalar::is_outside(&member.kind, &wire) {
                values.push(wire);
            } else if let (true, true, Wire::Len(bytes)) =
                (member.list, scalar::is_packable(&member.kind), wire)
            {
                let packed = scalar::unpack(&member.kind, bytes)?;
                values.extend(packed.into_iter().filter(|wire| !scalar::is_outside(&member.kind, wire)));
            } else {
                unknown.push(*field);
            }
        }
        let Some(last) = values.last() else { return Ok(()) };
        if !member.list && !member.map && !member.presence && scalar::is_default(last) {
            return Ok(());
        }
        self.key(member.json_name, first);
        if member.map {
            self.map(&member.kind, &values)
        } else if member.list {
            self.list(&member.kind, &values)
        } else {
            self.value(&member.kind, &values)
        }
    }

    /// Appends the name of a member.
    pub(super) fn key(&mut self, name: &str, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(',');
        }
        push_string(&mut self.out, name);
        self.out.push(':');
    }

    fn list(&mut self, kind: &Kind, values: &[Wire<'_>]) -> Result<(), Malformed> {
        self.out.push('[');
        for (index, value) in values.iter().enumerate() {
            self.out.push_str(if index > 0 { "," } else { "" });
            self.value(kind, std::slice::from_ref(value))?;
            if self.out.len() > self.limit {
                return Err(Malformed::TooLong);
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// A value that may have been sent in parts: messages merge, of others the last one counts.
    fn value(&mut self, kind: &Kind, values: &[Wire<'_>]) -> Result<(), Malformed> {
        let Some(last) = values.last() else { return Err(Malformed::Data) };
        if let Kind::Message(descriptor) = kind {
            let bytes = merged(values);
            return self.message(&bytes, descriptor);
        }
        scalar::push(&mut self.out, kind, last, self.lenient)
    }

    fn map(&mut self, kind: &Kind, entries: &[Wire<'_>]) -> Result<(), Malformed> {
        let Kind::Message(entry) = kind else { return Err(Malformed::Data) };
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let mut order: Vec<(String, Vec<Wire<'_>>)> = Vec::with_capacity(entries.len());
        let mut places: HashMap<String, usize> = HashMap::default();
        for entry in entries {
            let Wire::Len(bytes) = entry else { return Err(Malformed::Data) };
            let (name, values) = map_entry(bytes, &key, &value)?;
            if let Some(place) = places.get(&name).and_then(|place| order.get_mut(*place)) {
                place.1 = values;
            } else {
                places.insert(name.clone(), order.len());
                order.push((name, values));
            }
        }
        self.out.push('{');
        let mut first = true;
        for (name, values) in order {
            self.key(&name, &mut first);
            self.value(&value.kind(), &values)?;
            if self.out.len() > self.limit {
                return Err(Malformed::TooLong);
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn unknown(&mut self, fields: &[Field<'_>], mut first: bool) -> Result<(), Malformed> {
        if fields.is_empty() {
            return Ok(());
        }
        self.key(UNKNOWN, &mut first);
        self.out.push('[');
        let guess = Guess { redactor: self.redactor, limit: self.limit };
        for (index, field) in fields.iter().enumerate() {
            self.out.push_str(if index > 0 { "," } else { "" });
            let before = self.out.len();
            match guess.field(*field, 0, &mut self.out) {
                Err(Malformed::TooDeep) => {
                    self.out.truncate(before);
                    let _ = write!(self.out, "{{\"number\":{}}}", field.number);
                }
                result => result?,
            }
        }
        self.out.push(']');
        Ok(())
    }
}

impl<'d> Member<'d> {
    fn of(field: &'d FieldDescriptor) -> Self {
        Self {
            json_name: field.json_name(),
            kind: field.kind(),
            list: field.is_list(),
            map: field.is_map(),
            group: field.is_group(),
            presence: field.supports_presence(),
        }
    }
}

/// Of the members of a oneof only the one sent last is set; parts of it from before another one are gone.
fn keep_last_of_oneofs(fields: &mut Vec<Field<'_>>, descriptor: &MessageDescriptor) {
    if descriptor.oneofs().all(|oneof| oneof.is_synthetic()) {
        return;
    }
    // By oneof: the member that the fields seen so far, from the last one on, allow.
    let mut set: HashMap<String, u32> = HashMap::default();
    let mut closed: HashMap<String, bool> = HashMap::default();
    fields.reverse();
    fields.retain(|field| {
        let Some(member) = descriptor.get_field(field.number) else { return true };
        let Some(oneof) = member.containing_oneof().filter(|oneof| !oneof.is_synthetic()) else {
            return true;
        };
        if !scalar::fits(&member.kind(), &field.value, member.is_group()) {
            return true;
        }
        let last = *set.entry(oneof.name().to_owned()).or_insert(field.number);
        let closed = closed.entry(oneof.name().to_owned()).or_insert(false);
        *closed |= last != field.number;
        !*closed
    });
    fields.reverse();
}

/// The encoding of the merged message: one after the other.
fn merged<'b>(values: &[Wire<'b>]) -> Cow<'b, [u8]> {
    let bytes = |wire: &Wire<'b>| match *wire {
        Wire::Len(bytes) | Wire::Group(bytes) => bytes,
        _ => &[],
    };
    match values {
        [one] => bytes(one).into(),
        several => several.iter().map(bytes).collect::<Vec<_>>().concat().into(),
    }
}

/// An entry's key, as the name of a member, and its value.
fn map_entry<'b>(
    bytes: &'b [u8],
    key: &FieldDescriptor,
    value: &FieldDescriptor,
) -> Result<(String, Vec<Wire<'b>>), Malformed> {
    let (key_kind, value_kind) = (key.kind(), value.kind());
    let mut name = scalar::default_of(&key_kind);
    let mut values = Vec::new();
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number == 1 && scalar::fits(&key_kind, &field.value, false) {
            name = field.value;
        } else if field.number == 2 && scalar::fits(&value_kind, &field.value, false) {
            values.push(field.value);
        }
    }
    if values.is_empty() {
        values.push(scalar::default_of(&value_kind));
    }
    if let (Kind::String, Wire::Len(bytes)) = (&key_kind, name) {
        let name = std::str::from_utf8(bytes).map_err(|_| Malformed::Data)?;
        return Ok((name.to_owned(), values));
    }
    let mut text = String::new();
    scalar::push(&mut text, &key_kind, &name, false)?;
    Ok((text.trim_matches('"').to_owned(), values))
}

#[cfg(test)]
mod tests;
