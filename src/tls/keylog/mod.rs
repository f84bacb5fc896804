//! Key logs: session secrets by what names their connection.

mod line;
mod reader;
mod store;
#[cfg(test)]
mod tests;

pub use line::ClientRandom;
pub(crate) use line::{Label, Name, SessionId};
pub use reader::KeyLogReader;
pub(crate) use store::ConnectionSecrets;
pub use store::{KeyLogCounters, KeyStore};
