//! A key log that is followed while it grows.

use crate::tls::{KeyLogReader, KeyStore};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How often it is looked for more.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// How often it is seen whether it is still the same file.
const RECHECK: Duration = Duration::from_secs(1);

/// Bytes read at once.
const READ: usize = 64 << 10;

/// Follows a key log: new lines count when they are whole. A file that is not there yet is waited for; one that was
/// replaced or cut is read from its start.
pub(super) struct KeyLog {
    path: PathBuf,
    file: Option<File>,
    read: u64,
    reader: KeyLogReader,
    checked: Instant,
    buffer: Zeroizing<Vec<u8>>,
}

impl KeyLog {
    /// Opens it, if it is there.
    ///
    /// # Errors
    /// It is there and cannot be opened.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = match open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (reader, checked) = (KeyLogReader::default(), Instant::now());
        Ok(Self { path, file, read: 0, reader, checked, buffer: Zeroizing::new(vec![0; READ]) })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It is there.
    pub(super) const fn is_there(&self) -> bool {
        self.file.is_some()
    }

    /// The next bytes, to be given to [`KeyLog::learn`]; `None` when there are none for now.
    pub(super) fn poll(&mut self) -> Option<usize> {
        match self.file.as_mut().map(|file| file.read(&mut self.buffer)) {
            Some(Ok(read)) if read > 0 => {
                self.read += read as u64;
                return Some(read);
            }
            _ => {}
        }
        if self.checked.elapsed() >= RECHECK || self.file.is_none() {
            self.checked = Instant::now();
            self.reopen();
        }
        None
    }

    /// Takes the lines in the bytes that [`KeyLog::poll`] has read.
    pub(super) fn learn(&mut self, read: usize, keys: &mut KeyStore) {
        self.reader.push(self.buffer.get(..read).unwrap_or_default(), keys);
    }

    /// Opens the file again if another stands in its place, or if it was cut.
    fn reopen(&mut self) {
        let Ok(there) = std::fs::metadata(&self.path) else { return };
        let known = self.file.as_ref().and_then(|file| file.metadata().ok());
        let same = known.is_some_and(|known| same_file(&known, &there));
        if same && (!there.is_file() || there.len() >= self.read) {
            return;
        }
        if let Ok(file) = open(&self.path) {
            (self.file, self.read, self.reader) = (Some(file), 0, KeyLogReader::default());
        }
    }
}

/// Opens without waiting: a named pipe may have no writer yet.
#[cfg(target_os = "linux")]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits()).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(_a: &Metadata, _b: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(random: u8) -> String {
        format!("CLIENT_RANDOM {} {}\n", format!("{random:02x}").repeat(32), "07".repeat(48))
    }

    fn drain(log: &mut KeyLog, keys: &mut KeyStore) -> u64 {
        while let Some(read) = log.poll() {
            log.learn(read, keys);
        }
        keys.counters().secrets
    }

    #[test]
    fn follows_a_file_that_comes_late_grows_and_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.log");
        let mut keys = KeyStore::default();
        let mut log = KeyLog::open(path.clone()).unwrap();
        assert!(!log.is_there());
        assert_eq!(drain(&mut log, &mut keys), 0);

        std::fs::write(&path, line(1) + &line(2)[..20]).unwrap();
        drain(&mut log, &mut keys);
        assert_eq!(drain(&mut log, &mut keys), 1, "half a line does not count");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&line(2).as_bytes()[20..]).unwrap();
        assert_eq!(drain(&mut log, &mut keys), 2);

        std::fs::write(&path, line(3)).unwrap();
        log.checked -= RECHECK;
        drain(&mut log, &mut keys);
        assert_eq!(drain(&mut log, &mut keys), 3, "cut");

        let other = directory.path().join("other");
        std::fs::write(&other, line(4) + &line(5)).unwrap();
        std::fs::rename(&other, &path).unwrap();
        log.checked -= RECHECK;
        drain(&mut log, &mut keys);
        assert_eq!(drain(&mut log, &mut keys), 5, "replaced");
    }

    #[test]
    fn a_directory_is_no_key_log() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = KeyLog::open(directory.path().to_owned()).unwrap();
        assert_eq!(log.poll(), None);
    }
}
