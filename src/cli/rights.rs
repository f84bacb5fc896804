//! What the analysis of captures gives up once they are open, and before a byte of them is looked at.
//!
//! Root becomes the user who is named, the one who called sudo, or nobody, and no capability is kept. Where something is opened or made only later, it
//! is with the rights of who has started the program, and these are kept. (Live capture: `live/rights`.)

use super::messages::Messages;
use super::privileges::{User, drop_to, keep_no_capabilities, target};
use super::sandbox::Sandbox;
use anyhow::bail;

/// Whether what `--sandbox` says goes with what else is asked for: `later` is the option for which files are made, or opened
/// again, once the captures were read. Before anything is made.
///
/// # Errors
/// `strict` or `--user`, and there is such an option.
pub(super) fn check(sandbox: Sandbox, user: Option<User>, later: Option<&str>) -> anyhow::Result<()> {
    let asked = (sandbox == Sandbox::Strict).then_some("--sandbox strict").or(user.map(|_| "--user"));
    if let (Some(asked), Some(option)) = (asked, later) {
        bail!(
            "{asked}: some files are opened, or made, later with the rights of who starts it; leave out {option}"
        );
    }
    Ok(())
}

/// Gives up what `--sandbox` says. Before any thread is started: some of it holds for threads, not for the process.
///
/// # Errors
/// `strict`, and something could not be given up.
pub(super) fn give_up(
    sandbox: Sandbox,
    user: Option<User>,
    later: Option<&str>,
    messages: Messages,
) -> anyhow::Result<()> {
    if sandbox == Sandbox::Off {
        messages.detail("sandbox off: all rights are kept");
        return Ok(());
    }
    if let Some(option) = later {
        messages.detail(format_args!("keeps its rights for files that are opened or made later: {option}"));
        return Ok(());
    }
    for step in [target(user).map(drop_to), Some(keep_no_capabilities())].into_iter().flatten() {
        match step {
            Ok(done) => messages.detail(done),
            Err(reason) if sandbox == Sandbox::Strict => bail!("--sandbox strict: {reason}"),
            Err(reason) => messages.detail(format_args!("not enforced: {reason}")),
        }
    }
    Ok(())
}
