//! Every tunnel leads to the same segment, to the depth cap and no further; other UDP is left alone.

use super::build::*;
use super::{Decoder, Skip, assert_sample, decode, decode_with, moment};
use crate::base::limit_counters::Limit;
use crate::base::limits::{GTP_EXTENSIONS, IP_EXTENSIONS, TUNNEL_DEPTH};

/// Raw IP packets that hold [`sample`] in a tunnel, by name.
pub(super) fn packets() -> Vec<(&'static str, Vec<u8>)> {
    let v4 = ipv4(6, &sample());
    let v6 = ipv6(6, &sample());
    let frame = ethernet(IPV4, &v4);
    let ppp = join(&[&[0, 0x21], &v4]);
    let over4 = |protocol: u8, body: &[u8]| ipv4(protocol, body);
    let udp4 = |port: u16, body: &[u8]| ipv4(17, &udp(port, body));
    let erspan_ii = |frame: &[u8]| join(&[&[0x10, 1, 0, 2, 0, 0, 0, 3], frame]);
    let erspan_iii = |last: u16, more: &[u8], body: &[u8]| {
        join(&[&[0x20, 1, 0, 2, 0, 0, 0, 3, 0, 0], &last.to_be_bytes(), more, body])
    };
    vec![
        ("ip in ip", over4(4, &v4)),
        ("4 in 6", ipv6(4, &v4)),
        ("6 in 4", over4(41, &v6)),
        ("6 in 6", ipv6(41, &v6)),
        ("gre v4", over4(47, &gre(0, &[], IPV4, &v4))),
        ("gre v6 over v6", ipv6(47, &gre(0, &[], IPV6, &v6))),
        ("gre checksum", over4(47, &gre(0x8000, &[1, 2, 0, 0], IPV4, &v4))),
        ("gre key", over4(47, &gre(0x2000, &[0, 0, 0, 9], IPV4, &v4))),
        ("gre all", over4(47, &gre(0xb000, &[1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1], 0x6558, &frame))),
        ("gre mpls", over4(47, &gre(0, &[], 0x8847, &mpls(&[16], &v6)))),
        ("gre ppp", over4(47, &gre(0, &[], 0x880b, &join(&[&[0, 0x21], &v4])))),
        ("erspan i", over4(47, &gre(0, &[], 0x88be, &frame))),
        ("erspan ii", over4(47, &gre(0x1000, &[0, 0, 0, 1], 0x88be, &erspan_ii(&frame)))),
        ("erspan iii", over4(47, &gre(0x1000, &[0, 0, 0, 1], 0x22eb, &erspan_iii(0, &[], &frame)))),
        ("erspan iii more", over4(47, &gre(0x1000, &[0; 4], 0x22eb, &erspan_iii(1, &[0; 8], &frame)))),
        ("erspan iii ip", over4(47, &gre(0x1000, &[0; 4], 0x22eb, &erspan_iii(2 << 10, &[], &v6)))),
        ("gre nsh", over4(47, &gre(0, &[], 0x894f, &nsh(2, 1, &v6)))),
        (
            "pptp",
            over4(47, &gre(0x3081, &[0, v4.len() as u8 + 2, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2], 0x880b, &ppp)),
        ),
        ("vxlan-gpe", udp4(4790, &gpe(3, &frame))),
        ("vxlan-gpe v6", udp4(4790, &gpe(2, &v6))),
        ("vxlan-gpe nsh", udp4(4790, &gpe(4, &nsh(1, 2, &v4)))),
        ("vxlan-gpe mpls", udp4(4790, &gpe(5, &mpls(&[16], &v4)))),
        ("vxlan-gpe, plain", udp4(4790, &vxlan(&frame))),
        ("l2tp 2", udp4(1701, &l2tp_2(0, &[], &[], &ppp))),
        ("l2tp 2, answer", ipv4(17, &join(&[&[6, 0xa5, 0xd0, 0], &udp(0, &l2tp_2(0, &[], &[], &ppp))[4..]]))),
        (
            "l2tp 2, all",
            udp4(1701, &l2tp_2(0x4a00, &[0, v4.len() as u8 + 18], &[0, 1, 0, 2, 0, 2, 0xee, 0xee], &ppp)),
        ),
        ("l2tp 3 in udp", udp4(1701, &join(&[&[0, 3, 0, 0, 0, 0, 0, 5], &[9; 4], &frame]))),
        ("l2tp 3", over4(115, &join(&[&[0, 0, 0, 5], &frame]))),
        (
            "l2tp 3, cookie and sublayer",
            over4(115, &join(&[&[0, 0, 0, 5], &[9; 8], &[0x40, 0, 0, 1], &frame])),
        ),
        ("l2tp 3, ppp", over4(115, &join(&[&[0, 0, 0, 5], &ppp]))),
        ("l2tp 3, ip", ipv6(115, &join(&[&[0, 0, 0, 5], &[9; 4], &v6]))),
        ("tzsp", udp4(37008, &tzsp(1, &[], &frame))),
        ("tzsp, tags and padding", udp4(37008, &tzsp(1, &[0, 10, 1, 0xbb, 0, 41, 2, 0, 60], &frame))),
        ("tzsp 802.11", udp4(37008, &tzsp(18, &[], &wifi(0, 1, &[], &snap(IPV4, &v4))))),
        ("etherip", over4(97, &join(&[&[0x30, 0], &frame]))),
        ("mpls in ip", over4(137, &mpls(&[16], &v4))),
        ("vxlan", udp4(4789, &vxlan(&frame))),
        ("vxlan over v6", ipv6(17, &udp(4789, &vxlan(&ethernet(0x8100, &vlan(IPV6, &v6)))))),
        ("vxlan linux port", udp4(8472, &vxlan(&frame))),
        ("vxlan group policy", udp4(4789, &join(&[&[0x88, 0x08, 0, 5, 0, 0, 7, 0], &frame]))),
        ("geneve", udp4(6081, &geneve(&[], 0x6558, &frame))),
        ("geneve options", udp4(6081, &geneve(&[1, 2, 3, 1, 0, 0, 0, 0], IPV6, &v6))),
        ("gtp-u", udp4(2152, &gtp_u(0, &[], &v4))),
        ("gtp-u sequence", udp4(2152, &gtp_u(2, &[0, 1, 0, 0], &v6))),
        (
            "gtp-u extensions",
            udp4(2152, &gtp_u(4, &[0, 0, 0, 0x85, 1, 0, 9, 0x40, 2, 0, 0, 0, 0, 0, 0, 0], &v4)),
        ),
        ("ah in v4", over4(51, &join(&[&[6, 4, 0, 0], &[0; 20], &sample()]))),
        ("gtp-u in vxlan", udp4(4789, &vxlan(&ethernet(IPV4, &udp4(2152, &gtp_u(0, &[], &v4)))))),
    ]
}

#[test]
fn every_tunnel_leads_to_the_segment() {
    for (name, packet) in packets() {
        let mut decoder = Decoder::new();
        assert_sample(decoder.decode(moment(0), 101, packet.len() as u32, &packet), name);
        assert_eq!(decoder.counters().tunnelled, u64::from(name != "ah in v4"), "{name}");
    }
}

/// Puts an IPv4 packet into a tunnel.
type Wrap = fn(&[u8]) -> Vec<u8>;

#[test]
fn cap_tunnel_depth() {
    let wrap: [Wrap; 5] = [
        |inner| ipv4(4, inner),
        |inner| ipv4(47, &gre(0, &[], IPV4, inner)),
        |inner| ipv4(17, &udp(4789, &vxlan(&ethernet(IPV4, inner)))),
        |inner| ipv4(17, &udp(2152, &gtp_u(0, &[], inner))),
        |inner| ipv4(137, &mpls(&[16], inner)),
    ];
    for (index, wrap) in wrap.iter().enumerate() {
        let mut decoder = Decoder::new();
        let mut packet = ipv4(6, &sample());
        for depth in 1..=TUNNEL_DEPTH {
            packet = wrap(&packet);
            assert!(decode_with(&mut decoder, 0, 101, &packet).is_ok(), "tunnel {index}, depth {depth}");
        }
        assert_eq!(decoder.counters().limits().of(Limit::TunnelDepth), 0);
        let deeper = decode_with(&mut decoder, 0, 101, &wrap(&packet));
        assert_eq!(deeper, Err(Skip::TunnelTooDeep), "tunnel {index}");
        assert_eq!(decoder.counters().limits().of(Limit::TunnelDepth), 1);
    }
    let mut wire = ethernet(IPV4, &ipv4(6, &sample()));
    for _ in 0..TUNNEL_DEPTH {
        wire = ethernet(0x8847, &mpls(&[16], &wire));
    }
    // A pseudowire is taken for one only if IP stands in it, and a label is not IP.
    assert_eq!(decode(1, &wire), Err(Skip::NotIp));
}

#[test]
fn other_udp_is_not_misread() {
    let v4 = ipv4(6, &sample());
    let frame = ethernet(IPV4, &v4);
    let mut bodies =
        vec![(4789, frame.clone()), (2152, v4.clone()), (6081, frame.clone()), (53, vxlan(&frame))];
    let mut spoil = |port: u16, good: &[u8], at: usize, value: u8| {
        let mut bad = good.to_vec();
        bad[at] = value;
        bodies.push((port, bad));
    };
    for (at, value) in [(0, 0), (0, 0x0c), (1, 1), (2, 1), (3, 1), (7, 1)] {
        spoil(4789, &vxlan(&frame), at, value);
    }
    for (at, value) in [(0, 0x40), (0, 0x3f), (1, 0x80), (1, 1), (2, 9), (7, 1)] {
        spoil(6081, &geneve(&[], 0x6558, &frame), at, value);
    }
    for (at, value) in [(0, 0x50), (0, 0x20), (0, 0x38), (1, 1), (2, 1), (8, 0x55), (8, 0x44), (10, 9)] {
        spoil(2152, &gtp_u(0, &[], &v4), at, value);
    }
    for (at, value) in [(0, 0x0d), (0, 0x2c), (0, 4), (1, 1), (2, 1), (3, 0), (7, 1)] {
        spoil(4790, &gpe(1, &v4), at, value);
    }
    let ppp = join(&[&[0, 0x21], &v4]);
    for (at, value) in [(0, 0x80), (0, 0x10), (1, 1), (1, 3), (1, 0x42)] {
        spoil(1701, &l2tp_2(0, &[], &[], &ppp), at, value);
    }
    for (at, value) in [(0, 2), (1, 4), (3, 99)] {
        spoil(37008, &tzsp(1, &[], &frame), at, value);
    }
    bodies.push((37008, vec![1, 0, 0, 1, 10, 200, 0])); // a tag beyond the end
    bodies.push((1701, l2tp_2(0x4000, &[0xff, 0xff], &[], &ppp)));
    bodies.push((2152, gtp_u(4, &[0, 0, 0, 0x85, 0, 0, 9, 0], &v4))); // an extension without length
    bodies.push((2152, gtp_u(4, &[0, 0, 0, 0x85, 200, 0, 9, 0], &v4)));
    bodies.push((2152, gtp_u(0, &[], &[])));
    for (port, body) in bodies {
        assert_eq!(decode(101, &ipv4(17, &udp(port, &body))), Err(Skip::Udp), "port {port}, {body:02x?}");
    }
    let mut short = udp(4789, &vxlan(&frame));
    short[5] = 7;
    short[4] = 0;
    assert_eq!(decode(101, &ipv4(17, &short)), Err(Skip::Udp), "length below the header's");
}

#[test]
fn what_tunnels_do_not_tell_is_counted() {
    let v4 = ipv4(6, &sample());
    for (reason, protocol, body) in [
        (Skip::UnknownTunnel, 47, gre(0x4000, &[0; 4], IPV4, &v4)), // routing
        (Skip::UnknownTunnel, 47, gre(0x2001, &[0; 4], IPV4, &v4)),
        (Skip::UnknownTunnel, 47, gre(0x0001, &[0; 4], 0x880b, &v4)),
        (Skip::NotIp, 47, gre(0x2081, &[0, 0, 0, 9, 0, 0, 0, 1], 0x880b, &[])), // PPTP's acknowledgment
        (Skip::UnknownErspan, 47, gre(0x1000, &[0; 4], 0x88be, &v4)),           // no ERSPAN version
        (Skip::UnknownErspan, 47, gre(0x1000, &[0; 4], 0x22eb, &v4)),
        (Skip::UnknownTunnel, 108, v4.clone()),
        (Skip::OtherIpProtocol, 115, join(&[&[0; 4], &ethernet(IPV4, &v4)])), // L2TP's control connection
        (Skip::OtherIpProtocol, 115, vec![9; 60]),
        (Skip::UnknownShim, 17, udp(4790, &gpe(9, &v4))),
        (Skip::Esp, 17, udp(4500, &v4)),
        (Skip::Udp, 17, udp(4500, &[0; 32])),
        (Skip::MalformedTunnel, 47, gre(0xb000, &[0; 4], IPV4, &[])),
        (Skip::MalformedTunnel, 97, join(&[&[0x20, 0], &v4])),
        (Skip::NotIp, 47, gre(0, &[], 0, &[])), // keep-alive
        (Skip::MalformedIp, 4, ipv6(6, &sample())),
        (Skip::Esp, 50, v4.clone()),
        (Skip::Icmp, 1, v4.clone()),
        (Skip::OtherIpProtocol, 132, v4.clone()),
        (Skip::OtherIpProtocol, 0, v4.clone()),
        (Skip::OtherIpProtocol, 44, v4.clone()),
        (Skip::Udp, 17, vec![0; 7]),
        (Skip::MalformedTcp, 6, vec![0; 19]),
    ] {
        assert_eq!(decode(101, &ipv4(protocol, &body)), Err(reason), "{reason:?}");
    }
}

#[test]
fn extension_headers() {
    let ah = |body: &[u8]| join(&[&[6, 4, 0, 0], &[0; 20], body]);
    let chain = extension(43, 0, 0, &extension(60, 2, 0, &extension(51, 1, 0, &ah(&sample()))));
    let with_mobility = extension(139, 1, 0, &extension(140, 0, 0, &extension(6, 0, 0, &sample())));
    for (name, packet) in [
        ("hop-by-hop, routing, destination, authentication", ipv6(0, &chain)),
        ("mobility, HIP, shim6", ipv6(135, &with_mobility)),
        ("fragment that is whole", ipv6_fragment(6, 9, 0, false, &sample())),
    ] {
        let mut decoder = Decoder::new();
        assert_sample(decoder.decode(moment(0), 101, packet.len() as u32, &packet), name);
        assert_eq!(decoder.counters().tunnelled, 0);
    }
    for (reason, packet) in [
        (Skip::Esp, ipv6(0, &extension(50, 0, 0, &sample()))),
        (Skip::OtherIpProtocol, ipv6(0, &extension(59, 0, 0, &sample()))),
        (Skip::Icmp, ipv6(0, &extension(58, 0, 0, &sample()))),
        (Skip::MalformedIp, ipv6(0, &[6, 9, 0, 0, 0, 0, 0, 0])),
        (Skip::MalformedIp, ipv6(0, &[6])),
        (Skip::MalformedIp, ipv6(44, &[6, 0, 0, 0])),
    ] {
        assert_eq!(decode(101, &packet), Err(reason));
    }
}

#[test]
fn cap_ip_extensions() {
    let many = |count: u8| {
        let mut body = extension(6, 0, 0, &sample());
        for _ in 1..count {
            body = extension(60, 0, 0, &body);
        }
        ipv6(60, &body)
    };
    let mut decoder = Decoder::new();
    for (count, struck) in [(IP_EXTENSIONS - 1, 0), (IP_EXTENSIONS, 0), (IP_EXTENSIONS + 1, 1)] {
        let expected = if struck == 0 { Ok((PAYLOAD.to_vec(), 7)) } else { Err(Skip::TooManyExtensions) };
        assert_eq!(decode_with(&mut decoder, 0, 101, &many(count)), expected, "{count}");
        assert_eq!(decoder.counters().limits().of(Limit::IpExtensions), struck);
    }
}

#[test]
fn cap_gtp_extensions() {
    let many = |count: usize| {
        let mut options = vec![0, 0, 0];
        for _ in 0..count {
            options.extend([0x85, 1, 0, 0]);
        }
        options.push(0);
        ipv4(17, &udp(2152, &gtp_u(4, &options, &ipv4(6, &sample()))))
    };
    let mut decoder = Decoder::new();
    for (count, struck) in [(GTP_EXTENSIONS - 1, 0), (GTP_EXTENSIONS, 0), (GTP_EXTENSIONS + 1, 1), (50, 2)] {
        let expected = if struck == 0 { Ok((PAYLOAD.to_vec(), 7)) } else { Err(Skip::TooManyExtensions) };
        assert_eq!(decode_with(&mut decoder, 0, 101, &many(count)), expected, "{count}");
        assert_eq!(decoder.counters().limits().of(Limit::IpExtensions), struck);
    }
}

#[test]
fn routing_headers_name_the_receiver() {
    let address = |last: u8| join(&[&[0x20, 1], &[0; 13], &[last]]);
    let routing = |kind: u8, left: u8, addresses: &[u8]| {
        let list: Vec<u8> = addresses.iter().flat_map(|&last| address(last)).collect();
        ipv6(43, &join(&[&[6, addresses.len() as u8 * 2, kind, left, 0, 0, 0, 0], &list, &sample()]))
    };
    for (kind, left, addresses, last) in [
        (0, 2, &[5, 6, 7][..], "2001::7"),
        (2, 1, &[5], "2001::5"),
        (4, 1, &[5, 6], "2001::5"),
        (4, 0, &[5, 6], "2001:db8::2"),
        (0, 1, &[], "2001:db8::2"),
        (3, 1, &[5], "2001:db8::2"),
    ] {
        let packet = routing(kind, left, addresses);
        let mut decoder = Decoder::new();
        let segment = decoder.decode(moment(0), 101, packet.len() as u32, &packet).unwrap();
        assert_eq!(segment.dst.ip.to_string(), last, "type {kind}");
    }
}
