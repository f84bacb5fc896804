//! What two captures of the same calls tell together → bytes.

use super::sequence::Sequence;
use super::{Format, Options, PrintError, table};
use crate::record::pair::{Join, Pair, PairEndpoints};
use crate::record::schema::{JoinObject, PairObject};
use std::io::Write;

/// Prints pairs, and what they add up to: as records, or as a table of endpoints. Formats that hold one kind of record hold the
/// pairs.
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
    if options.format == Format::Table {
        let mut text = Vec::new();
        table::join(&mut text, join, endpoints, options);
        writer.write_all(&text)?;
        return Ok(writer.flush()?);
    }
    let mut sequence = Sequence::new::<PairObject<'_>>(writer, options.format)?;
    for pair in pairs {
        sequence.push(&PairObject::new(&pair))?;
    }
    sequence.push_other(&JoinObject::new(join))?;
    sequence.finish()
}
