//! Records as columns, for `-o parquet` and `-o arrow`: one column an attribute, of the same type whatever a capture holds.
//!
//! A worker writes a record on a [tape](tape), values one behind the other; the printer appends them to the columns, and
//! each so many rows are one Arrow record batch. Names and types come from the records' one definition
//! ([`Member`](crate::record::visit::Member)).
//!
//! | value | Arrow type |
//! |---|---|
//! | integer | `Int64`; one that does not fit is null |
//! | duration, number with a fraction | `Float64`, seconds |
//! | flag | `Boolean` |
//! | time | `Timestamp(Nanosecond, "UTC")` |
//! | text, address, enumeration, free JSON, map of objects (as JSON) | `Utf8` |
//! | list | `List`, of a `Struct` where the elements are objects |
//! | map with open keys | `Map`, from `Utf8` |

mod column;
mod printer;
mod stream;
mod tape;

#[cfg(test)]
mod tests;

pub(super) use printer::Printer;
pub(super) use stream::{Batches, ColumnsError, Stream};
#[cfg(test)]
use tape::push_annotation;
pub(super) use tape::{TAIL, write};

use super::Format;
use super::arrow::ArrowStream;
use super::parquet::ParquetFile;
use crate::record::schema::VERSION;
use crate::record::visit::Member;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use column::{Column, fields};
use std::sync::Arc;
use tape::Reader;

/// What each file and stream says of itself: the program's version, and that of the records' schema.
pub(super) fn metadata() -> [(String, String); 2] {
    [
        ("h2lens.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("h2lens.schema".to_owned(), VERSION.to_string()),
    ]
}

/// A file or stream of records with these members.
pub(super) fn begin(format: Format, members: &'static [Member]) -> Result<Stream, ColumnsError> {
    if format == Format::Parquet {
        Stream::new(members, ParquetFile::new)
    } else {
        Stream::new(members, ArrowStream::new)
    }
}

/// The rows that are not in a batch yet.
#[derive(Debug)]
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    count: usize,
}

impl Rows {
    /// No rows yet of records with these members.
    pub(super) fn new(members: &'static [Member]) -> Self {
        Self { schema: Arc::new(Schema::new(fields(members))), columns: Column::of(members), count: 0 }
    }

    /// What the columns are.
    pub(super) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows since the last batch.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Appends the record on a tape.
    pub(super) fn push(&mut self, tape: &[u8]) {
        let mut reader = Reader::new(tape);
        for column in &mut self.columns {
            column.append(&mut reader);
        }
        self.count += 1;
    }

    /// Takes the rows as a batch.
    pub(super) fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for column in &mut self.columns {
            column.finish_flat(&mut arrays)?;
        }
        self.count = 0;
        RecordBatch::try_new(self.schema.clone(), arrays)
    }
}
