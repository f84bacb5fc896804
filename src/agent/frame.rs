//! Frame headers as the agent reads them (docs/agent.md, "Frames it keeps"), and the bytes of one packet.

/// Length of a frame header.
pub(super) const HEADER_LEN: usize = 9;
/// Longer frames are not valid to the agent, whatever `SETTINGS_MAX_FRAME_SIZE` says.
const MAX_FRAME_SIZE: u32 = 16_384;

const DATA: u8 = 0;
/// Frame type HEADERS.
pub(super) const HEADERS: u8 = 1;
/// Frame type `RST_STREAM`.
pub(super) const RST_STREAM: u8 = 3;
/// Frame type SETTINGS.
pub(super) const SETTINGS: u8 = 4;
/// Frame type CONTINUATION.
pub(super) const CONTINUATION: u8 = 9;

/// Flag `END_STREAM`.
pub(super) const END_STREAM: u8 = 0x1;
/// Flag `END_HEADERS`.
pub(super) const END_HEADERS: u8 = 0x4;
/// Flag PADDED.
pub(super) const PADDED: u8 = 0x8;
/// Flag PRIORITY.
pub(super) const PRIORITY: u8 = 0x20;

/// A frame header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Payload length.
    pub(super) length: u32,
    /// Type.
    pub(super) kind: u8,
    /// Flags.
    pub(super) flags: u8,
    /// Stream identifier, without the reserved bit.
    pub(super) stream: u32,
}

impl FrameHeader {
    /// Takes the bytes apart, without a look at what they say.
    #[inline]
    pub(super) fn read(bytes: &[u8; HEADER_LEN]) -> Self {
        let [high, middle, low, kind, flags, stream @ ..] = *bytes;
        Self {
            length: u32::from_be_bytes([0, high, middle, low]),
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        }
    }

    /// The header, if the agent takes it for one: not all zero, type at most 9, length at most
    /// 16,384, stream 0 or odd. So pushed streams, extension types and large frames are not valid to it.
    #[inline]
    pub(super) fn valid(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let header = Self::read(bytes);
        let valid = *bytes != [0; HEADER_LEN]
            && header.kind <= CONTINUATION
            && header.length <= MAX_FRAME_SIZE
            && (header.stream == 0 || header.stream % 2 == 1);
        valid.then_some(header)
    }

    /// Whether the agent keeps the frame: HEADERS, `RST_STREAM`, and DATA with `END_STREAM`.
    pub(super) const fn is_interesting(self) -> bool {
        match self.kind {
            HEADERS | RST_STREAM => true,
            DATA => self.ends_stream(),
            _ => false,
        }
    }

    /// Bit 0 of the flags is set.
    pub(super) const fn ends_stream(self) -> bool {
        self.flags & END_STREAM != 0
    }

    /// DATA.
    pub(super) const fn is_data(self) -> bool {
        self.kind == DATA
    }
}

/// An interesting frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) header: FrameHeader,
    /// Where its payload starts.
    pub(super) offset: u32,
    /// The place of its stream, once that was looked up.
    pub(super) stream: u32,
}

/// The unit of work: a segment's payload, or a decrypted record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer<'a> {
    /// The bytes that are in the capture.
    pub(super) bytes: &'a [u8],
    /// Where the payload ended on the wire: beyond `bytes` when the snaplen cut it. The agent had them all, so
    /// offsets are reckoned with this end, and what was cut cannot be read.
    pub(super) end: u32,
}

impl Buffer<'_> {
    /// The byte at `at`.
    #[inline]
    pub(super) fn byte(&self, at: u32) -> Option<u8> {
        self.bytes.get(at as usize).copied()
    }

    /// The nine bytes at `at`.
    #[inline]
    pub(super) fn header(&self, at: u32) -> Option<&[u8; HEADER_LEN]> {
        self.bytes.get(at as usize..)?.first_chunk()
    }

    /// The `len` bytes at `at`.
    pub(super) fn slice(&self, at: u32, len: u32) -> Option<&[u8]> {
        self.bytes.get(at as usize..)?.get(..len as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_follows_section_2_2() {
        let valid = |bytes: [u8; 9]| FrameHeader::valid(&bytes).is_some();
        assert!(!valid([0; 9]));
        assert!(valid([0, 0, 0, 0, 1, 0, 0, 0, 1]));
        assert!(valid([0, 0x40, 0, 0, 0, 0, 0, 0, 1]));
        assert!(!valid([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), "longer than 16384");
        assert!(!valid([0, 0, 1, 10, 0, 0, 0, 0, 1]), "extension type");
        assert!(!valid([0, 0, 1, 1, 0, 0, 0, 0, 2]), "even stream");
        assert!(valid([0, 0, 1, 1, 0, 0x80, 0, 0, 3]), "reserved bit is ignored");
        assert!(valid([0, 0, 8, 6, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn interesting_frames_follow_section_2_3() {
        let interesting = |kind, flags| FrameHeader { length: 1, kind, flags, stream: 1 }.is_interesting();
        assert!(interesting(HEADERS, 0) && interesting(RST_STREAM, 0) && interesting(DATA, 1));
        assert!(!interesting(DATA, 0) && !interesting(DATA, 8));
        for kind in [2, 4, 5, 6, 7, 8, 9] {
            assert!(!interesting(kind, 0xff));
        }
    }
}
