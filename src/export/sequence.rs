//! Records that are made here, one after the other, in any format that has records.

#[cfg(feature = "parquet")]
use super::columns::{Stream, begin, tape};
#[cfg(feature = "parquet")]
use super::parquet::Footers;
use super::{Format, Options, PrintError, csv, json};
use crate::base::tuning::OUTPUT_BUFFER;
use crate::record::visit::Object;
use std::io::Write;

/// Writes records. Formats that hold one kind of record hold those it was made for.
pub(super) struct Sequence<W: Write> {
    writer: W,
    format: Format,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    begun: bool,
    #[cfg(feature = "parquet")]
    columns: Option<Stream>,
}

impl<W: Write> Sequence<W> {
    /// Records of type `T`, before which nothing is written yet.
    pub(super) fn new<T: Object>(writer: W, options: &Options) -> Result<Self, PrintError> {
        let format = options.format;
        let mut buffer = Vec::with_capacity(OUTPUT_BUFFER + OUTPUT_BUFFER / 4);
        match format {
            Format::Csv => csv::header::<T>(&mut buffer),
            Format::Json => buffer.push(b'['),
            _ => {}
        }
        Ok(Self {
            writer,
            format,
            buffer,
            scratch: Vec::new(),
            begun: false,
            #[cfg(feature = "parquet")]
            columns: format
                .is_binary()
                .then(|| begin(format, options.memory, &Footers::new(options.memory), T::MEMBERS))
                .transpose()?,
        })
    }

    /// The next record.
    pub(super) fn push(&mut self, record: &impl Object) -> Result<(), PrintError> {
        match self.format {
            Format::Csv => csv::row(&mut self.buffer, &mut self.scratch, record),
            #[cfg(feature = "parquet")]
            Format::Parquet | Format::Arrow => {
                self.scratch.clear();
                tape::write(&mut self.scratch, record);
                if let Some(columns) = &mut self.columns {
                    columns.push(&self.scratch, &mut self.buffer)?;
                }
            }
            Format::Json => {
                self.buffer.extend_from_slice(if self.begun { b",\n" } else { b"\n" });
                json::write(&mut self.buffer, record);
            }
            _ => super::json_line(&mut self.buffer, record),
        }
        self.begun = true;
        if self.buffer.len() >= OUTPUT_BUFFER {
            self.writer.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// The last record, of another kind: where there is a place for it.
    pub(super) fn push_other(&mut self, record: &impl Object) -> Result<(), PrintError> {
        if self.format.holds_one_kind() { Ok(()) } else { self.push(record) }
    }

    /// There are no more.
    pub(super) fn finish(mut self) -> Result<(), PrintError> {
        if self.format == Format::Json {
            self.buffer.extend_from_slice(if self.begun { b"\n]\n" } else { b"]\n" });
        }
        #[cfg(feature = "parquet")]
        if let Some(columns) = &mut self.columns {
            columns.finish(None, &mut self.buffer)?;
        }
        self.writer.write_all(&self.buffer)?;
        Ok(self.writer.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples;
    use crate::record::schema::{DiffObject, PairObject};

    /// The records in a format, the last one of another kind.
    fn written(format: Format, count: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sequence =
            Sequence::new::<PairObject<'_>>(&mut out, &Options { format, ..Options::default() }).unwrap();
        for pair in samples::pairs().iter().cycle().take(count) {
            sequence.push(&PairObject::new(pair)).unwrap();
        }
        sequence.push_other(&DiffObject::new(&samples::differences()[0])).unwrap();
        sequence.finish().unwrap();
        out
    }

    #[test]
    fn every_format_holds_all_records_that_it_has_a_place_for() {
        for count in [0, 1, 2_000] {
            let text = |format| String::from_utf8(written(format, count)).unwrap();
            assert_eq!(text(Format::Ndjson).lines().count(), count + 1);
            let array: Vec<serde_json::Value> = serde_json::from_str(&text(Format::Json)).unwrap();
            assert_eq!(array.len(), count + 1);
            assert_eq!(text(Format::Csv).lines().count(), count + 1, "the header row, and no other kind");
        }
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn files_of_columns_are_whole_without_a_record_too() {
        use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
        for count in [0, 3, 40_000] {
            let file = bytes::Bytes::from(written(Format::Parquet, count));
            let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            assert_eq!(batches.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), count);
            let stream = written(Format::Arrow, count);
            let batches = arrow_ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap();
            assert_eq!(batches.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), count);
        }
    }
}
