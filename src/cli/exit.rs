//! Exit statuses.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; or the reader of the output has closed it.
    Done,
    /// `--strict`, and the analysis is incomplete.
    Incomplete,
    /// `--fail-on` of `diff`, and an endpoint became worse than that.
    Worse,
    /// A usage error, or an input that cannot be opened or is no capture.
    Usage,
    /// A second Ctrl-C during a live capture.
    Interrupted,
}

impl Exit {
    /// The status as the shell sees it.
    pub const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Incomplete | Self::Worse => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
