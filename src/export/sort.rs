//! Transactions in another order than that of their ends: kept, and written to a temporary file where they are many.

use super::print_error::PrintError;
use crate::base::memory::Memory;
use crate::base::tuning::{SORT_BUFFERS, SORT_HELD, SORT_RUNS};
use crate::record::TransactionView;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// What transactions are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// When they began.
    #[default]
    Start,
    /// How long they took.
    Duration,
    /// How long until the response began; those of which that is not known come last.
    Ttfb,
    /// Octets of content, both ways.
    Bytes,
}

/// The order of the transactions. Equal ones stay in the order of their ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// What they are sorted by.
    pub key: SortKey,
    /// The greatest first.
    pub descending: bool,
    /// No more than so many, the first ones.
    pub top: Option<u64>,
}

impl Sort {
    /// Where a transaction stands: the least come first.
    pub(super) fn rank(self, view: &TransactionView<'_>) -> u64 {
        let transaction = view.transaction;
        let value = match self.key {
            SortKey::Start => Some(transaction.first.time.as_nanos()),
            SortKey::Duration => Some(transaction.duration().as_nanos() as u64),
            SortKey::Ttfb => transaction.ttfb().map(|ttfb| ttfb.as_nanos() as u64),
            SortKey::Bytes => Some(transaction.request.body.saturating_add(transaction.response.body)),
        };
        let Some(value) = value else { return u64::MAX };
        let value = value.min(u64::MAX - 1);
        if self.descending { u64::MAX - 1 - value } else { value }
    }
}

/// Sorts texts by their rank, then by their arrival.
#[derive(Debug)]
pub(super) struct Sorter {
    top: Option<u64>,
    memory: Memory,
    entries: Vec<Entry>,
    /// The texts of the entries, and of some that are no longer among them.
    text: Vec<u8>,
    /// What arrives with such a rank, or a higher one, is not among the first.
    limit: Option<u64>,
    arrived: u64,
    spilled: Option<Spill>,
}

/// A text by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rank: u64,
    arrival: u64,
    start: usize,
    len: usize,
}

impl Sorter {
    pub(super) const fn new(top: Option<u64>, memory: Memory) -> Self {
        Self { top, memory, entries: Vec::new(), text: Vec::new(), limit: None, arrived: 0, spilled: None }
    }

    /// Takes a text, which comes in pieces.
    pub(super) fn push(&mut self, rank: u64, pieces: &[&[u8]]) -> Result<(), PrintError> {
        self.arrived += 1;
        if self.top == Some(0) || self.limit.is_some_and(|limit| rank >= limit) {
            return Ok(());
        }
        let start = self.text.len();
        for piece in pieces {
            self.text.extend_from_slice(piece);
        }
        self.entries.push(Entry { rank, arrival: self.arrived, start, len: self.text.len() - start });
        let many = self.top.is_some_and(|top| self.entries.len() as u64 >= top.saturating_mul(2).max(1_024));
        let held = self.memory.share(SORT_HELD);
        let is_full = self.text.len() + self.entries.len() * size_of::<Entry>() > held;
        if many || is_full {
            self.prune();
        }
        if self.text.len() + self.entries.len() * size_of::<Entry>() > held / 2 && is_full {
            self.spill()?;
        }
        Ok(())
    }

    /// Hands out all texts in order, and is empty then.
    pub(super) fn drain(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), PrintError>,
    ) -> Result<(), PrintError> {
        if self.spilled.is_some() {
            self.spill()?;
        }
        if let Some(spilled) = self.spilled.take() {
            return spilled.merge(take);
        }
        self.sort();
        let text = std::mem::take(&mut self.text);
        for entry in std::mem::take(&mut self.entries) {
            take(text.get(entry.start..entry.start + entry.len).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Puts the entries in order, and drops those that are not among the first.
    fn sort(&mut self) {
        self.entries.sort_unstable();
        let top = self.top.and_then(|top| usize::try_from(top).ok()).unwrap_or(usize::MAX);
        if self.entries.len() >= top {
            self.entries.truncate(top);
            self.limit = self.entries.last().map(|last| last.rank);
        }
    }

    /// The same, and gives the memory of their texts back.
    fn prune(&mut self) {
        self.sort();
        let kept: usize = self.entries.iter().map(|entry| entry.len).sum();
        if kept == self.text.len() {
            return;
        }
        let mut text = Vec::with_capacity(2 * kept);
        for entry in &mut self.entries {
            let start = text.len();
            let old = self.text.get(entry.start..entry.start + entry.len);
            text.extend_from_slice(old.unwrap_or_default());
            entry.start = start;
        }
        self.text = text;
    }

    /// Writes the entries to the temporary file.
    fn spill(&mut self) -> Result<(), PrintError> {
        self.sort();
        let mut spilled = match self.spilled.take() {
            Some(spilled) => spilled,
            None => Spill::new(self.top, self.memory).map_err(PrintError::Sort)?,
        };
        let entries = self
            .entries
            .iter()
            .map(|entry| (*entry, self.text.get(entry.start..entry.start + entry.len).unwrap_or_default()));
        spilled.write(entries)?;
        self.spilled = Some(spilled);
        self.entries.clear();
        self.text.clear();
        Ok(())
    }
}

/// Runs of sorted texts in a temporary file, which is gone when it is closed.
#[derive(Debug)]
struct Spill {
    file: File,
    top: u64,
    runs: Vec<Placed>,
    /// What is still to be written, and where it ends.
    pending: Vec<u8>,
    end: u64,
    /// Bytes of the buffers that the runs are read with.
    buffers: usize,
}

/// Where a run is, and how often runs were merged to make it.
#[derive(Debug)]
struct Placed {
    range: Range<u64>,
    merged: u32,
}

/// What stands before each text: rank, arrival, length.
type Head = (u64, u64, u64);

/// Its bytes.
const HEAD: usize = 24;

/// Bytes that are written at a time.
const WRITTEN: usize = 256 << 10;

impl Spill {
    fn new(top: Option<u64>, memory: Memory) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            top: top.unwrap_or(u64::MAX),
            runs: Vec::new(),
            pending: Vec::new(),
            end: 0,
            buffers: memory.share(SORT_BUFFERS),
        })
    }

    /// Writes a run. As many as are of one kind become one of the next kind: each text is written a few times, and few runs are
    /// read at the end.
    fn write<'a>(&mut self, entries: impl Iterator<Item = (Entry, &'a [u8])>) -> Result<(), PrintError> {
        let start = self.end;
        for (entry, text) in entries {
            self.put((entry.rank, entry.arrival, entry.len as u64), text)?;
        }
        self.close(start, 0)?;
        while let Some(merged) = self.is_many() {
            let runs = self.runs.split_off(self.runs.len() - SORT_RUNS);
            let start = self.end;
            self.merge_runs(runs, Self::put)?;
            self.close(start, merged + 1)?;
        }
        Ok(())
    }

    /// How often the last runs were merged, if there are as many of that kind as become one.
    fn is_many(&self) -> Option<u32> {
        let last = self.runs.get(self.runs.len().checked_sub(SORT_RUNS)?..)?;
        let merged = last.first()?.merged;
        last.iter().all(|run| run.merged == merged).then_some(merged)
    }

    /// Adds a text to the run that is being written.
    fn put(&mut self, head: Head, text: &[u8]) -> Result<(), PrintError> {
        for number in [head.0, head.1, head.2] {
            self.pending.extend_from_slice(&number.to_le_bytes());
        }
        self.pending.extend_from_slice(text);
        self.end += (HEAD + text.len()) as u64;
        if self.pending.len() < WRITTEN { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), PrintError> {
        let start = self.end - self.pending.len() as u64;
        self.file.seek(SeekFrom::Start(start)).map_err(PrintError::Sort)?;
        self.file.write_all(&self.pending).map_err(PrintError::Sort)?;
        self.pending.clear();
        Ok(())
    }

    fn close(&mut self, start: u64, merged: u32) -> Result<(), PrintError> {
        self.flush()?;
        self.runs.push(Placed { range: start..self.end, merged });
        Ok(())
    }

    /// Hands out the first texts of all runs, in order.
    fn merge(mut self, mut take: impl FnMut(&[u8]) -> Result<(), PrintError>) -> Result<(), PrintError> {
        let runs = std::mem::take(&mut self.runs);
        self.merge_runs(runs, |_, _, text| take(text))
    }

    /// The same of some runs.
    fn merge_runs(
        &mut self,
        runs: Vec<Placed>,
        mut take: impl FnMut(&mut Self, Head, &[u8]) -> Result<(), PrintError>,
    ) -> Result<(), PrintError> {
        let buffer = (self.buffers / runs.len().max(1)).max(4 << 10);
        let mut runs: Vec<_> = runs.into_iter().map(|run| Run::new(run.range, buffer)).collect();
        let mut next = BinaryHeap::new();
        for (at, run) in runs.iter_mut().enumerate() {
            next.extend(run.head(&mut self.file).map_err(PrintError::Sort)?.map(|head| Reverse((head, at))));
        }
        let mut text = Vec::new();
        for _ in 0..self.top {
            let Some(Reverse((head, at))) = next.pop() else { break };
            let Some(run) = runs.get_mut(at) else { continue };
            text.clear();
            run.read(&mut self.file, head.2, &mut text).map_err(PrintError::Sort)?;
            take(self, head, &text)?;
            next.extend(run.head(&mut self.file).map_err(PrintError::Sort)?.map(|head| Reverse((head, at))));
        }
        Ok(())
    }
}

/// A run that is read from its start to its end.
#[derive(Debug)]
struct Run {
    left: Range<u64>,
    buffer: Vec<u8>,
    size: usize,
    read: usize,
}

impl Run {
    const fn new(left: Range<u64>, size: usize) -> Self {
        Self { left, buffer: Vec::new(), size, read: 0 }
    }

    /// Rank, arrival and length of the next text.
    fn head(&mut self, file: &mut File) -> io::Result<Option<Head>> {
        if self.left.is_empty() && self.read == self.buffer.len() {
            return Ok(None);
        }
        let mut head = Vec::with_capacity(HEAD);
        self.read(file, HEAD as u64, &mut head)?;
        let number = |at: usize| {
            head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Ok(Some((number(0), number(8), number(16))))
    }

    /// Appends the next `len` bytes.
    fn read(&mut self, file: &mut File, len: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let mut missing = usize::try_from(len).unwrap_or(usize::MAX);
        while missing > 0 {
            let rest = self.buffer.get(self.read..).unwrap_or_default();
            if rest.is_empty() {
                self.fill(file)?;
                continue;
            }
            let part = rest.get(..missing).unwrap_or(rest);
            out.extend_from_slice(part);
            self.read += part.len();
            missing -= part.len();
        }
        Ok(())
    }

    fn fill(&mut self, file: &mut File) -> io::Result<()> {
        let size = (self.left.end - self.left.start).min(self.size as u64);
        if size == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.resize(size as usize, 0);
        file.seek(SeekFrom::Start(self.left.start))?;
        file.read_exact(&mut self.buffer)?;
        self.left.start += size;
        self.read = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(sorter: &mut Sorter) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        sorter
            .drain(|text| {
                all.push(text.to_vec());
                Ok(())
            })
            .unwrap();
        all
    }

    /// What a sort of all texts gives.
    fn naive(texts: &[(u64, Vec<u8>)], top: Option<u64>) -> Vec<Vec<u8>> {
        let mut all = texts.to_vec();
        all.sort_by_key(|(rank, _)| *rank);
        all.truncate(top.map_or(usize::MAX, |top| top as usize));
        all.into_iter().map(|(_, text)| text).collect()
    }

    proptest! {
        #[test]
        fn any_texts_come_out_in_order(
            texts in prop::collection::vec((0_u64..50, prop::collection::vec(any::<u8>(), 0..40)), 0..400),
            top in prop::option::of(0_u64..60), spills in prop::collection::vec(0_usize..400, 0..6),
        ) {
            let mut sorter = Sorter::new(top, Memory::default());
            for (at, (rank, text)) in texts.iter().enumerate() {
                let (one, two) = text.split_at(text.len() / 2);
                sorter.push(*rank, &[one, two]).unwrap();
                if spills.contains(&at) {
                    sorter.spill().unwrap();
                }
            }
            prop_assert_eq!(sorted(&mut sorter), naive(&texts, top));
        }
    }

    #[test]
    fn memory_is_bounded_and_the_first_ones_are_found_all_the_same() {
        let texts: Vec<_> = (0..1_000_u64).map(|n| (n * 7_919 % 1_009, vec![n as u8; 120_000])).collect();
        for top in [None, Some(3), Some(500)] {
            let mut sorter = Sorter::new(top, Memory::default());
            for (rank, text) in &texts {
                sorter.push(*rank, &[text]).unwrap();
                assert!(sorter.text.len() <= SORT_HELD + text.len());
            }
            assert_eq!(sorter.spilled.is_some(), top != Some(3));
            assert!(sorted(&mut sorter) == naive(&texts, top), "{top:?}");
        }
    }

    #[test]
    fn few_runs_are_read_however_many_were_written() {
        let texts: Vec<_> =
            (0..3 * SORT_RUNS as u64 + 5).map(|n| (n * 7_919 % 1_009, vec![n as u8; 50])).collect();
        for top in [None, Some(20)] {
            let mut sorter = Sorter::new(top, Memory::default());
            for (rank, text) in &texts {
                sorter.push(*rank, &[text]).unwrap();
                sorter.spill().unwrap();
            }
            assert_eq!(sorter.spilled.as_ref().unwrap().runs.len(), 3 + 5);
            assert!(sorted(&mut sorter) == naive(&texts, top), "{top:?}");
        }
    }
}
