//! What etherparse's strict slices accept, the decoder reads the same.

use super::build::*;
use super::{Decoder, moment};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use proptest::prelude::*;

/// Ports, sequence number, flags and payload by etherparse; `None` if it is not a whole TCP segment to it.
fn by_etherparse(frame: &[u8]) -> Option<(u16, u16, u32, Vec<u8>)> {
    let sliced = SlicedPacket::from_ethernet(frame).ok()?;
    if sliced.net.as_ref().and_then(NetSlice::ip_payload_ref).is_none_or(|ip| ip.fragmented) {
        return None;
    }
    match sliced.transport? {
        TransportSlice::Tcp(tcp) => {
            Some((tcp.source_port(), tcp.destination_port(), tcp.sequence_number(), tcp.payload().to_vec()))
        }
        _ => None,
    }
}

fn by_decoder(frame: &[u8]) -> Option<(u16, u16, u32, Vec<u8>)> {
    Decoder::new()
        .decode(moment(0), 1, frame.len() as u32, frame)
        .map(|segment| (segment.src.port, segment.dst.port, segment.seq, segment.payload.to_vec()))
}

proptest! {
    #[test]
    fn agrees_with_etherparse(
        options in 0usize..10,
        payload in prop::collection::vec(any::<u8>(), 0..100),
        shape in 0usize..5,
        padding in 0usize..20,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let tcp = tcp_with_options(9, &vec![1; options * 4], &payload);
        let mut frame = match shape {
            0 => ethernet(IPV4, &ipv4(6, &tcp)),
            1 => ethernet(IPV6, &ipv6(6, &tcp)),
            2 => ethernet(0x8100, &vlan(IPV4, &ipv4_with_options(6, &vec![1; options * 4], &tcp))),
            3 => ethernet(0x88a8, &vlan(0x8100, &vlan(IPV6, &ipv6(0, &extension(60, 1, 0, &extension(6, 0, 0, &tcp)))))),
            _ => ethernet(IPV4, &ipv4(51, &join(&[&[6, 4, 0, 0], &[0; 20], &tcp]))),
        };
        frame.extend(vec![0; padding]);
        let untouched = changes.is_empty();
        for (at, value) in changes {
            // Below the TCP payload, so that headers are hit.
            let at = at.index(frame.len() - payload.len() - padding);
            frame[at] = value;
        }
        let expected = by_etherparse(&frame);
        prop_assert!(expected.is_some() || !untouched, "etherparse reads what is untouched");
        if expected.is_some() {
            prop_assert_eq!(by_decoder(&frame), expected);
        }
    }
}
