//! Numbers as octets: integers with seven bits an octet, the lowest first; bytes behind their length.

use std::net::{IpAddr, SocketAddr};
use thiserror::Error;

/// Bytes that no aggregate of this version wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no numbers of endpoints that this version reads")]
pub struct PieceError;

/// Reads a piece from the front.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn integer(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.integer()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// How many things follow: no more than there are bytes.
    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.integer()?).ok().filter(|&count| count <= self.0.len())
    }

    pub(super) fn address(&mut self) -> Option<SocketAddr> {
        let bytes = self.bytes()?;
        let ip = match bytes.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        };
        Some(SocketAddr::new(ip, u16::try_from(self.integer()?).ok()?))
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<Option<T>, PieceError> {
        match self.integer() {
            Some(0) => Ok(None),
            Some(1) => read(self).map(Some).ok_or(PieceError),
            _ => Err(PieceError),
        }
    }
}

pub(super) fn integer(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    integer(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(super) fn address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => bytes(out, &ip.octets()),
        IpAddr::V6(ip) => bytes(out, &ip.octets()),
    }
    integer(out, address.port().into());
}

pub(super) fn option<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    integer(out, value.is_some().into());
    if let Some(value) = value {
        write(out, value);
    }
}
