//! TZSP, in which access points and `MikroTik` routers send what they see (no standard; as Wireshark reads it).

use super::super::layer::Layer;
use super::super::next::{Header, Next};
use super::super::skip::Skip;
use super::super::wifi;

/// The port that is in use.
pub(super) const PORT: u16 = 37008;

/// Version 1, kind (0 and 1 hold a packet), kind of frame; then tags of number, length and value up to an end tag; then
/// the frame. Another sniffer may have cut it: a tag tells its length on the wire.
pub(super) fn tzsp(header: Layer<'_>) -> Result<Next<'_>, Skip> {
    const PADDING: u8 = 0;
    const END: u8 = 1;
    const ORIGINAL_LENGTH: u8 = 41;
    const ETHERNET: u16 = 1;
    const PPP: u16 = 4;
    const IEEE_802_11: u16 = 18;
    let (&[version, kind, k0, k1], mut rest) = header.split::<4>(Skip::Udp)?;
    if version != 1 || kind > 1 {
        return Err(Skip::Udp);
    }
    let mut original = 0;
    loop {
        let ([tag], behind) = rest.split::<1>(Skip::Udp)?;
        match *tag {
            PADDING => rest = behind,
            END => {
                rest = behind;
                break;
            }
            tag => {
                let ([len], value) = behind.split::<1>(Skip::Udp)?;
                if tag == ORIGINAL_LENGTH && *len == 2 {
                    original = usize::from(u16::from_be_bytes(*value.head::<2>(Skip::Udp)?));
                }
                rest = value.skip(usize::from(*len), Skip::Udp)?;
            }
        }
    }
    let frame = rest.widen(original);
    match u16::from_be_bytes([k0, k1]) {
        ETHERNET => Ok((Header::Ethernet, frame)),
        PPP => Ok((Header::Ppp, frame)),
        IEEE_802_11 => wifi::frame(frame),
        _ => Err(Skip::Udp),
    }
}
