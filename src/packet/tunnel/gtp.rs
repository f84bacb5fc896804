//! GTP-U, the user plane of mobile networks (3GPP TS 29.281).

use super::super::ip;
use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;
use crate::base::limits::GTP_EXTENSIONS;

/// The assigned port.
pub(in super::super) const PORT: u16 = 2152;

/// Message type of a tunnelled packet (TS 29.281 table 6.1-1).
const G_PDU: u8 = 255;

/// Version 1, protocol type 1 and three option flags; message type, length, tunnel endpoint (TS 29.281 section
/// 5.1). With any option flag set a sequence number, an N-PDU number and the type of the first extension header
/// follow, all three counted by the length.
pub(super) fn gtp_u(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    const VERSION_AND_TYPE: u8 = 0x30;
    const OPTIONS: u8 = 0x07;
    const EXTENSION: u8 = 0x04;
    let (&[flags, message, l0, l1, _, _, _, _], body) = header.split::<8>(Skip::Udp)?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    if flags & !OPTIONS != VERSION_AND_TYPE || message != G_PDU || len > body.wire() {
        return Err(Skip::Udp);
    }
    let mut body = body.limit(len);
    if flags & OPTIONS != 0 {
        let (options, rest) = body.split::<4>(Skip::Udp)?;
        body = if flags & EXTENSION != 0 { extensions(options[3], rest)? } else { rest };
    }
    match body.nibble() {
        Some(4) if ip::surely_v4(body) => Ok((Header::Ipv4, body)),
        Some(6) if ip::surely_v6(body) => Ok((Header::Ipv6, body)),
        _ => Err(Skip::Udp),
    }
}

/// Passes extension headers (TS 29.281 section 5.2.1): each has its length in units of four bytes first and the
/// type of the next one last; type 0 ends the list.
fn extensions(mut kind: u8, mut body: Layer<'_>) -> Result<Layer<'_>, Skip> {
    for _ in 0..=GTP_EXTENSIONS {
        if kind == 0 {
            return Ok(body);
        }
        let [units] = *body.head::<1>(Skip::Udp)?;
        if units == 0 {
            return Err(Skip::Udp);
        }
        let len = usize::from(units) * 4;
        let [next] = *body.skip(len - 1, Skip::Udp)?.head::<1>(Skip::Udp)?;
        (kind, body) = (next, body.skip(len, Skip::Udp)?);
    }
    Err(Skip::TooManyExtensions)
}
