//! What of the file system and the network a live capture may still touch once all is open: its outputs and the
//! key log, by Landlock (Linux 5.13 and later).

use clap::ValueEnum;
#[cfg(feature = "live")]
use std::path::PathBuf;

/// `--sandbox`: what the process gives up before the first packet is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// No restrictions
    Off,
    /// As far as the system can
    #[default]
    Auto,
    /// Wholly, or not at all
    Strict,
}

/// The places that stay open.
#[cfg(feature = "live")]
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Directories, or files, that are read.
    pub(super) read: Vec<PathBuf>,
    /// Directories in which files are created, written and removed.
    pub(super) write: Vec<PathBuf>,
}

/// Closes the file system but for these places, and TCP but for the sockets that are open. Holds for this thread and
/// those that it starts from here on. Says what was enforced.
///
/// # Errors
/// Says in words why nothing was.
#[cfg(all(feature = "live", target_os = "linux"))]
pub(super) fn enforce(places: &Places) -> Result<String, String> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetStatus, Scope,
    };
    let abi = ABI::V6;
    let apply = || -> Result<RulesetStatus, Box<dyn std::error::Error>> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?;
        let write = AccessFs::MakeReg | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::RemoveFile;
        let read = places.read.iter().map(|path| (path, AccessFs::ReadFile.into()));
        for (path, access) in read.chain(places.write.iter().map(|path| (path, write))) {
            // What is not there cannot be opened either.
            if let Ok(place) = PathFd::new(path) {
                rules = rules.add_rule(PathBeneath::new(place, access))?;
            }
        }
        Ok(rules.restrict_self()?.ruleset)
    };
    let status = apply().map_err(|error| format!("landlock: {error}"))?;
    let partly = match status {
        RulesetStatus::FullyEnforced => "",
        RulesetStatus::PartiallyEnforced => ", as far as this kernel can",
        RulesetStatus::NotEnforced => return Err("landlock: this kernel has none, or it is off".to_owned()),
    };
    let list = |paths: &[PathBuf]| {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    Ok(format!("landlock: may read {}, write {}{partly}", list(&places.read), list(&places.write)))
}

/// There is no sandbox here.
///
/// # Errors
/// Always.
#[cfg(all(feature = "live", not(target_os = "linux")))]
pub(super) fn enforce(_places: &Places) -> Result<String, String> {
    Err("landlock: only on Linux".to_owned())
}

#[cfg(all(test, feature = "live", target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{ErrorKind, Write};

    /// On a thread of its own, which alone is restricted.
    #[test]
    fn only_the_places_named_stay_open() {
        let directory = tempfile::tempdir().unwrap();
        let (inside, keys) = (directory.path().join("out"), directory.path().join("keys"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&keys).unwrap();
        fs::write(keys.join("log"), "secret").unwrap();
        let places = Places { read: vec![keys.clone()], write: vec![inside.clone()] };
        let outside = directory.path().join("outside");
        let before = fs::File::create(directory.path().join("before")).unwrap();
        let denied = |result: std::io::Result<()>| result.unwrap_err().kind();
        let result = std::thread::spawn(move || {
            let enforced = match enforce(&places) {
                Ok(enforced) => enforced,
                Err(reason) => {
                    println!("SKIPPED: {reason}");
                    return;
                }
            };
            assert_eq!(denied(fs::write(&outside, "x")), ErrorKind::PermissionDenied);
            assert_eq!(denied(fs::write(keys.join("log"), "x")), ErrorKind::PermissionDenied);
            assert_eq!(denied(fs::read("/etc/hostname").map(drop)), ErrorKind::PermissionDenied);
            assert_eq!(fs::read(keys.join("log")).unwrap(), b"secret");
            fs::write(inside.join("a"), "x").unwrap();
            fs::remove_file(inside.join("a")).unwrap();
            (&before).write_all(b"still open").unwrap();
            // Kernels before 6.7 close the file system only, and say so.
            let all = !enforced.contains("as far as");
            assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err() || !all);
        });
        result.join().unwrap();
        assert!(directory.path().read_dir().unwrap().count() >= 3, "other threads go on");
    }
}
