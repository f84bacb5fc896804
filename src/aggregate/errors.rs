//! Failures by type.

use super::octets::{self, Reader};
use crate::base::limits;
use std::collections::BTreeMap;

/// What failures are counted under when there are more types than are kept: OpenTelemetry's name for that.
const OTHER: &str = "_OTHER";

/// Failures by `error.type`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors(BTreeMap<Box<str>, u64>);

impl Errors {
    /// Counts failures of a type.
    pub(super) fn add(&mut self, kind: &str, count: u64) {
        if let Some(sum) = self.0.get_mut(kind) {
            *sum += count;
        } else {
            let kind = if self.0.len() < limits::ENDPOINT_ERRORS { kind } else { OTHER };
            *self.0.entry(kind.into()).or_default() += count;
        }
    }

    /// Adds another one's.
    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, count) in other.iter() {
            self.add(kind, count);
        }
    }

    /// Types and counts, by type.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(kind, &count)| (&**kind, count))
    }

    /// Appends them as another process reads them.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        octets::integer(out, self.0.len() as u64);
        for (kind, count) in self.iter() {
            octets::bytes(out, kind.as_bytes());
            octets::integer(out, count);
        }
    }

    /// Reads [`Self::write`].
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut errors = Self::default();
        for _ in 0..reader.count()? {
            let kind = std::str::from_utf8(reader.bytes()?).ok()?;
            errors.add(kind, reader.integer()?);
        }
        Some(errors)
    }

    /// Bytes on the heap, about.
    pub(super) fn heap(&self) -> usize {
        self.0.len() * 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cap_endpoint_errors() {
        let mut errors = Errors::default();
        for code in 0..limits::ENDPOINT_ERRORS as u64 + 10 {
            errors.add(&format!("{code:#x}"), 2);
        }
        errors.add("0x0", 1);
        let counts: BTreeMap<_, _> = errors.iter().collect();
        assert_eq!(counts.len(), limits::ENDPOINT_ERRORS + 1);
        assert_eq!((counts["0x0"], counts[OTHER]), (3, 20));
    }
}
