//! IEEE 802.11 data frames that are not encrypted, with a radiotap header or without.

use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// Radiotap (<https://www.radiotap.org>): version 0, padding, length, words that tell which fields are there (bit 31
/// says that another word follows), then the fields, each aligned to its size. All numbers are little-endian.
pub(super) fn radiotap(packet: Layer<'_>) -> Result<Next<'_>, Skip> {
    const BAD_FCS: u8 = 0x40;
    const PADDED: u8 = 0x20;
    let &[version, _, l0, l1] = packet.head::<4>(Skip::MalformedLink)?;
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    if version != 0 || len < 8 {
        return Err(Skip::MalformedLink);
    }
    let frame = packet.skip(len, Skip::MalformedLink)?;
    let flags = radiotap_flags(packet.bytes().get(..len).unwrap_or_default()).unwrap_or_default();
    if flags & BAD_FCS != 0 {
        return Err(Skip::MalformedLink);
    }
    data(frame, flags & PADDED != 0)
}

/// The flags field, if there is one: the second of the fields, behind a time stamp of eight bytes.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const TIME_STAMP: u32 = 1;
    const FLAGS: u32 = 1 << 1;
    const MORE: u32 = 1 << 31;
    let words = header.get(4..)?.as_chunks::<4>().0;
    let present = u32::from_le_bytes(*words.first()?);
    let more = words.iter().take_while(|word| u32::from_le_bytes(**word) & MORE != 0).count();
    let fields = 4 + (more + 1) * 4;
    let at = if present & TIME_STAMP != 0 { fields.next_multiple_of(8) + 8 } else { fields };
    if present & FLAGS == 0 { None } else { header.get(at).copied() }
}

/// An 802.11 frame.
pub(super) fn frame(frame: Layer<'_>) -> Result<Next<'_>, Skip> {
    data(frame, false)
}

/// The LLC header in an 802.11 data frame (IEEE 802.11 section 9.3.2); `padded` says that the radio filled the MAC
/// header up to a multiple of four bytes.
///
/// ```text
/// frame control 2 · duration 2 · addresses 6+6+6 · sequence 2 · [address 6] · [QoS 2 · [HT control 4]] · LLC
/// ```
fn data(frame: Layer<'_>, padded: bool) -> Result<Next<'_>, Skip> {
    const DATA: u8 = 2;
    const QOS: u8 = 0x80;
    const WITHOUT_DATA: u8 = 0x40;
    const BOTH_SYSTEMS: u8 = 0x03;
    const MORE_FRAGMENTS: u8 = 0x04;
    const PROTECTED: u8 = 0x40;
    const HT_CONTROL: u8 = 0x80;
    const AGGREGATE: u8 = 0x80;
    let &[control, flags] = frame.head::<2>(Skip::MalformedLink)?;
    if control & 3 != 0 {
        return Err(Skip::MalformedLink);
    }
    if control >> 2 & 3 != DATA || control & WITHOUT_DATA != 0 {
        return Err(Skip::NotIp);
    }
    if flags & PROTECTED != 0 {
        return Err(Skip::WifiEncrypted);
    }
    let head = frame.head::<24>(Skip::MalformedLink)?;
    if flags & MORE_FRAGMENTS != 0 || head[22] & 0x0f != 0 {
        return Err(Skip::WifiDivided);
    }
    let addresses = if flags & BOTH_SYSTEMS == BOTH_SYSTEMS { 30 } else { 24 };
    let mut len = addresses;
    let mut aggregate = false;
    if control & QOS != 0 {
        let [qos] = *frame.skip(addresses, Skip::MalformedLink)?.head::<1>(Skip::MalformedLink)?;
        aggregate = qos & AGGREGATE != 0;
        len += if flags & HT_CONTROL != 0 { 6 } else { 2 };
    }
    let len = if padded { len.next_multiple_of(4) } else { len };
    let body = frame.skip(len, Skip::MalformedLink)?;
    if aggregate { only_one(body) } else { Ok((Header::Llc, body)) }
}

/// The frame in an A-MSDU that holds one (IEEE 802.11 section 9.3.2.2): receiver, sender, length, LLC, padded to four
/// bytes; a frame check sequence may stand behind it.
fn only_one(body: Layer<'_>) -> Result<Next<'_>, Skip> {
    const CHECK_SEQUENCE: usize = 4;
    let (head, rest) = body.split::<14>(Skip::MalformedLink)?;
    let len = usize::from(u16::from_be_bytes([head[12], head[13]]));
    if rest.wire() > (14 + len).next_multiple_of(4) - 14 + CHECK_SEQUENCE {
        return Err(Skip::WifiDivided);
    }
    Ok((Header::Llc, rest.limit(len)))
}
