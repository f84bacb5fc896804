//! The two ends of a connection do not speak the same protocol: what answered is named, and no text counts as frames.

use crate::support::conversation::Cut;
use crate::support::conversation::Event::{Closed, Wrote};
use crate::support::outcome::utf8;
use crate::support::{Analyze, Conversation, Ends, Outcome, Side};
use h2lens::Record;
use h2lens::record::{EndBy, Failure, Wanted};

/// Whether frames and findings are the client's.
const CLIENT: bool = true;
const SERVER: bool = false;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const GET: &[u8] = &[0, 0, 5, 1, 5, 0, 0, 0, 1, 0x82, 0x87, 0x84, 0x41, 0];
const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwrong";
const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 70];

fn events(said: &[(Side, &[u8])]) -> Vec<crate::support::conversation::Event> {
    let wrote = said.iter().map(|&(from, bytes)| Wrote(from, bytes.to_vec()));
    wrote.chain([Closed(Side::Server), Closed(Side::Client)]).collect()
}

fn analyze(said: &[(Side, &[u8])], cut: Cut) -> Outcome {
    let wanted = Wanted {
        transactions: true,
        connections: true,
        frames: true,
        findings: true,
        telemetry: true,
        ..Wanted::default()
    };
    let conversation = Conversation::of(Ends::v4(0), 7, &events(said), cut);
    Analyze::capture(&conversation.capture()).wanted(wanted).run()
}

/// The frames of a side, by type.
fn frames(outcome: &Outcome, from_client: bool) -> Vec<&'static str> {
    let of_side = outcome.records.iter().filter_map(|record| match record {
        Record::Frame { frame, .. } if frame.from_client == from_client => Some(frame),
        _ => None,
    });
    of_side.map(|frame| frame.header.kind.name().unwrap_or("unknown")).collect()
}

/// The only finding of the side: that it does not speak HTTP/2. What is spoken in its place, and the first line of it.
fn not_http2(outcome: &Outcome, from_client: bool) -> (Option<&'static str>, Option<&str>) {
    let of_side = outcome.findings().map(|(_, finding)| finding);
    let findings: Vec<_> = of_side.filter(|finding| finding.from_client == from_client).collect();
    let [finding] = findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.code, "not_http2");
    (finding.protocol, finding.first_line.as_deref().map(utf8))
}

#[test]
fn a_server_of_http1_behind_a_client_of_http2_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    for cut in Cut::ALL {
        let outcome = analyze(&[(Side::Client, &asked), (Side::Server, ANSWER), (Side::Client, GOAWAY)], cut);
        let said = (Some("http/1.1"), Some("HTTP/1.1 400 Bad Request"));
        assert_eq!(not_http2(&outcome, SERVER), said, "{cut:?}");
        assert_eq!(frames(&outcome, SERVER), Vec::<&str>::new(), "{cut:?}: text is not frames");
        assert_eq!(frames(&outcome, CLIENT), ["SETTINGS", "HEADERS", "GOAWAY"], "{cut:?}");
        let call = outcome.transactions().next().unwrap();
        assert_eq!(call.failure(), Some(Failure::ConnectionClosed), "{cut:?}");
        assert_eq!(outcome.connections().next().unwrap().end.by, EndBy::Server);
        assert!(outcome.complete(), "nothing of it is missing");
    }
}

#[test]
fn an_answer_captured_before_the_preface_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    let outcome = analyze(&[(Side::Server, ANSWER), (Side::Client, &asked)], Cut::Writes);
    assert_eq!(not_http2(&outcome, SERVER).0, Some("http/1.1"));
    assert_eq!(frames(&outcome, SERVER), Vec::<&str>::new());
}

#[test]
fn a_server_of_tls_behind_a_client_of_http2_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    for cut in Cut::ALL {
        let outcome = analyze(&[(Side::Client, &asked), (Side::Server, ALERT)], cut);
        assert_eq!(not_http2(&outcome, SERVER), (Some("tls"), None), "{cut:?}");
        assert_eq!(frames(&outcome, SERVER), Vec::<&str>::new(), "{cut:?}");
    }
}

#[test]
fn a_server_of_http2_behind_a_client_of_http1_is_named() {
    let request = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let answer = [SETTINGS, GOAWAY].concat();
    for cut in Cut::ALL {
        for early in [false, true] {
            let said: &[(Side, &[u8])] = match early {
                false => &[(Side::Client, request), (Side::Server, &answer)],
                true => &[(Side::Server, SETTINGS), (Side::Client, request), (Side::Server, GOAWAY)],
            };
            let outcome = analyze(said, cut);
            assert_eq!(not_http2(&outcome, CLIENT).1, Some("GET /x HTTP/1.1"), "{cut:?} {early}");
            assert_eq!(frames(&outcome, SERVER), ["SETTINGS", "GOAWAY"], "{cut:?} {early}");
            assert_eq!(frames(&outcome, CLIENT), Vec::<&str>::new(), "{cut:?} {early}");
            assert!(outcome.connections().next().unwrap().is_http2);
            assert_eq!(outcome.transactions().count(), 0);
            assert!(outcome.complete(), "{cut:?} {early}");
        }
    }
}

/// Any first frame of a length that its receiver takes is a frame, if a wrong one.
#[test]
fn a_first_frame_that_is_not_settings_is_still_a_frame() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    let answer = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];
    let outcome = analyze(&[(Side::Client, &asked), (Side::Server, &answer)], Cut::Writes);
    assert_eq!(frames(&outcome, SERVER), ["HEADERS"]);
}
