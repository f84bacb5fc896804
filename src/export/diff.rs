//! What became of endpoints from one run to another → bytes.

use super::sequence::Sequence;
use super::{Format, Options, PrintError, table};
use crate::record::diff::Comparison;
use crate::record::schema::DiffObject;
use std::io::Write;

/// Prints the endpoints of two runs: as records, or as a table.
///
/// # Errors
/// When the writer takes no more.
pub fn print_diff(
    writer: &mut impl Write,
    options: &Options,
    comparison: &Comparison,
) -> Result<(), PrintError> {
    if options.format == Format::Table {
        let mut text = Vec::new();
        table::diff(&mut text, comparison, options);
        writer.write_all(&text)?;
        return Ok(writer.flush()?);
    }
    let mut sequence = Sequence::new::<DiffObject<'_>>(writer, options)?;
    for endpoint in &comparison.endpoints {
        sequence.push(&DiffObject::new(endpoint))?;
    }
    sequence.finish()
}
