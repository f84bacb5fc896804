//! Ciphertext → plaintext of the same shape, where the session secrets allow it; without them, what the
//! handshake tells.

mod cbc;
mod cipher;
mod description;
mod keylog;
mod reader;
mod record;
mod schedule;
mod secret;
mod suite;

pub use description::{Description, NotDecrypted};
pub use keylog::{ClientRandom, KeyLogCounters, KeyLogReader, KeyStore};

#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
