//! Why output ended early.

use std::io::{self, ErrorKind};

/// Why output ended early.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The reader has closed its end: no error, nobody wants to read more.
    #[error("the reader of the output has closed it")]
    Closed,
    /// Anything else.
    #[error("cannot write the output: {0}")]
    Io(io::Error),
    /// What is to be sorted does not fit into memory, nor elsewhere.
    #[error("--sort: cannot write a temporary file ({0}): make room, or show fewer with --top N")]
    Sort(io::Error),
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe { Self::Closed } else { Self::Io(error) }
    }
}

#[cfg(feature = "parquet")]
impl From<super::columns::ColumnsError> for PrintError {
    fn from(error: super::columns::ColumnsError) -> Self {
        Self::Io(io::Error::other(error))
    }
}
