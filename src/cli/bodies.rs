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
use std::sync::{Mutex, PoisonError};

/// The manifest's name.
const MANIFEST: &str = "manifest.ndjson";

/// A directory that bodies are written to. Its files can be read by their owner alone.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    manifest: Mutex<Manifest>,
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
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            let mut builder = DirBuilder::new();
            #[cfg(unix)]
            builder.mode(0o700);
            builder.recursive(true).create(path)?;
        }
        let file = open(&path.join(MANIFEST), true)?;
        let manifest = Mutex::new(Manifest { file, lines: Vec::new(), failed: None });
        Ok(Self { path: path.to_owned(), manifest })
    }

    /// Writes the manifest; the first file that could not be written.
    pub(super) fn finish(&self) -> io::Result<Option<String>> {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        manifest.write_lines()?;
        Ok(manifest.failed.take())
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
        open(&self.path.join(name), first)?.write_all(bytes)
    }

    fn told(&self, file: &BodyFile) {
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
        assert!(Directory::create(&path).is_err(), "a manifest is there");
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
