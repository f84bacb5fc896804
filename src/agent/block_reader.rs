//! The octets of a header block as the agent reads them (docs/agent.md, "Header blocks"): HPACK's integers and strings,
//! as far as it knows them.

use super::frame::Buffer;

/// Octets after the first of a size update that are skipped at the most.
const SIZE_UPDATE_OCTETS: usize = 5;

/// Reads a block. It may run past the frame, as strings do in the agent, but never past the packet.
pub(super) struct Reader<'a> {
    /// The packet.
    pub(super) buf: Buffer<'a>,
    /// Where the next octet is.
    pub(super) at: u32,
    /// Where no further field begins.
    pub(super) end: u32,
}

impl Reader<'_> {
    /// The first octet of the next field; `None` at the end.
    #[inline]
    pub(super) fn first_octet(&mut self) -> Option<u8> {
        if self.at >= self.end {
            return None;
        }
        let first = self.buf.byte(self.at)?;
        self.at += 1;
        Some(first)
    }

    /// The name index of a literal: incremental (`01xxxxxx`) or anything else that is not indexed.
    #[inline]
    pub(super) fn name(&mut self, first: u8) -> Option<(bool, u32)> {
        let incremental = first & 0x40 != 0;
        Some((incremental, self.integer(first, if incremental { 0x3f } else { 0x0f })?))
    }

    /// An integer with at most one continuation octet. Where there are more, nothing but the first octet is passed.
    #[inline]
    pub(super) fn integer(&mut self, first: u8, mask: u8) -> Option<u32> {
        let value = first & mask;
        if value < mask {
            return Some(value.into());
        }
        let next = self.buf.byte(self.at).filter(|next| next & 0x80 == 0)?;
        self.at += 1;
        Some(u32::from(value) + u32::from(next))
    }

    /// The length of a string, and whether it is Huffman-encoded.
    #[inline]
    pub(super) fn string(&mut self) -> Option<(u32, bool)> {
        let first = self.buf.byte(self.at)?;
        self.at += 1;
        Some((self.integer(first, 0x7f)?, first & 0x80 != 0))
    }

    /// Skips a size update: one, at the start alone. The octets after the first are skipped up to one whose top
    /// bit is clear, though there are none unless the first octet's five bits are all set. Says whether there was
    /// such an update, whose skipping ate bytes that are not its own.
    pub(super) fn skip_size_update(&mut self) -> bool {
        let Some(first) = self.buf.byte(self.at).filter(|first| first & 0xe0 == 0x20) else { return false };
        self.at += 1;
        for _ in 0..SIZE_UPDATE_OCTETS {
            let Some(octet) = self.buf.byte(self.at) else { break };
            self.at += 1;
            if octet & 0x80 == 0 {
                break;
            }
        }
        first != 0x3f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        let end = bytes.len() as u32;
        Reader { buf: Buffer { bytes, end }, at: 0, end }
    }

    #[test]
    fn integers_have_at_most_one_continuation_octet() {
        for (bytes, value, at) in [
            (&[0x7e][..], Some(126), 1),
            (&[0x7f, 0], Some(127), 2),
            (&[0x7f, 127], Some(254), 2),
            // Nothing but the first octet is passed.
            (&[0x7f, 0x80, 1], None, 1),
            (&[0x7f], None, 1),
        ] {
            let mut reader = reader(bytes);
            let first = reader.first_octet().unwrap();
            assert_eq!((reader.integer(first, 0x7f), reader.at), (value, at), "{bytes:?}");
        }
    }

    #[test]
    fn size_updates_are_skipped_up_to_an_octet_without_the_top_bit() {
        for (bytes, misleading, at) in [
            (&[0x82][..], false, 0),
            (&[0x3f, 0x45, 0x82], false, 2),
            (&[0x3f, 0x81, 0x1f, 0x82], false, 3),
            // One octet would be the whole of it.
            (&[0x20, 0x41, 0x8a], true, 2),
            (&[0x3f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], false, 6),
            (&[0x3f], false, 1),
            // A second update is not skipped.
            (&[0x3f, 0x01, 0x3f, 0x45], false, 2),
        ] {
            let mut reader = reader(bytes);
            assert_eq!((reader.skip_size_update(), reader.at), (misleading, at), "{bytes:?}");
        }
    }
}
