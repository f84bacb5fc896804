//! The two capture file formats, decoded from a buffer that the reader fills.
//!
//! A decoder is shown the bytes that are there, pushes the packets that lie in them whole, and says how far it
//! came and how much it must see to get further. Packets are ranges of the shown bytes: nothing is copied.
//!
//! The formats are read here and not by a crate, because what happens at a damaged place is most of the work:
//! a packet that is cut must be delivered as far as it goes, a length that lies must be told from a long
//! packet, and reading must go on behind it. (`pcap-parser` 0.17, which serves the tests as a second opinion,
//! gives an error for all three; and of what is asked for here it lacks obsolete packet blocks, the "modified"
//! format in big-endian, resolutions that are powers of two, and time offsets in big-endian. It also collects
//! a block's options in a vector, eight times the size of the block.)

mod block;
mod interface;
mod order;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;

use super::batch::PacketHead;
use super::damage::{DamageKind, DamageLog};
use super::source::OpenErrorKind;
use crate::base::limits;

pub(super) use block::{BlockHead, SHORTEST as SHORTEST_BLOCK, tls_key_log};
pub(super) use order::Order;
pub(super) use pcapng::SECTION_HEADER;

/// What decoders push to.
pub(super) struct Out<'a> {
    /// The packets; numbers are left at zero.
    pub(super) packets: &'a mut Vec<PacketHead>,
    /// TLS key logs, and the index of the packet that they stand before.
    pub(super) secrets: &'a mut Vec<(usize, Vec<u8>)>,
    /// What is wrong.
    pub(super) damage: &'a mut DamageLog,
    /// Packets of the input that were pushed to earlier batches.
    pub(super) packets_before: u64,
    /// Offset in the input of the first byte shown.
    pub(super) base: u64,
}

impl Out<'_> {
    /// Notes damage at an index into the bytes shown.
    fn damage(&mut self, kind: DamageKind, at: usize) {
        self.damage_at(kind, self.base + at as u64);
    }

    /// Notes damage at an offset in the input.
    fn damage_at(&mut self, kind: DamageKind, offset: u64) {
        self.damage.add(kind, self.packets_before + self.packets.len() as u64, offset);
    }
}

/// How far a decoder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Index of the first byte that it has not finished with. At the end of the input: all bytes.
    pub(super) at: usize,
    /// Bytes, from `at` on, that it must be shown to get further: at most [`MOST_NEEDED`], or [`GIVE_UP`].
    pub(super) needed: usize,
}

/// In [`Decoded::needed`]: the rest of the input is not worth reading.
pub(super) const GIVE_UP: usize = usize::MAX;

/// What a search for the next believable packet or block gave.
enum Search {
    /// It begins here.
    Found(usize),
    /// It does not begin before here, and more must be seen to say whether it does here.
    More(Decoded),
    /// There is none up to the end of the input.
    Nothing,
}

impl Search {
    /// Where to go on, if a search that began at the offset `lost` has ended; it ends too when it has gone on
    /// for [`limits::SEARCH_BYTES`].
    fn settle(self, lost: u64, bytes: &[u8], out: &mut Out<'_>) -> Result<usize, Decoded> {
        let at = match self {
            Self::Found(at) => at,
            Self::Nothing => bytes.len(),
            Self::More(decoded) if out.base + decoded.at as u64 - lost > limits::SEARCH_BYTES => {
                out.damage_at(DamageKind::GivenUp, lost);
                return Err(Decoded { at: bytes.len(), needed: GIVE_UP });
            }
            Self::More(decoded) => return Err(decoded),
        };
        out.damage_at(DamageKind::Corrupt { skipped: out.base + at as u64 - lost }, lost);
        Ok(at)
    }
}

/// The most that a decoder asks to see at once: the largest block, or the packets that it looks ahead at to
/// find its place again.
pub(super) const MOST_NEEDED: usize = {
    let ahead = pcap::LOOK_AHEAD * (limits::PACKET_BYTES as usize + 24) + 24;
    let block = limits::BLOCK_BYTES as usize + 64;
    if ahead > block { ahead } else { block }
};

/// Bytes at the start of a file that tell its format, and hold the pcap file header.
pub(super) const FILE_HEADER: usize = 24;

/// A decoder of either format.
#[derive(Debug)]
pub(super) enum Decoder {
    /// Classic pcap.
    Pcap(pcap::Pcap),
    /// pcapng.
    Pcapng(pcapng::Pcapng),
}

impl Decoder {
    /// The decoder for a file that begins with `head`, which is [`FILE_HEADER`] bytes or more unless the file
    /// is shorter; and how many of its bytes are done with.
    pub(super) fn detect(head: &[u8]) -> Result<(Self, usize), OpenErrorKind> {
        let magic = head.first_chunk().ok_or(OpenErrorKind::NotACapture)?;
        if *magic == SECTION_HEADER {
            return Ok((Self::Pcapng(pcapng::Pcapng::new(head)?), 0));
        }
        let kind = pcap::Kind::of(*magic).ok_or(OpenErrorKind::NotACapture)?;
        let header = head.first_chunk().ok_or(OpenErrorKind::CutHeader)?;
        Ok((Self::Pcap(pcap::Pcap::new(kind, header)), FILE_HEADER))
    }

    /// Decodes what it can of `bytes` from index `at` on; `end` says that no more will come.
    pub(super) fn decode(&mut self, bytes: &[u8], at: usize, end: bool, out: &mut Out<'_>) -> Decoded {
        match self {
            Self::Pcap(decoder) => decoder.decode(bytes, at, end, out),
            Self::Pcapng(decoder) => decoder.decode(bytes, at, end, out),
        }
    }

    /// Packets that were dropped while the capture was made, as far as it tells.
    pub(super) fn dropped(&self) -> u64 {
        match self {
            Self::Pcap(_) => 0,
            Self::Pcapng(decoder) => decoder.dropped(),
        }
    }

    /// Whether the format can hold TLS key logs.
    pub(super) const fn may_hold_secrets(&self) -> bool {
        matches!(self, Self::Pcapng(_))
    }

    /// Leaves the next TLS key logs out, so many: they were taken already.
    pub(super) fn skip_secrets(&mut self, blocks: usize) {
        if let Self::Pcapng(decoder) = self {
            decoder.skip_secrets(blocks);
        }
    }
}
