//! What is fuzzed: functions of any bytes, which fail when a property does not hold.

pub mod agent;
pub mod capture_file;
pub mod codings;
pub mod filter;
pub mod hpack;
pub mod http2;
pub mod key_log;
pub mod multipart;
pub mod packet;
pub mod program;
pub mod protobuf;
pub mod reassembly;
pub mod resync;
pub mod sse;
pub mod tls;
pub mod tls_late;
pub mod upgrade;
pub mod websocket;

use crate::seeds;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, that of its module and of its libFuzzer program.
    pub name: &'static str,
    /// Runs one input; panics when a property does not hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The longest input that is tried, in bytes.
    pub longest: usize,
}

/// All targets.
pub const ALL: [Target; 18] = [
    Target { name: "capture_file", run: capture_file::run, seeds: seeds::captures, longest: 64 << 10 },
    Target { name: "packet", run: packet::run, seeds: seeds::packets, longest: 16 << 10 },
    Target { name: "reassembly", run: reassembly::run, seeds: reassembly::seeds, longest: 4 << 10 },
    Target { name: "tls", run: tls::run, seeds: seeds::tls, longest: 64 << 10 },
    Target { name: "tls_late", run: tls_late::run, seeds: seeds::tls, longest: 64 << 10 },
    Target { name: "http2", run: http2::run, seeds: seeds::http2, longest: 64 << 10 },
    Target { name: "hpack", run: hpack::run, seeds: hpack::seeds, longest: 8 << 10 },
    Target { name: "resync", run: resync::run, seeds: seeds::resync, longest: 64 << 10 },
    Target { name: "agent", run: agent::run, seeds: seeds::agent, longest: 32 << 10 },
    Target { name: "key_log", run: key_log::run, seeds: key_log::seeds, longest: 8 << 10 },
    Target { name: "upgrade", run: upgrade::run, seeds: upgrade::seeds, longest: 16 << 10 },
    Target { name: "codings", run: codings::run, seeds: codings::seeds, longest: 16 << 10 },
    Target { name: "protobuf", run: protobuf::run, seeds: protobuf::seeds, longest: 8 << 10 },
    Target { name: "websocket", run: websocket::run, seeds: websocket::seeds, longest: 8 << 10 },
    Target { name: "sse", run: sse::run, seeds: sse::seeds, longest: 8 << 10 },
    Target { name: "multipart", run: multipart::run, seeds: multipart::seeds, longest: 8 << 10 },
    Target { name: "filter", run: filter::run, seeds: filter::seeds, longest: 2 << 10 },
    Target { name: "program", run: program::run, seeds: seeds::captures, longest: 256 << 10 },
];

/// The target of that name.
pub fn find(name: &str) -> Option<Target> {
    ALL.into_iter().find(|target| target.name == name)
}
