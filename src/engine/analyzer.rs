//! The library's way in: packets are pushed, records come out. No I/O, no clock, no threads but those asked for.

use super::analyze::{Analysis, Engine};
use super::job::Job;
use super::owned::{Queue, Record};
use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::base::tuning;
use crate::capture::{LinkType, PacketHead};
use crate::record::{Report, Wanted};
use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

/// What is made of the packets.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which records; with `telemetry` each transaction says what the kernel agent would have made of it. Transactions
    /// alone by default.
    pub wanted: Wanted,
    /// Worker threads, 1 by default: the caller's. The records are the same for any number.
    pub threads: usize,
    /// Connections idle for so long, in packet time, are given up; those with requests in flight after six times as
    /// long. `None`, the default: never.
    pub idle_timeout: Option<Duration>,
    /// Memory for what grows with the packets; 512 MiB by default.
    pub memory: Memory,
}

impl Default for Config {
    fn default() -> Self {
        let wanted = Wanted { transactions: true, ..Wanted::default() };
        Self { wanted, threads: 1, idle_timeout: None, memory: Memory::default() }
    }
}

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When.
    pub time: Timestamp,
    /// How the bytes begin: the link type's number in the tcpdump registry; 1 is Ethernet, 101 raw IP.
    pub link: u16,
    /// Bytes on the wire; those beyond `bytes` were cut off.
    pub original_len: u32,
    /// The bytes captured.
    pub bytes: &'a [u8],
}

/// Packets → records.
///
/// Packets are pushed in the order of the capture; records come out by the packet that completed them, endpoints at the end.
/// Some packets are gathered before they are analyzed: [`Analyzer::advance`] analyzes what was pushed so far.
///
/// ```
/// use h2lens::{Analyzer, Config, Packet, Record, Timestamp};
///
/// let mut analyzer = Analyzer::new(Config::default());
/// let mut calls = 0;
/// let mut count = |record: Record| calls += u64::from(matches!(record, Record::Transaction { .. }));
/// let bytes = [0; 60]; // an Ethernet frame
/// let packet = Packet { time: Timestamp::from_parts(1_700_000_000, 0), link: 1, original_len: 60, bytes: &bytes };
/// analyzer.push_packet(packet, &mut count);
/// let report = analyzer.finish(&mut count);
/// assert_eq!((calls, report.coverage.packets), (0, 1));
/// ```
pub struct Analyzer {
    engine: Engine<Queue>,
    job: Job,
    packets: u64,
}

impl Debug for Analyzer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analyzer").field("packets", &self.packets).finish_non_exhaustive()
    }
}

impl Analyzer {
    /// An analysis that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        let Config { wanted, threads, idle_timeout, memory } = config;
        let analysis = Analysis { wanted, threads, memory, idle_timeout, ..Analysis::default() };
        let queue = Queue { wanted, ..Queue::default() };
        let mut engine = Engine::new(analysis, queue);
        let job = engine.job();
        Self { engine, job, packets: 0 }
    }

    /// Adds TLS secrets, in the format of RFC 9850 (`SSLKEYLOGFILE`). Connections that wait for them go on.
    pub fn add_secrets(&mut self, key_log: &[u8], sink: &mut impl FnMut(Record)) {
        self.submit();
        let Ok(()) = self.engine.learn(|keys| keys.add_text(key_log));
        self.hand_out(sink);
    }

    /// Takes the next packet; hands out what it completes, now or later.
    pub fn push_packet(&mut self, packet: Packet<'_>, sink: &mut impl FnMut(Record)) {
        self.packets += 1;
        let batch = &mut self.job.batch;
        let start = batch.bytes.len() as u32;
        batch.bytes.extend_from_slice(packet.bytes);
        batch.packets.push(PacketHead {
            number: self.packets,
            time: packet.time,
            link: LinkType(packet.link),
            original_len: packet.original_len,
            range: start..batch.bytes.len() as u32,
        });
        if batch.bytes.len() >= tuning::READ_BYTES {
            self.submit();
            self.hand_out(sink);
        }
    }

    /// Analyzes all that was pushed. Packet time has come to `time`, too, without packets: what has waited for too long
    /// is given up.
    pub fn advance(&mut self, time: Timestamp, sink: &mut impl FnMut(Record)) {
        self.submit();
        let Ok(()) = self.engine.tick(time);
        let Ok(()) = self.engine.drain();
        self.hand_out(sink);
    }

    /// The capture is over: hands out what is left, and tells what it adds up to.
    pub fn finish(mut self, sink: &mut impl FnMut(Record)) -> Report {
        self.submit();
        let Ok(report) = self.engine.finish();
        self.hand_out(sink);
        report
    }

    fn submit(&mut self) {
        if self.job.batch.packets.is_empty() {
            return;
        }
        let next = self.engine.job();
        let job = std::mem::replace(&mut self.job, next);
        // A batch that comes back keeps the length of its bytes.
        self.job.batch.bytes.clear();
        let Ok(()) = self.engine.push(job);
    }

    fn hand_out(&mut self, sink: &mut impl FnMut(Record)) {
        self.engine.consumer().records.drain(..).for_each(sink);
    }
}
