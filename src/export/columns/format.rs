//! Which format the columns are written in.

use super::stream::{ColumnsError, Stream};
use crate::base::memory::Memory;
use crate::export::Format;
use crate::export::arrow::ArrowStream;
use crate::export::parquet::{Footers, ParquetFile};
use crate::record::visit::Member;

/// A file or stream of records with these members; `footers` is the room for the ends of Parquet files.
pub(in crate::export) fn begin(
    format: Format,
    memory: Memory,
    footers: &Footers,
    members: &'static [Member],
) -> Result<Stream, ColumnsError> {
    if format == Format::Parquet {
        Stream::new(members, memory, |schema| ParquetFile::new(schema, memory, footers.clone()))
    } else {
        Stream::new(members, memory, ArrowStream::new)
    }
}
