//! Where a connection ends.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One end of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address; inside tunnels the innermost one.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// An end that is not known.
    pub const UNKNOWN: Self = Self { ip: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), port: 0 };
}

/// `10.0.0.1:80`, `[2001:db8::1]:80`
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.ip, self.port).fmt(f)
    }
}
