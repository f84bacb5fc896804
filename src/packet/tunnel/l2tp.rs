//! L2TP, version 2 (RFC 2661) and version 3 (RFC 3931).

use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;
use super::super::{ethernet, ip, ppp};

/// The assigned port, of one side at least.
pub(super) const PORT: u16 = 1701;

/// A control message.
const CONTROL: u16 = 0x8000;

/// L2TP in UDP: flags and version in 16 bits, which both versions have.
pub(super) fn l2tp_udp(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    let &[f0, f1, r0, r1] = header.head::<4>(Skip::Udp)?;
    let flags = u16::from_be_bytes([f0, f1]);
    match (flags & 0x0f, flags & CONTROL, flags) {
        (2, 0, _) => version_2(flags, header),
        // All flags of data, and the 16 bits behind them, are reserved (RFC 3931 section 4.1.2.1).
        (_, _, 3) if [r0, r1] == [0; 2] => version_3(header.skip(4, Skip::Udp)?, Skip::Udp),
        _ => Err(Skip::Udp),
    }
}

/// Flags, length, tunnel and session, sequence numbers, offset (RFC 2661 section 3.1), as far as the flags tell; then
/// PPP.
fn version_2(flags: u16, header: Layer<'_>) -> Result<Next<'_>, Skip> {
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const RESERVED: u16 = 0x34f0;
    if flags & RESERVED != 0 {
        return Err(Skip::Udp);
    }
    let mut at = 2;
    let mut message = header;
    if flags & LENGTH != 0 {
        let (&[_, _, l0, l1], _) = header.split::<4>(Skip::Udp)?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if len > header.wire() {
            return Err(Skip::Udp);
        }
        message = header.limit(len);
        at += 2;
    }
    at += 4;
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    if flags & OFFSET != 0 {
        let padding = u16::from_be_bytes(*message.skip(at, Skip::Udp)?.head::<2>(Skip::Udp)?);
        at += 2 + usize::from(padding);
    }
    Ok((Header::Ppp, message.skip(at, Skip::Udp)?))
}

/// L2TP version 3 right above IP (RFC 3931 section 4.1.1): session 0 is the control connection.
pub(in super::super) fn l2tp_v3(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    version_3(header, Skip::OtherIpProtocol)
}

/// Session, then a cookie of up to eight bytes and a sublayer of four, of which only the two ends know whether they
/// are there and what they carry (RFC 3931 section 4.1). So a frame is taken for one only when IP stands in it.
fn version_3(header: Layer<'_>, other: Skip) -> Result<Next<'_>, Skip> {
    let (session, body) = header.split::<4>(other)?;
    if *session == [0; 4] {
        return Err(other);
    }
    for at in [0, 4, 8, 12] {
        let Ok(frame) = body.skip(at, other) else { break };
        if ethernet::surely_carries_ip(frame) {
            return Ok((Header::Ethernet, frame));
        }
        if let Ok((Header::Ipv4, packet)) = ppp::ppp(frame)
            && ip::surely_v4(packet)
        {
            return Ok((Header::Ipv4, packet));
        }
        if let Ok((Header::Ipv6, packet)) = ppp::ppp(frame)
            && ip::surely_v6(packet)
        {
            return Ok((Header::Ipv6, packet));
        }
        if ip::surely_v4(frame) || ip::surely_v6(frame) {
            return Ok((Header::Ip, frame));
        }
    }
    Err(other)
}
