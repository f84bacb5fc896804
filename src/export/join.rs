//! What two captures of the same calls tell together → bytes.

use super::{Format, Options, PrintError, csv, json, table};
use crate::base::tuning::OUTPUT_BUFFER;
use crate::record::pair::{Join, Pair, PairEndpoints};
use crate::record::schema::{JoinObject, PairObject};
use std::io::Write;

/// Prints pairs, and what they add up to: as records, or as a table of endpoints. CSV holds one kind of record, the pairs.
///
/// # Errors
/// When the writer takes no more.
pub fn print_join(
    writer: &mut impl Write,
    options: &Options,
    pairs: impl Iterator<Item = Pair>,
    join: &Join,
    endpoints: &PairEndpoints,
) -> Result<(), PrintError> {
    let (mut buffer, mut scratch) = (Vec::with_capacity(OUTPUT_BUFFER + OUTPUT_BUFFER / 4), Vec::new());
    match options.format {
        Format::Table => table::join(&mut buffer, join, endpoints, options),
        Format::Csv => {
            csv::header::<PairObject<'_>>(&mut buffer);
            for pair in pairs {
                csv::row(&mut buffer, &mut scratch, &PairObject::new(&pair));
                flush_full(writer, &mut buffer)?;
            }
        }
        // Others are not offered for what has two kinds of records.
        _ => {
            let (before, between, after): (&[u8], &[u8], &[u8]) =
                if options.format == Format::Json { (b"[\n", b",\n", b"\n]\n") } else { (b"", b"\n", b"\n") };
            buffer.extend_from_slice(before);
            for pair in pairs {
                json::write(&mut buffer, &PairObject::new(&pair));
                buffer.extend_from_slice(between);
                flush_full(writer, &mut buffer)?;
            }
            json::write(&mut buffer, &JoinObject::new(join));
            buffer.extend_from_slice(after);
        }
    }
    writer.write_all(&buffer)?;
    Ok(writer.flush()?)
}

fn flush_full(writer: &mut impl Write, buffer: &mut Vec<u8>) -> Result<(), PrintError> {
    if buffer.len() >= OUTPUT_BUFFER {
        writer.write_all(buffer)?;
        buffer.clear();
    }
    Ok(())
}
