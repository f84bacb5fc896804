//! The kernel agent's view: an independent model of the Datadog Agent's in-kernel HTTP/2 program and of the user
//! space behind it (docs/agent.md tells the rules in words). It says what that program, with all its limits, would have
//! counted for the packets of a capture.
//!
//! Its input is the captured segment, not the reassembled stream, and it shares no code with `http2`: a limit of the
//! agent is modelled where it is, in the file that is named after the step.
//!
//! ```text
//! segment ──► dispatch ──► filter ──► headers ──► dynamic_table ──► eos ──► user ──► statkeeper
//! record      which        the frames  what is     pruning           streams method,  key limit,
//!             connection,  of one      captured                      end     path,    latencies
//!             HTTP/2?      packet      of a block                            status
//!                                                                      │
//!             trace, incident: what went wrong, for the reasons        ▼
//!                                                        verdict ◄── ledger
//! ```
//!
//! One [`Agent`] sees the whole capture, in packet order: its maps are as large as the kernel's, for all connections
//! together. Of TLS it sees decrypted records: the agent sees what was handed to `SSL_read` and `SSL_write`, whose
//! bounds no capture knows, so that the record is the nearest there is.

mod arena;
mod block_reader;
mod captured;
mod classify;
mod clock;
mod connection;
mod dispatch;
mod dynamic_table;
mod eos;
mod fifo;
mod filter;
mod frame;
mod headers;
mod huffman;
mod incident;
mod key;
mod ledger;
mod lifecycle;
mod loads;
mod params;
mod quantize;
mod reason;
mod state;
mod statistics;
mod statkeeper;
mod stream;
mod trace;
mod traces;
mod tuple;
mod user;
mod verdict;
mod wire;

#[cfg(test)]
mod tests;

pub use params::{Mode, Params, Rules};
pub use state::{Agent, Summary};
pub use statistics::{EndpointStatistics, FirstSeen, Latencies};
pub use tuple::Tuple;
pub use user::Method;
pub use wire::{FrameFact, WireFacts, WireTransaction};
