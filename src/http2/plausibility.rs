//! How believable it is that bytes are HTTP/2, in bits: how improbable they were if they were random.
//!
//! Both who joins a connection late and who looks for a frame boundary after a loss ask this. See
//! spec/loss-tolerance.md.

use super::frame::{Flags, FrameHeader, FrameType};
use super::hpack;
use super::ledger::opener;
use super::side::PerSide;

/// What is known of the connection that the bytes may belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expect {
    /// `MAX_FRAME_SIZE` of the receiver.
    pub(super) max_frame: u32,
    /// No stream identifier above this is expected.
    pub(super) max_stream: u32,
    /// Even stream identifiers may appear.
    pub(super) pushes: bool,
    /// Those above these are not expected, of the streams that each side opens.
    pub(super) likely: PerSide<u32>,
    /// The newest stream that is known to be a server's.
    pub(super) pushed: u32,
    /// The bytes can come from a client.
    pub(super) client: bool,
    /// The bytes can come from a server.
    pub(super) server: bool,
}

impl Expect {
    /// Nothing is known.
    pub(super) const ANY: Self = Self {
        max_frame: 16_384,
        max_stream: 1 << 24,
        pushes: false,
        likely: PerSide { client: u32::MAX, server: u32::MAX },
        pushed: 0,
        client: true,
        server: true,
    };
}

/// The bits of a header that is legal for its type, in its place; `None` if it is not, or not believable.
pub(super) fn header_bits(header: &FrameHeader, expect: &Expect) -> Option<u32> {
    const KNOWN_TYPE: u32 = 4;
    const UNLIKELY_STREAM: u32 = 10;
    let FrameHeader { length, kind, flags, stream, reserved } = *header;
    if reserved || length > expect.max_frame {
        return None;
    }
    // (flags that may be set, payload length exactly known, on a stream)
    let (allowed, exact, on_stream) = match kind {
        FrameType::DATA => (Flags::END_STREAM | Flags::PADDED, false, true),
        FrameType::HEADERS => {
            (Flags::END_STREAM | Flags::END_HEADERS | Flags::PADDED | Flags::PRIORITY, false, true)
        }
        FrameType::PRIORITY | FrameType::RST_STREAM => (0, true, true),
        FrameType::SETTINGS | FrameType::PING => (Flags::ACK, true, false),
        FrameType::PUSH_PROMISE => (Flags::END_HEADERS | Flags::PADDED, false, true),
        FrameType::GOAWAY | FrameType::PRIORITY_UPDATE => (0, false, false),
        FrameType::WINDOW_UPDATE => (0, true, stream != 0),
        FrameType::CONTINUATION => (Flags::END_HEADERS, false, true),
        _ => return None,
    };
    let legal = flags.0 & !allowed == 0
        && on_stream == (stream != 0)
        && match kind {
            FrameType::DATA => length == 0 || length > u32::from(flags.has(Flags::PADDED)),
            FrameType::HEADERS => length > header.before_fragment(),
            FrameType::PRIORITY => length == 5 && expect.client,
            FrameType::RST_STREAM | FrameType::WINDOW_UPDATE => length == 4,
            FrameType::SETTINGS if flags.has(Flags::ACK) => length == 0,
            FrameType::SETTINGS => length % 6 == 0 && length <= 6 * 64,
            FrameType::PUSH_PROMISE => length > header.before_fragment() && expect.server,
            FrameType::PING => length == 8,
            FrameType::GOAWAY => (8..=1024).contains(&length),
            FrameType::PRIORITY_UPDATE => (4..=1024).contains(&length) && expect.client,
            _ => length > 0,
        };
    // What a server pushes comes on even streams (RFC 9113 section 5.1.1); a client sends no message there.
    let message = matches!(kind, FrameType::DATA | FrameType::HEADERS | FrameType::CONTINUATION);
    let pushed = expect.pushes && (expect.server || !message);
    let known_stream = stream == 0 || (stream <= expect.max_stream && (stream % 2 == 1 || pushed));
    if !legal || !known_stream {
        return None;
    }
    let length_bits = if exact { 24 } else { 24 - bits_of(expect.max_frame) };
    let flag_bits = 8 - allowed.count_ones();
    let stream_bits =
        if on_stream { 32 - bits_of(expect.max_stream) + u32::from(!expect.pushes) } else { 32 };
    if is_pointless(header) {
        return Some(0);
    }
    let bits = length_bits + KNOWN_TYPE + flag_bits + stream_bits;
    Some(if is_unlikely(header, expect) { bits.saturating_sub(UNLIKELY_STREAM) } else { bits })
}

/// Whether a search may begin with a header: one that counts for something, and whose stream is opened by it or was opened
/// for all that is known. From its second octet on, DATA of stream 1 looks like DATA of stream 256.
pub(super) fn may_begin(header: &FrameHeader, expect: &Expect) -> bool {
    let FrameHeader { kind, stream, .. } = *header;
    let opened = if stream % 2 == 1 { !is_unlikely(header, expect) } else { stream <= expect.pushed };
    (opened || kind == FrameType::HEADERS) && !is_pointless(header) && header_bits(header, expect).is_some()
}

/// Empty DATA that does not end the stream is legal, and zeros look like it.
fn is_pointless(header: &FrameHeader) -> bool {
    header.kind == FrameType::DATA && header.length == 0 && !header.flags.has(Flags::END_STREAM)
}

fn is_unlikely(header: &FrameHeader, expect: &Expect) -> bool {
    header.stream > expect.likely[opener(header.stream)]
}

const fn bits_of(bound: u32) -> u32 {
    if bound == 0 { 0 } else { 1 + bound.ilog2() }
}

/// What a whole header block looks like to one who does not know the dynamic table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockLook {
    /// Bits, as of [`header_bits`].
    pub(super) bits: u32,
    /// It has a pseudo-header field of a request.
    pub(super) request: bool,
    /// It has `:status`.
    pub(super) response: bool,
}

/// Looks at a whole header block; `None` if it cannot be one, or is not believable.
pub(super) fn block(fragment: &[u8]) -> Option<BlockLook> {
    let mut look = BlockLook::default();
    let (mut believable, mut regular, mut named) = (true, false, 0);
    let outcome = hpack::Decoder::without_past().decode(fragment, &[], &mut |field| {
        let Some(name) = field.name else {
            look.bits += 2;
            return;
        };
        let pseudo = name.first() == Some(&b':');
        believable &= !(pseudo && regular) && field_is_believable(name, field.value);
        regular |= !pseudo;
        named += 1;
        match name {
            b":status" => look.response = true,
            b":method" | b":path" | b":scheme" | b":authority" | b":protocol" => look.request = true,
            _ => believable &= !pseudo,
        }
        look.bits += if field.value.is_some() { 6 } else { 4 } + if pseudo { 8 } else { 0 };
    });
    let whole = outcome.error.is_none() && outcome.complete && outcome.fields > 0;
    let bits = look.bits.min(if named > 0 { 40 } else { 6 });
    (whole && believable && !(look.request && look.response)).then_some(BlockLook { bits, ..look })
}

fn field_is_believable(name: &[u8], value: Option<&[u8]>) -> bool {
    let token = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
    // gRPC metadata whose name ends so is binary, and some peers send it as it is.
    let binary = name.ends_with(b"-bin");
    let name = name.strip_prefix(b":").unwrap_or(name);
    let text = |value: &[u8]| value.iter().all(|&byte| byte >= 0x20 && byte != 0x7f || byte == b'\t');
    !name.is_empty() && name.iter().all(token) && (binary || value.is_none_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYONE: Expect =
        Expect { max_stream: 1000, likely: PerSide { client: 500, server: 0 }, ..Expect::ANY };

    fn bits(bytes: [u8; 9]) -> Option<u32> {
        header_bits(&FrameHeader::parse(&bytes), &ANYONE)
    }

    #[test]
    fn zeros_and_text_are_no_frames() {
        assert_eq!(bits([0; 9]), None);
        assert_eq!(bits(*b"GET / HTT"), None);
        assert_eq!(bits([0, 0, 0, 0, 0, 0, 0, 0, 1]), Some(0), "empty DATA that ends nothing");
    }

    #[test]
    fn a_search_begins_with_what_counts() {
        let may_begin = |bytes: [u8; 9]| may_begin(&FrameHeader::parse(&bytes), &ANYONE);
        assert!(may_begin([0, 0, 3, 0, 0, 0, 0, 0, 1]));
        assert!(!may_begin([0, 0, 0, 0, 0, 0, 0, 0, 1]), "empty DATA that ends nothing");
        assert!(!may_begin([0, 0, 3, 0, 0, 0, 0, 2, 1]), "a stream that nobody has opened");
        assert!(may_begin([0, 0, 3, 1, 4, 0, 0, 2, 1]), "it is opened now");
        let pushes = Expect { pushes: true, ..ANYONE };
        let pushed = FrameHeader::parse(&[0, 0, 3, 0, 0, 0, 0, 1, 0]);
        assert!(
            header_bits(&pushed, &pushes).is_some() && !super::may_begin(&pushed, &pushes),
            "nothing was promised"
        );
    }

    #[test]
    fn the_rules_of_each_type_hold() {
        assert!(bits([0, 0, 0, 0, 1, 0, 0, 0, 1]).is_some(), "DATA with END_STREAM");
        assert!(bits([0, 0, 4, 8, 0, 0, 0, 0, 0]).is_some(), "WINDOW_UPDATE");
        assert_eq!(bits([0, 0, 5, 8, 0, 0, 0, 0, 0]), None, "WINDOW_UPDATE of five octets");
        assert_eq!(bits([0, 0, 4, 3, 0, 0, 0, 0, 0]), None, "RST_STREAM on stream 0");
        assert_eq!(bits([0, 0, 4, 3, 0, 0x80, 0, 0, 1]), None, "the reserved bit");
        assert_eq!(bits([0, 0, 4, 3, 0, 0, 0, 0, 2]), None, "an even stream");
        assert_eq!(bits([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), None, "beyond MAX_FRAME_SIZE");
        assert_eq!(bits([0, 0, 4, 3, 0, 0, 0, 4, 1]), None, "a stream far beyond those in use");
    }

    #[test]
    fn blocks_must_make_sense() {
        assert!(block(&[0x88]).is_some_and(|look| look.response && !look.request));
        assert!(block(&[0x82, 0x86, 0x84, 0xbe]).is_some_and(|look| look.request));
        assert_eq!(block(&[0x88, 0x82]), None, "of a request and of a response");
        assert_eq!(block(&[0x90, 0x88]), None, "a pseudo-header field behind a regular one");
        assert_eq!(block(b"\x00\x03A b\x01c"), None, "no field name");
        assert_eq!(block(b"\x00\x01a\x01\x00"), None, "no field value");
        assert!(block(b"\x00\x05a-bin\x01\x00").is_some(), "binary metadata of gRPC");
        assert_eq!(block(&[0x88, 0x40]), None, "cut");
    }
}
