//! `--follow`: one exchange, all of it.

use super::config::Config;
use crate::capture::Timeline;
use crate::engine::{Analysis, Locator, Outcome, captures};
use crate::export::{CoursePrinter, PrintError};
use crate::record::Wanted;
use anyhow::{Context, bail};
use std::io::Write;

/// Connection and stream of the exchange that a packet tells of.
pub(super) fn locate(
    packet: u64,
    mut timeline: Timeline,
    analysis: Analysis,
    config: &Config,
) -> anyhow::Result<(u64, u32)> {
    let wanted = Wanted { transactions: true, frames: true, ..Wanted::default() };
    let analysis =
        Analysis { wanted, threads: config.threads, idle_timeout: config.idle_timeout, ..analysis };
    let mut locator = Locator::new(packet);
    let Ok(_) = captures(&mut timeline, analysis, config.duration, &mut locator);
    locator.found().with_context(|| {
        format!("--follow :{packet}: no frame of an exchange begins there; name one as CONNECTION:STREAM")
    })
}

/// Prints an exchange; `None` where the reader of the output has closed it.
pub(super) fn print(
    exchange @ (connection, stream): (u64, u32),
    timeline: &mut Timeline,
    analysis: Analysis,
    config: &Config,
    out: impl Write,
) -> anyhow::Result<Option<Outcome>> {
    let mut printer = CoursePrinter::new(out, &config.output, exchange);
    match captures(timeline, analysis, config.duration, &mut printer) {
        Ok(_) if !printer.found() => {
            bail!(
                "--follow {connection}:{stream}: there is no such exchange; h2.connection.id and h2.stream.id name them"
            )
        }
        Ok(outcome) => Ok(Some(outcome)),
        Err(PrintError::Closed) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
