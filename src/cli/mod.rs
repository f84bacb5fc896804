//! The command line: what was typed ([`args`]) → what is to be done ([`config`]) → doing it ([`run`]).

pub mod args;
mod bodies;
pub mod command;
pub mod common;
mod completions;
pub mod config;
mod decryption;
pub mod diff;
mod display;
pub mod environment;
pub mod exit;
mod follow;
mod generate;
mod grouping;
mod hint;
mod inputs;
pub mod join;
pub mod live;
mod merge;
pub mod messages;
#[cfg(feature = "live")]
mod metrics;
mod output_dir;
mod parse_error;
pub mod privileges;
mod rights;
pub mod run;
pub mod sandbox;
mod signals;
mod tshark;
mod units;
mod unread;
pub mod usage;
#[cfg(feature = "tui")]
mod window;

use args::Args;
use config::Action;
use environment::Environment;
use exit::Exit;
use messages::Messages;
use usage::UsageError;

/// Does what the process's command line says, and tells how it ended.
pub fn main() -> Exit {
    let action = match Args::read(std::env::args_os()) {
        Ok(args) => Action::resolve(args, &Environment::of_process()),
        // Help and version are answers, not errors.
        Err(error) if !error.use_stderr() => {
            // A closed pipe ends quietly.
            let _ = error.print();
            return Exit::Done;
        }
        Err(error) => Err(UsageError::from(&error)),
    };
    let result = action.map_err(Into::into).and_then(run::run);
    result.unwrap_or_else(|error| {
        Messages::default().error(format_args!("{error:#}"));
        Exit::Usage
    })
}
