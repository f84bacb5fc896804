//! Text that can be shown as it is, in JSON and on a terminal, and how long other text becomes.

/// Bytes that an octet takes at the most when it is escaped.
pub const ESCAPED: u64 = 6;

/// Printable ASCII without quotes and backslashes, as nearly all text is. Eight bytes at a time; what is left over of a longer
/// text is looked at with what stands before it.
#[inline]
pub fn is_plain(bytes: &[u8]) -> bool {
    const HIGHS: u64 = ONES << 7;
    let odd = if let Some(last) = bytes.last_chunk() {
        let (words, _) = bytes.as_chunks();
        let odd = |word: &[u8; 8]| odd_bytes(u64::from_le_bytes(*word));
        words.iter().fold(odd(last), |all, word| all | odd(word))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        odd_bytes(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
    } else {
        return bytes.iter().all(|&byte| odd_bytes(ONES * u64::from(byte)) & HIGHS == 0);
    };
    odd & HIGHS == 0
}

/// Bytes of a text once it is escaped; of bytes as base64 no more than that.
pub fn escaped_len(text: &[u8]) -> u64 {
    let len = |&byte: &u8| match byte {
        0..0x20 | 0x7f => ESCAPED,
        // In CSV a quote within JSON is escaped for both. What is not UTF-8 is shown as U+FFFD; the longest escapes, of four
        // octets, take twelve bytes.
        b'"' | b'\\' | 0x80.. => 3,
        _ => 1,
    };
    text.iter().map(len).sum()
}

/// One in each byte.
const ONES: u64 = u64::MAX / 255;

/// Sets the high bit of each byte that is not plain, if none before it is; and that of none where all are plain.
#[inline]
const fn odd_bytes(word: u64) -> u64 {
    /// Of bytes below 0x80, the subtraction takes those below zero that are less; others have the high bit set themselves.
    const fn less(word: u64, bound: u8) -> u64 {
        word.wrapping_sub(ONES * bound as u64)
    }
    const fn equal(word: u64, byte: u8) -> u64 {
        less(word ^ (ONES * byte as u64), 1)
    }
    let delete = word.wrapping_add(ONES);
    word | delete | less(word, 0x20) | equal(word, b'"') | equal(word, b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs_nothing(byte: u8) -> bool {
        (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\'
    }

    proptest! {
        #[test]
        fn plain_is_what_needs_nothing(bytes: Vec<u8>) {
            let plain = bytes.iter().all(|&byte| needs_nothing(byte));
            // Mistaking plain text for other text costs time alone; the reverse would be wrong.
            prop_assert!(plain || !is_plain(&bytes));
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=255u8 {
            for len in 1..40 {
                for place in 0..len {
                    let mut bytes = vec![b'a'; len];
                    bytes[place] = byte;
                    assert_eq!(is_plain(&bytes), needs_nothing(byte), "{byte:#x} at {place} of {len}");
                }
            }
        }
    }
}
