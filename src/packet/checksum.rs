//! Sums of 16-bit words (RFC 1071), and the checksum of an IPv4 header (RFC 791 section 3.1).

/// What the checksums say about a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// All bytes are as they were sent.
    Right,
    /// Nothing: bytes are cut off.
    #[default]
    Unknown,
    /// Nothing, and the field holds what a host leaves there for its network card (offloading).
    Offloaded,
    /// Some bytes are not as they were sent, or the sending host leaves something in the field that is no checksum.
    Wrong,
}

/// Whether an IPv4 header's checksum is wrong. 0 is what offloading leaves, and says nothing.
#[inline]
pub(super) fn is_wrong_header(head: &[u8; 20], options: &[u8]) -> bool {
    let total = words(head) + words(options);
    fold(total) != 0xffff && head[10..12] != [0, 0]
}

/// The sum of a run of 16-bit words, not folded. The order of bytes does not matter, so that it is the machine's.
#[inline]
pub(super) fn words(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut lanes = [0_u64; 4];
    for block in blocks {
        let (quads, _) = block.as_chunks::<4>();
        for (lane, &quad) in lanes.iter_mut().zip(quads) {
            *lane += u64::from(u32::from_ne_bytes(quad));
        }
    }
    let (quads, rest) = rest.as_chunks::<4>();
    let quads: u64 = quads.iter().map(|&quad| u64::from(u32::from_ne_bytes(quad))).sum();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
    lanes.iter().sum::<u64>() + quads + u64::from(u32::from_ne_bytes(last))
}

/// The ones' complement sum as 16 bits.
#[inline]
pub(super) fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}
