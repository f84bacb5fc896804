//! Several inputs as one, by packet time.
//!
//! Each input keeps its own order: it is merged by the latest time that it has shown so far, so that a clock
//! that was set back in one file cannot move its packets past each other. Where times are equal, the input
//! whose first packet is earlier comes first, then the one whose name is less: the order of the arguments
//! changes nothing.
//!
//! Files are looked at once and closed again until their time comes, so that a thousand rotated files need
//! neither a thousand descriptors nor a thousand buffers; as they do not overlap, their batches are handed on
//! as they were read.

use super::batch::Batch;
use super::damage::{Damage, DamageKind, DamageLog};
use super::decompress::window_log;
use super::file::FILE_HEADER;
use super::progress::Progress;
use super::reader::{Reader, Reading};
use super::source::{Input, OpenError, Source};
use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::base::tuning;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Read;

/// Bytes read of a file to find its first packet.
const PEEK_BYTES: usize = 16 << 10;

/// Bytes of a batch for each packet at least: those without any, too, take memory.
const MANY_PACKETS: usize = 16;

/// The inputs, merged.
pub(super) struct Merge {
    /// By time of the first packet, then name.
    lanes: Vec<Lane>,
    /// A time before which the lane has no more packets, and its index; a lane that has ended is not here.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    reading: Reading,
    progress: Progress,
    /// The pieces that the last batch is made of, where there are several inputs.
    pieces: Vec<Piece>,
}

/// Packets of a batch that follow one another in their input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Index of the first into the batch's packets.
    pub(super) start: usize,
    /// Index of the input.
    pub(super) input: u32,
    /// Packets of the input that come before.
    pub(super) before: u64,
}

/// One input.
struct Lane {
    input: Input,
    name: String,
    first: Timestamp,
    /// `None` before its time has come, and after its end.
    reader: Option<Reader>,
    /// It was opened for good.
    started: bool,
    /// Its format can hold key logs.
    may_hold_secrets: bool,
    /// Key logs to leave out, as they were taken already.
    skip_secrets: usize,
    batch: Batch,
    /// Packets handed on in earlier batches.
    packets_before: u64,
    /// Packets and secrets of the batch that were handed on.
    packets_done: usize,
    secrets_done: usize,
    /// The latest time handed on.
    clock: Timestamp,
    damage: DamageLog,
    /// Packets dropped while the capture was made; known once it was read to its end.
    dropped: u64,
}

impl Merge {
    /// Opens and checks all inputs. With several, it waits for the first packet of those that are pipes.
    pub(super) fn open(inputs: &[Input], progress: Progress, memory: Memory) -> Result<Self, OpenError> {
        let many = inputs.len() > tuning::MERGE_LANES;
        let bytes = if many { tuning::MERGE_READ_BYTES } else { tuning::READ_BYTES };
        let bytes = bytes.min(memory.share(tuning::READ_BYTES_SHARE));
        let reading = Reading { bytes, window: window_log(memory, inputs.len()) };
        let mut lanes = Vec::with_capacity(inputs.len());
        let mut total = Some(0_u64);
        for input in inputs {
            let error = |kind| OpenError { input: input.name(), kind };
            let mut lane = Lane::new(input.clone());
            let size = if inputs.len() > 1 && input.can_be_reopened() {
                let mut peek =
                    Reader::open(input, Reading { bytes: PEEK_BYTES, ..reading }, Progress::default())
                        .map_err(error)?;
                lane.peek(&mut peek);
                lane.batch = Batch::default();
                lane.damage = DamageLog::default();
                peek.file_size()
            } else {
                let mut reader = Reader::open(input, reading, progress.clone()).map_err(error)?;
                if inputs.len() > 1 {
                    lane.peek(&mut reader);
                }
                let size = reader.file_size();
                lane.start(reader);
                size
            };
            total = total.zip(size).map(|(total, size)| total.saturating_add(size));
            lanes.push(lane);
        }
        lanes.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
        let queue = lanes.iter().enumerate().map(|(index, lane)| Reverse((lane.first, index))).collect();
        Ok(Self { lanes, queue, reading, progress: progress.with_total(total), pieces: Vec::new() })
    }

    /// One input that is already open, as standard input is read.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn of_reader(reader: impl Read + Send + 'static) -> Result<Self, OpenError> {
        let input = Input::Stdin;
        let reader = Source::new(reader, None, FILE_HEADER)
            .and_then(|(source, head)| Reader::new(source, head, tuning::READ_BYTES))
            .map_err(|kind| OpenError { input: input.name(), kind })?;
        let mut lane = Lane::new(input);
        lane.start(reader);
        let queue = [Reverse((lane.first, 0))].into();
        let progress = Progress::default().with_total(None);
        let reading = Reading::peek(tuning::READ_BYTES);
        Ok(Self { lanes: vec![lane], queue, reading, progress, pieces: Vec::new() })
    }

    /// How far the reading is.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The names of the inputs, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.lanes.iter().map(|lane| lane.name.as_str())
    }

    /// The inputs, in order.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.lanes.iter().map(|lane| &lane.input)
    }

    /// What the last batch is made of, in its order; nothing where there is one input.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Leaves out the first key logs, so many, of the input with this index: they were taken already.
    pub(super) fn skip_secrets(&mut self, index: usize, blocks: usize) {
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.skip_secrets = blocks;
            if let Some(reader) = &mut lane.reader {
                reader.skip_secrets(blocks);
            }
        }
    }

    /// Whether the input with this index is in a format that can hold key logs.
    pub(super) fn may_hold_secrets(&self, index: usize) -> bool {
        self.lanes.get(index).is_some_and(|lane| lane.may_hold_secrets)
    }

    /// Packets that were dropped while the captures were made, as far as they were read and tell.
    pub(super) fn dropped(&self) -> u64 {
        let lanes = self.lanes.iter();
        lanes
            .map(|lane| lane.reader.as_ref().map_or(lane.dropped, Reader::dropped))
            .fold(0, u64::saturating_add)
    }

    /// What was found wrong so far, by input.
    pub(super) fn damage(&self) -> impl Iterator<Item = Damage> {
        self.lanes.iter().flat_map(|lane| lane.damage.named(&lane.name))
    }

    /// How many inputs were found damaged so far.
    pub(super) fn damaged_inputs(&self) -> u64 {
        self.lanes.iter().filter(|lane| !lane.damage.is_empty()).count() as u64
    }

    /// Fills the batch with the next packets or secrets, numbers left at zero; `false` at the end.
    pub(super) fn next(&mut self, out: &mut Batch) -> bool {
        out.clear();
        self.pieces.clear();
        // `out.bytes` has what was copied to it, and only that.
        let mut copied = false;
        let several = self.lanes.len() > 1;
        while let Some(Reverse((_, index))) = self.queue.pop() {
            let Some(lane) = self.lanes.get_mut(index) else { continue };
            if lane.is_drained() {
                // A pipe may let us wait: what is there goes first.
                if copied && lane.may_wait() {
                    self.queue.push(Reverse((lane.clock, index)));
                    return true;
                }
                if lane.refill(self.reading, &self.progress) {
                    let next = lane.next_time();
                    self.queue.push(Reverse((next, index)));
                }
                continue;
            }
            let bound = self.queue.peek().map(|Reverse(next)| *next);
            let end = lane.run(index, bound);
            let whole = end == lane.batch.packets.len();
            if whole && (lane.bytes_left() > self.reading.bytes / 4 || bound.is_none() && !copied) {
                if !copied {
                    self.pieces.extend(several.then(|| lane.piece(0, index)));
                    lane.hand_on(out);
                }
                self.queue.push(Reverse((lane.next_time(), index)));
                return true;
            }
            if !copied {
                out.bytes.clear();
                copied = true;
            }
            self.pieces
                .extend((several && end > lane.packets_done).then(|| lane.piece(out.packets.len(), index)));
            lane.copy(end, out);
            self.queue.push(Reverse((lane.next_time(), index)));
            if out.bytes.len() >= self.reading.bytes || out.packets.len() >= self.reading.bytes / MANY_PACKETS
            {
                return true;
            }
        }
        copied
    }
}

impl Lane {
    fn new(input: Input) -> Self {
        Self {
            name: input.name(),
            input,
            first: Timestamp::default(),
            reader: None,
            started: false,
            may_hold_secrets: true,
            skip_secrets: 0,
            batch: Batch::default(),
            packets_before: 0,
            packets_done: 0,
            secrets_done: 0,
            clock: Timestamp::default(),
            damage: DamageLog::default(),
            dropped: 0,
        }
    }

    /// Reads up to the first packet, to know its time; an input without packets counts as the earliest.
    fn peek(&mut self, reader: &mut Reader) {
        self.may_hold_secrets = reader.may_hold_secrets();
        let mut early = Vec::new();
        while reader.fill(&mut self.batch, &mut self.damage) {
            early.append(&mut self.batch.secrets);
            if let Some(packet) = self.batch.packets.first() {
                self.first = packet.time;
                break;
            }
        }
        self.batch.secrets = early;
    }

    fn start(&mut self, reader: Reader) {
        self.may_hold_secrets = reader.may_hold_secrets();
        self.reader = Some(reader);
        self.started = true;
    }

    /// Everything in the batch was handed on.
    fn is_drained(&self) -> bool {
        self.packets_done == self.batch.packets.len() && self.secrets_done == self.batch.secrets.len()
    }

    /// Reading more may take as long as the other end likes.
    fn may_wait(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.file_size().is_none())
    }

    /// A time before which there are no more packets: that of the next one, if it is there.
    fn next_time(&self) -> Timestamp {
        self.batch.packets.get(self.packets_done).map_or(self.clock, |next| next.time.max(self.clock))
    }

    /// Reads the next batch, opening the file first if its time has only come; `false` at the end.
    fn refill(&mut self, reading: Reading, progress: &Progress) -> bool {
        self.packets_before += self.packets_done as u64;
        (self.packets_done, self.secrets_done) = (0, 0);
        if !self.started {
            self.started = true;
            match Reader::open(&self.input, reading, progress.clone()) {
                Ok(reader) => self.reader = Some(reader),
                // It was there when we looked.
                Err(error) => self.damage.add(DamageKind::Read(error.to_string()), 0, 0),
            }
            if let Some(reader) = &mut self.reader {
                reader.skip_secrets(self.skip_secrets);
            }
        }
        let filled =
            self.reader.as_mut().is_some_and(|reader| reader.fill(&mut self.batch, &mut self.damage));
        if !filled {
            self.dropped = self.reader.take().map_or(self.dropped, |reader| reader.dropped());
            self.batch = Batch::default();
        }
        filled
    }

    /// The index behind the last packet that comes before what the other lanes have.
    fn run(&self, index: usize, bound: Option<(Timestamp, usize)>) -> usize {
        let Some(bound) = bound else { return self.batch.packets.len() };
        let mut clock = self.clock;
        let rest = self.batch.packets.iter().skip(self.packets_done);
        let mine = rest.take_while(|packet| {
            clock = clock.max(packet.time);
            (clock, index) <= bound
        });
        self.packets_done + mine.count()
    }

    /// Bytes of the buffer from the next packet to the last.
    fn bytes_left(&self) -> usize {
        let packets = self.batch.packets.get(self.packets_done..).unwrap_or_default();
        match (packets.first(), packets.last()) {
            (Some(first), Some(last)) => (last.range.end - first.range.start) as usize,
            _ => 0,
        }
    }

    /// What is handed on next of the lane with this index, from `start` on in the batch.
    fn piece(&self, start: usize, index: usize) -> Piece {
        Piece { start, input: index as u32, before: self.packets_before + self.packets_done as u64 }
    }

    /// Hands on what is left of the batch, with the buffer that it stands in.
    fn hand_on(&mut self, out: &mut Batch) {
        let (packets, secrets) =
            (std::mem::take(&mut self.packets_done), std::mem::take(&mut self.secrets_done));
        std::mem::swap(&mut self.batch, out);
        self.batch.clear();
        self.packets_before += out.packets.len() as u64;
        out.packets.drain(..packets);
        out.secrets.drain(..secrets);
        for (before, _) in &mut out.secrets {
            *before = before.saturating_sub(packets);
        }
        self.clock = out.packets.iter().fold(self.clock, |clock, packet| clock.max(packet.time));
    }

    /// Hands on the packets up to the index `end`, behind those that `out` has.
    fn copy(&mut self, end: usize, out: &mut Batch) {
        let from = self.packets_done;
        while let Some((before, secrets)) = self.batch.secrets.get_mut(self.secrets_done) {
            if *before > end {
                break;
            }
            out.secrets.push((out.packets.len() + before.saturating_sub(from), std::mem::take(secrets)));
            self.secrets_done += 1;
        }
        for packet in self.batch.packets.get(from..end).unwrap_or_default() {
            let start = out.bytes.len() as u32;
            out.bytes.extend_from_slice(self.batch.packet(packet));
            out.packets.push(super::PacketHead { range: start..out.bytes.len() as u32, ..packet.clone() });
            self.clock = self.clock.max(packet.time);
        }
        self.packets_done = end;
    }
}
