//! What the subcommands that read captures have in common.

use super::display::{self, Color, OutputFormat};
use super::environment::Environment;
use super::grouping::{self, Grouping};
use super::inputs::{secrets, timeline};
use super::messages::{Messages, Verbosity};
use super::units;
use super::usage::UsageError;
use crate::aggregate::{Patterns, Templates};
use crate::base::limit_counters::Struck;
use crate::base::memory::Memory;
use crate::capture::{Expanded, Input, Timeline};
use crate::export::{Format, Options as Output};
use crate::tls::KeyStore;
use clap::{ArgAction, Args, ValueHint};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Options of every subcommand. Their comments are the help: plain text.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// Only packets that match a pcap filter
    #[arg(short, long, value_name = "BPF", help_heading = "Input")]
    pub filter: Option<String>,

    /// TLS secrets [default: $SSLKEYLOGFILE]
    ///
    /// TLS secrets in NSS key log format (RFC 9850), of both inputs; may be given several times. Without it $SSLKEYLOGFILE
    /// is used.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    pub keylog: Vec<PathBuf>,

    /// Paths that are one endpoint, as '/users/{id}'
    #[arg(long, value_name = "PATTERN", help_heading = "Output")]
    pub path_template: Vec<String>,

    /// auto, off, or an OpenAPI document
    ///
    /// How paths are grouped into endpoints: auto (the default) by what looks like a value and by how many siblings there
    /// are, off not at all; a FILE is an OpenAPI document, in YAML or JSON, whose paths come first.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub path_templates: Option<PathBuf>,

    /// table, ndjson, json, csv, parquet, arrow
    ///
    /// Output format. The default is table on a terminal, ndjson otherwise; csv, parquet (a file) and arrow (a stream) hold
    /// one kind of record.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_parser = display::record_format(),
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub output: Option<OutputFormat>,

    /// Short for -o ndjson
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    pub json: bool,

    /// auto, always or never
    ///
    /// When to colour the table. With auto it is coloured on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_enum, hide_possible_values = true, help_heading = "Output")]
    pub color: Option<Color>,

    /// No messages but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,

    /// More messages
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Memory for what grows with the inputs, at least 64M [default: 512M]
    #[arg(long, value_name = "SIZE", value_parser = units::memory, help_heading = "Other")]
    pub memory: Option<Memory>,

    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Other")]
    pub threads: Option<u16>,

    /// Print help
    #[arg(short, long, action = ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,
}

impl Common {
    /// What is to be read and how, `arguments` being those of the two sides, each with its name.
    pub(super) fn resolve(
        &self,
        arguments: [(&OsStr, &str); 2],
        environment: &Environment,
    ) -> Result<Sides, UsageError> {
        Ok(Sides {
            inputs: inputs(arguments)?,
            output: self.output(environment)?,
            filter: self.filter.clone(),
            keylogs: match self.keylog.as_slice() {
                [] => (environment.key_log.iter().map(PathBuf::from).collect(), true),
                given => (given.to_vec(), false),
            },
            templates: (
                grouping::patterns(&self.path_template)?,
                grouping::grouping(self.path_templates.as_deref()),
            ),
            threads: self.threads.map_or(environment.processors, usize::from).max(1),
            memory: self.memory.unwrap_or_default(),
            messages: Messages::new(match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, false) => Verbosity::Normal,
                (false, true) => Verbosity::Verbose,
            }),
        })
    }

    fn output(&self, environment: &Environment) -> Result<Output, UsageError> {
        let is_terminal = environment.stdout_is_terminal;
        let format = match self.output {
            Some(format) => format.into(),
            None if self.json || !is_terminal => Format::Ndjson,
            None => Format::Table,
        };
        if is_terminal && format.is_binary() {
            return Err(display::not_for_terminals(format));
        }
        let (color, width) =
            (display::color(self.color, environment), environment.columns.filter(|_| is_terminal));
        Ok(Output { format, color, width, ..Output::default() })
    }
}

/// Two sides that are to be read, and how.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    pub(super) inputs: [Vec<Input>; 2],
    pub(super) output: Output,
    filter: Option<String>,
    /// And whether they are the environment's, which need not exist.
    keylogs: (Vec<PathBuf>, bool),
    templates: (Patterns, Grouping),
    /// Worker threads, at least 1.
    pub(super) threads: usize,
    pub(super) memory: Memory,
    pub(super) messages: Messages,
}

impl Sides {
    /// How paths are grouped.
    pub(super) fn templates(&self) -> anyhow::Result<Templates> {
        grouping::grouped(&self.templates.0, &self.templates.1)
    }

    /// Opens the captures of one side.
    pub(super) fn open(&self, inputs: &[Input]) -> anyhow::Result<(Timeline, KeyStore)> {
        let Expanded { inputs, others } = Input::expand(inputs)?;
        for path in others {
            self.messages.detail(format_args!("{}: no capture, left out", path.display()));
        }
        let keys = secrets(&self.keylogs.0, self.keylogs.1, self.memory, self.messages)?;
        Ok((timeline(&inputs, self.filter.as_deref(), self.memory)?, keys))
    }
}

/// The inputs of two sides, each with the name of its argument.
fn inputs(arguments: [(&OsStr, &str); 2]) -> Result<[Vec<Input>; 2], UsageError> {
    let [first, second] = arguments.map(|(argument, name)| {
        let inputs: Vec<_> = listed(argument).iter().map(|word| Input::from_argument(word)).collect();
        if inputs.is_empty() {
            return Err(UsageError(format!("{name} is empty: name a capture, or '-' for standard input")));
        }
        Ok(inputs)
    });
    let sides = [first?, second?];
    if sides.iter().flatten().filter(|input| **input == Input::Stdin).count() > 1 {
        return Err(UsageError("'-' is given twice: standard input can be read once".to_owned()));
    }
    Ok(sides)
}

/// Tells of the caps that struck.
pub(super) fn limits(struck: &Struck, messages: Messages) {
    for (limit, count) in struck.iter() {
        messages.notice(format_args!("limit {} struck {count} times (docs/limits.md)", limit.name()));
    }
}

/// The words between commas; a name with a comma in it is given by a directory.
pub fn listed(argument: &OsStr) -> Vec<OsString> {
    let bytes = argument.as_encoded_bytes();
    match argument.to_str() {
        Some(text) => text.split(',').filter(|word| !word.is_empty()).map(OsString::from).collect(),
        None if bytes.is_empty() => Vec::new(),
        None => vec![argument.to_owned()],
    }
}

/// A time that may be before: `1.5s`, `-200ms`, `2h`; in nanoseconds.
///
/// # Errors
/// Says what is accepted.
pub fn signed_time(text: &str) -> Result<i64, String> {
    units::signed_nanos(text)
}
