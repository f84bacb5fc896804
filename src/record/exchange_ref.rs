//! The name of an exchange among all of a capture.

/// An exchange, by its connection and its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExchangeRef {
    /// [`ConnectionMeta::id`](super::ConnectionMeta::id)
    pub connection: u64,
    /// Stream identifier.
    pub stream: u32,
}
