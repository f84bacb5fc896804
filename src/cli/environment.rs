//! What the surroundings of the process say.

use std::ffi::OsString;
use std::io::IsTerminal;

/// What the surroundings say.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal on standard output.
    pub columns: Option<u16>,
    /// `NO_COLOR` is set, and not empty.
    pub no_color: bool,
    /// `SSLKEYLOGFILE`
    pub key_log: Option<OsString>,
    /// Processors.
    pub processors: usize,
}

impl Environment {
    /// The process's own.
    pub fn of_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let stdout = std::io::stdout();
        let columns = set("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok());
        Self {
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: stdout.is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            columns: terminal_size::terminal_size_of(&stdout).map(|(width, _)| width.0).or(columns),
            no_color: set("NO_COLOR").is_some(),
            key_log: set("SSLKEYLOGFILE"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
