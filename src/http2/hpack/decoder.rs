//! Header blocks to fields (RFC 7541 section 6):
//!
//! ```text
//! 1xxxxxxx   indexed field                       index
//! 01xxxxxx   literal, inserted into the table    index of the name or 0, [name], value
//! 001xxxxx   size update                         size
//! 0001xxxx   literal, never indexed              index of the name or 0, [name], value
//! 0000xxxx   literal                             index of the name or 0, [name], value
//! ```

use super::arena::Span;
use super::field::{All, Field, FieldSink, is_plain};
use super::integer;
use super::name::{NameId, NameSet};
use super::outcome::{ErrorKind, Outcome};
use super::table::{INITIAL_SIZE, Lookup, Stored, Table};
use crate::base::certainty::{Certainty, UnknownRef};
use crate::base::limits;

/// The decoder of one direction of one connection.
///
/// Blocks are given in the order in which they were sent. What a block does to the table is done even where it
/// cannot be read, as far as that is possible; where it is not, the decoder takes the past for lost by itself.
#[derive(Debug)]
pub struct Decoder {
    table: Table,
    /// The receiver's `SETTINGS_HEADER_TABLE_SIZE`, where it is known.
    bound: Option<u32>,
    /// It was set below the table's size: the next block begins with a size update.
    update_due: bool,
}

/// A block being read.
struct Reader<'b> {
    block: &'b [u8],
    rest: &'b [u8],
    /// The cuts that were not passed.
    cuts: &'b [u32],
    outcome: Outcome,
    /// Fields are handed out as long as these, with 32 bytes each, are within this size.
    list_limit: u64,
    /// The names whose fields are looked at; [`NameId::OTHER`] is one of them.
    wanted: NameSet,
}

/// A string literal (section 5.2) as it stands in the block.
#[derive(Clone, Copy)]
struct Literal<'b> {
    bytes: &'b [u8],
    huffman: bool,
}

/// A name or a value while its field is read.
#[derive(Clone, Copy)]
enum Text<'b> {
    /// A name with a number.
    Numbered(NameId),
    Block(&'b [u8]),
    Arena(Span),
    /// Unknown, and at least so long.
    Unknown(u32),
}

/// The block ends within a representation.
struct Truncated;

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// For a connection seen from its start: the table is empty, its size 4096 bytes.
    pub fn new() -> Self {
        Self { table: Table::new(), bound: Some(INITIAL_SIZE), update_due: false }
    }

    /// For a connection that the capture joined late, and that lost no header block since: the first block decoded
    /// is the first one after the join. Entries made before are unknown, but at a known distance.
    pub fn without_past() -> Self {
        Self { table: Table::without_past(), bound: None, update_due: false }
    }

    /// Header blocks may have been lost between the last block and the next one: nothing that was inserted so far
    /// can be addressed any more. Keeps no memory for it.
    pub fn lose_past(&mut self) {
        self.table.lose_past(self.bound);
        self.update_due = false;
    }

    /// The receiver's `SETTINGS_HEADER_TABLE_SIZE` has become `bytes`, and the encoder has acknowledged it. It bounds
    /// the encoder's size updates and changes no table by itself.
    pub fn set_bound(&mut self, bytes: u32) {
        if self.bound != Some(bytes) {
            self.bound = Some(bytes);
            self.update_due = self.table.exact_limit().is_some_and(|size| size > bytes);
        }
        self.table.limit_by(bytes);
    }

    /// Whether every entry that the encoder can use is known: an index beyond the table is then a violation.
    #[cfg(any(test, feature = "internals"))]
    pub fn is_certain(&self) -> bool {
        self.table.is_certain()
    }

    /// Bytes of memory held for the table.
    pub fn memory(&self) -> usize {
        self.table.memory()
    }

    /// Decodes a whole header block, handing all its fields to a closure in order: see [`Self::decode_to`].
    pub fn decode<F: FnMut(Field<'_>)>(&mut self, block: &[u8], cuts: &[u32], sink: &mut F) -> Outcome {
        self.decode_to(block, cuts, &mut All(sink))
    }

    /// Decodes a whole header block, handing the fields that `sink` wants to it, in order.
    ///
    /// `cuts` are ascending offsets in the block at which a TCP segment ended: see
    /// [`Outcome::literal_crosses_cut`]. After a block that ends within a representation the past is lost.
    pub fn decode_to<S: FieldSink>(&mut self, block: &[u8], cuts: &[u32], sink: &mut S) -> Outcome {
        let (outcome, truncated) = self.read(block, cuts, sink);
        let mut outcome = outcome;
        if let Some(offset) = truncated {
            outcome.violation(ErrorKind::Truncated, offset);
            self.lose_past();
        }
        outcome
    }

    /// Decodes the fields that stand whole in the beginning of a header block whose rest is missing; the past is lost
    /// then.
    #[cfg(any(test, feature = "internals"))]
    pub fn decode_prefix<F: FnMut(Field<'_>)>(
        &mut self,
        block: &[u8],
        cuts: &[u32],
        sink: &mut F,
    ) -> Outcome {
        let (mut outcome, _) = self.read(block, cuts, &mut All(sink));
        outcome.complete = false;
        self.lose_past();
        outcome
    }

    /// The outcome, and the offset of a representation that the block ends in.
    fn read<S: FieldSink>(&mut self, block: &[u8], cuts: &[u32], sink: &mut S) -> (Outcome, Option<usize>) {
        let outcome = Outcome { complete: true, ..Outcome::default() };
        let list_limit = limits::HPACK_LIST_SURE
            + u64::from(self.table.size())
            + limits::HPACK_EXPANSION * block.len() as u64;
        let list_limit = list_limit.min(limits::HPACK_LIST);
        let wanted = sink.wanted().with_one(NameId::OTHER);
        let mut reader = Reader { block, rest: block, cuts, outcome, list_limit, wanted };
        let mut truncated = None;
        while let Some(&first) = reader.rest.first() {
            let start = reader.offset();
            let done = if first & 0x80 != 0 {
                self.indexed(&mut reader, sink)
            } else if first & 0xe0 == 0x20 {
                self.size_update(&mut reader)
            } else {
                self.literal(&mut reader, first, sink)
            };
            if done.is_err() {
                reader.outcome.complete = false;
                truncated = Some(start);
                break;
            }
        }
        self.table.arena.shrink();
        (reader.outcome, truncated)
    }

    #[inline]
    fn indexed<S: FieldSink>(&mut self, reader: &mut Reader<'_>, sink: &mut S) -> Result<(), Truncated> {
        let start = reader.offset();
        let index = reader.integer(7)?;
        self.check_update(reader, start);
        let unknown = |reference| Field {
            name: None,
            value: None,
            plain: false,
            id: NameId::OTHER,
            source: Certainty::Unknown,
            reference,
            never_indexed: false,
        };
        let (field, len) = match reader.lookup(&self.table, index, start) {
            Some(Lookup::Static(entry)) if reader.passes(NameId::new(entry.number), true) => {
                reader.pass((entry.name.len() + entry.value.len()) as u64, sink);
                return Ok(());
            }
            Some(Lookup::Dynamic(entry)) if reader.passes(entry.id(), entry.is_plain()) => {
                reader.pass(entry.text_len().into(), sink);
                return Ok(());
            }
            Some(Lookup::Static(entry)) => (
                Field {
                    name: Some(entry.name),
                    value: Some(entry.value),
                    plain: true,
                    id: NameId::new(entry.number),
                    source: Certainty::Exact,
                    reference: None,
                    never_indexed: false,
                },
                (entry.name.len() + entry.value.len()) as u32,
            ),
            Some(Lookup::Dynamic(entry)) => {
                let (name, value) = (self.table.name(entry), self.table.value(entry));
                let known = name.is_some() && value.is_some();
                let field = Field {
                    name,
                    value,
                    plain: entry.is_plain(),
                    id: entry.id(),
                    source: if known { Certainty::Exact } else { Certainty::Unknown },
                    reference: self.table.name_reference(entry),
                    never_indexed: false,
                };
                (field, entry.text_len())
            }
            Some(Lookup::Unknown(reference)) => (unknown(reference), 0),
            Some(Lookup::GivenUp) => {
                reader.outcome.given_up += 1;
                (unknown(None), 0)
            }
            Some(Lookup::Beyond) | None => (unknown(None), 0),
        };
        reader.deliver(field, len.into(), sink);
        Ok(())
    }

    fn literal<S: FieldSink>(
        &mut self,
        reader: &mut Reader<'_>,
        first: u8,
        sink: &mut S,
    ) -> Result<(), Truncated> {
        let start = reader.offset();
        let inserted = first & 0x40 != 0;
        let index = reader.integer(if inserted { 6 } else { 4 })?;
        let literal_name = if index == Some(0) { Some(reader.string()?) } else { None };
        let literal_value = reader.string()?;
        self.check_update(reader, start);

        let (name, reference) = match literal_name {
            Some(literal) => (self.literal_name(reader, literal, inserted, start), None),
            None => self.indexed_name(reader, index, inserted, start),
        };
        let value = self.text(reader, literal_value, limits::HPACK_STRING, inserted, start);
        let known = !matches!(name, Text::Unknown(_)) && !matches!(value, Text::Unknown(_));
        let resolved = self.resolve(value);
        let plain = resolved.is_some_and(is_plain);
        let id = if let Text::Numbered(id) = name { id } else { NameId::OTHER };
        let len = text_len(name) + text_len(value);
        if reader.passes(id, plain) {
            reader.pass(len, sink);
        } else {
            let field = Field {
                name: self.resolve(name),
                value: resolved,
                plain,
                id,
                source: if known { Certainty::Exact } else { Certainty::Unknown },
                reference,
                never_indexed: first & 0xf0 == 0x10,
            };
            reader.deliver(field, len, sink);
        }
        if inserted {
            self.table.insert(name.stored(), value.stored(), plain, reference);
        } else {
            self.table.arena.unstage();
        }
        Ok(())
    }

    fn size_update(&mut self, reader: &mut Reader<'_>) -> Result<(), Truncated> {
        let start = reader.offset();
        let size = reader.integer(5)?;
        self.update_due = false;
        if reader.outcome.fields > 0 {
            reader.outcome.violation(ErrorKind::SizeUpdateMisplaced, start);
        }
        let Some(size) = size else {
            reader.outcome.violation(ErrorKind::IntegerOverflow, start);
            return Ok(());
        };
        if self.bound.is_some_and(|bound| size > bound) {
            reader.outcome.violation(ErrorKind::SizeUpdateAboveBound, start);
        }
        self.table.resize(size);
        Ok(())
    }

    /// A field stands where a size update was due.
    #[inline]
    fn check_update(&mut self, reader: &mut Reader<'_>, start: usize) {
        if self.update_due {
            self.update_due = false;
            reader.outcome.violation(ErrorKind::SizeUpdateMissing, start);
        }
    }

    /// A name given by index, staged if it is to be inserted, and the unknown entry that it would come from.
    fn indexed_name<'b>(
        &mut self,
        reader: &mut Reader<'b>,
        index: Option<u32>,
        inserted: bool,
        start: usize,
    ) -> (Text<'b>, Option<UnknownRef>) {
        let entry = match reader.lookup(&self.table, index, start) {
            Some(Lookup::Static(entry)) => return (Text::Numbered(NameId::new(entry.number)), None),
            Some(Lookup::Dynamic(entry)) => *entry,
            Some(Lookup::Unknown(reference)) => return (Text::Unknown(0), reference),
            Some(Lookup::GivenUp) => {
                reader.outcome.given_up += 1;
                return (Text::Unknown(0), None);
            }
            Some(Lookup::Beyond) | None => return (Text::Unknown(0), None),
        };
        let name = match entry.name_span() {
            Some(span) if inserted => Text::Arena(self.table.arena.stage_copy(span)),
            Some(span) => Text::Arena(span),
            None if entry.id() != NameId::OTHER => Text::Numbered(entry.id()),
            None => Text::Unknown(0),
        };
        (name, self.table.name_reference(&entry))
    }

    /// A name given as a literal, staged if it is to be inserted and has no number.
    fn literal_name<'b>(
        &mut self,
        reader: &mut Reader<'b>,
        literal: Literal<'b>,
        inserted: bool,
        start: usize,
    ) -> Text<'b> {
        let name = self.text(reader, literal, limits::HPACK_NAME, inserted, start);
        match NameId::of(self.resolve(name).unwrap_or_default()) {
            NameId::OTHER => name,
            id => {
                self.table.arena.unstage();
                Text::Numbered(id)
            }
        }
    }

    /// A string, staged if it is to be inserted or has to be decoded.
    #[inline]
    fn text<'b>(
        &mut self,
        reader: &mut Reader<'b>,
        literal: Literal<'b>,
        cap: usize,
        inserted: bool,
        start: usize,
    ) -> Text<'b> {
        let len = literal.bytes.len();
        if len > cap {
            reader.outcome.limited = true;
            // The longest code has 30 bits.
            return Text::Unknown(
                u32::try_from(if literal.huffman { len * 8 / 30 } else { len }).unwrap_or(u32::MAX),
            );
        }
        if literal.huffman {
            match self.table.arena.stage_huffman(literal.bytes) {
                Ok(span) => Text::Arena(span),
                Err(kind) => {
                    reader.outcome.violation(kind, start);
                    Text::Unknown(0)
                }
            }
        } else if inserted {
            Text::Arena(self.table.arena.stage(literal.bytes))
        } else {
            Text::Block(literal.bytes)
        }
    }

    #[inline]
    fn resolve<'a>(&'a self, text: Text<'a>) -> Option<&'a [u8]> {
        match text {
            Text::Numbered(id) => id.name(),
            Text::Block(bytes) => Some(bytes),
            Text::Arena(span) => Some(self.table.arena.text(span)),
            Text::Unknown(_) => None,
        }
    }
}

impl Text<'_> {
    #[inline]
    fn stored(self) -> Stored {
        match self {
            Self::Numbered(id) => Stored::Numbered(id),
            Self::Arena(span) => Stored::Staged(span),
            Self::Unknown(len) => Stored::Unknown(len),
            // What is inserted is staged.
            Self::Block(bytes) => Stored::Unknown(bytes.len() as u32),
        }
    }
}

/// Length, as far as it is known.
#[inline]
fn text_len(text: Text<'_>) -> u64 {
    match text {
        Text::Numbered(id) => id.name().unwrap_or_default().len() as u64,
        Text::Block(bytes) => bytes.len() as u64,
        Text::Arena(span) => span.len.into(),
        Text::Unknown(len) => len.into(),
    }
}

impl<'b> Reader<'b> {
    /// The sink does not look at a field of this name, whose value is plain or not.
    #[inline]
    fn passes(&self, id: NameId, plain: bool) -> bool {
        plain && !self.wanted.has(id)
    }

    #[inline]
    fn offset(&self) -> usize {
        self.block.len() - self.rest.len()
    }

    /// An integer; `None` inside when it is too large.
    #[inline]
    fn integer(&mut self, prefix: u32) -> Result<Option<u32>, Truncated> {
        let (value, rest) = integer::read(self.rest, prefix).ok_or(Truncated)?;
        self.rest = rest;
        Ok(value)
    }

    #[inline]
    fn string(&mut self) -> Result<Literal<'b>, Truncated> {
        let start = self.offset();
        let huffman = self.rest.first().is_some_and(|first| first & 0x80 != 0);
        let len = self.integer(7)?.ok_or(Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(len as usize).ok_or(Truncated)?;
        self.rest = rest;
        while let Some((&cut, behind)) = self.cuts.split_first()
            && (cut as usize) < self.offset()
        {
            self.outcome.literal_crosses_cut |= cut as usize > start;
            self.cuts = behind;
        }
        Ok(Literal { bytes, huffman })
    }

    /// What an index stands for; `None` if it is none, which is noted.
    #[inline]
    fn lookup<'t>(&mut self, table: &'t Table, index: Option<u32>, start: usize) -> Option<Lookup<'t>> {
        let kind = match index {
            None => ErrorKind::IntegerOverflow,
            Some(0) => ErrorKind::IndexZero,
            Some(index) => match table.lookup(index) {
                Lookup::Beyond => ErrorKind::IndexBeyondTable,
                found => return Some(found),
            },
        };
        self.outcome.violation(kind, start);
        None
    }

    #[inline]
    fn deliver<S: FieldSink>(&mut self, field: Field<'_>, len: u64, sink: &mut S) {
        self.outcome.unknown_fields += u32::from(field.source == Certainty::Unknown);
        if self.count(len) {
            sink.field(field, len);
        }
        self.ask(sink);
    }

    /// A known field that the sink does not look at.
    #[inline]
    fn pass<S: FieldSink>(&mut self, len: u64, sink: &mut S) {
        if self.count(len) {
            sink.pass();
        }
        self.ask(sink);
    }

    /// What the sink looks at may depend on what the first field is.
    #[inline]
    fn ask<S: FieldSink>(&mut self, sink: &S) {
        if self.outcome.fields == 1 {
            self.wanted = sink.wanted().with_one(NameId::OTHER);
        }
    }

    /// Counts a field with a text of so many octets; whether there is room for it.
    #[inline]
    const fn count(&mut self, len: u64) -> bool {
        self.outcome.fields += 1;
        self.outcome.decoded_bytes += len;
        let room = self.outcome.decoded_bytes + 32 * self.outcome.fields as u64 <= self.list_limit;
        self.outcome.limited |= !room;
        room
    }
}

#[cfg(test)]
mod tests;
