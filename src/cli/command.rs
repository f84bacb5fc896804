//! The subcommands beside the flat command line, and the options that all of them take.

use super::args::Color;
use super::config::Environment;
use super::join::JoinArgs;
use super::merge::MergeArgs;
use super::messages::Verbosity;
use super::units;
use super::usage::UsageError;
use crate::aggregate::Patterns;
use crate::export::Format;
use clap::{ArgAction, Args, Subcommand, ValueEnum, ValueHint};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What else h2lens does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Pair the calls of two captures: was it the network or the server
    #[command(disable_help_flag = true, long_about = super::join::LONG_ABOUT)]
    Join(Box<JoinArgs>),
    /// Make one result of the parts of --partition
    #[command(disable_help_flag = true, long_about = super::merge::LONG_ABOUT)]
    Merge(MergeArgs),
}

/// `--output` of a subcommand
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// Rows for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// One JSON array
    Json,
    /// Comma separated values, one kind of record
    Csv,
}

impl From<TextFormat> for Format {
    fn from(format: TextFormat) -> Self {
        match format {
            TextFormat::Table => Self::Table,
            TextFormat::Ndjson => Self::Ndjson,
            TextFormat::Json => Self::Json,
            TextFormat::Csv => Self::Csv,
        }
    }
}

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

    /// table, ndjson, json or csv
    ///
    /// Output format. The default is table on a terminal, ndjson otherwise.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_enum,
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub output: Option<TextFormat>,

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

    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Other")]
    pub threads: Option<u16>,

    /// Print help
    #[arg(short, long, action = ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,
}

impl Common {
    /// The output's format.
    pub fn format(&self, environment: &Environment) -> Format {
        match self.output {
            Some(format) => format.into(),
            None if self.json || !environment.stdout_is_terminal => Format::Ndjson,
            None => Format::Table,
        }
    }

    /// Which messages are printed.
    pub const fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        }
    }

    /// `--path-template`
    pub(super) fn patterns(&self) -> Result<Patterns, UsageError> {
        super::config::patterns(&self.path_template)
    }

    /// The key logs, and whether they are the environment's, which need not exist.
    pub fn keylogs(&self, environment: &Environment) -> (Vec<PathBuf>, bool) {
        match self.keylog.as_slice() {
            [] => (environment.key_log.iter().map(PathBuf::from).collect(), true),
            given => (given.to_vec(), false),
        }
    }

    /// Worker threads, at least 1.
    pub fn threads(&self, environment: &Environment) -> usize {
        self.threads.map_or(environment.processors, usize::from).max(1)
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
