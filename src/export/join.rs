//! What two captures of the same calls tell together → bytes.

use super::sequence::Sequence;
use super::{Format, Options, PrintError, table};
use crate::record::pair::{Join, Pair, PairEndpoints};
use crate::record::schema::{JoinObject, PairObject};
use std::io::Write;

/// Prints pairs as they are found, and what they add up to: as records, or as a table of endpoints. Formats that hold one kind of
/// record hold the pairs.
pub struct JoinPrinter<W: Write> {
    to: To<W>,
    options: Options,
}

enum To<W: Write> {
    Table(W),
    Records(Sequence<W>),
}

impl<W: Write> JoinPrinter<W> {
    /// Nothing is printed yet.
    ///
    /// # Errors
    /// When the format cannot begin.
    pub fn new(writer: W, options: &Options) -> Result<Self, PrintError> {
        let to = match options.format {
            Format::Table => To::Table(writer),
            _ => To::Records(Sequence::new::<PairObject<'_>>(writer, options)?),
        };
        Ok(Self { to, options: *options })
    }

    /// The next pair.
    ///
    /// # Errors
    /// When the writer takes no more.
    pub fn pair(&mut self, pair: &Pair) -> Result<(), PrintError> {
        match &mut self.to {
            To::Table(_) => Ok(()),
            To::Records(sequence) => sequence.push(&PairObject::new(pair)),
        }
    }

    /// There are no more.
    ///
    /// # Errors
    /// When the writer takes no more.
    pub fn finish(self, join: &Join, endpoints: &PairEndpoints) -> Result<(), PrintError> {
        match self.to {
            To::Table(mut writer) => {
                let mut text = Vec::new();
                table::join(&mut text, join, endpoints, &self.options);
                writer.write_all(&text)?;
                Ok(writer.flush()?)
            }
            To::Records(mut sequence) => {
                sequence.push_other(&JoinObject::new(join))?;
                sequence.finish()
            }
        }
    }
}
