//! Where the next record begins: in an unbroken stream, and after a hole.

use super::record::{self, HEADER_LEN, Header};
use memchr::memmem;

/// What to do with a stream's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A whole record begins here.
    Record(Header),
    /// This many bytes are needed, counted from here; `usize::MAX` for any number.
    Need(usize),
    /// This many bytes belong to no record that could be found.
    Drop(usize),
    /// No record begins here.
    Lost,
}

/// The record at the start of `view`, where the stream is unbroken.
pub(crate) fn next(view: &[u8]) -> Step {
    if view.len() < HEADER_LEN {
        return Step::Need(HEADER_LEN);
    }
    match Header::parse(view) {
        None => Step::Lost,
        Some(header) if header.total() > view.len() => Step::Need(header.total()),
        Some(header) => Step::Record(header),
    }
}

/// The first believable record in `view`, somewhere after a hole: a header of version 3.3, with another one behind
/// its record as far as that can be seen. Whether it is one, its authentication tells; `clear` where records
/// without protection may stand.
pub(crate) fn search(view: &[u8], clear: bool) -> Step {
    for version in memmem::find_iter(view, &[3, 3]) {
        let Some(start) = version.checked_sub(1) else { continue };
        let Some(rest) = view.get(start..) else { continue };
        if rest.len() < HEADER_LEN {
            return if start > 0 { Step::Drop(start) } else { Step::Need(HEADER_LEN) };
        }
        let Some(header) = Header::parse(rest) else { continue };
        let believable = match header.content {
            record::CHANGE_CIPHER_SPEC => clear && header.len == 1,
            record::HANDSHAKE if clear => {
                matches!(rest.get(HEADER_LEN..), Some([] | [1 | 2] | [1 | 2, 0, ..]))
            }
            record::HANDSHAKE | record::ALERT => !clear && header.may_be_protected(),
            _ => header.may_be_protected(),
        };
        if !believable {
            continue;
        }
        let behind = rest.get(header.total()..).unwrap_or_default();
        if behind.len() >= HEADER_LEN && !Header::parse(behind).is_some_and(Header::may_follow) {
            continue;
        }
        return match start {
            0 if rest.len() < header.total() => Step::Need(header.total()),
            0 => Step::Record(header),
            _ => Step::Drop(start),
        };
    }
    // A header may have begun in the last bytes.
    let kept = view.len().min(HEADER_LEN - 1);
    if view.len() > kept { Step::Drop(view.len() - kept) } else { Step::Need(usize::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(len: u8) -> Vec<u8> {
        [&[23, 3, 3, 0, len][..], &vec![0xee; usize::from(len)]].concat()
    }

    #[test]
    fn finds_the_record_behind_a_hole() {
        let stream = [vec![0x17, 3, 3, 0x03, 0x03, 1, 2, 3], record(40), record(30)].concat();
        // The first candidate reaches past what is there; it is believed until its end is seen.
        assert_eq!(search(&stream, true), Step::Need(5 + 0x0303));
        assert_eq!(search(&stream[1..], true), Step::Drop(7));
        assert_eq!(
            search(&stream[8..], false),
            Step::Record(Header { content: 23, version: 0x0303, len: 40 })
        );
        let wrong = [record(40), vec![1; 5]].concat();
        assert_eq!(search(&wrong, true), Step::Drop(46));
    }

    #[test]
    fn keeps_what_may_be_the_start_of_a_header() {
        assert_eq!(search(&[9; 100], true), Step::Drop(96));
        assert_eq!(search(&[9, 9, 23, 3], true), Step::Need(usize::MAX));
        assert_eq!(search(&[9, 9, 23, 3, 3, 0], true), Step::Drop(2));
        assert_eq!(search(&[23, 3, 3, 0], true), Step::Need(5));
        assert_eq!(search(&[], true), Step::Need(usize::MAX));
        assert_eq!(next(&[]), Step::Need(5));
        assert_eq!(next(&[0; 5]), Step::Lost);
    }
}
