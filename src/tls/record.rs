//! The TLS record header (RFC 8446 section 5.1, RFC 5246 section 6.2).
//!
//! ```text
//! +---------+---------------+---------------+----
//! | type(1) | version(2)    | length(2)     | fragment
//! +---------+---------------+---------------+----
//! ```

/// Bytes of a record header.
pub(crate) const HEADER_LEN: usize = 5;
/// Most bytes of protected fragment that any version allows: 2^14 + 2048 (RFC 5246 section 6.2.3).
pub(crate) const MAX_FRAGMENT: usize = 16_384 + 2048;
/// Most bytes of a whole record.
pub(crate) const MAX_RECORD: usize = HEADER_LEN + MAX_FRAGMENT;

/// `change_cipher_spec`.
pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
/// alert.
pub(crate) const ALERT: u8 = 21;
/// handshake.
pub(crate) const HANDSHAKE: u8 = 22;
/// `application_data`.
pub(crate) const APPLICATION_DATA: u8 = 23;

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Content type: of TLS 1.3's protected records always `application_data`.
    pub(crate) content: u8,
    /// Legacy version as on the wire.
    pub(crate) version: u16,
    /// Bytes of the fragment.
    pub(crate) len: u16,
}

impl Header {
    /// The header at the start of `bytes`, if five bytes are there and it is one that TLS sends.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let [content, major, minor, high, low] = *bytes.first_chunk()?;
        let len = u16::from_be_bytes([high, low]);
        let plausible = (CHANGE_CIPHER_SPEC..=24).contains(&content)
            && major == 3
            && minor <= 4
            && (1..=MAX_FRAGMENT).contains(&usize::from(len));
        plausible.then_some(Self { content, version: u16::from_be_bytes([major, minor]), len })
    }

    /// Bytes of the record, header included.
    pub(crate) fn total(self) -> usize {
        HEADER_LEN + usize::from(self.len)
    }

    /// The header as on the wire.
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let ([major, minor], [high, low]) = (self.version.to_be_bytes(), self.len.to_be_bytes());
        [self.content, major, minor, high, low]
    }

    /// Sequence number, type, version and length of the content, as TLS 1.2 authenticates them (RFC 5246 sections
    /// 6.2.3.1 and 6.2.3.3).
    pub(crate) fn additional_data(self, seq: u64, content_len: usize) -> [u8; 8 + HEADER_LEN] {
        let mut out = [0; 8 + HEADER_LEN];
        let header = Self { len: content_len as u16, ..self }.to_bytes();
        seq.to_be_bytes().iter().chain(&header).zip(&mut out).for_each(|(from, to)| *to = *from);
        out
    }

    /// Whether it may head a protected record: version 3.3, and a fragment that has room for a tag.
    pub(crate) fn may_be_protected(self) -> bool {
        self.version == 0x0303 && usize::from(self.len) >= MIN_PROTECTED
    }

    /// Whether it may head a record that follows another one anywhere in a stream.
    pub(crate) fn may_follow(self) -> bool {
        self.version == 0x0303
            && (self.content != CHANGE_CIPHER_SPEC || self.len == 1 || self.may_be_protected())
    }
}

/// Fewest bytes of a protected fragment: a tag of 8 bytes and one of content.
pub(crate) const MIN_PROTECTED: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plausible_headers_parse() {
        let header = Header::parse(&[23, 3, 3, 0x48, 0x00, 9]).unwrap();
        assert_eq!((header.total(), header.to_bytes()), (MAX_RECORD, [23, 3, 3, 0x48, 0]));
        for bad in [
            &[23, 3, 3, 0x48, 0x01][..],
            &[23, 3, 3, 0, 0],
            &[19, 3, 3, 0, 9],
            &[25, 3, 3, 0, 9],
            &[23, 2, 3, 0, 9],
            &[23, 3, 5, 0, 9],
            &[23, 3, 3, 0],
        ] {
            assert_eq!(Header::parse(bad), None, "{bad:?}");
        }
        assert!(!Header::parse(&[23, 3, 3, 0, 8]).unwrap().may_be_protected());
        assert!(Header::parse(&[20, 3, 3, 0, 1]).unwrap().may_follow());
        assert!(!Header::parse(&[20, 3, 3, 0, 2]).unwrap().may_follow());
    }
}
