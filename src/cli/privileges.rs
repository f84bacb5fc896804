//! Giving rights up, once the interface and the files are open: root becomes the user who is named, the one who called sudo, or
//! nobody; no capability is kept, and none can be gained again.

/// Whom the process is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User number.
    pub(super) uid: u32,
    /// Group number.
    pub(super) gid: u32,
    /// The outputs are to be this user's: it was named, or has called sudo.
    pub(super) owner: bool,
}

/// Number of the user `nobody` and its group, where the system does not say.
#[cfg(target_os = "linux")]
const NOBODY: u32 = 65_534;

#[cfg(target_os = "linux")]
pub(super) use linux::{drop_to, keep_no_capabilities, named, target};

#[cfg(target_os = "linux")]
mod linux {
    use super::{NOBODY, User};
    use caps::CapSet;
    use nix::unistd::{Gid, Uid, User as Account, setgroups, setresgid, setresuid};

    /// `--user`: whom root is to become.
    ///
    /// # Errors
    /// Says in words why not.
    pub(in crate::cli) fn named(name: &str) -> Result<User, String> {
        if !Uid::effective().is_root() {
            return Err("only root can become somebody else".to_owned());
        }
        match Account::from_name(name) {
            Ok(Some(account)) if account.uid.is_root() => Err("root would keep its rights".to_owned()),
            Ok(Some(Account { uid, gid, .. })) => {
                Ok(User { uid: uid.as_raw(), gid: gid.as_raw(), owner: true })
            }
            _ => Err(format!("there is no user {name}")),
        }
    }

    /// Whom to become: of root the user who is named, the one in `$SUDO_UID` and `$SUDO_GID`, else `nobody`; others stay who
    /// they are.
    pub(in crate::cli) fn target(named: Option<User>) -> Option<User> {
        if named.is_some() || !Uid::effective().is_root() {
            return named;
        }
        let number = |name| std::env::var(name).ok()?.parse().ok().filter(|&id: &u32| id != 0);
        if let (Some(uid), Some(gid)) = (number("SUDO_UID"), number("SUDO_GID")) {
            return Some(User { uid, gid, owner: true });
        }
        let nobody = Account::from_name("nobody").ok().flatten();
        let (uid, gid) = nobody.map_or((NOBODY, NOBODY), |nobody| (nobody.uid.as_raw(), nobody.gid.as_raw()));
        Some(User { uid, gid, owner: false })
    }

    /// Becomes that user, for good and on all threads.
    ///
    /// # Errors
    /// Says in words why not.
    pub(in crate::cli) fn drop_to(user: User) -> Result<String, String> {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        // The bounding set can only be emptied while the right to do so is there; it matters to no one after this.
        let _ = caps::clear(None, CapSet::Bounding);
        let become_it = || -> nix::Result<()> {
            setgroups(&[gid])?;
            setresgid(gid, gid, gid)?;
            setresuid(uid, uid, uid)
        };
        become_it().map_err(|error| format!("cannot become uid {uid}, gid {gid}: {}", error.desc()))?;
        let back = Uid::from_raw(0);
        if Uid::effective().is_root() || setresuid(back, back, back).is_ok() {
            return Err("root could be gained again".to_owned());
        }
        Ok(format!("runs as uid {uid}, gid {gid}"))
    }

    /// Gives all capabilities up, and with `no_new_privs` (prctl(2)) the ways to get any. Holds for this thread and
    /// those that it starts from here on.
    ///
    /// # Errors
    /// Says in words what is still there.
    pub(in crate::cli) fn keep_no_capabilities() -> Result<String, String> {
        let _ = caps::clear(None, CapSet::Ambient);
        for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
            caps::clear(None, set).map_err(|error| format!("cannot give capabilities up: {error}"))?;
            let left = caps::read(None, set).map_err(|error| error.to_string())?;
            if !left.is_empty() {
                return Err(format!("{} capabilities are left", left.len()));
            }
        }
        nix::sys::prctl::set_no_new_privs().map_err(|error| format!("no_new_privs: {}", error.desc()))?;
        Ok("keeps no capabilities, can gain none (no_new_privs)".to_owned())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_thread_without_capabilities_has_none() {
            std::thread::spawn(|| {
                keep_no_capabilities().unwrap();
                assert!(caps::read(None, CapSet::Permitted).unwrap().is_empty());
                assert_eq!(nix::sys::prctl::get_no_new_privs(), Ok(true));
                assert!(caps::raise(None, CapSet::Effective, caps::Capability::CAP_NET_RAW).is_err());
            })
            .join()
            .unwrap();
        }

        #[test]
        fn who_is_named_is_somebody_else() {
            let is_root = Uid::effective().is_root();
            assert_eq!(named("nobody").is_ok_and(|user| user.uid != 0 && user.owner), is_root);
            assert!(named("root").is_err() && named("no such user").is_err() && named("").is_err());
        }

        #[test]
        fn root_becomes_someone_else() {
            match target(None) {
                Some(user) => assert!(Uid::effective().is_root() && user.uid != 0 && user.gid != 0),
                None => assert!(!Uid::effective().is_root()),
            }
        }
    }
}

/// Nobody: rights are given up on Linux only.
#[cfg(not(target_os = "linux"))]
pub(super) fn target(_named: Option<User>) -> Option<User> {
    None
}

/// `--user`: whom root is to become.
///
/// # Errors
/// Always: rights are given up on Linux only.
#[cfg(not(target_os = "linux"))]
pub(super) fn named(_name: &str) -> Result<User, String> {
    Err("privileges are dropped on Linux only".to_owned())
}

/// Becomes that user.
///
/// # Errors
/// Always: rights are given up on Linux only.
#[cfg(not(target_os = "linux"))]
pub(super) fn drop_to(_user: User) -> Result<String, String> {
    Err("privileges are dropped on Linux only".to_owned())
}

/// Gives all capabilities up.
///
/// # Errors
/// Always: rights are given up on Linux only.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_no_capabilities() -> Result<String, String> {
    Err("privileges are dropped on Linux only".to_owned())
}
