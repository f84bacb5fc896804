//! HTTP/2 events → owned records: exchanges paired, gRPC read, bodies counted.

mod authorities;
mod block_state;
mod blocks;
mod closed;
mod digest;
mod grpc;
mod grpc_web;
mod lifetime;
mod pairing;
mod reset;
mod resets;
mod section;
mod session;
mod side;
mod stats;
mod stream;

pub use pairing::Pairing;
pub use session::PairingInput;
pub use stats::Stats;
pub use stream::StreamPool;
