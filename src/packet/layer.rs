//! The bytes of one protocol layer: those captured, and how many there were on the wire.

use super::skip::Skip;
use crate::base::limits::SUPER_PACKET_BYTES;

/// A header and what follows it, up to the end that the layers below it state.
///
/// Two lengths travel together: the bytes that are in the capture, and those that were on the wire. The first is
/// never more than the second; the difference was cut off by the snaplen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'d> {
    bytes: &'d [u8],
    wire: usize,
}

impl<'d> Layer<'d> {
    /// `bytes` of a layer that had `wire` bytes on the wire; less than there are bytes counts as that many.
    pub(super) fn new(bytes: &'d [u8], wire: usize) -> Self {
        Self { bytes, wire: wire.max(bytes.len()) }
    }

    /// The captured bytes.
    pub(super) fn bytes(self) -> &'d [u8] {
        self.bytes
    }

    /// How many bytes there were on the wire.
    pub(super) fn wire(self) -> usize {
        self.wire
    }

    /// How many bytes the snaplen cut off.
    pub(super) fn cut(self) -> usize {
        self.wire.saturating_sub(self.bytes.len())
    }

    /// The upper half of the first byte: the IP version, where this is IP.
    pub(super) fn nibble(self) -> Option<u8> {
        self.bytes.first().map(|byte| byte >> 4)
    }

    /// The same, ending after `len` bytes; a length beyond the end changes nothing.
    #[must_use]
    pub(super) fn limit(self, len: usize) -> Self {
        Self { bytes: self.bytes.get(..len).unwrap_or(self.bytes), wire: self.wire.min(len) }
    }

    /// The same, said to have had `wire` bytes at least before it was cut.
    #[must_use]
    pub(super) fn widen(self, wire: usize) -> Self {
        Self { wire: self.wire.max(wire.min(SUPER_PACKET_BYTES)), ..self }
    }

    /// The first `N` bytes; for want of them [`Skip::Truncated`] when they were on the wire, else `malformed`.
    #[inline]
    pub(super) fn head<const N: usize>(self, malformed: Skip) -> Result<&'d [u8; N], Skip> {
        self.bytes.first_chunk().ok_or_else(|| self.short(N, malformed))
    }

    /// The first `N` bytes and the layer behind them; errors as [`Self::head`].
    #[inline]
    pub(super) fn split<const N: usize>(self, malformed: Skip) -> Result<(&'d [u8; N], Self), Skip> {
        match self.bytes.split_first_chunk() {
            Some((head, bytes)) => Ok((head, Self { bytes, wire: self.wire.saturating_sub(N) })),
            None => Err(self.short(N, malformed)),
        }
    }

    /// The layer behind the first `len` bytes; errors as [`Self::head`].
    #[inline]
    pub(super) fn skip(self, len: usize, malformed: Skip) -> Result<Self, Skip> {
        match self.bytes.get(len..) {
            Some(bytes) => Ok(Self { bytes, wire: self.wire.saturating_sub(len) }),
            None => Err(self.short(len, malformed)),
        }
    }

    /// Why there are no `len` bytes.
    #[cold]
    fn short(self, len: usize, malformed: Skip) -> Skip {
        if self.wire >= len { Skip::Truncated } else { malformed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stay_in_step() {
        let layer = Layer::new(&[0x45, 1, 2, 3], 10);
        assert_eq!((layer.bytes().len(), layer.wire(), layer.cut(), layer.nibble()), (4, 10, 6, Some(4)));
        let behind = layer.skip(3, Skip::MalformedIp).unwrap();
        assert_eq!((behind.bytes(), behind.wire()), (&[3][..], 7));
        for (len, bytes, wire) in [(0, 0, 0), (2, 2, 2), (4, 4, 4), (6, 4, 6), (10, 4, 10), (11, 4, 10)] {
            let limited = layer.limit(len);
            assert_eq!((limited.bytes().len(), limited.wire()), (bytes, wire), "limit {len}");
        }
    }

    #[test]
    fn tells_cut_from_malformed() {
        let layer = Layer::new(&[1, 2, 3, 4], 6);
        assert_eq!(layer.head::<5>(Skip::MalformedIp).unwrap_err(), Skip::Truncated);
        assert_eq!(layer.split::<6>(Skip::MalformedIp).unwrap_err(), Skip::Truncated);
        assert_eq!(layer.skip(7, Skip::MalformedIp).unwrap_err(), Skip::MalformedIp);
        assert_eq!(layer.head::<7>(Skip::MalformedTcp).unwrap_err(), Skip::MalformedTcp);
        assert_eq!(Layer::new(&[1, 2, 3], 0).wire(), 3, "less on the wire than captured is no length");
    }
}
