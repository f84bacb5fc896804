//! Records of one kind, batch by batch, to a format that is made of batches.

use super::rows::Rows;
use crate::base::memory::Memory;
use crate::base::tuning::{COLUMN_BATCH_BYTES, COLUMN_BATCH_ROWS};
use crate::record::schema::VERSION;
use crate::record::visit::Member;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::errors::ParquetError;
use std::fmt::Debug;

/// Why columns cannot be written. But for the length of a file, nothing on the wire leads to it.
#[derive(Debug, thiserror::Error)]
pub(in crate::export) enum ColumnsError {
    /// Of Arrow.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// Of Parquet.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// The end of a Parquet file tells of each of its row groups, and may be no longer.
    #[error(
        "the Parquet file has no end: what that says of each row group takes too much memory; give more --memory, divide the capture, or write Arrow"
    )]
    TooLong,
}

/// What each file and stream says of itself: the program's version, and that of the records' schema.
pub(in crate::export) fn metadata() -> [(String, String); 2] {
    [
        ("h2lens.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("h2lens.schema".to_owned(), VERSION.to_string()),
    ]
}

/// Writes batches. Bytes that are ready are appended to `out`.
pub(in crate::export) trait Batches: Debug {
    /// The next rows, which take so many bytes.
    fn write(&mut self, batch: &RecordBatch, bytes: usize, out: &mut Vec<u8>) -> Result<(), ColumnsError>;

    /// There are no more. `coverage` says in JSON how complete they are, where that is known.
    fn finish(&mut self, coverage: Option<&str>, out: &mut Vec<u8>) -> Result<(), ColumnsError>;
}

/// One kind of record in a format of columns.
#[derive(Debug)]
pub(in crate::export) struct Stream {
    rows: Rows,
    /// Bytes of the rows that wait, and how many make a batch.
    bytes: usize,
    batch: usize,
    format: Box<dyn Batches + Send>,
}

impl Stream {
    /// Records with these members, in the format that `begin` makes for their columns.
    pub(in crate::export) fn new<B: Batches + Send + 'static>(
        members: &'static [Member],
        memory: Memory,
        begin: impl FnOnce(&SchemaRef) -> Result<B, ColumnsError>,
    ) -> Result<Self, ColumnsError> {
        let rows = Rows::new(members);
        let format = Box::new(begin(rows.schema())?);
        Ok(Self { rows, bytes: 0, batch: memory.share(COLUMN_BATCH_BYTES), format })
    }

    /// The next record, as its tape.
    pub(in crate::export) fn push(&mut self, tape: &[u8], out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        self.rows.push(tape);
        self.bytes += tape.len();
        if self.rows.count() < COLUMN_BATCH_ROWS && self.bytes < self.batch {
            return Ok(());
        }
        self.flush(out)
    }

    /// The rows that wait are a batch of their own.
    pub(in crate::export) fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        if self.rows.count() == 0 {
            return Ok(());
        }
        let batch = self.rows.batch()?;
        self.format.write(&batch, std::mem::take(&mut self.bytes), out)
    }

    /// There are no more.
    pub(in crate::export) fn finish(
        &mut self,
        coverage: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), ColumnsError> {
        self.flush(out)?;
        self.format.finish(coverage, out)
    }
}
