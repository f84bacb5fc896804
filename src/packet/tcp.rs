//! TCP headers (RFC 9293 section 3.1).

use super::ip::IpPacket;
use super::network::Network;
use super::segment::{Segment, TcpFlags};
use super::skip::Skip;
use super::tcp_checksum;
use crate::base::endpoint::Endpoint;
use crate::base::tcp::WindowScale;
use crate::base::time::Moment;

/// A TCP header that is well formed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'d> {
    head: &'d [u8; 20],
    /// With its options.
    len: usize,
    /// Who sends.
    pub(super) src: Endpoint,
    /// Who receives.
    pub(super) dst: Endpoint,
}

/// The TCP header that `packet` begins with.
#[inline]
pub(super) fn header<'d>(packet: &IpPacket<'d>) -> Result<Header<'d>, Skip> {
    let IpPacket { src, dst, body, .. } = *packet;
    let head = body.head::<20>(Skip::MalformedTcp)?;
    let len = usize::from(head[12] >> 4) * 4;
    if len < 20 || len > body.wire() {
        return Err(Skip::MalformedTcp);
    }
    let src = Endpoint { ip: src, port: u16::from_be_bytes([head[0], head[1]]) };
    let dst = Endpoint { ip: dst, port: u16::from_be_bytes([head[2], head[3]]) };
    Ok(Header { head, len, src, dst })
}

/// The segment with that header, its checksum judged. When the snaplen cut the options the payload is empty, and wholly
/// cut.
#[inline]
pub(super) fn segment<'d>(
    at: Moment,
    packet: &IpPacket<'d>,
    header: Header<'d>,
    network: Network,
) -> Segment<'d> {
    let Header { head, len: header_len, src, dst } = header;
    let body = packet.body;
    // Empty payloads, too, are part of the packet's memory.
    let (header, payload) = body.bytes().split_at(header_len.min(body.bytes().len()));
    let flags = TcpFlags(head[13]);
    Segment {
        at,
        src,
        dst,
        seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ack: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        window: u16::from_be_bytes([head[14], head[15]]),
        window_scale: if flags.syn() {
            window_scale(header.get(20..).unwrap_or_default(), header.len() < header_len)
        } else {
            WindowScale::Unknown
        },
        flags,
        checksum: tcp_checksum::verify(packet, head),
        network,
        ip_id: packet.id,
        payload,
        cut: (body.wire() - header_len - payload.len()) as u32,
    }
}

/// The window scale option among the options of a SYN (RFC 7323 section 2.2), or among the first of them, where they are `cut`.
fn window_scale(mut options: &[u8], cut: bool) -> WindowScale {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const WINDOW_SCALE: u8 = 3;
    let none = if cut { WindowScale::Unknown } else { WindowScale::Absent };
    loop {
        options = match *options {
            [END, ..] => return WindowScale::Absent,
            [NO_OPERATION, ref rest @ ..] => rest,
            [WINDOW_SCALE, 3, shift, ..] => return WindowScale::Shift(shift.min(14)),
            [_, len, ..] if len >= 2 => match options.get(usize::from(len)..) {
                Some(rest) => rest,
                None => return none,
            },
            _ => return none,
        };
    }
}
