//! What justifies the error that a side names, and what does not.

use super::talk::Step::{C, LoseC, LoseS, S, StallS};
use super::talk::*;
use crate::base::limits;
use crate::base::time::Moment;
use crate::conformance::Judge;
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

/// GET with a field whose name is in upper case.
fn shouting() -> Vec<u8> {
    [GET, &line("X", "")].concat()
}

/// RST_STREAM of the server with this error.
fn refused(stream: u32, code: u32) -> Step {
    S(frame(FrameType::RST_STREAM, 0, stream, &code.to_be_bytes()))
}

/// The evidence of errors on streams: the codes, and the packet of each. The exchanges began with these packets.
fn on_streams(judge: &mut Judge, code: u32, streams: &[(u32, u64)]) -> Vec<Option<Vec<(&'static str, u64)>>> {
    let evidence = streams.iter().map(|&(id, first)| {
        let first = Moment { packet: first, ..Moment::default() };
        let evidence = judge.evidence(Client, code, Some((id, first)))?;
        Some(evidence.iter().map(|evidence| (evidence.code, evidence.packet)).collect())
    });
    evidence.collect()
}

#[test]
fn a_rule_broken_on_several_streams_justifies_the_error_on_each() {
    // The first of these steps is packet 6.
    let mut judge = judged(vec![
        C(headers(1, END_STREAM, &shouting())),
        C(headers(3, END_STREAM, &shouting())),
        refused(3, PROTOCOL_ERROR),
        C(headers(5, END_STREAM, GET)),
        refused(5, PROTOCOL_ERROR),
        C(headers(7, 0, &shouting())),
        C(data(7, 0, 1)),
        C(headers(7, END_STREAM, &line("X", ""))),
        refused(7, PROTOCOL_ERROR),
    ]);
    let streams = [(1, 6), (3, 7), (5, 9), (7, 11)];
    let told = |packet| Some(vec![("field_uppercase", packet)]);
    let expected = [told(6), told(7), Some(vec![]), told(11)];
    assert_eq!(on_streams(&mut judge, PROTOCOL_ERROR, &streams), expected);
    assert_eq!(on_streams(&mut judge, COMPRESSION_ERROR, &streams), [const { Some(vec![]) }; 4]);
    let all = judge.evidence(Client, PROTOCOL_ERROR, None).unwrap();
    assert_eq!(all.iter().map(|one| (one.code, one.packet)).collect::<Vec<_>>(), [("field_uppercase", 6)]);
    assert_eq!(judge.evidence_limited(), 0);
}

#[test]
fn frames_behind_the_end_of_several_streams_justify_the_error_on_each() {
    let late = |stream| C([headers(stream, END_STREAM, POST), data(stream, 0, 1)].concat());
    let mut judge = judged(vec![late(1), late(3), refused(3, STREAM_CLOSED), late(5)]);
    let told = |packet| Some(vec![("stream_closed", packet)]);
    let streams = [(1, 6), (3, 7), (5, 9)];
    assert_eq!(on_streams(&mut judge, STREAM_CLOSED, &streams), [told(6), told(7), told(9)]);
}

#[test]
fn evidence_that_a_cap_may_hide_is_left_out() {
    let broken = limits::REPEATS as u32 + 2;
    let ids = |n: u32| 2 * n + 1;
    let mut steps: Vec<_> = (0..broken).map(|n| C(headers(ids(n), END_STREAM, &shouting()))).collect();
    steps.push(C(headers(ids(broken), END_STREAM, GET)));
    let mut judge = judged(steps);
    // The first stream has the finding, the second is forgotten; one that began behind that is known.
    let streams = [(1, 6), (3, 7), (5, 8), (ids(broken), u64::from(broken) + 6)];
    let told = |packet| Some(vec![("field_uppercase", packet)]);
    assert_eq!(on_streams(&mut judge, PROTOCOL_ERROR, &streams), [told(6), None, told(8), Some(vec![])]);
    assert_eq!(judge.evidence_limited(), 1);
    assert_eq!(on_streams(&mut judge, STREAM_CLOSED, &[(3, 7)]), [Some(vec![])], "another rule");
}

#[test]
fn a_suspicion_that_was_dropped_may_be_the_evidence() {
    // Each opens a stream more than the server allows.
    let streams = 2 * limits::SUSPICIONS as u32;
    let mut steps = vec![S(settings(&[(3, 1)])), C(settings_ack())];
    steps.extend((0..streams).map(|n| C(headers(2 * n + 1, END_STREAM, GET))));
    steps.push(C(goaway(0)));
    let mut judge = judged(steps);
    assert!(judge.limited() > 0);
    assert_eq!(on_streams(&mut judge, ENHANCE_YOUR_CALM, &[(2 * streams - 1, 90)]), [None]);
    assert_eq!(judge.evidence(Client, STREAM_CLOSED, None), None);
    assert_eq!(judge.evidence_limited(), 2);
}

#[test]
fn a_flood_is_evidence_on_any_stream() {
    let flood =
        (0..).step_by(2).take(5_000).flat_map(|n| [headers(n + 1, END_STREAM, GET), rst_stream(n + 1)]);
    let mut judge = judged(vec![C(flood.flatten().collect()), C(headers(10_001, END_STREAM, GET))]);
    let expected = [Some(vec![("rapid_reset", 6)])];
    assert_eq!(on_streams(&mut judge, ENHANCE_YOUR_CALM, &[(10_001, 7)]), expected);
}

#[test]
fn who_accuses_must_have_been_read_too() {
    // How much the server allowed is not known: the client may have sent too much.
    let post = |octets| vec![C(headers(3, 0, POST)), C(much_data(3, octets))];
    let lost = |step| [vec![step], post(70_000), vec![S(goaway_error(3, FLOW_CONTROL_ERROR))]].concat();
    assert_eq!(against_client(FLOW_CONTROL_ERROR, lost(LoseS(20))), None);
    assert_eq!(against_client(FLOW_CONTROL_ERROR, lost(StallS(true))), None, "it is read later");
    assert_eq!(against_client(FLOW_CONTROL_ERROR, lost(StallS(false))), Some(vec!["flow_control"]));
    assert_eq!(against_client(FLOW_CONTROL_ERROR, post(10)), Some(vec![]));
    let filled = [post(70_000), vec![StallS(true), StallS(false)]].concat();
    assert_eq!(against_client(FLOW_CONTROL_ERROR, filled), None, "suspected, and not judged");
}

#[test]
fn both_say_it_shortly_before_the_capture_ends() {
    let sends =
        || vec![C(headers(3, 0, POST)), C(much_data(3, 70_000)), S(goaway_error(3, FLOW_CONTROL_ERROR))];
    let steps = [sends(), vec![Step::Cut]].concat();
    assert_eq!(told(steps.clone()).iter().filter(|finding| finding.code == "flow_control").count(), 0);
    assert_eq!(against_client(FLOW_CONTROL_ERROR, steps), Some(vec!["flow_control"]));
}
