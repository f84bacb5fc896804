//! IP fragments: any order, overlaps, losses, floods.

use super::build::*;
use super::{Decoder, Skip, assert_sample, decode_with, moment};
use crate::base::limit_counters::Limit;
use crate::base::limits::{FRAGMENT_BYTES, FRAGMENTED_DATAGRAMS, FRAGMENTS_PER_DATAGRAM, TUNNEL_DEPTH};
use crate::base::tuning::{FRAGMENT_LIFETIME, RECENT_DATAGRAM_LIFETIME, RECENT_DATAGRAMS};
use crate::packet::offset_within;
use proptest::prelude::*;

/// A segment of which every byte of payload tells its place, and its payload.
fn long_segment(len: usize) -> (Vec<u8>, Vec<u8>) {
    let payload: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
    (tcp_with_options(7, &[], &payload), payload)
}

/// Cuts `body` into IPv4 fragments of `size` bytes.
fn cut_v4(id: u16, protocol: u8, body: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = body.len().div_ceil(size) - 1;
    body.chunks(size)
        .enumerate()
        .map(|(index, part)| ipv4_fragment(protocol, id, index * size, index != last, part))
        .collect()
}

/// Cuts `body` into IPv6 fragments of `size` bytes.
fn cut_v6(id: u32, next: u8, body: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = body.len().div_ceil(size) - 1;
    body.chunks(size)
        .enumerate()
        .map(|(index, part)| ipv6_fragment(next, id, index * size, index != last, part))
        .collect()
}

#[test]
fn every_order_gives_the_segment() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for fragments in [cut_v4(1, 6, &sample(), 24), cut_v6(1, 6, &sample(), 24)] {
        assert_eq!(fragments.len(), 3);
        for order in orders {
            let mut decoder = Decoder::new();
            for &index in &order[..2] {
                assert_eq!(decode_with(&mut decoder, 0, 101, &fragments[index]), Err(Skip::Fragment));
            }
            let last = &fragments[order[2]];
            let found = decoder.decode(moment(9), 101, last.len() as u32, last);
            assert_eq!(found.map(|segment| segment.at), Some(moment(9)));
            assert_eq!(found.and_then(|segment| offset_within(last, segment.payload)), None);
            assert_sample(found, &format!("{order:?}"));
            assert_eq!((decoder.pending_datagrams(), decoder.counters().fragments.reassembled), (0, 1));
        }
    }
}

#[test]
fn an_unfragmented_payload_is_borrowed_from_the_packet() {
    let packet = ipv4(6, &sample());
    let mut decoder = Decoder::new();
    let segment = decoder.decode(moment(0), 101, packet.len() as u32, &packet).unwrap();
    assert_eq!(offset_within(&packet, segment.payload), Some(packet.len() - PAYLOAD.len()));
}

#[test]
fn headers_before_and_in_the_fragments() {
    // Hop-by-hop options before the fragment header, destination options in the fragmented part.
    let body = extension(6, 1, 0, &sample());
    let mut decoder = Decoder::new();
    let fragment = |offset: usize, more: bool, next: u8, part: &[u8]| {
        let place = offset as u16 | u16::from(more);
        let header = join(&[&[next, 0], &place.to_be_bytes(), &[0, 0, 0, 5], part]);
        ipv6(0, &extension(44, 0, 0, &header))
    };
    let first = fragment(0, true, 60, &body[..32]);
    let last = fragment(32, false, 59, &body[32..]); // the next header of later fragments does not count
    assert_eq!(decode_with(&mut decoder, 0, 101, &last), Err(Skip::Fragment));
    assert_sample(decoder.decode(moment(0), 101, first.len() as u32, &first), "options");
}

#[test]
fn the_first_copy_wins() {
    let (segment, payload) = long_segment(100);
    let mut decoder = Decoder::new();
    let forged = vec![0xee; 64];
    for (offset, more, part, expected) in [
        (40, true, &segment[40..80], Skip::Fragment),
        (40, true, &forged[..40], Skip::DuplicateFragment),
        (48, true, &forged[..16], Skip::DuplicateFragment),
        (16, true, &join(&[&segment[16..40], &forged[..16]]), Skip::Fragment),
        (72, false, &join(&[&forged[..8], &segment[80..]]), Skip::Fragment),
        (64, true, &forged, Skip::MalformedFragment), // beyond the last byte
        (96, false, &forged[..8], Skip::MalformedFragment), // another last byte
    ] {
        let packet = ipv4_fragment(6, 3, offset, more, part);
        assert_eq!(decode_with(&mut decoder, 0, 101, &packet), Err(expected), "offset {offset}");
    }
    let first = ipv4_fragment(6, 3, 0, true, &join(&[&segment[..16], &forged]));
    assert_eq!(decode_with(&mut decoder, 0, 101, &first), Ok((payload, 7)));
    assert_eq!(decoder.counters().fragments.overlapping, 3);
}

#[test]
fn a_fragment_over_several_holes_fills_each() {
    let (segment, payload) = long_segment(200);
    let mut decoder = Decoder::new();
    for offset in [40, 80, 120, 160] {
        let part = ipv4_fragment(6, 3, offset, true, &segment[offset..offset + 16]);
        assert_eq!(decode_with(&mut decoder, 0, 101, &part), Err(Skip::Fragment));
    }
    let last = ipv4_fragment(6, 3, 176, false, &segment[176..]);
    assert_eq!(decode_with(&mut decoder, 0, 101, &last), Err(Skip::Fragment));
    let rest = ipv4_fragment(6, 3, 0, true, &segment[..184]);
    assert_eq!(decode_with(&mut decoder, 0, 101, &rest), Ok((payload, 7)));
}

#[test]
fn a_capture_that_sees_packets_twice() {
    let fragments = cut_v4(8, 6, &sample(), 32);
    let mut decoder = Decoder::new();
    assert_eq!(decode_with(&mut decoder, 0, 101, &fragments[0]), Err(Skip::Fragment));
    assert_eq!(decode_with(&mut decoder, 0, 101, &fragments[0]), Err(Skip::DuplicateFragment));
    assert!(decode_with(&mut decoder, 1, 101, &fragments[1]).is_ok());
    assert_eq!(decode_with(&mut decoder, 1, 101, &fragments[1]), Err(Skip::DuplicateFragment));
    assert_eq!(decoder.pending_datagrams(), 0);
    // Later the identification may come again.
    let later = RECENT_DATAGRAM_LIFETIME.as_millis() as u64 + 2;
    assert_eq!(decode_with(&mut decoder, later, 101, &fragments[0]), Err(Skip::Fragment));
    assert!(decode_with(&mut decoder, later, 101, &fragments[1]).is_ok());
}

/// A sender may use an identification again at once where it sends no other datagram that is alike (RFC 6864).
#[test]
fn an_identification_that_is_used_again_at_once_is_of_another_datagram() {
    for fragments in [cut_v4, |id: u16, protocol, body: &[u8], size| cut_v6(id.into(), protocol, body, size)]
    {
        let mut decoder = Decoder::new();
        for (seq, payload) in [(7, "the first one"), (20, "and the other")] {
            let segment = tcp_with_options(seq, &[], payload.as_bytes());
            let fragments = fragments(8, 6, &segment, 24);
            for expected in [Ok((payload.as_bytes().to_vec(), seq)), Err(Skip::DuplicateFragment)] {
                let first = decode_with(&mut decoder, 0, 101, &fragments[0]).unwrap_err();
                assert_eq!(first, if expected.is_ok() { Skip::Fragment } else { Skip::DuplicateFragment });
                assert_eq!(decode_with(&mut decoder, 0, 101, &fragments[1]), expected);
            }
        }
        assert_eq!((decoder.pending_datagrams(), decoder.counters().fragments.reassembled), (0, 2));
    }
}

#[test]
fn remembered_datagrams_are_bounded() {
    let mut decoder = Decoder::new();
    let complete = |decoder: &mut Decoder, id: usize| {
        let fragments = cut_v4(id as u16, 6, &sample(), 32);
        decode_with(decoder, 0, 101, &fragments[0]).unwrap_err();
        decode_with(decoder, 0, 101, &fragments[1]).unwrap();
    };
    let again =
        |decoder: &mut Decoder| decode_with(decoder, 0, 101, &cut_v4(0, 6, &sample(), 32)[1]).unwrap_err();
    for id in 0..RECENT_DATAGRAMS {
        complete(&mut decoder, id);
    }
    assert_eq!(again(&mut decoder), Skip::DuplicateFragment);
    complete(&mut decoder, RECENT_DATAGRAMS);
    assert_eq!(again(&mut decoder), Skip::Fragment);
}

#[test]
fn cut_fragments_cut_the_segment() {
    let (segment, payload) = long_segment(300);
    let fragments = cut_v4(8, 6, &segment, 160); // 140 bytes of payload in the first
    let feed = |captured: [usize; 2], order: [usize; 2]| {
        let mut decoder = Decoder::new();
        let mut found = None;
        for index in order {
            let fragment = &fragments[index];
            found = decoder
                .decode(moment(0), 101, fragment.len() as u32, &fragment[..captured[index]])
                .map(|segment| (segment.payload.to_vec(), segment.cut));
        }
        found
    };
    for order in [[0, 1], [1, 0]] {
        assert_eq!(feed([180, 180], order), Some((payload.clone(), 0)));
        assert_eq!(feed([180, 60], order), Some((payload[..180].to_vec(), 120)), "the last is cut");
        assert_eq!(
            feed([100, 180], order),
            Some((payload[..60].to_vec(), 240)),
            "what follows a hole is lost"
        );
        assert_eq!(feed([39, 180], order), None, "the TCP header is cut");
    }
}

#[test]
fn fragments_in_tunnels_and_tunnels_in_fragments() {
    // The inner packet in fragments, each of them in VXLAN; these in fragments again, last first.
    let mut decoder = Decoder::new();
    let mut last = None;
    for (id, inner) in cut_v4(1, 6, &sample(), 32).iter().enumerate() {
        let datagram = udp(4789, &vxlan(&ethernet(IPV4, inner)));
        for outer in cut_v4(id as u16, 17, &datagram, 24).iter().rev() {
            last = decoder
                .decode(moment(0), 101, outer.len() as u32, outer)
                .map(|segment| segment.payload.to_vec());
        }
    }
    assert_eq!(last.as_deref(), Some(PAYLOAD));
    assert_eq!(decoder.counters().fragments.reassembled, 3);
    assert_eq!(decoder.counters().tunnelled, 1);
    // The same addresses and identification at another depth are another datagram.
    let [one, two] = &cut_v4(5, 6, &sample(), 32)[..] else { panic!("two fragments") };
    assert_eq!(decode_with(&mut decoder, 0, 101, one), Err(Skip::Fragment));
    assert_eq!(decode_with(&mut decoder, 0, 101, &ipv4(4, two)), Err(Skip::Fragment));
    assert_eq!(decoder.pending_datagrams(), 2);
}

#[test]
fn depth_counts_through_reassembly() {
    let mut packet = ipv4(6, &sample());
    for _ in 0..TUNNEL_DEPTH {
        packet = ipv4(4, &packet);
    }
    for (wrapped, expected) in
        [(packet.clone(), Ok((PAYLOAD.to_vec(), 7))), (ipv4(4, &packet), Err(Skip::TunnelTooDeep))]
    {
        let [one, two] = &cut_v4(5, 4, &wrapped[20..], 40)[..2] else { panic!("fragments") };
        let mut decoder = Decoder::new();
        let rest = cut_v4(5, 4, &wrapped[20..], 40);
        assert_eq!(decode_with(&mut decoder, 0, 101, two), Err(Skip::Fragment));
        for fragment in &rest[2..] {
            assert_eq!(decode_with(&mut decoder, 0, 101, fragment), Err(Skip::Fragment));
        }
        assert_eq!(decode_with(&mut decoder, 0, 101, one), expected);
    }
}

#[test]
fn what_waits_too_long_is_dropped() {
    let fragments = cut_v4(8, 6, &sample(), 32);
    let lifetime = FRAGMENT_LIFETIME.as_millis() as u64;
    let start = 10 * lifetime;
    for (time, in_time) in [
        (start + lifetime, true),
        (start + lifetime + 1, false),
        (start - lifetime, true), // the clock jumps back
        (start - lifetime - 1, false),
    ] {
        let mut decoder = Decoder::new();
        assert_eq!(decode_with(&mut decoder, start, 101, &fragments[0]), Err(Skip::Fragment));
        assert_eq!(decode_with(&mut decoder, time, 101, &fragments[1]).is_ok(), in_time, "at {time}");
        assert_eq!(decoder.counters().fragments.expired, u64::from(!in_time));
        assert_eq!(decoder.pending_datagrams(), usize::from(!in_time));
        decoder.finish();
        assert_eq!(decoder.counters().fragments.expired, 2 * u64::from(!in_time));
        assert_eq!(decoder.pending_datagrams(), 0);
    }
}

#[test]
fn a_datagram_behind_one_from_the_future_expires_too() {
    let lifetime = FRAGMENT_LIFETIME.as_millis() as u64;
    let mut decoder = Decoder::new();
    let first = |id| ipv4_fragment(6, id, 0, true, &[0; 64]);
    for (time, id) in [(lifetime, 1), (0, 2), (lifetime + 1, 2)] {
        assert_eq!(decode_with(&mut decoder, time, 101, &first(id)), Err(Skip::Fragment));
    }
    assert_eq!((decoder.pending_datagrams(), decoder.counters().fragments.expired), (2, 1));
}

#[test]
fn cap_fragmented_datagrams() {
    let mut decoder = Decoder::new();
    for id in 0..FRAGMENTED_DATAGRAMS {
        let packet = ipv4_fragment(6, id as u16, 0, true, &sample()[..32]);
        assert_eq!(decode_with(&mut decoder, 0, 101, &packet), Err(Skip::Fragment));
    }
    assert_eq!(
        (decoder.pending_datagrams(), decoder.counters().fragments.evicted),
        (FRAGMENTED_DATAGRAMS, 0)
    );
    let packet = ipv4_fragment(6, FRAGMENTED_DATAGRAMS as u16, 0, true, &sample()[..32]);
    assert_eq!(decode_with(&mut decoder, 0, 101, &packet), Err(Skip::Fragment));
    assert_eq!(
        (decoder.pending_datagrams(), decoder.counters().fragments.evicted),
        (FRAGMENTED_DATAGRAMS, 1)
    );
    let rest = |id: u16| ipv4_fragment(6, id, 32, false, &sample()[32..]);
    assert!(decode_with(&mut decoder, 0, 101, &rest(1)).is_ok(), "the second is still there");
    assert_eq!(decode_with(&mut decoder, 0, 101, &rest(0)), Err(Skip::Fragment), "the oldest is not");
}

#[test]
fn cap_fragment_bytes() {
    let mut decoder = Decoder::new();
    let size = 32 * 1024;
    let part = vec![0; size];
    let fit = FRAGMENT_BYTES / (size + 64); // 64: the smallest list of pieces
    for id in 0..2 * fit {
        let packet = ipv4_fragment(17, id as u16, 0, true, &part);
        assert_eq!(decode_with(&mut decoder, 0, 101, &packet), Err(Skip::Fragment));
        assert!(decoder.fragment_memory() <= FRAGMENT_BYTES);
        assert_eq!(decoder.pending_datagrams() as u64 + decoder.counters().fragments.evicted, id as u64 + 1);
        if id <= fit {
            // All that fit, and one more.
            assert_eq!(decoder.counters().limits().of(Limit::FragmentTable), u64::from(id == fit), "{id}");
        }
    }
    assert_eq!(decoder.pending_datagrams(), fit);
    decoder.finish();
    assert_eq!(decoder.fragment_memory(), 0);
}

#[test]
fn tiny_fragments_cost_what_they_carry() {
    let mut decoder = Decoder::new();
    for id in 0..FRAGMENTED_DATAGRAMS {
        let packet = ipv4_fragment(17, id as u16, 65_512, true, &[0; 8]);
        assert_eq!(decode_with(&mut decoder, 0, 101, &packet), Err(Skip::Fragment));
    }
    assert!(decoder.fragment_memory() < 256 * FRAGMENTED_DATAGRAMS);
}

#[test]
fn cap_fragments_per_datagram() {
    // Every second unit of eight bytes, so that no two pieces touch.
    let mut decoder = Decoder::new();
    let piece = |index: usize| ipv4_fragment(17, 1, index * 16, true, &[0; 8]);
    for index in 0..FRAGMENTS_PER_DATAGRAM {
        assert_eq!(decode_with(&mut decoder, 0, 101, &piece(index)), Err(Skip::Fragment));
    }
    let mut other = decoder_with(piece, FRAGMENTS_PER_DATAGRAM);
    assert_eq!(
        decode_with(&mut decoder, 0, 101, &piece(FRAGMENTS_PER_DATAGRAM)),
        Err(Skip::TooManyFragments)
    );
    assert_eq!((decoder.pending_datagrams(), decoder.counters().fragments.too_many_pieces), (0, 1));
    assert_eq!(decoder.fragment_memory(), 0);
    // A fragment across all the holes makes too many of them as well.
    let across = ipv4_fragment(17, 1, 0, true, &[0; 2048]);
    assert_eq!(decode_with(&mut other, 0, 101, &across), Err(Skip::TooManyFragments));
    assert_eq!(other.fragment_memory(), 0);
}

/// A decoder that has seen the first `count` packets.
fn decoder_with(packet: impl Fn(usize) -> Vec<u8>, count: usize) -> Decoder {
    let mut decoder = Decoder::new();
    for index in 0..count {
        decode_with(&mut decoder, 0, 101, &packet(index)).unwrap_err();
    }
    decoder
}

#[test]
fn impossible_fragments_are_malformed() {
    let mut decoder = Decoder::new();
    for (offset, more, len) in
        [(65_528, true, 8), (65_528, false, 8), (8, true, 7), (8, false, 0), (0, true, 0)]
    {
        let packet = ipv4_fragment(17, 1, offset, more, &vec![0; len]);
        assert_eq!(
            decode_with(&mut decoder, 0, 101, &packet),
            Err(Skip::MalformedFragment),
            "{offset}+{len}"
        );
        assert_eq!(decoder.pending_datagrams(), 0);
    }
    let last = ipv4_fragment(17, 1, 65_528, false, &[0; 7]);
    assert_eq!(decode_with(&mut decoder, 0, 101, &last), Err(Skip::Fragment), "the last byte there is");
    // Bytes beyond a multiple of eight have no place: the next fragment brings them.
    let (segment, payload) = long_segment(60);
    for (offset, more, part) in [(0, true, &segment[..45]), (40, false, &segment[40..])] {
        let found = decode_with(&mut decoder, 0, 101, &ipv4_fragment(6, 2, offset, more, part));
        assert_eq!(found, if more { Err(Skip::Fragment) } else { Ok((payload.clone(), 7)) });
    }
}

/// Fragments of 16 octets, and these besides: where they start and how long they are, in units of 8 octets; in an order that the
/// seed gives.
fn give_the_datagram(
    len: usize,
    cuts: Vec<(usize, usize)>,
    seed: u64,
    v6: bool,
) -> Result<(), TestCaseError> {
    let (segment, payload) = long_segment(len);
    let make = |start: usize, end: usize| {
        let (more, part) = (end < segment.len(), &segment[start..end]);
        if v6 { ipv6_fragment(6, 1, start, more, part) } else { ipv4_fragment(6, 1, start, more, part) }
    };
    let mut ranges: Vec<_> =
        (0..segment.len()).step_by(16).map(|start| (start, (start + 16).min(segment.len()))).collect();
    for (start, units) in cuts {
        let (start, end) = (start * 8, ((start + units) * 8).min(segment.len()));
        if start < end && (start, end) != (0, segment.len()) {
            ranges.push((start, end));
        }
    }
    // A fixed shuffle by the seed.
    let mut state = seed | 1;
    for index in (1..ranges.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ranges.swap(index, (state >> 33) as usize % (index + 1));
    }
    let mut decoder = Decoder::new();
    let fragments = ranges.iter().map(|&(start, end)| make(start, end));
    let found: Vec<_> =
        fragments.filter_map(|packet| decode_with(&mut decoder, 0, 101, &packet).ok()).collect();
    prop_assert_eq!(found, vec![(payload, 7)]);
    prop_assert_eq!(decoder.pending_datagrams(), 0);
    prop_assert_eq!(decoder.fragment_memory(), 0);
    Ok(())
}

/// Fragments cut otherwise that come once the datagram is whole are copies, too.
#[test]
fn what_overlaps_a_datagram_that_is_whole_is_a_copy() {
    give_the_datagram(717, vec![(66, 24), (0, 1)], 5_438_322_318_069_473_960, false).unwrap();
}

proptest! {
    /// Any cutting, order, duplication and (consistent) overlap of a datagram's fragments gives its bytes once.
    #[test]
    fn any_fragments_give_the_datagram(
        len in 1usize..2000,
        cuts in prop::collection::vec((0usize..250, 1usize..60), 0..40),
        seed in any::<u64>(),
        v6 in any::<bool>(),
    ) {
        give_the_datagram(len, cuts, seed, v6)?;
    }
}
