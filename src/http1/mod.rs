//! HTTP/1.1, as far as it leads to HTTP/2: `Upgrade: h2c` (RFC 7540 section 3.2) and CONNECT (RFC 9110 section
//! 9.3.6).
//!
//! [`Dialogue`] follows requests and responses until one switches the connection over; [`proxy`] strips a PROXY
//! protocol header.

mod dialogue;
mod message;
pub mod proxy;

pub use dialogue::{Dialogue, Step, Switch, Upgraded};

/// Whether a client's first bytes begin an HTTP/1.x request: a method and a space; `None` while that cannot be
/// told.
pub fn looks_like_request(bytes: &[u8]) -> Option<bool> {
    const LONGEST_METHOD: usize = 20;
    for (at, byte) in bytes.iter().enumerate().take(LONGEST_METHOD) {
        match byte {
            b'A'..=b'Z' | b'-' | b'_' => {}
            b' ' => return Some(at >= 3),
            _ => return Some(false),
        }
    }
    if bytes.len() < LONGEST_METHOD { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_requests_from_other_bytes() {
        assert_eq!(looks_like_request(b"GE"), None);
        assert_eq!(looks_like_request(b"GET /"), Some(true));
        assert_eq!(looks_like_request(b"\x16\x03\x01"), Some(false));
        assert_eq!(looks_like_request(b"  GET"), Some(false));
        assert_eq!(looks_like_request(&[b'A'; 40]), Some(false));
    }
}
