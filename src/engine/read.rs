//! Captures → an iterator of records.

use super::analyze::{Analysis, Engine};
use super::analyzer::Config;
use super::owned::{Queue, Record};
use crate::capture::{Input, OpenError, Timeline};
use crate::record::Report;
use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;

/// Analyzes captures (pcap or pcapng, compressed or not), which are one timeline, to their end.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut records = h2lens::read(["testdata/curl-h2c.pcap"], h2lens::Config::default())?;
/// assert!(records.by_ref().count() > 0);
/// assert!(records.report().is_some_and(|report| report.coverage.complete));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When one cannot be opened, or is no capture.
pub fn read<P: Into<PathBuf>>(
    inputs: impl IntoIterator<Item = P>,
    config: Config,
) -> Result<Records, OpenError> {
    let inputs: Vec<_> = inputs.into_iter().map(|path| Input::File(path.into())).collect();
    let Config { wanted, threads, idle_timeout, memory } = config;
    let mut timeline = Timeline::open_within(&inputs, memory)?;
    let mut analysis = Analysis { wanted, threads, memory, idle_timeout, ..Analysis::default() };
    analysis.take_secrets(&mut timeline);
    let engine = Engine::new(analysis, Queue { wanted, ..Queue::default() });
    Ok(Records { timeline, engine, report: None })
}

/// The records of captures, in order.
pub struct Records {
    timeline: Timeline,
    engine: Engine<Queue>,
    report: Option<Report>,
}

impl Debug for Records {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Records {
    /// What the captures add up to; there once the last record has been taken.
    pub const fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// Analyzes some more packets.
    fn go_on(&mut self) {
        let mut job = self.engine.job();
        if self.timeline.next_batch(&mut job.batch) {
            let Ok(()) = self.engine.push(job);
        } else {
            self.engine.note_inputs(&self.timeline);
            let Ok(report) = self.engine.finish();
            self.report = Some(report);
        }
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.engine.consumer().records.pop_front() {
                return Some(record);
            }
            if self.report.is_some() {
                return None;
            }
            self.go_on();
        }
    }
}
