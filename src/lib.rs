//! h2lens: passive HTTP/2 analysis, from packets to transactions and telemetry.
//!
//! ```text
//! file · stdin · interface
//!     │ Batch { bytes, PacketHead { number, time, link type, original length, range } }
//!     ▼
//! capture ──► packet ──► flow ──► tls ──► http2 ──► transaction ──► output
//! (secrets in  Segment     bytes    bytes   events     records        text, JSON
//!  pcapng ─────────────────────────► keys)
//!                │                   │
//!                └──► agent ◄────────┘     (the kernel agent's model sees segments and TLS plaintext)
//! ```
//!
//! Data flows one way. No stage below `capture` and above `output` does I/O, and none reads a clock: time is
//! packet time, always an argument. `pipeline` alone knows the order of the stages; `shard` runs it on
//! several threads. `ARCHITECTURE.md` says who may import whom.

pub mod agent;
pub mod base;
pub mod capture;
pub mod cli;
pub mod conformance;

pub mod flow;
pub mod http1;
pub mod http2;

pub mod engine;
pub mod export;
pub mod packet;
pub mod pipeline;
pub mod record;

pub mod tls;
pub mod transaction;
