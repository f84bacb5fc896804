//! The two ends of a connection do not speak the same protocol: what answered is named, and no text counts as frames.

use crate::support::conversation::Cut;
use crate::support::conversation::Event::{Closed, Wrote};
use crate::support::{Analyze, Conversation, Ends, Outcome, Side, text};
use h2lens::record::Wanted;
use serde_json::Value;

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

fn frames<'a>(outcome: &'a Outcome, from: &str) -> Vec<&'a str> {
    let records = outcome.records.iter().filter(|record| text(record, "record") == Some("frame"));
    let of_side = records.filter(|record| text(record, "h2.frame.from") == Some(from));
    of_side.map(|record| text(record, "h2.frame.type").unwrap_or("unknown")).collect()
}

/// The only finding of the side: that it does not speak HTTP/2.
fn not_http2<'a>(outcome: &'a Outcome, from: &str) -> &'a Value {
    let findings: Vec<_> = outcome
        .records
        .iter()
        .filter(|record| text(record, "record") == Some("finding") && text(record, "from") == Some(from))
        .collect();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(text(findings[0], "code"), Some("not_http2"));
    findings[0]
}

#[test]
fn a_server_of_http1_behind_a_client_of_http2_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    for cut in Cut::ALL {
        let outcome = analyze(&[(Side::Client, &asked), (Side::Server, ANSWER), (Side::Client, GOAWAY)], cut);
        let finding = not_http2(&outcome, "server");
        assert_eq!(text(finding, "first_line"), Some("HTTP/1.1 400 Bad Request"), "{cut:?}");
        assert_eq!(text(finding, "protocol"), Some("http/1.1"), "{cut:?}");
        assert_eq!(frames(&outcome, "server"), Vec::<&str>::new(), "{cut:?}: text is not frames");
        assert_eq!(frames(&outcome, "client"), ["SETTINGS", "HEADERS", "GOAWAY"], "{cut:?}");
        let call = outcome.transactions().next().unwrap();
        assert_eq!(text(call, "error.type"), Some("connection_closed"), "{cut:?}");
        let connection = outcome.connections().next().unwrap();
        assert_eq!(text(connection, "h2.end.by"), Some("server"));
        assert!(outcome.complete(), "nothing of it is missing");
    }
}

#[test]
fn an_answer_captured_before_the_preface_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    let outcome = analyze(&[(Side::Server, ANSWER), (Side::Client, &asked)], Cut::Writes);
    assert_eq!(text(not_http2(&outcome, "server"), "protocol"), Some("http/1.1"));
    assert_eq!(frames(&outcome, "server"), Vec::<&str>::new());
}

#[test]
fn a_server_of_tls_behind_a_client_of_http2_is_named() {
    let asked = [PREFACE, SETTINGS, GET].concat();
    for cut in Cut::ALL {
        let outcome = analyze(&[(Side::Client, &asked), (Side::Server, ALERT)], cut);
        let finding = not_http2(&outcome, "server");
        assert_eq!((text(finding, "protocol"), text(finding, "first_line")), (Some("tls"), None), "{cut:?}");
        assert_eq!(frames(&outcome, "server"), Vec::<&str>::new(), "{cut:?}");
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
            let finding = not_http2(&outcome, "client");
            assert_eq!(text(finding, "first_line"), Some("GET /x HTTP/1.1"), "{cut:?} {early}");
            assert_eq!(frames(&outcome, "server"), ["SETTINGS", "GOAWAY"], "{cut:?} {early}");
            assert_eq!(frames(&outcome, "client"), Vec::<&str>::new(), "{cut:?} {early}");
            let connection = outcome.connections().next().unwrap();
            assert_eq!(text(connection, "network.protocol.version"), Some("2"));
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
    assert_eq!(frames(&outcome, "server"), ["HEADERS"]);
}
