//! What the stages above IP see of a packet: one TCP segment.

use super::checksum::Checksum;
use super::network::Network;
use crate::base::endpoint::Endpoint;
use crate::base::tcp::WindowScale;
use crate::base::time::Moment;

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
    #[cfg(any(test, feature = "internals"))]
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

/// A TCP segment, its payload borrowed from the packet or, if that was the last fragment of an IP datagram, from
/// the decoder.
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
    /// By how many bits the sender of this SYN will shift its windows; says nothing in other segments.
    pub window_scale: WindowScale,
    /// Control bits.
    pub flags: TcpFlags,
    /// What the checksums of IPv4 and TCP say.
    pub checksum: Checksum,
    /// The VLANs and tunnels around the packet.
    pub network: Network,
    /// The identification of its IPv4 datagram (RFC 791 section 3.1), which two copies of one packet share.
    pub ip_id: Option<u16>,
    /// Payload bytes that are in the capture, up to the IP total length (no Ethernet padding, no FCS).
    pub payload: &'a [u8],
    /// Payload bytes that the IP length promises beyond `payload`: cut off by the snaplen. Their number is
    /// exact, and at most 65,535 unless the packet claims more.
    pub cut: u32,
}

#[cfg(any(test, feature = "internals"))]
impl Segment<'static> {
    /// One that carries nothing and says nothing, for those who make segments up.
    pub const fn empty(at: Moment, src: Endpoint, dst: Endpoint) -> Self {
        Self {
            at,
            src,
            dst,
            seq: 0,
            ack: 0,
            window: 0,
            window_scale: WindowScale::Absent,
            flags: TcpFlags(0),
            checksum: Checksum::Unknown,
            network: Network(0),
            ip_id: None,
            payload: &[],
            cut: 0,
        }
    }
}

impl Segment<'_> {
    /// Octets of its payload, captured or not.
    #[inline]
    pub const fn payload_octets(&self) -> u32 {
        self.payload.len() as u32 + self.cut
    }

    /// The same segment with its payload taken from elsewhere, as when the bytes have moved.
    #[must_use]
    pub fn with_payload<'b>(&self, payload: &'b [u8]) -> Segment<'b> {
        let &Self { at, src, dst, seq, ack, window, window_scale, flags, checksum, network, ip_id, .. } =
            self;
        let cut = self.cut;
        Segment {
            at,
            src,
            dst,
            seq,
            ack,
            window,
            window_scale,
            flags,
            checksum,
            network,
            ip_id,
            payload,
            cut,
        }
    }
}

/// Where `inner` begins in `outer`, if it is a part of that memory; else `None`. Tells a payload borrowed from a
/// packet from one borrowed from the decoder. Only addresses are compared, no byte is read.
///
/// Two slices share no memory unless one was made from the other, so a non-empty `inner` is never taken for a part
/// by chance. An empty one has no memory: it counts as part where its address lies in `outer` or just behind it.
pub fn offset_within(outer: &[u8], inner: &[u8]) -> Option<usize> {
    let offset = inner.as_ptr().addr().checked_sub(outer.as_ptr().addr())?;
    (offset.checked_add(inner.len())? <= outer.len()).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_within_tells_own_from_foreign() {
        let outer = vec![0u8; 64];
        let foreign = vec![0u8; 64];
        assert_eq!(offset_within(&outer, &outer), Some(0));
        assert_eq!(offset_within(&outer, &outer[10..20]), Some(10));
        assert_eq!(offset_within(&outer, &outer[63..]), Some(63));
        assert_eq!(offset_within(&outer, &outer[64..]), Some(64));
        assert_eq!(offset_within(&outer[10..20], &outer[9..12]), None, "begins before");
        assert_eq!(offset_within(&outer[10..20], &outer[18..21]), None, "ends behind");
        assert_eq!(offset_within(&outer, &foreign), None);
        assert_eq!(offset_within(&foreign, &outer[1..]), None);
    }
}
