//! The PROXY protocol header that some load balancers send before the client's bytes (version 1: a line of at
//! most 107 octets; version 2: a 12-octet signature, 4 octets, and as many as these say).

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const LONGEST_LINE: usize = 107;

/// What stands at the start of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// No PROXY protocol header.
    Absent,
    /// The beginning of one, or of something else.
    Undecided,
    /// One of so many octets.
    Present(usize),
}

/// Looks for a PROXY protocol header at the start of `bytes`.
pub fn header(bytes: &[u8]) -> Header {
    let starts_like = |prefix: &[u8]| bytes.iter().zip(prefix).all(|(a, b)| a == b);
    if starts_like(b"PROXY ") {
        let line = bytes.get(..bytes.len().min(LONGEST_LINE)).unwrap_or_default();
        return match memchr::memmem::find(line, b"\r\n") {
            Some(end) => Header::Present(end + 2),
            None if bytes.len() < LONGEST_LINE => Header::Undecided,
            None => Header::Absent,
        };
    }
    if starts_like(SIGNATURE) {
        return match bytes.get(12..16) {
            Some(&[version, _, high, low]) if version >> 4 == 2 => {
                Header::Present(16 + usize::from(u16::from_be_bytes([high, low])))
            }
            Some(_) => Header::Absent,
            None => Header::Undecided,
        };
    }
    Header::Absent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_both_versions() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nPRI";
        assert_eq!(header(line), Header::Present(42));
        assert_eq!(header(&line[..20]), Header::Undecided);
        assert_eq!(header(&[b"PROXY ", [b'x'; 200].as_slice()].concat()), Header::Absent);
        let block = [SIGNATURE.as_slice(), &[0x21, 0x11, 0, 12], &[0; 12], b"PRI"].concat();
        assert_eq!(header(&block), Header::Present(28));
        assert_eq!(header(&block[..13]), Header::Undecided);
        assert_eq!(header(b"GET / HTTP/1.1"), Header::Absent);
        assert_eq!(header(b""), Header::Undecided);
    }
}
