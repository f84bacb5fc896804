//! The static table (RFC 7541 appendix A).

/// An entry of the static table.
#[derive(Debug)]
pub(super) struct StaticEntry {
    /// Its name.
    pub(super) name: &'static [u8],
    /// Its value, often empty.
    pub(super) value: &'static [u8],
    /// Its name's number: the index of the first entry with that name.
    pub(super) number: u8,
}

/// Number of entries; the dynamic table's newest entry has the index after it.
pub(super) const LEN: u32 = 61;

/// The entry at `index`, 1 to [`LEN`].
#[inline]
pub(super) fn get(index: u32) -> Option<&'static StaticEntry> {
    ENTRIES.get((index as usize).wrapping_sub(1))
}

const fn entry(number: u8, name: &'static str, value: &'static str) -> StaticEntry {
    StaticEntry { name: name.as_bytes(), value: value.as_bytes(), number }
}

#[rustfmt::skip]
static ENTRIES: [StaticEntry; LEN as usize] = [
    entry(1, ":authority", ""),
    entry(2, ":method", "GET"),
    entry(2, ":method", "POST"),
    entry(4, ":path", "/"),
    entry(4, ":path", "/index.html"),
    entry(6, ":scheme", "http"),
    entry(6, ":scheme", "https"),
    entry(8, ":status", "200"),
    entry(8, ":status", "204"),
    entry(8, ":status", "206"),
    entry(8, ":status", "304"),
    entry(8, ":status", "400"),
    entry(8, ":status", "404"),
    entry(8, ":status", "500"),
    entry(15, "accept-charset", ""),
    entry(16, "accept-encoding", "gzip, deflate"),
    entry(17, "accept-language", ""),
    entry(18, "accept-ranges", ""),
    entry(19, "accept", ""),
    entry(20, "access-control-allow-origin", ""),
    entry(21, "age", ""),
    entry(22, "allow", ""),
    entry(23, "authorization", ""),
    entry(24, "cache-control", ""),
    entry(25, "content-disposition", ""),
    entry(26, "content-encoding", ""),
    entry(27, "content-language", ""),
    entry(28, "content-length", ""),
    entry(29, "content-location", ""),
    entry(30, "content-range", ""),
    entry(31, "content-type", ""),
    entry(32, "cookie", ""),
    entry(33, "date", ""),
    entry(34, "etag", ""),
    entry(35, "expect", ""),
    entry(36, "expires", ""),
    entry(37, "from", ""),
    entry(38, "host", ""),
    entry(39, "if-match", ""),
    entry(40, "if-modified-since", ""),
    entry(41, "if-none-match", ""),
    entry(42, "if-range", ""),
    entry(43, "if-unmodified-since", ""),
    entry(44, "last-modified", ""),
    entry(45, "link", ""),
    entry(46, "location", ""),
    entry(47, "max-forwards", ""),
    entry(48, "proxy-authenticate", ""),
    entry(49, "proxy-authorization", ""),
    entry(50, "range", ""),
    entry(51, "referer", ""),
    entry(52, "refresh", ""),
    entry(53, "retry-after", ""),
    entry(54, "server", ""),
    entry(55, "set-cookie", ""),
    entry(56, "strict-transport-security", ""),
    entry(57, "transfer-encoding", ""),
    entry(58, "user-agent", ""),
    entry(59, "vary", ""),
    entry(60, "via", ""),
    entry(61, "www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::super::name::NameId;
    use super::*;

    #[test]
    fn ends_where_the_dynamic_table_begins() {
        assert!(get(0).is_none());
        assert_eq!(get(1).unwrap().name, b":authority");
        assert_eq!(
            (get(16).unwrap().name, get(16).unwrap().value),
            (&b"accept-encoding"[..], &b"gzip, deflate"[..])
        );
        assert_eq!(get(LEN).unwrap().name, b"www-authenticate");
        assert!(get(LEN + 1).is_none());
    }

    #[test]
    fn each_name_has_the_number_of_its_first_entry() {
        for index in 1..=LEN {
            let entry = get(index).unwrap();
            let first = (1..=LEN).find(|&i| get(i).unwrap().name == entry.name).unwrap();
            assert_eq!(u32::from(entry.number), first);
            assert_eq!(NameId::of(entry.name).number(), entry.number);
            assert_eq!(NameId::new(entry.number).name(), Some(entry.name));
        }
    }
}
