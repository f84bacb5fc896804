//! What the decoder saw, and what it passed over.

use super::fragments::FragmentCounters;
use super::skip::Skip;
use crate::base::limit_counters::{Limit, Struck};

/// The decoder's counters. Each packet is counted once as segment or by the reason it was skipped for, so that
/// `packets` is the sum of the two. All count since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketCounters {
    /// Packets decoded.
    pub packets: u64,
    /// TCP segments found in them.
    pub segments: u64,
    /// Of those, segments inside a tunnel.
    pub tunnelled: u64,
    /// Packets without a segment, by reason, in the order of [`Skip::ALL`].
    pub skipped: [u64; Skip::ALL.len()],
    /// Packets of which the snaplen cut something off, with a segment or without.
    pub truncated: u64,
    /// Packets said to have been longer than [`crate::base::limits::SUPER_PACKET_BYTES`].
    pub super_packets: u64,
    /// IP fragments.
    pub fragments: FragmentCounters,
}

impl PacketCounters {
    /// Counts a packet without a segment.
    pub(super) fn skip(&mut self, reason: Skip) {
        if let Some(count) = self.skipped.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// How many packets were skipped for this reason.
    pub fn skipped(&self, reason: Skip) -> u64 {
        self.skipped.get(reason as usize).copied().unwrap_or_default()
    }

    /// How many packets may have held TCP in something that is not read.
    pub fn unread(&self) -> u64 {
        Skip::ALL
            .into_iter()
            .filter(|reason| reason.unread().is_some())
            .map(|reason| self.skipped(reason))
            .sum()
    }

    /// Name and number of packets for each reason, zeros included, in the order of the telemetry record.
    pub fn entries(&self) -> [(&'static str, u64); Skip::ALL.len()] {
        Skip::ALL.map(|reason| (reason.name(), self.skipped(reason)))
    }

    /// How often the caps struck that the decoder keeps.
    pub fn limits(&self) -> Struck {
        Struck::from_iter([
            (Limit::TunnelDepth, self.skipped(Skip::TunnelTooDeep)),
            (Limit::LinkTags, self.skipped(Skip::TooManyTags)),
            (Limit::IpExtensions, self.skipped(Skip::TooManyExtensions)),
            (Limit::SuperPacket, self.super_packets),
            (Limit::FragmentTable, self.fragments.evicted),
            (Limit::FragmentsPerDatagram, self.fragments.too_many_pieces),
        ])
    }
}
