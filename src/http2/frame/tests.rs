//! Payloads taken apart: whole, cut, and lying about their sizes.

use super::*;

fn header(kind: FrameType, flags: u8, length: u32) -> FrameHeader {
    FrameHeader { length, kind, flags: Flags(flags), stream: 1, reserved: false }
}

fn parse(kind: FrameType, flags: u8, payload: &[u8]) -> Option<Payload<'_>> {
    Payload::parse(&header(kind, flags, payload.len() as u32), payload)
}

#[test]
fn padding_and_priority_surround_the_fragment() {
    let payload = [2, 0x80, 0, 0, 3, 15, b'a', b'b', 0, 0];
    let Some(Payload::Headers(headers)) = parse(FrameType::HEADERS, 0x28, &payload) else { panic!() };
    assert_eq!(headers.padding, Some(2));
    assert_eq!(headers.priority, Some(Priority { exclusive: true, dependency: 3, weight: 16 }));
    assert_eq!((headers.fragment, headers.fragment_length), (&b"ab"[..], 2));
}

#[test]
fn padding_longer_than_the_frame_leaves_nothing() {
    let Some(Payload::Headers(headers)) = parse(FrameType::HEADERS, Flags::PADDED, &[255, 1, 2]) else {
        panic!()
    };
    assert_eq!((headers.fragment, headers.fragment_length), (&[][..], 0));
    let Some(Payload::Data(data)) = parse(FrameType::DATA, Flags::PADDED, &[9]) else { panic!() };
    assert_eq!(data, Data { padding: Some(9), data_length: 0 });
}

#[test]
fn a_cut_payload_keeps_the_length_that_the_header_promises() {
    let payload = Payload::parse(&header(FrameType::DATA, Flags::PADDED, 1000), &[10]);
    assert_eq!(payload, Some(Payload::Data(Data { padding: Some(10), data_length: 989 })));
    let payload = Payload::parse(&header(FrameType::PUSH_PROMISE, 0, 100), &[0x80, 0, 0, 2, b'x']);
    let Some(Payload::PushPromise(push)) = payload else { panic!() };
    assert_eq!((push.promised_stream, push.fragment, push.fragment_length), (2, &b"x"[..], 96));
}

#[test]
fn bytes_behind_the_frame_are_not_its_payload() {
    let payload = Payload::parse(&header(FrameType::GOAWAY, 0, 9), &[0x80, 0, 0, 7, 0, 0, 0, 11, b'!', b'?']);
    assert_eq!(payload, Some(Payload::Goaway(Goaway { last_stream: 7, code: 11, debug: b"!" })));
}

#[test]
fn fixed_parts_cut_off_are_none() {
    for kind in (0..=0x10).map(FrameType) {
        for flags in [0, Flags::PADDED, Flags::PRIORITY, 0xff] {
            for len in 0..12 {
                // Any answer is good; a panic is not.
                let _ = parse(kind, flags, &[0xff; 12][..len]);
            }
        }
    }
    for (kind, least) in [
        (FrameType::PRIORITY, 5),
        (FrameType::RST_STREAM, 4),
        (FrameType::PUSH_PROMISE, 4),
        (FrameType::PING, 8),
        (FrameType::GOAWAY, 8),
        (FrameType::WINDOW_UPDATE, 4),
        (FrameType::ALTSVC, 2),
        (FrameType::PRIORITY_UPDATE, 4),
    ] {
        assert_eq!(parse(kind, 0, &vec![0; least - 1]), None, "{kind:?}");
        assert!(parse(kind, 0, &vec![0; least]).is_some(), "{kind:?}");
    }
}

#[test]
fn settings_and_origins_are_read_as_far_as_they_are_whole() {
    let Some(Payload::Settings(settings)) = parse(FrameType::SETTINGS, 0, &[0, 4, 0, 1, 0, 0, 0, 1, 0])
    else {
        panic!()
    };
    assert_eq!(settings.iter().collect::<Vec<_>>(), [(4, 65_536)]);
    let Some(Payload::Origin(origin)) = parse(FrameType::ORIGIN, 0, b"\x00\x01a\x00\x00\x00\x09cut") else {
        panic!()
    };
    assert_eq!(origin.iter().collect::<Vec<_>>(), [&b"a"[..], b""]);
}

#[test]
fn flags_are_named_by_type() {
    assert_eq!(flag_name(FrameType::HEADERS, 0), Some("END_STREAM"));
    assert_eq!(flag_name(FrameType::PING, 0), Some("ACK"));
    assert_eq!(flag_name(FrameType::WINDOW_UPDATE, 0), None);
    assert_eq!(flag_name(FrameType::DATA, 5), None);
}
