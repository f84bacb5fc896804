//! What a capture suffers: loss, reordering, copies, late starts, short packets, one direction.

use super::random::Random;
use super::{Capture, Packet};

impl Capture {
    /// Only those packets for which `keep` says so.
    pub(crate) fn subset(&self, mut keep: impl FnMut(usize, &Packet) -> bool) -> Self {
        let kept = self.packets.iter().enumerate().filter(|(n, packet)| keep(*n, packet));
        Self { packets: kept.map(|(_, packet)| packet.clone()).collect() }
    }

    /// Each packet with payload is lost so many times in a thousand.
    pub(crate) fn lossy(&self, permille: usize, random: &mut Random) -> Self {
        self.subset(|_, packet| !packet.has_payload() || !random.chance(permille))
    }

    /// Begins with packet `first`.
    pub(crate) fn late(&self, first: usize) -> Self {
        self.subset(|n, _| n >= first)
    }

    /// Only the packets that come from this port.
    pub(crate) fn one_way(&self, port: u16) -> Self {
        self.subset(|_, packet| packet.flow().is_some_and(|(src, _)| src.ends_with(&port.to_be_bytes())))
    }

    /// Packets cut to so many bytes.
    pub(crate) fn snapped(mut self, snaplen: usize) -> Self {
        for packet in &mut self.packets {
            packet.bytes.truncate(snaplen);
        }
        self
    }

    /// Packets with payload change places with one of the next three in the same direction, so many times in a
    /// thousand; new times in the new order.
    pub(crate) fn reordered(mut self, permille: usize, random: &mut Random) -> Self {
        for at in 0..self.packets.len() {
            if self.packets[at].has_payload() && random.chance(permille) {
                let flow = self.packets[at].flow();
                let next = (at + 1..self.packets.len().min(at + 40))
                    .filter(|&other| self.packets[other].has_payload() && self.packets[other].flow() == flow);
                let next: Vec<_> = next.take(3).collect();
                if !next.is_empty() {
                    self.packets.swap(at, *random.pick(&next));
                }
            }
        }
        self.restamped()
    }

    /// The packets that come from this port are captured so many places later than those that go there; new times in the
    /// new order.
    pub(crate) fn apart(self, port: u16, places: usize) -> Self {
        let late = |packet: &Packet| packet.flow().is_some_and(|(src, _)| src.ends_with(&port.to_be_bytes()));
        let mut packets: Vec<_> = self.packets.into_iter().enumerate().collect();
        packets.sort_by_key(|(at, packet)| at + if late(packet) { places } else { 0 });
        Self { packets: packets.into_iter().map(|(_, packet)| packet).collect() }.restamped()
    }

    /// Packets come again, one of the next few places later, so many times in a thousand.
    pub(crate) fn repeated(self, permille: usize, random: &mut Random) -> Self {
        let mut places = Vec::new();
        for (at, packet) in self.packets.into_iter().enumerate() {
            if random.chance(permille) {
                places.push((at + random.between(1, 8), packet.clone()));
            }
            places.push((at, packet));
        }
        places.sort_by_key(|(place, _)| *place);
        Self { packets: places.into_iter().map(|(_, packet)| packet).collect() }.restamped()
    }
}
