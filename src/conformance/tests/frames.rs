//! What a single frame or header block breaks: found by `http2`, told here.

use super::talk::Step::{C, Raw, S};
use super::talk::*;
use super::{Case, case};
use crate::http2::Anomaly::*;
use crate::http2::Side::{Client, Server};
use crate::http2::frame::FrameType;

const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let f = frame;
    let get = || C(headers(1, END_STREAM, GET));
    let open = || C(headers(1, 0, POST));
    let request = |block: &[u8]| vec![C(headers(1, END_STREAM, &[GET, block].concat()))];
    let mut cases = vec![
        case(DataStreamZero, Client, vec![C(data(0, 0, 1))], vec![open(), C(data(1, 0, 1))]),
        case(
            DataPadding,
            Client,
            vec![open(), C(f(FrameType::DATA, PADDED, 1, &[4, 0, 0, 0]))],
            vec![open(), C(f(FrameType::DATA, PADDED, 1, &[3, 0, 0, 0]))],
        ),
        case(HeadersStreamZero, Client, vec![C(headers(0, END_STREAM, GET))], vec![get()]),
        case(
            HeadersPadding,
            Client,
            vec![C(headers(1, PADDED, &[&[9], GET, &[0; 2]].concat()))],
            vec![C(headers(1, PADDED, &[&[2], GET, &[0; 2]].concat()))],
        ),
        case(
            HeadersSize,
            Client,
            vec![C(headers(1, PRIORITY, &[0; 4]))],
            vec![C(headers(1, PRIORITY, &[&[0; 5], GET].concat()))],
        ),
        case(
            PriorityStreamZero,
            Client,
            vec![C(f(FrameType::PRIORITY, 0, 0, &[0; 5]))],
            vec![C(f(FrameType::PRIORITY, 0, 7, &[0; 5]))],
        ),
        case(
            PrioritySize,
            Client,
            vec![C(f(FrameType::PRIORITY, 0, 7, &[0; 4]))],
            vec![C(f(FrameType::PRIORITY, 0, 7, &[0; 5]))],
        ),
        case(
            PrioritySelf,
            Client,
            vec![C(f(FrameType::PRIORITY, 0, 7, &[0, 0, 0, 7, 0]))],
            vec![C(f(FrameType::PRIORITY, 0, 7, &[0, 0, 0, 5, 0]))],
        ),
        case(RstStreamZero, Client, vec![C(rst_stream(0))], vec![get(), C(rst_stream(1))]),
        case(
            RstStreamSize,
            Client,
            vec![open(), C(f(FrameType::RST_STREAM, 0, 1, &[0; 3]))],
            vec![open(), C(f(FrameType::RST_STREAM, 0, 1, &[0; 4]))],
        ),
        case(SettingsStream, Client, vec![C(f(FrameType::SETTINGS, 0, 1, &[]))], vec![C(settings(&[]))]),
        case(
            SettingsSize,
            Client,
            vec![C(f(FrameType::SETTINGS, 0, 0, &[0; 7]))],
            vec![C(settings(&[(9, 1)]))],
        ),
        case(
            SettingsAckSize,
            Client,
            vec![S(settings(&[])), C(f(FrameType::SETTINGS, ACK, 0, &[0; 6]))],
            vec![S(settings(&[])), C(settings_ack())],
        ),
        case(
            SettingsFirst,
            Client,
            vec![Raw, C(headers(1, END_STREAM, GET))],
            vec![Raw, C(settings(&[])), get()],
        ),
        case(
            RstStreamError,
            Server,
            vec![open(), S(f(FrameType::RST_STREAM, 0, 1, &[0, 0, 0, 2]))],
            vec![open(), S(f(FrameType::RST_STREAM, 0, 1, &[0, 0, 0, 8]))],
        ),
        case(
            NotHttp2,
            Server,
            vec![Raw, C(settings(&[])), S(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())],
            vec![Raw, C(settings(&[])), S(settings(&[]))],
        ),
        case(
            PushPromiseStreamZero,
            Server,
            vec![get(), S(push_promise(0, 2))],
            vec![get(), S(push_promise(1, 2))],
        ),
        case(
            PushPromisePadding,
            Server,
            vec![
                get(),
                S(f(FrameType::PUSH_PROMISE, PADDED | END_HEADERS, 1, &[&[9, 0, 0, 0, 2], GET].concat())),
            ],
            vec![
                get(),
                S(f(
                    FrameType::PUSH_PROMISE,
                    PADDED | END_HEADERS,
                    1,
                    &[&[1, 0, 0, 0, 2], GET, &[0]].concat(),
                )),
            ],
        ),
        case(
            PushPromiseSize,
            Server,
            vec![get(), S(f(FrameType::PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 2]))],
            vec![get(), S(push_promise(1, 2))],
        ),
        case(PushPromiseClient, Client, vec![open(), C(push_promise(1, 3))], vec![open()]),
        case(PingStream, Client, vec![C(f(FrameType::PING, 0, 1, &[0; 8]))], vec![C(ping(0, [0; 8]))]),
        case(PingSize, Client, vec![C(f(FrameType::PING, 0, 0, &[0; 7]))], vec![C(ping(ACK, [0; 8]))]),
        case(GoawayStream, Client, vec![C(f(FrameType::GOAWAY, 0, 1, &[0; 8]))], vec![C(goaway(0))]),
        case(
            GoawayError,
            Server,
            vec![S(f(FrameType::GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11]))],
            vec![S(goaway(0))],
        ),
        case(GoawaySize, Client, vec![C(f(FrameType::GOAWAY, 0, 0, &[0; 7]))], vec![C(goaway(0))]),
        case(
            WindowUpdateSize,
            Client,
            vec![C(f(FrameType::WINDOW_UPDATE, 0, 0, &[0, 0, 1]))],
            vec![C(window_update(0, 1))],
        ),
        case(WindowUpdateZero, Client, vec![C(window_update(0, 0))], vec![C(window_update(0, 1))]),
        case(
            ContinuationStreamZero,
            Client,
            vec![get(), C(f(FrameType::CONTINUATION, END_HEADERS, 0, &[]))],
            vec![
                C(f(FrameType::HEADERS, END_STREAM, 1, GET)),
                C(f(FrameType::CONTINUATION, END_HEADERS, 1, &[])),
            ],
        ),
        case(
            ContinuationUnexpected,
            Client,
            vec![get(), C(f(FrameType::CONTINUATION, END_HEADERS, 1, &[]))],
            vec![
                C(f(FrameType::HEADERS, END_STREAM, 1, GET)),
                C(f(FrameType::CONTINUATION, END_HEADERS, 1, &[])),
            ],
        ),
        case(
            ContinuationExpected,
            Client,
            vec![C(f(FrameType::HEADERS, END_STREAM, 1, GET)), C(ping(0, [0; 8]))],
            vec![
                C(f(FrameType::HEADERS, END_STREAM, 1, GET)),
                S(ping(0, [0; 8])),
                C(f(FrameType::CONTINUATION, END_HEADERS, 1, &[])),
            ],
        ),
        case(
            FrameSize,
            Client,
            vec![open(), C(data(1, 0, 16_385))],
            vec![open(), C(data(1, 0, 16_384)), S(settings(&[(5, 20_000)])), C(data(1, 0, 20_000))],
        ),
        case(
            ReservedBit,
            Client,
            vec![C(f(FrameType::PING, 0, 1 << 31, &[0; 8]))],
            vec![C(f(FrameType::PING, 0, 0, &[0; 8]))],
        ),
        case(HpackIndex, Client, request(&[0xbe]), request(&[0x90])),
        case(HpackInteger, Client, request(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), request(&[0x90])),
        case(HpackHuffman, Client, request(&[0, 0x81, 0, 0]), request(&[0, 0x81, 0x1f, 0])),
        case(HpackTruncated, Client, request(&[0, 9, b'a']), request(&[0, 1, b'a', 0])),
        case(
            HpackSizeUpdate,
            Client,
            vec![
                C(headers(1, END_STREAM, &[&[0x3f, 0xe2, 0x1f], GET].concat())),
                C(headers(3, END_STREAM, GET)),
            ],
            vec![C(headers(1, END_STREAM, &[&[0x3f, 0xe1, 0x1f], GET].concat()))],
        ),
        case(
            HpackSizeUpdateLate,
            Client,
            request(&[0x20]),
            vec![C(headers(1, END_STREAM, &[&[0x20], GET].concat()))],
        ),
        case(
            HpackSizeUpdateMissing,
            Client,
            vec![S(settings(&[(1, 100)])), C(settings_ack()), get()],
            vec![
                S(settings(&[(1, 100)])),
                C(headers(1, END_STREAM, GET)),
                C(settings_ack()),
                C(headers(3, END_STREAM, &[&[0x3f, 0x45], GET].concat())),
            ],
        ),
    ];
    let value = |id, value, fine| (vec![C(settings(&[(id, value)]))], vec![C(settings(&[(id, fine)]))]);
    for (anomaly, (bad, good)) in [
        (SettingsEnablePush, value(2, 2, 1)),
        (SettingsInitialWindowSize, value(4, 1 << 31, (1 << 31) - 1)),
        (SettingsMaxFrameSize, value(5, 16_383, 16_384)),
        (SettingsMaxFrameSize, value(5, 1 << 24, (1 << 24) - 1)),
    ] {
        cases.push(case(anomaly, Client, bad, good));
    }
    cases.push(case(SettingsEnablePush, Server, vec![S(settings(&[(2, 1)]))], vec![S(settings(&[(2, 0)]))]));
    cases.push(case(
        SettingsConnectProtocol,
        Server,
        vec![S(settings(&[(8, 1)])), S(settings(&[(8, 0)]))],
        vec![S(settings(&[(8, 0)])), S(settings(&[(8, 1)]))],
    ));
    cases
}
