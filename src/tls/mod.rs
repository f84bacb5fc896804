//! Ciphertext → plaintext of the same shape, where the session secrets allow it; without them, what the
//! handshake tells.

mod buffer;
mod cbc;
mod cipher;
mod counters;
mod detect;
mod extension;
mod handshake;
mod handshake_type;
mod hello;
mod hold;
mod ja4;
mod keylog;
mod keys;
mod late;
mod loss;
mod negotiation;
mod nonce;
mod reader;
mod record;
mod schedule;
mod secret;
mod seek;
mod session;
mod sink;
mod stream;
mod suite;
mod transcript;
mod workspace;

pub use counters::Counters;
pub use detect::{Detection, MAX_DETECTION_BYTES, RecordChain, looks_like_tls};
pub use hold::Budget;
pub use keylog::{ClientRandom, KeyLogCounters, KeyLogReader, KeyStore};
pub use session::Session;
pub use sink::PlaintextSink;
pub use workspace::Workspace;

#[cfg(test)]
mod tests;

#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
