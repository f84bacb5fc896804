//! Whether a block opens a request, by what needs no dynamic table.

use super::integer;

/// The static table's first entries are the pseudo-header fields of requests (RFC 7541 appendix A).
const PSEUDO: std::ops::RangeInclusive<u32> = 1..=7;

/// A field of the block is named by one of these entries: the block is that of a request, as trailers have none (RFC 9113
/// section 8.1). Without such a name it may be one all the same.
pub fn opens_request(block: &[u8]) -> bool {
    let mut rest = block;
    while let Some(&first) = rest.first() {
        let prefix = match first {
            0x80.. => 7,
            0x40.. => 6,
            0x20.. => 5,
            _ => 4,
        };
        let Some((index, after)) = integer::read(rest, prefix) else { return false };
        let is_size = prefix == 5;
        if !is_size && index.is_some_and(|index| PSEUDO.contains(&index)) {
            return true;
        }
        let strings = match prefix {
            4 | 6 => 1 + usize::from(index == Some(0)),
            _ => 0,
        };
        let Some(behind) = (0..strings).try_fold(after, |rest, _| behind_string(rest)) else { return false };
        rest = behind;
    }
    false
}

/// What follows the string (section 5.2) at the beginning; `None` where the block ends within it.
fn behind_string(bytes: &[u8]) -> Option<&[u8]> {
    let (length, text) = integer::read(bytes, 7)?;
    text.get(length? as usize..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_trailers() {
        for request in [
            &b"\x82"[..],
            b"\xbe\x87",
            b"\x3f\xe1\x1f\x84",
            b"\x04\x01/",
            b"\x41\x01a",
            b"\x40\x01a\x01v\x5f\x01v\x83",
        ] {
            assert!(opens_request(request), "{request:x?}");
        }
        for other in [
            &b""[..],
            b"\xbe\xbf",
            b"\x88",
            b"\x22",
            b"\x00\x01\x82\x01\x82",
            b"\x40\x05\x82\x82\x82",
            b"\x5f\x01",
            b"\x7f",
            b"\x1f\xff\xff\xff\xff\x7f\x82",
        ] {
            assert!(!opens_request(other), "{other:x?}");
        }
    }
}
