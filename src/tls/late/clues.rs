//! The records among the ciphertext that waits for its keys.

use crate::tls::record::{self, HEADER_LEN, Header, MIN_PROTECTED};
use crate::tls::seek::{self, Step};

/// A part of what a direction keeps.
pub(crate) enum Held<'a> {
    /// Bytes that follow those before.
    Bytes(&'a [u8]),
    /// Bytes that are not in the capture.
    Gap(Option<u64>),
}

/// A whole record, as far as record headers tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clue {
    /// Its header.
    pub(crate) header: Header,
    /// Where its header begins among the bytes that are kept, which is what it is known by.
    pub(crate) start: usize,
    /// Records found before it.
    pub(crate) index: u64,
    /// Most records that may have been lost before it.
    pub(crate) missing: u64,
}

/// The records of a direction, in order.
#[derive(Debug, Default)]
pub(crate) struct Clues {
    bytes: Vec<u8>,
    records: Vec<Clue>,
    /// They are of TLS 1.2: nonces are written out in them and count up by one (RFC 5288 section 3), from anywhere or under a
    /// mask, or one that follows others has a content type that TLS 1.3 hides.
    pub(crate) tls12: bool,
    /// Records of all content types count.
    shown: bool,
}

/// Records in a row whose first eight bytes count up, until that is a nonce: chance does that once in 2^116.
const COUNTED: u32 = 2;

/// Whether two nonces may be neighbours. Counting up by one changes the lowest bits, and under a mask the same ones.
const fn counts(before: u64, after: u64) -> bool {
    let changed = before ^ after;
    changed != 0 && changed & changed.wrapping_add(1) == 0
}

impl Clues {
    /// Finds the records; `seeking` when the first byte kept need not begin one, `shown` for TLS 1.2, which shows content
    /// types.
    pub(crate) fn gather<'a>(held: impl Iterator<Item = Held<'a>>, seeking: bool, shown: bool) -> Self {
        let mut clues = Self { shown, ..Self::default() };
        let (mut seeking, mut missing, mut run) = (seeking, 0_u64, 0);
        for part in held {
            match part {
                Held::Bytes(bytes) => clues.bytes.extend_from_slice(bytes),
                Held::Gap(len) => {
                    missing = clues.read(run, seeking, missing);
                    let lost = len.map_or(u64::MAX, |len| len / SMALLEST + 1);
                    missing = missing.saturating_add(lost);
                    (seeking, run) = (true, clues.bytes.len());
                }
            }
        }
        clues.read(run, seeking, missing);
        clues
    }

    /// Reads the bytes from `start` on, between which nothing is missing; how many records may have been lost by now.
    fn read(&mut self, start: usize, seeking: bool, missing: u64) -> u64 {
        let (mut at, mut seeking, mut missing) = (start, seeking, missing);
        let (mut nonce, mut counted) = (None, 0);
        while let Some(view) = self.bytes.get(at..).filter(|view| !view.is_empty()) {
            match if seeking { seek::search(view, false) } else { seek::next(view) } {
                Step::Record(header) => {
                    let fragment = view.get(HEADER_LEN..header.total()).unwrap_or_default();
                    let written = fragment.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
                    let follows = nonce.zip(written).is_some_and(|(nonce, written)| counts(nonce, written));
                    counted = if follows { counted + 1 } else { 0 };
                    nonce = written;
                    let hidden = matches!(header.content, record::HANDSHAKE | record::ALERT);
                    let hello = matches!(fragment, [1 | 2, 0, ..]);
                    let shown = hidden && !seeking && self.follows(at) && fragment.len() > MIN_PROTECTED;
                    self.tls12 |= counted >= COUNTED || shown && !hello;
                    if self.shown || header.content == record::APPLICATION_DATA {
                        let index = self.records.len() as u64;
                        self.records.push(Clue { header, start: at, index, missing });
                    }
                    at += header.total();
                    seeking = false;
                }
                Step::Drop(len) => {
                    missing = missing.saturating_add(len as u64 / SMALLEST + 1);
                    at += len;
                }
                Step::Lost => seeking = true,
                // What looked like a header has no end here: another may stand in its record.
                Step::Need(len) if seeking && len != usize::MAX && view.len() > HEADER_LEN => {
                    missing = missing.saturating_add(1);
                    at += 1;
                }
                Step::Need(_) => break,
            }
        }
        missing
    }

    /// Whether the last record found ends at `at`.
    fn follows(&self, at: usize) -> bool {
        self.records.last().is_some_and(|last| last.start + last.header.total() == at)
    }

    /// The records, in order.
    pub(super) fn records(&self) -> &[Clue] {
        &self.records
    }

    /// The first records, so many at the most.
    pub(super) fn first_records(&self, most: u64) -> Vec<Clue> {
        self.records.iter().take_while(|clue| clue.index < most).copied().collect()
    }

    /// What a record's header is followed by.
    pub(super) fn fragment(&self, clue: &Clue) -> &[u8] {
        self.bytes.get(clue.start + HEADER_LEN..clue.start + clue.header.total()).unwrap_or_default()
    }

    /// The record behind that one, when nothing is between them.
    pub(super) fn next(&self, clue: &Clue) -> Option<&Clue> {
        let next = self.records.get(clue.index as usize + 1)?;
        (next.start == clue.start + clue.header.total()).then_some(next)
    }
}

/// Bytes of the smallest record that TLS 1.3 protects with a tag of 16 bytes.
const SMALLEST: u64 = 22;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u8, fragment: &[u8]) -> Vec<u8> {
        [&[content, 3, 3, 0, fragment.len() as u8][..], fragment].concat()
    }

    fn starts(clues: &Clues) -> Vec<(usize, u64)> {
        clues.records().iter().map(|clue| (clue.start, clue.missing)).collect()
    }

    #[test]
    fn records_are_found_from_anywhere() {
        let stream = [record(23, &[7; 40]), record(23, &[8; 30]), record(23, &[9; 50])].concat();
        let clues = Clues::gather([Held::Bytes(&stream)].into_iter(), false, false);
        assert_eq!(starts(&clues), [(0, 0), (45, 0), (80, 0)]);
        assert_eq!(clues.fragment(&clues.records()[1]), [8; 30]);
        assert_eq!(clues.next(&clues.records()[0]).unwrap().start, 45);
        assert!(clues.next(&clues.records()[2]).is_none() && !clues.tls12);
        let parts = [Held::Bytes(&stream[20..60]), Held::Bytes(&stream[60..])];
        assert_eq!(starts(&Clues::gather(parts.into_iter(), true, false)), [(25, 2), (60, 2)]);
        let parts = [Held::Bytes(&stream[..60]), Held::Gap(Some(100)), Held::Bytes(&stream[80..])];
        assert_eq!(starts(&Clues::gather(parts.into_iter(), false, false)), [(0, 0), (60, 5)]);
        for cut in 0..stream.len() {
            Clues::gather([Held::Bytes(&stream[cut..])].into_iter(), true, false);
            Clues::gather([Held::Bytes(&stream[..cut])].into_iter(), true, false);
        }
    }

    #[test]
    fn tls_1_2_is_told_by_its_nonces_and_types() {
        let nonces = |first: u64, step: u64| {
            let records = (0..3).map(|n| [&(first + n * step).to_be_bytes()[..], &[7; 30]].concat());
            records.flat_map(|fragment| record(23, &fragment)).collect::<Vec<u8>>()
        };
        let is_tls12 = |bytes: &[u8]| Clues::gather([Held::Bytes(bytes)].into_iter(), false, false).tls12;
        assert!(is_tls12(&nonces(5, 1)) && !is_tls12(&nonces(5, 2)) && !is_tls12(&nonces(5, 0)));
        assert!(!is_tls12(&nonces(5, 1)[..90]));
        let masked = (0..3).map(|n: u64| [&(n ^ 0x1234_5678_9abc_def7).to_be_bytes()[..], &[7; 30]].concat());
        assert!(is_tls12(&masked.flat_map(|fragment| record(23, &fragment)).collect::<Vec<u8>>()));
        assert!(is_tls12(&[record(23, &[7; 30]), record(21, &[9; 26])].concat()));
        assert!(!is_tls12(&[record(23, &[7; 30]), record(21, &[1, 0])].concat()));
        assert!(!is_tls12(
            &[record(23, &[7; 30]), record(22, &[1, 0, 0, 9, 3, 3, 0, 0, 0, 0, 0, 0])].concat()
        ));
    }
}
