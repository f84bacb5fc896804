//! Which connection a segment belongs to: its two endpoints, in either order.

use crate::base::endpoint::Endpoint;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Both endpoints of a connection, the lesser one first, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    low: Endpoint,
    high: Endpoint,
}

impl Key {
    /// The key of a segment from `src` to `dst`, and whether `src` is the lesser endpoint.
    pub fn of(src: Endpoint, dst: Endpoint) -> (Self, bool) {
        if (src.port, src.ip) <= (dst.port, dst.ip) {
            (Self { low: src, high: dst }, true)
        } else {
            (Self { low: dst, high: src }, false)
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.low.port) << 16 | u64::from(self.high.port);
        match (self.low.ip, self.high.ip) {
            (IpAddr::V4(low), IpAddr::V4(high)) => {
                state.write_u64(u64::from(low.to_bits()) << 32 | u64::from(high.to_bits()));
                state.write_u64(ports);
            }
            (low, high) => {
                low.hash(state);
                high.hash(state);
                state.write_u64(ports);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(ip: &str, port: u16) -> Endpoint {
        Endpoint { ip: ip.parse().unwrap(), port }
    }

    #[test]
    fn both_directions_have_one_key() {
        for (a, b) in [
            (endpoint("10.0.0.1", 50000), endpoint("10.0.0.2", 80)),
            (endpoint("::1", 80), endpoint("::1", 81)),
            (endpoint("10.0.0.1", 443), endpoint("2001:db8::1", 443)),
        ] {
            let ((there, there_low), (back, back_low)) = (Key::of(a, b), Key::of(b, a));
            assert_eq!(there, back);
            assert_ne!(there_low, back_low);
        }
    }
}
