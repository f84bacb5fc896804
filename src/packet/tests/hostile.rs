//! Bytes from strangers: no panic, no packet uncounted, nothing that the packet does not hold.

use super::build::*;
use super::{Decoder, Skip, links, moment, tunnels};
use crate::base::limits::FRAGMENT_BYTES;
use crate::packet::offset_within;
use proptest::prelude::*;

/// All sample packets with their link types.
pub(super) fn samples() -> Vec<(u16, Vec<u8>)> {
    let fragments =
        [ipv4_fragment(6, 1, 0, true, &sample()[..32]), ipv6_fragment(6, 1, 32, false, &sample()[32..])];
    let chain = ipv6(0, &extension(43, 2, 1, &extension(44, 0, 0, &extension(6, 0, 0, &sample()))));
    links::frames()
        .into_iter()
        .map(|(_, link, frame)| (link, frame))
        .chain(
            tunnels::packets()
                .into_iter()
                .map(|(_, packet)| (1, ethernet(if packet[0] >> 4 == 4 { IPV4 } else { IPV6 }, &packet))),
        )
        .chain(tunnels::packets().into_iter().map(|(_, packet)| (101, packet)))
        .chain(fragments.into_iter().chain([chain]).map(|packet| (101, packet)))
        .collect()
}

/// Decodes and checks what must hold for any input.
fn check(decoder: &mut Decoder, link: u16, original_len: u32, data: &[u8]) {
    let reassembled = decoder.counters().fragments.reassembled;
    if let Some(segment) = decoder.decode(moment(0), link, original_len, data) {
        let (payload, cut) = (segment.payload.len(), segment.cut as usize);
        if offset_within(data, segment.payload).is_some() {
            // A log or a sniffer that cut the packet tells by the IP header how long it was, which is 16 bits.
            let most = data.len().max(original_len as usize).max(65_575);
            assert!(payload + cut <= most, "{payload} + {cut}");
        } else {
            assert!(payload + cut <= 65_535, "{payload} + {cut}");
            assert!(decoder.counters().fragments.reassembled > reassembled);
        }
    }
    let counters = decoder.counters();
    assert_eq!(counters.packets, counters.segments + counters.skipped.iter().sum::<u64>());
    assert!(decoder.fragment_memory() <= FRAGMENT_BYTES);
}

#[test]
fn every_truncation_of_every_sample() {
    for (link, frame) in samples() {
        let mut decoder = Decoder::new();
        for len in 0..=frame.len() {
            let part = &frame[..len];
            check(&mut decoder, link, frame.len() as u32, part); // cut by the snaplen
            check(&mut decoder, link, len as u32, part); // sent like this
            check(&mut decoder, link, 0, part);
            check(&mut decoder, link, u32::MAX, part);
        }
    }
}

#[test]
fn a_cut_sample_is_never_misread() {
    // Whatever the snaplen leaves of a packet with one segment: that segment, cut, or none; never malformed.
    for (link, frame) in samples() {
        for len in 0..frame.len() {
            let mut decoder = Decoder::new();
            if let Some(segment) = decoder.decode(moment(0), link, frame.len() as u32, &frame[..len]) {
                assert!(PAYLOAD.starts_with(segment.payload));
                assert_eq!(segment.payload.len() + segment.cut as usize, PAYLOAD.len());
            }
            let counters = decoder.counters();
            for reason in [Skip::MalformedLink, Skip::MalformedIp, Skip::MalformedTunnel, Skip::MalformedTcp]
            {
                assert_eq!(counters.skipped(reason), 0, "{reason:?}, link {link}, {len} of {frame:02x?}");
            }
        }
    }
}

#[test]
fn every_byte_of_every_sample_changed() {
    for (link, frame) in samples() {
        let mut decoder = Decoder::new();
        let mut bad = frame.clone();
        for at in 0..frame.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, frame[at] ^ 1, frame[at] ^ 0x40] {
                bad[at] = value;
                check(&mut decoder, link, bad.len() as u32, &bad);
            }
            bad[at] = frame[at];
        }
    }
}

/// Ethernet is decoded by a shortcut; inside `pktap` it is not.
fn check_shortcut(frame: &[u8], original_len: u32) {
    let wrapped = join(&[&[12, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], frame]);
    let mut direct = Decoder::new();
    let mut general = Decoder::new();
    let by_shortcut = direct.decode(moment(0), 1, original_len, frame).map(|segment| format!("{segment:?}"));
    let by_steps =
        general.decode(moment(0), 258, original_len + 12, &wrapped).map(|segment| format!("{segment:?}"));
    assert_eq!(by_shortcut, by_steps, "{frame:02x?}");
    assert_eq!(direct.counters(), general.counters(), "{frame:02x?}");
}

#[test]
fn the_shortcut_finds_what_the_steps_find() {
    for (link, frame) in samples() {
        if link != 1 {
            continue;
        }
        for len in 0..=frame.len() {
            check_shortcut(&frame[..len], frame.len() as u32);
            check_shortcut(&frame[..len], len as u32);
        }
        let mut bad = frame.clone();
        for at in 0..frame.len() {
            for value in [0, 1, 0x81, 0xff, frame[at] ^ 1, frame[at] ^ 0x20] {
                bad[at] = value;
                check_shortcut(&bad, bad.len() as u32);
            }
            bad[at] = frame[at];
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(
        link in prop::sample::select(vec![0u16, 1, 9, 12, 50, 51, 101, 104, 105, 108, 109, 113, 117, 127, 149, 192, 204, 228, 229, 239, 258, 276, 999]),
        original_len in prop::option::of(any::<u32>()),
        data in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let original_len = original_len.unwrap_or(data.len() as u32);
        check(&mut Decoder::new(), link, original_len, &data);
    }

    #[test]
    fn spliced_samples(
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let samples = samples();
        let mut decoder = Decoder::new();
        let mut data = Vec::new();
        for (which, at, value) in picks {
            let (link, frame) = which.get(&samples);
            let at = at.index(frame.len());
            // The head of one sample before the tail of the one before, with a byte changed.
            data = join(&[&frame[..at], &[value], data.get(at..).unwrap_or(&frame[at..])]);
            check(&mut decoder, *link, data.len() as u32, &data);
        }
    }
}
