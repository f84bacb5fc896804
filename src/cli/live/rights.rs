//! What a live capture gives up once all is open, in order.

use super::{LiveFailure, LiveOptions, Messages};
use crate::cli::privileges::{User, drop_to, keep_no_capabilities, target};
use crate::cli::sandbox::{Places, Sandbox, enforce};
use std::path::{Path, PathBuf};

/// Gives up what `--sandbox` says. Before any thread is started: some of it holds for threads, not for the process.
///
/// # Errors
/// `strict`, and something could not be given up; or the files of a series could not be created any more.
pub(super) fn give_up(options: &LiveOptions) -> Result<(), LiveFailure> {
    let messages = options.messages;
    if options.sandbox == Sandbox::Off {
        messages.say(Messages::Verbose, "sandbox off: all rights are kept");
        return Ok(());
    }
    let user = target(options.user);
    if let Some(user) = user {
        hand_over(options, user);
    }
    let places = places(options);
    let steps = [user.map(drop_to), Some(keep_no_capabilities()), Some(enforce(&places))];
    for (index, step) in steps.into_iter().flatten().enumerate() {
        match step {
            Ok(done) => messages.say(Messages::Verbose, done),
            Err(reason) if options.sandbox == Sandbox::Strict => return Err(LiveFailure::Sandbox(reason)),
            // To go on as root is worth a word; an old kernel is not.
            Err(reason) if index == 0 && user.is_some() => {
                messages.say(Messages::Normal, format_args!("keeps its rights: {reason}"));
            }
            Err(reason) => messages.say(Messages::Verbose, format_args!("not enforced: {reason}")),
        }
    }
    // A series is created file by file, by whoever the process is now: better known now than hours later.
    let mut needed = places.write.iter().filter(|place| Some(*place) != options.saves.as_ref());
    match needed.find(|place| !is_writable(place)) {
        Some(place) => Err(LiveFailure::NotWritable(place.display().to_string())),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn is_writable(directory: &Path) -> bool {
    use nix::unistd::AccessFlags;
    nix::unistd::eaccess(directory, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn is_writable(_directory: &Path) -> bool {
    true
}

/// The places that the capture still needs.
fn places(options: &LiveOptions) -> Places {
    // Directories: the files may come later, or be replaced.
    let mut read: Vec<_> = options.key_logs.iter().map(|path| directory(path)).collect();
    // libpcap reads the interface's own drop counters there.
    let counters = PathBuf::from(format!("/sys/class/net/{}/statistics", options.interface));
    if counters.is_dir() {
        read.push(counters);
    }
    let rotates = options.rotation.size.is_some() || options.rotation.time.is_some();
    let series = options.save.iter().filter(|_| rotates).map(|path| directory(path));
    let write = series.chain(options.bodies.clone()).chain(options.saves.clone()).collect();
    Places { read, write }
}

/// Gives the outputs that are there already to the user whose they are to be.
#[cfg(unix)]
fn hand_over(options: &LiveOptions, user: User) {
    use std::fs::{Metadata, read_dir, symlink_metadata};
    use std::os::unix::fs::{MetadataExt, lchown};
    if !user.owner {
        return;
    }
    // If that fails the file is root's, as where nobody is named.
    let give = |path: &Path| drop(lchown(path, Some(user.uid), Some(user.gid)));
    let is_ours = |there: &Metadata| there.uid() == 0;
    if let Some(path) = &options.save
        && symlink_metadata(path).is_ok_and(|there| there.is_file() && is_ours(&there))
    {
        give(path);
    }
    if let Some(path) = &options.bodies
        && symlink_metadata(path).is_ok_and(|there| there.is_dir() && is_ours(&there))
        // With the manifest alone in it, it was made just now.
        && let Ok(entries) = read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        && entries.len() == 1
    {
        for entry in &entries {
            give(&entry.path());
        }
        give(path);
    }
}

#[cfg(not(unix))]
fn hand_over(_options: &LiveOptions, _user: User) {}

fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Rotation;

    #[test]
    fn only_a_series_needs_its_directory() {
        let mut options = LiveOptions::new("nosuch0");
        options.save = Some("out/a.pcapng".into());
        options.key_logs = vec!["keys.log".into()];
        let Places { read, write } = places(&options);
        assert_eq!((read, write), (vec![PathBuf::from(".")], vec![]));
        options.rotation = Rotation { size: Some(1), ..Rotation::default() };
        assert_eq!(places(&options).write, [PathBuf::from("out")]);
    }
}
