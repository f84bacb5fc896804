//! `--output-dir DIR`: a file for each kind of record, under another name until all of them are whole.

use super::config::Directory;
use super::signals::{Request, Signals};
use crate::export::Options;
use anyhow::{Context, bail};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files that are being written. Those that are not whole when this is dropped, or when the process is told to end, are
/// removed.
#[derive(Debug, Default)]
pub(super) struct OutputDir {
    pending: Arc<Mutex<Vec<Pending>>>,
    /// The directory, where it was not there before: it goes if nothing comes of it.
    made: Option<PathBuf>,
}

/// A file that is not whole yet.
#[derive(Debug)]
struct Pending {
    now: PathBuf,
    then: PathBuf,
}

/// A file, and what goes into it.
type Output = (Box<dyn Write>, Options);

impl OutputDir {
    /// Makes the directory, if it is not there, and a file for each kind of record. To be called before threads are
    /// started: they must not take the signals that end the process.
    pub(super) fn create(directory: &Directory, options: &Options) -> anyhow::Result<(Self, Vec<Output>)> {
        let Directory { path, force } = directory;
        let extension = options.format.extension().unwrap_or_default();
        let named = |(kind, options)| (path.join(format!("{kind}.{extension}")), options);
        let files: Vec<_> = options.by_kind().into_iter().map(named).collect();
        for (then, _) in &files {
            let there = then.symlink_metadata();
            if there.as_ref().is_ok_and(|there| !force || there.is_dir()) {
                let way_out = if *force { "it is a directory" } else { "--force writes over it" };
                bail!("--output-dir: {} is there already; {way_out}", then.display());
            }
        }
        let made = (!path.exists()).then(|| path.clone());
        fs::create_dir_all(path).with_context(|| format!("--output-dir {}", path.display()))?;
        let own = Self { pending: Arc::default(), made };
        let pending = Arc::clone(&own.pending);
        Signals::hold()?.watch(move |request| {
            if let Request::Stop(status) = request {
                let mut pending = lock(&pending);
                remove(&mut pending);
                // The lock is kept: nothing gets its name now.
                std::process::exit(status);
            }
        })?;
        let mut outputs: Vec<Output> = Vec::new();
        for (then, options) in files {
            outputs.push((own.open(then)?, options));
        }
        Ok((own, outputs))
    }

    fn open(&self, then: PathBuf) -> anyhow::Result<Box<dyn Write>> {
        let name = then.file_name().unwrap_or_default().to_string_lossy();
        let now = then.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let mut pending = lock(&self.pending);
        let file = File::create_new(&now).with_context(|| now.display().to_string())?;
        pending.push(Pending { now, then });
        Ok(Box::new(file))
    }

    /// All is written: gives the files their names.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let mut pending = lock(&self.pending);
        while let Some(Pending { now, then }) = pending.first() {
            fs::rename(now, then).with_context(|| then.display().to_string())?;
            pending.remove(0);
        }
        Ok(())
    }
}

impl Drop for OutputDir {
    fn drop(&mut self) {
        remove(&mut lock(&self.pending));
        if let Some(made) = &self.made {
            // What has files in it stays.
            let _ = fs::remove_dir(made);
        }
    }
}

/// What is in the list is true whenever the lock is free, even if its holder has panicked.
fn lock(pending: &Mutex<Vec<Pending>>) -> MutexGuard<'_, Vec<Pending>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(pending: &mut Vec<Pending>) {
    for Pending { now, .. } in pending.drain(..) {
        // One that cannot be removed is left under a name that says what it is.
        let _ = fs::remove_file(now);
    }
}
