//! Checksums, networks and window scales: what a segment tells beside its bytes.

use super::build::*;
use super::moment;
use crate::base::tcp::WindowScale;
use crate::packet::{Checksum, Decoder, Network};

/// The ones' complement sum of 16-bit words, as RFC 1071 has it.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    sum as u16
}

/// The pseudo-header of a segment of this length between the addresses that [`ipv4`] or [`ipv6`] take.
fn pseudo_header(v6: bool, len: usize) -> Vec<u8> {
    let packet = if v6 { ipv6(6, &[]) } else { ipv4(6, &[]) };
    let addresses = if v6 { &packet[8..40] } else { &packet[12..20] };
    join(&[addresses, &[0, 6], &(len as u32).to_be_bytes()])
}

/// A packet with this TCP segment, whose checksum field is what `field` makes of the pseudo-header and the segment.
fn packet(v6: bool, segment: &[u8], field: impl Fn(&[u8], &[u8]) -> u16) -> Vec<u8> {
    let mut segment = segment.to_vec();
    segment[16..18].fill(0);
    let value = field(&pseudo_header(v6, segment.len()), &segment);
    segment[16..18].copy_from_slice(&value.to_be_bytes());
    let mut packet = if v6 { ipv6(6, &segment) } else { ipv4(6, &segment) };
    if !v6 {
        packet[10..12].fill(0);
        let checksum = !sum(&[&packet[..20]]);
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
    packet
}

fn right(pseudo_header: &[u8], segment: &[u8]) -> u16 {
    !sum(&[pseudo_header, segment])
}

fn judge(packet: &[u8]) -> Checksum {
    judge_cut(packet, packet.len())
}

fn judge_cut(packet: &[u8], captured: usize) -> Checksum {
    let mut decoder = Decoder::new();
    decoder.decode(moment(0), 101, packet.len() as u32, &packet[..captured]).unwrap().checksum
}

#[test]
fn right_checksums_are_right_for_any_length() {
    for v6 in [false, true] {
        for len in (0..70).chain([1447, 1448, 9000]) {
            let payload: Vec<u8> = (0..len).map(|n| (n * 37) as u8).collect();
            let packet = packet(v6, &tcp_with_options(7, &[], &payload), right);
            assert_eq!(judge(&packet), Checksum::Right, "{len}");
        }
    }
}

#[test]
fn any_changed_bit_makes_a_checksum_wrong() {
    for v6 in [false, true] {
        let whole = packet(v6, &sample(), right);
        let tcp = if v6 { 40 } else { 20 };
        for at in (tcp..whole.len()).filter(|&at| at != tcp + 12) {
            for bit in 0..8 {
                let mut packet = whole.clone();
                packet[at] ^= 1 << bit;
                assert_eq!(judge(&packet), Checksum::Wrong, "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_damaged_ipv4_header_is_wrong_and_one_without_a_checksum_is_not() {
    let mut packet = packet(false, &sample(), right);
    packet[8] ^= 1;
    assert_eq!(judge(&packet), Checksum::Wrong, "time to live");
    packet[10..12].fill(0);
    assert_eq!(judge(&packet), Checksum::Right);
}

#[test]
fn what_offloading_leaves_says_nothing() {
    for v6 in [false, true] {
        let zero = packet(v6, &sample(), |_, _| 0);
        let partial = packet(v6, &sample(), |pseudo_header, _| sum(&[pseudo_header]));
        let without_length =
            packet(v6, &sample(), |pseudo_header, _| sum(&[&pseudo_header[..pseudo_header.len() - 4]]));
        for packet in [zero, partial, without_length] {
            assert_eq!(judge(&packet), Checksum::Offloaded);
        }
    }
}

#[test]
fn of_a_cut_packet_nothing_is_known() {
    let packet = packet(false, &sample(), |_, _| 0xbad);
    assert_eq!(judge(&packet), Checksum::Wrong);
    assert_eq!(judge_cut(&packet, packet.len() - 1), Checksum::Unknown);
}

fn network(frame: &[u8]) -> Network {
    let mut decoder = Decoder::new();
    decoder.decode(moment(0), 1, frame.len() as u32, frame).unwrap().network
}

#[test]
fn vlans_and_tunnels_are_networks() {
    let ip = ipv4(6, &sample());
    let tagged = |id: u8, ethertype, body: &[u8]| {
        ethernet(0x8100, &join(&[&[0x60, id], &u16::to_be_bytes(ethertype), body]))
    };
    let udp = |port: u16, body: &[u8]| {
        let len = (body.len() + 8) as u16;
        ethernet(IPV4, &ipv4(17, &join(&[&[0, 9], &port.to_be_bytes(), &len.to_be_bytes(), &[0, 0], body])))
    };
    let vxlan = |id: u8| udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, id, 0], &ethernet(IPV4, &ip)]));
    let geneve = |id: u8| udp(6081, &join(&[&[0, 0, 8, 0, 0, 0, id, 0], &ip]));
    let gtp =
        |id: u8| udp(2152, &join(&[&[0x30, 255], &(ip.len() as u16).to_be_bytes(), &[0, 0, 0, id], &ip]));
    let gre = |id: u8| ethernet(IPV4, &ipv4(47, &join(&[&[0x20, 0, 8, 0, 0, 0, 0, id], &ip])));
    let none = network(&ethernet(IPV4, &ip));
    assert_eq!(none, Network::default());
    assert_eq!(network(&tagged(0, IPV4, &ip)), none, "a tag for the priority only");
    let mut seen = vec![none];
    for id in [1, 2] {
        let double = tagged(id, 0x8100, &join(&[&[0, 9], &IPV4.to_be_bytes(), &ip]));
        for frame in [tagged(id, IPV4, &ip), double, vxlan(id), geneve(id), gtp(id), gre(id)] {
            let found = network(&frame);
            assert!(!seen.contains(&found), "{found:?}");
            assert_eq!(found, network(&frame));
            seen.push(found);
        }
    }
}

#[test]
fn a_syn_tells_its_window_scale() {
    let scale = |flags: u8, options: &[u8]| {
        let mut segment = tcp_with_options(7, options, b"");
        segment[13] = flags;
        let packet = ipv4(6, &segment);
        let mut decoder = Decoder::new();
        decoder.decode(moment(0), 101, packet.len() as u32, &packet).unwrap().window_scale
    };
    assert_eq!(scale(2, &[2, 4, 5, 180, 1, 3, 3, 7]), WindowScale::Shift(7));
    assert_eq!(scale(2, &[3, 3, 200, 0]), WindowScale::Shift(14), "RFC 7323 section 2.3");
    assert_eq!(scale(0x10, &[3, 3, 7, 0]), WindowScale::Unknown, "only in a SYN");
    for options in [&[][..], &[0, 3, 3, 7], &[2, 0, 3, 3], &[9, 200, 3, 3], &[1, 1, 3, 3]] {
        assert_eq!(scale(2, options), WindowScale::Absent, "{options:?}");
    }
}

#[test]
fn the_window_scale_of_a_cut_syn_may_be_in_what_is_missing() {
    let scale = |options: &[u8], cut: usize| {
        let mut segment = tcp_with_options(7, options, b"");
        segment[13] = 2;
        let packet = ipv4(6, &segment);
        let mut decoder = Decoder::new();
        let kept = &packet[..packet.len() - cut];
        decoder.decode(moment(0), 101, packet.len() as u32, kept).unwrap().window_scale
    };
    let options = [2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 0, 0];
    for cut in 0..=12 {
        let known = if cut <= 4 { WindowScale::Shift(7) } else { WindowScale::Unknown };
        assert_eq!(scale(&options, cut), known, "{cut}");
    }
    assert_eq!(scale(&[2, 4, 5, 180, 0, 0, 0, 0], 3), WindowScale::Absent, "they end before");
}
