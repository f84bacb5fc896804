//! Segments whose checksum is wrong, of which no better copy is in the capture: what they say is told, and never as exact.

use super::unaccepted::summed;
use crate::support::conversation::Side;
use crate::support::{Analyze, Call, Capture, Conversation, Ends, Outcome};
use h2lens::base::certainty::Certainty;
use h2lens::record::Partial;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// HEADERS of a GET whose path has two digits, in the dynamic table.
fn request(n: u32) -> Vec<u8> {
    let block = [b"\x82\x86\x44\x03/".as_slice(), format!("{n:02}").as_bytes(), b"\x41\x01b"].concat();
    [&[0, 0, block.len() as u8, 1, 5], &(2 * n + 1).to_be_bytes()[..], &block].concat()
}

fn answer(n: u32) -> Vec<u8> {
    [&b"\0\0\x01\x01\x05"[..], &(2 * n + 1).to_be_bytes(), b"\x88"].concat()
}

/// Ten calls, a segment each, with right checksums; and which packets the requests are.
fn capture() -> (Capture, Vec<usize>) {
    let mut conversation = Conversation::new(Ends::v4(0), 4);
    conversation.handshake();
    conversation.data(Side::Client, PREFACE);
    conversation.data(Side::Server, SETTINGS);
    conversation.ack(Side::Client);
    for n in 0..10 {
        conversation.data(Side::Client, &request(n));
        conversation.ack(Side::Server);
        conversation.data(Side::Server, &answer(n));
        conversation.ack(Side::Client);
    }
    conversation.fin(Side::Client);
    conversation.fin(Side::Server);
    let capture = conversation.capture();
    let packets: Vec<_> = capture.packets.into_iter().map(summed).collect();
    let requests = (0..packets.len()).filter(|&at| packets[at].has_payload()).skip(2).step_by(2).collect();
    (Capture { packets }, requests)
}

/// The octet of the path that is changed, from the end of the packet.
const DIGIT: usize = 4;

fn paths(outcome: &Outcome) -> Vec<Option<&str>> {
    outcome.transactions().map(|call| call.path()).collect()
}

fn of_stream(outcome: &Outcome, stream: u32) -> Call<'_> {
    outcome.transactions().find(|call| call.stream == stream).unwrap()
}

#[test]
fn a_worse_copy_is_used_where_there_is_no_better_one() {
    let (clean, requests) = capture();
    let whole = Analyze::capture(&clean).run();
    assert!(whole.complete() && paths(&whole).len() == 10);
    for (n, &at) in (0_u32..10).zip(&requests) {
        let mut damaged = clean.clone();
        let place = damaged.packets[at].bytes.len() - DIGIT;
        damaged.packets[at].bytes[place] ^= 1;
        let outcome = Analyze::capture(&damaged).run();
        assert_eq!(outcome.coverage().bad_checksums, 1);
        let call = of_stream(&outcome, 2 * n + 1);
        assert!(call.partial.contains(Partial::BAD_CHECKSUM), "{call:?}");
        let headers = &call.request.headers;
        let exact = headers.iter().any(|field| field.source == Certainty::Exact);
        assert!(headers.len() == 4 && !exact, "{call:?}");
        assert_eq!(call.status(), Some(200), "the answer is as it was");
        // Of the others, none is told wrongly.
        for other in outcome.transactions().filter(|other| other.stream != 2 * n + 1) {
            let path = format!("/{:02}", (other.stream - 1) / 2);
            assert_eq!(other.path(), Some(path.as_str()), "{n}: {other:?}");
        }
        assert!(!outcome.complete());
    }
}

#[test]
fn a_better_copy_that_comes_in_time_is_used() {
    let (clean, requests) = capture();
    let whole = Analyze::capture(&clean).run();
    for &at in &requests {
        let mut damaged = clean.clone();
        let mut copy = damaged.packets[at].clone();
        let place = copy.bytes.len() - DIGIT;
        copy.bytes[place] ^= 1;
        damaged.packets.insert(at, copy);
        let outcome = Analyze::capture(&damaged).run();
        assert_eq!(paths(&outcome), paths(&whole));
        assert!(outcome.complete());
        assert_eq!(outcome.coverage().bad_checksums, 1);
    }
}
