//! What the analysis of captures gives up once they are open, and before a byte of them is looked at.
//!
//! Root becomes the user who called sudo, or nobody, and no capability is kept. Where something is opened or made only later, it
//! is with the rights of who has started the program, and these are kept. (Live capture: `live/rights`.)

use super::config::Config;
use super::messages::Messages;
use super::privileges::{drop_to, keep_no_capabilities, target};
use super::sandbox::Sandbox;
use anyhow::bail;

/// Whether what `--sandbox` says goes with what else is asked for. Before anything is made.
///
/// # Errors
/// `strict`, and something must be made with the rights of who starts it.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    match made_later(config) {
        Some(option) if config.sandbox == Sandbox::Strict => {
            bail!(
                "--sandbox strict: files of {option} are made with the rights of who starts it; leave out {option}"
            )
        }
        _ => Ok(()),
    }
}

/// Gives up what `--sandbox` says. Before any thread is started: some of it holds for threads, not for the process.
///
/// # Errors
/// `strict`, and something could not be given up.
pub(super) fn give_up(config: &Config, messages: Messages) -> anyhow::Result<()> {
    let sandbox = config.sandbox;
    if sandbox == Sandbox::Off {
        messages.detail("sandbox off: all rights are kept");
        return Ok(());
    }
    if let Some(option) = made_later(config) {
        messages.detail(format_args!("keeps its rights: {option} makes files later"));
        return Ok(());
    }
    let_go(sandbox, messages)
}

/// Becomes another than root, and keeps no capability; where no file is opened or made any more.
///
/// # Errors
/// `strict`, and something could not be given up.
pub(super) fn let_go(sandbox: Sandbox, messages: Messages) -> anyhow::Result<()> {
    for step in [target().map(drop_to), Some(keep_no_capabilities())].into_iter().flatten() {
        match step {
            Ok(done) => messages.detail(done),
            Err(reason) if sandbox == Sandbox::Strict => bail!("--sandbox strict: {reason}"),
            Err(reason) => messages.detail(format_args!("not enforced: {reason}")),
        }
    }
    Ok(())
}

/// The option for which files are made, or opened again, once the captures were read.
fn made_later(config: &Config) -> Option<&'static str> {
    let bodies = config.contents.as_ref().is_some_and(|contents| contents.files.is_some());
    let options = [
        (config.write.is_some(), "--write"),
        (config.directory.is_some(), "--output-dir"),
        (bodies, "--bodies"),
        // It opens the captures again, and saves what is looked at.
        (config.is_drawn(), "--tui"),
    ];
    options.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
}
