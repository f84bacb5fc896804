//! A step of decoding: how far it came, or why it came no further.

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Bytes taken from the input.
    pub(super) read: usize,
    /// Bytes written to the output.
    pub(super) written: usize,
}

/// Why bytes cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// They break the coding's format.
    Data,
    /// The check at the end does not match.
    Checksum,
    /// More bytes follow the end.
    Trailing,
    /// The window is larger than what is allowed.
    Window,
}
