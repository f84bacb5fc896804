//! The rows of a batch, column by column.

use super::column::{Column, fields};
use super::tape::Reader;
use crate::record::visit::Member;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::sync::Arc;

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
