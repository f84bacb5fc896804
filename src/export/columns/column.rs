//! One column: values of one type, appended from a tape.

use super::tape::Reader;
use crate::record::visit::{Member, Type};
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields, TimeUnit};
use std::sync::Arc;

/// Values of one type. In a record's columns an object is those of its members.
#[derive(Debug)]
pub(super) enum Column {
    Bool(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Time(TimestampNanosecondBuilder),
    Text(StringBuilder),
    List(Several),
    Map(Several),
    Object(Struct),
}

/// Lists or maps: their elements, and where each begins.
#[derive(Debug)]
pub(super) struct Several {
    /// The elements' type, as Arrow has it.
    field: Arc<Field>,
    /// Of a map the keys.
    keys: StringBuilder,
    elements: Box<Column>,
    /// Elements of all rows.
    count: i32,
    offsets: Vec<i32>,
    present: NullBufferBuilder,
}

/// Objects.
#[derive(Debug)]
pub(super) struct Struct {
    fields: Fields,
    members: Vec<Column>,
    present: NullBufferBuilder,
}

/// The columns of records with these members: an object's stand for it, under their paths.
pub(super) fn fields(members: &[Member]) -> Vec<Field> {
    fn add(members: &[Member], prefix: &str, into: &mut Vec<Field>) {
        for member in shown(members, prefix.is_empty()) {
            let path = format!("{prefix}{}", member.key);
            match &member.r#type {
                Type::Object(below) => add(below, &format!("{path}."), into),
                r#type => into.push(Field::new(path, data_type(r#type), true)),
            }
        }
    }
    let mut fields = Vec::new();
    add(members, "", &mut fields);
    fields
}

/// A record's `record` is the same in all rows, and no column.
fn shown(members: &[Member], of_record: bool) -> impl Iterator<Item = &Member> {
    members.iter().filter(move |member| !(of_record && member.key == "record"))
}

fn data_type(r#type: &Type) -> DataType {
    match r#type {
        Type::Bool => DataType::Boolean,
        Type::Integer => DataType::Int64,
        Type::Float | Type::Seconds | Type::Difference | Type::Decimal => DataType::Float64,
        Type::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Type::Address | Type::Text | Type::Word(_) | Type::Json | Type::Map(Type::Object(_)) => {
            DataType::Utf8
        }
        Type::List(element) => DataType::List(Arc::new(Field::new("element", data_type(element), true))),
        Type::Map(value) => DataType::Map(Arc::new(entries(value)), false),
        Type::Object(members) => DataType::Struct(member_fields(members)),
    }
}

/// A map's entries.
fn entries(value: &Type) -> Field {
    let (key, value) =
        (Field::new("key", DataType::Utf8, false), Field::new("value", data_type(value), true));
    Field::new("key_value", DataType::Struct(Fields::from(vec![key, value])), false)
}

fn member_fields(members: &[Member]) -> Fields {
    members.iter().map(|member| Field::new(member.key, data_type(&member.r#type), true)).collect()
}

impl Column {
    /// The columns of records with these members; none of an object is flat yet.
    pub(super) fn of(members: &[Member]) -> Vec<Self> {
        shown(members, true).map(|member| Self::new(&member.r#type)).collect()
    }

    fn new(r#type: &Type) -> Self {
        match r#type {
            Type::Bool => Self::Bool(BooleanBuilder::new()),
            Type::Integer => Self::Integer(Int64Builder::new()),
            Type::Float | Type::Seconds | Type::Difference | Type::Decimal => {
                Self::Float(Float64Builder::new())
            }
            Type::Time => Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
            Type::Address | Type::Text | Type::Word(_) | Type::Json | Type::Map(Type::Object(_)) => {
                Self::Text(StringBuilder::new())
            }
            Type::List(element) => {
                Self::List(Several::new(Field::new("element", data_type(element), true), element))
            }
            Type::Map(value) => Self::Map(Several::new(entries(value), value)),
            Type::Object(members) => Self::Object(Struct {
                fields: member_fields(members),
                members: members.iter().map(|member| Self::new(&member.r#type)).collect(),
                present: NullBufferBuilder::new(0),
            }),
        }
    }

    /// Appends a member's value, or that there is none.
    pub(super) fn append(&mut self, tape: &mut Reader<'_>) {
        if tape.flag() { self.append_value(tape) } else { self.append_null() }
    }

    fn append_value(&mut self, tape: &mut Reader<'_>) {
        match self {
            Self::Bool(column) => column.append_value(tape.flag()),
            // One that does not fit is left out rather than told wrongly.
            Self::Integer(column) => column.append_option(signed(tape)),
            Self::Time(column) => column.append_option(signed(tape)),
            Self::Float(column) => column.append_value(f64::from_le_bytes(tape.number())),
            Self::Text(column) => column.append_value(tape.text()),
            Self::List(lists) => {
                let count = tape.count();
                for _ in 0..count {
                    lists.elements.append_value(tape);
                }
                lists.end(count);
            }
            Self::Map(maps) => {
                let count = tape.count();
                for _ in 0..count {
                    maps.keys.append_value(tape.text());
                    maps.elements.append_value(tape);
                }
                maps.end(count);
            }
            Self::Object(objects) => {
                objects.present.append_non_null();
                for member in &mut objects.members {
                    member.append(tape);
                }
            }
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Bool(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Text(column) => column.append_null(),
            Self::List(several) | Self::Map(several) => {
                several.offsets.push(several.count);
                several.present.append_null();
            }
            Self::Object(objects) => {
                objects.present.append_null();
                objects.members.iter_mut().for_each(Self::append_null);
            }
        }
    }

    /// Takes the values: an object's are those of its members.
    pub(super) fn finish_flat(&mut self, into: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        if let Self::Object(objects) = self {
            objects.present.finish();
            return objects.members.iter_mut().try_for_each(|member| member.finish_flat(into));
        }
        into.push(self.finish()?);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::List(lists) => {
                let (elements, field) = (lists.elements.finish()?, lists.field.clone());
                Arc::new(ListArray::try_new(field, lists.offsets(), elements, lists.present.finish())?)
            }
            Self::Map(maps) => {
                let DataType::Struct(fields) = maps.field.data_type() else {
                    return Err(ArrowError::SchemaError("a map without entries".to_owned()));
                };
                let columns: Vec<ArrayRef> = vec![Arc::new(maps.keys.finish()), maps.elements.finish()?];
                let entries = StructArray::try_new(fields.clone(), columns, None)?;
                let (field, present) = (maps.field.clone(), maps.present.finish());
                Arc::new(MapArray::try_new(field, maps.offsets(), entries, present, false)?)
            }
            Self::Object(objects) => {
                let members: Result<_, _> = objects.members.iter_mut().map(Self::finish).collect();
                Arc::new(StructArray::try_new(objects.fields.clone(), members?, objects.present.finish())?)
            }
        })
    }
}

fn signed(tape: &mut Reader<'_>) -> Option<i64> {
    i64::try_from(u64::from_le_bytes(tape.number())).ok()
}

impl Several {
    fn new(field: Field, element: &Type) -> Self {
        Self {
            field: Arc::new(field),
            keys: StringBuilder::new(),
            elements: Box::new(Column::new(element)),
            count: 0,
            offsets: vec![0],
            present: NullBufferBuilder::new(0),
        }
    }

    /// A row's elements are all there.
    fn end(&mut self, count: usize) {
        // A batch is far smaller than what does not fit (`BATCH_BYTES`).
        self.count = self.count.saturating_add(count as i32);
        self.offsets.push(self.count);
        self.present.append_non_null();
    }

    fn offsets(&mut self) -> OffsetBuffer<i32> {
        self.count = 0;
        OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])))
    }
}
