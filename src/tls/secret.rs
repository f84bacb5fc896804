//! Secrets that wipe themselves and never show themselves.

use std::fmt;
use zeroize::Zeroize;

/// Bytes of a master or traffic secret: those of SHA-384, the longest hash that a suite names.
const LONGEST: usize = 48;

/// A master or traffic secret, of at most [`LONGEST`] bytes. It is wiped when dropped, and its `Debug`
/// tells nothing of it.
#[derive(Clone)]
pub(crate) struct Secret {
    len: u8,
    bytes: [u8; LONGEST],
}

impl Secret {
    /// A secret of zeros, to be filled in through [`Self::bytes_mut`]; `None` when `len` is too much.
    pub(crate) fn zeros(len: usize) -> Option<Self> {
        (len <= LONGEST).then_some(Self { len: len as u8, bytes: [0; LONGEST] })
    }

    /// A secret of these bytes; `None` when they are too many.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self::zeros(bytes.len())?;
        secret.bytes_mut().copy_from_slice(bytes);
        Some(secret)
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Its bytes, to be filled in.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_nothing() {
        let secret = Secret::new(&[7; 48]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.bytes(), [7; 48]);
        assert!(Secret::new(&[0; LONGEST + 1]).is_none());
    }
}
