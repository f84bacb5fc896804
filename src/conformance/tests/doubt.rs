//! What cannot be proved is not said.

use super::talk::Step::{C, Cut, S, StallS, Wait};
use super::talk::*;
use crate::http2::frame::{Flags, FrameType};
use crate::record::Finding;

fn codes(steps: Vec<Step>) -> Vec<&'static str> {
    told(steps).iter().map(|finding| finding.code).collect()
}

#[test]
fn a_finding_tells_where_and_how_often() {
    let steps =
        vec![C(headers(1, END_STREAM, GET)), C(data(1, 0, 1)), Wait(5), C(data(1, 0, 1)), C(data(1, 0, 1))];
    let [finding] = told(steps).try_into().unwrap();
    assert_eq!((finding.code, finding.severity, finding.rfc), ("stream_closed", "error", "9113#5.1"));
    assert_eq!((finding.stream, finding.count, finding.from_client), (1, 3, true));
    assert_eq!((finding.first.packet, finding.last.packet), (7, 10));
}

/// The response was captured before the request: nobody answers what was not asked.
#[test]
fn an_answer_before_its_request_is_a_swap() {
    let request = || C(headers(1, END_STREAM, GET));
    let answer = || S(headers(1, END_STREAM, OK));
    assert_eq!(codes(vec![answer(), request()]), [""; 0]);
    assert_eq!(codes(vec![answer(), Wait(900), request()]), [""; 0]);
    assert_eq!(codes(vec![answer(), Wait(1500), request()]), ["stream_idle"]);
}

/// The same, where an upgrade that was not seen may have opened the stream until the request comes.
#[test]
fn an_early_answer_to_the_first_request_goes_on() {
    let request = C(headers(1, END_STREAM, GET));
    let steps =
        [Step::NoSyn, S(headers(1, 0, OK)), request, S(data(1, 0, 5)), S(headers(1, END_STREAM, TRAILERS))];
    assert_eq!(codes(steps.to_vec()), [""; 0]);
}

#[test]
fn a_window_may_have_been_enlarged_in_time() {
    let talk = |wait| {
        vec![
            C(headers(1, 0, POST)),
            C(much_data(1, 65_536)),
            Wait(wait),
            S([window_update(0, 1), window_update(1, 1)].concat()),
        ]
    };
    assert_eq!(codes(talk(50)), [""; 0]);
    assert_eq!(codes(talk(1500)), ["flow_control"]);
}

#[test]
fn what_waits_for_a_hole_proves_nothing() {
    let talk = |stalled| {
        let mut steps = vec![C(headers(1, 0, POST)), C(much_data(1, 65_536))];
        if stalled {
            steps.extend([StallS(true), StallS(false)]);
        }
        steps
    };
    assert_eq!(codes(talk(false)), ["flow_control"]);
    assert_eq!(codes(talk(true)), [""; 0]);
}

/// What excuses it may have been captured after the end.
#[test]
fn the_last_moments_of_a_capture_prove_nothing() {
    let talk = |wait| vec![S(headers(1, END_STREAM, OK)), Wait(wait), C(ping(0, [0; 8])), Cut];
    assert_eq!(codes(talk(50)), [""; 0]);
    assert_eq!(codes(talk(1500)), ["stream_idle"]);
}

/// Each rule that a frame breaks is told, unless it is broken for the same reason as another one.
#[test]
fn a_frame_may_break_several_rules() {
    for (frame, expected) in [
        (frame(FrameType::PING, 0, 1, &[0; 7]), &["ping_size", "ping_stream"][..]),
        (frame(FrameType::RST_STREAM, 0, 0, &[0; 5]), &["rst_stream_size", "rst_stream_zero"]),
        (frame(FrameType::GOAWAY, 0, 3, &[0; 7]), &["goaway_size", "goaway_stream"]),
        (frame(FrameType::PRIORITY, 0, 0, &[0; 4]), &["priority_size", "priority_stream_zero"]),
        (
            frame(FrameType::SETTINGS, ACK, 1, &[0; 7]),
            &["settings_ack_size", "settings_ack_unasked", "settings_stream"],
        ),
        (frame(FrameType::WINDOW_UPDATE, 0, 0, &[0; 5]), &["window_update_size"]),
        (frame(FrameType::PRIORITY, 0, 7, &[0, 0, 0, 7]), &["priority_size"]),
    ] {
        let mut found = codes(vec![C(headers(1, 0, POST)), C(frame)]);
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// A malformed frame that no header block begins with keeps no later block from being judged.
#[test]
fn a_malformed_frame_excuses_no_later_one() {
    let bare = frame(FrameType::HEADERS, END_HEADERS | END_STREAM, 1, &[]);
    let without_stream = frame(FrameType::HEADERS, END_HEADERS | Flags::PADDED, 0, &[9]);
    let found = codes(vec![C(without_stream), C(bare)]);
    assert_eq!(found, ["headers_padding", "headers_stream_zero", "pseudo_missing"]);
}

/// Many violations at once are counted as far as they can be proved, and no more is kept.
#[test]
fn cap_suspicions() {
    let most = crate::base::limits::SUSPICIONS as u64;
    for (count, dropped) in [(most - 1, 0), (most, 0), (most + 1, 1), (100, 100 - most)] {
        let many = (0..count).flat_map(|_| window_update(1, 1)).collect();
        let (findings, limited) = played(vec![S(many)]);
        let [finding] = findings.try_into().unwrap();
        assert_eq!((finding.code, finding.count), ("window_update_idle", count - dropped));
        assert_eq!(limited, dropped);
    }
}

/// A client that speaks to a server that does not speak HTTP/2.
#[test]
fn what_is_not_http2_is_told_once() {
    let noise = (0..200_u8).map(|byte| byte.wrapping_mul(77) | 0x80).collect();
    assert_eq!(codes(vec![Step::Raw, C(settings(&[])), S(noise)]), ["not_http2"]);
}

#[test]
fn cap_rule_streams() {
    let open = |range: std::ops::Range<u32>| C(range.flat_map(|n| headers(2 * n + 1, 0, POST)).collect());
    let most = crate::base::limits::RULE_STREAMS as u32;
    for (count, found, forgotten) in [(most - 1, true, 0), (most, true, 0), (most + 1, false, most / 4 + 1)] {
        let steps = vec![open(0..count), C(data(1, END_STREAM, 1)), C(data(1, 0, 1))];
        let (findings, limited) = played(steps);
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, if found { vec!["stream_closed"] } else { vec![] }, "stream 1 is forgotten");
        // Both frames come on a stream whose end is forgotten.
        assert_eq!(limited, if found { 0 } else { u64::from(forgotten) + 2 });
    }
    // A frame on a stream whose end is forgotten is counted.
    let ended = |count| {
        let all = (0..count).flat_map(|n| headers(2 * n + 1, END_STREAM, GET));
        let answers = (0..count).flat_map(|n| headers(2 * n + 1, END_STREAM, OK)).collect();
        vec![C(all.collect()), S(answers), C(data(1, 0, 1))]
    };
    let most = crate::base::limits::RULE_STREAMS_ENDED;
    let codes = |findings: Vec<Finding>| findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let (findings, limited) = played(ended(most));
    assert_eq!((codes(findings), limited), (vec!["stream_closed"], 0));
    let (findings, limited) = played(ended(most + 1));
    assert_eq!((codes(findings), limited), (vec![], 1));
}
