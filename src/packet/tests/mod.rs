//! Tests of the whole decoder, on packets built here.

mod build;
mod checksums;
mod fragments;
mod hostile;
mod lengths;
mod links;
mod oracle;
mod parts;
mod tunnels;

use super::{Decoder, PacketCounters, Segment, Skip};
use crate::base::time::{Moment, Timestamp};

/// A moment `millis` after the epoch.
fn moment(millis: u64) -> Moment {
    Moment { packet: millis + 1, time: Timestamp::from_nanos(millis * 1_000_000) }
}

/// Decodes one packet that was captured whole.
fn decode(link: u16, packet: &[u8]) -> Result<(Vec<u8>, u32), Skip> {
    let mut decoder = Decoder::new();
    decode_with(&mut decoder, 0, link, packet)
}

/// Decodes one more packet: payload and sequence number, or the reason why there are none.
fn decode_with(decoder: &mut Decoder, millis: u64, link: u16, packet: &[u8]) -> Result<(Vec<u8>, u32), Skip> {
    let before = decoder.counters();
    let found = decoder
        .decode(moment(millis), link, packet.len() as u32, packet)
        .map(|segment| (segment.payload.to_vec(), segment.seq));
    let after = decoder.counters();
    assert_eq!(after.packets, before.packets + 1);
    found.ok_or_else(|| skipped(&before, &after))
}

/// The one reason for which a packet was skipped between two readings of the counters.
fn skipped(before: &PacketCounters, after: &PacketCounters) -> Skip {
    let reasons: Vec<_> =
        Skip::ALL.into_iter().filter(|&reason| after.skipped(reason) != before.skipped(reason)).collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(after.skipped(reasons[0]), before.skipped(reasons[0]) + 1);
    reasons[0]
}

/// Asserts that this is the segment that [`build::tcp`] makes of [`build::PAYLOAD`], between ports 50000 and 80.
fn assert_sample(segment: Option<Segment<'_>>, what: &str) {
    let segment = segment.unwrap_or_else(|| panic!("{what}: no segment"));
    assert_eq!(segment.payload, build::PAYLOAD, "{what}");
    assert_eq!((segment.src.port, segment.dst.port, segment.cut), (50000, 80, 0), "{what}");
    assert_eq!(
        (segment.seq, segment.ack, segment.window, segment.flags.0),
        (7, 0x0102_0304, 512, 0x18),
        "{what}"
    );
}
