//! Parquet: compressed with zstd, text in dictionaries, statistics for readers that skip what they do not look for.

use super::columns::{Batches, ColumnsError, metadata};
use crate::base::memory::Memory;
use crate::base::tuning::{
    PARQUET_GROUP_BYTES, PARQUET_GROUP_ENCODED, PARQUET_GROUP_LEAST, PARQUET_GROUP_ROWS,
};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

/// Writes a file, row group by row group.
#[derive(Debug)]
pub(super) struct ParquetFile {
    writer: ArrowWriter<Vec<u8>>,
    /// Bytes of the values in the row group so far.
    group: usize,
    memory: Memory,
}

impl ParquetFile {
    /// A file with these columns.
    pub(super) fn new(schema: &SchemaRef, memory: Memory) -> Result<Self, ColumnsError> {
        let metadata = metadata().into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("h2lens version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(PARQUET_GROUP_ROWS))
            .set_max_row_group_bytes(None)
            .set_key_value_metadata(Some(metadata))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
        Ok(Self { writer, group: 0, memory })
    }

    /// A group is full when it has many bytes, if not all of them are the same ones again and again; or when they take much
    /// memory as they are encoded.
    fn is_full(&self) -> bool {
        let share = |bytes| self.memory.share(bytes).max(PARQUET_GROUP_LEAST);
        let (encoded, group) = (self.writer.in_progress_size(), share(PARQUET_GROUP_BYTES));
        encoded >= share(PARQUET_GROUP_ENCODED) || self.group >= group && encoded >= group / 8
    }

    fn take(&mut self, out: &mut Vec<u8>) {
        out.append(self.writer.inner_mut());
    }
}

impl Batches for ParquetFile {
    fn write(&mut self, batch: &RecordBatch, bytes: usize, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        self.writer.write(batch)?;
        let begun = self.writer.in_progress_rows();
        self.group = if begun > batch.num_rows() { self.group + bytes } else { bytes };
        if begun > 0 && self.is_full() {
            self.writer.flush()?;
        }
        self.take(out);
        Ok(())
    }

    fn finish(&mut self, coverage: Option<&str>, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        let coverage =
            coverage.map(|coverage| KeyValue::new("h2lens.coverage".to_owned(), coverage.to_owned()));
        if let Some(coverage) = coverage {
            self.writer.append_key_value_metadata(coverage);
        }
        self.writer.finish()?;
        self.take(out);
        Ok(())
    }
}
