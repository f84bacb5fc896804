//! Frames of whose payload a part is not in the capture: no part of a text or of a list is told for the whole.

use crate::support::{Analyze, Conversation, Ends, Side, dig, text};
use h2lens::record::Wanted;
use serde_json::{Value, json};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Stream 1, `ENHANCE_YOUR_CALM`.
const GOAWAY: &[u8] = b"\0\0\x16\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x0btoo_many_pings";
const SETTINGS: &[u8] = b"\0\0\x0c\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0";

/// A connection with a request that is not answered yet.
fn asked() -> Conversation {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, &[PREFACE, b"\0\0\0\x04\0\0\0\0\0"].concat());
    conversation.data(Side::Server, SETTINGS);
    conversation.data(Side::Client, b"\0\0\x03\x01\x05\0\0\0\x01\x82\x87\x84");
    conversation
}

/// The server's SETTINGS and GOAWAY, cut by so many octets each, as the frames and the connection tell of them.
fn told(cut: usize) -> [Option<Value>; 4] {
    let mut conversation = asked();
    conversation.data(Side::Server, b"\0\0\x01\x01\x05\0\0\0\x01\x88");
    conversation.data(Side::Server, GOAWAY);
    let mut capture = conversation.capture();
    for packet in &mut capture.packets {
        if packet.bytes.ends_with(SETTINGS) || packet.bytes.ends_with(GOAWAY) {
            packet.bytes.truncate(packet.bytes.len() - cut);
        }
    }
    let wanted = Wanted { frames: true, connections: true, ..Wanted::default() };
    let records = Analyze::capture(&capture).wanted(wanted).run_text().records;
    let frame = |kind: &str| {
        let of = |record: &&Value| {
            text(record, "h2.frame.type") == Some(kind) && text(record, "h2.frame.from") == Some("server")
        };
        records.iter().find(of).unwrap()
    };
    let connection = records.iter().find(|record| record["record"] == "connection").unwrap();
    let goaway = &dig(connection, "h2.goaway").unwrap()[0];
    assert_eq!((&goaway["code"], &goaway["last_stream_id"]), (&json!("ENHANCE_YOUR_CALM"), &json!(1)));
    [
        dig(frame("SETTINGS"), "h2.frame.settings"),
        dig(connection, "h2.settings.server"),
        dig(frame("GOAWAY"), "h2.frame.debug"),
        dig(goaway, "debug"),
    ]
    .map(|value| value.cloned())
}

#[test]
fn a_part_is_not_told_for_the_whole() {
    let [frame, settings, debug, connection] = told(0);
    assert_eq!(frame.unwrap().as_array().unwrap().len(), 2);
    assert_eq!(settings, Some(json!({"max_concurrent_streams": 100, "initial_window_size": 1_048_576})));
    assert_eq!([debug, connection], [Some(json!("too_many_pings")), Some(json!("too_many_pings"))]);
    assert_eq!(told(6), [None, None, None, None]);
}

/// What the snaplen cuts off was in the packet: the frame ran past its end no more than it does in the whole capture.
#[test]
fn a_frame_that_the_snaplen_cuts_does_not_run_past_its_packet() {
    let data = [b"\0\x03\xe8\0\x01\0\0\0\x01", &[b'x'; 1000][..]].concat();
    for parts in [1, 2] {
        let mut conversation = asked();
        conversation.data(Side::Server, b"\0\0\x01\x01\x04\0\0\0\x01\x88");
        for part in data.chunks(data.len().div_ceil(parts)) {
            conversation.data(Side::Server, part);
        }
        let capture = conversation.capture();
        for snaplen in [100, 2000] {
            let report = Analyze::capture(&capture.clone().snapped(snaplen)).run().report;
            let expected = parts as u64 - 1;
            assert_eq!(report.exact.plaintext.exceeding_data_end_data_eos, expected, "{parts} {snaplen}");
        }
    }
}
