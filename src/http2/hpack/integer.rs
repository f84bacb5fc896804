//! Integers (RFC 7541 section 5.1):
//!
//! ```text
//! prefix of N bits, below 2^N - 1: the value
//! prefix of N ones: the value is 2^N - 1 plus 7 bits a byte, lowest first, as long as the top bit is set
//! ```

/// Bytes after the prefix: enough for 32 bits.
const CONTINUATIONS: usize = 5;

/// Reads the integer whose prefix is the low `prefix` bits (1 to 8) of the first byte, and returns it with the
/// bytes behind it. `None` when `input` ends before it does; `Some((None, ..))` when it is over 2^32 - 1 or longer
/// than such a number can be: its end is found all the same.
#[inline]
pub(super) fn read(input: &[u8], prefix: u32) -> Option<(Option<u32>, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let ones = (1 << prefix) - 1;
    let value = u32::from(first) & ones;
    if value < ones { Some((Some(value), rest)) } else { read_long(ones, rest) }
}

fn read_long(ones: u32, input: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let last = input.iter().position(|byte| byte & 0x80 == 0)?;
    let (bytes, rest) = input.split_at_checked(last + 1)?;
    if bytes.len() > CONTINUATIONS {
        return Some((None, rest));
    }
    let above = bytes.iter().rev().fold(0u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
    Some((u32::try_from(above + u64::from(ones)).ok(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_examples_of_appendix_c_1() {
        assert_eq!(read(&[0b1110_1010], 5), Some((Some(10), &[][..])));
        assert_eq!(read(&[0b1111_1111, 0x9a, 0x0a, 7], 5), Some((Some(1337), &[7][..])));
        assert_eq!(read(&[42], 8), Some((Some(42), &[][..])));
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(read(&[0x7f, 0x00], 7), Some((Some(127), &[][..])));
        assert_eq!(read(&[0x7e], 7), Some((Some(126), &[][..])));
        // 2^32 - 1 with a prefix of five bits, and one more.
        assert_eq!(read(&[0x1f, 0xe0, 0xff, 0xff, 0xff, 0x0f], 5), Some((Some(u32::MAX), &[][..])));
        assert_eq!(read(&[0x1f, 0xe1, 0xff, 0xff, 0xff, 0x0f, 9], 5), Some((None, &[9][..])));
        assert_eq!(read(&[0x1f, 0xff, 0xff, 0xff, 0xff, 0x7f], 5), Some((None, &[][..])));
    }

    #[test]
    fn a_long_encoding_is_refused_and_its_end_found() {
        let mut padded = vec![0xff];
        padded.extend([0x80; 1000]);
        assert_eq!(read(&padded, 7), None);
        padded.extend([0x00, 0x55]);
        assert_eq!(read(&padded, 7), Some((None, &[0x55][..])));
        assert_eq!(read(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x00], 7), Some((Some(127), &[][..])));
        assert_eq!(read(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 7), Some((None, &[][..])));
    }

    #[test]
    fn nothing_to_read() {
        assert_eq!(read(&[], 7), None);
        assert_eq!(read(&[0xff], 7), None);
        assert_eq!(read(&[0xff, 0x80], 7), None);
    }
}
