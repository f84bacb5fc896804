//! Connections joined late: their handshake is not in the capture, and which of the key log's secrets are theirs is found
//! by trying.
//!
//! ```text
//! ciphertext that waits ──► clues ──► search ──► client random, side, suite, number of a record
//!   (both directions)                  │  ▲
//!                                      ▼  └─ budget
//!                                   key log
//! ```
//!
//! AES-GCM tells a record's number in one step ([`super::nonce`]); of ChaCha20-Poly1305 and AES-CCM numbers are tried, from
//! zero upward. The random gives the other direction's secret, so that its numbers alone are left to be found.
//!
//! A wrong secret is never taken. A try passes by chance
//! - with AES-GCM once in 2^88, as [`super::nonce`] says;
//! - with ChaCha20-Poly1305 and AES-CCM once in 2^103 or less (RFC 8439 section 4, RFC 5116 section 5.3), as the tag decides;
//! - with AES-CCM-8 once in 2^64, as its tag is of 8 bytes.
//!
//! Whatever passed must end in a content type behind which there are zeros alone (RFC 8446 section 5.2), which costs chance
//! six bits more, and with AES-CCM-8 the record behind it must open with the next number, if it is there. With the tries that
//! a connection has, chance takes a wrong secret for it once in 2^46 connections at the worst.

mod budget;
mod clues;
mod join;
mod search;

pub(crate) use clues::{Clues, Held};
pub(crate) use join::{Join, Joins, Verdict};
pub(crate) use search::{GENERATIONS, Hints, LateJoin};
