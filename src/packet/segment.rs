//! What the stages above IP see of a packet: one TCP segment.

use crate::time::{Moment, Timestamp};
use std::net::IpAddr;

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

/// The control bits of the TCP header (RFC 9293 section 3.1), as on the wire: FIN is bit 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field is significant.
    pub const ACK: u8 = 0x10;

    /// FIN is set.
    pub const fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }
    /// SYN is set.
    pub const fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }
    /// RST is set.
    pub const fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }
    /// ACK is set.
    pub const fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }
}

/// A TCP segment, its payload borrowed from the packet.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The packet that carried it; of a fragmented datagram the one that completed it.
    pub at: Moment,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Sequence number of the first payload byte (of the SYN itself, when SYN is set).
    pub seq: u32,
    /// Acknowledgment number; meaningless unless the ACK bit is set.
    pub ack: u32,
    /// Receive window as in the header, not scaled.
    pub window: u16,
    /// Control bits.
    pub flags: TcpFlags,
    /// Payload bytes that are in the capture, up to the IP total length (no Ethernet padding, no FCS).
    pub payload: &'a [u8],
    /// Payload bytes that the IP length promises beyond `payload`: cut off by the snaplen. Their number is
    /// exact, and at most 65,535 unless the packet claims more.
    pub cut: u32,
}

impl Segment<'_> {
    /// Time stamp of the packet.
    pub fn time(&self) -> Timestamp {
        self.at.time
    }
}
