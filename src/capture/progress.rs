//! How far the reading is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes of the inputs have been read, for a progress bar: a handle that another thread may hold.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// The same counter, with what there is to read; `None` when that is not known, as with a pipe.
    pub(super) fn with_total(self, total: Option<u64>) -> Self {
        Self { total, ..self }
    }

    /// Counts bytes read.
    pub(super) fn add(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes read so far, of compressed files the compressed ones. A file that grows may give more than
    /// [`Self::total`].
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes that all inputs have together; `None` when one of them is no regular file.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}
