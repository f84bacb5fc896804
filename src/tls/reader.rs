//! A bounds-checked reader over handshake bytes.

/// Reads big-endian fields from the front of a slice; every read is `None` past its end.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads `bytes`.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    /// An 8-bit number.
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A 16-bit number.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A vector with a length of 8 bits before it.
    pub(crate) fn vector8(&mut self) -> Option<Self> {
        let len = self.u8()?;
        self.bytes(usize::from(len)).map(Self)
    }

    /// A vector with a length of 16 bits before it.
    pub(crate) fn vector16(&mut self) -> Option<Self> {
        let len = self.u16()?;
        self.bytes(usize::from(len)).map(Self)
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// What is left as 16-bit numbers; an odd last byte is ignored.
    pub(crate) fn u16s(self) -> impl Iterator<Item = u16> + 'a {
        self.0.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_what_is_there() {
        let mut reader = Reader::new(&[0, 3, 1, 2, 3, 2, 9]);
        assert_eq!(reader.vector16().map(Reader::rest), Some(&[1, 2, 3][..]));
        let mut short = reader;
        assert!(short.vector8().is_none());
        assert_eq!(reader.u16(), Some(0x0209));
        assert!(reader.is_empty() && reader.u8().is_none() && reader.bytes(1).is_none());
        assert_eq!(Reader::new(&[1, 2, 3]).u16s().collect::<Vec<_>>(), [0x0102]);
    }
}
