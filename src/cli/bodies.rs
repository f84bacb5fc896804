//! `--bodies DIR`: one file a body, and a manifest of them.

use crate::body::Store;
use crate::capture::not_through_links;
use crate::export;
use crate::record::BodyFile;
use crate::record::schema::contents::FileObject;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The manifest's name.
const MANIFEST: &str = "manifest.ndjson";

/// A directory that bodies are written to. Its files can be read by their owner alone.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    manifest: Mutex<Manifest>,
    /// The directory was made for it.
    made: bool,
    /// Something was written, or all was read.
    used: AtomicBool,
}

#[derive(Debug)]
struct Manifest {
    file: File,
    /// The lines, by connection, stream and side, until they are written in this order.
    lines: Vec<((u64, u32, bool), Vec<u8>)>,
    /// The first file that could not be written.
    failed: Option<String>,
}

/// Lines of the manifest that are held to be put in order; more are written as they come.
const LINES_HELD: usize = 1 << 16;

impl Directory {
    /// Makes the directory, if it is not there, and the manifest, which must not be.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let made = !path.is_dir();
        if made {
            let mut builder = DirBuilder::new();
            #[cfg(unix)]
            builder.mode(0o700);
            builder.recursive(true).create(path)?;
        }
        let file = match open(&path.join(MANIFEST), true) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                anyhow::bail!("{MANIFEST} is there already; name another directory")
            }
            file => file?,
        };
        let manifest = Mutex::new(Manifest { file, lines: Vec::new(), failed: None });
        Ok(Self { path: path.to_owned(), manifest, made, used: AtomicBool::new(false) })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the manifest; the first file that could not be written.
    pub(super) fn finish(&self) -> io::Result<Option<String>> {
        self.used.store(true, Ordering::Relaxed);
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        manifest.write_lines()?;
        Ok(manifest.failed.take())
    }
}

impl Drop for Directory {
    /// What was begun and not used is not in the way of the next try.
    fn drop(&mut self) {
        if *self.used.get_mut() {
            return;
        }
        if std::fs::remove_file(self.path.join(MANIFEST)).is_ok() && self.made {
            // Nobody is harmed by an empty directory that stays.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

impl Manifest {
    fn write_lines(&mut self) -> io::Result<()> {
        self.lines.sort_unstable();
        for (_, line) in self.lines.drain(..) {
            self.file.write_all(&line)?;
        }
        Ok(())
    }
}

fn open(path: &Path, first: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    if first {
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
    } else {
        options.append(true);
        not_through_links(&mut options);
    }
    options.open(path)
}

impl Store for Directory {
    fn append(&self, name: &str, bytes: &[u8], first: bool) -> io::Result<()> {
        self.used.store(true, Ordering::Relaxed);
        open(&self.path.join(name), first)?.write_all(bytes)
    }

    fn told(&self, file: &BodyFile) {
        self.used.store(true, Ordering::Relaxed);
        let mut text = Vec::new();
        export::json_line(&mut text, &FileObject::new(file));
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        if file.failed {
            manifest.failed.get_or_insert_with(|| file.name.clone());
        }
        manifest.lines.push(((file.connection, file.stream, !file.from_client), text));
        if manifest.lines.len() >= LINES_HELD && manifest.write_lines().is_err() {
            manifest.failed.get_or_insert_with(|| MANIFEST.to_owned());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(name: &str, stream: u32, failed: bool) -> BodyFile {
        BodyFile {
            name: name.to_owned(),
            connection: 7,
            stream,
            complete: true,
            failed,
            ..BodyFile::default()
        }
    }

    #[test]
    fn files_are_the_owners_alone_and_never_written_over() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/bodies");
        let directory = Directory::create(&path).unwrap();
        directory.append("a.txt", b"one ", true).unwrap();
        directory.append("a.txt", b"two", false).unwrap();
        assert_eq!(std::fs::read(path.join("a.txt")).unwrap(), b"one two");
        assert!(directory.append("a.txt", b"three", true).is_err());
        for name in ["a.txt", MANIFEST] {
            assert_eq!(std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let error = Directory::create(&path).unwrap_err().to_string();
        assert_eq!(error, "manifest.ndjson is there already; name another directory");
    }

    #[test]
    fn what_was_not_used_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("bodies");
        drop(Directory::create(&path).unwrap());
        assert!(!path.exists());
        Directory::create(&path).unwrap().finish().unwrap();
        assert!(path.join(MANIFEST).exists(), "there were no bodies");
        drop(Directory::create(home.path()).unwrap());
        assert!(home.path().is_dir() && !home.path().join(MANIFEST).exists(), "it was there before");
    }

    #[test]
    fn the_manifest_is_in_order() {
        let home = tempfile::tempdir().unwrap();
        let directory = Directory::create(home.path()).unwrap();
        for (name, stream, failed) in [("b.txt", 3, false), ("a.txt", 1, false), ("c.txt", 5, true)] {
            directory.told(&file(name, stream, failed));
        }
        assert_eq!(directory.finish().unwrap().as_deref(), Some("c.txt"));
        let manifest = std::fs::read_to_string(home.path().join(MANIFEST)).unwrap();
        let expected = "{\"file\":\"a.txt\",\"connection\":7,\"stream\":1,\"side\":\"response\",\"encoded_size\":0,\"size\":0,\"complete\":true}\n\
            {\"file\":\"b.txt\",\"connection\":7,\"stream\":3,\"side\":\"response\",\"encoded_size\":0,\"size\":0,\"complete\":true}\n\
            {\"connection\":7,\"stream\":5,\"side\":\"response\",\"encoded_size\":0,\"size\":0,\"complete\":false,\"error\":\"not_written\"}\n";
        assert_eq!(manifest, expected);
    }
}
