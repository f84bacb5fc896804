//! The subcommands beside the flat command line.

use super::diff::DiffArgs;
use super::join::JoinArgs;
use super::merge::MergeArgs;
use clap::Subcommand;

/// What else h2lens does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Pair the calls of two captures: was it the network or the server
    #[command(disable_help_flag = true, long_about = super::join::LONG_ABOUT)]
    Join(Box<JoinArgs>),
    /// Compare two runs of a service, endpoint by endpoint
    #[command(disable_help_flag = true, long_about = super::diff::LONG_ABOUT)]
    Diff(Box<DiffArgs>),
    /// Make one result of the parts of --partition
    #[command(disable_help_flag = true, long_about = super::merge::LONG_ABOUT)]
    Merge(MergeArgs),
}
