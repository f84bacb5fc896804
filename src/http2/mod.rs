//! Bytes → HTTP/2 events: frames (RFC 9113), header blocks (RFC 7541), and what can be read after a loss.

pub mod error_code;
pub mod frame;
pub mod hpack;
