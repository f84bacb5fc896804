//! Packets in batches: the bytes as they were read, and where in them the packets are.

use crate::base::origin::InReach;
use crate::base::time::Timestamp;
use crate::base::tuning;
use std::ops::Range;

/// Link type of a packet, as numbered by the tcpdump registry (1 is Ethernet).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

/// A packet's description; its bytes stand in the batch.
#[derive(Clone, Debug, Default)]
pub struct PacketHead {
    /// 1-based number over all inputs.
    pub number: u64,
    /// Time stamp.
    pub time: Timestamp,
    /// How the bytes begin.
    pub link: LinkType,
    /// Length on the wire, which may exceed the bytes captured.
    pub original_len: u32,
    /// The captured bytes, within [`Batch::bytes`].
    pub range: Range<u32>,
}

/// What one read gave: bytes, the packets in them, and secrets met on the way.
///
/// The bytes are not copied out of the buffer they were read into; a batch is handed on whole and comes back
/// to be filled again.
#[derive(Debug, Default)]
pub struct Batch {
    /// As read; packets are ranges of it. What lies outside of them (record headers, what is left of an earlier
    /// read) means nothing.
    pub bytes: Vec<u8>,
    /// The packets, in the order of analysis.
    pub packets: Vec<PacketHead>,
    /// TLS key logs from Decryption Secrets Blocks that stood before the packet with this index into `packets`.
    pub secrets: Vec<(usize, Vec<u8>)>,
    /// Where packets up to the last of these came from, with several inputs.
    pub origins: Option<InReach>,
}

impl Batch {
    /// The bytes of one packet; empty if the description does not belong to this batch.
    pub fn packet(&self, head: &PacketHead) -> &[u8] {
        self.bytes.get(head.range.start as usize..head.range.end as usize).unwrap_or_default()
    }

    /// Makes this batch one of some packets of another one, and of no more bytes than these have.
    pub fn copy_packets(&mut self, of: &Self, packets: Range<usize>) {
        self.bytes.clear();
        self.packets.clear();
        for head in of.packets.get(packets).unwrap_or_default() {
            let start = self.bytes.len() as u32;
            self.bytes.extend_from_slice(of.packet(head));
            self.packets.push(PacketHead { range: start..self.bytes.len() as u32, ..head.clone() });
        }
    }

    /// Empties the batch and keeps most of its memory: `bytes` keeps even its length, so that the next read need not
    /// zero it first.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.packets.shrink_to(tuning::LIST_KEPT / size_of::<PacketHead>());
        self.secrets.clear();
        self.origins = None;
    }
}
