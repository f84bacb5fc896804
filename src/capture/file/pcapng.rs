//! pcapng (draft-ietf-opsawg-pcapng): sections, each in its own byte order, of blocks.
//!
//! Blocks have their length at both ends, so that a damaged place is noticed at once; the next block is where
//! a type that is often met stands before two lengths that agree.

use super::block::{
    BlockHead, ENHANCED_PACKET, INTERFACE, PACKET, SECRETS, SECTION, SHORTEST, SIMPLE_PACKET, STATISTICS,
    tls_key_log,
};
use super::interface::{Interface, drop_count};
use super::{Decoded, Order, Out, Search};
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::capture::batch::PacketHead;
use crate::capture::damage::DamageKind;
use crate::capture::source::OpenErrorKind;

/// How a pcapng file begins.
pub(in crate::capture) const SECTION_HEADER: [u8; 4] = SECTION.to_le_bytes();

/// The longest block that is believed where the place is in doubt: the longest usual packet, and options.
const BELIEVABLE_BLOCK: usize = limits::PACKET_BYTES as usize + (64 << 10);

/// The decoder.
#[derive(Debug)]
pub(in crate::capture) struct Pcapng {
    order: Order,
    /// Of the current section.
    interfaces: Vec<Interface>,
    /// Packets dropped in the sections before.
    dropped: u64,
    /// Time of the last packet, for simple packet blocks, which have none.
    last: Timestamp,
    /// Bytes and blocks of TLS secrets taken so far.
    secrets: (usize, usize),
    /// Key logs to leave out, as they were taken already.
    skip_secrets: usize,
    /// Offset in the input from which on nothing was believable.
    lost: Option<u64>,
}

/// A packet in a block.
struct PacketBlock {
    interface: u32,
    time: Option<(u32, u32)>,
    captured: u32,
    original: u32,
    /// Where the captured bytes begin in the block.
    start: usize,
}

impl Pcapng {
    /// The decoder for a file that begins with `head`, a section header.
    pub(super) fn new(head: &[u8]) -> Result<Self, OpenErrorKind> {
        let first = BlockHead::read(head, Order::Little).ok_or(OpenErrorKind::CutHeader)?;
        first.size().ok_or(OpenErrorKind::NotACapture)?;
        Ok(Self {
            order: first.order,
            interfaces: Vec::new(),
            dropped: 0,
            last: Timestamp::default(),
            secrets: (0, 0),
            skip_secrets: 0,
            lost: None,
        })
    }

    /// Leaves the next TLS key logs out, so many.
    pub(super) fn skip_secrets(&mut self, blocks: usize) {
        self.skip_secrets = blocks;
    }

    /// Packets that were dropped while the capture was made, as far as it was read: by interface statistics or by what
    /// the packets tell, whichever are more.
    pub(super) fn dropped(&self) -> u64 {
        let here = self.interfaces.iter().map(|interface| interface.drops.count());
        here.fold(self.dropped, u64::saturating_add)
    }

    /// Decodes what it can; see [`super::Decoder::decode`].
    pub(super) fn decode(&mut self, bytes: &[u8], mut at: usize, end: bool, out: &mut Out<'_>) -> Decoded {
        loop {
            if let Some(lost) = self.lost {
                match self.search(bytes, at, end).settle(lost, bytes, out) {
                    Ok(found) => at = found,
                    Err(decoded) => return decoded,
                }
                self.lost = None;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(head) = BlockHead::read(rest, self.order) else {
                if end && !rest.is_empty() {
                    out.damage(DamageKind::CutHeader, at);
                    at = bytes.len();
                }
                return Decoded { at, needed: SHORTEST };
            };
            let Some(size) = head.size() else {
                self.lose(&mut at, out);
                continue;
            };
            let Some(block) = rest.get(..size) else {
                if !end {
                    return Decoded { at, needed: size };
                }
                // A length that lies, or a file that is cut? A cut packet is no longer than packets are.
                if size > BELIEVABLE_BLOCK && matches!(self.search(bytes, at + 4, true), Search::Found(_)) {
                    self.lose(&mut at, out);
                    continue;
                }
                self.cut(head, rest, at, out);
                return Decoded { at: bytes.len(), needed: 0 };
            };
            if head.order.u32_at(block, size - 4) != Some(head.length) {
                // Which of the two is right? The first, if a block follows where it says.
                match BlockHead::read(bytes.get(at + size..).unwrap_or_default(), head.order) {
                    None if !end => return Decoded { at, needed: size + SHORTEST },
                    None if rest.len() == size => {}
                    Some(next) if next.is_usual() && next.size().is_some() => {}
                    _ => {
                        self.lose(&mut at, out);
                        continue;
                    }
                }
                out.damage(DamageKind::BlockLengths, at);
            }
            self.block(head, block, at, out);
            at += size;
        }
    }

    /// Notes that the bytes from here on are no block.
    fn lose(&mut self, at: &mut usize, out: &Out<'_>) {
        self.lost = Some(out.base + *at as u64);
        *at += 1;
    }

    /// Takes in a whole block, which stands at index `at` of the bytes shown.
    #[inline]
    fn block(&mut self, head: BlockHead, block: &[u8], at: usize, out: &mut Out<'_>) {
        let body = block.get(8..block.len() - 4).unwrap_or_default();
        match head.kind {
            ENHANCED_PACKET | PACKET | SIMPLE_PACKET => match self.packet(head, body) {
                Some(found) if found.captured as usize + found.start <= body.len() + 8 => {
                    let start = at + found.start;
                    self.push(&found, at, start, start + found.captured as usize, out);
                    self.count_drops(head, &found, body);
                }
                _ => out.damage(DamageKind::CorruptBlock, at),
            },
            SECTION => {
                self.order = head.order;
                self.dropped = self.dropped();
                self.interfaces.clear();
            }
            STATISTICS => {
                let [interface] = head.order.words(body).unwrap_or([u32::MAX]);
                if let Some(interface) = self.interfaces.get_mut(interface as usize) {
                    interface.drops.statistics(body.get(4..).unwrap_or_default(), head.order);
                }
            }
            INTERFACE if self.interfaces.len() < limits::INTERFACES => {
                if let Some(interface) = Interface::from_block(body, head.order) {
                    self.interfaces.push(interface);
                }
            }
            SECRETS => match tls_key_log(body, head.order) {
                Err(()) => out.damage(DamageKind::CorruptBlock, at),
                Ok(None) => {}
                Ok(Some(secrets)) => {
                    let (length, count) = (self.secrets.0 + secrets.len(), self.secrets.1 + 1);
                    if length > limits::SECRETS_BYTES || count > limits::SECRETS_BLOCKS {
                        out.damage(DamageKind::SecretsDropped, at);
                        return;
                    }
                    self.secrets = (length, count);
                    if count > self.skip_secrets {
                        out.secrets.push((out.packets.len(), secrets.to_vec()));
                    }
                }
            },
            _ => {}
        }
    }

    /// The packet that a packet block's body begins with.
    ///
    /// ```text
    /// enhanced: interface 4 · time 4+4 · captured length 4 · original length 4 · bytes, padded · options
    /// obsolete: interface 2 · drops 2 · time 4+4 · captured length 4 · original length 4 · bytes …
    /// simple:   original length 4 · bytes, padded
    /// ```
    #[inline]
    fn packet(&self, head: BlockHead, body: &[u8]) -> Option<PacketBlock> {
        if head.kind == SIMPLE_PACKET {
            let [original] = head.order.words(body)?;
            let snaplen = self.interfaces.first().map_or(0, |interface| interface.snaplen);
            // The body's length less the padding; that is at most three bytes, which the original length, or the
            // snaplen if it is the lesser, tells apart.
            let room = head.length.next_multiple_of(4) - 16;
            let limit = if snaplen == 0 { original } else { original.min(snaplen) };
            return Some(PacketBlock {
                interface: 0,
                time: None,
                captured: limit.min(room),
                original,
                start: 12,
            });
        }
        let [first, high, low, captured, original] = head.order.words(body)?;
        let interface = match (head.kind, head.order) {
            (ENHANCED_PACKET, _) => first,
            (_, Order::Little) => first & 0xffff,
            (_, Order::Big) => first >> 16,
        };
        Some(PacketBlock { interface, time: Some((high, low)), captured, original, start: 28 })
    }

    /// Takes in how many packets were dropped before this one; an obsolete packet block says `0xffff` where nobody knows.
    #[inline]
    fn count_drops(&mut self, head: BlockHead, found: &PacketBlock, body: &[u8]) {
        const UNKNOWN: u32 = 0xffff;
        let drops = match (head.kind, head.order) {
            (ENHANCED_PACKET, order) => {
                let options = found.start - 8 + (found.captured as usize).next_multiple_of(4);
                match body.get(options..) {
                    None | Some([]) => None,
                    Some(options) => drop_count(options, order),
                }
            }
            (PACKET, order) => {
                let [first] = order.words(body).unwrap_or_default();
                let drops = if order == Order::Little { first >> 16 } else { first & 0xffff };
                (drops != UNKNOWN).then_some(drops.into())
            }
            _ => None,
        };
        if let (Some(drops @ 1..), Some(interface)) =
            (drops, self.interfaces.get_mut(found.interface as usize))
        {
            interface.drops.add(drops);
        }
    }

    /// Pushes a packet, of which the bytes from `start` to `stop` are there.
    #[inline]
    fn push(&mut self, found: &PacketBlock, at: usize, start: usize, stop: usize, out: &mut Out<'_>) {
        let Some(interface) = self.interfaces.get(found.interface as usize) else {
            out.damage(DamageKind::UnknownInterface, at);
            return;
        };
        if let Some((high, low)) = found.time {
            self.last = interface.time(high, low);
        }
        out.packets.push(PacketHead {
            number: 0,
            time: self.last,
            link: interface.link,
            original_len: found.original.max(found.captured),
            range: start as u32..stop as u32,
        });
    }

    /// Takes what is there of a block that the input ends in.
    fn cut(&mut self, head: BlockHead, rest: &[u8], at: usize, out: &mut Out<'_>) {
        let is_packet = matches!(head.kind, ENHANCED_PACKET | PACKET | SIMPLE_PACKET);
        let body = rest.get(8..).unwrap_or_default();
        match self.packet(head, body).filter(|found| is_packet && rest.len() >= found.start) {
            None => out.damage(DamageKind::CutHeader, at),
            Some(found) => {
                let captured = found.captured as usize;
                let present = captured.min(rest.len() - found.start);
                out.damage(DamageKind::CutPacket { present: present as u64, captured: captured as u64 }, at);
                self.push(&found, at, at + found.start, at + found.start + present, out);
            }
        }
    }

    /// Looks for the next believable block. Linear: every place is tried once.
    fn search(&self, bytes: &[u8], from: usize, end: bool) -> Search {
        let rest = bytes.get(from..).unwrap_or_default();
        for (at, window) in (from..).zip(rest.windows(SHORTEST)) {
            let Some(head) = BlockHead::read(window, self.order).filter(BlockHead::is_usual) else {
                continue;
            };
            let Some(size) = head.size().filter(|&size| size <= BELIEVABLE_BLOCK) else { continue };
            match bytes.get(at..at + size) {
                Some(block) if head.order.u32_at(block, size - 4) == Some(head.length) => {
                    return Search::Found(at);
                }
                None if !end => return Search::More(Decoded { at, needed: size }),
                _ => {}
            }
        }
        let tail = (bytes.len() + 1).saturating_sub(SHORTEST).max(from);
        if end { Search::Nothing } else { Search::More(Decoded { at: tail, needed: SHORTEST }) }
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::batch::LinkType;
    use crate::capture::file::Order;
    use crate::capture::testing::{PcapngFile, read, sample};

    #[test]
    fn drops_are_those_of_statistics_or_packets_whichever_are_more() {
        for order in [Order::Little, Order::Big] {
            let file =
                || PcapngFile::new(order).interface(LinkType(1), 0, &[]).interface(LinkType(1), 0, &[]);
            let packet = sample(1);
            for (file, dropped) in [
                (file().enhanced(0, 1, &packet), 0),
                (file().statistics(0, &[(4, 100), (5, 0)]), 0),
                (file().statistics(0, &[(5, 3), (7, 4)]), 7),
                (file().statistics(0, &[(5, 3)]).statistics(0, &[(5, 9)]), 9),
                (file().statistics(0, &[(5, 3)]).statistics(1, &[(7, 9)]), 12),
                (file().after_drops(&packet, 2).after_drops(&packet, 3).statistics(1, &[(5, 1)]), 6),
                (file().after_drops(&packet, 2).statistics(0, &[(5, 1)]), 2),
                (file().obsolete(1, 1, &packet).obsolete(1, 1, &packet), 14),
                (file().statistics(0, &[(5, 3)]).section(order).interface(LinkType(1), 0, &[]), 3),
                (file().statistics(2, &[(5, 3)]), 0),
                (file().statistics(0, &[(0, 0), (5, 3)]), 0),
                (
                    file().statistics(0, &[(5, u64::MAX), (7, u64::MAX)]).after_drops(&packet, u64::MAX),
                    u64::MAX,
                ),
                (file().block(5, &[0; 4]).block(5, &[]), 0),
            ] {
                assert_eq!(read(&file.bytes).unwrap().dropped, dropped, "{order:?}");
            }
        }
    }
}
