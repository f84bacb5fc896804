//! Does what is to be done.

use super::analyze::{Analysis, captures};
use super::config::{Action, Config, Source};
use super::exit::Exit;
use super::generate;
use super::messages::{Bar, Messages};
use crate::capture::{Filter, Input, Timeline};
use crate::output::PrintError;
use crate::telemetry::Coverage;
use crate::tls::{KeyLogReader, KeyStore};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Does it.
///
/// # Errors
/// When an input cannot be opened or is no capture, or the output cannot be written. The message is one line.
pub fn run(action: Action) -> anyhow::Result<Exit> {
    match action {
        Action::Generate(what) => {
            let text = generate::text(what)?;
            match io::stdout().write_all(&text) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
                _ => Ok(Exit::Done),
            }
        }
        Action::ListInterfaces => bail!("live capture is not part of this build"),
        Action::Analyze(config) => analyze(*config),
    }
}

fn analyze(config: Config) -> anyhow::Result<Exit> {
    let messages = Messages::new(config.verbosity);
    let keys = keys(&config, messages)?;
    match &config.source {
        Source::Captures(inputs) => {
            let inputs = inputs.clone();
            files(config, &inputs, keys, messages)
        }
        Source::Live(_) => bail!("live capture is not part of this build"),
    }
}

/// The secrets of the key logs.
fn keys(config: &Config, messages: Messages) -> anyhow::Result<KeyStore> {
    let mut keys = KeyStore::default();
    for path in &config.keylogs {
        match read_keys(path, &mut keys) {
            Ok(()) => (),
            Err(error) if config.keylog_from_environment => {
                messages.notice(format_args!("$SSLKEYLOGFILE: {}: {error}", path.display()));
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    if matches!(config.source, Source::Captures(_)) {
        keys.set_complete();
    }
    let bad = keys.counters().bad_lines;
    if bad > 0 {
        messages.detail(format_args!("{bad} lines of the key log could not be read"));
    }
    Ok(keys)
}

/// Reads a key log piece by piece, whatever its size; what was read does not stay in memory.
fn read_keys(path: &Path, keys: &mut KeyStore) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut reader = KeyLogReader::default();
    let mut piece = Zeroizing::new(vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => reader.push(piece.get(..read).unwrap_or_default(), keys),
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    reader.finish(keys);
    Ok(())
}

/// Analyzes captures.
fn files(config: Config, inputs: &[Input], keys: KeyStore, messages: Messages) -> anyhow::Result<Exit> {
    if config.write.is_some() || config.duration.is_some() {
        bail!("--write and --duration are not part of this build");
    }
    let mut timeline = Timeline::open(inputs)?;
    if let Some(expression) = &config.filter {
        timeline = timeline.with_filter(Filter::compile(expression)?);
    }
    if let Some(count) = config.count {
        timeline = timeline.with_count(count);
    }
    let bar = Bar::new(timeline.progress(), config.progress);
    let analysis = Analysis {
        output: config.output,
        threads: config.threads,
        agent: config.agent,
        keys,
        idle_timeout: config.idle_timeout,
    };
    let result = captures(&mut timeline, analysis, bar.beside(io::stdout().lock()));
    drop(bar);
    let report = match result {
        Ok(report) => report,
        Err(PrintError::Closed) => return Ok(Exit::Done),
        Err(error) => return Err(error.into()),
    };
    for damage in timeline.damage() {
        messages.notice(damage);
    }
    let coverage = &report.coverage;
    if coverage.complete {
        return Ok(Exit::Done);
    }
    messages.notice(format_args!("the analysis is incomplete: {}", incomplete(coverage)));
    Ok(if config.strict { Exit::Incomplete } else { Exit::Done })
}

/// What makes an analysis incomplete, in a few words.
fn incomplete(coverage: &Coverage) -> String {
    let counts = [
        (coverage.gap_bytes, "bytes of HTTP/2 are missing"),
        (coverage.skipped_bytes, "bytes were skipped in search of a frame"),
        (coverage.header_blocks_lost, "header blocks are lost"),
        (coverage.header_blocks_partial, "header blocks are partly known"),
        (coverage.transactions_incomplete, "transactions are incomplete"),
        (coverage.connections_one_sided, "connections were seen from one side only"),
        (coverage.connections_tls_undecrypted, "TLS connections were not decrypted"),
        (coverage.damaged_inputs, "inputs are damaged"),
        (coverage.dropped_by_kernel, "packets were dropped by the kernel"),
        (coverage.dropped_records, "records were dropped"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.extend(coverage.limits.iter().map(|(name, count)| format!("limit {name} struck {count} times")));
    if parts.is_empty() {
        parts.push("the capture starts or ends within a connection".to_owned());
    }
    parts.join(", ")
}
