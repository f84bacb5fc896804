//! The first pass over a packet's frames: what is captured of each header block (docs/agent.md, "Header blocks").

use super::block_reader::Reader;
use super::captured::{MAX_VALUE, STATUS_MAX};
use super::connection::Connection;
use super::dynamic_table::{Counter, DynamicTable};
use super::frame::{self, Listed};
use super::incident::LongPaths;
use super::key::{EntryKey, StreamKey};
use super::params::Rules;
use super::state::{Agent, Unit};
use super::stream::KernelStream;
use super::trace::BlockMarks;
use super::tuple::Side;
use crate::base::telemetry_counters::Counters;

/// Fields of a block that are looked at (`HTTP2_MAX_PSEUDO_HEADERS_COUNT_FOR_FILTERING`).
const PASS_A: usize = 4;
/// Fields after those that are walked (`HTTP2_MAX_HEADERS_COUNT_FOR_FILTERING`).
const PASS_B: usize = 33;
/// Fields that are captured (`HTTP2_MAX_HEADERS_COUNT_FOR_PROCESSING`).
const MAX_CAPTURED: usize = 2;
/// The last index of the static table.
const STATIC_MAX: u32 = 61;
/// Bytes of a priority.
const PRIORITY_LEN: u32 = 5;
/// Top bit of an indexed field (RFC 7541 section 6.1).
const INDEXED: u8 = 0x80;
/// Static name indices that stand for names that are spelled out.
const METHOD: u32 = 2;
const PATH: u32 = 4;
const STATUS: u32 = 8;
/// The names that count: their index, spelled out in plain, and in Huffman code.
const NAMES: [(u32, &[u8], &[u8]); 3] = [
    (METHOD, b":method", &[0xb9, 0x49, 0x53, 0x39, 0xe4]),
    (PATH, b":path", &[0xb9, 0x58, 0xd3, 0x3f]),
    (STATUS, b":status", &[0xb8, 0x84, 0x8d, 0x36, 0xa3]),
];

/// What a field that interests the agent stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Method,
    Path,
    Status,
}

impl Meaning {
    /// Of a static index: those that interest the agent.
    const fn of(index: u32) -> Option<Self> {
        match index {
            2 | 3 => Some(Self::Method),
            4 | 5 => Some(Self::Path),
            8..=14 => Some(Self::Status),
            _ => None,
        }
    }
}

/// A captured field.
#[derive(Clone, Copy, Debug, Default)]
enum Field {
    /// None.
    #[default]
    None,
    /// An indexed field of the static table.
    Static(u8),
    /// A stored entry, by its place.
    Stored(u32),
    /// A literal: its name index, its value, and its number when it is to be stored.
    Literal { name: u8, at: u32, len: u32, huffman: bool, number: Option<u64> },
}

/// The fields captured of a block, in order of appearance.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    inner: [Field; MAX_CAPTURED],
    count: usize,
    method: bool,
    path: bool,
    status: bool,
}

impl Fields {
    const fn is_full(&self) -> bool {
        self.count >= MAX_CAPTURED
    }

    fn push(&mut self, field: Field, meaning: Meaning) {
        let Some(place) = self.inner.get_mut(self.count) else { return };
        *place = field;
        self.count += 1;
        match meaning {
            Meaning::Method => self.method = true,
            Meaning::Path => self.path = true,
            Meaning::Status => self.status = true,
        }
    }

    /// What makes a request, or a response.
    const fn is_enough(&self) -> bool {
        self.status || self.method && self.path
    }
}

/// One block of one sender.
struct Block<'a, 'b> {
    reader: Reader<'b>,
    rules: Rules,
    counters: &'a mut Counters,
    table: &'a DynamicTable,
    counter: &'a mut Counter,
    serial: u32,
    side: Side,
    /// Nothing of the sender is in the table: no need to look.
    nothing_stored: bool,
    fields: Fields,
    /// Why the block may not give what is in it.
    marks: BlockMarks,
    /// Number of an entry that is too long to be stored.
    unstored: Option<u64>,
    /// An entry that is not stored may have been too long: that is forgotten.
    forgotten: bool,
}

impl Agent {
    /// All HEADERS frames of the list, in order.
    pub(super) fn headers_pass(&mut self, unit: &Unit<'_>) {
        let Self { frames, streams, connections, dynamic, counters, .. } = self;
        let Some(connection) = connections.get_mut(unit.place) else { return };
        let counters = counters.get_mut(unit.tls);
        for listed in frames.iter_mut().filter(|listed| listed.header.kind == frame::HEADERS) {
            let key = StreamKey::new(unit.serial, listed.header.stream);
            // The first HEADERS makes the stream, started now, also when it is a response.
            let Some(place) = streams.fetch(key, unit.now) else { continue };
            listed.stream = place;
            let Some(stream) = streams.get_mut(place) else { continue };
            stream.trace.packet = unit.packet;
            *stream.trace.headers.get_mut(unit.side) = true;
            let capacity = self.params.max_requests;
            if connection.sides.get(unit.side).counter.is_none() {
                self.counters_most = self.counters_most.max(self.counters_len + 1);
                if self.counters_len >= capacity {
                    self.counters_refused += 1;
                    stream.trace.blocks.get_mut(unit.side).insert(BlockMarks::HPACK);
                    continue;
                }
                self.counters_len += 1;
                connection.sides.get_mut(unit.side).counter = Some(Counter::default());
            }
            let forgotten =
                headers_frame(unit, listed, self.params.rules, counters, dynamic, connection, stream);
            self.reasons_forgotten += u64::from(forgotten);
        }
    }

    /// In-kernel pruning of the sender's entries, between the two passes.
    pub(super) fn prune(&mut self, unit: &Unit<'_>) {
        let Some(connection) = self.connections.get_mut(unit.place) else { return };
        let directed = connection.sides.get_mut(unit.side);
        let Some(counter) = directed.counter.as_mut() else { return };
        self.dynamic.prune(unit.serial, unit.side, counter, &mut directed.dynamic);
    }
}

/// Whether it is forgotten why a field of it is not known.
fn headers_frame(
    unit: &Unit<'_>,
    listed: &Listed,
    rules: Rules,
    counters: &mut Counters,
    table: &mut DynamicTable,
    connection: &mut Connection,
    stream: &mut KernelStream,
) -> bool {
    let Unit { buf, side, serial, .. } = *unit;
    let directed = connection.sides.get_mut(side);
    let Some(counter) = directed.counter.as_mut() else { return false };
    // PADDED is never honoured, END_HEADERS never looked at.
    let frame_end = listed.offset + listed.header.length;
    let mut reader = Reader { buf, at: listed.offset, end: frame_end.min(buf.end + 1) };
    let priority = listed.header.flags & frame::PRIORITY != 0;
    if priority && rules.skips_priority() {
        reader.at += PRIORITY_LEN;
    }
    let mut marks = BlockMarks::default();
    marks.insert_if(reader.skip_size_update(), BlockMarks::SIZE_UPDATE);
    marks.insert_if(frame_end > buf.end, BlockMarks::CUT);
    let mut block = Block {
        reader,
        rules,
        counters,
        table,
        counter,
        serial,
        side,
        nothing_stored: directed.dynamic.is_empty(),
        fields: Fields::default(),
        marks,
        unstored: None,
        forgotten: false,
    };
    block.pass_a(&directed.long_paths);
    block.pass_b();
    let Block { fields, marks, unstored, forgotten, .. } = block;
    if let Some(number) = unstored {
        directed.long_paths.push(number);
    }

    for field in &fields.inner {
        match *field {
            Field::None => break,
            Field::Static(index) => apply_static(stream, index, counters),
            Field::Stored(place) => {
                if let Some(entry) = table.get(place) {
                    apply_literal(stream, entry.name, entry.value.bytes(), entry.value.huffman);
                }
            }
            Field::Literal { name, at, len, huffman, number } => {
                let Some(value) = buf.slice(at, len) else { continue };
                if let Some(number) = number {
                    table.insert(
                        EntryKey::new(serial, side, number),
                        name,
                        value,
                        huffman,
                        &mut directed.dynamic,
                    );
                }
                apply_literal(stream, name, value, huffman);
            }
        }
    }
    let flags = listed.header.flags;
    let known = stream.trace.blocks.get_mut(side);
    // What the limits kept out matters only while something is missing.
    known.insert(if fields.is_enough() { marks.and(BlockMarks::MISLEADING) } else { marks });
    known.insert_if(flags & frame::END_HEADERS == 0, BlockMarks::CONTINUES);
    known.insert_if(flags & frame::PADDED != 0, BlockMarks::PADDED);
    known.insert_if(priority && !rules.skips_priority(), BlockMarks::PRIORITY);
    forgotten
}

impl Block<'_, '_> {
    /// Pass A: the first four fields. It ends early at an integer with more than one continuation octet.
    fn pass_a(&mut self, long_paths: &LongPaths) {
        for _ in 0..PASS_A {
            let Some(first) = self.reader.first_octet() else { return };
            let read = if first & INDEXED != 0 {
                self.reader.integer(first, 0x7f).map(|index| self.indexed(index, long_paths))
            } else {
                self.reader.name(first).and_then(|(incremental, name)| self.literal(incremental, name))
            };
            if read.is_none() {
                self.marks.insert(BlockMarks::LIMIT);
                return;
            }
        }
    }

    fn indexed(&mut self, index: u32, long_paths: &LongPaths) {
        if index <= STATIC_MAX {
            if let Some(meaning) = Meaning::of(index) {
                self.marks.insert_if(self.fields.is_full(), BlockMarks::LIMIT);
                self.fields.push(Field::Static(index as u8), meaning);
            }
            return;
        }
        if self.fields.is_full() {
            return;
        }
        let number = self.number(index);
        if let Some((place, meaning)) = self.stored(number) {
            self.fields.push(Field::Stored(place), meaning);
            return;
        }
        let long = long_paths.find(number);
        self.marks.insert(if long == Some(true) { BlockMarks::LONG_PATH } else { BlockMarks::HPACK });
        self.forgotten |= long.is_none();
    }

    /// The entry with that number.
    fn stored(&self, number: u64) -> Option<(u32, Meaning)> {
        if self.nothing_stored {
            return None;
        }
        let place = self.table.find(EntryKey::new(self.serial, self.side, number))?;
        Some((place, Meaning::of(self.table.get(place)?.name.into())?))
    }

    /// The internal number of an index beyond the static table.
    fn number(&self, index: u32) -> u64 {
        self.counter.value.wrapping_sub(u64::from(index - STATIC_MAX))
    }

    /// A literal of pass A; `None` when one of its integers could not be read.
    fn literal(&mut self, incremental: bool, name: u32) -> Option<()> {
        let mut name = name;
        if name > STATIC_MAX && self.stored(self.number(name)).is_some() {
            self.marks.insert(BlockMarks::LITERAL_NAME);
        }
        // Counted whatever the name is.
        self.counter.value += u64::from(incremental);
        let Some((mut len, mut huffman)) = self.reader.string() else {
            self.marks.insert_if(matches!(Meaning::of(name), Some(Meaning::Path)), BlockMarks::LONG_PATH);
            return None;
        };
        if name == 0 {
            name = self.spelled_out(len, huffman).unwrap_or(0);
            self.reader.at += len;
            let value = self.reader.string();
            self.marks.insert_if(value.is_none() && name == PATH, BlockMarks::LONG_PATH);
            (len, huffman) = value?;
        }
        if let Some(meaning) = Meaning::of(name) {
            if meaning == Meaning::Path {
                self.counters.record_path(len.into());
            }
            self.capture(name as u8, meaning, len, huffman, incremental);
        }
        self.reader.at += len;
        Some(())
    }

    fn capture(&mut self, name: u8, meaning: Meaning, len: u32, huffman: bool, incremental: bool) {
        let number = incremental.then(|| self.counter.value - 1);
        if self.fields.is_full() {
            self.marks.insert(BlockMarks::LIMIT);
        } else if self.reader.at + len > self.reader.buf.end {
            // The end of the packet, not of the frame, whatever the counter's name says.
            self.counters.literal_value_exceeds_frame += 1;
            self.marks.insert(BlockMarks::CUT);
        } else if (1..=MAX_VALUE as u32).contains(&len) {
            let at = self.reader.at;
            self.fields.push(Field::Literal { name, at, len, huffman, number }, meaning);
        } else if meaning == Meaning::Path {
            self.marks.insert(BlockMarks::LONG_PATH);
            self.unstored = number.or(self.unstored);
        }
    }

    /// The static index that the name at hand is treated as, where it is spelled out and the rules read it. The rules
    /// of 2026 look at the name's length and first two octets alone.
    fn spelled_out(&mut self, len: u32, huffman: bool) -> Option<u32> {
        let octets = |len| self.reader.buf.slice(self.reader.at, len);
        let known = octets(len).and_then(|name| {
            let is_it =
                |(_, plain, coded): &(u32, &[u8], &[u8])| name == if huffman { *coded } else { *plain };
            NAMES.iter().find(|entry| is_it(entry)).map(|entry| entry.0)
        });
        let read = match self.rules {
            Rules::Y2025 => None,
            Rules::Y2026 => {
                let start = octets(2).filter(|_| len == if huffman { 4 } else { 5 });
                (start == Some(if huffman { &[0xb9, 0x58] } else { b":p" })).then_some(PATH)
            }
            Rules::Y2026b => known,
        };
        self.marks.insert_if(known.is_some() && read.is_none(), BlockMarks::LITERAL_NAME);
        read
    }

    /// Pass B: 33 more fields, walked to keep the counter right. Indexed ones are ignored.
    fn pass_b(&mut self) {
        let enough = self.fields.is_enough();
        for _ in 0..PASS_B {
            let Some(first) = self.reader.first_octet() else { return };
            if first & INDEXED != 0 {
                let Some(index) = self.reader.integer(first, 0x7f) else { return };
                if !enough {
                    self.note_beyond(index);
                }
                continue;
            }
            let Some((incremental, name)) = self.reader.name(first) else { return };
            self.counter.value += u64::from(incremental);
            if !enough {
                self.marks.insert_if(Meaning::of(name).is_some(), BlockMarks::LIMIT);
            }
            let Some((mut len, huffman)) = self.reader.string() else { return };
            if name == 0 {
                if !enough {
                    let read = self.spelled_out(len, huffman).is_some();
                    self.marks.insert_if(read, BlockMarks::LIMIT);
                }
                self.reader.at += len;
                let Some((value, _)) = self.reader.string() else { return };
                len = value;
            }
            self.reader.at += len;
        }
    }

    /// An indexed field of pass B, looked at for the reasons alone.
    fn note_beyond(&mut self, index: u32) {
        let counts = match index {
            ..=STATIC_MAX => Meaning::of(index).is_some(),
            _ => self.stored(self.number(index)).is_some(),
        };
        self.marks.insert_if(counts, BlockMarks::LIMIT);
    }
}

/// An indexed static field counts, and its entry wins over literals from then on.
fn apply_static(stream: &mut KernelStream, index: u8, counters: &mut Counters) {
    match Meaning::of(index.into()) {
        Some(Meaning::Method) => {
            counters.requests += 1;
            stream.method.set_static(index);
        }
        Some(Meaning::Status) => {
            counters.responses += 1;
            stream.status.set_static(index);
        }
        Some(Meaning::Path) => stream.path.set_static(index),
        None => {}
    }
}

/// A literal, new or stored: no counters. Of a status the first bytes are kept.
fn apply_literal(stream: &mut KernelStream, name: u8, value: &[u8], huffman: bool) {
    match Meaning::of(name.into()) {
        Some(Meaning::Method) => stream.method.set_literal(value, huffman),
        Some(Meaning::Path) => stream.path.set_literal(value, huffman),
        Some(Meaning::Status) => stream.status.set_literal(value.get(..STATUS_MAX).unwrap_or(value), huffman),
        None => {}
    }
}
