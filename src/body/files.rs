//! Bodies as files, written as they come: what is held of one is a buffer.

use crate::record::BodyFile;
use std::fmt::Debug;
use std::sync::Arc;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 << 10;

/// Where files are written. Called from several threads.
pub trait Store: Debug + Send + Sync {
    /// Appends to a file; the `first` time makes it, which fails where there is one.
    ///
    /// # Errors
    /// Why not.
    fn append(&self, name: &str, bytes: &[u8], first: bool) -> std::io::Result<()>;

    /// A file is over.
    fn told(&self, file: &BodyFile);
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct BodyWriter {
    store: Arc<dyn Store>,
    name: String,
    buffer: Vec<u8>,
    written: u64,
    begun: bool,
    failed: bool,
}

impl BodyWriter {
    pub(super) fn new(store: &Arc<dyn Store>, name: String) -> Self {
        let store = Arc::clone(store);
        Self { store, name, buffer: Vec::new(), written: 0, begun: false, failed: false }
    }

    /// The next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush();
        }
        if bytes.len() >= BUFFER {
            self.write(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    fn flush(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if !buffer.is_empty() {
            self.write(&buffer);
        }
        self.buffer = buffer;
        self.buffer.clear();
    }

    fn write(&mut self, bytes: &[u8]) {
        let first = !std::mem::replace(&mut self.begun, true);
        self.failed |= self.store.append(&self.name, bytes, first).is_err();
        self.written += if self.failed { 0 } else { bytes.len() as u64 };
    }

    /// The body is over: its name and size, or `None` where there is no file. The rest of `file` is the caller's.
    pub(super) fn finish(mut self, file: BodyFile) -> Option<String> {
        self.flush();
        let written = self.begun && !self.failed;
        if self.begun {
            self.store.told(&BodyFile {
                name: self.name.clone(),
                written: self.written,
                failed: self.failed,
                ..file
            });
        }
        written.then_some(self.name)
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.name.capacity() + self.buffer.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};
    use std::sync::Mutex;

    #[derive(Debug, Default)]
    struct Kept(Mutex<(Vec<usize>, Vec<BodyFile>, bool)>);

    impl Store for Kept {
        fn append(&self, _: &str, bytes: &[u8], first: bool) -> std::io::Result<()> {
            let mut kept = self.0.lock().unwrap();
            assert_eq!(first, kept.0.is_empty());
            kept.0.push(bytes.len());
            if kept.2 { Err(Error::from(ErrorKind::AlreadyExists)) } else { Ok(()) }
        }

        fn told(&self, file: &BodyFile) {
            self.0.lock().unwrap().1.push(file.clone());
        }
    }

    fn written(refused: bool, pieces: &[usize]) -> (Option<String>, Vec<usize>, Vec<BodyFile>) {
        let kept = Arc::new(Kept(Mutex::new((Vec::new(), Vec::new(), refused))));
        let store: Arc<dyn Store> = kept.clone();
        let mut writer = BodyWriter::new(&store, "1-1-response.txt".to_owned());
        for piece in pieces {
            writer.push(&vec![b'x'; *piece]);
            assert!(writer.memory() < 2 * BUFFER);
        }
        let name = writer.finish(BodyFile::default());
        let kept = kept.0.lock().unwrap();
        (name, kept.0.clone(), kept.1.clone())
    }

    #[test]
    fn bytes_are_gathered_and_written_in_order() {
        let (name, sizes, told) = written(false, &[10, BUFFER - 10, 1, 3 * BUFFER, 5]);
        assert_eq!((name.as_deref(), sizes), (Some("1-1-response.txt"), vec![BUFFER, 1, 3 * BUFFER, 5]));
        assert_eq!((told.len(), told[0].written, told[0].failed), (1, 4 * BUFFER as u64 + 6, false));
        assert_eq!(written(false, &[]).2, []);
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let (name, sizes, told) = written(true, &[BUFFER, BUFFER, 5]);
        assert_eq!((name, sizes, told[0].failed, told[0].written), (None, vec![BUFFER], true, 0));
    }
}
