//! The frame header (RFC 9113 section 4.1):
//!
//! ```text
//! Length (24) · Type (8) · Flags (8) · Reserved (1), Stream Identifier (31) · Frame Payload (..)
//! ```

/// Bytes of a frame header.
pub const LEN: usize = 9;

/// A frame type; the known ones have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameType(pub u8);

impl FrameType {
    /// Section 6.1.
    pub const DATA: Self = Self(0);
    /// Section 6.2.
    pub const HEADERS: Self = Self(1);
    /// Section 6.3.
    pub const PRIORITY: Self = Self(2);
    /// Section 6.4.
    pub const RST_STREAM: Self = Self(3);
    /// Section 6.5.
    pub const SETTINGS: Self = Self(4);
    /// Section 6.6.
    pub const PUSH_PROMISE: Self = Self(5);
    /// Section 6.7.
    pub const PING: Self = Self(6);
    /// Section 6.8.
    pub const GOAWAY: Self = Self(7);
    /// Section 6.9.
    pub const WINDOW_UPDATE: Self = Self(8);
    /// Section 6.10.
    pub const CONTINUATION: Self = Self(9);
    /// RFC 7838 section 4.
    pub const ALTSVC: Self = Self(0x0a);
    /// RFC 8336 section 2.
    pub const ORIGIN: Self = Self(0x0c);
    /// RFC 9218 section 7.1.
    pub const PRIORITY_UPDATE: Self = Self(0x10);

    /// The type's name; `None` where it has none here.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::DATA => "DATA",
            Self::HEADERS => "HEADERS",
            Self::PRIORITY => "PRIORITY",
            Self::RST_STREAM => "RST_STREAM",
            Self::SETTINGS => "SETTINGS",
            Self::PUSH_PROMISE => "PUSH_PROMISE",
            Self::PING => "PING",
            Self::GOAWAY => "GOAWAY",
            Self::WINDOW_UPDATE => "WINDOW_UPDATE",
            Self::CONTINUATION => "CONTINUATION",
            Self::ALTSVC => "ALTSVC",
            Self::ORIGIN => "ORIGIN",
            Self::PRIORITY_UPDATE => "PRIORITY_UPDATE",
            _ => return None,
        })
    }
}

/// Frame flags: what a bit means depends on the frame type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// DATA, HEADERS: the sender's last frame on the stream.
    pub const END_STREAM: u8 = 0x1;
    /// SETTINGS, PING.
    pub const ACK: u8 = 0x1;
    /// HEADERS, PUSH_PROMISE, CONTINUATION: the header block ends here.
    pub const END_HEADERS: u8 = 0x4;
    /// DATA, HEADERS, PUSH_PROMISE.
    pub const PADDED: u8 = 0x8;
    /// HEADERS: five bytes of priority precede the block.
    pub const PRIORITY: u8 = 0x20;

    /// All the given bits are set.
    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// The name of the flag bit `1 << bit` on frames of type `kind`; `None` where no RFC defines it.
pub const fn flag_name(kind: FrameType, bit: u8) -> Option<&'static str> {
    Some(match (kind, bit) {
        (FrameType::DATA | FrameType::HEADERS, 0) => "END_STREAM",
        (FrameType::SETTINGS | FrameType::PING, 0) => "ACK",
        (FrameType::HEADERS | FrameType::PUSH_PROMISE | FrameType::CONTINUATION, 2) => "END_HEADERS",
        (FrameType::DATA | FrameType::HEADERS | FrameType::PUSH_PROMISE, 3) => "PADDED",
        (FrameType::HEADERS, 5) => "PRIORITY",
        _ => return None,
    })
}

/// A decoded frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Payload length, 24 bits.
    pub length: u32,
    /// Type.
    pub kind: FrameType,
    /// Flags.
    pub flags: Flags,
    /// Stream identifier, 31 bits.
    pub stream: u32,
    /// The reserved bit was set.
    pub reserved: bool,
}

impl FrameHeader {
    /// Bytes of the payload that come before a header block fragment (sections 6.2 and 6.6): pad length, priority,
    /// promised stream.
    pub const fn before_fragment(&self) -> u32 {
        let fixed = match self.kind {
            FrameType::HEADERS if self.flags.has(Flags::PRIORITY) => 5,
            FrameType::PUSH_PROMISE => 4,
            _ => 0,
        };
        let may_be_padded = matches!(self.kind, FrameType::HEADERS | FrameType::PUSH_PROMISE);
        fixed + (may_be_padded && self.flags.has(Flags::PADDED)) as u32
    }

    /// Decodes nine bytes; any value is possible on the wire.
    pub const fn parse(bytes: &[u8; LEN]) -> Self {
        let [high, middle, low, kind, flags, stream @ ..] = *bytes;
        let stream = u32::from_be_bytes(stream);
        Self {
            length: u32::from_be_bytes([0, high, middle, low]),
            kind: FrameType(kind),
            flags: Flags(flags),
            stream: stream & 0x7fff_ffff,
            reserved: stream >> 31 != 0,
        }
    }

    /// Decodes the frame header at the start of `bytes`, if there are nine.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().map(Self::parse)
    }
}
