//! Stream states (RFC 9113 sections 5.1 and 6).

use super::talk::Step::{C, S, Wait};
use super::talk::*;
use super::{Case, case};
use crate::http2::Anomaly::*;
use crate::http2::Side::{Client, Server};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let get = |id| C(headers(id, END_STREAM, GET));
    let open = |id| C(headers(id, 0, POST));
    let ok = |id| S(headers(id, END_STREAM, OK));
    vec![
        case(StreamIdle, Client, vec![C(data(1, 0, 1))], vec![open(1), C(data(1, 0, 1))]),
        case(StreamIdle, Server, vec![ok(1)], vec![get(1), ok(1)]),
        case(
            StreamIdle,
            Server,
            vec![get(1), S(headers(2, 0, OK))],
            vec![get(1), S(push_promise(1, 2)), S(headers(2, 0, OK))],
        ),
        case(StreamIdle, Client, vec![C(data(2, 0, 1))], vec![open(1), C(data(1, 0, 1))]),
        case(RstStreamIdle, Client, vec![C(rst_stream(1))], vec![get(1), C(rst_stream(1)), C(rst_stream(1))]),
        case(RstStreamIdle, Server, vec![S(rst_stream(1))], vec![get(1), S(rst_stream(1))]),
        case(
            RstStreamIdle,
            Client,
            vec![C(rst_stream(2))],
            vec![get(1), S(push_promise(1, 2)), C(rst_stream(2))],
        ),
        case(WindowUpdateIdle, Client, vec![C(window_update(1, 1))], vec![get(1), C(window_update(1, 1))]),
        case(WindowUpdateIdle, Server, vec![S(window_update(1, 1))], vec![open(1), S(window_update(1, 1))]),
        case(
            StreamClosed,
            Client,
            vec![get(1), C(data(1, 0, 1))],
            vec![get(1), C(window_update(1, 1)), C(rst_stream(1))],
        ),
        case(
            StreamClosed,
            Client,
            vec![get(1), ok(1), get(1)],
            vec![get(1), ok(1), C(window_update(1, 1)), C(rst_stream(1)), get(3)],
        ),
        case(
            StreamClosed,
            Server,
            vec![open(1), ok(1), S(data(1, 0, 0))],
            vec![open(1), ok(1), C(data(1, END_STREAM, 0))],
        ),
        case(StreamClosed, Server, vec![get(1), get(5), ok(3)], vec![get(1), get(5), ok(5), ok(1)]),
        case(
            StreamReset,
            Client,
            vec![open(1), C(rst_stream(1)), C(data(1, 0, 1))],
            vec![open(1), S(rst_stream(1)), C(data(1, 0, 1)), C(headers(1, END_STREAM, TRAILERS))],
        ),
        case(StreamParity, Client, vec![get(2)], vec![get(1)]),
        case(
            StreamReserved,
            Client,
            vec![get(1), S(push_promise(1, 2)), C(data(2, 0, 1))],
            vec![get(1), S(push_promise(1, 2)), C(window_update(2, 1)), C(rst_stream(2))],
        ),
        case(
            StreamOrder,
            Client,
            vec![get(5), get(3)],
            vec![open(5), get(7), C(headers(5, END_STREAM, TRAILERS))],
        ),
        case(
            StreamConcurrency,
            Client,
            vec![S(settings(&[(3, 2)])), C(settings_ack()), open(1), open(3), open(5)],
            vec![
                open(1),
                S(settings(&[(3, 2)])),
                get(3),
                open(5),
                C(settings_ack()),
                C(rst_stream(1)),
                ok(3),
                get(7),
            ],
        ),
        case(
            PushPromiseDisabled,
            Server,
            vec![C(settings(&[(2, 0)])), S(settings_ack()), get(1), S(push_promise(1, 2))],
            vec![C(settings(&[(2, 0)])), get(1), S(push_promise(1, 2)), S(settings_ack())],
        ),
        case(
            PushPromiseId,
            Server,
            vec![get(1), S(push_promise(1, 4)), S(push_promise(1, 2))],
            vec![get(1), S(push_promise(1, 2)), S(push_promise(1, 4))],
        ),
        case(PushPromiseId, Server, vec![get(1), S(push_promise(1, 3))], vec![get(1), S(push_promise(1, 8))]),
        case(
            PushPromiseStream,
            Server,
            vec![get(1), S(push_promise(1, 2)), S(push_promise(2, 4))],
            vec![get(1), S(push_promise(1, 2)), S(push_promise(1, 4))],
        ),
        case(
            GoawayIncreased,
            Server,
            vec![S(goaway(1)), S(goaway(3))],
            vec![S(goaway(u32::MAX >> 1)), S(goaway(0))],
        ),
        case(
            GoawayNewStream,
            Client,
            vec![get(1), S(goaway(1)), S(ping(0, [7; 8])), C(ping(ACK, [7; 8])), get(3)],
            vec![get(1), S(goaway(1)), S(ping(0, [7; 8])), get(3), C(ping(ACK, [7; 8]))],
        ),
        case(
            GoawayNewStream,
            Client,
            vec![get(1), S(goaway(1)), Wait(1500), get(3)],
            vec![get(1), S(goaway(1)), Wait(500), get(3)],
        ),
        case(
            DataBeforeHeaders,
            Server,
            vec![get(1), S(data(1, END_STREAM, 1))],
            vec![get(1), S(headers(1, 0, OK)), S(data(1, END_STREAM, 1))],
        ),
    ]
}
