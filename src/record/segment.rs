//! A TCP segment, as far as those need it who compare two captures of it.

use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::time::Moment;

/// A segment that its receiver accepted (RFC 9293 section 3.1), with its connection.
#[derive(Clone, Copy, Debug)]
pub struct SegmentView<'a> {
    /// `h2.connection.id`
    pub connection: u64,
    /// The senders of the two directions.
    pub senders: [Endpoint; 2],
    /// Its direction.
    pub from: Direction,
    /// Its packet.
    pub at: Moment,
    /// Sequence number of its first byte; of a SYN, the initial one.
    pub seq: u32,
    /// Payload bytes on the wire.
    pub len: u32,
    /// Acknowledgment number, where the ACK bit is set.
    pub ack: Option<u32>,
    /// It is a SYN.
    pub syn: bool,
    /// It is a FIN.
    pub fin: bool,
    /// The identification of its IPv4 datagram.
    pub ip_id: Option<u16>,
    /// The payload that was captured.
    pub payload: &'a [u8],
}
