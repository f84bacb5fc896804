use super::*;
use flate2::{Compress, Compression as Level, FlushCompress};
use proptest::prelude::*;

type Told = (&'static str, u32, bool, Result<Vec<u8>, Missing>);

fn told(message: Message<'_>) -> Told {
    (message.opcode.name(), message.fragments, message.compressed, message.content.map(<[u8]>::to_vec))
}

fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(bit | length as u8),
        length @ 126..65536 => {
            frame.push(bit | 0x7e);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(bit | 0x7f);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask));
    frame
}

fn read(mut socket: WebSocket, bytes: &[u8], piece: usize) -> Vec<Told> {
    let mut found = Vec::new();
    bytes
        .chunks(piece.max(1))
        .for_each(|piece| socket.push(piece, &Credit::default(), &mut |message| found.push(told(message))));
    found
}

/// A message as permessage-deflate sends it.
fn deflated(compress: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 100);
    compress.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn talk() -> (Vec<u8>, Vec<Told>) {
    let key = Some([1, 2, 3, 4]);
    let bytes = [
        frame(0x81, b"hello", key),
        frame(0x01, b"fr", None),
        frame(0x89, b"ok?", key),
        frame(0x00, b"ag", key),
        frame(0x80, b"ment", None),
        frame(0x82, &[7; 300], key),
        frame(0x82, &vec![8; 70_000], key),
        frame(0x82, b"", None),
        frame(0x88, &[3, 232], None),
    ];
    let plain = |opcode, fragments, content: &[u8]| (opcode, fragments, false, Ok(content.to_vec()));
    let told = vec![
        plain("text", 1, b"hello"),
        plain("ping", 1, b"ok?"),
        plain("text", 3, b"fragment"),
        plain("binary", 1, &[7; 300]),
        plain("binary", 1, &vec![8; 70_000]),
        plain("binary", 1, b""),
        plain("close", 1, &[3, 232]),
    ];
    (bytes.concat(), told)
}

#[test]
fn messages_are_put_together_however_they_are_cut() {
    let (bytes, expected) = talk();
    for piece in [1, 2, 3, 5, 11, 1000, bytes.len()] {
        assert_eq!(read(WebSocket::new(100_000, None), &bytes, piece), expected, "pieces of {piece}");
    }
}

#[test]
fn permessage_deflate_with_and_without_takeover() {
    for takeover in [true, false] {
        let mut compress = Compress::new(Level::default(), false);
        let mut bytes = Vec::new();
        for text in ["amber basket amber basket", "amber basket", "x"] {
            let payload = deflated(&mut compress, text.as_bytes());
            let (one, two) = payload.split_at(payload.len() / 2);
            bytes.extend(frame(0x41, one, Some([9, 8, 7, 6])));
            bytes.extend(frame(0x80, two, None));
            if !takeover {
                compress.reset();
            }
        }
        bytes.extend(frame(0x81, b"plain", None));
        for piece in [1, 4, bytes.len()] {
            let found = read(WebSocket::new(1000, Some(takeover)), &bytes, piece);
            let contents: Vec<_> = found.iter().map(|told| told.3.clone().unwrap()).collect();
            let expected = [&b"amber basket amber basket"[..], b"amber basket", b"x", b"plain"];
            assert_eq!(contents, expected, "takeover {takeover}, pieces of {piece}");
            assert!(found[0].2 && !found[3].2);
        }
    }
}

#[test]
fn a_hole_costs_its_message_and_what_needs_it() {
    let mut compress = Compress::new(Level::default(), false);
    let first = frame(0xc1, &deflated(&mut compress, b"amber basket"), None);
    let second = frame(0xc1, &deflated(&mut compress, b"amber basket"), None);
    let (mut socket, mut found) = (WebSocket::new(1000, Some(true)), Vec::new());
    let mut sink = |message: Message<'_>| found.push(told(message));
    socket.push(&first[..4], &Credit::default(), &mut sink);
    socket.gap(Some(first.len() as u64 - 4), &Credit::default(), &mut sink);
    socket.push(&second, &Credit::default(), &mut sink);
    socket.push(&frame(0x81, b"plain", None), &Credit::default(), &mut sink);
    socket.gap(None, &Credit::default(), &mut sink);
    socket.push(&frame(0x81, b"unseen", None), &Credit::default(), &mut sink);
    let contents: Vec<_> = found.into_iter().map(|told| told.3).collect();
    assert_eq!(contents, [Err(Missing::Lost), Err(Missing::Context), Ok(b"plain".to_vec())]);
}

#[test]
fn a_message_over_the_limit_is_not_kept() {
    let (mut socket, mut found) = (WebSocket::new(150, None), Vec::new());
    let first = frame(0x01, &[b'a'; 100], None);
    let more = frame(0x00, &[b'a'; 100], None);
    socket.push(&first, &Credit::default(), &mut |_| {});
    for _ in 0..100 {
        socket.push(&more, &Credit::default(), &mut |_| {});
        assert!(socket.memory() <= 512);
    }
    socket.push(&frame(0x80, b"a", None), &Credit::default(), &mut |message| found.push(told(message)));
    socket.push(&frame(0x81, b"b", None), &Credit::default(), &mut |message| found.push(told(message)));
    assert_eq!(found, [("text", 102, false, Err(Missing::TooLong)), ("text", 1, false, Ok(b"b".to_vec()))]);
}

#[test]
fn what_is_no_frame_ends_the_reading() {
    for bytes in [
        &[0xb1, 1, 0][..],
        &[0x89, 126, 0, 200],
        &[0x09, 1, 0],
        &[0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut socket = WebSocket::new(100, None);
        socket.push(bytes, &Credit::default(), &mut |_| panic!("{bytes:?}"));
        socket.push(&frame(0x81, b"x", None), &Credit::default(), &mut |_| panic!("{bytes:?}"));
    }
}

#[test]
fn what_nobody_is_known_to_have_agreed_on_is_not_told() {
    let bytes = [frame(0xc1, b"compressed", None), frame(0x81, b"plain", None)].concat();
    let told: Vec<_> = read(WebSocket::new(100, None), &bytes, 3).into_iter().map(|told| told.3).collect();
    assert_eq!(told, [Err(Missing::Unknown), Ok(b"plain".to_vec())]);
}

#[test]
fn a_bomb_costs_what_is_read() {
    let mut compress = Compress::new(Level::best(), false);
    let bytes = frame(0xc1, &deflated(&mut compress, &vec![0; 8 << 20]), None);
    let found = read(WebSocket::new(1 << 20, Some(true)), &bytes, 1000);
    assert_eq!(found, [("text", 1, true, Err(Missing::TooLong))]);
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_gives_a_prefix(cut in 0_usize..71_000, piece in 1_usize..2000) {
        let (bytes, expected) = talk();
        let found = read(WebSocket::new(100_000, None), &bytes[..cut.min(bytes.len())], piece);
        prop_assert!(expected.starts_with(&found));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1_usize..50) {
        let whole = read(WebSocket::new(100, Some(true)), &bytes, bytes.len());
        prop_assert_eq!(read(WebSocket::new(100, Some(true)), &bytes, piece), whole);
    }
}
