//! What is read: captures, and the key logs that go with them.

use super::hint;
use super::messages::Messages;
use crate::base::memory::Memory;
use crate::capture::{Filter, Input, Timeline};
use crate::tls::{KeyLogReader, KeyStore};
use anyhow::Context;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Opens captures, for packets that match.
pub(super) fn timeline(inputs: &[Input], filter: Option<&str>, memory: Memory) -> anyhow::Result<Timeline> {
    let timeline = Timeline::open_within(inputs, memory).map_err(hint::explain)?;
    Ok(match filter {
        Some(expression) => timeline.with_filter(Filter::compile(expression)?),
        None => timeline,
    })
}

/// The secrets of the key logs, which need not exist where the environment names them.
pub(super) fn secrets(
    logs: &[PathBuf],
    from_environment: bool,
    memory: Memory,
    messages: Messages,
) -> anyhow::Result<KeyStore> {
    let mut keys = KeyStore::default();
    keys.set_memory(memory);
    for path in logs {
        match read_keys(path, &mut keys) {
            Ok(()) => (),
            Err(error) if from_environment => {
                messages.notice(format_args!("$SSLKEYLOGFILE: {}: {error}", path.display()));
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    Ok(keys)
}

/// Reads a key log piece by piece, whatever its size; what was read does not stay in memory.
fn read_keys(path: &Path, keys: &mut KeyStore) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut reader = KeyLogReader::default();
    let mut piece = Zeroizing::new(vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => reader.push(piece.get(..read).unwrap_or_default(), keys),
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    reader.finish(keys);
    Ok(())
}
