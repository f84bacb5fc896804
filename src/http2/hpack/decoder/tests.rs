//! Tests of the decoder as a whole.

mod appendix_c;
mod damage;
mod encoder;
mod hostile;
mod oracle;
mod semantics;

use super::*;

/// A field as it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    name: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    id: NameId,
    source: Certainty,
    reference: Option<UnknownRef>,
    never_indexed: bool,
}

impl From<Field<'_>> for Owned {
    fn from(field: Field<'_>) -> Self {
        Self {
            name: field.name.map(<[u8]>::to_vec),
            value: field.value.map(<[u8]>::to_vec),
            id: field.id,
            source: field.source,
            reference: field.reference,
            never_indexed: field.never_indexed,
        }
    }
}

impl Owned {
    /// `name: value`, with `?` for what is unknown.
    fn line(&self) -> String {
        let text = |part: &Option<Vec<u8>>| {
            part.as_ref().map_or("?".to_owned(), |part| String::from_utf8_lossy(part).into_owned())
        };
        format!("{}: {}", text(&self.name), text(&self.value))
    }
}

/// Decodes a block to its fields.
fn decode(decoder: &mut Decoder, block: &[u8]) -> (Vec<Owned>, Outcome) {
    let mut fields = Vec::new();
    let outcome = decoder.decode(block, &[], &mut |field| fields.push(field.into()));
    (fields, outcome)
}

/// Decodes a block to lines.
fn lines(decoder: &mut Decoder, block: &[u8]) -> Vec<String> {
    decode(decoder, block).0.iter().map(Owned::line).collect()
}

/// A small generator, so that a failing case is named by one number.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True in `percent` of the cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
