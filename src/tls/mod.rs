//! Ciphertext → plaintext of the same shape, where the session secrets allow it; without them, what the
//! handshake tells.

mod description;

pub use description::{Description, NotDecrypted};
