//! Flow control (RFC 9113 section 6.9).

use super::talk::Step::{C, S};
use super::talk::*;
use super::{Case, case};
use crate::http2::Anomaly::*;
use crate::http2::Side::{Client, Server};

const MAX: u32 = (1 << 31) - 1;

pub(super) fn cases() -> Vec<Case> {
    let get = |id| C(headers(id, END_STREAM, GET));
    let post = |id| C(headers(id, 0, POST));
    vec![
        case(
            FlowControl,
            Client,
            vec![post(1), S(window_update(1, 1000)), C(much_data(1, 65_536))],
            vec![post(1), C(much_data(1, 65_535)), C(data(1, END_STREAM, 0))],
        ),
        case(
            FlowControl,
            Client,
            vec![post(1), S(window_update(0, 1000)), C(much_data(1, 65_536))],
            vec![post(1), S(window_update(0, 1000)), S(window_update(1, 1)), C(much_data(1, 65_536))],
        ),
        case(
            FlowControl,
            Server,
            vec![C(settings(&[(4, 10)])), S(settings_ack()), get(1), S(headers(1, 0, OK)), S(data(1, 0, 11))],
            vec![
                get(1),
                S(headers(1, 0, OK)),
                S(data(1, 0, 11)),
                C(settings(&[(4, 20)])),
                S(settings_ack()),
                S(data(1, END_STREAM, 9)),
            ],
        ),
        case(
            WindowOverflow,
            Client,
            vec![C(window_update(0, MAX)), C(window_update(0, 1))],
            vec![C(window_update(0, MAX - 65_535))],
        ),
        case(
            WindowOverflow,
            Client,
            vec![get(1), C(window_update(1, MAX - 65_534))],
            vec![get(1), S(headers(1, 0, OK)), S(data(1, 0, 1)), C(window_update(1, MAX - 65_534))],
        ),
        case(
            WindowOverflow,
            Client,
            vec![get(1), C(window_update(1, 1)), C(settings(&[(4, MAX)]))],
            vec![get(1), C(settings(&[(4, MAX)]))],
        ),
        case(
            WindowNegative,
            Client,
            vec![
                get(1),
                S(headers(1, 0, OK)),
                S(data(1, 0, 100)),
                C(settings(&[(4, 99)])),
                S(settings_ack()),
            ],
            vec![
                get(1),
                S(headers(1, 0, OK)),
                S(data(1, 0, 100)),
                C(settings(&[(4, 100)])),
                S(settings_ack()),
            ],
        ),
    ]
}
