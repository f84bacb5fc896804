//! The Arrow IPC stream: uncompressed, without dictionary batches, so that every reader of a pipe takes it.

use super::columns::{Batches, ColumnsError, metadata};
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Schema, SchemaRef};
use std::collections::HashMap;
use std::fmt;

/// Writes a stream; its schema stands before the first batch.
pub(super) struct ArrowStream(StreamWriter<Vec<u8>>);

impl ArrowStream {
    /// A stream of batches with this schema.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, ColumnsError> {
        let schema = Schema::new_with_metadata(
            schema.fields().clone(),
            metadata().into_iter().collect::<HashMap<_, _>>(),
        );
        Ok(Self(StreamWriter::try_new(Vec::new(), &schema)?))
    }

    fn take(&mut self, out: &mut Vec<u8>) {
        out.append(self.0.get_mut());
    }
}

impl Batches for ArrowStream {
    fn write(&mut self, batch: &RecordBatch, _: usize, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        self.0.write(batch)?;
        self.take(out);
        Ok(())
    }

    fn finish(&mut self, _: Option<&str>, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        self.0.finish()?;
        self.take(out);
        Ok(())
    }
}

impl fmt::Debug for ArrowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrowStream").finish_non_exhaustive()
    }
}
