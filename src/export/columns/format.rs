//! Which format the columns are written in.

use super::stream::{ColumnsError, Stream};
use crate::export::Format;
use crate::export::arrow::ArrowStream;
use crate::export::parquet::ParquetFile;
use crate::record::visit::Member;

/// A file or stream of records with these members.
pub(in crate::export) fn begin(format: Format, members: &'static [Member]) -> Result<Stream, ColumnsError> {
    if format == Format::Parquet {
        Stream::new(members, ParquetFile::new)
    } else {
        Stream::new(members, ArrowStream::new)
    }
}
