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

    /// Packets change places with one of the next few, so many times in a thousand; new times in the new order.
    pub(crate) fn reordered(mut self, permille: usize, random: &mut Random) -> Self {
        for at in 0..self.packets.len().saturating_sub(1) {
            if random.chance(permille) {
                let other = (at + random.between(1, 8)).min(self.packets.len() - 1);
                self.packets.swap(at, other);
            }
        }
        self.restamped()
    }

    /// Packets come again, one of the next few places later, so many times in a thousand.
    pub(crate) fn repeated(mut self, permille: usize, random: &mut Random) -> Self {
        let mut at = 0;
        while at < self.packets.len() {
            if random.chance(permille) {
                let place = (at + random.between(1, 8)).min(self.packets.len());
                self.packets.insert(place, self.packets[at].clone());
            }
            at += 1;
        }
        self.restamped()
    }
}
