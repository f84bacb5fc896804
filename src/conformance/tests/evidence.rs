//! What justifies the error that a side names, and what does not.

use super::talk::Step::{C, LoseC, S};
use super::talk::*;
use crate::http2::Side::Client;
use crate::http2::error_code::*;
use crate::http2::frame::FrameType;

/// The codes of what a server would have against a client that did this, after a request on stream 1.
fn against_client(code: u32, steps: Vec<Step>) -> Option<Vec<&'static str>> {
    let begin = vec![C(headers(1, END_STREAM, GET))];
    let evidence = judged([begin, steps].concat()).evidence(Client, code, None)?;
    Some(evidence.iter().map(|evidence| evidence.code).collect())
}

#[test]
fn who_did_nothing_is_not_justly_accused() {
    for code in [PROTOCOL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, ENHANCE_YOUR_CALM] {
        assert_eq!(against_client(code, vec![]), Some(vec![]), "{code}");
    }
    assert_eq!(against_client(CANCEL, vec![]), None, "it accuses nobody");
    assert_eq!(against_client(PROTOCOL_ERROR, vec![LoseC(20)]), None, "who knows what was lost");
}

#[test]
fn a_code_may_be_one_of_several_that_fit() {
    let depends_on_itself = || vec![C(frame(FrameType::PRIORITY, 0, 3, &[0, 0, 0, 3, 1]))];
    assert_eq!(against_client(PROTOCOL_ERROR, depends_on_itself()), Some(vec!["priority_self"]));
    assert_eq!(against_client(COMPRESSION_ERROR, depends_on_itself()), Some(vec![]));
    // Stream 3 is closed once 5 is open (RFC 9113 section 5.1.1).
    let skipped = || vec![C([headers(5, END_STREAM, GET), headers(3, END_STREAM, GET)].concat())];
    assert_eq!(against_client(PROTOCOL_ERROR, skipped()), Some(vec!["stream_order"]));
    assert_eq!(against_client(STREAM_CLOSED, skipped()), Some(vec!["stream_order"]));
    // Stream 1 has ended, and no header block is open.
    let late = || vec![C(frame(FrameType::CONTINUATION, END_HEADERS, 1, &[]))];
    assert_eq!(against_client(STREAM_CLOSED, late()), Some(vec!["continuation_unexpected"]));
    let reset = || vec![C([headers(3, 0, POST), rst_stream(3), data(3, 0, 1)].concat())];
    for code in [STREAM_CLOSED, PROTOCOL_ERROR] {
        assert_eq!(against_client(code, reset()), Some(vec!["stream_reset"]));
    }
    let value = || vec![C(settings(&[(5, 1)]))];
    assert_eq!(against_client(PROTOCOL_ERROR, value()), Some(vec!["settings_max_frame_size"]));
    assert_eq!(against_client(FRAME_SIZE_ERROR, value()), Some(vec![]), "the frame has its size");
}

#[test]
fn settings_that_were_not_acknowledged() {
    let gives_up = || S(goaway_error(1, SETTINGS_TIMEOUT));
    let told = |steps| against_client(SETTINGS_TIMEOUT, steps);
    assert_eq!(told(vec![S(settings(&[])), gives_up()]), Some(vec!["settings_timeout"]));
    assert_eq!(told(vec![S(settings(&[])), gives_up(), C(settings_ack())]), None, "late, or on its way");
    assert_eq!(told(vec![S(settings(&[])), C(settings_ack()), gives_up()]), Some(vec![]));
    assert_eq!(told(vec![gives_up()]), Some(vec![]), "all were acknowledged");
    assert_eq!(told(vec![S(settings(&[])), LoseC(9), gives_up()]), None);
}
