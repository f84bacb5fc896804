//! Behind a PROXY protocol header, wherever segments divide it.

use crate::support::conversation::{Cut, Event, Side};
use crate::support::endpoints::{Setup, record};
use crate::support::exchange::assert_same;
use crate::support::plan::Plan;
use crate::support::tls::{self, suites};
use crate::support::{Analyze, Conversation, Ends, Exchange};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
/// Version 2: PROXY, TCP over IPv4, 12 octets of addresses and a NOOP of 5 octets.
const BLOCK: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb\x04\0\x02hi";

/// The connection behind the header, whose octets come in segments that end at these places.
fn check(header: &[u8], ends: &[usize], events: &[Event], keys: &str, exchanges: &[Exchange]) {
    let mut conversation = Conversation::new(Ends::v4(1), 7);
    conversation.handshake();
    let [Event::Wrote(Side::Client, first), rest @ ..] = events else { panic!("the client is first") };
    let stream = [header, first].concat();
    let mut from = 0;
    for &end in ends.iter().chain([&stream.len()]) {
        conversation.data(Side::Client, &stream[from..end]);
        from = end;
    }
    conversation.events(rest, Cut::Full);
    let outcome = Analyze::capture(&conversation.capture()).keys(keys).run();
    let what = format!("segments end at {ends:?} of {}", header.len());
    assert_same(outcome.exchanges(), exchanges.to_vec(), &what);
    assert!(outcome.complete(), "{what}: {:?}", outcome.coverage());
}

fn check_everywhere(events: &[Event], keys: &str, exchanges: &[Exchange]) {
    for header in [LINE, BLOCK] {
        check(header, &[], events, keys, exchanges);
        for end in 1..header.len() + 20 {
            check(header, &[end], events, keys, exchanges);
        }
        let each: Vec<_> = (1..header.len() + 20).collect();
        check(header, &each, events, keys, exchanges);
    }
}

fn plans() -> Vec<Plan> {
    (0..3).map(|n| Plan::new("GET", "/", 200, n)).collect()
}

#[test]
fn cleartext_behind_it() {
    let recording = record(plans(), Setup::default());
    check_everywhere(&recording.events, "", &recording.exchanges);
}

#[test]
fn tls_behind_it() {
    let tls = tls::record(plans(), Setup::default(), suites().next().unwrap());
    check_everywhere(&tls.recording.events, &tls.keys, &tls.recording.exchanges);
}

#[test]
fn other_beginnings_are_left_alone() {
    let recording = record(plans(), Setup::default());
    // No header: the preface itself, an octet a segment.
    check(b"", &(1..24).collect::<Vec<_>>(), &recording.events, "", &recording.exchanges);
}
