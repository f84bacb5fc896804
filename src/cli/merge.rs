//! `h2lens merge PART…`: what several processes told of their parts of the connections → one result.

use super::exit::Exit;
use crate::merge::{Source, merge};
use anyhow::Context;
use clap::{ArgAction, Args, ValueHint};
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// What it does, for its help and its man page.
pub(super) const LONG_ABOUT: &str = "\
Merges what several processes printed with --partition, one for each part of the connections, into what one process would \
have printed, byte for byte. All parts must be there, each whole and made with the same options; else there is no result, and \
the exit status is 2. Where a cap that is there once in a process may have struck, the telemetry record names it (inexact).";

/// Options of `merge`. Their comments are the help: plain text.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, Debug, Default)]
pub struct MergeArgs {
    /// The NDJSON of all parts, in any order
    #[arg(required = true, value_name = "PART", value_hint = ValueHint::FilePath)]
    pub parts: Vec<PathBuf>,

    /// Print help
    #[arg(short, long, action = ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,
}

/// Merges them to standard output.
///
/// # Errors
/// When these are not all parts of one capture, each whole, and when they cannot be read or the result not written.
pub(super) fn run(args: &MergeArgs) -> anyhow::Result<Exit> {
    let open = |path: &PathBuf| -> anyhow::Result<Source<File>> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| name.clone())?;
        Ok(Source { name, file })
    };
    let sources = args.parts.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    match merge(sources, &mut io::stdout().lock()) {
        Err(error) if !error.is_closed() => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
