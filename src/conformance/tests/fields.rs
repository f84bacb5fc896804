//! Header and trailer sections (RFC 9113 section 8).

use super::talk::Step::{C, S};
use super::talk::*;
use super::{Case, case};
use crate::http2::Anomaly::*;
use crate::http2::Side::{Client, Server};

fn get(more: &[u8]) -> Vec<Step> {
    vec![C(headers(1, END_STREAM, &concat(&[GET, more])))]
}

fn request(block: &[u8]) -> Vec<Step> {
    vec![C(headers(1, END_STREAM, block))]
}

fn response(block: &[u8]) -> Vec<Step> {
    vec![C(headers(1, END_STREAM, GET)), S(headers(1, END_STREAM, block))]
}

/// A POST with this `content-length`, and DATA of so many octets, in two frames.
fn post(length: &str, octets: usize) -> Vec<Step> {
    let block = concat(&[POST, &line("content-length", length)]);
    vec![C(headers(1, 0, &block)), C(data(1, 0, 2)), C(data(1, END_STREAM, octets - 2))]
}

/// The answer to this request, with a `content-length` of 5 and DATA of so many octets.
fn answer(request: &[u8], status: &[u8], octets: usize) -> Vec<Step> {
    let block = concat(&[status, &line("content-length", "5")]);
    vec![C(headers(1, END_STREAM, request)), S(headers(1, 0, &block)), S(data(1, END_STREAM, octets))]
}

#[expect(clippy::too_many_lines, reason = "one case for each code")]
pub(super) fn cases() -> Vec<Case> {
    let connect = |more: &[u8]| concat(&[&line(":method", "CONNECT"), &line(":authority", "a:1"), more]);
    let head = concat(&[&line(":method", "HEAD"), &GET[1..]]);
    let extended = connect(&concat(&[&GET[1..3], &line(":protocol", "websocket")]));
    let bare = |request: &[u8], status: &[u8], octets: usize| {
        vec![C(headers(1, END_STREAM, request)), S(headers(1, 0, status)), S(data(1, END_STREAM, octets))]
    };
    let post_then =
        |flags: u8, block: &[u8]| vec![C(headers(1, 0, POST)), C(data(1, 0, 1)), C(headers(1, flags, block))];
    vec![
        case(
            PseudoAfterField,
            Client,
            request(&concat(&[&GET[1..], &line("x", "y"), &GET[..1]])),
            request(&concat(&[GET, &line("x", "y")])),
        ),
        case(PseudoUnknown, Client, request(&concat(&[GET, &line(":x", "y")])), get(&line("x", "y"))),
        case(PseudoUnknown, Client, request(&concat(&[GET, OK])), request(GET)),
        case(PseudoUnknown, Server, response(&concat(&[OK, &GET[2..3]])), response(OK)),
        case(PseudoRepeated, Client, request(&concat(&[GET, &GET[..1]])), get(&line("cookie", "a"))),
        case(PseudoMissing, Client, request(&GET[1..]), request(GET)),
        case(PseudoMissing, Client, request(&GET[..2]), request(&connect(&[]))),
        case(PseudoMissing, Server, response(&line("x", "y")), response(OK)),
        case(StatusInvalid, Server, response(&line(":status", "200 OK")), response(OK)),
        case(StatusInvalid, Server, response(&line(":status", "0200")), response(&line(":status", "999"))),
        case(
            StatusSwitching,
            Server,
            vec![
                C(headers(1, END_STREAM, GET)),
                S(headers(1, 0, &line(":status", "101"))),
                S(headers(1, END_STREAM, OK)),
            ],
            vec![
                C(headers(1, END_STREAM, GET)),
                S(headers(1, 0, &line(":status", "103"))),
                S(headers(1, END_STREAM, OK)),
            ],
        ),
        case(
            PseudoConnect,
            Client,
            request(&connect(&GET[2..3])),
            [vec![S(settings(&[(8, 1)])), C(settings_ack())], request(&extended)].concat(),
        ),
        case(PseudoTrailer, Client, post_then(END_STREAM, &GET[2..3]), post_then(END_STREAM, TRAILERS)),
        case(
            PseudoTrailer,
            Server,
            vec![C(headers(1, END_STREAM, GET)), S(headers(1, 0, OK)), S(headers(1, END_STREAM, OK))],
            vec![
                C(headers(1, END_STREAM, GET)),
                S(headers(1, 0, &line(":status", "103"))),
                S(headers(1, 0, OK)),
                S(headers(1, END_STREAM, TRAILERS)),
            ],
        ),
        case(
            PseudoPathEmpty,
            Client,
            request(&concat(&[&GET[..2], &line(":path", ""), &GET[3..]])),
            request(&concat(&[&GET[..2], &line(":path", "*"), &GET[3..]])),
        ),
        case(
            PseudoPathForm,
            Client,
            request(&concat(&[&GET[..2], &line(":path", "x/y"), &GET[3..]])),
            request(&concat(&[&GET[..2], &line(":path", "/x"), &GET[3..]])),
        ),
        case(
            PseudoProtocol,
            Client,
            request(&extended),
            [vec![S(settings(&[(8, 1)])), C(settings_ack())], request(&extended)].concat(),
        ),
        case(ContentForbidden, Server, bare(&head, OK, 3), bare(&head, OK, 0)),
        case(ContentForbidden, Server, bare(GET, &line(":status", "204"), 3), bare(GET, OK, 3)),
        case(ContentForbidden, Server, bare(GET, &line(":status", "304"), 3), bare(GET, OK, 3)),
        case(FieldUppercase, Client, get(&line("X-a", "y")), get(&line("x-a", "Y"))),
        case(FieldInvalid, Client, get(&line("x a", "y")), get(&line("x-a", "y z"))),
        case(FieldInvalid, Client, get(&line("x", "y\n")), get(&line("x", ""))),
        case(FieldInvalid, Client, get(&line("x", " y")), get(&line("x-bin", "\0"))),
        case(FieldInvalid, Client, get(&line("x:", "y")), get(&line("x", "a:b"))),
        case(FieldConnection, Client, get(&line("connection", "close")), get(&line("close", "connection"))),
        case(
            FieldConnection,
            Server,
            response(&concat(&[OK, &line("transfer-encoding", "chunked")])),
            response(OK),
        ),
        case(FieldTe, Client, get(&line("te", "gzip")), get(&line("te", "trailers"))),
        case(FieldTe, Server, response(&concat(&[OK, &line("te", "trailers")])), response(OK)),
        case(ContentLength, Client, post("5", 4), post("5", 5)),
        case(ContentLength, Client, post("5", 6), post("5, 5", 6)),
        case(ContentLength, Client, post("five", 5), post("05", 5)),
        case(ContentLength, Client, post("", 5), post("5, 5, 5", 5)),
        case(ContentLength, Server, answer(GET, OK, 4), answer(GET, OK, 5)),
        case(ContentLength, Server, answer(GET, OK, 0), answer(&head, OK, 0)),
        case(ContentLength, Server, answer(POST, OK, 0), answer(GET, &line(":status", "304"), 0)),
        case(TrailersWithoutEnd, Client, post_then(0, TRAILERS), post_then(END_STREAM, TRAILERS)),
        case(
            InterimEnd,
            Server,
            response(&line(":status", "103")),
            vec![
                C(headers(1, END_STREAM, GET)),
                S(headers(1, 0, &line(":status", "103"))),
                S(headers(1, END_STREAM, OK)),
            ],
        ),
        case(
            HeaderListLimit,
            Client,
            vec![S(settings(&[(6, 100)])), C(settings_ack()), C(headers(1, END_STREAM, GET))],
            vec![
                S(settings(&[(6, 100)])),
                C(headers(1, END_STREAM, GET)),
                S(settings(&[(6, 1000)])),
                C(settings_ack()),
                C(headers(3, END_STREAM, GET)),
            ],
        ),
    ]
}
