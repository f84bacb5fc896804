//! A directory as an input: the captures in it.

use super::progress::Progress;
use super::reader::{Reader, Reading};
use super::source::{Input, OpenError, OpenErrorKind};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes read of a file to see whether it is a capture.
const PEEK_BYTES: usize = 4 << 10;

/// The inputs that arguments stand for, and what was passed over on the way.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The inputs, each directory replaced by the captures in it, by name.
    pub inputs: Vec<Input>,
    /// Files in directories that are no captures.
    pub others: Vec<PathBuf>,
}

impl Input {
    /// Of several captures, and of a directory's, each is opened when its time has come: whether these are such.
    #[cfg(feature = "cli")]
    pub fn are_opened_later(inputs: &[Self]) -> bool {
        inputs.len() > 1 || inputs.iter().any(Self::is_directory)
    }

    fn is_directory(&self) -> bool {
        matches!(self, Self::File(path) if path.is_dir())
    }

    /// Replaces directories by the captures that stand in them: regular files, not hidden, that begin as a capture does,
    /// compressed or not. Directories in directories are not looked into.
    ///
    /// # Errors
    /// A directory that cannot be read, or in which no capture is, and a file in one that cannot be opened.
    pub fn expand(inputs: &[Self]) -> Result<Expanded, OpenError> {
        let mut expanded = Expanded::default();
        for input in inputs {
            match input {
                Self::File(path) if input.is_directory() => captures_in(path, &mut expanded)?,
                _ => expanded.inputs.push(input.clone()),
            }
        }
        Ok(expanded)
    }
}

/// Adds the captures in a directory, in the order of their names.
fn captures_in(directory: &Path, expanded: &mut Expanded) -> Result<(), OpenError> {
    let error = |input: &Path, kind| OpenError { input: input.display().to_string(), kind };
    let before = expanded.inputs.len();
    for path in files_in(directory).map_err(|reason| error(directory, reason.into()))? {
        match Reader::open(&Input::File(path.clone()), Reading::peek(PEEK_BYTES), Progress::default()) {
            Ok(_) => expanded.inputs.push(Input::File(path)),
            Err(kind @ OpenErrorKind::Io(_)) => return Err(error(&path, kind)),
            Err(_) => expanded.others.push(path),
        }
    }
    if expanded.inputs.len() == before { Err(error(directory, OpenErrorKind::NoCaptures)) } else { Ok(()) }
}

/// The regular files of a directory that are not hidden, by name.
fn files_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in directory.read_dir()? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // Opening a pipe would wait for its other end. Links count as what they lead to.
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing::{PcapFile, PcapngFile, samples};

    #[test]
    fn a_directory_stands_for_the_captures_in_it_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
        put("b.pcap", &PcapFile::usual().packets(&samples(2)).bytes);
        put("a.anything", &PcapngFile::usual().packets(&samples(2)).bytes);
        put("empty.pcap", b"");
        put("notes.txt", b"what was captured, and why");
        put(".hidden.pcap", &PcapFile::usual().bytes);
        std::fs::create_dir(directory.path().join("within")).unwrap();
        std::fs::write(directory.path().join("within/c.pcap"), PcapFile::usual().bytes).unwrap();
        let path = |name: &str| directory.path().join(name);
        let expanded = Input::expand(&[Input::Stdin, Input::File(directory.path().into())]).unwrap();
        assert_eq!(
            expanded,
            Expanded {
                inputs: vec![Input::Stdin, Input::File(path("a.anything")), Input::File(path("b.pcap"))],
                others: vec![path("empty.pcap"), path("notes.txt")],
            }
        );
    }

    #[test]
    fn a_directory_without_captures_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let error = Input::expand(&[Input::File(directory.path().into())]).unwrap_err();
        assert!(error.to_string().ends_with(": no capture in this directory"), "{error}");
        let file = directory.path().join("missing");
        assert_eq!(Input::expand(&[Input::File(file.clone())]).unwrap().inputs, [Input::File(file)]);
    }
}
