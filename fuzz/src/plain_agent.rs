//! The kernel agent's program as its rules say it (docs/agent.md), one after the other: what `h2lens::agent` is compared
//! with. It knows one connection, its maps have no bounds, it keeps no reasons, and it shares nothing with the model.

use h2lens::agent::Rules;
use h2lens::base::telemetry_counters::Counters;
use std::collections::BTreeMap;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER: usize = 9;
const TICK: u64 = 30_000_000_000;
const METHOD: usize = 2;
const PATH: usize = 4;
const STATUS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Http1,
    Http2,
}

/// One connection, as the program sees it.
pub struct Program {
    rules: Rules,
    /// Decrypted records are looked at, not segments.
    tls: bool,
    /// What it counts.
    pub counters: Counters,
    /// Events that it hands to user space.
    pub emitted: u64,
    protocol: Protocol,
    sides: [Side; 2],
    streams: BTreeMap<u32, Stream>,
    terminated: bool,
    next_tick: Option<u64>,
}

/// A sender.
#[derive(Default)]
struct Side {
    last_seq: u32,
    incomplete: Option<Incomplete>,
    /// Insertions into the dynamic table.
    counter: u64,
    pruned: u64,
    /// Name index, value, Huffman code.
    table: BTreeMap<u64, Value>,
}

type Value = (usize, Vec<u8>, bool);

/// What the end of a segment cut.
struct Incomplete {
    remainder: usize,
    header: Vec<u8>,
}

#[derive(Default)]
struct Stream {
    started: u64,
    end_seen: bool,
    method: bool,
    path: bool,
    status: bool,
}

/// A frame that is kept, and where its payload begins.
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    length: usize,
    at: usize,
}

impl Frame {
    /// The frame that has this header, if the program takes it for one.
    fn read(header: &[u8], at: usize) -> Option<Self> {
        let [a, b, c, kind, flags, d, e, f, g] = *header else { return None };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let stream = u32::from_be_bytes([d & 0x7f, e, f, g]);
        let valid = header.iter().any(|&byte| byte != 0)
            && kind <= 9
            && length <= 16_384
            && (stream == 0 || stream % 2 == 1);
        valid.then_some(Self { kind, flags, stream, length, at })
    }

    fn ends(&self) -> bool {
        self.flags & 1 != 0
    }

    fn is_kept(&self) -> bool {
        matches!(self.kind, 1 | 3) || self.kind == 0 && self.ends()
    }
}

/// Reads a header block; what is behind the segment is not there.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    /// The first octet of a field.
    fn field(&mut self) -> Option<u8> {
        if self.at < self.end { self.byte() } else { None }
    }

    /// An integer with one octet more at the most.
    fn integer(&mut self, first: u8, ones: u8) -> Option<usize> {
        let value = usize::from(first & ones);
        if first & ones < ones {
            return Some(value);
        }
        let more = *self.bytes.get(self.at)?;
        if more & 0x80 != 0 {
            return None;
        }
        self.at += 1;
        Some(value + usize::from(more))
    }

    /// Whether a literal is inserted, and the index of its name.
    fn name(&mut self, first: u8) -> Option<(bool, usize)> {
        let inserted = first & 0xc0 == 0x40;
        Some((inserted, self.integer(first, if inserted { 0x3f } else { 0x0f })?))
    }

    /// The length of a string, and whether it is in Huffman code.
    fn string(&mut self) -> Option<(usize, bool)> {
        let first = self.byte()?;
        Some((self.integer(first, 0x7f)?, first & 0x80 != 0))
    }
}

/// A field that is captured.
enum Captured {
    Static(usize),
    Stored(u64),
    Literal { value: Value, number: Option<u64> },
}

fn counts(index: usize) -> bool {
    matches!(index, 2..=5 | 8..=14)
}

impl Program {
    /// A program that has seen nothing.
    pub fn new(rules: Rules, tls: bool) -> Self {
        Self {
            rules,
            tls,
            counters: Counters::default(),
            emitted: 0,
            protocol: Protocol::Unknown,
            sides: Default::default(),
            streams: BTreeMap::new(),
            terminated: false,
            next_tick: None,
        }
    }

    /// A segment, or a decrypted record. `ends`: it has FIN or RST.
    pub fn segment(&mut self, now: u64, side: usize, seq: u32, ends: bool, payload: &[u8]) {
        match self.next_tick {
            None => self.next_tick = Some(now + TICK),
            Some(next) if now >= next => {
                let tick = now - (now - next) % TICK;
                self.next_tick = Some(tick + TICK);
                self.streams.retain(|_, stream| tick - stream.started <= TICK);
                if std::mem::take(&mut self.terminated) {
                    self.sides.iter_mut().for_each(|side| side.table.clear());
                }
            }
            Some(_) => {}
        }
        if ends {
            self.terminated |= self.protocol == Protocol::Http2;
            self.protocol = Protocol::Unknown;
            for side in &mut self.sides {
                *side = Side { table: std::mem::take(&mut side.table), ..Side::default() };
            }
            return;
        }
        if payload.is_empty() {
            return;
        }
        if self.protocol == Protocol::Unknown {
            self.protocol = self.classify(payload);
        }
        if self.protocol != Protocol::Http2 {
            return;
        }
        let last = std::mem::replace(&mut self.sides[side].last_seq, seq);
        if !self.tls && seq != 0 && last == seq {
            return;
        }
        let frames = self.walk(side, payload);
        if frames.is_empty() {
            return;
        }
        for frame in frames.iter().filter(|frame| frame.kind == 1) {
            self.headers(now, side, frame, payload);
        }
        self.prune(side);
        for frame in frames.iter().filter(|frame| frame.kind == 3 || frame.ends()) {
            self.end(frame);
        }
    }

    fn classify(&self, payload: &[u8]) -> Protocol {
        if !self.tls
            && let [20..=23, 3, 0..=4, high, low, _, ..] = *payload
            && (1..=16_384 + 2048).contains(&u16::from_be_bytes([high, low]))
        {
            return Protocol::Unknown;
        }
        let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"];
        let begins = |text: String| payload.starts_with(text.as_bytes());
        let http1 = begins("HTTP/".into())
            || begins("OPTIONS *".into())
            || methods.iter().any(|method| begins(format!("{method} /")));
        let settings = payload.get(..HEADER).is_some_and(|header| {
            let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
            header[3] == 4
                && length.is_multiple_of(6)
                && [header[5] & 0x7f, header[6], header[7], header[8]] == [0; 4]
        });
        match () {
            () if http1 && payload.len() >= 16 => Protocol::Http1,
            () if payload.starts_with(PREFACE) || settings => Protocol::Http2,
            () => Protocol::Unknown,
        }
    }

    /// The frames of a segment that are kept; "Walking a segment".
    fn walk(&mut self, side: usize, bytes: &[u8]) -> Vec<Frame> {
        let mut at = if bytes.starts_with(PREFACE) { PREFACE.len() } else { 0 };
        if at > 0 && at == bytes.len() {
            return Vec::new();
        }
        let Some((first, header)) = self.first(side, bytes, &mut at) else {
            self.keep_header(side, bytes, at);
            return Vec::new();
        };
        self.count_cut(&first, bytes);
        at += first.length;
        if at > bytes.len() {
            let header = if first.is_kept() { header } else { Vec::new() };
            self.sides[side].incomplete = Some(Incomplete { remainder: at - bytes.len(), header });
            return Vec::new();
        }
        let mut kept: Vec<Frame> = Some(first).filter(Frame::is_kept).into_iter().collect();
        let mut turns = 0;
        while turns < 240 && kept.len() < 240 && at + HEADER <= bytes.len() {
            let frame = Frame::read(&bytes[at..at + HEADER], at + HEADER);
            at += HEADER;
            let Some(frame) = frame else { break };
            turns += 1;
            self.count_cut(&frame, bytes);
            self.counters.continuation_frames += u64::from(frame.kind == 9);
            at += frame.length;
            if frame.is_kept() {
                kept.push(frame);
            }
        }
        if kept.len() == 240 {
            self.counters.exceeding_max_interesting_frames += 1;
        } else if turns == 240 && at + HEADER <= bytes.len() {
            self.counters.exceeding_max_frames_to_filter += 1;
        }
        if at > bytes.len() {
            self.sides[side].incomplete =
                Some(Incomplete { remainder: at - bytes.len(), header: Vec::new() });
        } else {
            self.keep_header(side, bytes, at);
        }
        kept
    }

    /// The first frame of a segment, which may have begun in an earlier one, with its header.
    fn first(&mut self, side: usize, bytes: &[u8], at: &mut usize) -> Option<(Frame, Vec<u8>)> {
        let read = |header: Vec<u8>, at: usize| Some((Frame::read(&header, at)?, header));
        let Some(Incomplete { remainder, header }) = self.sides[side].incomplete.take() else {
            let header = bytes.get(*at..*at + HEADER)?.to_vec();
            *at += HEADER;
            return read(header, *at);
        };
        match header.len() {
            HEADER => read(header, *at),
            0 if *at + remainder > bytes.len() => {
                let remainder = remainder - (bytes.len() - *at);
                *at = bytes.len();
                self.sides[side].incomplete = Some(Incomplete { remainder, header });
                None
            }
            0 => {
                *at += remainder;
                let found = read(bytes.get(*at..*at + HEADER)?.to_vec(), *at + HEADER)?;
                *at += HEADER;
                Some(found)
            }
            _ => {
                let rest = bytes.get(*at..*at + remainder).map_or_else(|| vec![0; remainder], <[u8]>::to_vec);
                let found = read([header, rest].concat(), *at + remainder)?;
                *at += remainder;
                Some(found)
            }
        }
    }

    fn keep_header(&mut self, side: usize, bytes: &[u8], at: usize) {
        let header = bytes.get(at..).unwrap_or_default().to_vec();
        if (1..HEADER).contains(&header.len()) {
            self.sides[side].incomplete = Some(Incomplete { remainder: HEADER - header.len(), header });
        }
    }

    fn count_cut(&mut self, frame: &Frame, bytes: &[u8]) {
        let counters = &mut self.counters;
        if frame.at + frame.length > bytes.len() {
            match (frame.kind, frame.ends()) {
                (1, true) => counters.exceeding_data_end_headers_eos += 1,
                (1, false) => counters.exceeding_data_end_headers += 1,
                (0, true) => counters.exceeding_data_end_data_eos += 1,
                (3, _) => counters.exceeding_data_end_rst += 1,
                _ => {}
            }
        }
    }

    /// A header block; "Header blocks".
    fn headers(&mut self, now: u64, side: usize, frame: &Frame, bytes: &[u8]) {
        self.streams.entry(frame.stream).or_insert_with(|| Stream { started: now, ..Stream::default() });
        let end = (frame.at + frame.length).min(bytes.len() + 1);
        let mut reader = Reader { bytes, at: frame.at, end };
        if frame.flags & 0x20 != 0 && self.rules != Rules::Y2025 {
            reader.at += 5;
        }
        if bytes.get(reader.at).is_some_and(|first| first & 0xe0 == 0x20) {
            reader.at += 1;
            for _ in 0..5 {
                if reader.byte().is_none_or(|octet| octet & 0x80 == 0) {
                    break;
                }
            }
        }
        let mut captured = Vec::new();
        for _ in 0..4 {
            if self.capture(side, &mut reader, &mut captured).is_none() {
                break;
            }
        }
        for _ in 0..33 {
            if self.count_insertions(side, &mut reader).is_none() {
                break;
            }
        }
        for field in captured {
            self.apply(side, frame.stream, field);
        }
    }

    /// One of the first four fields.
    fn capture(&mut self, side: usize, reader: &mut Reader<'_>, captured: &mut Vec<Captured>) -> Option<()> {
        let first = reader.field()?;
        let has_room = captured.len() < 2;
        if first & 0x80 != 0 {
            let index = reader.integer(first, 0x7f)?;
            let Side { counter, table, .. } = &self.sides[side];
            let number = counter.wrapping_sub(index.saturating_sub(61) as u64);
            if index <= 61 && counts(index) && has_room {
                captured.push(Captured::Static(index));
            } else if index > 61 && table.contains_key(&number) && has_room {
                captured.push(Captured::Stored(number));
            }
            return Some(());
        }
        let (inserted, mut name) = reader.name(first)?;
        self.sides[side].counter += u64::from(inserted);
        let (mut len, mut huffman) = reader.string()?;
        if name == 0 {
            name = self.spelled_out(reader, len, huffman);
            reader.at += len;
            (len, huffman) = reader.string()?;
        }
        if matches!(name, 4 | 5) {
            self.counters.record_path(len as u64);
        }
        if counts(name) && has_room {
            if reader.at + len > reader.bytes.len() {
                self.counters.literal_value_exceeds_frame += 1;
            } else if (1..=160).contains(&len) {
                let value = (name, reader.bytes[reader.at..reader.at + len].to_vec(), huffman);
                let number = inserted.then(|| self.sides[side].counter - 1);
                captured.push(Captured::Literal { value, number });
            }
        }
        reader.at += len;
        Some(())
    }

    /// The index that a name which is spelled out counts as, 0 for none.
    fn spelled_out(&self, reader: &Reader<'_>, len: usize, huffman: bool) -> usize {
        let octets = |len: usize| reader.bytes.get(reader.at..reader.at + len).unwrap_or_default();
        match (self.rules, octets(len), huffman) {
            (Rules::Y2025, ..) => 0,
            (Rules::Y2026, _, false) if len == 5 && octets(2) == b":p" => PATH,
            (Rules::Y2026, _, true) if len == 4 && octets(2) == [0xb9, 0x58] => PATH,
            (Rules::Y2026, ..) => 0,
            (Rules::Y2026b, b":path", false) | (Rules::Y2026b, [0xb9, 0x58, 0xd3, 0x3f], true) => PATH,
            (Rules::Y2026b, b":method", false) | (Rules::Y2026b, [0xb9, 0x49, 0x53, 0x39, 0xe4], true) => {
                METHOD
            }
            (Rules::Y2026b, b":status", false) | (Rules::Y2026b, [0xb8, 0x84, 0x8d, 0x36, 0xa3], true) => {
                STATUS
            }
            (Rules::Y2026b, ..) => 0,
        }
    }

    /// One of the fields after those.
    fn count_insertions(&mut self, side: usize, reader: &mut Reader<'_>) -> Option<()> {
        let first = reader.field()?;
        if first & 0x80 != 0 {
            return reader.integer(first, 0x7f).map(drop);
        }
        let (inserted, name) = reader.name(first)?;
        self.sides[side].counter += u64::from(inserted);
        let (mut len, _) = reader.string()?;
        if name == 0 {
            reader.at += len;
            (len, _) = reader.string()?;
        }
        reader.at += len;
        Some(())
    }

    fn apply(&mut self, side: usize, stream: u32, field: Captured) {
        let name = match field {
            Captured::Static(index) => {
                self.counters.requests += u64::from(matches!(index, 2 | 3));
                self.counters.responses += u64::from(index >= STATUS);
                index
            }
            Captured::Stored(number) => self.sides[side].table.get(&number).map_or(0, |value| value.0),
            Captured::Literal { value, number } => {
                let name = value.0;
                if let Some(number) = number {
                    self.sides[side].table.insert(number, value);
                }
                name
            }
        };
        let Some(stream) = self.streams.get_mut(&stream) else { return };
        match name {
            2 | 3 => stream.method = true,
            4 | 5 => stream.path = true,
            8..=14 => stream.status = true,
            _ => {}
        }
    }

    /// "Dynamic table".
    fn prune(&mut self, side: usize) {
        let Side { counter, pruned, table, .. } = &mut self.sides[side];
        if *counter - *pruned > 200 {
            for _ in 0..300 {
                if *pruned + 200 >= *counter {
                    break;
                }
                table.remove(pruned);
                *pruned += 1;
            }
        }
    }

    /// "Ends of streams".
    fn end(&mut self, frame: &Frame) {
        let Some(stream) = self.streams.get_mut(&frame.stream) else { return };
        let (is_reset, is_request) = (frame.kind == 3, stream.path && stream.method);
        if is_reset && !(is_request && stream.status) {
            self.streams.remove(&frame.stream);
            return;
        }
        self.counters.rst += u64::from(is_reset);
        self.counters.eos += u64::from(!is_reset);
        if stream.end_seen {
            self.emitted += 1;
            self.streams.remove(&frame.stream);
        } else if is_request {
            stream.end_seen = true;
        } else {
            self.streams.remove(&frame.stream);
        }
    }
}
