//! Parquet: compressed with zstd, text in dictionaries, statistics for readers that skip what they do not look for.

use super::columns::{Batches, ColumnsError, metadata};
use crate::base::limits::{PARQUET_FOOTER, PARQUET_FOOTER_COLUMN, PARQUET_FOOTER_LEAST};
use crate::base::memory::Memory;
use crate::base::tuning::{
    PARQUET_GROUP_BYTES, PARQUET_GROUP_ENCODED, PARQUET_GROUP_LEAST, PARQUET_GROUP_MEMORY,
    PARQUET_GROUP_ROWS, PARQUET_GROUPS_ALIKE,
};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes that the ends of all files may take that are written at one time, those that are there still.
#[derive(Clone, Debug)]
pub(super) struct Footers(Arc<AtomicUsize>);

impl Footers {
    /// Room for the files of a process with that memory.
    pub(super) fn new(memory: Memory) -> Self {
        Self(Arc::new(AtomicUsize::new(memory.share(PARQUET_FOOTER).max(PARQUET_FOOTER_LEAST))))
    }

    /// Takes so many bytes; whether they were there.
    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// Writes a file, row group by row group.
#[derive(Debug)]
pub(super) struct ParquetFile {
    writer: ArrowWriter<Vec<u8>>,
    /// Bytes of the values in the row group so far.
    group: usize,
    memory: Memory,
    footers: Footers,
    /// Bytes that the file's end says of a row group.
    told: usize,
    /// Rows of the first groups.
    rows: usize,
}

impl ParquetFile {
    /// A file with these columns, one of those whose ends have this room.
    pub(super) fn new(schema: &SchemaRef, memory: Memory, footers: Footers) -> Result<Self, ColumnsError> {
        let metadata = metadata().into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("h2lens version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // Of use for pages that are skipped by their statistics, which are of the groups alone; kept until the end.
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(None)
            .set_max_row_group_bytes(None)
            .set_key_value_metadata(Some(metadata))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
        let columns = schema.fields().iter().map(|field| leaves(field.data_type())).sum::<usize>();
        let told = columns * PARQUET_FOOTER_COLUMN;
        Ok(Self { writer, group: 0, memory, footers, told, rows: PARQUET_GROUP_ROWS })
    }

    /// A group is full when it has many rows, or many bytes if not all of them are the same ones again and again; or when they
    /// take much memory as they are encoded. What the file says of each group is kept until its end: the more there are, the
    /// larger are the next ones, as far as memory allows.
    fn is_full(&self) -> bool {
        let share = |bytes| self.memory.share(bytes).max(PARQUET_GROUP_LEAST);
        let (encoded, group) = (self.writer.in_progress_size(), share(PARQUET_GROUP_BYTES));
        let doubled = self.writer.flushed_row_groups().len() / PARQUET_GROUPS_ALIKE;
        let times = 1_usize.checked_shl(doubled as u32).unwrap_or(usize::MAX);
        let rows = self.writer.in_progress_rows();
        // What each column takes from the first row on makes no group of few rows.
        let memory = self.memory.share(PARQUET_GROUP_MEMORY).max(3 * PARQUET_GROUP_LEAST);
        encoded >= share(PARQUET_GROUP_ENCODED)
            || rows >= self.rows / 8 && self.writer.memory_size() >= memory
            || self.group >= group.saturating_mul(times) && encoded >= group / 8
            || rows >= self.rows.saturating_mul(times)
    }

    fn take(&mut self, out: &mut Vec<u8>) {
        out.append(self.writer.inner_mut());
    }
}

/// Columns of Parquet that a column of Arrow becomes.
fn leaves(r#type: &DataType) -> usize {
    match r#type {
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        DataType::List(field) | DataType::Map(field, _) => leaves(field.data_type()),
        _ => 1,
    }
}

impl Batches for ParquetFile {
    fn write(&mut self, batch: &RecordBatch, bytes: usize, out: &mut Vec<u8>) -> Result<(), ColumnsError> {
        if self.writer.in_progress_rows() == 0 && !self.footers.take(self.told) {
            return Err(ColumnsError::TooLong);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use arrow_schema::{Field, Schema};
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    fn file(columns: usize, footers: &Footers) -> (ParquetFile, SchemaRef) {
        let fields: Vec<_> = (0..columns)
            .map(|n| {
                let of = if n.is_multiple_of(2) { DataType::Int64 } else { DataType::Utf8 };
                Field::new(format!("c{n}"), of, true)
            })
            .collect();
        let schema = SchemaRef::new(Schema::new(fields));
        (ParquetFile::new(&schema, Memory::default(), footers.clone()).unwrap(), schema)
    }

    fn batch(schema: &SchemaRef, from: i64, rows: i64) -> RecordBatch {
        let column = |n: usize| -> ArrayRef {
            if n.is_multiple_of(2) {
                Arc::new((from..from + rows).collect::<Int64Array>())
            } else {
                let text =
                    (from..from + rows).map(|n| Some(format!("a value that is as long as most of them {n}")));
                Arc::new(text.collect::<StringArray>())
            }
        };
        RecordBatch::try_new(schema.clone(), (0..schema.fields().len()).map(column).collect()).unwrap()
    }

    /// The more groups there are, the larger are the next ones.
    #[test]
    fn groups_grow_with_their_number() {
        let (mut file, schema) = file(1, &Footers::new(Memory::default()));
        file.rows = 4;
        let (mut out, rows) = (Vec::new(), 4 * (16 + 2 * 16 + 4 * 16 + 8));
        for n in 0..rows {
            file.write(&batch(&schema, n, 1), 1, &mut out).unwrap();
        }
        file.finish(None, &mut out).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(out)).unwrap();
        let groups: Vec<i64> =
            reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups.iter().sum::<i64>(), rows);
        assert_eq!((groups.len(), groups[0], groups[16], groups[32], groups[48]), (49, 4, 8, 16, 32));
    }

    /// Dictionaries of many values take several times the memory that they are encoded in.
    #[test]
    fn groups_end_before_they_take_too_much_memory() {
        let (mut file, schema) = file(60, &Footers::new(Memory::default()));
        let (mut out, mut most, mut rows) = (Vec::new(), 0, 0);
        for n in 0..40 {
            // The same 20,000 values again and again.
            file.write(&batch(&schema, n % 20 * 1000, 4096), 1, &mut out).unwrap();
            (most, rows) = (most.max(file.writer.memory_size()), rows.max(file.writer.in_progress_rows()));
        }
        assert!(most < PARQUET_GROUP_MEMORY + PARQUET_GROUP_MEMORY / 4, "{most} at {rows}");
    }

    /// A file that would need more groups is none: it has no end, so that nobody takes it for a whole one. All files that are
    /// written at one time share the room.
    #[test]
    fn cap_parquet_footer() {
        let footers = Footers::new(Memory::default());
        assert!(footers.take(PARQUET_FOOTER) && !footers.take(1));
        footers.0.store(4 * 2 * PARQUET_FOOTER_COLUMN, Relaxed);
        let (mut first, schema) = file(2, &footers);
        let (mut other, _) = file(2, &footers);
        (first.rows, other.rows) = (1, 1);
        let (mut out, mut outs) = (Vec::new(), Vec::new());
        for n in 0..3 {
            first.write(&batch(&schema, n, 1), 1, &mut out).unwrap();
        }
        other.write(&batch(&schema, 0, 1), 1, &mut outs).unwrap();
        let error = first.write(&batch(&schema, 3, 1), 1, &mut out).unwrap_err();
        assert!(matches!(error, ColumnsError::TooLong), "{error}");
        assert!(SerializedFileReader::new(bytes::Bytes::from(out)).is_err());
        other.finish(None, &mut outs).unwrap();
        assert!(SerializedFileReader::new(bytes::Bytes::from(outs)).is_ok());
    }

    #[test]
    fn cap_parquet_footer_least() {
        let least = Footers::new(Memory::new(Memory::LEAST).unwrap());
        assert!(least.take(PARQUET_FOOTER_LEAST) && !least.take(1));
    }

    /// What is kept of a group, and what the file's end says of it, is no more than is reckoned with.
    #[test]
    fn cap_parquet_footer_column() {
        let (columns, groups) = (40, 50);
        let (mut file, schema) = file(columns, &Footers::new(Memory::default()));
        file.rows = 1;
        let mut out = Vec::new();
        for n in 0..groups {
            file.write(&batch(&schema, n, 1), 1, &mut out).unwrap();
        }
        assert!(PARQUET_GROUPS_ALIKE < groups as usize);
        let kept = size_of::<parquet::file::metadata::ColumnChunkMetaData>();
        let (groups, before) = (file.writer.flushed_row_groups().len(), out.len());
        file.finish(None, &mut out).unwrap();
        let told = (out.len() - before) / (groups * columns);
        // Beside these, values of statistics and allocations.
        assert!(kept + told + 256 <= PARQUET_FOOTER_COLUMN, "{kept} and {told}");
    }
}
