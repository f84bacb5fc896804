//! Where the output goes: colours, and what a terminal can show.

use super::environment::Environment;
use super::usage::UsageError;
use crate::export::Format;
use clap::ValueEnum;

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
