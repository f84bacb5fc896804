//! Live capture on real interfaces: two network namespaces, a real server, real clients. Where the system does not
//! permit that, or a tool is missing, each test says `SKIPPED` and why.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod injected;
mod lens;
mod lifecycle;
mod net;
mod traffic;
