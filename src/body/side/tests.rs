use super::super::credit::Credit;
use super::*;
use crate::body::protobuf::Type;
use crate::body::redact::Redactor;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;

const LIMIT: usize = 1000;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A side whose header section has these fields.
fn side(fields: &[(&str, &str)]) -> Side {
    let mut side = Side::default();
    side.head.seen = true;
    for (name, value) in fields {
        side.head.field(name.as_bytes(), value.as_bytes());
    }
    side
}

/// What is there of a body: bytes, or a hole.
enum Piece<'a> {
    Bytes(&'a [u8]),
    Hole(Option<u64>),
}

fn read(
    side: &mut Side,
    pieces: &[Piece<'_>],
    ended: bool,
    redactor: Option<&Redactor>,
) -> (Body, Vec<BodyMessage>) {
    let context = Context { redactor, limit: LIMIT, credit: &Credit::default() };
    let mut messages = Vec::new();
    let mut sink = |message| messages.push(message);
    let head = side.head.clone();
    side.begin(Some(Reader::new(&head, &Head::default(), Type::default(), LIMIT)), &context);
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => side.data(bytes, Timestamp::default(), &context, &mut sink),
            Piece::Hole(length) => side.gap(*length, &context, &mut sink),
        }
    }
    if ended {
        side.end(&context, &mut sink);
    }
    (side.finish(&context, BodyFile::default()).unwrap(), messages)
}

fn whole(fields: &[(&str, &str)], bytes: &[u8]) -> Body {
    read(&mut side(fields), &[Piece::Bytes(bytes)], true, None).0
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

#[test]
fn a_coded_text_is_decoded_and_hashed_before_its_charset() {
    let body = whole(
        &[("content-type", "text/plain; charset=latin1"), ("content-encoding", "gzip")],
        &gzip(b"caf\xe9"),
    );
    assert_eq!(
        (&body.content, body.decoded_size, body.complete, &body.error),
        (&Some(text("café")), Some(4), true, &None)
    );
    assert_eq!(body.sha256, Some(Sha256::digest(b"caf\xe9").into()));
}

#[test]
fn what_is_lost_before_the_first_data_may_be_half_a_message() {
    let mut side = side(&[("content-type", "text/event-stream")]);
    side.gap(None, &Context { redactor: None, limit: LIMIT, credit: &Credit::default() }, &mut |_| {});
    let (body, messages) = read(&mut side, &[Piece::Bytes(b"data: a\n\nid: 2\ndata: b\n\n")], true, None);
    assert!(!body.complete && body.content.is_none());
    let values: Vec<_> = messages.iter().filter_map(|message| message.value.as_deref()).collect();
    assert!(matches!(values.as_slice(), [value] if value.contains("\"id\":\"2\"")), "{values:?}");
}

#[test]
fn what_does_not_decode_is_shown_as_it_is() {
    let body = whole(&[("content-type", "application/json"), ("content-encoding", "gzip")], b"{\"a\":1}");
    assert_eq!(
        (&body.content, body.decoded_size, body.sha256, body.complete),
        (&Some(text("{\"a\":1}")), None, None, true)
    );
    assert_eq!(
        body.error.map(|error| (error.reason, error.coding)),
        Some(("damaged", Some("gzip".to_owned())))
    );
}

#[test]
fn a_body_over_the_limit_is_cut_and_hashed_whole() {
    let body = whole(&[("content-type", "text/plain")], "ü".repeat(600).as_bytes());
    assert_eq!(
        (body.content, body.truncated, body.decoded_size),
        (Some(text(&"ü".repeat(500))), true, Some(1200))
    );
    assert!(body.sha256.is_some());
}

#[test]
fn the_hash_of_what_is_masked_or_not_shown_is_left_out() {
    let redactor = Redactor::default();
    let json = [("content-type", "application/json")];
    let long = format!("[{}1]", "1,".repeat(LIMIT));
    for (bytes, redactor, hashed) in [
        (r#"{"n":1,"password":"x"}"#, Some(&redactor), false),
        (r#"{"card":"4111 1111 1111 1111"}"#, Some(&redactor), false),
        (r#"{"n":1}"#, Some(&redactor), true),
        (&long, Some(&redactor), false),
        (r#"{"n":1,"password":"x"}"#, None, true),
        (&long, None, true),
    ] {
        let (body, _) = read(&mut side(&json), &[Piece::Bytes(bytes.as_bytes())], true, redactor);
        let told = body.sha256 == Some(Sha256::digest(bytes).into());
        assert_eq!((told, body.sha256.is_some()), (hashed, hashed), "{body:?}");
        assert_eq!(body.decoded_size, Some(bytes.len() as u64));
    }
}

#[test]
fn text_behind_a_hole_does_not_join() {
    let mut side = side(&[("content-type", "text/plain")]);
    let pieces = [Piece::Bytes(b"before"), Piece::Hole(Some(3)), Piece::Bytes(b"after")];
    let (body, _) = read(&mut side, &pieces, true, None);
    assert_eq!(
        (body.content, body.complete, body.decoded_size, body.sha256),
        (Some(text("before")), false, None, None)
    );
}

#[test]
fn messages_behind_a_hole_of_known_length_are_found() {
    let fields = [("content-type", "application/grpc+json")];
    let message = |text: &[u8]| [&[0, 0, 0, 0, text.len() as u8][..], text].concat();
    let (first, last) = (message(b"[1]"), message(b"[3]"));
    let pieces = |length| {
        [Piece::Bytes(&first), Piece::Bytes(&[0, 0, 0, 0, 9]), Piece::Hole(length), Piece::Bytes(&last)]
    };
    let values = |length| {
        let (_, messages) = read(&mut side(&fields), &pieces(length), true, None);
        messages.into_iter().map(|message| (message.value, message.error)).collect::<Vec<_>>()
    };
    let value = |text: &str| (Some(text.to_owned()), None);
    assert_eq!(values(Some(9)), [value("[1]"), (None, Some("gap")), value("[3]")]);
    assert_eq!(values(None), [value("[1]"), (None, Some("gap"))]);
}

#[test]
fn what_the_header_does_not_say_is_not_claimed() {
    let mut side = side(&[]);
    side.head.unknown = true;
    let (body, _) = read(&mut side, &[Piece::Bytes(b"abc")], true, None);
    assert_eq!((body.sha256, body.decoded_size), (None, None));
    assert_eq!(body.error.map(|error| error.reason), Some("header_unknown"));
}

#[test]
fn secrets_do_not_show_in_any_form() {
    let redactor = Redactor::default();
    let masked = |fields: &[(&str, &str)], bytes: &[u8]| {
        let (body, messages) = read(&mut side(fields), &[Piece::Bytes(bytes)], true, Some(&redactor));
        format!("{body:?} {messages:?}")
    };
    let bytes_of = |text: &str| format!("{:?}", text.as_bytes()).replace(['[', ']'], "");
    for (content_type, bytes) in [
        ("application/json", &b"{\"password\":\"s3cret\"}"[..]),
        ("application/x-www-form-urlencoded", b"password=s3cret"),
        ("application/x-ndjson", b"{\"password\":\"s3cret\"}\n"),
        ("text/event-stream", b"data: {\"password\":\"s3cret\"}\n\n"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=password\r\n\r\ns3cret\r\n--b--",
        ),
        ("application/grpc+json", b"\0\0\0\0\x15{\"password\":\"s3cret\"}"),
    ] {
        let shown = masked(&[("content-type", content_type)], bytes);
        assert!(!shown.contains("s3cret") && !shown.contains(&bytes_of("s3cret")), "{content_type}: {shown}");
    }
}

proptest! {
    #[test]
    fn a_body_cut_anywhere_shows_a_prefix(
        content in "[a-zü \n]{0,300}",
        coded in any::<bool>(),
        cut in 0.0_f64..1.0,
        piece in 1_usize..50,
    ) {
        let bytes = if coded { gzip(content.as_bytes()) } else { content.clone().into_bytes() };
        let cut = (bytes.len() as f64 * cut) as usize;
        let coding = if coded { "gzip" } else { "identity" };
        let mut side = side(&[("content-type", "text/plain"), ("content-encoding", coding)]);
        let pieces: Vec<_> = bytes[..cut].chunks(piece).map(Piece::Bytes).collect();
        let (body, _) = read(&mut side, &pieces, false, None);
        prop_assert!(!body.complete && body.sha256.is_none());
        match body.content {
            Some(Content::Text(text)) => prop_assert!(content.starts_with(&text), "{}", text),
            Some(Content::Bytes(raw)) => prop_assert!(bytes.starts_with(&raw)),
            None => {}
        }
    }
}
