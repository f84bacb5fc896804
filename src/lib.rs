//! Passive HTTP/2 analysis: packets go in, records come out.
//!
//! h2lens reassembles TCP, decrypts TLS where it has the secrets, finds HTTP/2, decodes frames and header blocks, and
//! pairs requests with responses. As a library it does no I/O and reads no clock: time is packet time.
//!
//! - [`Analyzer`] takes packets and secrets as they come, and hands out [`Record`]s.
//! - [`read`] opens captures and is an iterator of records. The failed calls of a capture:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use h2lens::{Config, Record};
//!
//! for record in h2lens::read(["testdata/curl-h2c.pcap"], Config::default())? {
//!     let Record::Transaction { connection, transaction, .. } = record else { continue };
//!     if let Some(failure) = transaction.failure() {
//!         let stream = transaction.stream;
//!         println!("{:?}, stream {stream}: {}", connection.server, failure.name());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What is missing from a capture is said, never guessed: [`Transaction::partial`](record::Transaction::partial) of an
//! exchange, [`Coverage`](record::Coverage) of the whole.
//!
//! # How it works
//! ```text
//! file · stdin · interface
//!     │ Batch { bytes, PacketHead { number, time, link type, original length, range } }
//!     ▼
//! capture ──► packet ──► flow ──► tls ──► http2 ──► transaction · timing · conformance ──► record ──► export
//! (secrets in  Segment    bytes    bytes   events    (listeners of the events)                text, JSON
//!  pcapng ─────────────────────────► keys)
//!                │                   │
//!                └──► agent ◄────────┘     (the kernel agent's model sees segments and TLS plaintext)
//! ```
//!
//! Data flows one way. `pipeline` alone knows the order of the stages; `engine` runs it on several threads and puts the
//! records into the order of the packets, so that they are the same for any number of threads. `ARCHITECTURE.md` shows
//! the rooms and who may import whom.
//!
//! # Features
//! - `cli` (default): the program.
//! - `live` (default): live capture, which needs libpcap.
//! - `tui` (default): the window of `--tui`.
//! - `proto` (default): messages of protobuf by their schema.
//! - `internals`: all rooms are public, without any promise; for the project's own tests, fuzz targets and benches.

#![cfg_attr(
    not(feature = "internals"),
    allow(unreachable_pub, unused_imports, reason = "the rooms are closed, but for `internals`")
)]
#![cfg_attr(
    not(feature = "internals"),
    allow(rustdoc::private_intra_doc_links, reason = "public pages point into the rooms")
)]
#![cfg_attr(
    not(all(feature = "cli", feature = "live", feature = "proto")),
    allow(dead_code, reason = "what is dead is seen where everything is built")
)]

pub mod base;
pub mod record;

// The rooms, closed: what nobody uses is dead code.
#[cfg(not(feature = "internals"))]
mod agent;
#[cfg(not(feature = "internals"))]
mod aggregate;
#[cfg(not(feature = "internals"))]
mod body;
#[cfg(not(feature = "internals"))]
mod capture;
#[cfg(all(feature = "cli", not(feature = "internals")))]
mod cli;
#[cfg(not(feature = "internals"))]
mod conformance;
#[cfg(not(feature = "internals"))]
mod course;
#[cfg(not(feature = "internals"))]
mod diff;
#[cfg(not(feature = "internals"))]
mod engine;
#[cfg(all(feature = "cli", not(feature = "internals")))]
mod export;
#[cfg(not(feature = "internals"))]
mod filter;
#[cfg(not(feature = "internals"))]
mod flow;
#[cfg(not(feature = "internals"))]
mod http1;
#[cfg(not(feature = "internals"))]
mod http2;
#[cfg(not(feature = "internals"))]
mod join;
#[cfg(all(feature = "cli", not(feature = "internals")))]
mod merge;
#[cfg(not(feature = "internals"))]
mod packet;
#[cfg(not(feature = "internals"))]
mod pipeline;
#[cfg(not(feature = "internals"))]
mod timing;
#[cfg(not(feature = "internals"))]
mod tls;
#[cfg(not(feature = "internals"))]
mod transaction;
#[cfg(all(feature = "tui", not(feature = "internals")))]
mod tui;

// Open, for what looks into them.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod agent;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod aggregate;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod body;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod capture;
#[cfg(all(feature = "cli", feature = "internals"))]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod conformance;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod course;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod diff;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod engine;
#[cfg(all(feature = "cli", feature = "internals"))]
#[doc(hidden)]
pub mod export;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod filter;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod flow;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod http1;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod http2;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod join;
#[cfg(all(feature = "cli", feature = "internals"))]
#[doc(hidden)]
pub mod merge;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod packet;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod pipeline;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod timing;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod tls;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod transaction;
#[cfg(all(feature = "tui", feature = "internals"))]
#[doc(hidden)]
pub mod tui;

pub use base::endpoint::Endpoint;
pub use base::memory::Memory;
pub use base::time::{Moment, Timestamp};
pub use capture::OpenError;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main;
pub use engine::{Analyzer, Config, Frame, Packet, Record, Records, read};
pub use record::{Report, Wanted};
