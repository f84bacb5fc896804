//! Acknowledgments of settings, and floods.

use super::talk::Step::{C, S, Wait};
use super::talk::*;
use super::{Case, case};
use crate::base::tuning;
use crate::http2::Anomaly::{self, *};
use crate::http2::Side::{Client, Server};
use crate::http2::frame::FrameType;

/// `most` of a kind in a second, and one more.
fn flood(anomaly: Anomaly, most: u32, open: &[Step], one: impl Fn(u32) -> Vec<u8>) -> Case {
    let many = |count: u32| C((0..count).flat_map(&one).collect());
    let bad = [open, &[Wait(1000), many(most + 1)]].concat();
    let second = C((most..2 * most).flat_map(&one).collect());
    let good = [open, &[Wait(1000), many(most), Wait(1000), second]].concat();
    case(anomaly, Client, bad, good)
}

/// So many CONTINUATION frames on stream 1 that do not end its header block.
fn continuations(count: u32) -> Vec<u8> {
    (0..count).flat_map(|_| frame(FrameType::CONTINUATION, 0, 1, &[])).collect()
}

pub(super) fn cases() -> Vec<Case> {
    let open = [C(headers(1, 0, POST))];
    vec![
        case(SettingsAckUnasked, Client, vec![C(settings_ack())], vec![S(settings(&[])), C(settings_ack())]),
        case(
            SettingsAckUnasked,
            Server,
            vec![S(settings_ack()), S(settings_ack())],
            vec![C(settings(&[])), C(settings(&[])), S(settings_ack()), S(settings_ack())],
        ),
        case(
            ContinuationFlood,
            Client,
            vec![C(frame(FrameType::HEADERS, 0, 1, GET)), C(continuations(tuning::CONTINUATION_FLOOD))],
            vec![
                C(frame(FrameType::HEADERS, 0, 1, GET)),
                C(continuations(tuning::CONTINUATION_FLOOD - 2)),
                C(frame(FrameType::CONTINUATION, END_HEADERS, 1, &[])),
            ],
        ),
        flood(ContinuationFlood, tuning::CONTINUATIONS_PER_SECOND, &[], |n| {
            let id = 2 * n + 1;
            let block = frame(FrameType::HEADERS, END_STREAM, id, GET);
            [block, frame(FrameType::CONTINUATION, END_HEADERS, id, &[])].concat()
        }),
        flood(RapidReset, tuning::RAPID_RESETS_PER_SECOND, &[], |n| {
            [headers(2 * n + 1, END_STREAM, GET), rst_stream(2 * n + 1)].concat()
        }),
        flood(SettingsFlood, tuning::SETTINGS_PER_SECOND, &[], |_| settings(&[])),
        flood(PingFlood, tuning::PINGS_PER_SECOND, &[], |_| ping(0, [0; 8])),
        flood(EmptyDataFlood, tuning::EMPTY_DATA_PER_SECOND, &open, |_| data(1, 0, 0)),
        flood(PriorityFlood, tuning::PRIORITIES_PER_SECOND, &[], |_| {
            frame(FrameType::PRIORITY, 0, 1, &[0; 5])
        }),
    ]
}
