//! Every link type and encapsulation below IP leads to the same segment.

use super::build::*;
use super::{Decoder, Skip, assert_sample, decode, decode_with, moment};
use crate::base::limit_counters::Limit;
use crate::base::limits::LINK_TAGS;

/// Frames that all hold [`sample`], by name and link type.
pub(super) fn frames() -> Vec<(&'static str, u16, Vec<u8>)> {
    let v4 = ipv4(6, &sample());
    let v6 = ipv6(6, &sample());
    let family = |bytes: [u8; 4], packet: &[u8]| join(&[&bytes, packet]);
    let sll = |protocol: u16, packet: &[u8]| {
        join(&[&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &protocol.to_be_bytes(), packet])
    };
    let sll2 = |protocol: u16, packet: &[u8]| {
        join(&[&protocol.to_be_bytes(), &[0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0], packet])
    };
    let ieee_802_3 = |body: &[u8]| join(&[&ethernet(body.len() as u16, body), &[0; 12]]);
    let ppp4 = join(&[&[0, 0x21], &v4]);
    let pktap =
        |link: u32, frame: &[u8]| join(&[&[20, 0, 0, 0, 1, 0, 0, 0], &link.to_le_bytes(), &[0; 8], frame]);
    let pflog = |len: u8, packet: &[u8]| {
        join(&[&[len, 2], &vec![0; usize::from(len).next_multiple_of(4) - 2], packet])
    };
    let mut frames = vec![
        ("ethernet v4", 1, ethernet(IPV4, &v4)),
        ("ethernet v6", 1, ethernet(IPV6, &v6)),
        ("ethernet, padded", 1, join(&[&ethernet(IPV4, &v4), &[0x55; 30]])),
        ("v4 options", 1, ethernet(IPV4, &ipv4_with_options(6, &[7, 7, 4, 0, 0, 0, 0, 0], &sample()))),
        ("sll", 113, sll(IPV4, &v4)),
        ("sll v6", 113, sll(IPV6, &v6)),
        ("sll vlan", 113, sll(0x8100, &vlan(IPV4, &v4))),
        ("sll llc", 113, sll(4, &snap_of([0, 0, 0], IPV4, &v4))),
        ("sll2", 276, sll2(IPV4, &v4)),
        ("sll2 v6", 276, sll2(IPV6, &v6)),
        ("raw 101 v4", 101, v4.clone()),
        ("raw 101 v6", 101, v6.clone()),
        ("raw 12", 12, v6.clone()),
        ("raw 14", 14, v4.clone()),
        ("raw 228", 228, v4.clone()),
        ("raw 229", 229, v6.clone()),
        ("null le", 0, family([2, 0, 0, 0], &v4)),
        ("null be", 0, family([0, 0, 0, 2], &v4)),
        ("null v6 linux", 0, family([10, 0, 0, 0], &v6)),
        ("null v6 netbsd", 0, family([24, 0, 0, 0], &v6)),
        ("null v6 freebsd, be", 0, family([0, 0, 0, 28], &v6)),
        ("null v6 macos", 0, family([30, 0, 0, 0], &v6)),
        ("loop", 108, family([0, 0, 0, 2], &v4)),
        ("loop v6", 108, family([0, 0, 0, 24], &v6)),
        ("ppp", 9, ppp4.clone()),
        ("ppp address and control", 9, join(&[&[0xff, 3], &ppp4])),
        ("ppp compressed protocol", 9, join(&[&[0xff, 3, 0x21], &v4])),
        ("ppp v6", 9, join(&[&[0, 0x57], &v6])),
        ("ppp mpls", 9, join(&[&[2, 0x81], &mpls(&[16, 17], &v6)])),
        ("ppp hdlc", 50, join(&[&[0xff, 3], &ppp4])),
        ("ppp hdlc, bare", 50, ppp4.clone()),
        ("ppp hdlc, cisco", 50, join(&[&[0x0f, 0, 8, 0], &v4])),
        ("cisco hdlc", 104, join(&[&[0x8f, 0, 0x86, 0xdd], &v6])),
        ("ppp with direction", 204, join(&[&[1, 0xff, 3], &ppp4])),
        ("pppoe link", 51, pppoe(&ppp4)),
        ("enc", 109, join(&[&[2, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0], &v4])),
        ("pflog", 117, pflog(61, &v4)),
        ("pktap ethernet", 258, pktap(1, &ethernet(IPV4, &v4))),
        ("pktap raw", 258, pktap(12, &v6)),
        ("pktap, old number", 149, pktap(12, &v4)),
        ("ppi", 192, join(&[&[0, 0, 12, 0, 1, 0, 0, 0, 9, 9, 9, 9], &ethernet(IPV4, &v4)])),
        ("nflog", 239, nflog(false, 2, IPV4, &v4)),
        ("nflog v6, be", 239, nflog(true, 10, IPV6, &v6)),
        ("nflog bridge", 239, nflog(false, 7, 0x8100, &vlan(IPV4, &v4))),
        ("nsh", 1, ethernet(0x894f, &nsh(1, 4, &v4))),
        ("nsh ethernet", 1, ethernet(0x894f, &nsh(3, 0, &ethernet(IPV6, &v6)))),
        ("vlan", 1, ethernet(0x8100, &vlan(IPV4, &v4))),
        ("qinq", 1, ethernet(0x88a8, &vlan(0x8100, &vlan(IPV6, &v6)))),
        ("old qinq", 1, ethernet(0x9100, &vlan(0x8100, &vlan(IPV4, &v4)))),
        ("mpls", 1, ethernet(0x8847, &mpls(&[16], &v4))),
        ("mpls multicast, three labels", 1, ethernet(0x8848, &mpls(&[3, 16, 17], &v6))),
        ("pseudowire", 1, ethernet(0x8847, &mpls(&[16, 17], &ethernet(IPV4, &v4)))),
        (
            "pseudowire, address like IPv4",
            1,
            ethernet(0x8847, &mpls(&[16], &join(&[&[0x45, 0, 0xff, 0xff], &ethernet(IPV4, &v4)[4..]]))),
        ),
        (
            "pseudowire, control word",
            1,
            ethernet(0x8847, &mpls(&[16], &join(&[&[0; 4], &ethernet(0x8100, &vlan(IPV6, &v6))]))),
        ),
        (
            "pseudowire, address like a control word",
            1,
            ethernet(0x8847, &mpls(&[16], &join(&[&[0, 0x0c, 0x29, 1], &ethernet(IPV4, &v4)[4..]]))),
        ),
        ("pppoe", 1, ethernet(0x8864, &pppoe(&ppp4))),
        ("pppoe in vlan", 1, ethernet(0x8100, &vlan(0x8864, &pppoe(&join(&[&[0, 0x57], &v6]))))),
        ("snap", 1, ieee_802_3(&snap_of([0, 0, 0], IPV4, &v4))),
        ("snap 802.1H", 1, ieee_802_3(&snap_of([0, 0, 0xf8], IPV6, &v6))),
        ("llc", 1, ieee_802_3(&join(&[&[6, 6, 3], &v4]))),
        ("snap in vlan", 1, ethernet(0x8100, &vlan((v4.len() + 8) as u16, &snap_of([0, 0, 0], IPV4, &v4)))),
    ];
    frames.extend(wifi_frames());
    frames
}

/// The same in 802.11.
fn wifi_frames() -> Vec<(&'static str, u16, Vec<u8>)> {
    let v4 = ipv4(6, &sample());
    let v6 = ipv6(6, &sample());
    vec![
        ("802.11", 105, wifi(0, 1, &[], &snap(IPV4, &v4))),
        ("802.11 qos", 105, wifi(8, 2, &[5, 0], &snap(IPV6, &v6))),
        ("802.11 qos, HT control, four addresses", 105, wifi(8, 0x83, &[9; 12], &snap(IPV4, &v4))),
        ("802.11 aggregate of one", 105, {
            let llc = snap(IPV4, &v4);
            let head = join(&[&[0x80, 0], &[2; 12], &(llc.len() as u16).to_be_bytes()]);
            wifi(8, 1, &head, &join(&[&llc, &[0; 6]]))
        }),
        ("radiotap", 127, join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wifi(0, 1, &[], &snap(IPV4, &v4))])),
        ("radiotap, time stamp, padding, two words", 127, {
            let head = [0, 0, 28, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0];
            let frame = wifi(8, 1, &[0, 0, 0xee, 0xee], &snap(IPV4, &v4));
            join(&[&head, &[0xff; 8], &[0x30, 0, 0, 0], &frame, b"fcs!"])
        }),
    ]
}

#[test]
fn every_link_leads_to_the_segment() {
    for (name, link, frame) in frames() {
        let mut decoder = Decoder::new();
        assert_sample(decoder.decode(moment(0), link, frame.len() as u32, &frame), name);
    }
}

#[test]
fn endpoints_are_those_of_the_ip_header() {
    let mut decoder = Decoder::new();
    let frame = ethernet(IPV4, &ipv4(6, &sample()));
    let segment = decoder.decode(moment(0), 1, frame.len() as u32, &frame).unwrap();
    assert_eq!(
        (segment.src.ip.to_string(), segment.dst.ip.to_string()),
        ("10.0.0.1".into(), "10.0.0.2".into())
    );
    let frame = ethernet(IPV6, &ipv6(6, &sample()));
    let segment = decoder.decode(moment(0), 1, frame.len() as u32, &frame).unwrap();
    assert_eq!(
        (segment.src.ip.to_string(), segment.dst.ip.to_string()),
        ("2001:db8::1".into(), "2001:db8::2".into())
    );
}

#[test]
fn what_is_not_ip_is_told_apart() {
    let v4 = ipv4(6, &sample());
    let pktap_of =
        |kind: u8, link: u8, frame: &[u8]| join(&[&[12, 0, 0, 0, kind, 0, 0, 0, link, 0, 0, 0], frame]);
    let frames = [
        (Skip::UnknownLinkType, 119, v4.clone()),
        (Skip::UnknownLinkType, 149, v4.clone()),
        (Skip::UnknownLinkType, 149, pktap_of(2, 12, &v4)),
        (Skip::NotIp, 189, v4.clone()),
        (Skip::MalformedLink, 258, pktap_of(2, 12, &v4)),
        (Skip::MalformedLink, 192, join(&[&[1, 0, 8, 0, 12, 0, 0, 0], &v4])),
        (Skip::UnknownLinkType, 192, join(&[&[0, 0, 8, 0, 192, 0, 0, 0], &v4])),
        (Skip::NotIp, 239, nflog(false, 7, 0x0806, &v4)),
        (Skip::MalformedLink, 239, join(&[&[2, 1, 0, 0], &nflog(false, 2, IPV4, &v4)[4..]])),
        (Skip::MalformedLink, 239, vec![2, 0, 0, 0, 3, 0, 9, 0, 0, 0, 0, 0]),
        (Skip::MalformedLink, 239, vec![2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]),
        (Skip::MalformedLink, 239, vec![2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 0, 0]),
        (Skip::WifiEncrypted, 105, wifi(0, 0x41, &[], &snap(IPV4, &v4))),
        (Skip::WifiDivided, 105, wifi(0, 0x05, &[], &snap(IPV4, &v4))),
        (Skip::WifiDivided, 105, {
            let frame = join(&[&[2; 12], &[0, 40], &[0; 42]]);
            wifi(8, 1, &[0x80, 0], &join(&[&frame, &frame]))
        }),
        (Skip::NotIp, 105, wifi(4, 1, &[], &[])),
        (Skip::NotIp, 105, join(&[&[0x80, 0], &[0; 40]])),
        (Skip::MalformedLink, 105, join(&[&[0x09, 0], &[0; 40]])),
        (Skip::MalformedLink, 105, wifi(0, 1, &[], &[])[..20].to_vec()),
        (Skip::MalformedLink, 127, vec![0, 0, 7, 0, 0, 0, 0, 0]),
        (Skip::MalformedLink, 127, {
            // The radio says that the check sequence was wrong.
            join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0x40], &wifi(0, 1, &[], &snap(IPV4, &v4))])
        }),
        (Skip::UnknownShim, 1, ethernet(0x894f, &nsh(9, 0, &v4))),
        (Skip::UnknownShim, 1, ethernet(0x894f, &join(&[&[0x40], &nsh(1, 0, &v4)[1..]]))),
        (Skip::NotIp, 1, ethernet(0x894f, &join(&[&[0x2f], &nsh(1, 0, &v4)[1..]]))),
        (Skip::MalformedTunnel, 1, ethernet(0x894f, &[0x0f, 0xc1, 2, 1, 0, 0, 1, 0xff])),
        (Skip::PppCompressed, 9, join(&[&[0, 0xfd], &v4])),
        (Skip::UnknownLinkType, 258, join(&[&[12, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0], &v4])), // pktap in pktap
        (Skip::UnknownLinkType, 258, join(&[&[12, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0], &v4])),
        (Skip::MalformedLink, 258, join(&[&[11, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0], &v4])),
        (Skip::MalformedLink, 258, join(&[&[255, 255, 255, 255, 1, 0, 0, 0, 12, 0, 0, 0], &v4])),
        (Skip::MalformedLink, 117, join(&[&[8, 2, 0, 0, 0, 0, 0, 0], &v4])),
        (Skip::NotIp, 1, ethernet(0x0806, &[0; 28])),
        (Skip::NotIp, 1, ethernet(0x05ff, &v4)),
        (Skip::NotIp, 1, ethernet(38, &[0x42, 0x42, 3, 0, 0, 0])),
        (Skip::NotIp, 1, ethernet(100, &join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0, 64], &v4]))),
        (Skip::NotIp, 1, ethernet(100, &join(&[&[0xaa, 0xaa, 3, 0, 0, 12, 8, 0], &v4]))),
        (Skip::MalformedLink, 1, ethernet(IPV4, &v4)[..13].to_vec()),
        (Skip::MalformedLink, 1, ethernet(0x8100, &[0, 1, 8])),
        (Skip::MalformedLink, 1, Vec::new()),
        (Skip::NotIp, 0, join(&[&[7, 0, 0, 0], &v4])),
        (Skip::MalformedIp, 0, join(&[&[30, 0, 0, 0], &v4])),
        (Skip::NotIp, 113, join(&[&[0; 16], &v4])),
        (Skip::NotIp, 9, join(&[&[0xc0, 0x21], &v4])),
        (Skip::NotIp, 104, join(&[&[0x8f, 0, 0, 0x21], &v4])),
        (Skip::NotIp, 51, join(&[&[0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]])),
        (Skip::MalformedLink, 51, join(&[&[0x21, 0, 0, 0, 0, 4, 0, 0x21, 0, 0]])),
        (Skip::NotIp, 1, ethernet(0x8847, &mpls(&[16], &[0x10; 60]))),
        (Skip::NotIp, 1, ethernet(0x8847, &mpls(&[16], &[0; 60]))),
        (Skip::MalformedLink, 1, ethernet(0x8847, &mpls(&[16], &[])[..3])),
        (Skip::MalformedIp, 228, ipv6(6, &sample())),
        (Skip::MalformedIp, 229, v4.clone()),
        (Skip::MalformedIp, 101, vec![0x55; 60]),
        (Skip::MalformedIp, 101, Vec::new()),
    ];
    for (reason, link, frame) in frames {
        assert_eq!(decode(link, &frame), Err(reason), "link {link}, {frame:02x?}");
    }
}

#[test]
fn cap_link_tags() {
    let v4 = ipv4(6, &sample());
    let tagged = |count: u8| {
        let mut body = vlan(IPV4, &v4);
        for _ in 1..count {
            body = vlan(0x8100, &body);
        }
        ethernet(0x8100, &body)
    };
    let mut decoder = Decoder::new();
    for (count, struck) in [(LINK_TAGS - 1, 0), (LINK_TAGS, 0), (LINK_TAGS + 1, 1)] {
        let found = decode_with(&mut decoder, 0, 1, &tagged(count));
        assert_eq!(found.is_ok(), struck == 0, "{count}");
        assert_eq!(decoder.counters().limits().of(Limit::LinkTags), struck);
    }
    let labelled = |count: u8| ethernet(0x8847, &mpls(&vec![16; count.into()], &v4));
    assert!(decode(1, &labelled(LINK_TAGS)).is_ok());
    assert_eq!(decode(1, &labelled(LINK_TAGS + 1)), Err(Skip::TooManyTags));
    assert_eq!(decode(1, &ethernet(0x8847, &vec![0; 60_000])), Err(Skip::TooManyTags));
}

#[test]
fn a_log_that_copies_less_tells_how_much_is_cut() {
    let packet = ipv4(6, &sample());
    let frame = nflog(false, 2, IPV4, &packet[..packet.len() - 10]);
    let mut decoder = Decoder::new();
    let segment = decoder.decode(moment(0), 239, frame.len() as u32, &frame).unwrap();
    assert_eq!((segment.payload.len(), segment.cut), (PAYLOAD.len() - 10, 10));
}

#[test]
fn link_types_that_are_not_read_are_counted_by_number() {
    let mut decoder = Decoder::new();
    let in_pktap = join(&[&[12, 0, 0, 0, 1, 0, 0, 0, 119, 0, 0, 0], &[0; 40]]);
    for (link, packet) in [(119, vec![0; 40]), (258, in_pktap), (147, vec![0; 40]), (1, vec![0; 40])] {
        decoder.decode(moment(0), link, packet.len() as u32, &packet);
    }
    assert_eq!(decoder.unread_links().iter().collect::<Vec<_>>(), [(119, 2), (147, 1)]);
}
