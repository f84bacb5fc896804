//! Community ID version 1 with seed 0: the flow hash that Zeek, Suricata and Arkime share
//! (<https://github.com/corelight/community-id-spec>).

use crate::base::endpoint::Endpoint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::net::IpAddr;

/// The Community ID of a TCP connection; the order of the ends does not matter.
pub(super) fn of(one: Endpoint, other: Endpoint) -> String {
    let (low, high) = if key(&one) <= key(&other) { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update([0, 0]); // seed
    for end in [low, high] {
        match end.ip {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([6, 0]); // IP protocol TCP, and padding
    hash.update(low.port.to_be_bytes());
    hash.update(high.port.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

fn key(end: &Endpoint) -> (IpAddr, u16) {
    (end.ip, end.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ip: &str, port: u16) -> Endpoint {
        Endpoint { ip: ip.parse().unwrap(), port }
    }

    /// The specification's baseline vectors for TCP.
    #[test]
    fn agrees_with_the_published_vectors() {
        for (one, other, id) in [
            (end("128.232.110.120", 34_855), end("66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            (
                end("2001:470:e5bf:dead:4957:2174:e82c:4887", 63_943),
                end("2607:f8b0:400c:c03::1a", 25),
                "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
            ),
        ] {
            assert_eq!(of(one, other), id);
            assert_eq!(of(other, one), id);
        }
    }

    #[test]
    fn ports_decide_the_order_where_the_addresses_are_one() {
        let (one, other) = (end("127.0.0.1", 50_000), end("127.0.0.1", 80));
        assert_eq!(of(one, other), of(other, one));
        assert_ne!(of(one, other), of(one, one));
    }
}
