//! What is lost beside header blocks costs no field of those that follow.

use crate::support::{Analyze, Conversation, Ends, Side, dig, text};
use h2lens::record::Wanted;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const WINDOW_UPDATE: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\x01\0";
const CALLS: u8 = 6;

/// Authorities as told, and octets missing, without the client's update behind the third call. `skips`: before the fourth a stream
/// was left out.
fn told(skips: bool) -> (Vec<Option<String>>, u64) {
    let mut conversation = Conversation::new(Ends::v4(0), 1);
    conversation.handshake();
    conversation.data(Side::Client, &[PREFACE, b"\0\0\0\x04\0\0\0\0\0"].concat());
    conversation.data(Side::Server, b"\0\0\0\x04\0\0\0\0\0");
    for n in 0..CALLS {
        let stream = 2 * n + 1 + if skips && n > 2 { 2 } else { 0 };
        let fields: &[u8] = if n == 0 { b"\x82\x87\x84\x41\x09a.example" } else { b"\x82\x87\x84\xbe" };
        let block = |fields: &[u8]| [&[0, 0, fields.len() as u8, 1, 5, 0, 0, 0, stream], fields].concat();
        conversation.data(Side::Client, &block(fields));
        conversation.data(Side::Server, &block(b"\x88"));
        conversation.data(Side::Client, WINDOW_UPDATE);
    }
    let mut capture = conversation.capture();
    let mut updates = 0;
    capture.packets.retain(|packet| {
        updates += usize::from(packet.bytes.ends_with(WINDOW_UPDATE));
        updates != 3 || !packet.bytes.ends_with(WINDOW_UPDATE)
    });
    let wanted = Wanted { transactions: true, telemetry: true, ..Wanted::default() };
    let records = Analyze::capture(&capture).wanted(wanted).run_text().records;
    let calls = records.iter().filter(|record| record["record"] == "transaction");
    let authorities = calls.map(|call| text(call, "h2.request.authority").map(str::to_owned)).collect();
    let missing = records.iter().find_map(|record| dig(record, "coverage.gap_bytes")?.as_u64());
    (authorities, missing.unwrap())
}

#[test]
fn a_lost_window_update_costs_no_authority() {
    let known = Some("a.example".to_owned());
    assert_eq!(told(false), (vec![known.clone(); CALLS.into()], 13));
    // Where a stream is left out, its request may have been in the hole.
    let mut expected = vec![known; 3];
    expected.resize(CALLS.into(), None);
    assert_eq!(told(true), (expected, 13));
}
