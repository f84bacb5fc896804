//! Telling TLS from other protocols by the first bytes of a stream.

use super::record::{self, HEADER_LEN, Header};
use memchr::memmem;

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// It is TLS: a hello message, or records in the middle of a connection.
    Tls,
    /// It is not, or does not begin with a record.
    Other,
    /// More bytes are needed: at the most [`MAX_DETECTION_BYTES`].
    NeedMore,
}

/// Bytes after which [`looks_like_tls`] has an answer other than [`Detection::NeedMore`].
pub const MAX_DETECTION_BYTES: usize = record::MAX_RECORD + HEADER_LEN;

/// Whether a stream that begins with `first_bytes` is TLS.
///
/// A record with a client or server hello is. So is a protected or other record that is followed by the header of
/// another one, or with which the bytes end exactly: the connection's start is then not in the capture.
pub fn looks_like_tls(first_bytes: &[u8]) -> Detection {
    let bounds = [record::CHANGE_CIPHER_SPEC..=record::APPLICATION_DATA, 3..=3, 0..=4];
    if first_bytes.iter().zip(&bounds).any(|(byte, bound)| !bound.contains(byte)) {
        return Detection::Other;
    }
    if first_bytes.len() < HEADER_LEN {
        return Detection::NeedMore;
    }
    let Some(header) = Header::parse(first_bytes) else { return Detection::Other };
    let fragment = first_bytes.get(HEADER_LEN..).unwrap_or_default();
    match (header.content, fragment) {
        (record::HANDSHAKE, []) => return Detection::NeedMore,
        // Type, then the length, of which a hello of over 64 KiB would use the first byte.
        (record::HANDSHAKE, [1 | 2] | [1 | 2, 0, ..]) => return Detection::Tls,
        (record::CHANGE_CIPHER_SPEC, _) if header.len != 1 => return Detection::Other,
        (record::APPLICATION_DATA, _) if !header.may_be_protected() => return Detection::Other,
        (record::ALERT, _) if header.len != 2 && !header.may_be_protected() => return Detection::Other,
        _ => {}
    }
    let behind = first_bytes.get(header.total()..);
    match behind {
        None => Detection::NeedMore,
        Some([]) => Detection::Tls,
        Some(behind) if behind.len() < HEADER_LEN => Detection::NeedMore,
        Some(behind) if Header::parse(behind).is_some_and(Header::may_follow) => Detection::Tls,
        Some(_) => Detection::Other,
    }
}

/// Whether `bytes`, from anywhere in a stream, hold a chain of TLS records: two whole protected ones and the header
/// of a third, or two with the second of which the bytes end. For streams whose first bytes are the middle of a record.
pub fn contains_tls_records(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, &[record::APPLICATION_DATA, 3, 3]).any(|start| {
        let mut rest = bytes.get(start..).unwrap_or_default();
        for _ in 0..2 {
            let Some(header) = Header::parse(rest).filter(|header| header.may_be_protected()) else {
                return false;
            };
            let Some(behind) = rest.get(header.total()..) else { return false };
            rest = behind;
        }
        rest.is_empty() || Header::parse(rest).is_some_and(Header::may_follow)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_hellos_and_records() {
        assert_eq!(looks_like_tls(b""), Detection::NeedMore);
        assert_eq!(looks_like_tls(&[22, 3]), Detection::NeedMore);
        assert_eq!(looks_like_tls(&[22, 3, 1, 2, 0]), Detection::NeedMore);
        assert_eq!(looks_like_tls(&[22, 3, 1, 2, 0, 1]), Detection::Tls);
        assert_eq!(looks_like_tls(&[22, 3, 3, 0, 122, 2, 0]), Detection::Tls);
        assert_eq!(looks_like_tls(&[22, 3, 3, 0, 122, 2, 1]), Detection::NeedMore);
        let record = |len: u8| [&[23, 3, 3, 0, len][..], &vec![7; usize::from(len)]].concat();
        assert_eq!(looks_like_tls(&record(40)), Detection::Tls);
        assert_eq!(looks_like_tls(&record(40)[..30]), Detection::NeedMore);
        assert_eq!(looks_like_tls(&[record(40), vec![23, 3]].concat()), Detection::NeedMore);
        assert_eq!(looks_like_tls(&[record(40), record(9)[..5].to_vec()].concat()), Detection::Tls);
        assert_eq!(looks_like_tls(&[record(40), vec![9; 5]].concat()), Detection::Other);
        assert_eq!(looks_like_tls(&record(3)), Detection::Other);
        assert_eq!(looks_like_tls(&[20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 40]), Detection::Tls);
        for other in
            [&b"PRI * HTTP/2.0"[..], b"GET / HTTP/1.1", b"\0\0\x12\x04\0\0\0\0\0", b"SSH-2.0-", &[21, 3, 9]]
        {
            assert_eq!(looks_like_tls(other), Detection::Other);
        }
        assert!(contains_tls_records(&[vec![1, 2, 23, 3, 3], record(40), record(20), record(9)].concat()));
        assert!(!contains_tls_records(&[vec![1, 2, 23, 3, 3], record(40), vec![0; 20]].concat()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn decides_in_time(mut bytes in proptest::collection::vec(any::<u8>(), MAX_DETECTION_BYTES), content in 20..24_u8) {
            bytes[..3].copy_from_slice(&[content, 3, 3]);
            prop_assert_ne!(looks_like_tls(&bytes), Detection::NeedMore);
            contains_tls_records(&bytes);
        }
    }
}
