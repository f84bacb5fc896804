//! Telling TLS from other protocols by the first bytes of a stream.

use super::record::{self, HEADER_LEN, Header};
use crate::base::limits::DETECT_BYTES;
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

/// Looks for TLS in a stream whose first bytes are the middle of a record: a chain of records.
///
/// A header of `application_data` with a plausible length is 2^-26 improbable in random bytes at each offset, and each one that
/// stands where the one before says multiplies that. Three make it TLS; two do where the stream is over.
#[derive(Debug, Default)]
pub struct RecordChain {
    /// Bytes looked at.
    seen: u64,
    /// The last bytes, in which a header may begin.
    tail: Vec<u8>,
    /// Where the next headers are due, and how many were there before them.
    due: Vec<(u64, u8)>,
    /// Two headers in a row were there.
    likely: bool,
}

/// Chains that are followed at one time; those with the fewest headers go.
const CHAINS: usize = 16;

impl RecordChain {
    /// The next bytes; whether it is TLS. Of long streams the beginning is looked at.
    pub fn data(&mut self, bytes: &[u8]) -> bool {
        if self.seen >= DETECT_BYTES as u64 {
            return false;
        }
        let mut view = std::mem::take(&mut self.tail);
        let start = self.seen - view.len() as u64;
        self.seen += bytes.len() as u64;
        view.extend_from_slice(bytes);
        let mut found = false;
        for at in memmem::find_iter(&view, &[record::APPLICATION_DATA, 3, 3]) {
            let header = view.get(at..).and_then(Header::parse);
            found |= header.is_some_and(|header| self.header(start + at as u64, header));
        }
        // A header may begin in the last bytes.
        view.drain(..view.len().saturating_sub(HEADER_LEN - 1));
        let looked = self.seen - view.len() as u64;
        self.due.retain(|due| due.0 >= looked);
        self.tail = view;
        found
    }

    /// Bytes are missing: what follows is looked at anew.
    pub fn gap(&mut self) {
        (self.tail, self.due) = (Vec::new(), Vec::new());
    }

    /// Whether it is TLS, now that nothing follows.
    pub fn is_likely(&self) -> bool {
        self.likely
    }

    /// A header begins at `at`; whether it is the third in a row.
    fn header(&mut self, at: u64, header: Header) -> bool {
        if !header.may_be_protected() {
            return false;
        }
        let before = self.due.iter().find(|due| due.0 == at).map_or(0, |due| due.1);
        let count = before + 1;
        self.likely |= count >= 2;
        if self.due.len() >= CHAINS {
            let fewest = self.due.iter().enumerate().min_by_key(|(_, due)| due.1).map(|(index, _)| index);
            fewest.map(|fewest| self.due.swap_remove(fewest));
        }
        self.due.push((at + header.total() as u64, count));
        count >= 3
    }
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
    }

    fn record(len: usize) -> Vec<u8> {
        [&[23, 3, 3][..], &(len as u16).to_be_bytes(), &vec![7; len]].concat()
    }

    #[test]
    fn three_records_in_a_row_are_tls_however_they_are_cut() {
        let stream = [vec![1, 2, 23, 3, 3, 0], vec![9; 700], record(400), record(9), record(16_640)].concat();
        let third = stream.len() - 16_640;
        for size in [1, 2, 3, 4, 5, 6, 7, 100, 1448, 20_000] {
            let mut chain = RecordChain::default();
            let mut recognised = None;
            for (n, piece) in stream.chunks(size).enumerate() {
                if chain.data(piece) && recognised.is_none() {
                    recognised = Some(n);
                }
            }
            assert_eq!(recognised, Some((third - 1) / size), "{size}");
        }
        let mut chain = RecordChain::default();
        assert!(!chain.data(&[vec![5; 50], record(40), record(50)].concat()) && chain.is_likely());
        chain.gap();
        assert!(!chain.data(&record(60)));
        let mut chain = RecordChain::default();
        assert!(
            !chain.data(&[vec![5; 50], record(40), vec![0; 9], record(50)].concat()) && !chain.is_likely()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn decides_in_time(mut bytes in proptest::collection::vec(any::<u8>(), MAX_DETECTION_BYTES), content in 20..24_u8) {
            bytes[..3].copy_from_slice(&[content, 3, 3]);
            prop_assert_ne!(looks_like_tls(&bytes), Detection::NeedMore);
            prop_assert!(!RecordChain::default().data(&bytes) || bytes.windows(3).filter(|part| *part == [23, 3, 3]).count() > 2);
        }
    }
}
