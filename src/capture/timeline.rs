//! All inputs as one numbered sequence of packets.

use super::batch::{Batch, LinkType};
use super::damage::Damage;
use super::filter::Filter;
use super::merge::{Merge, Piece};
use super::progress::Progress;
use super::secrets;
use super::source::{Input, OpenError};
use crate::base::memory::Memory;
use crate::base::origin::{InReach, Origins, Run};
use std::fs::File;
use std::sync::Arc;

/// What was read, and what of it was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimelineCounts {
    /// Packets read, those included that the filter dropped.
    pub packets: u64,
    /// Packets that the filter dropped.
    pub filtered: u64,
    /// Of these, packets whose link type the filter cannot be compiled for, or that came after
    /// [`crate::base::limits::FILTER_LINK_TYPES`] others.
    pub filter_unfit: u64,
}

/// Capture files and standard input, read as one sequence of packets.
///
/// ```no_run
/// # fn main() -> Result<(), h2lens::capture::OpenError> {
/// use h2lens::capture::{Batch, Input, Timeline};
///
/// let mut timeline = Timeline::open(&[Input::File("a.pcap".into()), Input::File("b.pcapng.gz".into())])?;
/// let mut batch = Batch::default();
/// while timeline.next_batch(&mut batch) {
///     for packet in &batch.packets {
///         println!("{} {} {}", packet.number, packet.time, batch.packet(packet).len());
///     }
/// }
/// for damage in timeline.damage() {
///     eprintln!("{damage}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Timeline {
    merge: Merge,
    filter: Option<Filter>,
    /// Packets that may still pass.
    left: u64,
    counts: TimelineCounts,
    /// Where there are several inputs.
    origins: Option<Arc<Origins>>,
    origins_lost: u64,
    /// A single input once more, to be looked through for secrets: whoever opened it may not be allowed to later.
    again: Option<File>,
}

impl Timeline {
    /// As [`Timeline::open_within`], with as much memory as there is if nothing else is asked for.
    ///
    /// # Errors
    /// As [`Timeline::open_within`].
    #[cfg(any(test, feature = "internals"))]
    pub fn open(inputs: &[Input]) -> Result<Self, OpenError> {
        Self::open_within(inputs, Memory::default())
    }

    /// Opens the inputs and checks that each of them is a capture, before any packet is analyzed. zstd windows, and what
    /// tells of which input packets are, may take a share of this memory.
    ///
    /// # Errors
    /// The first input that cannot be opened, is empty, or is no capture. What is wrong further on is
    /// [`Timeline::damage`].
    pub fn open_within(inputs: &[Input], memory: Memory) -> Result<Self, OpenError> {
        let again = match inputs {
            [input] => secrets::open(input).ok().flatten(),
            _ => None,
        };
        Ok(Self { again, ..Self::new(Merge::open(inputs, Progress::default(), memory)?, memory) })
    }

    /// Reads one capture from anything that gives bytes, such as memory or a socket, as standard input is read:
    /// packets come as soon as a read has given them.
    ///
    /// # Errors
    /// As [`Timeline::open_within`].
    #[cfg(any(test, feature = "internals"))]
    pub fn of_reader(reader: impl std::io::Read + Send + 'static) -> Result<Self, OpenError> {
        Ok(Self::new(Merge::of_reader(reader)?, Memory::default()))
    }

    fn new(merge: Merge, memory: Memory) -> Self {
        let names: Vec<_> = merge.names().map(str::to_owned).collect();
        Self {
            merge,
            filter: None,
            left: u64::MAX,
            counts: TimelineCounts::default(),
            origins: (names.len() > 1).then(|| Arc::new(Origins::new(names, memory))),
            origins_lost: 0,
            again: None,
        }
    }

    /// Lets only packets pass that the filter accepts. Those that it drops are numbered all the same.
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Ends after so many packets have passed the filter.
    #[must_use]
    pub fn with_count(mut self, packets: u64) -> Self {
        self.left = packets;
        self
    }

    /// Hands on the TLS key logs of all Decryption Secrets Blocks in those inputs that are plain pcapng files, found
    /// without reading the packets: to be called before the first batch. They do not come again in
    /// [`Batch::secrets`]; those of pipes and compressed files come there, in place: whether no such input can hold any.
    pub fn take_secrets(&mut self, take: &mut dyn FnMut(&[u8])) -> bool {
        let mut complete = true;
        let inputs: Vec<_> = self.merge.inputs().cloned().enumerate().collect();
        for (index, input) in inputs {
            // What cannot be read here will not be readable later either, and is reported then.
            let file = self.again.take().map_or_else(|| secrets::open(&input), |file| Ok(Some(file)));
            match file.and_then(|file| file.map_or(Ok(None), |file| secrets::scan(file, take))) {
                Ok(Some(found)) => self.merge.skip_secrets(index, found),
                Ok(None) | Err(_) => complete &= !self.merge.may_hold_secrets(index),
            }
        }
        complete
    }

    /// Fills the batch with the next packets; `false` at the end, when the batch is empty. From a pipe, packets
    /// are given as soon as they are there. A batch may hold secrets and no packets.
    pub fn next_batch(&mut self, batch: &mut Batch) -> bool {
        while self.left > 0 && self.merge.next(batch) {
            self.number(batch);
            if !batch.packets.is_empty() || !batch.secrets.is_empty() {
                return true;
            }
        }
        batch.clear();
        false
    }

    /// How many runs of packets were put out of reach by [`crate::base::limits::ORIGIN_RUNS`].
    pub fn origins_lost(&self) -> u64 {
        self.origins_lost
    }

    /// What is wrong with the inputs, as far as they were read: each kind once an input, in an order that does
    /// not depend on that of the arguments.
    pub fn damage(&self) -> Vec<Damage> {
        self.merge.damage().collect()
    }

    /// How many of the inputs are damaged, as far as they were read.
    pub fn damaged_inputs(&self) -> u64 {
        self.merge.damaged_inputs()
    }

    /// Packets that were dropped while the captures were made, as far as they were read and tell: pcapng interface
    /// statistics and packets do.
    pub fn dropped(&self) -> u64 {
        self.merge.dropped()
    }

    /// What was read so far.
    #[cfg(any(test, feature = "internals"))]
    pub fn counts(&self) -> TimelineCounts {
        self.counts
    }

    /// Packets that were not judged by the filter, and dropped, as they came after
    /// [`crate::base::limits::FILTER_LINK_TYPES`] other link types.
    pub fn filter_limited(&self) -> u64 {
        self.filter.as_ref().map_or(0, Filter::limited)
    }

    /// Link types met so far that the filter makes no sense for, whose packets were dropped: for a message.
    pub fn unfit_link_types(&self) -> Vec<LinkType> {
        self.filter.iter().flat_map(Filter::unfit_link_types).collect()
    }

    /// How far the reading is.
    pub fn progress(&self) -> Progress {
        self.merge.progress().clone()
    }

    /// Numbers the packets, and takes out those that do not pass.
    fn number(&mut self, batch: &mut Batch) {
        let mut number = self.counts.packets;
        if let Some(origins) = &self.origins {
            let run = |piece: &Piece| Run {
                from: number + 1 + piece.start as u64,
                input: piece.input,
                number: piece.before + 1,
            };
            let (lost, first) = origins.add(self.merge.pieces().iter().map(run));
            self.origins_lost += lost;
            batch.origins = Some(InReach::new(Arc::clone(origins), first));
        }
        let Batch { bytes, packets, secrets, .. } = batch;
        if let Some(filter) = &mut self.filter {
            let (mut index, mut kept) = (0, 0);
            let mut secrets_moved = secrets.iter_mut().peekable();
            let (left, counts) = (self.left, &mut self.counts);
            packets.retain_mut(|packet| {
                while let Some((before, _)) = secrets_moved.next_if(|(before, _)| *before <= index) {
                    *before = kept;
                }
                index += 1;
                if kept as u64 == left {
                    return false;
                }
                number += 1;
                packet.number = number;
                let bytes = bytes.get(packet.range.start as usize..packet.range.end as usize);
                let verdict = filter.matches(packet.link, bytes.unwrap_or_default());
                counts.filtered += u64::from(verdict != Some(true));
                counts.filter_unfit += u64::from(verdict.is_none());
                kept += usize::from(verdict == Some(true));
                verdict == Some(true)
            });
            for (before, _) in secrets_moved {
                *before = kept;
            }
        } else {
            packets.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            for packet in packets.iter_mut() {
                number += 1;
                packet.number = number;
            }
            for (before, _) in secrets {
                *before = (*before).min(packets.len());
            }
        }
        self.counts.packets = number;
        self.left -= packets.len() as u64;
    }
}

#[cfg(test)]
mod tests;
