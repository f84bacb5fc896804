//! What the output is: its format, colours, and what a terminal can show.

use super::environment::Environment;
use super::usage::UsageError;
use crate::export::Format;
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// `--color`
#[allow(clippy::doc_markdown, reason = "shown as help")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// In pipes, too
    Always,
    /// Not at all
    Never,
}

/// `--output`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Rows for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// One JSON array
    Json,
    /// Comma separated values, one kind of record
    Csv,
    /// Columns in a file, one kind of record
    #[cfg(feature = "parquet")]
    Parquet,
    /// Columns in a stream, one kind of record
    #[cfg(feature = "parquet")]
    Arrow,
    /// For network panels of browsers
    Har,
    /// Traces for collectors, OTLP/JSON
    Otlp,
    /// Events for Perfetto
    Trace,
    /// Commands that repeat the requests
    Curl,
    /// The report, one page for people
    Html,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Json => Self::Json,
            OutputFormat::Csv => Self::Csv,
            #[cfg(feature = "parquet")]
            OutputFormat::Parquet => Self::Parquet,
            #[cfg(feature = "parquet")]
            OutputFormat::Arrow => Self::Arrow,
            OutputFormat::Har => Self::Har,
            OutputFormat::Otlp => Self::Otlp,
            OutputFormat::Trace => Self::Trace,
            OutputFormat::Curl => Self::Curl,
            OutputFormat::Html => Self::Html,
        }
    }
}

impl OutputFormat {
    /// Of records of any kind; those of the subcommands, too.
    fn is_of_records(self) -> bool {
        !matches!(self, Self::Har | Self::Otlp | Self::Trace | Self::Curl | Self::Html)
    }
}

/// `--output` of a subcommand: the formats that are of records of any kind.
pub(super) fn record_format() -> impl TypedValueParser<Value = OutputFormat> {
    let formats = OutputFormat::value_variants().iter().filter(|format| format.is_of_records());
    PossibleValuesParser::new(formats.filter_map(ValueEnum::to_possible_value))
        .try_map(|name| OutputFormat::from_str(&name, false))
}

/// Whether the output is coloured.
pub(super) fn color(given: Option<Color>, environment: &Environment) -> bool {
    match given.unwrap_or_default() {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => environment.stdout_is_terminal && !environment.no_color,
    }
}

/// The format is bytes that a terminal cannot show.
pub(super) fn not_for_terminals(format: Format) -> UsageError {
    UsageError(format!("-o {} is nothing for a terminal: redirect the output", format.name()))
}
