//! Lengths that do not agree: segmentation offload, snaplen, padding, and lies.

use super::build::*;
use super::{Decoder, Skip, decode, moment};
use crate::base::limits::SUPER_PACKET_BYTES;

/// Payload length and cut bytes of a packet of which `captured` bytes were captured.
fn lengths(link: u16, original_len: u32, captured: &[u8]) -> Option<(usize, u32)> {
    Decoder::new()
        .decode(moment(0), link, original_len, captured)
        .map(|segment| (segment.payload.len(), segment.cut))
}

fn zero_length(mut packet: Vec<u8>) -> Vec<u8> {
    let at = if packet[0] >> 4 == 4 { 2 } else { 4 };
    packet[at..at + 2].fill(0);
    packet
}

#[test]
fn offloaded_packets_reach_to_their_end() {
    let segment = tcp_with_options(7, &[], &vec![0x77; 65_000]);
    for packet in [zero_length(ipv4(6, &segment)), zero_length(ipv6(6, &segment))] {
        assert_eq!(lengths(101, packet.len() as u32, &packet), Some((65_000, 0)));
        let headers = packet.len() - 65_000;
        let captured = 1000 - headers;
        let expected = Some((captured, 65_000 - captured as u32));
        assert_eq!(lengths(101, packet.len() as u32, &packet[..1000]), expected);
    }
    // The encapsulation's length may be zero, too.
    let inner = ethernet(IPV4, &zero_length(ipv4(6, &sample())));
    let mut datagram = udp(4789, &vxlan(&inner));
    datagram[4..6].fill(0);
    let outer = zero_length(ipv4(17, &datagram));
    assert_eq!(lengths(101, outer.len() as u32, &outer), Some((PAYLOAD.len(), 0)));
    let mut session = pppoe(&join(&[&[0, 0x21], &zero_length(ipv4(6, &sample()))]));
    session[4..6].fill(0);
    assert_eq!(lengths(51, session.len() as u32, &session), Some((PAYLOAD.len(), 0)));
}

#[test]
fn jumbograms_reach_to_their_end() {
    let segment = tcp_with_options(7, &[], &vec![0x77; 200_000]);
    let len = (segment.len() as u32 + 8).to_be_bytes();
    let packet = ipv6(0, &join(&[&[6, 0, 0xc2, 4], &len, &segment]));
    assert_eq!(lengths(101, packet.len() as u32, &zero_length(packet.clone())), Some((200_000, 0)));
}

#[test]
fn snaplen_cuts_are_exact() {
    let payload = [0x77; 1000];
    for packet in
        [ipv4(6, &tcp_with_options(7, &[1; 12], &payload)), ipv6(6, &tcp_with_options(7, &[1; 12], &payload))]
    {
        let frame = ethernet(if packet[0] >> 4 == 4 { IPV4 } else { IPV6 }, &packet);
        let headers = frame.len() - payload.len();
        for captured in 0..=frame.len() {
            let mut decoder = Decoder::new();
            let found = decoder
                .decode(moment(0), 1, frame.len() as u32, &frame[..captured])
                .map(|segment| (segment.payload.len(), segment.cut as usize));
            let expected = (captured >= headers - 12).then(|| {
                let payload = captured.saturating_sub(headers);
                (payload, 1000 - payload)
            });
            assert_eq!(found, expected, "{captured} captured");
            let counters = decoder.counters();
            assert_eq!(counters.skipped(Skip::Truncated), u64::from(expected.is_none()));
            assert_eq!(counters.truncated, u64::from(captured < frame.len()));
        }
    }
}

#[test]
fn padding_is_no_payload() {
    let frame = join(&[&ethernet(IPV4, &ipv4(6, &tcp_with_options(7, &[], b"x"))), &[0; 9]]);
    assert_eq!(lengths(1, frame.len() as u32, &frame), Some((1, 0)));
    assert_eq!(
        lengths(1, frame.len() as u32, &frame[..frame.len() - 4]),
        Some((1, 0)),
        "only padding is cut"
    );
    let frame = join(&[&ethernet(IPV6, &ipv6(6, &tcp_with_options(7, &[], b""))), &[0xfc; 4]]);
    assert_eq!(lengths(1, frame.len() as u32, &frame), Some((0, 0)));
}

#[test]
fn lengths_beyond_the_packet_make_no_hole() {
    let mut packet = ipv4(6, &tcp_with_options(7, &[], &[0x77; 100]));
    packet[2..4].copy_from_slice(&60_000u16.to_be_bytes());
    assert_eq!(lengths(101, 140, &packet), Some((100, 0)));
    assert_eq!(lengths(101, 140, &packet[..100]), Some((60, 40)));
    assert_eq!(lengths(101, 90_000, &packet), Some((100, 59_860)), "as far as it can be true");
    let mut packet = ipv6(6, &tcp_with_options(7, &[], &[0x77; 100]));
    packet[4..6].copy_from_slice(&60_000u16.to_be_bytes());
    assert_eq!(lengths(101, 160, &packet[..100]), Some((40, 60)));
}

#[test]
fn cap_super_packet_bytes() {
    let packet = zero_length(ipv4(6, &tcp_with_options(7, &[], &[0x77; 100])));
    let mut decoder = Decoder::new();
    let headers = 40;
    for (original, cut, over) in [
        (SUPER_PACKET_BYTES - 1, SUPER_PACKET_BYTES - 1, 0),
        (SUPER_PACKET_BYTES, SUPER_PACKET_BYTES, 0),
        (SUPER_PACKET_BYTES + 1, SUPER_PACKET_BYTES, 1),
        (u32::MAX as usize, SUPER_PACKET_BYTES, 2),
    ] {
        let segment = decoder.decode(moment(0), 101, original as u32, &packet).unwrap();
        assert_eq!((segment.payload.len(), segment.cut as usize), (100, cut - headers - 100));
        assert_eq!(decoder.counters().super_packets, over);
    }
    assert_eq!(lengths(101, 0, &packet), Some((100, 0)), "shorter than captured is no length");
}

#[test]
fn impossible_headers_are_malformed() {
    let good = ipv4(6, &sample());
    for (at, value, reason) in [
        (0, 0x44, Skip::MalformedIp),   // header below 20 bytes
        (3, 19, Skip::MalformedIp),     // total length below the header's
        (3, 39, Skip::MalformedTcp),    // 19 bytes of TCP
        (3, 51, Skip::MalformedTcp),    // options end beyond the packet
        (32, 0x40, Skip::MalformedTcp), // data offset 4
        (32, 0xf0, Skip::MalformedTcp), // data offset beyond the packet
    ] {
        let mut packet = good.clone();
        packet[at] = value;
        if reason == Skip::MalformedTcp && at == 32 {
            packet.truncate(60);
        }
        assert_eq!(decode(101, &packet), Err(reason), "byte {at} = {value}");
    }
    let mut bare = good.clone();
    bare[3] = 52;
    assert_eq!(decode(101, &bare), Ok((vec![], 7)), "options end with the packet");
}
