//! `h2lens diff BEFORE AFTER`: two runs of the same service.

use super::common::{Common, Sides, limits};
use super::environment::Environment;
use super::exit::Exit;
use super::messages::Messages;
use super::usage::UsageError;
use crate::aggregate::{Aggregate, Templates};
use crate::base::limit_counters::Struck;
use crate::base::limits::ENDPOINT_MEMORY;
use crate::base::memory::Memory;
use crate::capture::Input;
use crate::diff::{self, FailOn, Records};
use crate::engine::{Analysis, captures};
use crate::export::{PrintError, print_diff};
use crate::record::diff::{Comparison, Difference};
use crate::record::{Nothing, Wanted};
use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// What it does, for its help and its man page.
pub(super) const LONG_ABOUT: &str = "\
Compares two runs of the same service, such as before and after a release, endpoint by endpoint: calls, failures, how long \
they took, sizes, fields of the responses. Says which differences are more than chance: at 1 % for all endpoints together, and \
never for fewer than 20 calls.";

/// Bytes of a file that tell what it is.
const BEGINNING: u64 = 64;

/// Options of `diff`. Their comments are the help: plain text.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, Debug, Default)]
pub struct DiffArgs {
    /// The earlier run: captures, or its endpoints
    ///
    /// The earlier run: a capture, a directory of captures, several of them with commas in between, or "-" for standard
    /// input. A file of endpoint records that were made earlier does as well: --show endpoints with -o ndjson, json or
    /// parquet.
    #[arg(value_name = "BEFORE", value_hint = ValueHint::AnyPath)]
    pub before: OsString,

    /// The later run, likewise
    #[arg(value_name = "AFTER", value_hint = ValueHint::AnyPath)]
    pub after: OsString,

    /// Exit with 1 where an endpoint became worse, as 'p99>10%'
    ///
    /// Exit with 1 where an endpoint became worse by more than chance, and by more than this: p50>N%, p95>N% or p99>N% of the
    /// duration, or errors>N failures beyond those that the share of failures before lets expect. May be given several times.
    #[arg(long, value_name = "BOUND", value_delimiter = ',', help_heading = "Output")]
    pub fail_on: Vec<FailOn>,

    #[command(flatten)]
    pub(super) common: Common,
}

/// Two runs to be compared, resolved.
#[derive(Clone, Debug)]
pub struct DiffConfig {
    args: DiffArgs,
    sides: Sides,
}

impl DiffConfig {
    /// Resolves the options.
    pub(super) fn resolve(args: DiffArgs, environment: &Environment) -> Result<Self, UsageError> {
        let sides = args.common.resolve([(&args.before, "BEFORE"), (&args.after, "AFTER")], environment)?;
        Ok(Self { args, sides })
    }
}

/// A run: what was counted earlier, and captures.
#[derive(Debug)]
struct Run {
    records: Records,
    captures: Vec<Input>,
}

/// Compares the runs, and prints what became of each endpoint.
pub(super) fn run(config: &DiffConfig) -> anyhow::Result<Exit> {
    let messages = config.sides.messages;
    let [before, after] = &config.sides.inputs;
    let memory = config.sides.memory;
    let [before, after] = [sorted(before, memory, messages)?, sorted(after, memory, messages)?];
    let mut templates = config.sides.templates()?;
    let records = [before.records, after.records];
    Records::add_templates(&records, &mut templates.patterns);
    let templates = Arc::new(templates);
    let mut struck = Struck::default();
    let mut counted = |captures: &[Input], records: &Records| -> anyhow::Result<Aggregate> {
        let mut aggregate = analyzed(config, captures, &templates, messages)?;
        records.add_to(&mut aggregate);
        struck.merge(records.struck());
        Ok(aggregate)
    };
    let before = counted(&before.captures, &records[0])?;
    let after = counted(&after.captures, &records[1])?;
    let comparison = diff::compare(before, after);
    match print_diff(&mut io::stdout().lock(), &config.sides.output, &comparison) {
        Ok(()) => {}
        Err(PrintError::Closed) => return Ok(Exit::Done),
        Err(error) => return Err(error.into()),
    }
    struck.merge(&comparison.limits);
    notices(&comparison, &records, messages);
    limits(&struck, messages);
    Ok(verdict(&comparison, &config.args.fail_on, messages))
}

/// Reads the endpoint records among the inputs of a run; the others are captures.
fn sorted(inputs: &[Input], memory: Memory, messages: Messages) -> anyhow::Result<Run> {
    let mut run = Run { records: Records::with_memory(memory), captures: Vec::new() };
    for input in inputs {
        let is_read = match input {
            Input::File(path) => {
                read_records(path, &mut run.records, messages).with_context(|| path.display().to_string())?
            }
            Input::Stdin => false,
        };
        if !is_read {
            run.captures.push(input.clone());
        }
    }
    Ok(run)
}

/// Reads the endpoint records of a file, if it holds records.
fn read_records(path: &Path, records: &mut Records, messages: Messages) -> anyhow::Result<bool> {
    // What is wrong with another input is told by who reads captures.
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    let Ok(mut file) = File::open(path) else { return Ok(false) };
    let mut beginning = Vec::new();
    file.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
    let (known, unreadable) = (records.count(), records.unreadable());
    if diff::is_columns(&beginning) {
        read_columns(File::open(path)?, records)?;
    } else if diff::is_text(&beginning) {
        diff::read_text(&mut BufReader::new(File::open(path)?), records)?;
    } else {
        return Ok(false);
    }
    let unreadable = records.unreadable() - unreadable;
    if unreadable > 0 {
        messages.notice(format_args!(
            "{}: {unreadable} endpoint records cannot be read, and are left out",
            path.display()
        ));
    }
    if records.count() == known && records.struck().is_empty() {
        bail!("no endpoint records (make them with --show endpoints)");
    }
    Ok(true)
}

#[cfg(feature = "parquet")]
fn read_columns(file: File, records: &mut Records) -> anyhow::Result<()> {
    Ok(diff::read_columns(file, records)?)
}

#[cfg(not(feature = "parquet"))]
fn read_columns(_: File, _: &mut Records) -> anyhow::Result<()> {
    bail!("built without Parquet: give NDJSON")
}

/// Analyzes the captures of one run.
fn analyzed(
    config: &DiffConfig,
    inputs: &[Input],
    templates: &Arc<Templates>,
    messages: Messages,
) -> anyhow::Result<Aggregate> {
    let room = config.sides.memory.share(ENDPOINT_MEMORY);
    if inputs.is_empty() {
        return Ok(Aggregate::new(Arc::clone(templates), room));
    }
    let (mut timeline, keys) = config.sides.open(inputs)?;
    let analysis = Analysis {
        wanted: Wanted { endpoints: true, headers: true, ..Wanted::default() },
        threads: config.sides.threads,
        memory: config.sides.memory,
        keys,
        templates: Arc::clone(templates),
        compared: true,
        ..Analysis::default()
    };
    let Ok(outcome) = captures(&mut timeline, analysis, None, Nothing);
    for damage in timeline.damage() {
        messages.notice(damage);
    }
    Ok(outcome.aggregate.unwrap_or_else(|| Aggregate::new(Arc::clone(templates), room)))
}

/// What one should know of a result.
fn notices(comparison: &Comparison, records: &[Records; 2], messages: Messages) {
    if comparison.endpoints.is_empty() {
        messages.notice("no endpoint was called in either run");
    }
    let without: u64 = records.iter().map(Records::without_durations).sum();
    if without > 0 {
        messages.notice(format_args!(
            "{without} endpoint records have no h2.duration.sketch: how long their calls took is not compared"
        ));
    }
}

/// How `--fail-on` ends it.
fn verdict(comparison: &Comparison, bounds: &[FailOn], messages: Messages) -> Exit {
    let mut exit = Exit::Done;
    for bound in bounds {
        let broken: Vec<_> = comparison.endpoints.iter().filter(|endpoint| bound.holds(endpoint)).collect();
        if let Some(first) = broken.first() {
            let more =
                if broken.len() > 1 { format!(" and {} more", broken.len() - 1) } else { String::new() };
            messages.notice(format_args!("--fail-on {bound}: {}{more}", name(first)));
            exit = Exit::Worse;
        }
    }
    exit
}

fn name(endpoint: &Difference) -> String {
    let shown = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{} {}{}", shown(&endpoint.method), shown(&endpoint.authority), shown(&endpoint.template))
}
