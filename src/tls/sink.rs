//! Where the plaintext of a session goes.

use crate::base::tls::Description;
use crate::flow::ByteSink;

/// Takes the plaintext of a connection, and what its handshake tells.
pub trait PlaintextSink: ByteSink {
    /// What is known of the connection now. Called when that has changed, before the bytes, gaps and ends behind the
    /// change are handed on; what changes with the last of them, before the session returns.
    fn describe(&mut self, description: &Description);
}
